"""Constants patched against the recompiled changed source: no difference without a word.

    python tools/literal_differential.py places [--every N]
    python tools/literal_differential.py drawn FOLDER [FOLDER ...] [--count 2000] [--seed 16]

`places` are functions over every place in which a literal can stand, `drawn` ones a seeded draw
from packages. For each function one literal is exchanged twice: in the source, which is compiled
again, and in the code, by `apply`. Both must then be the same instruction by instruction; or the
patch is refused with a reason, or a note says what was left. Nothing is executed. It runs on the
interpreter that runs it: run it on each.
"""

from __future__ import annotations

import argparse
import ast
import random
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from coscope.codec import decode
from coscope.codec.regions import decode_regions
from coscope.errors import CoscopeError, PatchError
from coscope.model import Code, FrozenSet, Slice, Source
from coscope.opcodes import table
from coscope.patcher.applying.apply import apply
from coscope.patcher.edits.model import ReplaceConstant
from coscope.patcher.verbs.remarks import remarks
from coscope.readers.from_function import from_code_object
from coscope.verifier import verify
from literal_places import places

_INLINED = sys.version_info >= (3, 12)  # list, set and dict comprehensions
_LAZY = sys.version_info >= (3, 14)  # annotations are in functions of their own
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Outcome(NamedTuple):
    """What became of one function and one literal."""

    kind: str  # "same", "refused", "noted", "silent", "unusable"
    what: str  # the reason


# The changed source


class Exchange(ast.NodeTransformer):
    """Exchanges a literal in the scope of one function."""

    def __init__(self, old: object, new: Any, future: bool) -> None:
        self.old = typed(old)
        self.new = new
        self.future = future
        self.count = 0

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if typed(node.value) == self.old:
            self.count += 1
            return ast.copy_location(ast.Constant(self.new), node)
        return node

    def visit_MatchSingleton(self, node: ast.MatchSingleton) -> ast.pattern:
        if typed(node.value) != self.old:
            return node
        self.count += 1
        new = ast.copy_location(ast.Constant(self.new), node)
        return ast.copy_location(ast.MatchValue(new), node)

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        return node if isinstance(node.value, ast.Constant) else self._all(node)

    def _all(self, node: ast.Expr) -> ast.Expr:
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.target = self.visit(node.target)
        node.value = None if node.value is None else self.visit(node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self._outside(node.args)
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        self._annotations(node)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        self._outside(node.args)
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        self._annotations(node)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self._outside(node.args)
        return node

    def _outside(self, args: ast.arguments) -> None:
        args.defaults = [self.visit(each) for each in args.defaults]
        args.kw_defaults = [each and self.visit(each) for each in args.kw_defaults]

    def _annotations(self, node: _Function) -> None:
        if _LAZY or self.future or getattr(node, "type_params", None):
            return
        if node.returns is not None:
            node.returns = self.visit(node.returns)
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for each in [*named, arguments.vararg, arguments.kwarg]:
            if each is not None and each.annotation is not None:
                each.annotation = self.visit(each.annotation)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        if not getattr(node, "type_params", None):
            node.bases = [self.visit(each) for each in node.bases]
            node.keywords = [self.visit(each) for each in node.keywords]
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        return node

    def visit_TypeAlias(self, node: ast.AST) -> ast.AST:
        return node

    def _comprehension(self, node: ast.AST) -> ast.AST:
        if _INLINED and not isinstance(node, ast.GeneratorExp):
            return self.generic_visit(node)
        first = node.generators[0]  # type: ignore[attr-defined]
        first.iter = self.visit(first.iter)
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._comprehension(node)


def typed(value: object) -> str:
    """A constant as text, by type and value."""
    return f"{type(value).__name__} {value!r}"


def changed(text: str, at: tuple[str, int], old: object, new: object) -> str | ast.Module | None:
    """The tree with a literal exchanged in one function; None if that is not in it."""
    tree = ast.parse(text)
    future = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(each.name == "annotations" for each in node.names)
        for node in tree.body
    )
    found = [node for node in ast.walk(tree) if isinstance(node, _Function) and _key(node) == at]
    if len(found) != 1:
        return None
    exchange = Exchange(old, new, future)
    found[0].body = [exchange.visit(each) for each in found[0].body]
    return tree if exchange.count else None


def _key(node: _Function) -> tuple[str, int]:
    return node.name, min([node.lineno, *(each.lineno for each in node.decorator_list)])


def literals(node: _Function) -> list[object]:
    """The literals in the text of a function itself, each once."""
    found: dict[str, object] = {}

    class Collect(Exchange):
        def visit_Constant(self, node: ast.Constant) -> ast.Constant:
            found.setdefault(typed(node.value), node.value)
            return node

        def visit_MatchSingleton(self, node: ast.MatchSingleton) -> ast.pattern:
            found.setdefault(typed(node.value), node.value)
            return node

    collect = Collect(None, None, future=False)
    for each in node.body:
        collect.visit(each)
    return list(found.values())


def another(value: object) -> object:
    """A literal of the same sort where that is possible, and as large."""
    if value is None:
        return 5
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 41 if value < 200 else value + 100_003
    if isinstance(value, float):
        return value + 0.125
    if isinstance(value, complex):
        return value + 1j
    if isinstance(value, str):
        return value + "zz"
    return value + b"zz" if isinstance(value, bytes) else 7


# Comparing


def code_at(module: CodeType, at: tuple[str, int]) -> CodeType | None:
    """The one code object of a function."""
    pending, found = [module], []
    while pending:
        co = pending.pop()
        found += [co] if (co.co_name, co.co_firstlineno) == at else []
        pending += [each for each in co.co_consts if isinstance(each, CodeType)]
    return found[0] if len(found) == 1 else None


def listed(code: Code) -> list[object]:
    """What the instructions do: opcode and operand, nested code by its own text."""
    rules = table(code.version)
    columns = decode(code)
    kept = [
        at
        for at, opcode in enumerate(columns.opcodes)
        if opcode != rules.extended_arg and columns.opname(at) != "NOP"
    ]
    number = {columns.offsets[at]: n for n, at in enumerate(kept)}
    ends = sorted(number)
    lines: list[object] = []
    for at in kept:
        name = columns.opname(at)
        target = columns.jump_target(at)
        if target is not None:
            first = next((each for each in ends if each >= target), None)
            lines.append((name, None if first is None else number[first]))
        elif columns.opcodes[at] in rules.constants:
            lines.append((name if name.startswith("RETURN") else "LOAD", shown(columns.argval(at))))
        else:
            lines.append((name, shown(columns.argval(at))))
    regions = [
        tuple(
            number.get(next((e for e in ends if e >= o), -1)) for o in (r.start, r.stop, r.target)
        )
        for r in decode_regions(code.exceptiontable)
    ]
    return [*lines, *regions]


def shown(value: object) -> object:
    """A constant as text; code objects by what they do."""
    if isinstance(value, Code):
        return ("code", value.name, *map(str, listed(value)))
    if isinstance(value, tuple):
        return ("tuple", *map(shown, value))
    if isinstance(value, FrozenSet):
        return ("set", *sorted(map(str, map(shown, value.items))))
    if isinstance(value, Slice):
        return ("slice", *map(shown, (value.start, value.stop, value.step)))
    return typed(value)


def tried(text: str, file: str, at: tuple[str, int], old: object, *, folded: str) -> Outcome:
    """Exchange one literal of one function in both ways."""
    new = another(old)
    tree = changed(text, at, old, new)
    if tree is None:
        return Outcome("unusable", "the function is not alone, or does not state it")
    try:
        wanted = code_at(compile(tree, file, "exec", dont_inherit=True), at)
    except (SyntaxError, ValueError) as problem:
        return Outcome("unusable", f"the changed source does not compile: {problem}")
    now = code_at(compile(text, file, "exec", dont_inherit=True), at)
    if wanted is None or now is None:
        return Outcome("unusable", "two code objects of this name and line")
    lines = tuple(text.split("\n"))
    source = Source(file, lines, sha256(text.encode()).hexdigest())
    code = from_code_object(now)
    edits = [ReplaceConstant(old=old, new=new, folded=folded)]
    try:
        patched = apply(code, edits, lambda: source)
    except PatchError as problem:
        return Outcome("refused", type(problem).__name__)
    if not verify(patched).ok:
        return Outcome("silent", "not verified")
    if listed(patched) == listed(from_code_object(wanted)):
        return Outcome("same", "")
    notes = remarks(code, edits, lambda: source)
    return Outcome("noted", notes[0]) if notes else Outcome("silent", "differs")


# What is tried


def drawn(
    folders: list[str], count: int, seed: int
) -> Iterator[tuple[str, str, tuple[str, int], object]]:
    """Functions drawn from packages, one literal of each."""
    every = []
    texts = {}
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.py")):
            if {"tests", "testing", "_vendor"} & set(path.parts):
                continue
            try:
                text = path.read_text(encoding="utf-8")
                tree = ast.parse(text)
                compile(text, str(path), "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                continue
            texts[str(path)] = text
            every += [
                (str(path), _key(node), found)
                for node in ast.walk(tree)
                if isinstance(node, _Function) and (found := literals(node))
            ]
    draw = random.Random(seed)
    draw.shuffle(every)
    for file, at, found in every[:count]:
        yield texts[file], file, at, draw.choice(found)


def report(outcomes: list[tuple[str, Outcome]], total: int) -> int:
    """Print the counts and every silent difference; 1 if there is one."""
    counts = Counter(outcome.kind for _, outcome in outcomes)
    shown = ", ".join(f"{kind} {number}" for kind, number in sorted(counts.items()))
    print(f"{sys.version.split()[0]}: {total} functions, {len(outcomes)} patches: {shown}")
    for where, outcome in outcomes:
        if outcome.kind == "silent":
            print(f"SILENT {outcome.what}: {where}")
    return int(bool(counts["silent"]))


def over_places(every: int = 1) -> tuple[list[tuple[str, Outcome]], int]:
    """Every patch over the places; or each n-th function, for a sample."""
    outcomes = []
    total = 0
    for number, (text, olds) in enumerate(places()):
        if number % every:
            continue
        try:
            compile(text, "f.py", "exec")
        except SyntaxError:
            continue
        total += 1
        for old in olds:
            for folded in ("refuse", "replace"):
                outcome = tried(text, f"<place {number}>", ("f", 1), old, folded=folded)
                if outcome.kind != "unusable":
                    outcomes.append((f"{text!r} {old!r} {folded}", outcome))
    return outcomes, total


def over_drawn(folders: list[str], count: int, seed: int) -> tuple[list[tuple[str, Outcome]], int]:
    """Every patch of the functions drawn."""
    outcomes = []
    for text, file, at, old in drawn(folders, count, seed):
        try:
            outcome = tried(text, file, at, old, folded="refuse")
        except CoscopeError as problem:
            outcome = Outcome("silent", f"{type(problem).__name__}: {problem}")
        outcomes.append((f"{file}:{at[1]} {at[0]} {old!r}", outcome))
    return outcomes, len(outcomes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["places", "drawn"])
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--every", type=int, default=1, help="of the places, each n-th")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=16)
    given = parser.parse_args()
    if given.what == "places":
        return report(*over_places(given.every))
    return report(*over_drawn(given.folders, given.count, given.seed))


if __name__ == "__main__":
    raise SystemExit(main())
