"""The search for interpreters."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from coscope import opcodes
from tests import interpreters

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
def test_finds_the_running_interpreter_first() -> None:
    running = "{}.{}".format(*sys.version_info[:2])

    assert Path(sys.executable) == interpreters.find(running)


def test_the_classifiers_name_the_versions_that_coscope_runs_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    named = [each.removeprefix(prefix) for each in project["classifiers"] if prefix in each]

    assert list(interpreters.HOSTS) == [f"3.{minor}" for minor in named]


def test_the_versions_are_those_that_have_tables() -> None:
    assert opcodes.VERSIONS == interpreters.VERSIONS


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
def test_a_micro_release_is_found_by_its_whole_name() -> None:
    release = "{}.{}.{}".format(*sys.version_info[:3])

    assert Path(sys.executable) == interpreters.find(release)
    assert interpreters.find(f"{release}9") is None


def test_does_not_find_what_nobody_has() -> None:
    assert interpreters.find("3.1") is None


def test_require_skips_and_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COSCOPE_REQUIRE_INTERPRETERS", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"CPython 3\.1: no python3\.1"):
        interpreters.require("3.1")


def test_require_fails_where_every_interpreter_must_be_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COSCOPE_REQUIRE_INTERPRETERS", "1")

    with pytest.raises(pytest.fail.Exception, match=r"CPython 3\.1"):
        interpreters.require("3.1")


def test_a_pyodide_folder_must_hold_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COSCOPE_PYODIDE_314", str(tmp_path))
    interpreters.pyodide.cache_clear()
    found = interpreters.pyodide("3.14")
    interpreters.pyodide.cache_clear()

    assert found is None
