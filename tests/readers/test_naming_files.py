"""Files that are neither source nor bytecode are named as what they are."""

from __future__ import annotations

import gzip
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from coscope.cli.files import items_of
from coscope.codec.pyc import read_header
from coscope.errors import TargetError, TargetNotFound, UnknownMagic
from coscope.readers import read


def archive(path: Path) -> bytes:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("__main__.py", "print(1)")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a.whl", "a wheel"),
        ("a.egg", "an egg"),
        ("a.zip", "a zip archive"),
        ("a.py", "a zip archive"),
    ],
)
def test_an_archive_is_named(tmp_path: Path, name: str, what: str) -> None:
    archive(tmp_path / name)
    with pytest.raises(TargetError, match=what):
        read(tmp_path / name)


def test_a_zip_application_is_named(tmp_path: Path) -> None:
    data = archive(tmp_path / "inner.zip")
    (tmp_path / "app").write_bytes(b"#!/usr/bin/env python3\n" + data)
    with pytest.raises(TargetError, match="a zip application"):
        read(str(tmp_path / "app"))


def test_a_compressed_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_bytes(gzip.compress(b"x = 1"))
    with pytest.raises(TargetError, match="compressed by gzip"):
        read(tmp_path / "x.py")


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide is no file")
def test_the_interpreter_is_a_program() -> None:
    program = shutil.which(sys.executable) or sys.executable
    with pytest.raises(TargetError, match="a program or library"):
        read(program)


def test_a_source_that_begins_like_an_archive_is_source(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("PK = 1; MZ = 2\n")

    assert ("PK", "MZ") == read(tmp_path / "x.py").code.names


def test_a_link_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.py").symlink_to("nowhere.py")
    with pytest.raises(TargetNotFound, match=r"this link leads nowhere; found nowhere\.py"):
        read(tmp_path / "x.py")
    (item,) = items_of([str(tmp_path)])

    assert "leads nowhere" in str(item.error)


@pytest.mark.parametrize(
    ("magic", "file", "whose"),
    [
        (3394, "x.pyc", "CPython 3.7"),
        (3379, "x.pyc", "CPython 3.6"),
        (62211, "x.pyc", "CPython 2.7"),
        (3413, "__pycache__/x.pypy38.pyc", "PyPy"),
        (3531, "__pycache__/x.graalpy241-312.pyc", "GraalPy"),
    ],
)
def test_bytecode_that_is_not_read_is_named(magic: int, file: str, whose: str) -> None:
    data = magic.to_bytes(2, "little") + b"\r\n" + bytes(12)
    with pytest.raises(UnknownMagic, match=f"bytecode of {whose}"):
        read_header(data, file)
