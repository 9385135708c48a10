"""`coscope explain-opcode` as a user meets it."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from coscope.opcodes import VERSIONS, table
from coscope.opcodes.sentences import explain_opcode, names
from coscope.render.results.explain_opcode import document, sheet
from coscope.render.text.measured import Pen
from tests.render.documents import schema


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["explain-opcode", *words])


def test_a_page_says_since_when_what_and_which_forms() -> None:
    text = run("unpack_sequence").stdout

    assert "UNPACK_SEQUENCE  since CPython 3.8 or earlier\n" in text
    assert "Pops an iterable of exactly as many items" in text
    assert "leaves    values * oparg" in text
    assert "UNPACK_SEQUENCE_TWO_TUPLE  3.11 to 3.15" in text


def test_without_a_name_every_opcode_is_listed() -> None:
    listed = {line.split(" ")[0] for line in run("--width", "200").stdout.splitlines()[:-2]}
    base = {n for v in VERSIONS for n, row in table(v).opcodes.items() if row.base is None}

    assert base == listed


def test_of_one_version() -> None:
    listed = {line.split(" ")[0] for line in run("--code-version", "3.9").stdout.splitlines()[:-2]}

    assert set(table("3.9").opcodes) == listed


def test_the_documents_follow_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    every = json.loads(run("--json").stdout)
    one = json.loads(run("JUMP_FORWARD", "--json").stdout)

    wanted = {"$ref": "#/$defs/opcode_document", "$defs": schema()["$defs"]}
    validator = jsonschema.Draft202012Validator(wanted)

    assert [] == [*validator.iter_errors(every), *validator.iter_errors(one)]
    assert names() == [each["name"] for each in every["opcodes"]]
    assert ["JUMP_FORWARD"] == [each["name"] for each in one["opcodes"]]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_page_is_cut(width: int) -> None:
    cut = [
        name for name in names() if "…" in str(sheet(document(explain_opcode(name)), Pen(width)))
    ]

    assert [] == cut


def test_a_typo_is_one_line_and_status_2() -> None:
    result = run("LAOD_FAST")

    assert 2 == result.exit_code
    assert "Did you mean" in result.output
    assert 1 == result.output.count("\n")


def test_an_unknown_version_is_one_line_and_status_2() -> None:
    result = run("NOP", "--code-version", "2.7")

    assert 2 == result.exit_code
    assert "no opcode table for CPython 2.7" in result.output


def test_the_api_displays_as_the_command() -> None:
    assert run("NOP").stdout == str(explain_opcode("NOP"))
