"""`install_excepthook`: explains what nobody caught, on a terminal; and `begin` of a command.

Nothing runs until an exception leaves the program.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coscope.explanations.explaining import Record
    from coscope.explanations.model import Diagnosis

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]

SWITCH = "COSCOPE_EXPLAIN"  # "0": never; "1": always; else only on a terminal


def install_excepthook(*, always: bool = False) -> Callable[[], None]:
    """Explain exceptions that nobody catches, in the main thread and in others.

    By default only where standard error is a terminal: a service that logs its standard error
    gets the usual traceback. The environment variable COSCOPE_EXPLAIN=0 turns it off everywhere,
    COSCOPE_EXPLAIN=1 on.

    Args:
        always: Also where standard error is no terminal.

    Returns:
        A function that puts the hooks of before back.
    """
    before, before_in_threads = sys.excepthook, threading.excepthook

    def explain_uncaught(
        kind: type[BaseException], error: BaseException, entry: TracebackType | None
    ) -> None:
        if not (_wanted(always) and _is_failure(error) and show(error)):
            before(kind, error, entry)

    def explain_in_thread(args: Any, /) -> None:
        error = args.exc_value
        if error is None or not (_wanted(always) and _is_failure(error) and show(error)):
            before_in_threads(args)

    def uninstall() -> None:
        if sys.excepthook is explain_uncaught:
            sys.excepthook = before
        if threading.excepthook is explain_in_thread:
            threading.excepthook = before_in_threads

    sys.excepthook = explain_uncaught
    threading.excepthook = explain_in_thread
    return uninstall


def _wanted(always: bool) -> bool:
    switch = os.environ.get(SWITCH, "")
    if switch in ("0", "1"):
        return switch == "1"
    return always or (sys.stderr is not None and sys.stderr.isatty())


def _is_failure(error: BaseException) -> bool:
    return not issubclass(type(error), SystemExit | KeyboardInterrupt | GeneratorExit)


def show(
    error: BaseException,
    *,
    record: Record | None = None,
    width: int | None = None,
    plain: bool = False,
    ascii: bool = False,  # noqa: A002
) -> bool:
    """Explain an exception on standard error.

    Returns:
        False if nothing could be written: the caller shows the exception otherwise.
    """
    try:
        from coscope.explanations.explaining import explain

        _print(explain(error, record=record), width, plain, ascii)
    except Exception:  # an excepthook must not raise: the usual traceback follows
        return False
    return True


def _print(found: Diagnosis, width: int | None, plain: bool, ascii: bool) -> None:  # noqa: A002
    from shutil import get_terminal_size

    from coscope.render.results import document_of, sheet_of
    from coscope.render.text.measured import Pen

    stream = sys.stderr
    terminal = stream.isatty()
    size = width or (get_terminal_size((100, 24)).columns if terminal else 100)
    encoding = stream.encoding or "ascii"
    page = sheet_of(found, dict(document_of(found)), Pen(size, ascii or not _writes(encoding)))
    if terminal and not plain and "NO_COLOR" not in os.environ:
        try:
            from coscope.render.to_terminal import to_terminal
        except ImportError:  # without rich
            pass
        else:
            to_terminal(page, stream)
            return
    stream.write(str(page).encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _writes(encoding: str) -> bool:
    try:
        "│━…".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


# Inside of `coscope explain -- ...`


def begin(settings: dict[str, Any]) -> None:
    """Start in a process of the command: nothing happens until an exception leaves it."""
    before, before_in_threads = sys.excepthook, threading.excepthook
    record: Record | None = None
    if settings["record"]:
        from coscope.explanations.recording import record_run

        record = record_run()

    def tell(error: BaseException) -> bool:
        if not _is_failure(error):
            return False
        if settings["json"]:
            _leave(settings, error, record)
            return False
        return show(
            error,
            record=record,
            width=settings["width"],
            plain=settings["plain"],
            ascii=settings["ascii"],
        )

    def uncaught(
        kind: type[BaseException], error: BaseException, entry: TracebackType | None
    ) -> None:
        if not tell(error):
            before(kind, error, entry)

    def in_thread(args: Any, /) -> None:
        if args.exc_value is None or not tell(args.exc_value):
            before_in_threads(args)

    sys.excepthook = uncaught
    threading.excepthook = in_thread


def _leave(settings: dict[str, Any], error: BaseException, record: Record | None) -> None:
    """Write the explanation for the process that started the command."""
    from coscope.explanations.explaining import explain
    from coscope.inside import write_report
    from coscope.render.results import document_of

    try:
        document = document_of(explain(error, record=record))
    except Exception as fault:  # the program's own failure is shown all the same
        sys.stderr.write(f"coscope: internal error: {type(fault).__name__}\n")
        return
    write_report(settings, document, f"-{threading.get_ident()}")
