"""One package in a process of its own: import all of it, audit what lives, reproduce what SIG says.

    python tools/audit_live.py PACKAGE...

Started by tools/audit_precision.py, in an empty folder and under limits, because it runs the
packages' code. Prints a line of JSON for each package, for each finding, and for each object of
which a SIG rule has told something: with what a real call of it has shown.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from coscope.audits.options import Options
from coscope.audits.running.engine import audit_subjects, merged, run_rule, with_bounds
from coscope.audits.selection import all_rules, holds
from coscope.audits.subject.live import subjects_of
from coscope.model import Finding
from sig_reproduction import Answer, reproduced

LEFT_OUT = frozenset({"test", "tests", "testing", "conftest", "__main__", "setup", "idlelib"})
"""Parts of names of modules that are not imported: tests, and what runs when it is imported."""


def modules_below(package: str) -> Iterator[str]:
    """The names of a package and of its submodules, without tests and scripts."""
    yield package
    path = vars(sys.modules[package]).get("__path__") or ()
    for found in iter_modules(path):
        if found.name in LEFT_OUT or found.name.startswith(("test_", "_test")):
            continue
        name = f"{package}.{found.name}"
        if _imported(name) is None:
            yield from modules_below(name)


def _imported(name: str) -> str | None:
    """Import a module; why it could not be imported."""
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            import_module(name)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None


def live_findings(package: str) -> Iterator[tuple[Finding, Answer | None]]:
    """What the live rules find about what was imported: SIG findings for each object, reproduced.

    Then all findings as an audit tells them, without a call.
    """
    options = Options()
    live = [rule for rule in all_rules() if rule.live]
    signature = [rule for rule in live if rule.code.startswith("SIG")]
    found = []
    for subject in subjects_of(package, replace(options, pickle=True)):
        for rule in signature:
            if holds(rule, subject.version):
                for finding in run_rule(rule, subject):
                    yield finding, reproduced(finding, subject)
                    if rule.code != "SIG109":  # told only where pickling is asked for
                        found.append(finding)
    others = [rule for rule in live if rule not in signature]
    told_once = [*merged(found), *audit_subjects(subjects_of(package, options), others)]
    for finding in with_bounds(told_once, live, options):
        yield finding, None


def told(finding: Finding, root: list[str]) -> dict[str, Any]:
    """A finding as a line of JSON: its file by its path below a folder of `sys.path`."""
    file = finding.file or ""
    inside = next(
        (file[len(folder) + 1 :] for folder in root if file.startswith(f"{folder}/")), file
    )
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "file": inside,
        "line": finding.line,
        "code": finding.code,
        "target": finding.target,
        "message": finding.message,
        "source": _line(file, finding.line),
        "evidence": [each.text for each in finding.evidence],
        "nanoseconds": finding.nanoseconds,
    }


def _line(file: str, line: int | None) -> str:
    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[line - 1].strip() if line and line <= len(lines) else ""


def roots() -> list[str]:
    """The folders of `sys.path`, the longest first."""
    return sorted({os.path.abspath(each) for each in sys.path}, key=len, reverse=True)


def main(packages: Iterable[str]) -> None:
    """Import, audit, and reproduce."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what modules print is no part of the answer
    warnings.simplefilter("ignore")
    # What a package does to the process when it is imported must not end the audit of the others.
    os._exit = lambda status: (_ for _ in ()).throw(SystemExit(status))
    for package in packages:
        why = _imported(package)
        if why is not None:
            print(json.dumps({"package": package, "unread": why}), file=out, flush=True)
            continue
        count = sum(1 for _ in modules_below(package))
        gc.collect()
        folders = roots()
        print(json.dumps({"package": package, "modules": count}), file=out, flush=True)
        for finding, answer in live_findings(package):
            entry = {"package": package, **told(finding, folders)}
            if answer is not None:
                entry.update(reproduced=answer[0], how=answer[1])
            print(json.dumps(entry), file=out, flush=True)
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
