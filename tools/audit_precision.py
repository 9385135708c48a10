"""Audit the standard library and installed packages, and draw findings to check by hand.

    python tools/audit_precision.py collect FINDINGS --site FOLDER [--static] PACKAGE...
    python tools/audit_precision.py draw FINDINGS [--seed 6] [--count 100] [--by-rule 5]
    python tools/audit_precision.py reproduce-sig FINDINGS

`collect` runs all static rules over the files of the standard library and of the packages in a
folder of installed ones, and, unless `--static`, all live rules over the same packages, imported
one by one, each in a process of its own (tools/audit_live.py). Tests are left out. It writes a line
of JSON for each finding, and, for each object of which a live SIG rule has told something, what a
real call of it has shown; `reproduce-sig` prints how many of those calls did what was said. `draw`
prints a table in Markdown: of so many findings that were drawn from all of them with a fixed seed,
each with the same chance; or, with `--by-rule`, of so many of each rule.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import sysconfig
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from coscope.audits.options import Options
from coscope.audits.running.engine import audit_file, with_bounds
from coscope.audits.selection import all_rules
from coscope.errors import CoscopeError

CHILD = Path(__file__).with_name("audit_live.py")
TESTS = frozenset({"test", "tests", "idle_test", "testing", "conftest.py", "turtledemo"})
SECONDS = 600  # for one package
BYTES = 6 * 2**30  # of address space
LIBRARY = "stdlib"
NOT_IMPORTED = frozenset(("antigravity", "this", "idlelib", "turtledemo", "test", "turtle"))

Entry = dict[str, Any]


def files_of(folder: Path) -> Iterator[Path]:
    """The source files below a folder, without tests; of a file itself."""
    if folder.is_file():
        yield folder
        return
    for file in sorted(folder.rglob("*.py")):
        parts = set(file.relative_to(folder).parts)
        if not TESTS & parts and "site-packages" not in parts and not _is_test(file.name):
            yield file


def _is_test(name: str) -> bool:
    return bool(re.match(r"(test_.*|.*_test)\.py$", name))


def static_findings(package: str, folder: Path, root: Path) -> Iterator[Entry]:
    """What the static rules find in the files of a package; those that do not compile have none."""
    rules, options = all_rules(), Options()
    for file in files_of(folder):
        try:
            found = audit_file(str(file), rules, options).findings
        except CoscopeError:
            continue
        lines: list[str] = []
        for finding in with_bounds(found, rules, options):
            lines = lines or file.read_text(encoding="utf-8", errors="replace").splitlines()
            at = finding.line or 0
            yield {
                "package": package,
                "rule": finding.rule,
                "severity": finding.severity,
                "confidence": finding.confidence,
                "file": str(file.relative_to(root)),
                "line": finding.line,
                "code": finding.code,
                "target": None,
                "message": finding.message,
                "source": lines[at - 1].strip() if 0 < at <= len(lines) else "",
                "evidence": [each.text for each in finding.evidence],
                "nanoseconds": finding.nanoseconds,
            }


def live_findings(site: Path | None, packages: list[str]) -> Iterator[Entry]:
    """What a process tells that imports packages, under limits and in an empty folder."""
    folders = [*os.environ.get("PYTHONPATH", "").split(os.pathsep), *sys.path, str(site or "")]
    with tempfile.TemporaryDirectory() as empty:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, folders))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": empty,
        }
        try:
            done = subprocess.run(
                [sys.executable, str(CHILD), *packages],
                cwd=empty,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                preexec_fn=_limit,
                check=False,
            )
            status, output = str(done.returncode), done.stdout
        except subprocess.TimeoutExpired as error:
            status, output = "no end", error.stdout or b""
    lines = [line for line in output.decode(errors="replace").splitlines() if line[:1] == "{"]
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            continue  # cut off when the time was up
    if status != "0":
        yield {"package": " ".join(packages[:2]), "unread": f"exit status {status}"}


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))


def library_modules() -> list[str]:
    """The public modules of the standard library that are imported."""
    names = set(sys.stdlib_module_names) - NOT_IMPORTED
    return sorted(name for name in names if not name.startswith("_"))


def versions_in(site: Path) -> dict[str, str]:
    """Distribution and version by the name under which a package is imported."""
    found: dict[str, str] = {}
    for each in distributions(path=[str(site)]):
        tops = {str(file).partition("/")[0].removesuffix(".py") for file in each.files or ()}
        found.update(dict.fromkeys(tops, f"{each.metadata['Name']} {each.version}"))
    return found


def collect(site: Path, packages: list[str], static: bool) -> Iterator[Entry]:
    """The findings of the library and of packages, each with the version of its package."""
    known = versions_in(site)
    root = Path(sysconfig.get_path("stdlib"))
    live: tuple[Path | None, list[str]]
    for package in packages:
        if package == LIBRARY:
            title = f"CPython {sys.version.partition(' ')[0]}"
            found = [static_findings(package, root, root)]
            live = (None, library_modules())
        else:
            title = known.get(package, package)
            folder = site / package
            folder = folder if folder.is_dir() else folder.with_suffix(".py")
            found = [static_findings(package, folder, site)]
            live = (site, [package])
        if not static:
            found.append(live_findings(*live))
        for entries in found:
            for entry in entries:
                yield {**entry, "version": title}


def unique(entries: Iterable[Entry]) -> list[Entry]:
    """The findings in a stable order; one that several packages lead to is one."""
    found: dict[tuple[Any, ...], Entry] = {}
    for entry in entries:
        if "rule" in entry and "reproduced" not in entry:
            key = tuple(str(entry[part]) for part in ("rule", "file", "line", "message"))
            found.setdefault(key, entry)
    return [found[key] for key in sorted(found)]


def drawn(found: list[Entry], seed: int, count: int, by_rule: int) -> list[Entry]:
    """Findings by lot."""
    chance = random.Random(seed)
    if not by_rule:
        return chance.sample(found, min(count, len(found)))
    chosen = []
    for rule in sorted({entry["rule"] for entry in found}):
        held = [entry for entry in found if entry["rule"] == rule]
        chosen += chance.sample(held, min(by_rule, len(held)))
    return chosen


def table(chosen: list[Entry]) -> str:
    """The drawn findings as Markdown, with room for a verdict."""
    lines = ["| rule | where | finding | source | true |", "|---|---|---|---|---|"]
    for entry in sorted(chosen, key=lambda each: (each["rule"], each["version"], each["file"])):
        cells = (
            entry["rule"],
            f"{entry['version']}, {entry['file']}:{entry['line']}",
            entry["message"],
            f"`{entry['source'][:70]}`" if entry["source"] else "",
            "",
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def main() -> int:
    """Collect, draw or reproduce."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("collect", "draw", "reproduce-sig"))
    parser.add_argument("findings", type=Path)
    parser.add_argument("packages", nargs="*")
    parser.add_argument("--site", type=Path, default=Path(sysconfig.get_path("purelib")))
    parser.add_argument("--static", action="store_true")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--by-rule", type=int, default=0)
    given = parser.parse_intermixed_args()
    warnings.simplefilter("ignore")
    if given.what == "collect":
        with given.findings.open("w", encoding="utf-8") as file:
            for entry in collect(given.site.resolve(), given.packages, given.static):
                file.write(json.dumps(entry) + "\n")
                file.flush()
    entries = [json.loads(line) for line in given.findings.read_text("utf-8").splitlines()]
    found = unique(entries)
    if given.what == "reproduce-sig":
        return told(entries)
    for entry in entries:
        if "unread" in entry:
            print(f"not imported: {entry['package']}: {entry['unread']}", file=sys.stderr)
    counts = Counter(entry["rule"] for entry in found)
    print(f"{len(found)} findings: {', '.join(f'{k} {v}' for k, v in sorted(counts.items()))}")
    if given.what == "draw":
        print(f"seed {given.seed}\n\n{table(drawn(found, given.seed, given.count, given.by_rule))}")
    return 0


def told(held: list[Entry]) -> int:
    """How many findings a call has reproduced, by rule; 1 if there are others."""
    made = [entry for entry in held if "reproduced" in entry]
    for rule in sorted({entry["rule"] for entry in made}):
        mine = [entry["reproduced"] for entry in made if entry["rule"] == rule]
        print(f"{rule}  {sum(mine)} of {len(mine)} reproduced")
    missed = [entry for entry in made if not entry["reproduced"]]
    for entry in missed:
        print(f"not reproduced: {entry['rule']} {entry['target']}: {entry['how']}")
    print(f"{len(made) - len(missed)} of {len(made)} reproduced")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
