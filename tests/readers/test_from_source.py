"""Source is compiled, never executed; what does not compile is one clear error."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from coscope.errors import SourceError, TargetError, TargetNotFound
from coscope.readers.from_source import from_file, from_source


def test_the_module_code_holds_the_code_of_everything_in_it() -> None:
    read = from_source("class A:\n  def f(self):\n    return lambda: 1\n")

    assert ["<module>", "A", "A.f", "A.f.<locals>.<lambda>"] == [
        code.qualname for code in read.code.walk()
    ]
    assert ("source", False, "<module>") == (read.origin, read.live, read.qualname)


def test_nothing_is_executed(tmp_path: Path) -> None:
    file = tmp_path / "leaves_a_mark.py"
    mark = tmp_path / "mark"
    file.write_text(f"open({str(mark)!r}, 'w')\nraise SystemExit\n")
    from_file(file)

    assert not mark.exists()


def test_flags_of_our_own_module_are_not_inherited() -> None:
    read = from_source("def f(x: 1): pass")

    assert "FUTURE_ANNOTATIONS" not in read.code.flags.names


@pytest.mark.parametrize(("optimize", "loads"), [(0, True), (1, False)])
def test_optimize_leaves_asserts_out(optimize: int, loads: bool) -> None:
    code = from_source("assert name", optimize=optimize).code

    assert loads == ("name" in code.names)


@pytest.mark.parametrize(("optimize", "doc"), [(0, "What it is."), (2, None)])
def test_the_docstring_is_found(optimize: int, doc: str | None) -> None:
    assert doc == from_source("'What it is.'\nx = 1\n", optimize=optimize).doc


def test_text_may_hold_any_character_and_declaration() -> None:
    assert "é" in from_source("# coding: latin-1\nx = 'é'", "x.py").code.consts


def test_warnings_of_the_compiler_are_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = from_source("x = 1 is 1\ny = '\\d'\n")

    assert "<module>" == read.name


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("def f(:\n  pass\n", 1, 7),
        ("x = 1\n\ty = 2\n", 2, None),
        ("a = é +\n", 1, 8),
        ("'''unclosed", 1, 1),
        ("return 1\n", 1, 1),
        ("x = 1\0", 1, None),
        ("x = '\ud800'", 1, None),
    ],
)
def test_a_syntax_error_tells_where(text: str, line: int, column: int | None) -> None:
    with pytest.raises(SourceError) as raised:
        from_source(text, "x.py")
    error = raised.value

    assert ("x.py", line) == (error.file, error.line)
    assert column is None or column == error.column


def test_a_syntax_error_holds_the_line_for_a_caret() -> None:
    with pytest.raises(SourceError) as raised:
        from_source("x = 1\ny = = 2\n", "x.py")

    assert ("y = = 2", 5) == (raised.value.text, raised.value.column)


@pytest.mark.parametrize(
    "text",
    ["x = " + "-" * 200_000 + "1", "x = " + "(" * 500 + ")" * 500, "x = a" + ".b" * 200_000],
    ids=["minus", "parentheses", "attributes"],
)
def test_deep_nesting_is_a_source_error(text: str) -> None:
    with pytest.raises(SourceError):
        from_source(text, "x.py")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "x.py"
    os.mkfifo(pipe)

    with pytest.raises(TargetError, match="this is no regular file"):
        from_file(pipe)


def test_a_missing_file_and_a_directory_are_not_found(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.py", tmp_path):
        with pytest.raises(TargetNotFound) as raised:
            from_file(path)

        assert str(path) == raised.value.file


def test_a_path_with_a_null_byte_is_a_target_error() -> None:
    with pytest.raises(TargetError):
        from_file("x\0.py")
