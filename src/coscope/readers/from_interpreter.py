"""Another CPython on this machine, asked to compile a source file. It executes nothing of it.

It answers with marshal bytes that `codec.unmarshal` reads; `compiling` says how, and under which
limits.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from coscope.codec.unmarshal import load
from coscope.errors import InterpreterError, SourceError
from coscope.model import Code
from coscope.opcodes import VERSIONS, table
from coscope.readers.compiling import NEUTRAL_FOLDER, Compiler, environment
from coscope.readers.from_source import syntax_fault
from coscope.readers.values import shortened

SECONDS = 30  # of wall time and of CPU time for one compilation
MEMORY = 2 * 2**30  # bytes of address space of the process that compiles
_ASKING = 10  # seconds for a candidate to say what it is

_IDENTIFY = """
import json, sys
level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(sys.version_info[3])
release = "%d.%d.%d" % sys.version_info[:3]
json.dump([sys.implementation.name, "%d.%d" % sys.version_info[:2],
    release + (level + str(sys.version_info[4]) if level else "")], sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One CPython on this machine."""

    path: str
    version: str  # "3.13": names the opcode table
    release: str  # "3.13.0"


def find(spec: str) -> Interpreter:
    """Find an interpreter.

    Args:
        spec: A version ("3.13"), a release ("3.13.0"), a command on PATH or a path. Of several
            releases of a version the first found is taken: beside the running interpreter, on
            PATH, then under pyenv, the newest first. Folders of PATH that are relative are left
            out: what is in them depends on the current folder.

    Raises:
        InterpreterError: None matches; the message lists those that were found.
    """
    wanted = re.fullmatch(r"(?:c?python)?-?(\d+\.\d+)(\.\d+\w*)?", spec)
    if wanted is None:
        return identify(_command(spec))
    version, micro = wanted[1], wanted[2]
    for path in _candidates(version):
        try:
            found = identify(path)
        except InterpreterError:
            continue  # a shim of a version that is not installed, or another implementation
        if found.version == version and (micro is None or found.release == version + micro):
            return found
    raise _missing(spec)


def _command(spec: str) -> str:
    """The absolute path of a command on PATH, or of a path."""
    if os.path.dirname(spec):
        command = shutil.which(os.path.abspath(spec))
    else:
        command = shutil.which(spec, path=os.pathsep.join(_folders_of_path()))
    if command is None or not os.path.isabs(command):  # Windows looks in the current folder too
        raise _missing(spec)
    return command


def _folders_of_path() -> list[str]:
    return [folder for folder in os.get_exec_path() if os.path.isabs(folder)]


def installed() -> list[Interpreter]:
    """Every CPython with an opcode table that `find` can see: one of each release, oldest first.

    The shims of pyenv are left out, because they are slow to ask; the interpreters that they start
    are looked at.
    """
    found: dict[str, Interpreter] = {}
    for path in _candidates(None):
        if Path(path).parent.name == "shims":
            continue
        try:
            interpreter = identify(path)
        except InterpreterError:
            continue
        if interpreter.version in VERSIONS:
            found.setdefault(interpreter.release, interpreter)
    return sorted(found.values(), key=lambda each: _natural(each.release))


@lru_cache(maxsize=64)
def identify(path: str) -> Interpreter:
    """Ask an interpreter what it is.

    Raises:
        InterpreterError: It does not start, does not answer in time, or is not CPython.
    """
    result = _run([path, "-I", "-S", "-c", _IDENTIFY], b"", _ASKING)
    try:
        implementation, version, release = json.loads(result.stdout)
    except (ValueError, TypeError) as error:
        raise InterpreterError(
            f"{path} does not answer as a Python interpreter", found=_ending(result)
        ) from error
    if implementation != "cpython":
        raise InterpreterError(f"{path} is not CPython", found=implementation)
    return Interpreter(path, version, release)


def compile_source(
    interpreter: Interpreter, data: bytes, filename: str, *, optimize: int = 0
) -> Code:
    """Compile source bytes by another interpreter, without running any of them.

    Raises:
        SourceError: The source does not compile there.
        InterpreterError: The child failed, or reached a limit.
        UnknownVersion: coscope has no opcode table for that version.
    """
    opcodes = table(interpreter.version)
    answer = marshalled(interpreter, data, filename, optimize=optimize)
    code = load(answer, opcodes, file=filename)
    if not isinstance(code, Code):
        raise InterpreterError(
            f"{interpreter.path} answered without a code object", found=type(code).__name__
        )
    return with_release(code, interpreter.release)


def marshalled(
    interpreter: Interpreter,
    data: bytes,
    filename: str,
    *,
    optimize: int = 0,
    columns: bool = True,
) -> bytes:
    """What another interpreter would write behind the header of a .pyc file.

    Args:
        interpreter: Compiles, and executes nothing of what it compiles.
        data: The source.
        filename: `co_filename`.
        optimize: 0, 1 or 2.
        columns: False: as with `-X no_debug_ranges`.

    Raises:
        SourceError: The source does not compile there.
        InterpreterError: The child failed, or reached a limit.
    """
    with _compiler(interpreter.path, columns) as compiler:
        sort, answer = compiler.ask(data, filename, optimize)
    if sort == b"S":
        raise syntax_fault(filename, *json.loads(answer))
    if sort == b"D":
        raise SourceError(
            f"the source is nested too deeply for the compiler of CPython {interpreter.release}",
            file=filename,
            found=json.loads(answer),
        )
    return answer


# By path, and whether columns are kept; while `kept` is entered.
_kept: dict[tuple[str, bool], Compiler] | None = None


@contextmanager
def kept() -> Iterator[None]:
    """Meanwhile, one process of each interpreter compiles all files, not one for each file."""
    global _kept
    if _kept is not None:
        yield
        return
    _kept = {}
    try:
        yield
    finally:
        compilers, _kept = _kept, None
        for each in compilers.values():
            each.close()


@contextmanager
def _compiler(path: str, columns: bool) -> Iterator[Compiler]:
    options = () if columns else ("-X", "no_debug_ranges")
    if _kept is not None:
        if (path, columns) not in _kept:
            _kept[path, columns] = Compiler(path, SECONDS, MEMORY, options)
        yield _kept[path, columns]
        return
    with closing(Compiler(path, SECONDS, MEMORY, options)) as compiler:
        yield compiler


def with_release(code: Code, release: str) -> Code:
    """The code object with its release named, and so every one nested in it."""
    done: dict[int, Code] = {}
    for each in reversed(list(code.walk())):
        consts = tuple(_replaced(constant, done) for constant in each.consts)
        done[id(each)] = replace(each, consts=consts, release=release)
    return done[id(code)]


def _replaced(constant: object, done: dict[int, Code]) -> object:
    return done[id(constant)] if isinstance(constant, Code) else constant


def _candidates(version: str | None) -> Iterator[str]:
    """Paths that may be interpreters: the running one, its siblings, PATH, pyenv."""
    names = [f"python{version}"] if version else ["python3", "python"]
    pattern = re.compile(r"python3\.\d+(\.exe)?")
    seen: set[str] = set()
    names += [f"{name}.exe" for name in names]
    paths = [Path(sys.executable)]
    for folder in [Path(sys.executable).parent, *map(Path, _folders_of_path())]:
        if version is None:
            paths += [entry for entry in _entries(folder) if pattern.fullmatch(entry.name)]
        paths += [folder / name for name in names]
    for path in [*paths, *_pyenv(version)]:
        text = str(path)
        if text not in seen and path.is_file() and os.access(path, os.X_OK):
            seen.add(text)
            yield text


def _pyenv(version: str | None) -> list[Path]:
    """Interpreters under pyenv, newest first."""
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    named = [
        entry
        for entry in _entries(home / "versions")
        if version is None or entry.name == version or entry.name.startswith(f"{version}.")
    ]
    named.sort(key=lambda entry: _natural(entry.name), reverse=True)
    return [entry / "bin" / "python" for entry in named] + [entry / "python.exe" for entry in named]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _natural(release: str) -> list[tuple[bool, int, str]]:
    """Sort key: numbers by value, so that 3.9 comes before 3.10, and final after candidates."""
    parts = re.findall(r"\d+|[a-z]+", release)
    key = [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
    return [*key, (True, 0, "")]


def _missing(spec: str) -> InterpreterError:
    found = ", ".join(f"{each.release} ({each.path})" for each in installed())
    newest = VERSIONS[-1]
    return InterpreterError(
        f"no interpreter {spec!r} on this machine",
        found=found or "none",
        hint=f"Name a version such as {newest}, a release such as {newest}.0, or a path.",
    )


def _run(command: list[str], data: bytes, seconds: int) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=seconds,
            check=False,
            cwd=NEUTRAL_FOLDER,
            env=environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise InterpreterError(f"{command[0]} gave no answer in {seconds} seconds") from error
    except (OSError, ValueError) as error:
        raise InterpreterError(f"{command[0]} does not start: {error}") from error


def _ending(result: subprocess.CompletedProcess[bytes]) -> str:
    """How a child ended: its signal, or the last line that it wrote to stderr."""
    if result.returncode < 0:
        return f"it was ended by signal {-result.returncode}"
    lines = result.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"exit code {result.returncode}" + (f": {shortened(lines[-1])}" if lines else "")
