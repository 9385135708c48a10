"""Depth and texts over a sample of each interpreter's own standard library."""

from __future__ import annotations

import random
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from coscope.flow import build
from coscope.flow.domains.depth import needed
from coscope.flow.domains.expression import expressions
from coscope.flow.texts.text import LIMIT
from coscope.model import Code
from coscope.readers.from_pyc import from_pyc
from tests.interpreters import VERSIONS, require

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = 15  # modules
SEED = 20
FIND = "import sysconfig; print(sysconfig.get_path('stdlib'))"

EACH = pytest.mark.parametrize("version", VERSIONS)


@cache
def library(version: str, folder: Path) -> list[Code]:
    """Code objects of sampled modules, compiled by that version's interpreter."""
    python = require(version)
    found = subprocess.run([python, "-I", "-S", "-c", FIND], capture_output=True, check=True)
    modules = sorted(Path(found.stdout.decode().strip()).glob("*.py"))
    source = folder / version
    source.mkdir()
    for path in random.Random(SEED).sample(modules, SAMPLE):
        shutil.copy(path, source)
    program = ROOT / "tools" / "goldens_compile.py"
    subprocess.run([python, "-I", "-S", program, source, source / "out"], check=True)
    paths = sorted((source / "out").glob("*.pyc"))
    return [code for path in paths for code in from_pyc(path).code.walk()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@EACH
def test_the_stack_needed_is_never_above_the_declared(version: str, folder: Path) -> None:
    codes = library(version, folder)
    above = [
        (code.filename, code.qualname, needed(build(code)), code.stacksize)
        for code in codes
        if needed(build(code)) > code.stacksize
    ]

    assert len(codes) > 100
    assert [] == above


@EACH
def test_every_value_has_a_text(version: str, folder: Path) -> None:
    wrong = []
    for code in library(version, folder):
        for index, frame in enumerate(expressions(build(code))):
            top = frame.top(1)[0] if frame else "empty"
            quoted = "'" in top or '"' in top  # text of the program's own
            if not top or "\n" in top or len(top) > LIMIT or ("?" in top and not quoted):
                wrong.append((code.filename, code.qualname, index, top))

    assert [] == wrong
