"""How errors are reported: one clear line on standard error, never an unrequested traceback."""

from __future__ import annotations

import sys

from coscope.cli.session import Session
from coscope.cli.streams import write_lines, write_text
from coscope.errors import (
    CodeError,
    CoscopeError,
    ImportFailed,
    InputError,
    InternalError,
    InterpreterError,
    NoCodeObject,
    PatchError,
    PycError,
    SourceError,
    TargetError,
    TargetNotFound,
    UnknownVersion,
)
from coscope.render.text.measured import Pen, cells

FAILED = 2  # exit status
INTERRUPTED = 130
CUT_OFF = 141  # as of a process that SIGPIPE ended: the reader left before the answer was complete


def tell(error: BaseException, session: Session) -> int:
    """Report an error by the session's options, and return the exit status."""
    if session.json:
        from coscope.render.document.report import error_document
        from coscope.render.to_json import to_json

        write_text(to_json(error_document(error, session.target)))
    if session.debug:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    write_lines(lines_of(error, Pen(ascii=session.ascii)))
    return FAILED


def usage(message: str, command: str) -> int:
    """Report that the command line is wrong."""
    message = message if message.endswith((".", "?")) else message + "."
    sys.stderr.write(f"coscope: error: {Pen().clean(message)} Try '{command} --help'.\n")
    return FAILED


def lines_of(error: BaseException, pen: Pen) -> list[str]:
    """The line that says what is wrong; under it what helps to see it."""
    if not isinstance(error, CoscopeError) or isinstance(error, InternalError):
        what = str(error) if isinstance(error, InternalError) else _named(error)
        again = "" if isinstance(error, InternalError) and "--debug" in what else _AGAIN
        return [f"coscope: internal error: {pen.clean(what)}{again}"]
    if isinstance(error, NoCodeObject) and error.signature:
        return _lines_of_builtin(error, error.signature, pen)
    lines = [_line(error, pen)]
    if isinstance(error, SourceError) and error.text is not None:
        lines += _caret(error.text, error.column, pen)
    return lines


def _lines_of_builtin(error: NoCodeObject, signature: str, pen: Pen) -> list[str]:
    """What is known of a callable without code, each on a line, in place of the hint."""
    error.hint, hint = None, error.hint
    lines = [_line(error, pen), f"  signature  {pen.clean(signature)}"]
    error.hint = hint
    return [*lines, f"  doc        {pen.clean(error.doc)}"] if error.doc else lines


_AGAIN = ". Please report it; --debug shows where it happened."


def _line(error: CoscopeError, pen: Pen) -> str:
    text = str(error)
    cause = error.__cause__
    if isinstance(error, ImportFailed) and cause is not None:
        named = _named(cause)
        if str(cause) not in text:
            text += f" ({named})"
    step = "" if error.hint else _next_step(error)
    if step:
        text = f"{text.rstrip('.')}. {step}"
    return f"coscope: error: {pen.clean(' '.join(text.split()))}"


_FORMS = "Give a file, file.py::name, file.py:LINE, module:name, or a dotted name."

# What to do where the error itself does not say it; the first kind that fits.
_NEXT: tuple[tuple[type[CoscopeError], str], ...] = (
    (ImportFailed, "To read it without importing it, name its file: path.py::name."),
    (TargetNotFound, f"Check its name. {_FORMS}"),
    (NoCodeObject, "Name a function that is written in Python."),
    (TargetError, _FORMS),
    (SourceError, "Correct the source, or name the CPython that it is written for: --python."),
    (InterpreterError, "Name another one with --python, by version or path."),
    (PycError, "Compile it anew from its source, or name the source itself."),
    (CodeError, "'coscope verify' lists everything that is wrong with it."),
    (PatchError, "See what is there with 'coscope show', then name it."),
    (UnknownVersion, "'coscope explain-opcode' lists the versions that are known."),
    (InputError, "'coscope COMMAND --help' says what each command takes."),
)


def _next_step(error: CoscopeError) -> str:
    """A sentence, or nothing where no other words of the command would help: a full disk."""
    steps = (text for kind, text in _NEXT if isinstance(error, kind))
    return next(steps, "")


def _named(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception_only(error)).strip().replace("\n", " ")


def _caret(text: str, column: int | None, pen: Pen) -> list[str]:
    """The source line, and a caret under the column (characters, from 1)."""
    line = text.rstrip("\n").expandtabs(4)
    shown = [f"    {pen.fit(line.strip(), 92)}"]
    if column is not None:
        before = text[: max(0, column - 1)].expandtabs(4).lstrip()
        shown.append(" " * (4 + min(91, cells(pen.clean(before)))) + "^")
    return shown
