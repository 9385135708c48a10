"""Live code objects of patched ones, for tests: the package makes them in `patcher/rebuild.py`.

As a program, `python -m tests.patcher.live EDIT MODULE...` runs unit test modules of the standard
library while every Python module that they import is edited: EDIT is "nops", "calls" or "none".
"""

from __future__ import annotations

import builtins
import io
import json
import sys
import unittest
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from types import CodeType, FunctionType
from typing import Any

from coscope.model import Code, Constant, FrozenSet, Opaque, Slice
from coscope.patcher.applying.apply import apply
from coscope.patcher.edits.model import (
    ANYWHERE,
    AnyEdit,
    Do,
    Insert,
    InsertCall,
    Literal,
    Outcome,
)
from coscope.readers.from_function import from_code_object

NOPS = Insert(where=ANYWHERE, instructions=(Do("NOP"),), inseparable="skip")


def code_object(code: Code, objects: dict[int, Any] | None = None) -> CodeType:
    """A live code object of the host's version."""
    constants = tuple(_constant(constant, objects or {}) for constant in code.consts)
    return CodeType(
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        code.nlocals,
        code.stacksize,
        int(code.flags),
        code.code,
        constants,
        code.names,
        code.varnames,
        code.filename,
        code.name,
        code.qualname,
        code.firstlineno,
        code.linetable,
        code.exceptiontable,
        code.freevars,
        code.cellvars,
    )


def _constant(constant: Constant, objects: dict[int, Any]) -> Any:
    if isinstance(constant, Code):
        return code_object(constant, objects)
    if isinstance(constant, FrozenSet):
        return frozenset(_constant(item, objects) for item in constant.items)
    if isinstance(constant, Slice):
        parts = (constant.start, constant.stop, constant.step)
        return slice(*(_constant(part, objects) for part in parts))
    if isinstance(constant, Opaque):
        return objects[constant.identity]
    if type(constant) is tuple:
        return tuple(_constant(item, objects) for item in constant)
    return constant


def patched(function: FunctionType, *edits: AnyEdit, objects: dict[int, Any] | None = None) -> Any:
    """A copy of a function with edited code."""
    code = apply(from_code_object(function.__code__), edits)
    copy = FunctionType(
        code_object(code, objects),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def edited(code: Code, edit: str) -> Code:
    """A code object and all inside it, with NOPs before each instruction or calls at each end."""
    if edit == "nops":
        return apply(code, [replace(NOPS, nested=True)])
    if edit == "calls":
        hook = Literal(Opaque("builtins.function", id(_count)))
        args = (Literal(1), Outcome())
        entry = InsertCall(call=hook, args=args[:1], at="entry", nested=True)
        return apply(code, [entry, InsertCall(call=hook, args=args, at="exit", nested=True)])
    return code


counted = 0


def _count(number: int, outcome: Any = None) -> None:
    global counted
    counted += number


def _edit_imports(edit: str) -> None:
    """Let the import system edit what it compiles."""
    objects = {id(_count): _count}
    edited(from_code_object(main.__code__), edit)  # what editing itself needs is loaded now

    def source_to_code(self: Any, data: Any, path: Any, **options: Any) -> CodeType:
        plain = compile(data, path, "exec", dont_inherit=True)
        return code_object(edited(from_code_object(plain), edit), objects)

    def get_code(self: Any, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return source_to_code(self, self.get_data(path), path)

    setattr(SourceFileLoader, "source_to_code", source_to_code)  # noqa: B010
    setattr(SourceFileLoader, "get_code", get_code)  # noqa: B010


def main() -> None:
    edit, *modules = sys.argv[1:]
    # Modules that are loaded already are loaded again, edited, for the tests at least.
    tops = {module.split(".")[-1].removeprefix("test_") for module in modules}
    for name in list(sys.modules):
        if name.split(".")[0] in tops and name not in ("sys", "builtins"):
            del sys.modules[name]
    if edit != "none":
        _edit_imports(edit)
    suite = unittest.defaultTestLoader.loadTestsFromNames(modules)
    result = unittest.TextTestRunner(io.StringIO(), verbosity=0).run(suite)
    outcome = {
        "run": result.testsRun,
        "failed": sorted(str(test) for test, _ in [*result.failures, *result.errors]),
        "why": [text[-600:] for _, text in [*result.failures, *result.errors]][:3],
        "counted": counted,
    }
    builtins.print(json.dumps(outcome))


if __name__ == "__main__":
    main()
