"""The verifier's good verdicts, kept for code that differs in plain constants alone.

A verdict depends on a number, a string or bytes in `co_consts` by its type only: none of them can
be a value that the interpreter trusts. So one verdict serves every value that a constant is patched
to, in a test that patches the same function again and again. Everything else of a code object is
compared as it is: bytes, tables, counts, names and all other constants.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from coscope.model import Code, Constant, Opaque
from coscope.patcher.applying.pools import key
from coscope.verifier import Report, verify

KEPT = 256  # verdicts, the last used

_BY_TYPE = frozenset({int, float, complex, str, bytes})

_kept: OrderedDict[tuple[object, ...], Report] = OrderedDict()


def verdict(code: Code) -> Report:
    """What `verify` says, or said of the same code with other plain constants."""
    shape = _shape(code)
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
    """Let go of the verdicts that are kept."""
    _kept.clear()


def _shape(code: Code) -> tuple[object, ...]:
    """All that a verdict and its report can depend on."""
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
        tuple(map(_shape_of, code.consts)),
    )


def _shape_of(constant: Constant) -> object:
    if type(constant) in _BY_TYPE:
        return type(constant)
    if isinstance(constant, Code):
        return _shape(constant)
    if constant is None or type(constant) is bool or type(constant) is Opaque:
        return (constant,) if type(constant) is not Opaque else Opaque
    return key(constant)
