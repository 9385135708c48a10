"""Builtins that make names out of data: where code uses them, no reading of it is complete."""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Iterator
from functools import cache

from coscope.errors import CodeError
from coscope.facts.dependencies.rows import Dependency, Dynamic, lines_at
from coscope.flow import build
from coscope.flow.domains.origin import Origins, takers
from coscope.flow.effects import Effect
from coscope.model import Code
from coscope.opcodes import table
from coscope.readers.attributes import MISSING

ALWAYS = ("eval", "exec", "compile", "globals", "locals", "vars", "__import__")
BY_NAME = ("getattr", "setattr", "delattr", "hasattr")  # only with a name that is computed
_IMPORT_MODULE = "importlib.import_module"


@cache
def _functions() -> tuple[tuple[object, str], ...]:
    found = [(getattr(builtins, name), name) for name in (*ALWAYS, *BY_NAME)]
    return (*found, (importlib.import_module, _IMPORT_MODULE))


def dynamic_uses(rows: list[Dependency]) -> Iterator[Dynamic]:
    """The dynamic functions among the dependencies.

    A live name counts by the object that it is bound to, whatever its name; a static one by its
    name. Of `getattr` and its like only calls count whose name is not a literal string.
    """
    for row in rows:
        if row.access not in ("read", "import"):
            continue
        function = _function(row)
        if function is None:
            continue
        offsets, note = row.offsets, _NOTES.get(function, "runs or makes names out of data")
        if function in BY_NAME and row.access == "read":
            offsets = tuple(_with_computed_name(row.code, row.offsets))
            note = "the attribute's name is computed"
        if offsets:
            lines = lines_at(row.code, offsets)
            yield Dynamic(row.name, function, row.path, offsets, lines, note)


_NOTES = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "compile": "makes code of text",
    "globals": "gives every global by name",
    "locals": "gives every local by name",
    "vars": "gives a namespace by name",
    "__import__": "imports by a name that may be computed",
    _IMPORT_MODULE: "imports by a name that may be computed",
}


def _function(row: Dependency) -> str | None:
    """Which of the dynamic functions a row is, if it is one."""
    if row.object is not MISSING:
        if row.resolved != row.name:
            return None
        return next((name for held, name in _functions() if held is row.object), None)
    if row.kind in ("builtin", "class-local-or-global") and row.name in (*ALWAYS, *BY_NAME):
        return row.name
    return _IMPORT_MODULE if row.name == _IMPORT_MODULE else None


def _with_computed_name(code: Code, offsets: tuple[int, ...]) -> Iterator[int]:
    """Those of the reads that are not called at once with a literal string as second argument."""
    columns = code.instructions
    try:
        taken = takers(build(code)).values()
    except CodeError:
        yield from offsets
        return
    for offset in offsets:
        index = columns.at(offset).index
        takes = [(effect, given) for effect, given in taken if any(index in one for one in given)]
        if not takes or not all(_names(code, index, effect, given) for effect, given in takes):
            yield offset


def _names(code: Code, index: int, effect: Effect, origins: tuple[Origins, ...]) -> bool:
    """True for a call of what `index` loaded, and of nothing else, with a literal name."""
    given = effect.operand(origins, "args")
    if len(given) < 2 or any(index in one and len(one) > 1 for one in origins):
        return False
    return not any(index in one for one in given) and all(_is_text(code, at) for at in given[1])


def _is_text(code: Code, index: int) -> bool:
    """True if the instruction loads a literal string."""
    if index < 0:
        return False
    columns = code.instructions
    row = table(code.version).by_code[columns.opcodes[index]]
    return row is not None and row.operand == "const" and type(columns.argval(index)) is str
