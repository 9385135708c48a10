"""Where the names of a code object are looked up, and what they are bound to there."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, CellType, FunctionType, ModuleType
from typing import Any, NamedTuple

from coscope.facts.names.accesses import CELL, NAME
from coscope.model import Code
from coscope.readers.attributes import MISSING, class_attribute, is_a, member
from coscope.readers.recent_types import settled

_DISPLAY_HOOK = "_"  # bound in builtins by an interactive prompt, and no builtin

EMPTY: object = object()  # what an empty cell holds


class Found(NamedTuple):
    """Where a lookup ends."""

    kind: str  # one of dependency.KINDS
    object: Any = MISSING
    resolved: str | None = None  # the part of the dotted path that the object belongs to
    empty: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The namespaces around a code object.

    A free variable that is not in `cells` belongs to code inside of the target.
    """

    globals: dict[str, object] | None  # None: static
    builtins: dict[str, object] | None  # None: not to be known, see `builtins_of`
    cells: Mapping[str, object]  # free variable from outside -> its contents, EMPTY or MISSING

    def inside(self, code: Code) -> Scope:
        """The scope of code nested in `code`, whose scope this is."""
        hidden = [name for name in code.cellvars if name in self.cells]
        if not hidden:
            return self
        cells = {name: held for name, held in self.cells.items() if name not in hidden}
        return Scope(self.globals, self.builtins, cells)

    def _in_cell(self, name: str) -> Found:
        held = self.cells[name]
        return Found("cell", MISSING if held is EMPTY else held, name, held is EMPTY)

    def _in_globals(self, verb: str, name: str) -> Found:
        """A global name; writing and deleting one never reaches the builtins."""
        kind, held = self._global(name)
        if verb != "read" and kind == "builtin":
            kind, held = "unbound" if self.globals is not None else "global", MISSING
        return Found("global" if verb == "write" else kind, held, name)

    def find(self, code: Code, verb: str, space: str, path: str) -> Found | None:
        """Look a dotted path up; None if it begins in the target's own namespaces."""
        root, _, rest = path.partition(".")
        if space == CELL:
            if root not in self.cells:
                return None
            found = self._in_cell(root)
        elif space == NAME and code.name != "<module>":
            if verb != "read":
                return None  # a class body's own namespace
            found = Found("class-local-or-global", self._global(root)[1], root)
        else:
            found = self._in_globals(verb, root)
        if found.object is MISSING:
            return found._replace(resolved=None)
        return walk(found, rest.split(".")) if rest else found

    def _global(self, name: str) -> tuple[str, object]:
        """Kind and object of a global lookup."""
        builtin = self.builtins
        if self.globals is None:
            known = builtin is not None and name in builtin and name != _DISPLAY_HOOK
            return ("builtin" if known else "global"), MISSING
        held = dict.get(self.globals, name, MISSING)
        if held is not MISSING:
            return "global", settled(held)
        if builtin is None:
            return "builtin", MISSING
        held = dict.get(builtin, name, MISSING)
        return ("unbound", MISSING) if held is MISSING else ("builtin", held)

    def imported(self, name: str) -> Found:
        """What an import names, if it is loaded already; nothing is imported to see."""
        if self.globals is None:
            return Found("import")
        full = _absolute(name, self.globals)
        if full is None:
            return Found("import")
        parts = full.removesuffix(".*").split(".")
        for count in range(len(parts), 0, -1):
            module = dict.get(sys.modules, ".".join(parts[:count]), MISSING)
            if module is not MISSING and module is not None:
                start = Found("import", module, ".".join(parts[:count]))
                found = walk(start, parts[count:]) if parts[count:] else start
                return found if found.resolved == ".".join(parts) else Found("import")
        return Found("import")


def scope_of(function: FunctionType) -> Scope:
    """The namespaces of a live function, as they are now."""
    return Scope(
        function.__globals__,
        builtins_of(function),
        dict(zip(function.__code__.co_freevars, contents_of(function), strict=False)),
    )


def static_scope(code: Code) -> Scope:
    """The namespaces of code that does not run: builtins by name alone."""
    return Scope(None, vars(builtins), dict.fromkeys(code.freevars, MISSING))


def builtins_of(function: FunctionType) -> dict[str, object] | None:
    """The builtins that the function was made with; None if code of theirs looks names up."""
    if type(function.__globals__) is not dict:
        return None  # the methods of a subclass answer before the builtins are asked
    live: Any = function  # mypy's stubs do not always know of __builtins__
    held = live.__builtins__
    return held if type(held) is dict else None


def contents_of(function: FunctionType) -> list[object]:
    """What the cells of the closure hold; EMPTY for an empty one."""
    return [_contents(cell) for cell in function.__closure__ or ()]


def _contents(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # CPython's way to say that the cell is empty
        return EMPTY


def walk(found: Found, names: Iterable[str]) -> Found:
    """Follow attributes as far as modules and the plain attributes of classes go."""
    held, resolved = found.object, found.resolved or ""
    for name in names:
        value = static_attribute(held, name)
        if value is MISSING:
            break
        held, resolved = value, f"{resolved}.{name}"
    return Found(found.kind, held, resolved, found.empty)


def static_attribute(thing: Any, name: str) -> Any:
    """What a module or class holds under a name, if no descriptor is in between; else MISSING."""
    if is_a(thing, ModuleType):
        return dict.get(member(ModuleType, "__dict__", thing), name, MISSING)
    if not is_a(thing, type):
        return MISSING
    above = class_attribute(type(thing), name)
    if above is not MISSING and class_attribute(type(above), "__set__") is not MISSING:
        return MISSING  # a data descriptor of the metaclass comes first
    value = class_attribute(thing, name)
    if type(value) is staticmethod:
        return member(staticmethod, "__func__", value)
    if type(value) is FunctionType or type(value) is BuiltinFunctionType or is_a(value, type):
        return value
    return value if class_attribute(type(value), "__get__") is MISSING else MISSING


def _absolute(name: str, namespace: dict[str, object]) -> str | None:
    """An import's name without leading dots; None if the package is not known."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    package = dict.get(namespace, "__package__")
    if type(package) is not str:
        package = dict.get(namespace, "__name__")
        if type(package) is not str:
            return None
        if not dict.__contains__(namespace, "__path__"):
            package = package.rpartition(".")[0]
    base = package.split(".")
    if level > len(base) or not base[0]:
        return None
    return ".".join([*base[: len(base) - level + 1], *filter(None, [name[level:]])])
