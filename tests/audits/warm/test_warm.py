"""`--warm`: every breaker of specialisation is found after a run, none after its fix."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from coscope.audits.options import Options
from coscope.audits.selection import all_rules, holds
from coscope.audits.warm.command import Warm, arguments_of, most_likely, most_of_a_round, watch
from coscope.errors import InputError, InterpreterError
from coscope.readers.from_function import HOST_VERSION
from tests.audits.ranges import holds_for
from tests.interpreters import require

PROGRAM = Path(__file__).parents[1] / "fixtures" / "performance" / "breakers.py"

# Whatever is found is told, however little it costs on a machine as busy as that of the tests.
EVERYTHING = Options(least_nanoseconds=-math.inf, least_share=0.0)

# The function -> where it is slow, and the rules that tell it.
BREAKERS = {
    "default_load": ("3.12-3.13", {"PERF001"}),
    "default_store": ("3.12-", {"PERF001"}),
    "metaclass": ("3.12-3.13", {"PERF002"}),
    "abstract": ("3.12-3.13", {"PERF002"}),
    "enumeration": ("3.12-3.14", {"PERF002"}),
    "module": ("-3.14", {"PERF003"}),
    "own_dict_load": ("-3.12, 3.14-", {"PERF004"}),
    "own_dict": ("", {"PERF004"}),
    "class_store": ("", {"PERF005"}),
    "beside_store": ("-3.12", {"PERF005"}),
    "beside_store ": ("3.13-", {"PERF005", "PERF006"}),  # the version tags run out
    "two_types": ("", {"PERF007"}),
    "eight_types": ("", {"PERF007"}),
    "unpacking": ("", {"PERF008"}),
    "constant": ("-3.12", {"PERF009"}),
    "fallback": ("3.12-", {"PERF010"}),
}


@cache
def _warm(kind: str) -> Warm:
    return watch(f"{PROGRAM} {kind}", [str(PROGRAM)], all_rules(), EVERYTHING)


def _found(kind: str) -> dict[str, set[str]]:
    """Rules by function. Static rules, which look where code ran, have tests of their own."""
    warm = {rule.code for rule in all_rules() if rule.warm}
    found: dict[str, set[str]] = {}
    for finding in _warm(kind).findings:
        if finding.rule in warm:
            found.setdefault(finding.code, set()).add(finding.rule)
    return found


@pytest.mark.parametrize("breaker", BREAKERS)
def test_a_breaker_is_found(breaker: str) -> None:
    versions, rules = BREAKERS[breaker]
    if not holds_for(versions, HOST_VERSION):
        pytest.skip(f"it is slow on {versions}")

    assert rules <= _found("slow").get(f"{breaker.strip()}_slow", set())


def test_none_is_found_where_it_is_not_slow() -> None:
    slow = {
        f"{breaker.strip()}_slow"
        for breaker, (versions, _) in BREAKERS.items()
        if holds_for(versions, HOST_VERSION)
    }

    assert set() == set(_found("slow")) - slow - {"Busy.__init__"}  # which one of them calls


def test_none_is_found_after_its_fix() -> None:
    assert () == _warm("fast").findings


def test_no_classic_hoist_is_found() -> None:
    assert () == _warm("hoists").findings


def test_each_rule_that_holds_here_tells_something() -> None:
    wanted = {each.code for each in all_rules() if each.warm}
    here = {each.code for each in all_rules() if holds(each, HOST_VERSION)}

    assert wanted & here == set().union(*_found("slow").values())


@pytest.mark.parametrize(
    ("lost", "instructions", "calls", "expected"),
    [
        (None, 9, 0, 1.0),
        (-0.1, 9, 2, 1.0),
        (8.0, 11, 0, 0.5),
        (8.0, 1, 0, 1.0),
        (0.8, 100, 0, 0.01),
        (10.0, 4, 3, 0.25),
    ],
)
def test_what_an_operation_is_of_a_round_at_most(
    lost: float | None, instructions: int, calls: int, expected: float
) -> None:
    assert expected == pytest.approx(most_of_a_round(lost, instructions, calls))


def test_few_samples_tell_little() -> None:
    told = [most_likely(0, samples) for samples in (0, 10, 100, 1000)]

    assert sorted(told, reverse=True) == told
    assert told[0] == 1.0
    assert told[-1] < 0.004
    assert 0.5 < most_likely(500, 1000) < 0.54


def test_a_finding_names_its_counter_and_its_place() -> None:
    (finding,) = [
        each
        for each in _warm("slow").findings
        if each.code == "class_store_slow" and "the store to" in each.message
    ]

    assert str(PROGRAM) == finding.file
    assert "Counted.made" in finding.message
    assert any("backoff" in each.text for each in finding.evidence)
    assert finding.confidence == "measured"


def test_a_test_run_is_watched_and_its_status_told(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "class Order:\n    made = 0\n"
        "def count(n):\n    for _ in range(n):\n        Order.made += 1\n"
    )
    (tmp_path / "test_shop.py").write_text(
        "import shop, sys\nrecording = sys.modules['coscope.audits.warm.samples']\n"
        "def test_count():\n    while not recording.seen_of(shop.count.__code__):\n"
        "        shop.count(20_000)\n"
        "def test_fails():\n    assert False\n"
    )
    command = f"pytest -q -p no:cacheprovider {tmp_path}"
    warm = watch(command, [str(tmp_path / "shop.py")], all_rules(), EVERYTHING)

    assert (1, 1) == (warm.status, warm.processes)
    assert "PERF005" in {each.rule for each in warm.findings}
    assert {str(tmp_path / "shop.py")} == {each.file for each in warm.findings}


def test_the_users_own_sitecustomize_still_runs(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.mine = 7\n")
    (tmp_path / "script.py").write_text(
        "import sys, sitecustomize\n"
        "assert sys.mine == 7 and sitecustomize.__file__.startswith(sys.argv[1])\n"
    )
    code = (
        "import sys; from coscope.audits.warm.command import watch; "
        "from coscope.audits.options import Options; "
        f"print(watch({f'{tmp_path}/script.py {tmp_path}'!r}, ['script'], [], Options()).status)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)

    assert b"0\n" == done.stdout, done.stderr


def test_a_command_that_tells_nothing_is_an_error() -> None:
    with pytest.raises(InterpreterError, match="no Python process"):
        watch("python -I -c pass", ["json"], all_rules(), Options())


def test_a_process_that_cannot_tell_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "coscope"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('another coscope')")
    os.environ["PYTHONPATH"], before = str(tmp_path), os.environ.get("PYTHONPATH", "")
    try:
        with pytest.raises(InterpreterError) as raised:
            watch("python -c pass", ["json"], all_rules(), Options())
    finally:
        os.environ["PYTHONPATH"] = before

    assert "another coscope" in str(raised.value.found)


def test_another_python_that_coscope_cannot_read_is_an_error_of_its_own() -> None:
    old = str(require("3.8"))

    with pytest.raises(InterpreterError, match="can read no Python") as raised:
        watch(f"{old} -c pass", ["json"], all_rules(), Options())
    assert "it ran cpython 3.8" in str(raised.value.found)


def test_nothing_found_by_another_python_than_this_one_is_an_error_of_its_own() -> None:
    other = next(v for v in ("3.12", "3.13") if v != HOST_VERSION)
    command = f"{require(other)} {PROGRAM} hoists"

    with pytest.raises(InterpreterError, match=r"\d functions in 1 file were watched"):
        watch(command, [str(PROGRAM)], all_rules(), EVERYTHING)
    chosen = watch(command, [str(PROGRAM)], all_rules(), EVERYTHING, str(require(other)))
    assert () == chosen.findings


def test_what_was_watched_is_counted() -> None:
    warm = _warm("hoists")

    # Both functions, what calls them, and perhaps an __init__ that takes a moment.
    assert 1 == warm.files
    assert warm.functions in (3, 4)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python x.py", ["/py", "x.py"]),
        ("-m mod 'a b'", ["/py", "-m", "mod", "a b"]),
        ("x.py --slow", ["/py", "x.py", "--slow"]),
        ("no-such-tool -q", ["no-such-tool", "-q"]),
    ],
)
def test_a_command_is_split_as_a_shell_does(command: str, expected: list[str]) -> None:
    assert expected == arguments_of(command, "/py")


@pytest.mark.parametrize("command", ["", "  ", "pytest 'x"])
def test_a_command_that_cannot_be_read_is_an_error(command: str) -> None:
    with pytest.raises(InputError):
        arguments_of(command, "/py")


def test_a_command_that_cannot_be_started_is_an_error() -> None:
    with pytest.raises(InputError, match="cannot be started"):
        watch("no-such-tool-anywhere", ["json"], all_rules(), Options())


def test_findings_cross_processes_as_json() -> None:
    from coscope.audits.running.documents import from_entry, to_entry

    findings = _warm("slow").findings

    assert findings == tuple(from_entry(json.loads(json.dumps(to_entry(f)))) for f in findings)
