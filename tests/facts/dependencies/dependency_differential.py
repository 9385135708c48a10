"""`depends` of every function of a package, against `dis` and against `symtable`.

    python -m tests.facts.dependencies.dependency_differential rich click ...

Prints a JSON object. Run it by a Python that has the packages.
"""

from __future__ import annotations

import ast
import dis
import gc
import importlib
import json
import pkgutil
import symtable
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from coscope.facts.dependencies.depends import Dependencies, depends
from tests.facts.dependencies.dead_code import dead_names

READING = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
GLOBAL_KINDS = ("global", "builtin", "unbound", "class-local-or-global")

# A use of a name: qualified name and first line of its code object, offset, name.
Use = tuple[str, int, int, str]


def load(package: str) -> None:
    """Import a package and all modules in it that can be imported, but for its tests."""
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{package}.", _ignore):
        parts = found.name.split(".")
        if not {"tests", "testing", "test", "conftest", "__main__"} & set(parts):
            try:
                importlib.import_module(found.name)
            except (Exception, SystemExit):
                continue


def _ignore(name: str) -> None:
    """A package that cannot be imported has no functions to compare."""


def functions_of(packages: Iterable[str]) -> list[FunctionType]:
    """Every live function that was defined in one of the packages, in a stable order."""
    wanted = set(packages)
    found = [
        thing
        for thing in gc.get_objects()
        if type(thing) is FunctionType
        and str(thing.__globals__.get("__name__")).partition(".")[0] in wanted
    ]
    return sorted(found, key=lambda f: (f.__code__.co_filename, f.__code__.co_firstlineno))


def codes_in(co: CodeType) -> Iterator[CodeType]:
    """A code object and those inside it."""
    yield co
    for const in co.co_consts:
        if isinstance(const, CodeType):
            yield from codes_in(const)


def by_dis(function: FunctionType) -> Counter[Use]:
    """Globals that are read, told instruction by instruction."""
    return Counter(
        (co.co_qualname, co.co_firstlineno, instruction.offset, instruction.argval)
        for co in codes_in(function.__code__)
        for instruction in dis.get_instructions(co)
        if instruction.opname in READING
        and instruction.argval != "__conditional_annotations__"  # the compiler's own
    )


def by_coscope(found: Dependencies) -> Counter[Use]:
    """The same from the rows."""
    return Counter(
        (row.code.qualname, row.code.firstlineno, offset, row.root)
        for row in found.reads
        if row.kind in GLOBAL_KINDS
        for offset in row.offsets
    )


class File:
    """What `symtable` and `ast` say of a source file."""

    def __init__(self, path: str) -> None:
        text = Path(path).read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tree = ast.parse(text)
            table = symtable.symtable(text.decode("utf-8"), path, "exec")
        self.tables = {
            (table.get_name(), table.get_lineno()): table
            for table in _tables(table)
            if table.get_type() == "function"
        }
        self.nodes: dict[tuple[str, int], Any] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                self.nodes[node.name, first] = node

    def globals_of(self, function: FunctionType) -> set[str] | None:
        """Globals that the function and the scopes in it refer to; None if it is not found."""
        co = function.__code__
        node = self.nodes.get((co.co_name, co.co_firstlineno))
        table = node and self.tables.get((co.co_name, node.lineno))
        if not table:
            return None
        return {
            symbol.get_name()
            for each in _tables(table)
            for symbol in each.get_symbols()
            if symbol.is_referenced() and _is_global(symbol)
        }

    def dead(self, function: FunctionType) -> set[str]:
        """Names in code that is never reached, which the compiler leaves out too."""
        co = function.__code__
        return dead_names(self.nodes[co.co_name, co.co_firstlineno])

    def unevaluated(self, function: FunctionType) -> set[str]:
        """Names in annotations inside the function, which the compiler leaves out."""
        co = function.__code__
        node = self.nodes[co.co_name, co.co_firstlineno]
        later = any(
            isinstance(each, ast.ImportFrom)
            and each.module == "__future__"
            and any(alias.name == "annotations" for alias in each.names)
            for each in self.tree.body
        )
        found: set[str] = set()
        for inner in ast.walk(node):
            notes = [getattr(inner, "annotation", None)]
            if isinstance(inner, ast.arg) and not later:
                notes = []
            if later and isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                notes.append(inner.returns)
            for note in filter(None, notes):
                found.update(each.id for each in ast.walk(note) if isinstance(each, ast.Name))
        return found


def _is_global(symbol: symtable.Symbol) -> bool:
    # symtable takes a function named "top" for a module, and so its locals for globals.
    own = symbol.is_parameter() or symbol.is_assigned() or symbol.is_imported()
    return symbol.is_global() and (symbol.is_declared_global() or not own)


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


@cache
def file_of(path: str) -> File | None:
    try:
        return File(path)
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None


def compare(functions: Iterable[FunctionType]) -> dict[str, Any]:
    """Compare, and count what was found."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for function in functions:
        counts["functions"] += 1
        found = depends(function)
        own, peer = by_coscope(found), by_dis(function)
        counts["reads of globals"] += sum(peer.values())
        if own != peer:
            counts["different from dis"] += 1
            wrong.append(f"dis: {function.__module__}.{function.__qualname__}: {own - peer}")
        _against_symtable(function, {name for *_, name in own}, counts, wrong)
    return {**counts, "wrong": wrong[:20]}


def _against_symtable(
    function: FunctionType, own: set[str], counts: Counter[str], wrong: list[str]
) -> None:
    file = file_of(function.__code__.co_filename)
    names = None if file is None else file.globals_of(function)
    if file is None or names is None:
        counts["without a scope in symtable"] += 1
        return
    counts["compared with symtable"] += 1
    missing = names - own - {"__debug__"}
    if not missing:
        return
    annotations = missing & file.unevaluated(function)
    unreachable = (missing - annotations) & file.dead(function)
    counts["explained: annotations that are not evaluated"] += len(annotations)
    counts["explained: in code that is never reached"] += len(unreachable)
    unexplained = missing - annotations - unreachable
    if unexplained:
        counts["unexplained"] += len(unexplained)
        wrong.append(f"symtable: {function.__module__}.{function.__qualname__}: {unexplained}")


def main(packages: list[str]) -> dict[str, Any]:
    """Load the packages and compare all of their functions."""
    for package in packages:
        load(package)
    return compare(functions_of(packages))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(sys.argv[1:])))
