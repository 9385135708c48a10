"""Through nested code and helpers: every code object that a target reaches, and what it uses."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import FunctionType

from coscope.facts.dependencies.following import (
    held_by,
    held_by_wrapper,
    is_of_a_library,
    leads_on,
    package_of,
)
from coscope.facts.dependencies.rows import Dependency, Held, Reached
from coscope.facts.names.accesses import CELL, GLOBAL, Accesses, accesses_of
from coscope.facts.names.scopes import Scope, scope_of, static_scope
from coscope.model import Code
from coscope.opcodes import table
from coscope.readers.attributes import MISSING, is_a
from coscope.readers.from_function import from_code_object

MOST_CODES = 20_000  # code objects that a transitive report looks into

Path = tuple[str, ...]

_SUPER = ("read", GLOBAL, "super")  # to 3.11 super() finds the cell of __class__ by itself


@dataclass(frozen=True, slots=True)
class Start:
    """A function to look into."""

    path: Path  # its own name last
    function: FunctionType | None
    code: Code
    scope: Scope


def live_start(function: FunctionType, path: Path, code: Code | None = None) -> Start:
    """Start at a live function; `code` is its code, if that was taken before."""
    taken = from_code_object(function.__code__) if code is None else code
    return Start(path, function, taken, scope_of(function))


def static_start(code: Code, path: Path) -> Start:
    """Start at code that has no live object."""
    return Start(path, None, code, static_scope(code))


@dataclass(slots=True)
class Reach:
    """What was found on the way."""

    codes: list[Reached] = field(default_factory=list)
    accesses: list[Accesses] = field(default_factory=list)  # of each code object
    rows: list[Dependency] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    complete: bool = True  # False if the limit on code objects stopped the search
    libraries: dict[str, None] = field(default_factory=dict)  # top packages left out


def reach(
    starts: list[Start], *, transitive: bool, libraries: bool = False, held: Iterable[Held] = ()
) -> Reach:
    """Look into functions, into the code nested in them, and with `transitive` into helpers.

    Breadth first, so that each function is reached by the shortest path.

    Raises:
        CodeError: A code object is not an instruction sequence of its version.
    """
    held = list(held)
    found = Reach(held=list(held))
    walk = _Walk(found, transitive, libraries, starts)
    for start in starts:
        walk.look_into(start)
    for each in held:
        walk.follow(each.object, (*each.path, each.name))
    while walk.waiting:
        if len(found.codes) >= MOST_CODES:
            found.complete = False
            break
        walk.look_into(walk.waiting.popleft())
    return found


class _Walk:
    """The search under way. What it has seen is kept alive, so that an id stays true."""

    def __init__(
        self, found: Reach, transitive: bool, libraries: bool, starts: list[Start]
    ) -> None:
        self.found = found
        self.transitive = transitive
        self.libraries = libraries
        self.waiting: deque[Start] = deque()
        self.seen: dict[int, object] = {}
        self.packages: set[str] = set()
        for start in starts:
            if start.function is not None:
                self.seen[id(start.function)] = start.function
                self.packages.add(package_of(start.function))

    def look_into(self, start: Start) -> None:
        """A function, its nested code, and what it holds."""
        pending = [(start.code, start.path, start.scope)]
        while pending:
            code, path, scope = pending.pop()
            self._note(code, path, scope)
            inside = scope.inside(code)
            nested = [const for const in code.consts if isinstance(const, Code)]
            pending.extend((each, (*path, each.name), inside) for each in reversed(nested))
        if start.function is not None:
            for name, thing in held_by(start.function):
                self.found.held.append(Held(name, start.path, thing))
                self.follow(thing, (*start.path, name))

    def _note(self, code: Code, path: Path, scope: Scope) -> None:
        uses = accesses_of(code)
        self.found.accesses.append(uses)
        self.found.codes.append(
            Reached(path, code.qualname, code.kind, code.filename, code.firstlineno, code)
        )
        for row in rows_of(code, path, scope, uses):
            self.found.rows.append(row)
            if row.access in ("read", "import") and _is_used(row):
                self.follow(row.object, (*path, row.resolved or row.name))

    def follow(self, thing: object, path: Path) -> None:
        """Look into the functions behind an object, later."""
        if not self.transitive:
            return
        pending = [(thing, path)]
        while pending:
            thing, path = pending.pop()
            if not leads_on(thing) or id(thing) in self.seen:
                continue
            self.seen[id(thing)] = thing
            if type(thing) is FunctionType:
                if self._may_enter(thing):
                    self.waiting.append(live_start(thing, path))
                else:
                    held = list(held_by_wrapper(thing))
                    pending.extend((part, (*path, name)) for name, part in reversed(held))
                continue
            pending.extend((part, (*path, name)) for name, part in reversed(list(held_by(thing))))

    def _may_enter(self, function: FunctionType) -> bool:
        package = package_of(function)
        if self.libraries or package in self.packages or not is_of_a_library(function):
            return True
        self.found.libraries[package] = None
        return False


def _is_used(row: Dependency) -> bool:
    """True if the row's object itself is used: of an instance, perhaps an attribute only."""
    if row.object is MISSING:
        return False
    return row.access == "import" or row.resolved == row.name or is_a(row.object, type)


# From 3.14 on: which annotations of a module or class body were reached.
_CONDITIONAL = "__conditional_annotations__"


def rows_of(code: Code, path: Path, scope: Scope, uses: Accesses) -> Iterator[Dependency]:
    """The dependencies of one code object on what is outside of the target."""
    made = {*table(code.version).contract, _CONDITIONAL}  # what the compiler makes for itself alone
    yield from _of_variables(code, path, scope, uses, made)
    yield from _of_imports(code, path, scope, uses)
    yield from _of_free_variables(code, path, scope, uses, made)


def _of_variables(
    code: Code, path: Path, scope: Scope, uses: Accesses, made: set[str]
) -> Iterator[Dependency]:
    for (verb, space, name), offsets in uses.variables.items():
        if name in made:
            continue
        found = scope.find(code, verb, space, name)
        if found is not None:
            yield Dependency(
                name=name,
                access=verb,
                kind=found.kind,
                path=path,
                offsets=tuple(offsets),
                resolved=found.resolved,
                empty=found.empty,
                code=code,
                object=found.object,
            )


def _of_imports(code: Code, path: Path, scope: Scope, uses: Accesses) -> Iterator[Dependency]:
    for name, offsets in uses.imports.items():
        found = scope.imported(name)
        resolved = name if found.object is not MISSING else None
        kind = "lazy import" if name in uses.lazy else "import"
        yield Dependency(
            name=name,
            access="import",
            kind=kind,
            path=path,
            offsets=tuple(offsets),
            resolved=resolved,
            empty=False,
            code=code,
            object=found.object,
        )


def _of_free_variables(
    code: Code, path: Path, scope: Scope, uses: Accesses, made: set[str]
) -> Iterator[Dependency]:
    """Free variables that the code passes on to nested code and does not use itself."""
    used = {name.partition(".")[0] for _, space, name in uses.variables if space == CELL}
    for name in code.freevars:
        if name not in used and name not in made:
            found = scope.find(code, "read", CELL, name)
            if found is not None:
                offsets = uses.variables.get(_SUPER, []) if name == "__class__" else []
                yield Dependency(
                    name=name,
                    access="read" if offsets else "pass through",
                    kind="cell",
                    path=path,
                    offsets=tuple(offsets),
                    resolved=found.resolved,
                    empty=found.empty,
                    code=code,
                    object=found.object,
                )
