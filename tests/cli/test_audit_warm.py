"""`coscope audit --warm 'pytest -q' mypkg`, from the command line to the exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from tests.render.documents import schema

if sys.platform == "emscripten":
    pytest.skip("Pyodide starts no process", allow_module_level=True)

PACKAGE = """\
class Order:
    made = 0

def count(n):
    for _ in range(n):
        Order.made += 1

def total(n):
    total = 0
    for number in range(n):
        total += number
    return total
"""

# How long it runs is counted in looks that coscope takes at it: nothing depends on the machine.
WATCHED = """\
import mypkg, sys

def count():
    while True:
        mypkg.count(20_000)
        seen = sys.modules["coscope.audits.warm.samples"].seen_of(mypkg.count.__code__)
        if seen is not None and seen.samples >= 3:
            return
"""

TESTS = """\
import mypkg, watched

def test_count():
    watched.count()

def test_total():
    assert mypkg.total(4) == 6
"""

# xdist kills a worker that takes longer to end, as it may where many tests run at once.
CONFTEST = """\
try:
    from xdist.workermanage import NodeManager
except ImportError:
    NodeManager = None
if NodeManager is not None:
    NodeManager.EXIT_TIMEOUT = 300
"""

FORKS = """\
import multiprocessing, os, sys, warnings
import watched

if __name__ == "__main__":
    warnings.simplefilter("error")  # CPython 3.12 warns of a fork beside a thread
    if sys.argv[1] == "os.fork":
        if not (child := os.fork()):
            watched.count()
            sys.exit()
        sys.exit(os.waitpid(child, 0)[1])
    process = multiprocessing.get_context(sys.argv[1]).Process(target=watched.count)
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""

# Whatever is found is told, however little it costs on a machine as busy as that of the tests.
SETTINGS = "[tool.coscope]\nleast-nanoseconds = 0.0\nleast-share = 0.0\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "mypkg").mkdir()
    files = {
        "mypkg/__init__.py": PACKAGE,
        "watched.py": WATCHED,
        "test_mypkg.py": TESTS,
        "conftest.py": CONFTEST,
        "forks.py": FORKS,
        "killed.py": "import os, watched\nwatched.count()\nos._exit(5)\n",
        "pyproject.toml": SETTINGS,
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@cache
def _audit(folder: Path, command: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PYTHONIOENCODING": "utf-8",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # of the pytest that is watched
    }
    words = ("audit", "--warm", command, "--select", "PERF0", *words, "mypkg")
    return subprocess.run(
        [sys.executable, "-m", "coscope", *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env=environment,
    )


def _document(folder: Path, command: str, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_audit(folder, command, *words, "--json").stdout)
    return found


def _found(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["rule"], each["code"]) for each in document["findings"]}


PYTEST = "pytest -q -p no:cacheprovider"
COUNT = "python -c 'import watched; watched.count()'"


def test_a_test_run_is_told_with_exit_status_1(project: Path) -> None:
    done = _audit(project, f"{PYTEST} test_mypkg.py")

    assert 1 == done.returncode
    assert "PERF005  warning, measured" in done.stdout
    assert "Order.made += 1" in done.stdout
    assert "^^^^^^^^^^" in done.stdout
    assert "evidence  STORE_ATTR made" in done.stdout
    # Whether it was generic or specialised in vain when the run ended is by chance.
    page = " ".join(done.stdout.split())  # without the breaks between its lines
    assert "in a row (backoff" in page or "what it was not made for" in page, done.stdout
    assert " of 1 file watched\n" in done.stdout
    assert "2 passed" in done.stderr  # what the command says is no part of the page
    assert "2 passed" not in done.stdout


def test_the_document_is_valid(project: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = _document(project, COUNT)
    wanted = {**schema(), **schema()["$defs"]["audit_document"]}

    assert [] == [e.message for e in jsonschema.Draft202012Validator(wanted).iter_errors(document)]
    assert ("warm", "mypkg") == (document["mode"], document["target"])
    assert ("PERF005", "count") in _found(document)
    assert {"count"} == {code for _, code in _found(document)}


@pytest.mark.parametrize(
    ("command", "words", "status"),
    [
        (COUNT, (), 1),
        (COUNT, ("--fail-on", "never"), 0),
        (COUNT, ("--ignore", "PERF005,PERF006"), 0),
        ("python -c 'import mypkg; mypkg.total(20_000)'", (), 0),
        ("no-such-tool", (), 2),
    ],
)
def test_the_exit_status_is_that_of_the_findings(
    project: Path, command: str, words: tuple[str, ...], status: int
) -> None:
    assert status == _audit(project, command, *words).returncode


def test_a_command_that_fails_is_told_and_audited_all_the_same(project: Path) -> None:
    done = _audit(project, COUNT.replace(")'", "); raise SystemExit(4)'"))

    assert 1 == done.returncode
    assert "coscope: the command exited with status 4\n" == done.stderr
    assert "PERF005" in done.stdout


def test_a_process_that_leaves_at_once_tells_nothing(project: Path) -> None:
    done = _audit(project, "killed.py")

    assert (2, "") == (done.returncode, done.stdout)
    assert "no Python process" in done.stderr
    assert "exit status 5" in done.stderr


@pytest.mark.parametrize("how", ["os.fork", "fork", "spawn"])
def test_other_processes_are_watched_too(project: Path, how: str) -> None:
    if "fork" in how and not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    done = _audit(project, f"forks.py {how}", "--json")

    assert "" == done.stderr
    assert ("PERF005", "count") in _found(json.loads(done.stdout))


def test_the_workers_of_xdist_are_watched(project: Path) -> None:
    pytest.importorskip("xdist")
    document = _document(project, f"{PYTEST} -p xdist.plugin -n 1 test_mypkg.py")

    assert ("PERF005", "count") in _found(document)


def test_top_needs_a_run(tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text("x = 1\n", encoding="utf-8")
    command = [sys.executable, "-m", "coscope", "audit", "--top", "3", str(tmp_path / "made.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "--warm" in done.stderr


def test_top_shows_where_most_could_be_saved(tmp_path: Path) -> None:
    lines = ["import contextlib", "NAMES = list(range(400))"]
    for name, body in (
        ("first", "with contextlib.suppress(KeyError):\n            out.append(each)"),
        ("second", "out.append('{}: {}'.format(each, 1))"),
    ):
        lines += [f"def {name}():", "    out = []", "    for each in NAMES:", f"        {body}"]
        lines += ["    return out"]
    lines += [
        "import sys",
        "seen_of = sys.modules['coscope.audits.warm.samples'].seen_of",
        "def looks(f): return 0 if seen_of(f.__code__) is None else seen_of(f.__code__).samples",
        "while looks(first) < 40 or looks(second) < 15:",
        "    first(), second()",
    ]
    program = tmp_path / "program.py"
    program.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "coscope", "audit", "--json", "--top", "1"]
    (tmp_path / "pyproject.toml").write_text(
        "[tool.coscope]\nleast-nanoseconds = 0.0\nleast-share = 0.0\n", encoding="utf-8"
    )
    command += ["--warm", str(program), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)

    assert 1 == len(document["findings"]) == document["totals"]["shown"]
    assert document["totals"]["findings"] >= 2
    assert "first" == document["findings"][0]["code"]
    assert document["findings"][0]["runs"] > 0
