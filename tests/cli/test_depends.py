"""`coscope depends` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from tests.render.documents import schema

SAMPLE = Path(__file__).parents[1] / "render" / "data" / "sample-3.13.pyc"

ORDERS = """
import threading

LOCK = threading.Lock()


def helper():
    with LOCK:
        return LOCK


def total(prices):
    return sum(prices, key=lambda price: helper() + rebate)
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["depends", *words])


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "orders_for_depends.py"
    file.write_text(ORDERS)
    return file


@pytest.mark.usefixtures("orders")
def test_a_live_function() -> None:
    page = run("orders_for_depends:total").output

    assert "total -> <lambda> -> helper" in page
    assert "total -> <lambda> -> rebate  NameError" in page
    assert "LOCK" not in page


@pytest.mark.usefixtures("orders")
def test_helpers_on_request() -> None:
    page = run("orders_for_depends:total", "--transitive").output

    assert "total -> <lambda> -> helper -> LOCK" in page


def test_a_file_has_names_without_objects(orders: Path) -> None:
    page = run(f"{orders}::total").output

    assert "not live: names without objects" in page
    assert "<function helper>" not in page


@pytest.mark.parametrize("words", [("--transitive",), ()])
@pytest.mark.parametrize("target", ["json:dumps", "json:JSONEncoder", str(SAMPLE)])
def test_documents_are_valid(target: str, words: tuple[str, ...]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    found = json.loads(run(target, "--json", *words).stdout)
    validator = jsonschema.Draft202012Validator(
        {"$ref": "#/$defs/depends_document", "$defs": schema()["$defs"]}
    )

    assert [] == [error.message for error in validator.iter_errors(found)]


def test_ascii_and_width() -> None:
    lines = run("json:dumps", "--transitive", "--ascii", "--width", "70").output.splitlines()

    assert [] == [line for line in lines if not line.isascii() or len(line) > 70]


def test_a_class_by_name_is_all_of_its_functions() -> None:
    page = run("json:JSONEncoder", "--width", "120").output

    assert "JSONEncoder -> iterencode -> _make_iterencode" in page


def test_what_has_no_code_is_bad_input() -> None:
    assert 2 == run("builtins:len").exit_code
