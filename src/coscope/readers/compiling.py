"""A process of another CPython that compiles source for us, one file after the other.

It runs isolated (`-I -S`) and executes nothing of what it compiles. It has limits on memory and,
for each file, on time; it writes no core file, and ends when nobody holds its pipe any more.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from contextlib import suppress

from coscope.errors import InterpreterError

# A request is a line of JSON that ends with a size, then that many bytes of source. An answer is a
# letter, a size in eight hexadecimal digits and that many bytes: C marshalled code, S a syntax
# error, D nested too deeply.
_SCRIPT = """
import json, marshal, sys, warnings
try:
    import resource
except ImportError:
    resource = None

def limit(what, soft, hard):
    try:
        resource.setrlimit(what, (soft, hard))
    except (ValueError, OSError):
        pass

def answer(data, name, optimize):
    try:
        code = compile(data, name, "exec", dont_inherit=True, optimize=optimize)
        held = [code, code]  # shared, as it is where importlib writes it
        return b"C", marshal.dumps(held[0])
    except SyntaxError as error:
        return b"S", json.dumps([error.msg, error.lineno, error.offset, error.text]).encode()
    except (RecursionError, MemoryError) as error:
        return b"D", json.dumps(type(error).__name__).encode()
    except (ValueError, OverflowError) as error:
        return b"S", json.dumps([str(error), None, None, None]).encode()

if resource:
    limit(resource.RLIMIT_CORE, 0, 0)
    limit(resource.RLIMIT_AS, %(memory)d, %(memory)d)
warnings.simplefilter("ignore")
source, out = sys.stdin.buffer, sys.stdout.buffer
for line in iter(source.readline, b""):
    name, optimize, size = json.loads(line)
    data = source.read(size)
    if resource:
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime) + 1 + %(seconds)d
        limit(resource.RLIMIT_CPU, most, resource.getrlimit(resource.RLIMIT_CPU)[1])
    sort, held = answer(data, name, optimize)
    out.write(sort + b"%%08x" %% len(held) + held)
    out.flush()
"""


# Interpreters start here: a shim of pyenv or asdf asks files of the current folder what to run.
NEUTRAL_FOLDER = os.path.abspath(os.sep)


def environment() -> dict[str, str]:
    """The environment without what configures Python, or leads its shims to another folder."""
    return {
        name: held
        for name, held in os.environ.items()
        if not name.startswith("PYTHON") and name not in ("PYENV_DIR", "PYENV_FILE_ARG")
    }


class Compiler:
    """One such process. It is started at the first request, and anew when it has died."""

    def __init__(self, path: str, seconds: int, memory: int, options: tuple[str, ...] = ()) -> None:
        """Start nothing yet.

        Args:
            path: The interpreter.
            seconds: For each request.
            memory: Bytes of address space.
            options: Of its command line, beside those that isolate it.
        """
        self.path = path
        self.seconds = seconds
        script = _SCRIPT % {"seconds": seconds, "memory": memory}
        self.command = [path, "-I", "-S", *options, "-c", script]
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this does

    def ask(self, data: bytes, filename: str, optimize: int) -> tuple[bytes, bytes]:
        """Have some source compiled: the letter of the answer, and its bytes.

        Raises:
            InterpreterError: The process does not start, died, or gave no answer in time.
        """
        process = self._started()
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.seconds, end)
        timer.daemon = True
        timer.start()
        try:
            return self._answer(process, data, filename, optimize)
        except BaseException as error:
            timer.cancel()
            ending = self._ended()
            if late.is_set():
                raise InterpreterError(
                    f"{self.path} gave no answer in {self.seconds} seconds"
                ) from error
            if isinstance(error, OSError | EOFError | ValueError):
                raise InterpreterError(
                    f"{self.path} failed to compile the source", file=filename, found=ending
                ) from error
            raise
        finally:
            timer.cancel()

    def _answer(
        self, process: subprocess.Popen[bytes], data: bytes, filename: str, optimize: int
    ) -> tuple[bytes, bytes]:
        given, answer = process.stdin, process.stdout
        assert given is not None
        assert answer is not None
        given.write(json.dumps([filename, optimize, len(data)]).encode() + b"\n")
        given.write(data)
        given.flush()
        head = answer.read(9)
        if len(head) < 9:
            raise EOFError
        size = int(head[1:], 16)
        held = answer.read(size)
        if len(held) < size:
            raise EOFError
        return head[:1], held

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            try:
                self._process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._complaints,
                    cwd=NEUTRAL_FOLDER,
                    env=environment(),
                )
            except (OSError, ValueError) as error:
                raise InterpreterError(f"{self.path} does not start: {error}") from error
        return self._process

    def _ended(self) -> str:
        """End the process; how it had ended: its signal, or what it wrote last to stderr."""
        process, self._process = self._process, None
        if process is None:
            return "it did not start"
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                pipe.close() if pipe is not None else None
        try:
            status = process.wait(1)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        if status < 0:
            return f"it was ended by signal {-status}"
        self._complaints.seek(0)
        lines = self._complaints.read().decode("utf-8", "replace").strip().splitlines()
        self._complaints.seek(0)
        self._complaints.truncate()
        return f"exit code {status}" + (f": {lines[-1]}" if lines else "")

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._ended()
        self._complaints.close()
