"""What once was accepted and killed the interpreter is refused, by one rule."""

from __future__ import annotations

import sys

import pytest

from coscope.readers.from_function import HOST_VERSION
from coscope.verifier import verify
from tests.verifier.crashes.cases import CASES, Case

ALL = [(case, version) for case in CASES for version in case.versions]


@pytest.mark.parametrize(("case", "version"), ALL, ids=lambda value: getattr(value, "name", value))
def test_it_is_refused(case: Case, version: str) -> None:
    violations = verify(case.build(version)).violations

    assert {case.rule} == {violation.rule for violation in violations}


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_still_kills(case: Case) -> None:
    if HOST_VERSION not in case.versions or not case.kills:
        pytest.skip("does not kill this version alone")
    from tests.verifier.children import FINE, HANGS, ending

    code = case.build(HOST_VERSION)

    assert ending(code, arguments=("ab", "c"), traced=case.traced) not in (FINE, HANGS)
