"""An oparg may ask for two thousand million slots; the verifier must not make them."""

from __future__ import annotations

import tracemalloc

import pytest

from coscope.opcodes import table
from coscope.verifier import verify
from tests.flow.building import snippet
from tests.verifier.building import changed

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
MOST = 64 << 20  # bytes


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["UNPACK_SEQUENCE", "UNPACK_EX", "BUILD_TUPLE", "CALL", "SWAP"])
def test_a_huge_oparg_takes_no_memory(version: str, name: str) -> None:
    rules = table(version)
    prefix, row = rules.extended_arg, rules.opcodes[name]
    code = next(iter(snippet(version, "functions").values()))
    huge = bytes([prefix, 0x7F, prefix, 0xFF, prefix, 0xFF, row.code, 0xFF]) + bytes(2 * row.caches)
    start = bytes([rules.opcodes["LOAD_CONST"].code, 0])
    bad = changed(code, code=start + huge + code.code, exceptiontable=b"")

    tracemalloc.start()
    try:
        report = verify(bad)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert not report.ok
    assert peak < MOST
