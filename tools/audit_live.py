"""One package in a process of its own: import all of it, audit what lives, reproduce what SIG says.

    python tools/audit_live.py PACKAGE... [--reproduce]

Started by tools/audit_precision.py, in an empty folder and under limits, because it runs the
packages' code. Prints a line of JSON for each finding, and one for each module that could not be
imported. With `--reproduce` each finding of a SIG rule is followed by a real call.
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

from coscope.audits.engine import audit_subjects, run_rule, with_bounds
from coscope.audits.facts import Subject
from coscope.audits.facts_live import subjects_of
from coscope.audits.options import Options
from coscope.audits.selection import all_rules, holds_for
from coscope.model import Finding
from sig_reproduction import reproduced

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


def live_findings(package: str) -> Iterator[Finding]:
    """Every finding of the live rules about what was imported of a package."""
    rules, options = all_rules(), Options()
    found = audit_subjects(subjects_of(package, options), rules)
    yield from with_bounds(found, rules, options)


def signature_findings(package: str) -> Iterator[tuple[Finding, Subject]]:
    """The findings of the SIG rules, one for each object: not yet merged by place."""
    rules = [rule for rule in all_rules() if rule.code.startswith("SIG") and rule.live]
    for subject in subjects_of(package, replace(Options(), pickle=True)):
        for rule in rules:
            if holds_for(rule.versions, subject.version):
                for finding in run_rule(rule, subject):
                    yield finding, subject


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


def main(words: Iterable[str]) -> None:
    """Import, audit, and perhaps reproduce."""
    wanted = list(words)
    reproduce = "--reproduce" in wanted
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what modules print is no part of the answer
    warnings.simplefilter("ignore")
    # What a package does to the process when it is imported must not end the audit of the others.
    os._exit = lambda status: (_ for _ in ()).throw(SystemExit(status))
    for package in (each for each in wanted if not each.startswith("--")):
        why = _imported(package)
        if why is not None:
            print(json.dumps({"package": package, "unread": why}), file=out, flush=True)
            continue
        count = sum(1 for _ in modules_below(package))
        gc.collect()
        folders = roots()
        head = {"package": package, "modules": count}
        print(json.dumps(head), file=out, flush=True)
        if reproduce:
            for finding, subject in signature_findings(package):
                yes, how = reproduced(finding, subject)
                entry = {"reproduced": yes, "how": how, **told(finding, folders)}
                print(json.dumps({"package": package, **entry}), file=out, flush=True)
        else:
            for finding in live_findings(package):
                entry = told(finding, folders)
                print(json.dumps({"package": package, **entry}), file=out, flush=True)
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
