"""`coscope call` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from coscope.cli.arguments import Literals, literals
from coscope.cli.group import coscope
from coscope.errors import SourceError
from tests.render.documents import schema


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["call", *words])


# Arguments


@pytest.mark.parametrize(
    ("text", "positional", "keywords"),
    [
        ("", (), ()),
        ("1, 2, key=3", (1, 2), (("key", 3),)),
        ("-1, +2.5, 3j, 1-2j", (-1, 2.5, 3j, 1 - 2j), ()),
        ("None, True, ..., b'x', 'y' 'z'", (None, True, ..., b"x", "yz"), ()),
        ("[1, (2,)], {'a': {3}}", ([1, (2,)], {"a": {3}}), ()),
        ("*[1, 2], *(3,), 4", (1, 2, 3, 4), ()),
        ("a=1, **{'b': 2, 3: 4}", (), (("a", 1), ("b", 2), (3, 4))),
        ("a=1, **{'a': 2}", (), (("a", 1), ("a", 2))),
        ("1,", (1,), ()),
        ("1 # a comment", (1,), ()),
        ("'größe', x=')'", ("größe",), (("x", ")"),)),
    ],
)
def test_literals_are_read(text: str, positional: Any, keywords: Any) -> None:
    assert Literals(positional, keywords) == literals(text)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("foo()", 1),
        ("1, name", 4),
        ("1, [x for x in 'ab']", 4),
        ("f'{1}'", 1),
        ("1 if 2 else 3", 1),
        ("lambda: 0", 1),
        ("1 +", None),
        ("1) + (2", None),
        ("1)(2", None),
        ("1), call(2", None),
        ("a=1, 2", None),
        ("a=1, a=2", 6),
        ("*5", 2),
        ("**[1]", 3),
        ("{[]: 1}", 1),
        ("\0", None),
        ("'é', foo()", 6),
        ("(" * 500 + ")" * 500, None),
        ("x := 1", None),
    ],
)
def test_anything_else_is_one_error(text: str, column: int | None) -> None:
    with pytest.raises(SourceError) as raised:
        literals(text)

    assert str(raised.value).startswith("the arguments cannot be read: ")
    assert column is None or column == raised.value.column


@settings(max_examples=200, deadline=None, database=None)
@given(st.text("()[]{}*=,:'\"ab1 \n#\\.-", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = literals(text)
    except SourceError:
        return

    assert isinstance(found, Literals)


# The command


def test_a_call_that_binds() -> None:
    result = run("json:dumps", "{'a': 1}, indent=2")

    assert 0 == result.exit_code
    assert "json:dumps({'a': 1}, indent=2)   binds" == result.output.splitlines()[0]
    assert "keyword 'indent' fills slot 6, indent" in result.output


def test_a_call_that_cpython_refuses() -> None:
    result = run("json:dumps", "1, 2")

    assert 1 == result.exit_code
    assert "  dumps() takes 1 positional argument but 2 were given" in result.output.splitlines()


def test_a_minus_begins_no_option() -> None:
    assert "json:dumps(-1)   binds" == run("json:dumps", "-1").output.splitlines()[0]
    assert 2 == run("json:dumps", "--stps").exit_code


def test_without_arguments_the_call_is_empty() -> None:
    assert (
        "  dumps() missing 1 required positional argument: 'obj'"
        in run("json:dumps").output.splitlines()
    )


def test_bad_arguments_have_a_caret() -> None:
    result = run("json:dumps", "1, foo()")

    assert 2 == result.exit_code
    assert "Traceback" not in result.output
    assert ["    1, foo()", "       ^"] == result.output.splitlines()[1:]


def test_the_arguments_are_never_evaluated(tmp_path: Path) -> None:
    file = tmp_path / "made"

    result = run("json:dumps", f"open({str(file)!r}, 'w')")

    assert 2 == result.exit_code
    assert not file.exists()


def test_a_trace() -> None:
    result = run("textwrap:dedent", "' a'", "--trace")

    assert 0 == result.exit_code
    assert "returned 'a'" in result.output
    assert "→ dedent  (frame 1)" in result.output


def test_what_the_function_prints_is_no_part_of_the_answer() -> None:
    result = CliRunner().invoke(
        coscope, ["call", "tests.cli.test_call:prints", "'aloud'", "--trace", "--json"]
    )

    assert "returned" == json.loads(result.stdout)["trace"]["outcome"]
    assert "aloud\n" == result.stderr


def prints(text: str) -> None:
    print(text)


def test_options_of_the_trace_need_it() -> None:
    assert 2 == run("json:dumps", "1", "--steps", "5").exit_code
    assert 2 == run("json:dumps", "1", "--trace", "--python", "3.12").exit_code


def test_c_code_is_told_as_such() -> None:
    result = run("builtins:len", "[]")

    assert 3 == result.exit_code
    assert "only running it can tell" in result.output


def test_plain_ascii() -> None:
    result = run("tests.cli.test_call:looping", "100", "--trace", "--ascii")

    assert result.output.isascii()
    assert "... 98 more iterations" in result.output


def looping(n: int) -> int:
    total = 0
    for i in range(n):
        total += i
    return total


@pytest.mark.parametrize(
    "words",
    [
        ("json:dumps", "1, indent=2"),
        ("json:dumps", "1, 2"),
        ("json:dumps", "1, **{3: 4}"),
        ("tests.cli.test_call:looping", "100", "--trace"),
        ("tests.cli.test_call:looping", "'x'", "--trace"),
        ("tests.cli.test_call:looping", "", "--trace"),
        ("tests.cli.test_call:looping", "100", "--trace", "--steps", "5"),
    ],
)
def test_documents_are_valid(words: tuple[str, ...]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = json.loads(run(*words, "--json").stdout)
    validator = jsonschema.Draft202012Validator(
        {"$ref": "#/$defs/call_document", "$defs": schema()["$defs"]}
    )

    assert [] == [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(document)]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_trace_fits_the_page_at_every_width(width: int) -> None:
    call = run(
        "textwrap:fill", "'some words to fill a line with'", "--trace", "--width", str(width)
    )
    lines = call.output.splitlines()

    assert len(lines) > 30
    assert max(map(len, lines)) <= width
