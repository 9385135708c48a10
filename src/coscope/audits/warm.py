"""`coscope audit --warm COMMAND`: runs a command with coscope inside, tells what it read there.

The command runs in processes of its own. Each Python among them that honours `PYTHONPATH` loads a
`sitecustomize` that starts `warm_child`, and then the one that it would have loaded without it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from coscope.audits.documents import from_entry
from coscope.audits.engine import in_order, with_bounds
from coscope.audits.options import Options
from coscope.errors import InputError, InterpreterError
from coscope.model import Evidence, Finding
from coscope.rules import Rule

_VARIABLE = "COSCOPE_WARM"
_QUICKEST = 0.8  # nanoseconds that an instruction takes at least, on average

# Runs in the command's Python, which may be of any version. After it the `sitecustomize` that it
# stands before is loaded, as if it were not there.
_SITECUSTOMIZE = """\
import json, os, sys

def _begin():
    settings = json.loads(os.environ["COSCOPE_WARM"])
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != own]
    mine = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize
    except ImportError:
        sys.modules["sitecustomize"] = mine
    try:
        import importlib.util
        if importlib.util.find_spec("coscope") is None:
            sys.path.append(settings["coscope"])
        from coscope.audits.warm_child import begin
    except Exception as error:
        name = os.path.join(settings["results"], "%d.json" % os.getpid())
        with open(name, "w") as file:
            text = "%s: %s: %s" % (sys.version.split()[0], type(error).__name__, error)
            json.dump({"release": "", "findings": [], "error": text}, file)
    else:
        begin(settings)

_begin()
"""


@dataclass(frozen=True, slots=True)
class Warm:
    """What came of a command that was run with coscope inside."""

    findings: tuple[Finding, ...]
    status: int  # exit status of the command
    processes: int  # Python processes that told something
    errors: tuple[str, ...]  # of processes in which nothing could be read


def run(
    command: str,
    packages: Sequence[str],
    rules: Sequence[Rule],
    options: Options,
    python: str | None = None,
) -> list[Finding]:
    """Run a command and give the findings of the warm rules.

    Raises:
        InputError, InterpreterError: As `watch`.
    """
    return list(watch(command, packages, rules, options, python).findings)


def watch(
    command: str,
    packages: Sequence[str],
    rules: Sequence[Rule],
    options: Options,
    python: str | None = None,
) -> Warm:
    """Run a command with coscope inside, and collect what it read when each process ended.

    Args:
        command: As typed in a shell, without its operators: "pytest -q", "script.py", "-m mod".
        packages: Names of packages, files or folders that are of interest.
        rules: Those that are selected; the ones that look at code that has run are used.
        options: Limits of the rules.
        python: The interpreter that "python", a script or "-m" means; else this one.

    Raises:
        InputError: The command is empty, or cannot be started.
        InterpreterError: No Python process told anything.
    """
    arguments = arguments_of(command, python or sys.executable)
    with tempfile.TemporaryDirectory(prefix="coscope-warm-") as folder:
        results = Path(folder, "results")
        results.mkdir()
        Path(folder, "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
        settings = _settings(packages, rules, options, results)
        status = _execute(arguments, folder, settings, python or sys.executable)
        entries = [json.loads(path.read_text("utf-8")) for path in sorted(results.glob("*.json"))]
    told = [entry for entry in entries if entry["error"] is None]
    errors = tuple(entry["error"] for entry in entries if entry["error"] is not None)
    if not told:
        raise InterpreterError(
            "no Python process that the command started could tell what it specialised",
            found="; ".join(errors) or f"exit status {status}",
            expected="a CPython 3.11 or later that ends normally and honours PYTHONPATH",
        )
    wanted = [rule for rule in rules if rule.warm]
    return Warm(_merged(told, wanted, options), status, len(told), errors)


def arguments_of(command: str, python: str) -> list[str]:
    """The words of a command; a script, "-m" and "python" are run by the given interpreter.

    Raises:
        InputError: There are none, or quotes are not closed.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"the command cannot be read: {error}", found=command) from error
    if not words:
        raise InputError("the command is empty", hint="--warm 'pytest -q'")
    first = words[0]
    if first in ("python", "python3"):
        return [python, *words[1:]]
    if first.startswith("-") or (first.endswith(".py") and not shutil.which(first)):
        return [python, *words]
    if first.endswith(".py") and os.path.exists(first):
        return [python, *words]
    beside = os.path.join(os.path.dirname(python), first)
    return [beside if os.path.exists(beside) else first, *words[1:]]


def _settings(
    packages: Sequence[str], rules: Sequence[Rule], options: Options, results: Path
) -> dict[str, Any]:
    folders = [os.path.abspath(each) for each in packages if os.path.exists(each)]
    return {
        "packages": [each for each in packages if not os.path.exists(each)],
        "folders": folders,
        "rules": [rule.code for rule in rules if rule.warm],
        "options": asdict(options),
        "results": str(results),
        "coscope": str(Path(__file__).parents[2]),
    }


def _execute(arguments: list[str], folder: str, settings: dict[str, Any], python: str) -> int:
    before = os.environ.get("PYTHONPATH")
    environment = dict(os.environ)
    environment["PYTHONPATH"] = folder if not before else os.pathsep.join((folder, before))
    environment[_VARIABLE] = json.dumps(settings)
    environment["PATH"] = os.pathsep.join((os.path.dirname(python), os.environ.get("PATH", "")))
    try:
        # What the command says is not part of the report.
        return subprocess.run(
            arguments, env=environment, stdout=sys.stderr.fileno(), check=False
        ).returncode
    except OSError as error:
        raise InputError(f"the command cannot be started: {error}", found=arguments[0]) from error


def _merged(
    told: Iterable[dict[str, Any]], rules: Sequence[Rule], options: Options
) -> tuple[Finding, ...]:
    """The findings of all processes, each place once, with what they cost here."""
    rounds: dict[tuple[str, str | None, str, int | None], int] = {}
    findings: dict[tuple[str, str | None, str, int | None], Finding] = {}
    for entry in told:
        for each in entry["findings"]:
            finding = from_entry(each["finding"])
            key = finding.rule, finding.file, finding.code, finding.offset
            rounds[key] = each["round"]
            findings.setdefault(key, finding)
    kept = []
    for finding in with_bounds(findings.values(), rules, options):
        key = finding.rule, finding.file, finding.code, finding.offset
        shown = _shared(finding, rounds[key], options)
        if shown is not None:
            kept.append(shown)
    return in_order(kept)


def _shared(finding: Finding, instructions: int, options: Options) -> Finding | None:
    """The finding with its share of a round of its loop; None if that is too small in any case."""
    lost = finding.nanoseconds
    if lost is None or instructions == 1:
        return finding
    share = lost / max(lost, instructions * _QUICKEST)
    if share < options.least_share:
        return None
    text = f"at least {instructions} instructions are executed in each round of its loop"
    return replace(finding, evidence=(*finding.evidence, Evidence(text)))
