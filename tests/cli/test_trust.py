"""`coscope trust`: its forms, exit statuses, baselines and cache."""

from __future__ import annotations

import json
import os
import py_compile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from tests.trust.words import IDENTICAL


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = tmp_path / "app"
    place.mkdir()
    for name, text in (
        ("good", "def f():\n    return 'good'\n"),
        ("bad", "def g():\n    return 1\n"),
    ):
        (place / f"{name}.py").write_text(text)
        py_compile.compile(str(place / f"{name}.py"), doraise=True)
    return place


@pytest.fixture
def poisoned(folder: Path) -> Path:
    """The bytecode of `bad` is that of another source under a header that fits."""
    source = folder / "bad.py"
    cached = next((folder / "__pycache__").glob("bad.*.pyc"))
    header = cached.read_bytes()[:16]
    other = folder / "other.py"
    other.write_text("def g():\n    return __import__('os').getpid()\n")
    made = Path(py_compile.compile(str(other), dfile=str(source), doraise=True))
    cached.write_bytes(header + made.read_bytes()[16:])
    other.unlink()
    made.unlink()
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(coscope, ["trust", *map(str, words)], standalone_mode=True)


def _json(*words: object) -> Any:
    return json.loads(run(*words, "--json").stdout)


def test_a_clean_folder_leaves_with_0(folder: Path) -> None:
    found = run(folder)

    assert 0 == found.exit_code
    assert f"2  {IDENTICAL}" in found.stdout
    assert "nothing to look at" in found.stdout


def test_a_poisoned_folder_leaves_with_1_and_says_where(poisoned: Path) -> None:
    found = run(poisoned)

    assert 1 == found.exit_code
    assert "g differs from the source" in found.stdout
    assert "getpid" in found.stdout
    assert "time and size of bad.py fit" in found.stdout


def test_the_document_has_both_files(poisoned: Path) -> None:
    found = _json(poisoned)
    verdicts = {
        Path(each["file"]).name.partition(".")[0]: each["verdict"] for each in found["files"]
    }

    assert {"good": IDENTICAL, "bad": "differs"} == verdicts
    assert not found["ok"]
    bad = found["files"][0]
    assert bad["abilities"]["verified"]
    assert "g" in {each["left"] for each in bad["codes"]}


def test_damage_leaves_with_2(folder: Path) -> None:
    cached = next((folder / "__pycache__").glob("bad.*.pyc"))
    cached.write_bytes(cached.read_bytes()[:40])

    assert 2 == run(folder).exit_code


def test_nothing_to_read_leaves_with_2(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert (2, 2) == (run(tmp_path / "empty").exit_code, run(tmp_path / "gone").exit_code)


def test_strict_counts_information(folder: Path) -> None:
    source = folder / "good.py"
    py_compile.compile(
        str(source),
        doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )

    assert (0, 1) == (run(folder).exit_code, run(folder, "--strict").exit_code)


def test_a_baseline_takes_known_signs_away(poisoned: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    assert 0 == run(poisoned, "--write-baseline", known).exit_code

    found = run(poisoned, "--baseline", known)
    assert 0 == found.exit_code
    assert "in the baseline" in found.stdout
    orphan = next((poisoned / "__pycache__").glob("good.*.pyc"))
    (poisoned / "good.py").unlink()
    assert orphan.exists()
    assert 1 == run(poisoned, "--baseline", known).exit_code


@pytest.mark.parametrize("text", ["", "[]", '{"version": 9}', '{"version": 1, "signs": [{}]}'])
def test_what_is_no_baseline_is_refused(folder: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "known.json").write_text(text)
    found = run(folder, "--baseline", tmp_path / "known.json")

    assert 2 == found.exit_code
    assert "baseline" in found.stderr


def test_sarif_names_rule_file_and_place(poisoned: Path) -> None:
    log = json.loads(run(poisoned, "--format", "sarif").stdout)
    held = log["runs"][0]

    results = [each for each in held["results"] if each["ruleId"] == "TRU101"]
    assert 1 == len(results)
    assert "TRU101" == held["tool"]["driver"]["rules"][results[0]["ruleIndex"]]["id"]
    place = results[0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"].endswith(".pyc")
    assert "g" == place["logicalLocations"][0]["fullyQualifiedName"]


def test_github_annotates_the_file(poisoned: Path) -> None:
    lines = run(poisoned, "--format", "github").stdout.splitlines()

    assert any(line.startswith("::error title=TRU101") and "bad." in line for line in lines)


def test_a_page_is_written_and_loads_nothing(poisoned: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert 1 == run(poisoned, "-o", page).exit_code

    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "getpid" in text
    assert not [word for word in ("<script", "src=", "href=", "@import") if word in text]


def test_the_cache_gives_the_same_answer(folder: Path) -> None:
    first, second = _json(folder), _json(folder)

    assert first == second
    assert list((folder.parent / "cache" / "coscope" / "trust").iterdir())


@pytest.mark.parametrize("change", ["bytecode", "source", "restored"])
def test_the_cache_is_not_deceived(folder: Path, change: str) -> None:
    """Not even where times and sizes are put back."""
    assert 0 == run(folder).exit_code
    cached = next((folder / "__pycache__").glob("bad.*.pyc"))
    file = folder / "bad.py" if change == "source" else cached
    status = file.stat()
    data = file.read_bytes()
    last = data.rindex(b"1") if change == "source" else data.rindex(b"g")
    file.write_bytes(data[:last] + b"2" + data[last + 1 :])
    if change == "restored":
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert 0 != run(folder).exit_code


def test_processes_give_the_same_answer(poisoned: Path) -> None:
    assert _json(poisoned, "-j", "1", "--no-cache") == _json(poisoned, "-j", "2", "--no-cache")
