"""`coscope signature`, as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["signature", *words])


def test_the_page_shows_both_and_a_call_on_which_they_differ() -> None:
    result = run("tests.facts.signatures.wrapped:injected", "--width", "100")

    assert 1 == result.exit_code  # the two sides differ
    assert [
        "tests.facts.signatures.wrapped:injected   the code rejects calls that are reported as "
        "accepted",
        "  reported  (a, b)",
        "            from __wrapped__ of pair, code of pair",
        "  binding   (b)",
    ] == result.output.splitlines()[:4]
    assert "    code      pair() takes 2 positional arguments but 3 were given" in result.output
    assert "→ calls fn('connection', *args, **kwargs)" in result.output


def test_json() -> None:
    document = json.loads(run("tests.facts.signatures.wrapped:injected", "--json").output)

    assert "signature" == document["command"]
    assert ["function", "function"] == [link["kind"] for link in document["chain"]]
    assert document["agree"] is False


def test_ascii_and_width_hold() -> None:
    text = run("argparse:ArgumentParser", "--ascii", "--width", "70").output

    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 70


def test_a_builtin_is_told_by_its_text() -> None:
    result = run("builtins:len")

    assert 0 == result.exit_code
    assert "  reported  (obj, /)" in result.output
    assert "there is no code object" in result.output


def test_a_file_is_not_executed(tmp_path: Path) -> None:
    file = tmp_path / "boom.py"
    file.write_text("import sys\nsys.exit(1)\ndef fn(a, *, b): ...\n", encoding="utf-8")
    result = run(f"{file}::fn")

    assert 0 == result.exit_code
    assert "  binding   (a, *, b)" in result.output


def test_bad_input_has_status_2() -> None:
    assert 2 == run("no.such.module:fn").exit_code
    assert 2 == run("json:nothing").exit_code
