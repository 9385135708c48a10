"""Every exception that coscope raises on purpose.

    CoscopeError
    ├── InputError               what was given is bad, or cannot be read
    │   ├── TargetError          the target names nothing that can be read
    │   │   ├── TargetNotFound       no such file, module, attribute or code object
    │   │   ├── ImportFailed         importing the target's module raised
    │   │   └── NoCodeObject         a builtin, C function or other object without bytecode
    │   ├── SourceError          Python source that does not decode or compile
    │   ├── InterpreterError     another interpreter is missing, or failed
    │   ├── PycError             a .pyc file that cannot be read
    │   │   ├── UnknownMagic         its magic number belongs to no known CPython
    │   │   └── MarshalError         its payload is not what marshal writes
    │   │       ├── Truncated            the bytes end inside a value
    │   │       └── LimitExceeded        a stated limit was reached; it is named
    │   └── CodeError            a code object that contradicts itself
    │       ├── TruncatedTable       a line or exception table ends inside an entry
    │       └── StackError           the stack underflows, or paths disagree about its depth
    ├── PatchError               an edit that cannot be made; the original is untouched
    │   ├── NothingSelected          no instruction, name or code object is what the edit asks for
    │   │   └── ConstantNotFound         no instruction loads the constant
    │   ├── AmbiguousEdit            it could mean more than one thing; say which
    │   └── Refused                  it would break what the interpreter relies on
    │       ├── NotVerified              the verifier finds the result unsafe; it says where
    │       ├── WrongVersion             code of another CPython cannot run here
    │       ├── WrongKind                a function would become a generator or coroutine, or cease
    │       ├── WrongClosure             the cells do not fit the free variables
    │       └── WrongDefaults            the defaults do not fit the parameters
    ├── UnknownVersion           coscope has no opcode table for that CPython
    └── InternalError            a fault of coscope's own; please report it

Types are API, messages are not.
"""

from __future__ import annotations

import sys
from pathlib import PurePath


class CoscopeError(Exception):
    """Base of all errors: what is wrong, where, and what to do.

    Args:
        what: One clause, without a full stop.
        file: File that was read.
        code: Qualified name of the code object.
        offset: Byte offset: in the file for a `PycError`, in `co_code` for a `CodeError`.
        line: Source line, from 1.
        expected: What should have stood there.
        found: What stood there.
        hint: What the reader can do about it, one sentence.
    """

    def __init__(
        self,
        what: str,
        *,
        file: str | PurePath | None = None,
        code: str | None = None,
        offset: int | None = None,
        line: int | None = None,
        expected: object = None,
        found: object = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.file = None if file is None else str(file)
        self.code = code
        self.offset = offset
        self.line = line
        self.expected = expected
        self.found = found
        self.hint = hint

    def where(self) -> str:
        """Place of the fault, such as `x.pyc, code 'f', byte 12, line 3`; empty if unknown."""
        parts = []
        if self.file is not None:
            parts.append(self.file)
        if self.code is not None:
            parts.append(f"code {self.code!r}")
        if self.offset is not None:
            parts.append(f"byte {self.offset}")
        if self.line is not None:
            parts.append(f"line {self.line}")
        return ", ".join(parts)

    def __str__(self) -> str:
        where = self.where()
        text = f"{where}: {self.what}" if where else self.what
        if self.expected is not None:
            text += f"; expected {self.expected}"
        if self.found is not None:
            text += f"{',' if self.expected is not None else ';'} found {self.found}"
        if self.hint:
            text += f". {self.hint}"
        return text


class InputError(CoscopeError):
    """What was given is bad, or cannot be read."""


class TargetError(InputError):
    """The target names nothing that can be read."""


class TargetNotFound(TargetError):
    """No such file, module, attribute or code object."""


class ImportFailed(TargetError):
    """Importing the target's module raised; the exception is `__cause__`."""


class NoCodeObject(TargetError):
    """A builtin, C function or other object without bytecode.

    `signature` and `doc` say what is known of a C function; `functions` names the Python functions
    of a class whose constructor is not one.
    """

    signature: str | None = None
    doc: str | None = None
    functions: tuple[str, ...] = ()


class SourceError(InputError):
    """Python source that does not decode or compile.

    `text` and `column` (from 1) locate a syntax error for a caret, where known.
    """

    text: str | None = None
    column: int | None = None


class InterpreterError(InputError):
    """Another interpreter is missing, or failed."""


def check_implementation() -> None:
    """Do nothing on CPython.

    Raises:
        InterpreterError: Another Python runs this, with code objects of its own kind.
    """
    name = sys.implementation.name
    if name != "cpython":
        raise InterpreterError(
            "coscope runs on CPython alone, also to read files",
            found=name,
            hint="Run it with a CPython; it needs not be the one whose code you look at.",
        )


class PycError(InputError):
    """A .pyc file that cannot be read; `offset` counts bytes of the file."""


class UnknownMagic(PycError):
    """The magic number belongs to no known CPython."""


class MarshalError(PycError):
    """The payload is not what marshal writes."""


class Truncated(MarshalError):
    """The bytes end inside a value."""


class LimitExceeded(MarshalError):
    """A limit of `codec/limits.py` was reached; the message names it."""


class CodeError(InputError):
    """A code object that contradicts itself; `offset` counts bytes of `co_code`."""


class TruncatedTable(CodeError):
    """A line or exception table ends inside an entry."""


class StackError(CodeError):
    """The stack underflows, or paths that meet disagree about its depth.

    `reason` is "underflow", "disagreement", or "handler" if a handler expects more values than an
    instruction leaves.
    """

    reason: str = "underflow"


class PatchError(CoscopeError):
    """An edit that cannot be made; the original is untouched."""


class NothingSelected(PatchError):
    """No instruction, name or code object is what the edit asks for."""


class ConstantNotFound(NothingSelected):
    """No instruction loads the constant.

    `value` is the constant, as the model holds it. `similar` are constants that are equal but of
    another type, or of another sign of zero; `containers` are constants that hold it; `nested`
    are qualified names of nested code objects that load it; `free_variables` are the names whose
    cells may hold it.
    """

    value: object = None
    similar: tuple[object, ...] = ()
    containers: tuple[object, ...] = ()
    nested: tuple[str, ...] = ()
    free_variables: tuple[str, ...] = ()


class AmbiguousEdit(PatchError):
    """It could mean more than one thing; the hint says how to say which."""


class Refused(PatchError):
    """It would break what the interpreter relies on, or what the caller did not ask to change."""


class NotVerified(Refused):
    """The verifier finds the result unsafe. `report` is its verdict, a `coscope.Report`."""

    report: object = None


class WrongVersion(Refused):
    """Code of another CPython cannot run here."""


class WrongKind(Refused):
    """A function would become a generator or a coroutine, or would cease to be one."""


class WrongClosure(Refused):
    """The cells do not fit the free variables."""


class WrongDefaults(Refused):
    """The defaults do not fit the parameters."""


class UnknownVersion(CoscopeError):
    """coscope has no opcode table for that CPython."""


class MissingExtra(CoscopeError):
    """A package that coscope needs for this is not installed."""

    def __init__(self, extra: str, found: str) -> None:
        super().__init__(
            f"this needs the packages of coscope[{extra}]",
            found=found,
            hint=f"Install them: pip install 'coscope[{extra}]'.",
        )


class InternalError(CoscopeError):
    """A fault of coscope's own; please report it."""


def hidden_for(info: object) -> bool:
    """For pytest: our own frames are left out of the traceback of one of these errors.

    Modules name it `__tracebackhide__`. An error that we did not foresee keeps them.

    Args:
        info: pytest's `ExceptionInfo`.
    """
    return issubclass(getattr(info, "type", object), CoscopeError)
