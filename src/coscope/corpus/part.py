"""The unit of work: some files are read, and their rows written to files of their own.

`scan_part` is a plain function of a picklable argument, which any scheduler can call. It may run
twice, or twice at once: it writes the same bytes under the same names, each renamed when whole.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from hashlib import sha256
from itertools import islice
from pathlib import Path

from coscope.corpus.details import ADD
from coscope.corpus.rows import Rows, add_codes
from coscope.corpus.store import write_part
from coscope.corpus.tasks import DIED, PYC, READ, Part, Task
from coscope.errors import (
    CodeError,
    CoscopeError,
    InterpreterError,
    LimitExceeded,
    PycError,
    SourceError,
    TargetError,
)
from coscope.model import Code
from coscope.readers.archives import Archive, opened
from coscope.readers.from_interpreter import Interpreter, compile_source, identify, kept
from coscope.readers.from_pyc import from_pyc
from coscope.readers.from_source import compile_source as compile_here
from coscope.readers.from_source import read_bytes

MOST_CODES = 200_000  # code objects of one file


def scan_part(part: Part) -> dict[str, int]:
    """Read the contents of a part and write their rows.

    Returns:
        How many rows each table got. Nothing else: the rows are in the files.

    Raises:
        CoscopeError: The rows cannot be written. A content that cannot be read is a row.
    """
    rows = Rows(frozenset(part.details))
    with ExitStack() as stack:
        stack.enter_context(kept())
        archives = _Archives(stack)
        for task in part.tasks:
            if part.died:
                _add_file(
                    rows,
                    task,
                    version=None,
                    size=0,
                    codes=0,
                    instructions=0,
                    status=DIED,
                    reason="the process that read it ended",
                )
            else:
                _read(rows, part, task, archives)
    return write_part(Path(part.folder), part.python, part.name, rows)


class _Archives:
    """The archive that is open: neighbours come out of the same one."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack.enter_context(ExitStack())
        self._path = ""
        self._archive: Archive | None = None

    def read(self, path: str, member: str) -> bytes:
        """The bytes of a member."""
        if self._archive is None or self._path != path:
            self._stack.close()
            self._archive, self._path = self._stack.enter_context(opened(path)), path
        return self._archive.read(member)


def content_of(task: Task, archives: _Archives) -> bytes:
    """The bytes of a file or member, if they are still those that were hashed.

    Raises:
        TargetError: They cannot be read, or have changed.
    """
    data = archives.read(task.path, task.member) if task.member else read_bytes(task.path)
    if sha256(data).hexdigest() != task.sha256:
        raise _Changed("the file changed while it was scanned", file=task.path)
    return data


class _Changed(TargetError):
    pass


def _read(rows: Rows, part: Part, task: Task, archives: _Archives) -> None:
    before = {name: rows.count(name) for name in rows.columns}
    size = 0
    try:
        data = content_of(task, archives)
        size = len(data)
        root = _root(part, task, data)
        _check_count(root, task)
        codes, instructions = add_codes(rows, task.file, root)
        for detail in part.details:
            ADD[detail](rows, task, root, part.optimize)
    except CoscopeError as error:
        _take_back(rows, before)
        _add_file(
            rows,
            task,
            version=None,
            size=size,
            codes=0,
            instructions=0,
            status=status_of(error),
            reason=_reason(error),
        )
        return
    except (RecursionError, MemoryError) as error:
        _take_back(rows, before)
        _add_file(
            rows,
            task,
            version=None,
            size=size,
            codes=0,
            instructions=0,
            status="a limit",
            reason=f"{type(error).__name__} while reading",
        )
        return
    _add_file(
        rows,
        task,
        version=root.version,
        size=size,
        codes=codes,
        instructions=instructions,
        status=READ,
        reason=None,
    )


def _take_back(rows: Rows, before: dict[str, int]) -> None:
    for name, count in before.items():
        for column in rows.columns[name].values():
            del column[count:]


def _add_file(
    rows: Rows,
    task: Task,
    version: str | None,
    size: int,
    codes: int,
    instructions: int,
    status: str,
    reason: str | None,
) -> None:
    rows.add(
        "files",
        file=task.file,
        sha256=task.sha256,
        bytes=size,
        kind=task.kind,
        version=version,
        codes=codes,
        instructions=instructions,
        status=status,
        reason=reason,
    )


def _reason(error: CoscopeError) -> str:
    """What is wrong, without the place: the same content may be in another."""
    text = error.what
    if error.line is not None:
        text = f"line {error.line}: {text}"
    if error.found is not None:
        text = f"{text}; found {error.found}"
    return text.encode("utf-8", "backslashreplace").decode()[:300]


def status_of(error: CoscopeError) -> str:
    """The status of a file that cannot be read, by what was raised."""
    if isinstance(error, _Changed):
        return "changed"
    if isinstance(error, LimitExceeded):
        return "a limit"
    if isinstance(error, SourceError):
        deep = "too deeply" in error.what
        return "a limit" if deep else "does not compile"
    if isinstance(error, InterpreterError):
        return "too slow" if "no answer" in error.what or "signal" in str(error.found) else DIED
    if isinstance(error, PycError | CodeError):
        return "damaged"
    return "unreadable"


def _check_count(root: Code, task: Task) -> None:
    if next(islice(root.walk(), MOST_CODES, None), None) is not None:
        raise LimitExceeded(
            "too many code objects", file=task.path, expected=f"at most {MOST_CODES}"
        )


def _root(part: Part, task: Task, data: bytes) -> Code:
    """The module's code object."""
    if task.kind == PYC:
        return from_pyc(data, file=task.path).code
    if part.interpreter is not None:
        interpreter = identify(part.interpreter)
        return compile_source(interpreter, data, task.path, optimize=part.optimize)
    if _needs_care(data):
        return compile_source(_here(), data, task.path, optimize=part.optimize)
    return compile_here(data, task.path, optimize=part.optimize)


def _here() -> Interpreter:
    return identify(sys.executable)


_LARGE = 2**20  # bytes; the largest file of CPython's library has 0.6 MiB
_DEEP = (b"(" * 50, b"[" * 50, b"{" * 50, b"~" * 100, b"not " * 60, b"lambda:" * 40, b"-" * 2000)
_LONG_LINES = 500  # bytes in a line, on average


def _needs_care(data: bytes) -> bool:
    """Compiled in a process of its own, with limits on time and memory: it may be a bomb.

    What does not look like one is compiled in this process, which is far cheaper. If it is one
    all the same, this process dies, and the one that started it names the file.
    """
    return (
        len(data) > _LARGE
        or (len(data) > 20_000 and len(data) > _LONG_LINES * data.count(b"\n"))
        or any(each in data for each in _DEEP)
    )
