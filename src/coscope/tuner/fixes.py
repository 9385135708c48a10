"""`coscope audit --fix`: edits of source files that answer findings. Bytecode is never edited.

A fix is safe if the program does the same after it, as far as the file shows: what the names mean
is read from its imports, what a set is asked for from the function's text. The others are made
only on demand.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coscope.audits.performance.classes import classes_of, enums_of
from coscope.audits.subject.names import module_bindings, module_imports
from coscope.audits.subject.subject import Unit
from coscope.model import Finding
from coscope.tuner.f_strings import f_string
from coscope.tuner.hashable import is_hashable
from coscope.tuner.rewrites import tried
from coscope.tuner.sources import Edit, Known, Source, edited, own

_Functions = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Fixed:
    """What can be done about the findings of one file."""

    text: str  # of the file, after the fixes
    fixed: tuple[Finding, ...]
    unsafe: int  # findings that can be fixed only if that is allowed


@dataclass(frozen=True, slots=True)
class _Fix:
    edits: tuple[Edit, ...]
    safe: bool


def fix(unit: Unit, text: str, findings: Sequence[Finding], *, unsafe: bool = False) -> Fixed:
    """Answer the findings of one file by edits of its text.

    Args:
        unit: The file, as it was audited.
        text: Of the file; line ends are "\\n".
        findings: Those that shall be fixed.
        unsafe: Also make those that may change what the program does.
    """
    tree = ast.parse(text)
    known = _known(unit)
    edits: list[Edit] = []
    fixed, left = [], 0
    for finding in findings:
        made = _fix_of(unit, text, tree, known, finding)
        if made is None or _overlap(edits, made.edits):
            continue
        if made.safe or unsafe:
            edits += [each for each in made.edits if each not in edits]
            fixed.append(finding)
        else:
            left += 1
    after = edited(text, edits)
    ast.parse(after)  # an error here is one of coscope
    return Fixed(after, tuple(fixed), left)


def _known(unit: Unit) -> Known:
    """What the module's names mean, as far as it binds each once."""
    imports, bindings = unit.fact(module_imports), unit.fact(module_bindings)
    once = {name: meaning for name, meaning in imports.items() if bindings.get(name) == 1}
    return Known(
        modules=frozenset(name for name, meaning in once.items() if meaning == name),
        suppress=frozenset(
            name for name, meaning in once.items() if meaning == "contextlib.suppress"
        ),
        bound=frozenset(bindings),
    )


def _overlap(edits: Sequence[Edit], more: Sequence[Edit]) -> bool:
    """True if one of the new edits changes what another one changes; equal ones are one."""
    return any(
        left != right and left.start < right.stop and right.start < left.stop
        for left in edits
        for right in more
    )


def _fix_of(unit: Unit, text: str, tree: ast.Module, known: Known, finding: Finding) -> _Fix | None:
    make = _FIXES.get(finding.rule)
    function = _function_at(tree, finding)
    if make is None or function is None:
        return None
    return make(unit, Source(text, function, known), finding)


def _function_at(tree: ast.Module, finding: Finding) -> _Functions | None:
    """The innermost function that has the finding's line."""
    line = finding.span.lineno or 0
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, _Functions) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return max(around, key=lambda node: node.lineno, default=None)


def _at(source: Source, finding: Finding, kind: type[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a kind that begin and end where the finding does."""
    span = finding.span
    for node in source.nodes():
        place = getattr(node, "lineno", None), getattr(node, "col_offset", None)
        end = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
        starts = isinstance(node, kind) and place == (span.lineno, span.col_offset)
        if starts and end == (span.end_lineno, span.end_col_offset):
            yield node


def _format(unit: Unit, source: Source, finding: Finding) -> _Fix | None:
    for node in _at(source, finding, ast.Call):
        assert isinstance(node, ast.Call)
        strict = f_string(source, node, strictly=True)
        written = strict or f_string(source, node)
        if written is not None:
            edit = Edit(source.start(node), source.stop(node), written)
            return _Fix((edit,), strict is not None)
    return None


def _membership(unit: Unit, source: Source, finding: Finding) -> _Fix | None:
    for node in _at(source, finding, ast.Compare):
        assert isinstance(node, ast.Compare)
        held = node.comparators[-1]
        if len(node.ops) != 1 or not isinstance(held, ast.Tuple):
            return None
        start, stop = source.start(held), source.stop(held)
        if source.text[start] != "(" or not all(isinstance(e, ast.Constant) for e in held.elts):
            return None
        edit = Edit(start, stop, "{" + source.text[start + 1 : stop - 1] + "}")
        return _Fix((edit,), is_hashable(source, node.left))
    return None


def _suppress(unit: Unit, source: Source, finding: Finding) -> _Fix | None:
    for node in source.nodes():
        if isinstance(node, ast.With) and node.lineno == finding.span.lineno:
            edits = tried(source, node)
            if edits:
                return _Fix(tuple(edits), True)
    return None


def _enum_member(unit: Unit, source: Source, finding: Finding) -> _Fix | None:
    """The member becomes a local variable before the outermost loop around it."""
    for node in _at(source, finding, ast.Attribute):
        assert isinstance(node, ast.Attribute)
        path = source.segment(node)
        name, _, member = path.partition(".")
        fact = classes_of(unit).get(name)
        if name not in enums_of(unit) or fact is None or member not in fact.body.names:
            return None
        loop = _outermost(source, node)
        indent = None if loop is None else source.indent(loop)
        if loop is None or indent is None or name in source.bound():
            return None
        local = _fresh(f"{name}_{member}".lower(), source.names() | source.known.bound)
        every = (each for each in own(loop) if isinstance(each, ast.Attribute))
        uses = [each for each in every if _is_read_of(source, each, path)]
        begin = source.start(loop) - len(indent)
        edits = [Edit(source.start(each), source.stop(each), local) for each in uses]
        return _Fix((Edit(begin, begin, f"{indent}{local} = {path}\n"), *edits), True)
    return None


def _is_read_of(source: Source, node: ast.Attribute, path: str) -> bool:
    return isinstance(node.ctx, ast.Load) and source.segment(node) == path


def _outermost(source: Source, inside: ast.AST) -> ast.For | ast.While | None:
    """The loop of the function that has the node in its body, and is in no other loop."""
    loops = [node for node in source.nodes() if isinstance(node, ast.For | ast.While)]
    around = [node for node in loops if any(each is inside for each in own(node))]
    return min(around, key=lambda node: node.lineno, default=None)


def _fresh(name: str, taken: set[str] | frozenset[str]) -> str:
    while name in taken:
        name += "_"
    return name


_FIXES: Mapping[str, Callable[[Unit, Source, Finding], _Fix | None]] = {
    "PERF302": _enum_member,
    "PERF307": _suppress,
    "PERF308": _format,
    "PERF311": _membership,
}
FIXABLE = frozenset(_FIXES)
