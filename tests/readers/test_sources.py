"""The text that code was compiled from."""

from __future__ import annotations

import ast
import hashlib
import linecache
import os
from pathlib import Path

import pytest

from coscope.errors import SourceError
from coscope.readers.from_function import from_code_object
from coscope.readers.sources import annotations_in, decode_text, source_from, source_of


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"x = '\xc3\xa9'\n", "x = 'é'\n"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        (b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'é'\n"),
        (
            b"#!/bin/sh\n# -*- coding: cp1252 -*-\nx='\x80'",
            "#!/bin/sh\n# -*- coding: cp1252 -*-\nx='€'",
        ),
    ],
)
def test_the_declared_encoding_is_used(data: bytes, text: str) -> None:
    assert text == decode_text(data, "x.py")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"x = '\xe9'\n", 1),
        (b"\n\n\nx = '\xe9'\n", 4),
        (b"x = 1\n\0\n", 2),
        (b"# coding: utf-8\n\nx = '\xff'\n", 3),
        (b"# coding: nonsense\n", None),
        (b"# coding: rot13\n", None),
        (b"\xef\xbb\xbf# coding: latin-1\n", None),
    ],
)
def test_bytes_that_do_not_decode_are_a_source_error(data: bytes, line: int | None) -> None:
    with pytest.raises(SourceError) as raised:
        decode_text(data, "x.py")

    assert ("x.py", line) == (raised.value.file, raised.value.line)


def test_lines_are_counted_as_the_compiler_counts_them() -> None:
    source = source_from(b"a = 1\r\nb = '\x0c'\rc = '\xe2\x80\xa8'\n", "x.py")

    assert ("a = 1", "b = '\x0c'", "c = '\u2028'") == source.lines


def test_the_hash_is_of_the_bytes() -> None:
    data = b"# coding: latin-1\n# \xe9\n"

    assert hashlib.sha256(data).hexdigest() == source_from(data, "x.py").sha256


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("a = 1\n")
    first = source_of(str(file))
    file.write_text("a = 1\nb = 2\n")
    second = source_of(str(file))

    assert (1, 2) == (len(first.lines if first else ()), len(second.lines if second else ()))


def test_the_cell_of_a_notebook_is_found_in_linecache() -> None:
    name = "<ipython-input-7-coscope>"
    linecache.cache[name] = (8, None, ["x = 1\n", "y = 2\n"], name)
    source = source_of(name)
    del linecache.cache[name]

    assert source is not None
    assert ("x = 1", "y = 2") == source.lines


def test_a_loader_that_linecache_has_not_asked_yet_is_not_asked() -> None:
    def get_source() -> str:
        raise AssertionError("the loader was asked")

    name = "<lazy-coscope>"
    linecache.cache[name] = (get_source,)  # type: ignore[assignment]
    source = source_of(name)
    del linecache.cache[name]

    assert source is None


def test_a_doctest_finds_its_source() -> None:
    """Run by doctest, whose lines are in its own memory.

    >>> from coscope.readers import read
    >>> def area(width): return width * width
    >>> read(area).source.lines[0]
    'def area(width): return width * width'
    """
    assert source_of("<doctest coscope.nothing[0]>") is None


@pytest.mark.parametrize("name", ["", "<string>", "/nowhere/x.py", "x\0y", os.sep])
def test_what_is_no_file_has_no_source(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecache, "cache", {})  # another test may have left such a name

    assert source_of(name) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX")
def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.py")

    assert source_of(str(tmp_path / "x.py")) is None


def test_annotations_are_taken_from_the_source() -> None:
    text = "import os\n@os.x\ndef f(a: 'A', /, *b: int, c: list[ int ], **d) -> None: pass\n"
    source = source_from(text.encode(), "x.py")
    code = from_code_object(compile(ast.parse(text), "x.py", "exec")).consts
    function = next(each for each in code if getattr(each, "name", "") == "f")

    assert [("a", "'A'"), ("c", "list[int]"), ("b", "int"), ("return", "None")] == list(
        annotations_in(source, function)
    )
