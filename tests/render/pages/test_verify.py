"""Pages and documents of the verifier's reports, made by hand so that no rule's words matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coscope.model import Code, Span
from coscope.readers import read
from coscope.render.results import document_of, sheet_of, verify
from coscope.render.text.measured import Pen, cells
from coscope.verifier.report import Contract, Report, Violation
from tests.render.documents import DATA, schema

GOLDEN = Path(__file__).parents[1] / "golden" / "verify.txt"

TITLES = {"VER901": "An instruction takes a constant that does not exist", "VER902": "Too deep"}


@pytest.fixture(autouse=True)
def _titles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_titles", lambda: TITLES)


def a_report(*violations: Violation, code: Code | None = None, **fields: Any) -> Report:
    code = code or read(DATA / "sample-3.13.pyc").code
    contract = Contract(code.qualname, (), (), (), False)
    made = Report(code.qualname, code.version, violations, contract, 11, False, "x.pyc", code)
    return replace(made, **fields)


LOAD = 4  # place of `load` in the sample
STACK = ("object", "NULL or object", "tuple (3)", "exception")
CONSTANT = Violation(
    rule="VER901",
    message="there is no such constant",
    code="load",
    offset=2,
    span=Span(23),
    opname="LOAD_CONST",
    expected="an index below 3",
    found="200",
    stack=(),
    file="x.pyc",
    number=LOAD,
)
DEEP = replace(CONSTANT, rule="VER902", message="too deep", offset=None, stack=None, found=None)
INSIDE = replace(CONSTANT, offset=14, message="byte 14 lies inside", stack=STACK, expected=None)
LAST = replace(CONSTANT, rule="VER903", message="a rule of nobody", offset=270, stack=STACK * 9)
NOWHERE = replace(CONSTANT, offset=9999, span=Span(), expected="x " * 90)

CONTRACT = Contract("f.<locals>.g", ("a", "b"), (("b", "tuple"),), ((".0", "iterator"),), True)

REPORTS = {
    "clean": a_report(),
    "contract": a_report(
        code=read(f"{DATA}/sample-3.13.pyc::outer.inner").code, contract=CONTRACT, codes=1
    ),
    "structural": a_report(
        version="3.8", structural=True, file="a/folder/with/a/long/name/" * 3 + "x.pyc"
    ),
    "violations": a_report(CONSTANT, DEEP, INSIDE, LAST, NOWHERE),
    "many": a_report(*[DEEP] * 23),
}


def pages(pens: dict[str, Pen]) -> Iterator[tuple[str, str]]:
    for name, report in REPORTS.items():
        for told, pen in pens.items():
            yield f"{name} {told}", str(sheet_of(report, document_of(report), pen))


def test_pages(golden: Callable[[Path, str], None]) -> None:
    pens = {"80": Pen(80), "120": Pen(120), "ascii": Pen(80, ascii=True)}
    cases = [f"[case] {name}\n[out]\n{page}" for name, page in pages(pens)]

    golden(GOLDEN, "\n".join(cases))


def test_no_line_is_wider_than_its_page() -> None:
    wide = [
        line
        for width in (60, 80, 120)
        for _, page in pages({"": Pen(width)})
        for line in page.splitlines()
        if cells(line) > width
    ]

    assert [] == wide


def test_documents_are_as_the_schema_says() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    wanted = {"$ref": "#/$defs/verify_document", "$defs": schema()["$defs"]}
    validator = jsonschema.Draft202012Validator(wanted)

    assert [] == [
        error.message
        for report in REPORTS.values()
        for error in validator.iter_errors(report.to_json())
    ]


def test_a_document_has_all_violations_where_the_page_has_some() -> None:
    assert 23 == len(REPORTS["many"].to_json()["reports"][0]["violations"])
    assert 20 == str(REPORTS["many"]).count("VER902  Too deep")


def shown(violation: Violation) -> list[tuple[int, bool]]:
    told = a_report(violation).to_json()["reports"][0]["violations"][0]
    return [(each["offset"], each["here"]) for each in told["instructions"]]


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (0, [(0, True), (2, False), (4, False)]),
        (14, [(4, False), (6, False), (8, True), (18, False), (20, False)]),
        (270, [(266, False), (268, False), (270, True)]),
        (272, [(266, False), (268, False), (270, False)]),
        (-2, []),
        (None, []),
    ],
)
def test_two_instructions_on_each_side(
    offset: int | None, expected: list[tuple[int, bool]]
) -> None:
    assert expected == shown(replace(CONSTANT, offset=offset))


def test_bytes_that_are_no_instructions_are_no_listing() -> None:
    code = replace(read(DATA / "sample-3.13.pyc").code, code=b"\x01")
    report = a_report(replace(CONSTANT, number=0, offset=0), code=code)

    assert [] == report.to_json()["reports"][0]["violations"][0]["instructions"]


EVIL = "\x1b]0;title\x07\x1b[2J\u202e\udc80\x9b<script>\"[red]'\\\n`|"


def evil() -> Report:
    code = read(DATA / "sample-3.13.pyc").code
    code = replace(
        code,
        name=EVIL,
        qualname=EVIL,
        filename=EVIL,
        names=(EVIL,) * 99,
        localsplusnames=(EVIL,) * 99,
        consts=(EVIL,) * 99,
    )
    texts: Any = dict.fromkeys(("message", "code", "expected", "found", "file"), EVIL)
    violation = replace(CONSTANT, number=0, offset=14, stack=(EVIL,) * 3, **texts)
    contract = Contract(EVIL, (EVIL,), ((EVIL, "tuple"),), ((EVIL, "iterator"),), True)
    return a_report(violation, code=code, contract=contract, file=EVIL)


def test_no_text_of_a_file_commands_a_terminal_or_a_page() -> None:
    bundle = evil()._repr_mimebundle_()
    text = bundle["text/plain"]

    assert [] == [c for c in text if c != "\n" and not c.isprintable()]
    assert "\\x1b]0;title" in text
    assert "<script>" not in bundle["text/html"]
    assert str(evil().to_json()).encode("utf-8")
