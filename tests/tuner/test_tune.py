"""`tune` as a whole, by a clock that the functions move: no test depends on time.

Here all is done in this process; in processes of every version: `test_tune_processes.py`. What real
clocks say of real functions is measured by `tools/tune_examples.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytest.importorskip("click")

from coscope.cli import main
from coscope.errors import InputError
from coscope.tuner import Clocks, Trial, measurements, tune
from coscope.tuner.inside.main import answer_to
from coscope.tuner.processes import Processes
from tests.render.documents import schema

FOLDER = Path(__file__).parent
CLOCKS = Clocks("ticking:now", "ticking:now")
SEARCH = {"target": "ticking:search", "call": "search(WORDS)"}


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Requests are answered here, each by the module `ticking` loaded anew."""

    def ask(_: Processes, what: str, **request: Any) -> dict[str, Any]:
        sys.modules.pop("ticking", None)
        request |= {"do": what, "clock": CLOCKS.cost, "wall": CLOCKS.wall}
        answer: dict[str, Any] = answer_to(json.loads(json.dumps(request)))
        if "error" in answer:
            raise InputError(answer["error"])
        return answer

    monkeypatch.chdir(FOLDER)
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(Processes, "ask", ask)
    monkeypatch.setattr("coscope.tuner.tuning.interpreter_of", lambda path: path)
    monkeypatch.setattr(measurements, "PROCESSES", 2)
    yield
    sys.modules.pop("ticking", None)


def _tune(**given: Any) -> Trial:
    return tune(**{"rounds": 3, "clocks": CLOCKS, **given})


def test_each_change_is_put_on_top_of_those_that_are_kept() -> None:
    trial = _tune(target="ticking:twice", call="twice(WORDS)")

    assert ["PERF311"] == [change.rule for change in trial.kept]
    assert ["PERF311", "PERF306", "PERF307"] == [change.rule for change in trial.changes]
    for change in trial.changes[1:]:
        assert change.diff is not None
        assert "-        found += word in" not in change.diff
    assert None is trial.together


@pytest.mark.parametrize(
    ("target", "call", "ratio"),
    [
        ("ticking:Shelf.search", "Shelf.search(WORDS)", 22 / 6),
        ("ticking:Shelf.private", "Shelf().private(WORDS)", 22 / 6),
        ("ticking:Deeper.private", "Deeper().private(WORDS)", 36 / 27),
        ("ticking:unnamed", "unnamed(WORDS[1])", 14 / 5),
    ],
)
def test_methods_decorated_functions_and_lambdas_are_tuned(
    target: str, call: str, ratio: float
) -> None:
    (change,) = _tune(target=target, call=call).kept
    assert change.gain is not None

    assert pytest.approx(ratio, rel=0.01) == change.gain.ratio


def test_a_change_that_alters_the_result_is_refused() -> None:
    call = {"target": "ticking:unhashable", "call": "unhashable([[]])"}
    (change,) = _tune(**call).changes

    assert not change.verified
    assert "TypeError" in (change.refused or "")
    assert "no change is worth it" in str(_tune(**call))


@pytest.mark.parametrize(
    ("against", "verified", "ratio"), [("slow", False, 1 / 3), ("quick", False, 1.0)]
)
def test_what_does_not_win_is_not_kept(against: str, verified: bool, ratio: float) -> None:
    given = {"target": "ticking:quick", "call": "quick('ab')", "against": f"ticking:{against}"}
    (change,) = _tune(**given).changes
    assert change.gain is not None

    assert verified is change.verified
    assert pytest.approx(ratio) == change.gain.ratio


def test_another_function_takes_the_place() -> None:
    given = {"target": "ticking:slow", "call": "slow('ab')", "against": "ticking:quick"}
    (change,) = _tune(**given).kept

    assert change.gain is not None
    assert pytest.approx(3.0) == change.gain.ratio


def test_another_function_with_another_result_is_refused() -> None:
    given = {"target": "ticking:quick", "call": "quick('ab')", "against": "ticking:wrong"}
    (change,) = _tune(**given).changes

    assert (None, False) == (change.gain, change.verified)
    assert "it gives another result" == change.refused


def test_results_that_differ_each_time_are_not_compared_and_it_is_told() -> None:
    given = {"target": "ticking:quick", "call": "unsteady(0) + quick('ab')"}
    trial = _tune(**given, against="ticking:slow")
    (change,) = trial.changes

    assert None is change.same
    assert "cannot be compared, or differs each time" in str(trial)


def test_what_the_function_prints_is_no_answer() -> None:
    trial = _tune(target="ticking:loud", call="loud(7)")

    assert () == trial.changes
    assert "no change is worth it" in str(trial)


def test_without_source_nothing_is_tried() -> None:
    trial = _tune(target="ticking:made", call="made(7)")

    assert "there is no source" == trial.untried


def test_a_call_that_takes_long_is_run_less_often() -> None:
    trial = _tune(target="ticking:made", call="made(10**6)", rounds=None)

    assert (pytest.approx(1e9), 40) > (trial.cost.nanoseconds, trial.rounds)
    with pytest.raises(InputError, match="too long"):
        _tune(target="ticking:made", call="made(10**7)", rounds=None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"target": "ticking", "call": "1"}, "names no live function"),
        ({"target": "ticking.py::quick", "call": "1"}, "ticking:quick in its folder"),
        ({"target": "ticking:nothing", "call": "1"}, "has no nothing"),
        ({"target": "nowhere:nothing", "call": "1"}, "No module named 'nowhere'"),
        ({"target": "ticking:quick", "call": "quick("}, "the call does not parse"),
        ({"target": "ticking:quick", "call": "quick(1)", "setup": "1 +"}, "setup does not parse"),
        ({"target": "ticking:quick", "call": "quick(7)"}, "TypeError"),
        ({"target": "ticking:quick", "call": "1"}, "does not run"),
        ({"target": "ticking:quick", "call": "1", "against": "ticking:no"}, "has no no"),
        (
            {
                "target": "ticking:quick",
                "setup": "from ticking import quick as held",
                "call": "held('ab')",
                "against": "ticking:slow",
            },
            "does not run ticking:slow in the place of ticking:quick",
        ),
        ({"target": "ticking:quick"}, "one of a call and a test command"),
        ({"target": "ticking:quick", "call": "1", "test": "2"}, "one of a call and a test"),
        ({"target": "ticking:quick", "test": "2", "setup": "1"}, "neither"),
    ],
)
def test_bad_input_is_one_clear_error(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        _tune(**given)

    assert "\n" not in error.value.what


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs `coscope tune`, by the clock that the functions move."""
    monkeypatch.setattr("coscope.tuner.tuning.Clocks", lambda: CLOCKS)
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["coscope", "tune", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return run


def test_the_page_fits_and_is_the_receipt(command: Callable[..., tuple[int, str, str]]) -> None:
    given = ("ticking:search", "--call", "search(WORDS)", "--rounds", "3")
    status, page, err = command(*given, "--width", "80", "--ascii")

    assert (1, "") == (status, err)
    assert page.isascii()
    assert max(map(len, page.splitlines())) <= 80
    for text in (
        "22,000 ns a call",
        "2 processes, 3 rounds each, interleaved",
        "3.667 times as fast, 95% interval 3.667 to 3.667: verified",
        "22,000 ns to 6,000 ns; above 2.0% it counts; the null run gave 1.000",
        "worth it: search a set of the constants",
    ):
        assert text in page


def test_the_document_says_all(command: Callable[..., tuple[int, str, str]]) -> None:
    given = ("ticking:search", "--call", "search(WORDS)", "--rounds", "3", "--json")
    status, text, _ = command(*given)
    document = json.loads(text)

    assert (1, "tune", [0]) == (status, document["command"], document["kept"])
    assert "verified" in document["changes"][0]["gain"]
    wanted = {"$ref": "#/$defs/tune_document", "$defs": schema()["$defs"]}
    jsonschema.validate(document, wanted)


def test_the_status_tells_whether_it_is_worth_it(
    command: Callable[..., tuple[int, str, str]],
) -> None:
    assert 0 == command("ticking:tidy", "--call", "tidy('ba')", "--rounds", "3")[0]
    assert 2 == command("ticking:tidy")[0]
    assert 2 == command("ticking:tidy", "--test", "x", "--setup", "y")[0]
    assert 2 == command("ticking:none", "--call", "1")[0]
