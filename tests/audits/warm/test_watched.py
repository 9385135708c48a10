"""`--warm`: static rules about loops, judged by how often they ran; totals, and what is first."""

from __future__ import annotations

import math
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from coscope.audits.options import Options
from coscope.audits.selection import all_rules
from coscope.audits.warm.command import Warm, watch

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")

# Whatever is found is reported, however little it costs on a machine as busy as that of the tests.
EVERYTHING = Options(least_nanoseconds=-math.inf, least_share=0.0)

PROGRAM = """\
import contextlib, sys
NAMES = list(range(3_000))
RUNS = {"hot": 0, "often": 0}

def hot():
    out = []
    for name in NAMES:
        out.append("{}: {}".format(name, 1))
    RUNS["hot"] += len(NAMES)
    return out

def often(held):
    count = 0
    for name in range(500):
        with contextlib.suppress(KeyError):
            count += held[name]
    RUNS["often"] += 500
    return count

def seldom():
    for name in NAMES[:3]:
        "{}: {}".format(name, 1)

seldom()
held = dict.fromkeys(range(500), 1)
recording = sys.modules["coscope.audits.warm.samples"]

def looks(function):  # how often coscope has looked at it: nothing depends on the machine
    seen = recording.seen_of(function.__code__)
    return 0 if seen is None else seen.samples

while looks(hot) < 30 or looks(often) < 30:
    hot()
    often(held)
with open(sys.argv[1], "w") as file:
    print(RUNS["hot"], RUNS["often"], file=file)
"""


@cache
def _run() -> tuple[Warm, int, int]:
    folder = Path(mkdtemp())
    program = folder / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    warm = watch(f"{program} {folder / 'runs'}", [str(program)], all_rules(), EVERYTHING)
    hot, often = map(int, (folder / "runs").read_text(encoding="utf-8").split())
    return warm, hot, often


def test_a_loop_over_who_knows_what_is_found_where_it_ran_often() -> None:
    found = {(each.rule, each.code) for each in _run()[0].findings}

    assert {("PERF308", "hot"), ("PERF307", "often")} <= found
    assert not any(code == "seldom" for _, code in found)


def test_the_site_did_not_run_more_often_than_is_said() -> None:
    warm, hot, often = _run()
    most = {each.code: each.runs for each in warm.findings if each.rule in ("PERF307", "PERF308")}

    # A sample stands for 5 ms at least: on a busy machine some come later, and so count too little.
    assert hot * 0.2 < (most["hot"] or 0)
    assert often * 0.2 < (most["often"] or 0)


def test_the_first_finding_is_where_most_could_be_saved() -> None:
    saved = [each.saved or 0.0 for each in _run()[0].findings]

    assert saved == sorted(saved, reverse=True)
    assert saved[0] > 0
