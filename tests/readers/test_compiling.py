"""The environment that other interpreters start in."""

from __future__ import annotations

import pytest

from coscope.readers.compiling import environment

CONFIGURES = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYENV_DIR", "PYENV_FILE_ARG")


def test_nothing_that_configures_python_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CONFIGURES:
        monkeypatch.setenv(name, "/hostile")
    monkeypatch.setenv("PYENV_ROOT", "/opt/pyenv")
    monkeypatch.setenv("LANG", "C")

    found = environment()

    assert not found.keys() & set(CONFIGURES)
    assert "/hostile" not in found.values()
    assert ("/opt/pyenv", "C") == (found["PYENV_ROOT"], found["LANG"])
