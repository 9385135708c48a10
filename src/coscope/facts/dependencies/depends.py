"""What a function depends on: names, objects, helpers, and the path to each of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from coscope.facts.dependencies.dynamic import dynamic_uses
from coscope.facts.dependencies.following import functions_in, held_by, leads_on
from coscope.facts.dependencies.global_names import global_names, names_now
from coscope.facts.dependencies.reach import Reach, Start, live_start, reach, static_start
from coscope.facts.dependencies.rows import (
    Attribute,
    Dependency,
    Dynamic,
    Embedded,
    Failure,
    Held,
    Reached,
)
from coscope.facts.dependencies.unassigned import failures
from coscope.facts.names.accesses import constants_in
from coscope.facts.names.scopes import Scope, contents_of
from coscope.model import Function
from coscope.readers import locate
from coscope.readers.attributes import MISSING, is_a, namespace_of
from coscope.readers.from_function import from_code_object
from coscope.readers.values import exact_text, name_of_class, type_name_of
from coscope.result import Result

_LONGEST_CHAIN = 100  # wrappers round a target

# What a wrapper calls the function that `coscope.read` goes on to.
_STEPS = ("__func__", "partial.func", "__wrapped__", "func", "fget", "__call__")
_EVERY_FUNCTION = ("every function of the class",)


class _Taken(NamedTuple):
    """A live function as it was found: what its rows will be made from."""

    function: FunctionType
    code: CodeType
    globals: dict[str, object]
    builtins: dict[str, object] | None  # None: not to be known
    contents: list[object]  # of the cells


class _Known(NamedTuple):
    """Everything that was found."""

    qualname: str
    module: str | None
    live: bool
    via: tuple[str, ...]
    warnings: tuple[str, ...]
    taken: tuple[_Taken, ...]  # of a live target
    reach: Reach


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dependencies(Result):
    """What `depends` found. What the names are bound to is read when it is called.

    The rows are made when they are first asked for. Attributes behind a name, as in
    `np.linalg.norm`, are looked up then.
    """

    transitive: bool
    _state: list[_Taken | _Known]  # one: _Taken until the rows are asked for

    @property
    def qualname(self) -> str:
        """Of the target."""
        return self._known.qualname

    @property
    def module(self) -> str | None:
        """Module of the target's function."""
        return self._known.module

    @property
    def live(self) -> bool:
        """False for a file: then names are known, but no objects."""
        return self._known.live

    @property
    def via(self) -> tuple[str, ...]:
        """Steps from the target to its function, as in `Function`."""
        return self._known.via

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader warned of."""
        return self._known.warnings

    @property
    def bound(self) -> dict[str, object]:
        """Globals and builtins that the target and its nested code name -> the objects.

        What `inspect.getclosurevars` calls globals and builtins, but no attributes.
        """
        state = self._state[0]
        bound: dict[str, object] = {}
        for each in (state,) if isinstance(state, _Taken) else state.taken:
            for name in global_names(each.code):
                if name in each.globals:
                    bound[name] = each.globals[name]
                elif each.builtins is not None and name in each.builtins:
                    bound[name] = each.builtins[name]
        return bound

    @property
    def items(self) -> tuple[Dependency, ...]:
        """Every dependency on a name, in the order of the code objects and of their code."""
        return tuple(self._found.rows)

    @property
    def reads(self) -> tuple[Dependency, ...]:
        """Names that are read."""
        return self._by("read")

    @property
    def writes(self) -> tuple[Dependency, ...]:
        """Names outside of the target that it assigns."""
        return self._by("write")

    @property
    def deletes(self) -> tuple[Dependency, ...]:
        """Names outside of the target that it deletes."""
        return self._by("delete")

    @property
    def imports(self) -> tuple[Dependency, ...]:
        """What is imported: "json", "os.path.join" (from os.path), "..pkg", "math.*"."""
        return self._by("import")

    @property
    def passed(self) -> tuple[Dependency, ...]:
        """Cells that code only passes on to code nested in it."""
        return self._by("pass through")

    @property
    def held(self) -> tuple[Held, ...]:
        """Defaults, wrapped functions, arguments of a partial, `__self__`."""
        return tuple(self._found.held)

    @property
    def reached(self) -> tuple[Reached, ...]:
        """The code objects that were looked into, the target's first."""
        return tuple(self._found.codes)

    @property
    def libraries(self) -> tuple[str, ...]:
        """Top packages whose functions were not entered."""
        return tuple(self._found.libraries)

    @property
    def complete(self) -> bool:
        """False if the search stopped at its limit (`reach.MOST_CODES` code objects)."""
        return self._found.complete

    @property
    def constants(self) -> tuple[Embedded, ...]:
        """Constants that the code loads; nested code and docstrings do not count."""
        return tuple(
            Embedded(constant, reached.path, offsets)
            for reached in self._found.codes
            for constant, offsets in constants_in(reached.code)
        )

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """Attribute names, but for those of dotted paths."""
        found = self._found
        return tuple(
            Attribute(
                name,
                tuple(dict.fromkeys(verb for verb, _ in uses)),
                reached.path,
                tuple(offset for _, offset in uses),
            )
            for reached, accesses in zip(found.codes, found.accesses, strict=True)
            for name, uses in accesses.attributes.items()
        )

    @property
    def dynamic(self) -> tuple[Dynamic, ...]:
        """Uses of eval, exec, globals, getattr with a computed name, and their like."""
        return tuple(dynamic_uses(self._found.rows))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Uses of names that raise NameError or UnboundLocalError if they are reached."""
        found = self._found
        return tuple(failures(found.codes, found.accesses, found.rows))

    def __repr__(self) -> str:
        state = self._state[0]
        name = state.function.__qualname__ if isinstance(state, _Taken) else state.qualname
        return f"<Dependencies of {exact_text(name)}{', helpers included' * self.transitive}>"

    @property
    def _known(self) -> _Known:
        state = self._state[0]
        if isinstance(state, _Taken):
            state = self._state[0] = _known_of(state, False, False)
        return state

    @property
    def _found(self) -> Reach:
        return self._known.reach

    def _by(self, access: str) -> tuple[Dependency, ...]:
        return tuple(row for row in self._found.rows if row.access == access)


def depends(
    target: Any,
    *,
    transitive: bool = False,
    libraries: bool = False,
    python: str | None = None,
    unwrap: bool = False,
    code_version: str | None = None,
) -> Dependencies:
    """Report what a function depends on, without running any of it.

    Args:
        target: Whatever `coscope.read` takes, or what it gave. Of a class, its Python functions.
        transitive: Look into helpers too: functions and classes that are reached through
            globals, cells, attributes of modules, imports that are loaded, defaults, partials,
            bound methods and `__wrapped__`. Nested code is always looked into.
        libraries: Enter the functions of the standard library and of installed packages too;
            without it only those of the target's own top package are entered there.
        python: Compile a source file by another interpreter, see `coscope.read`.
        unwrap: Follow `__wrapped__` of decorated functions to the target.
        code_version: The file is a code object without a header, of this CPython: "3.12".

    Raises:
        TargetError, SourceError, InterpreterError, PycError: See `coscope.read`.
        CodeError: A code object is not an instruction sequence of its version.

    >>> found = depends(lambda path: print(path.shape, LIMIT))
    >>> [(row.name, row.kind) for row in found.reads]
    [('print', 'builtin'), ('LIMIT', 'unbound')]
    """
    if _is_plain(target) and python is None and not unwrap:
        return _of_plain(target, transitive, libraries)
    meant = locate(target, python=python, unwrap=unwrap, code_version=code_version)
    if is_a(target, Function) or not meant.live or unwrap:
        return _of_read(meant.function, transitive, libraries)
    if meant.cls is not None:
        return _of_class(meant.cls, transitive, libraries)
    if _is_plain(meant.thing):
        return _of_plain(meant.thing, transitive, libraries)  # type: ignore[arg-type]
    return _of_read(meant.function, transitive, libraries, held_by_target(meant.thing))


def _is_plain(thing: object) -> bool:
    """True for a function, except those of functools that wrap a user's."""
    return type(thing) is FunctionType and thing.__globals__ is not vars(functools)


def _of_plain(function: FunctionType, transitive: bool, libraries: bool) -> Dependencies:
    taken = _taken(function)
    if transitive:
        return Dependencies(True, [_known_of(taken, True, libraries)])
    return Dependencies(False, [taken])


def _taken(function: FunctionType) -> _Taken:
    """The objects as they are now."""
    co = function.__code__
    space, builtin = names_now(function, co)
    contents = contents_of(function) if function.__closure__ else []
    return _Taken(function, co, space, builtin, contents)


def _known_of(taken: _Taken, transitive: bool, libraries: bool) -> _Known:
    """Everything of a live function, from what was taken."""
    function, co, space, builtin, contents = taken
    code = from_code_object(co)
    scope = Scope(space, builtin, dict(zip(code.freevars, contents, strict=False)))
    qualname = exact_text(function.__qualname__)
    module: object = function.__module__
    start = Start((last_name(qualname),), function, code, scope)
    found = reach([start], transitive=transitive, libraries=libraries)
    module = module if type(module) is str else None
    return _Known(
        qualname=qualname,
        module=module,
        live=True,
        via=(),
        warnings=(),
        taken=(taken,),
        reach=found,
    )


def last_name(qualname: str) -> str:
    """The part of a qualified name behind the last function around.

    >>> last_name("outer.<locals>.K.total")
    'K.total'
    """
    return exact_text(qualname).rpartition("<locals>.")[2]


def _of_read(
    function: Function, transitive: bool, libraries: bool, held: Iterable[Held] = ()
) -> Dependencies:
    """Of what a reader gave."""
    path = (last_name(function.qualname),)
    live = function.object
    if type(live) is FunctionType:
        start = live_start(live, path, function.code)
    else:
        start = static_start(function.code, path)
    known = _Known(
        qualname=function.qualname,
        module=function.module,
        live=function.live,
        via=function.via,
        warnings=function.warnings,
        taken=_taken_at([start]),
        reach=reach([start], transitive=transitive, libraries=libraries, held=held),
    )
    return Dependencies(transitive, [known])


def _of_class(cls: type, transitive: bool, libraries: bool) -> Dependencies:
    """Of every Python function that a class defines itself; nothing, if it defines none."""
    name = name_of_class(cls).rpartition(".")[2]
    starts = [live_start(function, (name, *steps)) for steps, function in functions_in(cls)]
    module = namespace_of(cls).get("__module__")
    known = _Known(
        qualname=name,
        module=module if type(module) is str else None,
        live=True,
        via=_EVERY_FUNCTION,
        warnings=(),
        taken=_taken_at(starts),
        reach=reach(starts, transitive=transitive, libraries=libraries),
    )
    return Dependencies(transitive, [known])


def _taken_at(starts: Iterable[Start]) -> tuple[_Taken, ...]:
    return tuple(_taken(start.function) for start in starts if start.function is not None)


def held_by_target(target: object) -> Iterator[Held]:
    """What the steps from a target to its function hold: arguments of a partial, `__self__`."""
    for _ in range(_LONGEST_CHAIN):
        if type(target) is FunctionType or not leads_on(target):
            return
        function = MISSING
        path = (type_name_of(target).rpartition(".")[2],)
        for name, part in held_by(target):
            if name in _STEPS and function is MISSING:
                function = part
            else:
                yield Held(name, path, part)
        target = function
