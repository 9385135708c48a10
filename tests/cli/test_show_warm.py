"""`coscope show --warm`: what the interpreter made of each instruction, as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from click.testing import CliRunner

from coscope.cli.group import coscope
from coscope.opcodes import table
from coscope.readers.from_function import HOST_VERSION
from coscope.render.pages.sheets import card_sheet
from coscope.render.text.measured import Pen, cells
from tests.render.documents import schema

if sys.platform == "emscripten":
    pytest.skip("Pyodide starts no process", allow_module_level=True)

# Executions are counted, so that what is shown does not depend on the machine.
SHOP = """\
import sys

class Order:
    made = 0

def count(n):
    total = 0
    for number in range(n):
        Order.made += 1
        total += number
    return total

def outer(n):
    def inner():
        for _ in range(n):
            Order.made += 1
    inner()

def never():
    return Order.made

if __name__ == "__main__":
    print("what the command prints")
    for _ in range(10):
        count(1000)
    outer(5000)
    sys.exit(3)
"""

SPECIALIZATION = table(HOST_VERSION).specialization
assert SPECIALIZATION is not None
GENERIC = SPECIALIZATION.generic.format("STORE_ATTR")


def _run(folder: Path, *words: str, colour: str | None = None) -> subprocess.CompletedProcess[str]:
    deciding = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TERM")
    environment = {name: value for name, value in os.environ.items() if name not in deciding}
    if colour is not None:
        environment[colour] = "1"
    return subprocess.run(
        [sys.executable, "-m", "coscope", "show", *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env={**environment, "PYTHONIOENCODING": "utf-8"},
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(SHOP)
    return folder


@cache
def _document(folder: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_run(folder, "--warm", "shop.py", *words, "--json").stdout)
    return found


def _instructions(document: dict[str, Any], opname: str) -> list[dict[str, Any]]:
    instructions = document["codes"][0]["detail"]["instructions"]
    return [each for each in instructions if each["opname"] == opname]


def test_the_document_is_valid(shop: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema())

    assert [] == [
        error.message for error in validator.iter_errors(_document(shop, "shop.py::count"))
    ]


def test_a_store_to_a_class_is_generic_and_says_why(shop: Path) -> None:
    (store,) = _instructions(_document(shop, "shop.py::count"), "STORE_ATTR")
    warm = store["warm"]

    assert (GENERIC, "generic", None) == (warm["executed"], warm["state"], warm["misses"])
    assert SPECIALIZATION is not None
    assert warm["backoff"] == warm["counter"] & (1 << SPECIALIZATION.backoff_bits) - 1
    assert 248 <= warm["executions"] <= 10_000
    assert "Order is a class" in warm["reason"]
    assert warm["proved"] is True


def test_what_fits_is_shown_in_the_form_that_is_executed(shop: Path) -> None:
    added, *_ = _instructions(_document(shop, "shop.py::count"), "BINARY_OP")
    (loaded,) = [
        each
        for each in _instructions(_document(shop, "shop.py::count"), "LOAD_GLOBAL")
        if each["argrepr"].startswith("Order")
    ]

    assert ("BINARY_OP_ADD_INT", "specialized") == (
        added["warm"]["executed"],
        added["warm"]["state"],
    )
    assert "LOAD_GLOBAL_MODULE" == loaded["warm"]["executed"]
    assert None is loaded["warm"]["reason"]


def test_the_states_are_counted(shop: Path) -> None:
    detail = _document(shop, "shop.py::count")["codes"][0]["detail"]
    states = [each["warm"]["state"] for each in detail["instructions"] if each["warm"]]

    assert {state: states.count(state) for state in states} == detail["warm"]["states"]


def test_the_run_is_named(shop: Path) -> None:
    warm = _document(shop, "shop.py::count")["warm"]

    assert ("shop.py", 3, 1) == (warm["command"], warm["status"], warm["processes"])
    assert warm["release"].startswith(HOST_VERSION)


def test_code_whose_function_is_gone_is_found(shop: Path) -> None:
    document = _document(shop, "shop.py::outer.inner")
    (store,) = _instructions(document, "STORE_ATTR")

    assert "outer.<locals>.inner" == document["codes"][0]["qualname"]
    assert "Order is a class" in store["warm"]["reason"]


def test_nested_code_is_told_with_all(shop: Path) -> None:
    outer, inner = _document(shop, "shop.py::outer", "--all")["codes"]

    assert "generic" not in outer["detail"]["warm"]["states"]
    assert inner["detail"]["warm"]["states"]["generic"] >= 1


def test_code_that_has_not_run_has_no_state_but_waiting(shop: Path) -> None:
    states = _document(shop, "shop.py::never")["codes"][0]["detail"]["warm"]["states"]

    assert {"waiting"} == set(states)


def _page(document: dict[str, Any], pen: Pen) -> list[str]:
    return str(card_sheet(document, pen)).splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_page_has_the_form_and_the_reason_under_it(shop: Path, width: int) -> None:
    lines = _page(_document(shop, "shop.py::count"), Pen(width))
    (at,) = [at for at, line in enumerate(lines) if "STORE_ATTR" in line]

    assert [] == [line for line in lines if cells(line) > width]
    assert "≠ " in lines[at]
    assert "└ Order is a class" in lines[at + 1]
    assert any(" → LOAD_GLOBAL_MODULE" in line or " → …MODULE" in line for line in lines)


def test_the_ascii_page_is_ascii(shop: Path) -> None:
    page = "\n".join(_page(_document(shop, "shop.py::count"), Pen(80, ascii=True)))

    assert page.isascii()
    assert "!= " in page


def test_signs_have_colours_where_they_are_wanted(shop: Path) -> None:
    done = _run(shop, "--warm", "shop.py", "shop.py::count", colour="FORCE_COLOR")

    assert 0 == done.returncode
    assert "\x1b[31m≠ " in done.stdout
    assert "\x1b[32m→ LOAD_GLOBAL_MODULE" in done.stdout


def test_no_colours_are_forced_on_those_who_want_none(shop: Path) -> None:
    done = _run(shop, "--warm", "shop.py", "shop.py::count", colour="NO_COLOR")

    assert "≠ " in done.stdout
    assert "\x1b" not in done.stdout
    assert "what the command prints" not in done.stdout
    assert "what the command prints\ncoscope: the command exited with status 3\n" == done.stderr


def test_a_function_of_an_imported_module(shop: Path) -> None:
    command = "python -c 'import shop; shop.count(5000)'"
    document = json.loads(_run(shop, "--warm", command, "shop:count", "--json").stdout)
    (store,) = _instructions(document, "STORE_ATTR")

    assert ("shop", "generic") == (document["module"], store["warm"]["state"])


def _is_told(text: str, told: str) -> bool:
    errors = [line for line in text.splitlines() if line.startswith("coscope: error: ")]
    return len(errors) == 1 and told in errors[0] and "Traceback" not in text


@pytest.mark.parametrize(
    ("command", "target", "told"),
    [
        ("shop.py", "shop.py", "'shop.py' names none"),
        ("shop.py", "shop.py::<module>", "names none"),
        ("shop.py", "other.py::count", "there is no file other.py"),
        ("", "shop.py::count", "the command is empty"),
    ],
)
def test_what_names_nothing_starts_nothing(
    shop: Path, monkeypatch: pytest.MonkeyPatch, command: str, target: str, told: str
) -> None:
    monkeypatch.chdir(shop)
    result = CliRunner().invoke(coscope, ["show", "--warm", command, target])

    assert (2, "") == (result.exit_code, result.stdout)
    assert _is_told(result.stderr, told)


def test_optimize_is_for_files() -> None:
    words = ["show", "--warm", "shop.py", "--optimize", "1", "shop.py::count"]
    result = CliRunner().invoke(coscope, words)

    assert 2 == result.exit_code
    assert "--optimize compiles" in result.stderr


@pytest.mark.parametrize(
    ("command", "target", "told"),
    [
        ("shop.py", "shop.py::nothing", "no function nothing of that file"),
        ("python -c pass", "shop:count", "the command did not import shop"),
        ("python -I -c pass", "shop.py::count", "no Python process"),
        ("no-such-tool", "shop.py::count", "cannot be started"),
    ],
)
def test_what_the_command_does_not_have_is_one_clear_error(
    shop: Path, command: str, target: str, told: str
) -> None:
    done = _run(shop, "--warm", command, target)

    assert (2, "") == (done.returncode, done.stdout)
    assert _is_told(done.stderr, told)
