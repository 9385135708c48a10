"""`coscope explain`: a program that is run, texts that are read, the excepthook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")

needs_processes = pytest.mark.skipif(sys.platform == "emscripten", reason="starts processes")

PROGRAM = """\
def find(orders, key):
    return orders.get(key)

def total(orders, keys):
    result = 0
    for key in keys:
        order = find(orders, key)
        result += order["n"] * 2
    return result

total({1: {"n": 1}}, [1, 2])
"""


def _coscope(*words: str, folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coscope", "explain", *words],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def _traceback(folder: Path) -> str:
    run = subprocess.run(
        [sys.executable, "shop.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    return run.stderr


@needs_processes
def test_a_program_is_run_as_it_is(folder: Path) -> None:
    run = _coscope("--", "python", "shop.py", folder=folder)

    assert 1 == run.returncode
    assert "`order` is None since line 7: `find(orders, key)`." in run.stderr
    assert "Traceback" not in run.stderr
    assert "" == run.stdout


@needs_processes
def test_status_and_output_are_the_programs(folder: Path) -> None:
    run = _coscope("--", "python", "-c", "import sys; print('out'); sys.exit(7)", folder=folder)

    assert (7, "out\n", "") == (run.returncode, run.stdout, run.stderr)


@needs_processes
def test_a_thread_is_explained_too(folder: Path) -> None:
    code = "import threading; t = threading.Thread(target=lambda: None.x); t.start(); t.join()"
    run = _coscope("--", "python", "-c", code, folder=folder)

    assert 0 == run.returncode
    assert "`None` is None, which has no attribute `x`." in run.stderr


@needs_processes
def test_a_recorded_run_knows_the_store(folder: Path) -> None:
    run = _coscope("--record", "--", "python", "shop.py", folder=folder)

    assert "ran last: line 7: find(orders, key)" in run.stderr


@needs_processes
def test_a_recorded_run_knows_what_a_comprehension_had(folder: Path) -> None:
    (folder / "rows.py").write_text("def f(rows):\n    return [row['a'] for row in rows]\nf([1])\n")
    run = _coscope("--record", "--", "python", "rows.py", folder=folder)

    assert "row = 1" in run.stderr


@needs_processes
def test_the_document_of_a_program(folder: Path) -> None:
    run = _coscope("--json", "--", "python", "shop.py", folder=folder)
    (exception,) = json.loads(run.stdout)["exceptions"]

    assert ("TypeError", "explain") == (exception["type"], json.loads(run.stdout)["command"])
    assert 'order["n"]' == exception["frames"][-1]["expression"]
    assert "Traceback" in run.stderr


@needs_processes
@pytest.mark.parametrize("prefix", ["", "2026-01-01T00:00:00Z ", "[web-1] "])
def test_a_log_is_explained(folder: Path, prefix: str) -> None:
    text = "".join(f"{prefix}{line}\n" for line in ["started", *_traceback(folder).splitlines()])
    (folder / "ci.log").write_text(text, encoding="utf-8")
    run = _coscope("ci.log", folder=folder)

    assert (0, "") == (run.returncode, run.stderr)
    assert "`order` was None." in run.stdout
    assert "`order` comes from line 7: `find(orders, key)`." in run.stdout


@needs_processes
def test_a_moved_line_is_found_again(folder: Path) -> None:
    text = _traceback(folder).replace(str(folder), "/elsewhere/project")
    (folder / "shop.py").write_text(f"# a comment\n{PROGRAM}", encoding="utf-8")
    run = _coscope("-", "--root", ".", folder=folder, text=text)

    assert "line 8 is line 9 now" in run.stdout
    assert "`order` comes from line 8: `find(orders, key)`." in run.stdout


@needs_processes
def test_nothing_of_a_source_is_executed(folder: Path) -> None:
    text = _traceback(folder)
    program = f"{PROGRAM}open('ran', 'w').close()\n"
    (folder / "shop.py").write_text(program, encoding="utf-8")
    _coscope("-", folder=folder, text=text)

    assert not (folder / "ran").exists()


@needs_processes
def test_pytests_own_form_is_read(folder: Path) -> None:
    text = "shop.py:11: in <module>\nshop.py:8: TypeError\nE   TypeError: no\n"
    text = "E   TypeError: 'NoneType' object is not subscriptable\n" + text
    run = _coscope("-", "--html", folder=folder, text=text)

    assert 0 == run.returncode
    assert "<style>" in run.stdout
    assert "order" in run.stdout


@needs_processes
@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        ((), "", "Name a FILE"),
        (("-",), "nothing here", "no traceback in this text"),
        (("missing.log",), "", "no such file"),
        (("shop.py",), "", "coscope explain -- python shop.py"),
        (("--",), "", "no command to run"),
        (("--", "no-such-command-here"), "", "cannot be started"),
        (("--root", ".", "--", "python"), "", "for a FILE"),
    ],
)
def test_bad_use_is_one_line(words: tuple[str, ...], text: str, said: str, folder: Path) -> None:
    run = _coscope(*words, folder=folder, text=text)

    assert 2 == run.returncode
    assert said in run.stderr
    assert 'File "' not in run.stderr


@needs_processes
@pytest.mark.parametrize(
    ("always", "switch", "explained"),
    [("True", "", True), ("False", "", False), ("False", "1", True), ("True", "0", False)],
)
def test_the_excepthook(always: str, switch: str, explained: bool, folder: Path) -> None:
    code = f"import coscope; coscope.install_excepthook(always={always}); x = None; x.y"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"COSCOPE_EXPLAIN": switch, "PYTHONPATH": "", "PATH": ""},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )

    assert 1 == run.returncode
    assert explained is ("`x` is None, which has no attribute `y`." in run.stderr)
    assert explained is not ("Traceback" in run.stderr)


def test_the_excepthook_is_put_back() -> None:
    import coscope

    before = sys.excepthook
    uninstall = coscope.install_excepthook()

    assert sys.excepthook is not before
    uninstall()
    assert sys.excepthook is before
