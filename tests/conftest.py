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
    "test_the_versions_of_a_class_are_read_where_they_are": "a class is laid out for 32 bits",
    "test_another_interpreter_compiles_sources_and": "there are no other interpreters",
    "test_a_call_is_followed_as_cpython_makes_it": "asyncio.run needs a stack that can be switched",
    "test_what_the_innermost_function_reads_is_found": "asyncio.run needs a stack to switch",
    "nothing_else_does[zoneinfo": "there is no database of time zones",
    "nothing_else_does[enum": "socket.AF_UNIX is missing",
    "test_what_makes_annotations_goes_by_the_name": "pickle of 3.14.2 does not take it yet",
    "test_a_tracer_is_told_of_the_first_line": "without fork, code that was traced is misread",
    "explanations/test_failing_programs.py": "without fork, code that was traced is misread",
    "test_every_example_works[coscope audit --live json": "the library is in an archive",
    "test_what_is_yielded_is_replaced": "asyncio.run needs a stack that can be switched",
    "test_it_is_what_a_listing_makes": "without fork, code that was traced is misread",
    "tuner/test_lazy.py": "asyncio.run needs a stack that can be switched",
    "render/document/test_whole.py": "the library is in an archive, not in a folder",
    "render/test_to_columns.py": "the library is in an archive, not in a folder",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if sys.platform != "emscripten":
        return
    for item in items:
        for part, reason in NOT_INSIDE.items():
            if part in item.nodeid:
                item.add_marker(pytest.mark.skip(reason=reason))
