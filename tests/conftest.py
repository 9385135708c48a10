"""Options, fixtures and the closing lines of a test run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests import interpreters

if find_spec("hypothesis"):  # not inside Pyodide, where it has no pure-Python wheel
    from hypothesis import HealthCheck, settings

    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    settings.register_profile("local", deadline=None, suppress_health_check=slow)
    settings.register_profile(
        "ci", deadline=None, derandomize=True, database=None, suppress_health_check=slow
    )
    settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bless",
        action="store_true",
        help="rewrite the golden files from what the code does now; review them in the diff",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a golden file; `--bless` writes the file instead."""

    def compare(path: Path, actual: str) -> None:
        if request.config.getoption("--bless"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual, encoding="utf-8", newline="\n")
        expected = path.read_text(encoding="utf-8")

        assert expected == actual, f"{path.name} differs; if that is meant, run pytest --bless"

    return compare


if sys.platform == "emscripten":

    @pytest.fixture(autouse=True)
    def _no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
        """Inside Pyodide no process can be started: a test that tries is skipped."""

        def skip(*command: object, **options: object) -> None:
            pytest.skip("Pyodide starts no process")

        monkeypatch.setattr("subprocess.Popen.__init__", skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(interpreters.summary())


# Inside Pyodide: what a part of a test's name says of it, and why it cannot hold there (yet).
NOT_INSIDE = {
    "audits/performance/test_fixtures.py": "there is no clock of a thread's CPU time",
    "audits/test_specialization.py": "specialised code is read on 3.11 to 3.13",
    "test_live_rules_find_what_is_marked[sig108": "annotations of 3.14 are not read for SIG108 yet",
    "test_another_interpreter_compiles_sources_and": "there are no other interpreters",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if sys.platform != "emscripten":
        return
    for item in items:
        for part, reason in NOT_INSIDE.items():
            if part in item.nodeid:
                item.add_marker(pytest.mark.skip(reason=reason))
