"""`coscope coverage`: a command, its processes, the formats, together with coverage.py."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")

PROGRAM = """\
import sys

def pick(flag, other=None):
    found = flag and other
    return found if flag else sys.exit(3)

pick(1, 2)
if len(sys.argv) > 5:
    print("never")
"""

if sys.platform == "emscripten":
    pytest.skip("starts processes", allow_module_level=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def _coscope(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coscope", "coverage", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.skipif(hasattr(sys, "monitoring"), reason="this CPython has sys.monitoring")
def test_without_monitoring_there_is_one_error(folder: Path) -> None:
    run = _coscope(folder, "--", "python", "app.py")

    assert 2 == run.returncode
    assert 1 == len(run.stderr.splitlines())
    assert "needs sys.monitoring" in run.stderr


needs_monitoring = pytest.mark.skipif(
    not hasattr(sys, "monitoring"), reason="this CPython has no sys.monitoring"
)


@needs_monitoring
def test_a_program(folder: Path) -> None:
    run = _coscope(folder, "--json", "--", "python", "app.py")
    (file,) = json.loads(run.stdout)["files"]
    (missed,) = file["missing_expressions"]

    assert (0, "app.py") == (run.returncode, file["path"])
    assert [1, 3, 4, 5, 7, 8] == file["executed_lines"]
    assert [9] == file["missing_lines"]
    assert (5, "branch of a conditional", "sys.exit(3)") == (
        missed["line"], missed["kind"], missed["text"]
    )  # fmt: skip


@needs_monitoring
def test_the_status_is_the_commands(folder: Path) -> None:
    run = _coscope(folder, "--", "python", "-c", "import app, sys; sys.exit(7)")

    assert 7 == run.returncode
    assert "sys.exit(3)" in run.stdout


@needs_monitoring
def test_processes_are_merged(folder: Path) -> None:
    (folder / "both.py").write_text(
        "import subprocess, sys\n"
        "if len(sys.argv) > 1:\n    import app\n    app.pick(0)\n"
        "else:\n    subprocess.run([sys.executable, 'both.py', 'x'])\n    import app\n",
        encoding="utf-8",
    )
    run = _coscope(folder, "--json", "--", "python", "both.py")
    document = json.loads(run.stdout)
    missed = {file["path"]: file["missing_expressions"] for file in document["files"]}

    assert 2 == document["processes"]
    assert {"app.py": [], "both.py": []} == missed


@needs_monitoring
def test_a_forked_process_counts(folder: Path) -> None:
    (folder / "fork.py").write_text(
        "import multiprocessing\n"
        "def work(flag):\n    return 1 if flag else len('a')\n"
        "if __name__ == '__main__':\n"
        "    work(1)\n"
        "    context = multiprocessing.get_context('fork')\n"
        "    child = context.Process(target=work, args=(0,))\n"
        "    child.start()\n    child.join()\n",
        encoding="utf-8",
    )
    run = _coscope(folder, "--json", "--", "python", "fork.py")
    (file,) = json.loads(run.stdout)["files"]

    assert [] == file["missing_expressions"]


@needs_monitoring
def test_the_formats(folder: Path) -> None:
    names = ("--html", "page.html", "--lcov", "out.lcov", "--coverage-json", "out.json")
    run = _coscope(folder, *names, "--", "python", "app.py")
    lcov = (folder / "out.lcov").read_text(encoding="utf-8").splitlines()
    document = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    page = (folder / "page.html").read_text(encoding="utf-8")

    assert 0 == run.returncode
    assert "SF:app.py" in lcov
    assert "DA:9,0" in lcov
    assert 1 == sum(line.startswith("BRDA:5,") and line.endswith(",0") for line in lcov)
    assert [9] == document["files"]["app.py"]["missing_lines"]
    assert 7 == document["totals"]["num_statements"]
    assert ">sys.exit(3)</mark>" in page
    assert not re.search(r"""(?:src|href)=["']?https?:""", page)


@needs_monitoring
def test_the_lines_are_those_of_coverage_py(folder: Path) -> None:
    pytest.importorskip("coverage", reason="coverage.py is in the dev extra")
    command = ("python", "-m", "coverage", "run", "app.py")
    run = _coscope(folder, "--coverage-json", "ours.json", "--", *command)
    subprocess.run(
        [sys.executable, "-m", "coverage", "json", "-q", "-o", "theirs.json"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    ours, theirs = (
        json.loads((folder / name).read_text(encoding="utf-8"))["files"]["app.py"]
        for name in ("ours.json", "theirs.json")
    )

    assert 0 == run.returncode  # both in one run
    assert "sys.exit(3)" in run.stdout
    for key in ("executed_lines", "missing_lines"):
        assert theirs[key] == ours[key]


@needs_monitoring
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Write the command after --"),
        (("--",), "no command to run"),
        (("--", "true"), "nothing was measured"),
        (("--lcov", "no/such/folder", "--", "python", "app.py"), "cannot write"),
    ],
)
def test_bad_use_is_one_line(words: tuple[str, ...], said: str, folder: Path) -> None:
    run = _coscope(folder, *words)

    assert 2 == run.returncode
    assert said in run.stderr
    assert 1 == len(run.stderr.splitlines())
