"""Documents of several versions, aligned: nothing is lost, equal rows are equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coscope.opcodes import VERSIONS, table
from coscope.opcodes.sentences import sentence
from coscope.readers import locate
from coscope.render.document.targets import document_of
from coscope.render.document.versions import versions_of
from coscope.render.pages.versions_sheet import versions_sheet
from coscope.render.text.measured import Pen
from coscope.render.to_json import to_json
from tests import interpreters
from tests.render.documents import DATA, schema

SOURCE = '''\
import sys
from contextlib import suppress

def squares(rows, *, limit=3):
    """Doc."""
    try:
        with suppress(TypeError):
            return [row ** 2 for row in rows if row and limit < 10]
    except ValueError as error:
        print(f"{error!r:>10}", file=sys.stderr)
    for at in range(limit):
        rows.append(at)
    return rows, sum(x for x in rows)

class Account:
    rate = 2
    async def fetch(self):
        async with self as opened:
            return await opened
    def total(self):
        return super().__init__() or self.rate
'''
SAMPLES = [f"sample-{version}.pyc" for version in ("3.8", "3.12", "3.13")]


def compiled(folder: Path, *versions: str) -> list[Any]:
    path = folder / "source.py"
    path.write_text(SOURCE, encoding="utf-8")
    pythons = [str(interpreters.require(version)) for version in versions]
    return [document_of(locate(str(path), python=each), detail="all") for each in pythons]


def from_samples(names: list[str]) -> list[Any]:
    return [document_of(locate(str(DATA / name)), detail="all") for name in names]


def columns_of(found: Any, number: int) -> dict[str, list[int]]:
    """The instructions of one version in the order of the rows, by code object."""
    return {
        code["key"]: [row["at"][number] for row in code["rows"] if row["at"][number] is not None]
        for code in found["codes"]
        if code["at"][number] is not None
    }


def instruction(found: Any, code: Any, row: Any, number: int) -> Any:
    detail = found["documents"][number]["codes"][code["at"][number]]["detail"]
    return detail["instructions"][row["at"][number]]


@pytest.fixture(params=["samples", "compiled"])
def found(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "samples":
        return versions_of(from_samples(SAMPLES))
    return versions_of(compiled(tmp_path, *VERSIONS))


def test_every_instruction_is_in_one_row_in_its_order(found: Any) -> None:
    for number, document in enumerate(found["documents"]):
        wanted = {code["key"]: list(range(code["instruction_count"])) for code in document["codes"]}

        assert wanted == columns_of(found, number)


def test_rows_say_whether_they_are_the_same(found: Any) -> None:
    kinds = set()
    for code in found["codes"]:
        here = [number for number, at in enumerate(code["at"]) if at is not None]
        for row in code["rows"]:
            known = [n for n in here if row["at"][n] is not None]
            each = [instruction(found, code, row, number) for number in known]
            lines, names = {i["line"] for i in each}, {i["opname"] for i in each}
            kinds.add(row["kind"])

            assert 1 == len(lines)
            assert ("some" == row["kind"]) == (known != here)
            assert "same" != row["kind"] or 1 == len(names)
            assert (
                "changed" != row["kind"]
                or len(names) > 1
                or 1 < len({(i["argrepr"], i["arg"]) for i in each})
            )
    assert {"same", "changed", "some"} == kinds


def test_it_follows_its_schema(found: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    wanted = {"$ref": "#/$defs/versions_document", "$defs": schema()["$defs"]}
    plain = json.loads(to_json(found))

    assert [] == list(jsonschema.Draft202012Validator(wanted).iter_errors(plain))


def test_opcodes_are_those_that_counts_differ_of(found: Any) -> None:
    newest = found["documents"][-1]["codes"][0]["version"]
    for each in found["opcodes"]:
        counts = [
            sum(
                i["opname"] == each["name"]
                for code in document["codes"]
                for i in code["detail"]["instructions"]
            )
            for document in found["documents"]
        ]

        assert counts == each["counts"]
        assert each["known"] == [v for v in VERSIONS if each["name"] in table(v).opcodes]
        if each["name"] in table(newest).opcodes:
            assert sentence(table(newest).opcodes[each["name"]], newest) == each["sentence"]
    assert len(found["opcodes"]) > 10


def test_a_version_beside_itself_is_the_same() -> None:
    found = versions_of(from_samples(["sample-3.13.pyc"] * 3))

    assert all(code["same"] for code in found["codes"])
    assert [] == found["opcodes"]


def test_an_inlined_comprehension_is_told(tmp_path: Path) -> None:
    found = versions_of(compiled(tmp_path, "3.11", "3.12"))
    code = next(code for code in found["codes"] if code["key"].endswith("<listcomp>"))
    fact = next(fact for fact in code["facts"] if fact["what"] == "code object")

    assert ["has one", None] == fact["values"]
    assert "no call is made" in fact["note"]
    assert None is code["at"][1]


def test_without_detail_there_are_facts_and_no_rows(tmp_path: Path) -> None:
    documents = [document_of(locate(str(DATA / name)), detail="none") for name in SAMPLES[-2:]]
    found = versions_of(documents)

    assert [] == [row for code in found["codes"] for row in code["rows"]]
    assert any(code["facts"] for code in found["codes"])


@pytest.mark.parametrize("width", [140, 200])
def test_the_page_has_a_row_for_each_row(found: Any, width: int) -> None:
    text = str(versions_sheet(found, Pen(width)))
    marks = {"same": " ", "changed": "~", "some": "+"}
    rows = [line for line in text.splitlines() if "│" in line and "CPython" not in line]
    wanted = [marks[row["kind"]] for code in found["codes"] for row in code["rows"]]

    assert wanted == [line[0] for line in rows]
    assert all(len(line) <= width for line in text.splitlines())


def test_a_narrow_page_is_not_exceeded(found: Any) -> None:
    assert all(len(line) <= 60 for line in str(versions_sheet(found, Pen(60))).splitlines())
