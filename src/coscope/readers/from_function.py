"""Live code objects and functions of this interpreter -> `Code` and `Function`.

Nothing here runs a user's code: no `__repr__`, `__eq__`, `__hash__`, property or `__getattr__`.
Attributes are read from exact built-in types only, and each of them once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from coscope.errors import CodeError
from coscope.model import (
    FAST_CELL,
    FAST_FREE,
    FAST_HIDDEN,
    FAST_LOCAL,
    Cell,
    Code,
    Constant,
    Flags,
    FrozenSet,
    Function,
    Opaque,
    Slice,
    Source,
    Value,
)
from coscope.readers.comparing import verdict_on
from coscope.readers.live_code import code_bytes
from coscope.readers.sources import annotations_in, is_entered, source_of
from coscope.readers.values import exact_text, name_of_class, type_name_of, value_of

_LEVELS = {"alpha": "a", "beta": "b", "candidate": "rc", "final": ""}


def _host_release() -> str:
    major, minor, micro, level, serial = sys.version_info
    suffix = f"{_LEVELS[level]}{serial}" if level != "final" else ""
    return f"{major}.{minor}.{micro}{suffix}"


HOST_VERSION = "{}.{}".format(*sys.version_info[:2])  # names the opcode table of this interpreter
HOST_RELEASE = _host_release()  # "3.13.0", "3.15.0rc1"

# Behaviours of the host that the code objects and functions of other versions do not share.
_MARKS_ARGUMENTS = sys.version_info >= (3, 14)  # localspluskinds distinguish parameters from locals
_LAZY_ANNOTATIONS = sys.version_info >= (3, 14)  # reading __annotations__ would run code

_OPTIMIZED = 0x1
# Optimisation levels, the one of this process first.
LEVELS_TRIED = tuple(sorted((0, 1, 2), key=lambda level: level != sys.flags.optimize))
_ARG_POSITIONAL, _ARG_KEYWORD, _ARG_VARIADIC = 0x02, 0x04, 0x08  # pycore_code.h, 3.14

# By identity: to hash or compare a type may run the code of its metaclass.
_ATOMS = frozenset(map(id, (type(None), bool, int, float, complex, str, bytes, type(...))))


def from_code_object(co: CodeType, done: dict[int, object] | None = None) -> Code:
    """Take a snapshot of a live code object and of every one nested in it.

    Constants of types that no compiler emits become `Opaque`. An object that is held in several
    places is converted once.

    Args:
        co: The code object.
        done: What was converted before, by the `id()` of what it is a copy of; what is converted
            now is added. The caller keeps those objects alive.

    Raises:
        CodeError: Code objects or tuples contain themselves.
    """
    done = {} if done is None else done
    opened: set[int] = set()  # the path from the root to the constant at hand
    pending: list[object] = [co]
    while pending:
        constant = pending[-1]
        if id(constant) in done:
            pending.pop()
            continue
        missing: list[object] = []
        inner: list[object] = []
        for part in _parts_of(constant):
            if id(type(part)) in _ATOMS:
                inner.append(part)
            elif id(part) in done:
                inner.append(done[id(part)])
            elif type(part) is tuple and _ATOMS.issuperset(map(id, map(type, part))):
                inner.append(part)  # its own copy: most tuples are of this sort
            else:
                missing.append(part)
        if missing:
            opened.add(id(constant))
            if any(id(part) in opened for part in missing):
                raise CodeError("a constant contains itself", code=exact_text(co.co_qualname))
            pending.extend(missing)
            continue
        pending.pop()
        opened.discard(id(constant))
        done[id(constant)] = _converted(constant, tuple(inner))
    code = done[id(co)]
    assert isinstance(code, Code)
    return code


def _parts_of(constant: Any) -> tuple[Any, ...]:
    """The constants inside a constant that may hold some."""
    kind = type(constant)
    if kind is CodeType:
        return exact_tuple(constant.co_consts)
    if kind is tuple:
        return constant  # type: ignore[no-any-return]
    if kind is frozenset:
        return tuple(constant)
    if kind is slice:
        return (constant.start, constant.stop, constant.step)
    return ()


def _converted(constant: Any, parts: tuple[Constant, ...]) -> Constant:
    """The model's form of one constant, whose parts are converted already."""
    kind = type(constant)
    if constant is StopIteration:
        return constant
    if kind is CodeType:
        return _code(constant, parts)
    if kind is tuple:
        return parts
    if kind is frozenset:
        return FrozenSet(parts)
    if kind is slice:
        return Slice(*parts)
    return Opaque(type_name_of(constant), id(constant))


def _code(co: CodeType, consts: tuple[Constant, ...]) -> Code:
    names, kinds = _fast_locals(co)
    return Code(
        version=HOST_VERSION,
        name=exact_text(co.co_name),
        qualname=exact_text(co.co_qualname),
        filename=exact_text(co.co_filename),
        firstlineno=co.co_firstlineno,
        argcount=co.co_argcount,
        posonlyargcount=co.co_posonlyargcount,
        kwonlyargcount=co.co_kwonlyargcount,
        nlocals=co.co_nlocals,
        stacksize=co.co_stacksize,
        flags=Flags(co.co_flags),
        code=code_bytes(co, HOST_VERSION),
        consts=consts,
        names=exact_tuple(co.co_names),
        varnames=co.co_varnames,
        cellvars=co.co_cellvars,
        freevars=co.co_freevars,
        linetable=co.co_linetable[:],
        exceptiontable=co.co_exceptiontable[:],
        localsplusnames=names,
        localspluskinds=kinds,
        release=HOST_RELEASE,
    )


def _fast_locals(co: CodeType) -> tuple[tuple[str, ...], bytes]:
    """Names and kinds of the unified fast locals.

    Python code sees the names of the slots but not their kinds. The kinds follow from the order
    that the compiler keeps: locals, then cells that are not locals, then free variables.

    Source:
        CPython 3.13.0, Python/assemble.c, compute_localsplus_info; hidden locals are the fast
        locals of code without CO_OPTIMIZED, Python/compile.c, push_inlined_comprehension_state.
    """
    cells, free = co.co_cellvars, co.co_freevars
    names = co.co_varnames
    if cells or free:
        names = tuple(_slot_names(co))
    local = FAST_LOCAL if co.co_flags & _OPTIMIZED else FAST_LOCAL | FAST_HIDDEN
    kinds = [local] * co.co_nlocals
    pure = len(names) - co.co_nlocals - len(free)  # cells that are no locals
    captured = iter(cells[: len(cells) - pure])
    wanted = next(captured, None)
    for slot in range(co.co_nlocals):
        if names[slot] == wanted:
            kinds[slot] |= FAST_CELL
            wanted = next(captured, None)
    if _MARKS_ARGUMENTS:
        for slot, bits in enumerate(_argument_bits(co)):
            kinds[slot] |= bits
    return names, bytes(kinds + [FAST_CELL] * pure + [FAST_FREE] * len(free))


def _slot_names(co: CodeType) -> Iterator[str]:
    slot = 0
    while True:
        try:
            yield co._varname_from_oparg(slot)  # type: ignore[attr-defined]
        except IndexError:
            return
        slot += 1


def _argument_bits(co: CodeType) -> Iterator[int]:
    for slot in range(co.co_argcount):
        named = slot >= co.co_posonlyargcount
        yield _ARG_POSITIONAL | (_ARG_KEYWORD if named else 0)
    yield from [_ARG_KEYWORD] * co.co_kwonlyargcount
    if co.co_flags & 0x4:
        yield _ARG_VARIADIC | _ARG_POSITIONAL
    if co.co_flags & 0x8:
        yield _ARG_VARIADIC | _ARG_KEYWORD


def exact_tuple(items: Any) -> tuple[Any, ...]:
    """A tuple of what a tuple or its subclass holds, by C code alone; () for None."""
    if items is None:
        return ()
    return items if type(items) is tuple else tuple(tuple.__iter__(items))


def from_function(
    function: FunctionType, *, via: Iterable[str] = (), warnings: Iterable[str] = ()
) -> Function:
    """Take a snapshot of a Python function: its code and all that is known around it.

    Args:
        function: Exactly a `types.FunctionType`. For other objects see `from_object`.
        via: The steps that led from the target to this function.
        warnings: What the reader should know about those steps.

    >>> def area(width, height=1): return width * height
    >>> from_function(area).arguments[1].default.text
    '1'
    """
    co = function.__code__
    code = from_code_object(co)
    source, doubts = source_that_ran(code, file_of(function, code))
    doc = function.__doc__
    module = function.__module__
    return Function(
        code=code,
        name=exact_text(function.__name__),
        qualname=exact_text(function.__qualname__),
        module=module if type(module) is str else None,
        origin="live",
        live=True,
        doc=doc if type(doc) is str else None,
        defaults=tuple(map(value_of, exact_tuple(function.__defaults__))),
        kwdefaults=tuple(_values_of(function.__kwdefaults__)),
        annotations=tuple(_annotations_of(function, code, source)),
        cells=tuple(cells_of(function, code)),
        attributes=tuple(_values_of(function.__dict__)),
        source=source,
        via=tuple(via),
        warnings=(*warnings, *doubts),
        object=function,
    )


def file_of(function: FunctionType, code: Code) -> str | None:
    """The file of a module that is frozen into the interpreter; else `co_filename` names it."""
    if not code.filename.startswith("<frozen "):
        return None
    file = dict.get(function.__globals__, "__file__")
    return file if type(file) is str and file.endswith(".py") else None


def source_that_ran(code: Code, file: str | None = None) -> tuple[Source | None, tuple[str, ...]]:
    """The source of a live code object, proved by compiling it, and what must be said about it.

    Args:
        code: A snapshot of the code object.
        file: The file, where `co_filename` does not name it.

    Returns:
        None instead of a text that is not what was compiled; and warnings.
    """
    source = source_of(file or code.filename, code)
    if source is None:
        return None, ()
    entered = is_entered(source.file)
    verdict = verdict_on(code, source, from_code_object, levels=LEVELS_TRIED, inherits=entered)
    if entered and verdict.warning is not None:
        return None, ()  # another text had the same name, such as <string>
    warnings = () if verdict.warning is None else (f"{verdict.warning}: {source.file}",)
    return (source if verdict.fits else None), warnings


def cells_of(function: FunctionType, code: Code) -> Iterator[Cell]:
    """The cells of `__closure__` with the names of the free variables."""
    cells = exact_tuple(function.__closure__)
    for index, (name, cell) in enumerate(zip(code.freevars, cells, strict=False)):
        try:
            value: Value | None = value_of(cell.cell_contents)
        except ValueError:  # CPython's way to say that the cell is empty
            value = None
        yield Cell(name, index, id(cell), value, cell)


def _values_of(namespace: dict[str, object] | None) -> Iterator[tuple[str, Value]]:
    """Shown values of a namespace; the methods of a dict subclass are not called."""
    if namespace is None:
        return
    for name, value in list(dict.items(namespace)):
        if type(name) is str:
            yield name, value_of(value)


def _annotations_of(
    function: FunctionType, code: Code, source: Source | None
) -> Iterator[tuple[str, str]]:
    """Annotations as text: string annotations as written, others as their shown value."""
    if _LAZY_ANNOTATIONS and function.__annotate__ is not None:  # type: ignore[attr-defined]
        if source is not None:
            yield from annotations_in(source, code)
        return
    for name, value in list(dict.items(function.__annotations__)):
        if type(name) is str:
            yield name, value if type(value) is str else annotation_text(value)


def annotation_text(value: object) -> str:
    """An annotation object as text: a class by its name, anything else as a shown value."""
    if value is None:
        return "None"
    if type(value) is type:
        return name_of_class(value)
    return value_of(value).text
