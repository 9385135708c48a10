"""The marshalled fields of a code object: their order in each version, and what they must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress
from struct import Struct
from typing import Any

from coscope.errors import InternalError, MarshalError
from coscope.model import FAST_CELL, FAST_FREE, FAST_LOCAL, Code, Flags

# For each bit, a table for `bytes.translate`: 1 where a kind has the bit, else 0.
_HAS_LOCAL, _HAS_CELL, _HAS_FREE = (
    bytes(bool(kind & bit) for kind in range(256)) for bit in (FAST_LOCAL, FAST_CELL, FAST_FREE)
)
_LOCAL, _CELL, _FREE = (bytes([bit]) for bit in (FAST_LOCAL, FAST_CELL, FAST_FREE))
_STRINGS = {str}


class FieldError(Exception):
    """A field that is not what it must be; the reader adds where."""

    def __init__(self, what: str, expected: object, found: object) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.found = found

    def located(self, file: str | None, offset: int) -> MarshalError:
        """The error to raise: in the code object that starts at this byte of the file."""
        return MarshalError(
            self.what, file=file, offset=offset, expected=self.expected, found=self.found
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """How one generation of CPython marshals a code object.

    The fields are: 32-bit integers (`head`), `before` objects, the 32-bit first line number,
    `after` objects.
    """

    name: str
    head: Struct
    before: int
    after: int
    has_qualname: bool
    build: Callable[[str, list[Any]], Code]
    """Makes the code object from the version and the fields in marshalled order.

    Raises `FieldError`.
    """


def build_3_8(version: str, fields: list[Any]) -> Code:
    """Make a code object of CPython 3.8 to 3.10; its qualname is still its name.

    Source:
        CPython 3.8 to 3.10, Python/marshal.c, `r_object`, `case TYPE_CODE`.
    """
    argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags = fields[:6]
    code, consts, names, varnames, freevars, cellvars, filename, name = fields[6:14]
    firstlineno, linetable = fields[14:]
    _check_types(code, consts, filename, name, linetable)
    _check_names("names", names)
    _check_names("varnames", varnames)
    _check_names("freevars", freevars)
    _check_names("cellvars", cellvars)
    if nlocals != len(varnames):
        raise FieldError("co_nlocals is not the length of co_varnames", len(varnames), nlocals)
    _check_counts(argcount, posonlyargcount, kwonlyargcount, stacksize, flags, nlocals)
    return Code(
        version=version,
        name=name,
        qualname=name,
        filename=filename,
        firstlineno=firstlineno,
        argcount=argcount,
        posonlyargcount=posonlyargcount,
        kwonlyargcount=kwonlyargcount,
        nlocals=nlocals,
        stacksize=stacksize,
        flags=Flags(flags),
        code=code,
        consts=consts,
        names=names,
        varnames=varnames,
        cellvars=cellvars,
        freevars=freevars,
        linetable=linetable,
        exceptiontable=b"",
        localsplusnames=varnames + cellvars + freevars,
        localspluskinds=_LOCAL * nlocals + _CELL * len(cellvars) + _FREE * len(freevars),
    )


def build_3_11(version: str, fields: list[Any]) -> Code:
    """Make a code object of CPython 3.11 or later.

    Source:
        CPython 3.13, Python/marshal.c, `r_object`, `case TYPE_CODE`.
    """
    argcount, posonlyargcount, kwonlyargcount, stacksize, flags = fields[:5]
    code, consts, names, localsplusnames, localspluskinds, filename, name, qualname = fields[5:13]
    firstlineno, linetable, exceptiontable = fields[13:]
    _check_types(code, consts, filename, name, linetable)
    _check_names("names", names)
    _check_names("localsplusnames", localsplusnames)
    if type(qualname) is not str:
        raise FieldError("co_qualname is not a string", "str", _type_name(qualname))
    if type(localspluskinds) is not bytes or type(exceptiontable) is not bytes:
        wrong = localspluskinds if type(localspluskinds) is not bytes else exceptiontable
        raise FieldError(
            "co_localspluskinds or co_exceptiontable is not a byte string",
            "bytes",
            _type_name(wrong),
        )
    if len(localsplusnames) != len(localspluskinds):
        raise FieldError(
            "co_localspluskinds is not as long as co_localsplusnames",
            len(localsplusnames),
            len(localspluskinds),
        )
    varnames, cellvars, freevars = split_locals(localsplusnames, localspluskinds)
    nlocals = len(varnames)
    _check_counts(argcount, posonlyargcount, kwonlyargcount, stacksize, flags, nlocals)
    return Code(
        version=version,
        name=name,
        qualname=qualname,
        filename=filename,
        firstlineno=firstlineno,
        argcount=argcount,
        posonlyargcount=posonlyargcount,
        kwonlyargcount=kwonlyargcount,
        nlocals=nlocals,
        stacksize=stacksize,
        flags=Flags(flags),
        code=code,
        consts=consts,
        names=names,
        varnames=varnames,
        cellvars=cellvars,
        freevars=freevars,
        linetable=linetable,
        exceptiontable=exceptiontable,
        localsplusnames=localsplusnames,
        localspluskinds=localspluskinds,
    )


def split_locals(
    names: tuple[str, ...], kinds: bytes
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Split the unified fast locals into `co_varnames`, `co_cellvars` and `co_freevars`.

    A captured parameter is in the first two. All keep slot order, as CPython's getters do.

    Source:
        CPython 3.13, Objects/codeobject.c, `get_localsplus_names`.

    >>> split_locals(("a", "b", "c"), bytes([0x20, 0x60, 0x80]))
    (('a', 'b'), ('b',), ('c',))
    """
    if kinds.count(_LOCAL) == len(kinds):
        return names, (), ()
    return (
        tuple(compress(names, kinds.translate(_HAS_LOCAL))),
        tuple(compress(names, kinds.translate(_HAS_CELL))),
        tuple(compress(names, kinds.translate(_HAS_FREE))),
    )


_LAYOUTS = {
    "cells apart": Layout("cells apart", Struct("<6i"), 8, 1, False, build_3_8),
    "localsplus": Layout("localsplus", Struct("<5i"), 8, 2, True, build_3_11),
}


def layout(name: str) -> Layout:
    """The layout that an opcode table names.

    Raises:
        InternalError: The table names a layout that is not written yet.
    """
    found = _LAYOUTS.get(name)
    if found is None:
        raise InternalError(f"no code object layout {name!r}", expected=", ".join(_LAYOUTS))
    return found


def _check_types(
    code: object, consts: object, filename: object, name: object, linetable: object
) -> None:
    if type(code) is not bytes:
        raise FieldError("co_code is not a byte string", "bytes", _type_name(code))
    if len(code) % 2:
        raise FieldError("co_code ends inside a code unit", "an even length", len(code))
    if type(consts) is not tuple:
        raise FieldError("co_consts is not a tuple", "tuple", _type_name(consts))
    if type(filename) is not str or type(name) is not str:
        wrong = filename if type(filename) is not str else name
        raise FieldError("co_filename or co_name is not a string", "str", _type_name(wrong))
    if type(linetable) is not bytes:
        raise FieldError("the line table is not a byte string", "bytes", _type_name(linetable))


def _check_names(field: str, names: object) -> None:
    if type(names) is not tuple:
        raise FieldError(f"co_{field} is not a tuple", "tuple", _type_name(names))
    if names and {*map(type, names)} != _STRINGS:
        wrong = next(name for name in names if type(name) is not str)
        raise FieldError(f"co_{field} holds something else than strings", "str", _type_name(wrong))


def _check_counts(
    argcount: int, posonlyargcount: int, kwonlyargcount: int, stacksize: int, flags: int, slots: int
) -> None:
    if argcount < posonlyargcount or posonlyargcount < 0 or kwonlyargcount < 0:
        raise FieldError(
            "the argument counts contradict each other",
            "0 <= co_posonlyargcount <= co_argcount and 0 <= co_kwonlyargcount",
            f"{posonlyargcount}, {argcount} and {kwonlyargcount}",
        )
    if stacksize < 0 or flags < 0:
        raise FieldError("co_stacksize or co_flags is negative", "0 or more", min(stacksize, flags))
    arguments = argcount + kwonlyargcount + bool(flags & 0x4) + bool(flags & 0x8)
    if arguments > slots:
        raise FieldError("there are more arguments than locals", f"at most {slots}", arguments)


def _type_name(value: object) -> str:
    return type(value).__name__
