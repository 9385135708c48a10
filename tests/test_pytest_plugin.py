"""The fixture `patch_code`, in a run of pytest of its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

TESTS = """
CODES = []

def wait():
    seconds = 30
    return seconds, 60

def test_first(patch_code):
    CODES.append(wait.__code__)
    receipt = patch_code(wait, constants={30: 5})
    patch_code(wait, constants={60: 6})
    assert (5, 6) == wait()
    assert receipt.in_place
    assert False, "it is undone after a failure too"

def test_second():
    assert wait.__code__ is CODES[0]
    assert (30, 60) == wait()
"""


def test_the_fixture_undoes_its_patches(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    options = ["-q", "-p", "coscope.pytest_plugin", "-p", "no:cacheprovider", "-W", "ignore"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)], capture_output=True, text=True
    )

    assert "1 failed, 1 passed" in run.stdout, run.stdout + run.stderr
    assert "it is undone after a failure too" in run.stdout


FAILING = """
def total(order):
    return order["total"] + 1

def test_it():
    order = {}.get("x")
    assert 3 == total(order)

def test_skipped():
    import pytest
    pytest.skip("not explained")
"""


def test_a_failure_is_explained_if_asked(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(FAILING, encoding="utf-8")
    options = ["-q", "-p", "coscope.pytest_plugin", "-p", "no:cacheprovider", "-W", "ignore"]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    plain, explained = (
        subprocess.run(
            [*command, *asked], capture_output=True, text=True, encoding="utf-8", check=False
        ).stdout
        for asked in ([], ["--coscope"])
    )

    assert "coscope explain" not in plain
    assert 1 == explained.count("- coscope explain -")
    assert "`order` is None, which has no items." in explained
    assert "pluggy" not in explained


SCOPES = """
import pytest

def wait():
    return 30

class TestOne:
    def test_patched(self, patch_code_class):
        patch_code_class(wait, constants={30: 5})
        assert 5 == wait()

    def test_still(self):
        assert 5 == wait()

def test_undone():
    assert 30 == wait()

def test_module(patch_code_module):
    patch_code_module(wait, constants={30: 6})

def test_module_still(patch_code_session):
    assert 6 == wait()
    patch_code_session(wait, name="other")

def test_a_failure_shows_the_message(patch_code):
    patch_code(wait, constants={77: 1})

def test_a_copy_too():
    import coscope
    coscope.patch(wait, constants={78: 1})
"""


def test_scopes_and_what_a_failure_shows(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(SCOPES, encoding="utf-8")
    options = ["-q", "-p", "coscope.pytest_plugin", "-p", "no:cacheprovider", "-W", "ignore"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)], capture_output=True, text=True
    )

    assert "2 failed, 5 passed" in run.stdout, run.stdout + run.stderr
    assert "no instruction of `wait` loads 77" in run.stdout or "loads 77" in run.stdout
    assert "coscope/patcher" not in run.stdout
    assert "localspluskinds" not in run.stdout


def test_pytest_finds_it_by_its_entry_point() -> None:
    project = tomllib.loads(
        (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    )["project"]

    assert {"coscope.pytest_plugin": "coscope.pytest_plugin"} == (
        project["entry-points"]["pytest11"]
    )
