"""The search for interpreters."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import interpreters


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
def test_finds_the_running_interpreter_first() -> None:
    running = "{}.{}".format(*sys.version_info[:2])

    assert Path(sys.executable) == interpreters.find(running)


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
