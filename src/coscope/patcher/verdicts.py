"""The verifier's good verdicts, kept for code that differs in plain constants alone.

A verdict depends on a number, a string or bytes in `co_consts` by its type only: none of them can
be a value that the interpreter trusts. So one verdict serves every value that a constant is patched
to, in a test that patches the same function again and again. Everything else in a code object is
compared by type and value: bytes, tables, counts, names and all other constants.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from types import CodeType

from coscope.errors import hidden_for
from coscope.model import Code, Constant, Opaque
from coscope.opcodes import table
from coscope.patcher import known
from coscope.patcher.applying.pools import key
from coscope.readers.from_function import HOST_VERSION
from coscope.verifier import Report, verify
from coscope.verifier.fields import has_exact_fields

__tracebackhide__ = hidden_for

KEPT = 256  # verdicts, the last used

_BY_TYPE = frozenset({int, float, complex, str, bytes})

_kept: OrderedDict[tuple[object, ...], Report] = OrderedDict()


def verdict(code: Code) -> Report:
    """What `verify` says, or said of the same code with other plain constants."""
    shape = _shape(code)
    if shape is None:
        return verify(code)
    known = _kept.get(shape)
    if known is not None:
        _kept[shape] = known  # it may have been pushed out by another thread
        _kept.move_to_end(shape)
        return replace(known, code=code)
    report = verify(code)
    if report.ok:
        _kept[shape] = report
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return report


def forget() -> None:
    """Let go of the verdicts that are kept in this process."""
    _kept.clear()
    _good.clear()


# Live code objects that were verified, or whose verdict an earlier process kept

_MOST_GOOD = 4096

_good: OrderedDict[int, CodeType] = OrderedDict()  # by id(); kept alive, so that it stays theirs


def is_good(co: CodeType) -> bool:
    """True if a live code object is known to be good, whoever calls it.

    Code whose verdict rests on what its cells or arguments hold is never known.
    """
    if id(co) in _good:
        return True
    if not _is_open(co) or not known.holds(co):
        return False
    _keep(co)
    return True


def now_good(co: CodeType) -> None:
    """Keep that a live code object was verified."""
    if _is_open(co):
        _keep(co)
        known.add(co)


def _is_open(co: CodeType) -> bool:
    """True if every function of it meets the contract of its verdict."""
    trusted = table(HOST_VERSION).contract
    if not trusted.keys().isdisjoint(co.co_freevars):
        return False
    return not any(name[:1] == "." for name in co.co_varnames[: co.co_argcount])


def _keep(co: CodeType) -> None:
    _good[id(co)] = co
    while len(_good) > _MOST_GOOD:
        _good.popitem(last=False)


def _shape(code: Code) -> tuple[object, ...] | None:
    """All that a verdict and its report can depend on; None if a field is of another type.

    Values that are equal need not be of one type, and a subclass may compare as it likes.
    """
    if not has_exact_fields(code):
        return None
    consts = tuple(map(_shape_of, code.consts))
    if None in consts:
        return None
    return (
        code.version,
        code.name,
        code.qualname,
        code.filename,
        code.firstlineno,
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        code.nlocals,
        code.stacksize,
        int(code.flags),
        code.code,
        code.names,
        code.localsplusnames,
        code.localspluskinds,
        code.varnames,
        code.cellvars,
        code.freevars,
        code.linetable,
        code.exceptiontable,
        consts,
        _shared(code.consts),
    )


def _shared(consts: tuple[Constant, ...]) -> tuple[int, ...]:
    """For each nested code object the index at which the same object is first a constant."""
    first: dict[int, int] = {}
    nested = [constant for constant in consts if isinstance(constant, Code)]
    return tuple(first.setdefault(id(each), at) for at, each in enumerate(nested))


def _shape_of(constant: Constant) -> object:
    if type(constant) in _BY_TYPE:
        return type(constant)
    if isinstance(constant, Code):
        return _shape(constant)
    if constant is None or type(constant) is bool or type(constant) is Opaque:
        return (constant,) if type(constant) is not Opaque else Opaque
    return key(constant)
