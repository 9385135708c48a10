"""Starts the processes that measure, and reads their answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from coscope.audits.warm.command import STEP_ASIDE, arguments_of
from coscope.errors import InputError, InterpreterError

_INSIDE = str(Path(__file__).with_name("inside"))
_SECONDS = 900  # that one process may take

# Loads `inside/` into any CPython, and leaves no trace of it among the modules: what is measured
# may be coscope itself. No bytecode is written beside coscope's files.
_LOAD = """\
import sys, types

def _load(folder, name):
    held = {n: m for n, m in sys.modules.items() if n.partition(".")[0] == "coscope"}
    quiet, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    for each, path in ("coscope", []), ("coscope.tuner", []), ("coscope.tuner.inside", [folder]):
        sys.modules[each] = types.ModuleType(each)
        sys.modules[each].__path__ = path
    try:
        import importlib
        return importlib.import_module("coscope.tuner.inside." + name)
    finally:
        sys.dont_write_bytecode = quiet
        for each in [n for n in sys.modules if n.partition(".")[0] == "coscope"]:
            del sys.modules[each]
        sys.modules.update(held)
"""

_ANSWER = _LOAD + "\n_load(sys.argv.pop(), 'main').main()\n"

# Runs in the Python of a test command.
_SITECUSTOMIZE = (
    STEP_ASIDE
    + _LOAD
    + """
def _begin():
    import json, os
    _step_aside()
    settings = json.loads(os.environ["COSCOPE_TUNE"])
    _load(settings["inside"], "command").begin(settings)

_begin()
"""
)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Names of functions that give seconds: what code costs, and how long it takes."""

    cost: str = "time:thread_time"
    wall: str = "time:perf_counter"


@dataclass(slots=True)
class Ran:
    """What the processes of one test command reported together."""

    status: int  # of the command
    ending: str = ""  # the last line that it printed
    seconds: list[float] = field(default_factory=list)
    """In the outermost calls of each form, thread CPU time."""
    calls: int = 0
    process: float = 0.0  # seconds of CPU time of the Python processes that used the function
    lines: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Processes:
    """Measures by one interpreter."""

    interpreter: str
    clocks: Clocks = Clocks()

    def ask(self, what: str, **request: object) -> dict[str, Any]:
        """One request to a process of its own, in the current folder.

        Raises:
            InputError: What the user gave failed there.
            InterpreterError: The process does not answer.
        """
        request |= {"do": what, "clock": self.clocks.cost, "wall": self.clocks.wall}
        try:
            done = subprocess.run(
                [self.interpreter, "-c", _ANSWER, _INSIDE],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise InterpreterError(f"no answer after {_SECONDS} seconds") from error
        except OSError as error:
            raise InterpreterError(f"{self.interpreter} does not start: {error}") from error
        answer = _answer(done.stdout)
        if answer is None:
            told = done.stderr.strip().splitlines()
            raise InterpreterError(
                "the process that measures ended without an answer",
                found=told[-1] if told else f"exit status {done.returncode}",
            )
        if "error" in answer:
            where = f" (raised at {answer['raised']})" if answer.get("raised") else ""
            raise InputError(f"{answer['error']}{where}")
        return answer

    def run(
        self,
        command: str,
        target: str,
        forms: Sequence[str | None],
        *,
        shift: int = 0,
        seed: int = 1,
        counts: bool = False,
    ) -> Ran:
        """Run a test command, in which forms of the function take turns.

        Args:
            command: As typed in a shell, without its operators: "pytest -q tests/test_shop.py".
            target: "package.module:function".
            forms: Changed texts of its file; None for the function as it is.
            shift: The form that begins.
            seed: Of the hashes of strings, unless the environment fixes them.
            counts: Count how often the lines of the function run; it takes longer.

        Raises:
            InputError: The command cannot be started, or never calls the function.
        """
        with _results() as (folder, results), tempfile.TemporaryFile() as output:
            settings = {
                "target": target,
                "forms": list(forms),
                "shift": shift,
                "count": counts,
                "clock": self.clocks.cost,
                "results": str(results),
                "inside": _INSIDE,
            }
            status = self._execute(command, folder, settings, seed, output)
            ran = Ran(status, _ending(output))
            told = [json.loads(path.read_text("utf-8")) for path in sorted(results.glob("*.json"))]
        ran.seconds = [0.0] * len(forms)
        return _together(ran, told, target, command)

    def _execute(
        self,
        command: str,
        folder: str,
        settings: dict[str, object],
        seed: int,
        output: IO[bytes],
    ) -> int:
        environment = dict(os.environ)
        before = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = folder if not before else os.pathsep.join((folder, before))
        environment["COSCOPE_TUNE"] = json.dumps(settings)
        environment.setdefault("PYTHONHASHSEED", str(seed))
        path = (os.path.dirname(self.interpreter), environment.get("PATH", ""))
        environment["PATH"] = os.pathsep.join(path)
        words = arguments_of(command, self.interpreter)
        try:
            return subprocess.run(
                words,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired as error:
            raise InputError(f"the command takes over {_SECONDS} seconds", found=command) from error
        except OSError as error:
            raise InputError(f"the command cannot be started: {error}", found=words[0]) from error


def interpreter_of(path: str | None) -> str:
    """The interpreter to measure on: the given one, or this one.

    Raises:
        InterpreterError: This process cannot start others, as inside Pyodide.
    """
    found = path or sys.executable
    if not found or sys.platform == "emscripten" or shutil.which(found) is None:
        raise InterpreterError(
            "tune needs processes of its own, and none can be started here",
            expected="a CPython on a machine of its own, not one inside of a browser",
        )
    return found


def _answer(text: str) -> dict[str, object] | None:
    try:
        found: dict[str, object] = json.loads(text.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return None
    return found


@contextmanager
def _results() -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="coscope-tune-") as folder:
        results = Path(folder, "results")
        results.mkdir()
        Path(folder, "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
        yield folder, results


def _ending(output: IO[bytes]) -> str:
    """The last line of a command's output that is not empty."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - 4096))
    lines = output.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _together(found: Ran, told: list[dict[str, Any]], target: str, command: str) -> Ran:
    for each in told:
        if each["error"] is not None:
            raise InputError(f"{target}: {each['error']}")
    for each in told:
        if each["calls"]:
            found.seconds = [a + b for a, b in zip(found.seconds, each["seconds"], strict=True)]
        found.calls += each["calls"]
        found.process += each["process"]
        for line, times in each["lines"].items():
            found.lines[int(line)] = found.lines.get(int(line), 0) + times
    if not found.calls and found.status == 0:
        raise InputError(
            f"the command does not run {target}",
            found=command,
            hint="It must use the module in a Python process that honours PYTHONPATH.",
        )
    return found
