"""Checks drawn findings against the source and the running program, by other means than the rules.

    python tools/audit_checks.py FINDINGS --site FOLDER [--seed 6] [--count 100]

The rules read bytecode; this reads syntax trees, imports modules, and measures. For each finding
that tools/audit_precision.py draws it prints what was seen: a table in Markdown. What no check
covers is left for a reader: its cell says "read".
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import sysconfig
import timeit
from abc import ABCMeta
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from audit_precision import Entry, drawn, unique

Seen = tuple[bool | None, str]  # None: nothing was checked

_LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class File:
    """The syntax tree of a file, with parents."""

    def __init__(self, path: Path) -> None:
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.parents = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }

    def at(self, line: int, kind: type[Any] | tuple[type[Any], ...]) -> Iterator[Any]:
        """The nodes of a kind that cover a line, the smallest last."""
        for node in ast.walk(self.tree):
            if isinstance(node, kind) and node.lineno <= line <= (node.end_lineno or 0):
                yield node

    def above(self, node: ast.AST, kind: tuple[type[Any], ...]) -> ast.AST | None:
        """The nearest node of a kind around a node, inside of the same function."""
        at = self.parents.get(node)
        while at is not None and not isinstance(at, kind):
            if isinstance(at, _FUNCTIONS):
                return None
            at = self.parents.get(at)
        return at


def _own_cell(entry: Entry, file: File) -> Seen:
    """CLO104: it names itself, captures a parameter, and is used in calls alone."""
    name = entry["message"].partition("leaves ")[2].partition(" ")[0]
    inner = next(n for n in file.at(entry["line"], _FUNCTIONS) if n.name == name)
    outer = file.parents[inner]
    while not isinstance(outer, (*_FUNCTIONS, ast.Lambda)):
        outer = file.parents[outer]
    uses = [n for n in ast.walk(outer) if isinstance(n, ast.Name) and n.id == name]
    called = all(isinstance(p := file.parents[n], ast.Call) and p.func is n for n in uses)
    inside = {n.id for n in ast.walk(inner) if isinstance(n, ast.Name)}
    kept = entry["message"].partition("caller's ")[2].removesuffix(" with it")
    first = kept.replace(" and ", ", ").split(", ")[0]
    yes = called and name in inside and first in inside and not inner.decorator_list
    return yes, f"`{name}` calls itself, is only called, and holds `{first}` of the caller"


def _abstract(entry: Entry, file: File) -> Seen:
    """PERF304: in a loop, and the class of the class is ABCMeta in the running program."""
    name = entry["message"].partition("class ")[2].partition(" ")[0]
    calls = [
        node
        for node in file.at(entry["line"], ast.Call)
        if isinstance(node.func, ast.Name)
        and node.func.id == "isinstance"
        and ast.unparse(node.args[1]) == name
    ]
    looped = any(file.above(node, _LOOPS) is not None for node in calls)
    thing: Any = import_module(_module(entry))
    for part in name.split("."):
        thing = getattr(thing, part)
    origin = getattr(thing, "__origin__", thing)
    return looped and type(
        origin
    ) is ABCMeta, f"in a loop; `type({name})` is {type(origin).__name__}"


def _formats(entry: Entry, file: File) -> Seen:
    """PERF308: a constant string's format in a loop, and how long it takes."""
    for node in file.at(entry["line"], ast.Call):
        function = node.func
        if not isinstance(function, ast.Attribute) or function.attr != "format":
            continue
        held = function.value
        if not isinstance(held, ast.Constant) or file.above(node, _LOOPS) is None:
            continue
        names = [each.arg for each in node.keywords if each.arg]
        return True, f"in a loop; its format takes {_taken(str(held.value), len(node.args), names)}"
    return False, "no such call was found"


def _taken(text: str, count: int, names: list[str]) -> str:
    for value in ("1", 1):  # some formats ask for numbers
        given, named = [value] * count, dict.fromkeys(names, value)
        try:
            call = partial(text.format, *given, **named)
            best = min(timeit.repeat(call, number=2000, repeat=5))
        except (ValueError, TypeError):
            continue
        return f"{best / 2000 * 1e9:.0f} ns here"
    return "other values than were tried"


def _asks_module(entry: Entry, file: File) -> Seen:
    """PERF206: the module has a `__getattr__` in the running program, and is read in a loop."""
    name = entry["message"].partition(" ")[0]
    first, _, attribute = name.partition(".")
    module = getattr(import_module(_module(entry)), first)
    nodes = [
        node
        for node in file.at(entry["line"], ast.Attribute)
        if node.attr == attribute and isinstance(node.value, ast.Name) and node.value.id == first
    ]
    looped = any(file.above(node, _LOOPS) is not None for node in nodes)
    asks = "__getattr__" in vars(module)
    return looped and asks, f"in a loop; `{module.__name__}.__getattr__` is there"


def _hides(entry: Entry, file: File) -> Seen:
    """PERF208: the class body assigns the name, and a method stores it to self."""
    attribute = entry["message"].partition(" ")[0].partition(".")[2]
    owner = list(file.at(entry["line"], ast.ClassDef))[-1]
    default = any(
        isinstance(target, ast.Name) and target.id == attribute
        for node in owner.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )
    stored = any(
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.ctx, ast.Store)
        for node in ast.walk(owner)
    )
    return default and stored, f"`{owner.name}.{attribute}` is a default, instances have their own"


def _hoisted(entry: Entry, file: File) -> Seen:
    """PERF201: a local that was assigned the append of a new list is called in a loop."""
    name, _, held = entry["message"].partition(" holds ")
    held = held.partition(".")[0]
    calls = [
        node
        for node in file.at(entry["line"], ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id == name
    ]
    bound = any(
        isinstance(node, ast.Assign | ast.AnnAssign)
        and node.value is not None
        and ast.unparse(node.value) == f"{held}.append"
        for node in ast.walk(file.tree)
    )
    return bool(calls) and bound, f"`{name} = {held}.append`, called in a loop"


def _module(entry: Entry) -> str:
    name = entry["file"].removesuffix(".py").replace("/", ".")
    return str(name.removesuffix(".__init__"))


_CHECKS: dict[str, Callable[[Entry, File], Seen]] = {
    "CLO104": _own_cell,
    "PERF201": _hoisted,
    "PERF206": _asks_module,
    "PERF208": _hides,
    "PERF304": _abstract,
    "PERF308": _formats,
}


def seen(entry: Entry, calls: dict[tuple[str, str, int], list[Entry]], root: Path) -> Seen:
    """What a check says of one finding; of a SIG finding what real calls have shown."""
    made = calls.get((entry["rule"], entry["file"], entry["line"]))
    if made:
        yes = all(each["reproduced"] for each in made)
        return yes, f"{len(made)} reproduced: {made[0]['how']}"
    check = _CHECKS.get(entry["rule"])
    if check is None:
        return None, "read"
    return check(entry, File(root / entry["file"]))


def main() -> None:
    """Draw, check, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("findings", type=Path)
    parser.add_argument("--site", type=Path, default=Path(sysconfig.get_path("purelib")))
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--count", type=int, default=100)
    given = parser.parse_args()
    sys.path.append(str(given.site))
    entries = [json.loads(line) for line in given.findings.read_text("utf-8").splitlines()]
    calls: dict[tuple[str, str, int], list[Entry]] = {}
    for entry in entries:
        if "reproduced" in entry:
            calls.setdefault((entry["rule"], entry["file"], entry["line"]), []).append(entry)
    chosen = drawn(unique(entries), given.seed, given.count, 0)
    print("| rule | where | finding | checked |\n|---|---|---|---|")
    for entry in sorted(chosen, key=lambda each: (each["rule"], each["version"], each["file"])):
        library = entry["version"].startswith("CPython")
        root = Path(sysconfig.get_path("stdlib")) if library else given.site
        try:
            yes, how = seen(entry, calls, root)
        except Exception as error:
            yes, how = None, f"read ({type(error).__name__}: {error})"
        mark = {True: "true: ", False: "FALSE: ", None: ""}[yes]
        where = f"{entry['version']}, `{entry['file']}:{entry['line']}`"
        cells = (entry["rule"], where, entry["message"], mark + how)
        print(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")


if __name__ == "__main__":
    main()
