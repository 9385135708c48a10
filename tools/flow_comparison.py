"""Flows beside other tools: over the labelled set, and over the sites that they report in packages.

    python tools/flow_comparison.py set [--seed N] [--count 320] [--bandit COMMAND] [--ruff COMMAND]
    python tools/flow_comparison.py sites FOLDER [--bandit COMMAND] [--ruff COMMAND]

`set` writes the flows and look-alikes of tests/audits/dynamic/flow_set.py to files and counts what
each tool reports on the sink's line, and how many look-alikes each takes for a problem: a warning
of coscope, any report of the rules below of the others. `sites` takes every line in a folder of
installed packages (each in a folder of its own) on which ruff's S or bandit's B rules about the
same sinks report, and says what coscope makes of it: a warning, information, safe with a reason
(what `--strict` reports), a constant (every source of the argument is one), or nothing. Sites of
test folders count, too. bandit is an optional peer: without a command it is left out.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from coscope.audits.dynamic.flows.judge import judged
from coscope.audits.dynamic.flows.scope import file_of
from coscope.audits.dynamic.flows.sites import sites_of
from coscope.audits.options import Options
from coscope.audits.running.engine import audit_file, read_unit
from coscope.audits.selection import all_rules
from coscope.audits.subject.subject import Subject
from coscope.errors import CoscopeError
from tests.audits.dynamic.flow_set import flows, look_alikes

RUFF = "S102,S301,S302,S307,S502,S506,S602,S604,S605,S612,S701"
BANDIT = "B102,B301,B302,B307,B506,B602,B604,B605,B614,B701"
Line = tuple[str, int]  # file, line from 1
RULES = [rule for rule in all_rules() if rule.aliases]


def ruff(command: str, folder: Path) -> dict[Line, set[str]]:
    """The lines that ruff reports, and by which rules."""
    line = [*shlex.split(command), "check", "--isolated", "--select", RUFF]
    done = subprocess.run(
        [*line, "--output-format", "json", "-q", str(folder)], capture_output=True, check=False
    )
    found: dict[Line, set[str]] = defaultdict(set)
    for each in json.loads(done.stdout):
        found[each["filename"], each["location"]["row"]].add(each["code"] or "")
    return found


def bandit(command: str, folder: Path) -> dict[Line, set[str]]:
    """The lines that bandit reports."""
    line = [*shlex.split(command), "-q", "-r", str(folder), "-f", "json", "-t", BANDIT]
    done = subprocess.run(line, capture_output=True, check=False)
    found: dict[Line, set[str]] = defaultdict(set)
    for each in json.loads(done.stdout)["results"]:
        found[each["filename"], each["line_number"]].add(each["test_id"])
    return found


def peers(args: argparse.Namespace, folder: Path) -> dict[str, dict[Line, set[str]]]:
    """What the other tools report, by tool."""
    found = {"ruff": ruff(args.ruff, folder)}
    if args.bandit:
        found["bandit"] = bandit(args.bandit, folder)
    return found


def on_set(args: argparse.Namespace) -> None:
    """The labelled set."""
    cases = list(flows(args.seed, args.count))
    alike = list(look_alikes(args.seed, 150))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for at, case in enumerate(cases):
            (folder / f"flow_{at}.py").write_text(case.text, encoding="utf-8")
        for at, case in enumerate(alike):
            (folder / f"safe_{at}.py").write_text(case.text, encoding="utf-8")
        sinks = {(str(folder / f"flow_{at}.py"), case.line) for at, case in enumerate(cases)}
        found: dict[str, set[Line]] = {"coscope": set()}
        wrong: dict[str, set[str]] = {"coscope": set()}
        paths = 0
        for file in sorted(folder.glob("*.py")):
            for each in audit_file(str(file), RULES).findings:
                place = str(file), each.line or 0
                if place in sinks:
                    paths += place not in found["coscope"] and len(each.flow) > 1
                    found["coscope"].add(place)
                if each.severity != "info":
                    wrong["coscope"].add(str(file))
        for tool, lines in peers(args, folder).items():
            found[tool] = {line for line in lines if line in sinks}
            wrong[tool] = {file for file, _ in lines}
    print(f"seed {args.seed}: {len(cases)} flows, {len(alike)} look-alikes")
    for tool in found:
        false = sum("/safe_" in file for file in wrong[tool])
        only = found[tool] - set().union(*(found[each] for each in found if each != tool))
        text = f"{tool}: {len(found[tool])} found, {false} false, {len(only)} only by it"
        print(text + (f", {paths} with a path" if tool == "coscope" else ""))


def classified(file: Path) -> dict[int, str]:
    """What coscope makes of each sink of a file, by every line of its call."""
    try:
        unit = read_unit(str(file), Options(strict=True))
    except CoscopeError:
        return {}
    found: dict[int, str] = {}
    for code in unit.codes:
        subject = Subject(code, unit)
        scope = unit.fact(file_of).scope_of_subject(subject)
        for site in sites_of(scope):
            verdict = judged(scope, site)
            kind = "constant" if verdict is None else verdict.severity or "safe"
            span = subject.span(site.index)
            for line in range(span.lineno or 0, (span.end_lineno or span.lineno or 0) + 1):
                if _ORDER.index(kind) < _ORDER.index(found.get(line, "nothing")):
                    found[line] = kind
    return found


_ORDER = ("warning", "info", "safe", "constant", "nothing")


def on_sites(args: argparse.Namespace) -> None:
    """The sites of other tools in packages."""
    folder = Path(args.folder).resolve()
    lines: dict[Line, set[str]] = defaultdict(set)
    for found in peers(args, folder).values():
        for place, rules in found.items():
            lines[place] |= rules
    kinds: Counter[str] = Counter()
    packages: Counter[str] = Counter()
    by_rule: dict[str, Counter[str]] = defaultdict(Counter)
    held: dict[str, dict[int, str]] = {}
    unexplained = []
    for (file, line), rules in sorted(lines.items()):
        if file not in held:
            held[file] = classified(Path(file))
        kind = held[file].get(line, "nothing")
        kinds[kind] += 1
        packages[Path(file).relative_to(folder).parts[0]] += 1
        for rule in rules:
            by_rule[rule][kind] += 1
        if kind == "nothing":
            unexplained.append((file, line, rules))
    total = sum(kinds.values())
    print(f"{total} sites in {len(packages)} packages: {dict(kinds)}")
    print(f"found or explained: {total - kinds['nothing']} of {total}")
    print("sites by package:", _listed(packages.items()))
    for rule, counts in sorted(by_rule.items()):
        print(f"  {rule}: {_listed(counts.items())}")
    for file, at, names in unexplained:
        text = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()[at - 1]
        shown = Path(file).relative_to(folder)
        print(f"  nothing: {shown}:{at} {'/'.join(sorted(names))} {text.strip()[:90]}")


def _listed(items: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(items))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("set", "sites"):
        each = verbs.add_parser(verb)
        each.add_argument("--ruff", default=f"{sys.executable} -m ruff")
        each.add_argument("--bandit", default="")
        if verb == "set":
            each.add_argument("--seed", type=int, default=20261130)
            each.add_argument("--count", type=int, default=320)
        else:
            each.add_argument("folder")
    args = parser.parse_args()
    on_set(args) if args.verb == "set" else on_sites(args)


if __name__ == "__main__":
    main()
