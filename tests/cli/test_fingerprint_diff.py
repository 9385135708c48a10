"""`coscope fingerprint` and `coscope diff`: pages, documents, exit statuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")
from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from coscope.facts.differences.difference import diff
from coscope.facts.fingerprints.fingerprints import fingerprint, forget
from tests.render.documents import schema

APP = """
LIMIT = 10
def helper(x): return x + LIMIT
def total(prices, rate=0.2):
    "Sum."
    return sum(helper(price) for price in prices) * rate + len(eval("[]"))
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the module `fingerprinted_app`, from which it can be imported."""
    (tmp_path / "fingerprinted_app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    forget()
    sys.modules.pop("fingerprinted_app", None)


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, list(words))


def status(*words: str) -> int:
    return int(run(*words).exit_code)


def faults(found: Any, kind: str) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema")
    wanted = {"$ref": f"#/$defs/{kind}", "$defs": schema()["$defs"]}
    return [error.message for error in jsonschema.Draft202012Validator(wanted).iter_errors(found)]


def test_fingerprint_is_one_line_and_what_is_not_told(app: Path) -> None:
    shown = run("fingerprint", "fingerprinted_app:total", "--width", "100")
    narrow = run("fingerprint", "fingerprinted_app:total", "--width", "80").output
    value = fingerprint("fingerprinted_app:total").value

    assert 0 == shown.exit_code
    assert value in shown.output
    assert value in narrow.replace(":\n", ":")
    assert "runs text as code" in shown.output
    assert "int 10" not in shown.output


def test_explain_shows_everything_with_its_path(app: Path) -> None:
    shown = run("fingerprint", "fingerprinted_app:total", "--explain").output

    assert "int 10" in shown
    assert "helper" in shown
    assert "float 0.2" in shown


def test_since_tells_what_changed(app: Path) -> None:
    kept = app / "kept.json"
    kept.write_text(run("fingerprint", "fingerprinted_app:total", "--json").output)
    same = run("fingerprint", "fingerprinted_app:total", "--since", str(kept))
    sys.modules["fingerprinted_app"].LIMIT = 11  # type: ignore[attr-defined]
    new = run("fingerprint", "fingerprinted_app:total", "--since", str(kept), "--width", "100")

    assert (0, True) == (same.exit_code, "Nothing has changed." in same.output)
    assert (1, True) == (new.exit_code, "global LIMIT  int 10 → int 11" in new.output)


def test_since_refuses_other_files(app: Path) -> None:
    (app / "no.json").write_text("{")
    (app / "other.json").write_text("{}")
    words = "fingerprint", "fingerprinted_app:total", "--since"

    assert [2, 2] == [_tell(*words, name) for name in ("no.json", "other.json")]


def _tell(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        coscope.main(list(words))
    return int(str(ended.value.code))


def test_docstrings_count_on_request(app: Path) -> None:
    words = "fingerprint", "fingerprinted_app:total", "--json"
    found = [json.loads(run(*words, *more).output) for more in ((), ("--docstrings",))]

    assert 2 == len({each["fingerprint"]["value"] for each in found})


def test_the_document_of_a_fingerprint_is_as_its_schema_says(app: Path) -> None:
    found = json.loads(run("fingerprint", "fingerprinted_app:total", "--json").output)

    assert [] == faults(found, "fingerprint_document")
    assert found["fingerprint"]["unknown"][0]["path"] == "eval"


def test_diff_exits_0_for_a_reformat(app: Path) -> None:
    (app / "moved.py").write_text("# moved\n\n" + APP.replace('"Sum."', '"All."'))
    shown = run("diff", "fingerprinted_app.py", "moved.py")

    assert 0 == shown.exit_code
    assert "same behaviour, lines moved, file name changed, docstrings changed" in shown.output


def test_diff_exits_1_and_shows_the_instructions(app: Path) -> None:
    (app / "other.py").write_text(APP.replace("x + LIMIT", "x - LIMIT"))
    shown = run("diff", "fingerprinted_app.py", "other.py")
    lines = [line.split() for line in shown.output.splitlines()]

    assert 1 == shown.exit_code
    assert ["-", "B0", "line", "3", "BINARY_OP", "+"] in lines
    assert ["+", "B0", "line", "3", "BINARY_OP", "-"] in lines


def test_diff_takes_one_code_object_of_a_file(app: Path) -> None:
    (app / "other.py").write_text(APP.replace("x + LIMIT", "x - LIMIT"))
    words = "fingerprinted_app.py::{}", "other.py::{}"

    assert 0 == status("diff", *(word.format("total") for word in words))
    assert 1 == status("diff", *(word.format("helper") for word in words))


def test_the_document_of_a_difference_is_as_its_schema_says(app: Path) -> None:
    (app / "other.py").write_text(APP.replace("x + LIMIT", "y(x)").replace("0.2", "0.3"))
    found = json.loads(run("diff", "fingerprinted_app.py", "other.py", "--json").output)

    assert [] == faults(found, "diff_document")
    assert "different" == found["verdict"]


def test_pages_are_ascii_on_request(app: Path) -> None:
    (app / "other.py").write_text(APP.replace("x + LIMIT", "x - LIMIT"))

    assert run("diff", "fingerprinted_app.py", "other.py", "--ascii").output.isascii()
    assert run("fingerprint", "fingerprinted_app:total", "--explain", "--ascii").output.isascii()


def test_results_print_and_display() -> None:
    found = diff(len_of, len_of), fingerprint(len_of)

    assert str(found[0]).endswith("identical\n")
    assert found[1].value in str(found[1])
    assert {"text/plain", "text/html"} <= set(found[1]._repr_mimebundle_())


def len_of(x: list[int]) -> int:
    return len(x)
