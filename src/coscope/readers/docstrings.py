"""Which constant of a code object is its docstring."""

from __future__ import annotations

from itertools import pairwise

from coscope.errors import CodeError
from coscope.model import Code
from coscope.opcodes import table

# Only these take a docstring; lambdas and comprehensions do not.
_FUNCTIONS = ("function", "generator", "coroutine", "async generator")
_NEAR = 24  # instructions at the start of a module or class body among which it is stored


def docstring_of(code: Code) -> int | None:
    """Index in `consts` of the docstring, or None.

    Source:
        CPython 3.14.0, Python/codegen.c, codegen_function_body: the docstring is constant 0, and
        CO_HAS_DOCSTRING says so; to 3.13 constant 0 of a function is its docstring or None.
    """
    if code.kind in _FUNCTIONS:
        flag = table(code.version).numbers.get("docstring_flag")
        has = bool(code.flags & flag) if flag else True
        return 0 if has and code.consts and type(code.consts[0]) is str else None
    if code.kind in ("module", "class body"):
        return _stored_docstring(code)
    return None


def _stored_docstring(code: Code) -> int | None:
    """The constant that the first instructions store as `__doc__`."""
    if "__doc__" not in code.names:
        return None
    try:
        first = [code.instructions[at] for at in range(min(_NEAR, len(code.instructions)))]
    except CodeError:
        return None
    for load, store in pairwise(first):
        if store.opname == "STORE_NAME" and store.argval == "__doc__":
            constant = load.arg if load.opname == "LOAD_CONST" else None
            return constant if constant is not None and type(load.argval) is str else None
    return None
