"""`coscope audit --warm COMMAND`: runs a command with coscope inside, reports what it read there.

The command runs in processes of its own. Each Python among them that honours `PYTHONPATH` loads a
`sitecustomize` that starts `child`, and then the one that it would have loaded without it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any

from coscope.audits.options import Options
from coscope.audits.running.documents import from_entry
from coscope.audits.running.engine import in_order, with_bounds
from coscope.audits.warm.specialization import specializes
from coscope.audits.warm.watched import Key, Watched, static_entries, watched_in
from coscope.errors import InputError, InterpreterError
from coscope.inside import STEP_ASIDE as STEP_ASIDE
from coscope.model import Evidence, Finding
from coscope.opcodes import VERSIONS
from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION
from coscope.readers.from_interpreter import find
from coscope.rules import Rule

_VARIABLE = "COSCOPE_WARM"
_DEVIATIONS = 1.96  # standard ones, beyond which a normal variable lies in 2.5% of all cases
_QUICKEST = 0.8  # nanoseconds that an instruction takes at least, on average
_QUICKEST_CALL = 10.0  # and one that calls

# Runs in the command's Python.
_SITECUSTOMIZE = (
    STEP_ASIDE
    + """
import json, os

def _begin():
    settings = json.loads(os.environ["COSCOPE_WARM"])
    _step_aside()
    version = "%d.%d" % sys.version_info[:2]
    if sys.implementation.name != "cpython" or version not in settings["versions"]:
        name = os.path.join(settings["results"], "%d.json" % os.getpid())
        with open(name, "w") as file:
            text = "it ran %s %s" % (sys.implementation.name, sys.version.split()[0])
            json.dump({"release": "", "error": text}, file)
        return
    try:
        import importlib, importlib.util
        if importlib.util.find_spec("coscope") is None:
            sys.path.append(settings["coscope"])
        begin = importlib.import_module(settings["child"]).begin
    except Exception as error:
        name = os.path.join(settings["results"], "%d.json" % os.getpid())
        with open(name, "w") as file:
            text = "%s: %s: %s" % (sys.version.split()[0], type(error).__name__, error)
            json.dump({"release": "", "error": text}, file)
    else:
        begin(settings)

_begin()
"""
)


@dataclass(frozen=True, slots=True)
class Warm:
    """What came of a command that was run with coscope inside."""

    findings: tuple[Finding, ...]
    status: int  # exit status of the command
    processes: int  # Python processes that reported something
    errors: tuple[str, ...]  # of processes in which nothing could be read
    files: int  # in which functions were seen to run
    functions: int  # that were seen to run: of others nothing is known
    releases: tuple[str, ...]  # of CPython, of the processes that reported
    unread: tuple[str, ...]  # functions whose locals were not read, since this CPython would crash


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
        InterpreterError: No Python process reported anything, or another Python than this one ran
            though `python` does not ask for it, and nothing was found.
    """
    inside = {
        "child": "coscope.audits.warm.child",
        "packages": [each for each in packages if not os.path.exists(each)],
        "folders": [os.path.abspath(each) for each in packages if os.path.exists(each)],
        "rules": [rule.code for rule in rules if rule.warm],
        "families": sorted({rule.module.rpartition(".")[0] for rule in rules if rule.warm}),
        "options": asdict(options),
    }
    done = execute(command, inside, python)
    watched = watched_in(done.told)
    warm = Warm(
        _merged(_entries(done.told, watched, rules, options, python), rules, options),
        done.status,
        len(done.told),
        done.errors,
        files=len({file for file, _, _ in watched}),
        functions=len(watched),
        releases=tuple(sorted({entry["release"] for entry in done.told})),
        unread=tuple(sorted({name for entry in done.told for name in entry["unread"]})),
    )
    if not warm.findings and python is None and HOST_RELEASE not in warm.releases:
        _refuse(warm)
    return warm


def _entries(
    told: Sequence[dict[str, Any]],
    watched: Mapping[Key, Watched],
    rules: Sequence[Rule],
    options: Options,
    python: str | None,
) -> Iterator[dict[str, Any]]:
    """What the processes have found; then what static rules find at other sites that ran.

    Those are asked only where all processes were of the version that compiles the files here.
    """
    known = set()
    for entry in told:
        for each in entry["findings"]:
            found = each["finding"]
            known.add((os.path.abspath(found["file"] or ""), found["code"], found["offset"]))
            yield each
    versions = {".".join(entry["release"].split(".")[:2]) for entry in told}
    compiles = HOST_VERSION if python is None else find(python).version
    if versions == {compiles}:
        for each in static_entries(watched, rules, options, python):
            found = each["finding"]
            if (found["file"], found["code"], found["offset"]) not in known:
                yield each


def _refuse(warm: Warm) -> None:
    """Nothing was found, by another Python than this one: that is no answer about this one."""
    raise InterpreterError(
        f"the command ran CPython {' and '.join(warm.releases)}, coscope runs on {HOST_RELEASE}:"
        f" {watched_text(warm)}, and nothing was found there",
        hint="Run coscope with the Python that the command runs, or name it with --python.",
    )


def watched_text(warm: Warm) -> str:
    """ "2 functions in 1 file were watched"."""
    functions = f"{warm.functions:,} function{'' if warm.functions == 1 else 's'}"
    files = f"{warm.files:,} file{'' if warm.files == 1 else 's'}"
    return f"{functions} in {files} {'was' if warm.functions == 1 else 'were'} watched"


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has run."""

    told: tuple[dict[str, Any], ...]  # what each process wrote that could read something
    status: int  # exit status
    errors: tuple[str, ...]  # of processes in which nothing could be read


def execute(command: str, settings: dict[str, Any], python: str | None = None) -> Done:
    """Run a command with coscope inside each of its Python processes.

    Args:
        command: As for `watch`.
        settings: For `begin(settings)` of the module that `child` names, which runs when a process
            starts. At its end it writes a file into the folder `results`: an object with `error`.
        python: As for `watch`.

    Raises:
        InputError, InterpreterError: As `watch`.
    """
    arguments = arguments_of(command, python or sys.executable)
    with tempfile.TemporaryDirectory(prefix="coscope-warm-") as folder:
        results = Path(folder, "results")
        results.mkdir()
        Path(folder, "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
        here = {
            "results": str(results),
            "coscope": str(Path(__file__).parents[3]),
            "versions": [version for version in VERSIONS if specializes(version)],
        }
        status = _start(arguments, folder, {**settings, **here}, python or sys.executable)
        entries = [json.loads(path.read_text("utf-8")) for path in sorted(results.glob("*.json"))]
    told = [entry for entry in entries if entry["error"] is None]
    errors = tuple(entry["error"] for entry in entries if entry["error"] is not None)
    if not told and errors:
        raise InterpreterError(
            "no function was watched: coscope can read no Python that the command ran",
            found="; ".join(dict.fromkeys(errors)),
            expected=f"CPython {', '.join(here['versions'])}",
        )
    if not told:
        raise InterpreterError(
            "no function was watched: no Python process of the command reported anything",
            found=f"exit status {status}",
            expected="a CPython that ends normally and honours PYTHONPATH and sitecustomize",
        )
    return Done(tuple(told), status, errors)


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


def _start(arguments: list[str], folder: str, settings: dict[str, object], python: str) -> int:
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
    entries: Iterable[dict[str, Any]], rules: Sequence[Rule], options: Options
) -> tuple[Finding, ...]:
    """The findings of all processes, each place once, with what they cost here; the one by which
    most can be saved is the first."""
    known: dict[tuple[str, str | None, str, int | None], dict[str, Any]] = {}
    findings = []
    for each in entries:
        finding = from_entry(each["finding"])
        before = known.get(_key(finding))
        if before is None:
            known[_key(finding)] = each
            findings.append(finding)
        else:
            pairs = zip(before["samples"], each["samples"], strict=True)
            before["samples"] = [sum(pair) for pair in pairs]
            before["seconds"] += each["seconds"]
            limits = before["most"], each["most"]
            before["most"] = None if None in limits else sum(limits)
    kept = []
    for finding in with_bounds(findings, rules, options):
        told_of = known[_key(finding)]
        inside, samples = told_of["samples"]
        if not samples:
            continue  # what share of its function's time it takes is not known: nobody saw it run
        if _is_little(finding.nanoseconds, told_of, options.least_share):
            continue
        share = most_of_a_round(finding.nanoseconds, *told_of["round"])
        if share * most_likely(inside, samples) >= options.least_share:
            where = "each round of its loop" if told_of["loops"] else "each call before it"
            instructions, calls = told_of["round"]
            text = f"at least {instructions} instructions, {calls} of them calls, in {where}"
            evidence = (*finding.evidence, Evidence(text))
            kept.append(_with_totals(replace(finding, evidence=evidence), told_of, share))
    return tuple(sorted(in_order(kept), key=lambda each: -(each.saved or 0.0)))


def _with_totals(finding: Finding, told_of: dict[str, Any], share: float) -> Finding:
    """A finding with how often its site ran at most, and what could be saved at most.

    Args:
        finding: What was found.
        told_of: The samples of its function and of its loop, and limits by counters.
        share: Of a round, that the operation loses at most.
    """
    inside, samples = told_of["samples"]
    if finding.nanoseconds is None or finding.nanoseconds <= 0:
        return finding
    each = finding.nanoseconds / 1e9
    runs = share * told_of["seconds"] * inside / samples / each
    if told_of["most"] is not None:
        runs = min(runs, told_of["most"])
    return replace(finding, runs=round(runs), saved=round(runs * each, 6))


def _is_little(lost: float | None, told_of: dict[str, Any], least: float) -> bool:
    """True if all executions of a site together lose too small a share of its function's time."""
    most: int | None = told_of["most"]
    if lost is None or most is None:
        return False
    return bool(most * lost / 1e9 < least * told_of["seconds"])


def _key(finding: Finding) -> tuple[str, str | None, str, int | None]:
    return finding.rule, finding.file, finding.code, finding.offset


def most_of_a_round(lost: float | None, instructions: int, calls: int) -> float:
    """The share of a round that an operation loses at most; 1.0 if it is not known what it loses.

    Args:
        lost: Nanoseconds.
        instructions: Of the round, at least.
        calls: That are among them.
    """
    if lost is None or lost <= 0:
        return 1.0
    return lost / (lost + (instructions - 1 - calls) * _QUICKEST + calls * _QUICKEST_CALL)


def most_likely(inside: int, samples: int) -> float:
    """Of the time that samples were taken from, the share of those `inside`: at most, with a
    probability of 97.5% (the upper end of Wilson's interval).

    >>> round(most_likely(0, 100), 3), round(most_likely(50, 100), 3), most_likely(0, 0)
    (0.037, 0.596, 1.0)
    """
    if not samples:
        return 1.0
    spread = _DEVIATIONS**2 / samples
    share = inside / samples
    middle = share + spread / 2
    return (middle + sqrt(spread * (share * (1 - share) + spread / 4))) / (1 + spread)
