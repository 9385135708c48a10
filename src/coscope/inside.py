"""Runs a command with a part of coscope inside each of its Python processes.

Each Python among them that honours `PYTHONPATH` loads a `sitecustomize` that starts the part, and
then the one that it would have loaded without it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coscope.errors import InputError
from coscope.opcodes import VERSIONS

VARIABLE = "COSCOPE_INSIDE"

# How a `sitecustomize` of ours, in any Python, loads the one that it stands before, as if it were
# not there.
STEP_ASIDE = """\
import sys

def _step_aside():
    import os
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != own]
    mine = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize
    except ImportError:
        sys.modules["sitecustomize"] = mine
"""

# Runs in the command's Python. `begin(settings)` of the module that the settings name returns
# nothing; what it reports it writes into the folder `results` when the process ends.
_SITECUSTOMIZE = (
    STEP_ASIDE
    + """
import json, os

def _begin():
    settings = json.loads(os.environ["COSCOPE_INSIDE"])
    _step_aside()
    version = "%d.%d" % sys.version_info[:2]
    try:
        if sys.implementation.name != "cpython" or version not in settings["versions"]:
            raise ImportError("it ran %s %s" % (sys.implementation.name, version))
        import importlib, importlib.util
        if importlib.util.find_spec("coscope") is None:
            sys.path.append(settings["coscope"])
        begin = importlib.import_module(settings["part"]).begin
    except Exception as error:
        name = os.path.join(settings["results"], "%d.failed" % os.getpid())
        with open(name, "w") as file:
            file.write("%s: %s" % (type(error).__name__, error))
    else:
        begin(settings)

_begin()
"""
)


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has run."""

    status: int  # exit status; of a signal, 128 and its number
    reports: tuple[dict[str, Any], ...]  # what the processes wrote, in order of their names
    failed: tuple[str, ...]  # of processes in which the part could not be loaded


def run(command: Sequence[str], part: str, settings: dict[str, object]) -> Done:
    """Run a command as it is, a part of coscope inside.

    Args:
        command: Its words; "python" and a script mean the Python that runs this.
        part: Module whose `begin(settings)` runs when a process starts.
        settings: For it; JSON data. `results` is added: the folder of the reports.

    Raises:
        InputError: The command cannot be started.
    """
    words = words_of(command)
    with tempfile.TemporaryDirectory(prefix="coscope-") as folder:
        results = Path(folder, "results")
        results.mkdir()
        Path(folder, "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
        here = {
            "results": str(results),
            "part": part,
            "coscope": str(Path(__file__).parents[1]),
            "versions": list(VERSIONS),
        }
        status = _start(words, folder, {**settings, **here})
        reports = [json.loads(path.read_text("utf-8")) for path in sorted(results.glob("*.json"))]
        failed = [path.read_text("utf-8") for path in sorted(results.glob("*.failed"))]
    return Done(status, tuple(reports), tuple(dict.fromkeys(failed)))


def words_of(command: Sequence[str]) -> list[str]:
    """The words of a command; a script, "-m", "-c" and "python" are run by this Python.

    Raises:
        InputError: There are none.
    """
    words = list(command)
    if not words:
        raise InputError("there is no command to run", hint="Write it after --: -- python app.py")
    first = words[0]
    if first in ("python", "python3"):
        return [sys.executable, *words[1:]]
    if first.startswith("-") or (first.endswith(".py") and os.path.exists(first)):
        return [sys.executable, *words]
    beside = os.path.join(os.path.dirname(sys.executable), first)
    return [beside if os.path.isfile(beside) else first, *words[1:]]


def write_report(settings: dict[str, Any], report: dict[str, object], name: str = "") -> None:
    """Inside: leave a report. Nothing happens where the command has ended before."""
    path = os.path.join(settings["results"], f"{os.getpid()}{name}.json")
    try:
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            json.dump(report, file)
        os.replace(f"{path}.part", path)
    except OSError:
        return


def _start(words: list[str], folder: str, settings: dict[str, object]) -> int:
    before = os.environ.get("PYTHONPATH")
    environment = dict(os.environ)
    environment["PYTHONPATH"] = folder if not before else os.pathsep.join((folder, before))
    environment[VARIABLE] = json.dumps(settings)
    sys.stdout.flush()
    try:
        status = subprocess.run(words, env=environment, check=False).returncode
    except OSError as error:
        raise InputError(f"the command cannot be started: {error}", found=words[0]) from error
    return status if status >= 0 else 128 - status
