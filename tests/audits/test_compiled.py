"""DYN201: a compiled file with bytecode that no compiler writes."""

from __future__ import annotations

from pathlib import Path

from coscope.audits.running.engine import audit_file
from coscope.audits.selection import Selection
from coscope.readers import read
from tests.render.documents import DATA

SAMPLE = DATA / "sample-3.13.pyc"
RULES = Selection(select=("DYN201",)).rules()


def test_what_the_compiler_wrote_is_silent() -> None:
    for file in sorted(DATA.glob("sample-*.pyc")):
        assert () == audit_file(str(file), RULES).findings


def test_a_constant_that_does_not_exist_is_found_in_its_code_object(tmp_path: Path) -> None:
    data = SAMPLE.read_bytes()
    code = next(each for each in read(SAMPLE).code.walk() if each.qualname == "load")
    changed = code.code[:3] + b"\xc8" + code.code[4:]
    file = tmp_path / "bad.pyc"
    file.write_bytes(data.replace(code.code, changed))
    (found,) = audit_file(str(file), RULES).findings

    assert ("load", "error", "proved") == (found.code, found.severity, found.confidence)
    assert "this bytecode breaks VER201 of the verifier" == found.message
    assert "there is no such constant" in found.evidence[0].text
