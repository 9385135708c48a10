"""`coscope audit` where files, disks, users and signals are not as they should be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from coscope.cli.progress import Progress

needs_processes = pytest.mark.skipif(sys.platform == "emscripten", reason="starts processes")

SOURCE = "def total(formula):\n    return eval(formula)\n"


def run(*words: object) -> Result:
    return CliRunner().invoke(coscope, ["audit", *map(str, words)])


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "orders.py").write_text(SOURCE)
    return tmp_path


BAD = {
    "empty.pyc": b"",
    "random.pyc": bytes(range(100)),
    "short.pyc": b"\xf3\r\r\n" + bytes(12) + b"\xe3\0\0",
    "syntax.py": b"def\n",
    "encoding.py": b'x = "\xff"\n',
    "null.py": b"a\0b",
    "nested.py": b"x = " + b"(" * 10_000 + b")" * 10_000,
    "deep.py": b"x = a" + b".b" * 100_000,
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_bad_file_is_one_error_and_the_others_are_audited(
    tree: Path, name: str, jobs: str
) -> None:
    if jobs == "2" and sys.platform == "emscripten":
        pytest.skip("starts processes")
    (tree / "app" / name).write_bytes(BAD[name])
    result = run("app", "-j", jobs)

    assert 2 == result.exit_code
    assert 1 == result.stderr.count("coscope: error: ")
    assert "Traceback" not in result.stderr
    assert "app/orders.py:2:12  DYN101" in result.stdout
    assert "1 target could not be read" in result.stdout


def test_links_in_a_circle_are_no_hardship_and_one_to_nowhere_is_reported(tree: Path) -> None:
    (tree / "app" / "empty.py").touch()
    (tree / "app" / "up").symlink_to("..", target_is_directory=True)
    (tree / "app" / "gone.py").symlink_to("nowhere.py")
    result = run("app", "--json")

    assert 2 == json.loads(result.stdout)["totals"]["files"]
    assert (2, 1) == (result.exit_code, result.stderr.count("\n"))
    assert "app/gone.py: " in result.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
def test_a_pipe_is_not_waited_for(tree: Path) -> None:
    os.mkfifo("app/pipe.py")
    inside = run("app")
    named = run("app/pipe.py")

    assert (1, "") == (inside.exit_code, inside.stderr)
    assert 2 == named.exit_code
    assert named.stderr.startswith("coscope: error: app/pipe.py: this is no regular file. Give a ")
    assert 1 == named.stderr.count("\n")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[tool]\ncoscope = 1", "tool.coscope is not a table"),
        ("[[tool.coscope]]\nselect = []", "tool.coscope is not a table"),
        ("[tool.coscope]\ncapture-limit = -1", "capture-limit is no limit"),
        ("[tool.coscope]\nleast-share = nan", "least-share is no limit"),
        ("[tool.coscope]\nbaseline = 3", "baseline is not a string"),
        ("[tool.coscope]\nselect = ['NONE']", "no rule begins with 'NONE'"),
    ],
)
def test_a_wrong_configuration_names_its_file(tree: Path, table: str, words: str) -> None:
    Path("pyproject.toml").write_text(table)
    result = run("app")

    assert (2, 1) == (result.exit_code, result.stderr.count("\n"))
    assert words in result.stderr


@pytest.mark.parametrize("option", ["--config", "--baseline"])
@pytest.mark.parametrize("name", ["nowhere", "app", "/dev/zero", "bytes"])
def test_what_is_no_text_file_is_one_error(tree: Path, option: str, name: str) -> None:
    Path("bytes").write_bytes(b"\xff\xfe")
    result = run("app", option, name)

    assert (2, 1) == (result.exit_code, result.stderr.count("\n"))
    assert f"coscope: error: {name}: " in result.stderr


COUNT = (
    '{"version": 1, "findings": [{"rule": "", "file": "", "code": "", "text": "", "count": %s}]}'
)


@pytest.mark.parametrize("text", ["[" * 100_000, "null", COUNT % "-1", COUNT % "true"])
def test_a_bad_baseline_is_told_before_the_work(
    tree: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    Path("known.json").write_text(text)
    monkeypatch.setattr("coscope.cli.audit_work.audit_items", None)
    result = run("app", "--baseline", "known.json")

    assert (2, 1) == (result.exit_code, result.stderr.count("\n"))
    assert "known.json: this is no baseline" in result.stderr


def test_a_baseline_is_written_anew_over_itself(tree: Path) -> None:
    run("app", "--write-baseline", "known.json")
    before = Path("known.json").read_text()
    Path("app/more.py").write_text(SOURCE)
    Path("link.json").symlink_to("known.json")
    result = run("app", "--baseline", "known.json", "--write-baseline", "link.json")

    assert (0, "2 findings written to link.json\n") == (result.exit_code, result.stderr)
    assert 0 == run("app", "--baseline", "known.json").exit_code
    assert Path("link.json").is_symlink()
    assert before != Path("known.json").read_text()


def test_a_mistyped_target_does_not_empty_a_baseline(tree: Path) -> None:
    run("app", "--write-baseline", "known.json")
    before = Path("known.json").read_text()
    result = run("ap", "--write-baseline", "known.json")

    assert 2 == result.exit_code
    assert "the baseline is not written" in result.stderr
    assert before == Path("known.json").read_text()


def test_a_baseline_that_cannot_be_written_leaves_nothing(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(old: str, new: str) -> None:
        raise OSError(28, "No space left on device")

    run("app", "--write-baseline", "known.json")
    before = Path("known.json").read_text()
    Path("app/more.py").write_text(SOURCE)
    monkeypatch.setattr("os.replace", full)
    result = run("app", "--write-baseline", "known.json")

    assert (2, 1) == (result.exit_code, result.stderr.count("\n"))
    assert before == Path("known.json").read_text()
    assert [] == list(tree.glob(".new-*"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_keeps_what_was_found_and_leaves_no_process(
    tree: Path, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    if jobs == "2" and sys.platform == "emscripten":
        pytest.skip("starts processes")
    for number in range(30):
        Path(f"app/more{number}.py").write_text(f"{SOURCE}\n\nx = {number}, '{'x' * 20_000}'\n")

    def interrupt(self: Progress, done: int, total: int) -> None:
        assert total == 31
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "advance", interrupt)
    result = run("app", "-j", jobs)
    (cache,) = Path("cache/coscope/audit").glob("*.json")

    assert (130, "") == (result.exit_code, result.stdout)
    assert "Traceback" not in result.stderr
    assert 1 == len(json.loads(cache.read_text())["entries"])
    assert [] == list(cache.parent.glob(".new-*"))
    if jobs == "2":
        with pytest.raises(ChildProcessError):  # there is no child left to wait for
            os.waitpid(-1, os.WNOHANG)


@needs_processes
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_full_disk_is_one_error(tree: Path, form: str) -> None:
    command = [sys.executable, "-m", "coscope", "audit", "app", "--format", form]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, text=True)

    assert (2, "coscope: error: cannot write the answer: No space left on device\n") == (
        done.returncode,
        done.stderr,
    )


@needs_processes
@pytest.mark.skipif(os.name != "posix", reason="closes streams as a shell does")
@pytest.mark.parametrize(("closed", "error"), [(">&-", ""), ("2>&-", ""), (">&- 2>&-", "")])
def test_streams_that_the_shell_has_closed(tree: Path, closed: str, error: str) -> None:
    line = f'"{sys.executable}" -m coscope audit app {closed}'
    done = subprocess.run(line, shell=True, capture_output=True, check=False, text=True)

    assert (1, error) == (done.returncode, done.stderr)
