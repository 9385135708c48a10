"""VER201 to VER204: constants, names, locals, and opargs with a bound of their own."""

from __future__ import annotations

import pytest

from coscope.opcodes import VERSIONS, table
from coscope.verifier.bounds import accepted
from tests.verifier.building import FULL, LOCAL, built, found, offsets

EACH = pytest.mark.parametrize("version", VERSIONS)
TWO = (("x", LOCAL), ("y", LOCAL))


def _with(version: str, operand: str) -> list[str]:
    """Names of the base opcodes with this operand."""
    rows = table(version).opcodes.values()
    return [row.name for row in rows if row.form == "base" and row.operand == operand]


@pytest.mark.parametrize(
    ("operand", "rule", "shift"),
    [
        ("const", "VER201", 0),
        ("const names", "VER201", 0),
        ("name", "VER202", 0),
        ("name>>1", "VER202", 1),
        ("name>>2", "VER202", 2),
        ("local", "VER203", 0),
    ],
)
@EACH
def test_an_index_outside_its_list(version: str, operand: str, rule: str, shift: int) -> None:
    for name in _with(version, operand):
        good = built(version, (name, (2 << shift) - 1), consts=(1, 2), slots=TWO)
        bad = built(version, "NOP", (name, 2 << shift), consts=(1, 2), slots=TWO)
        far = built(version, "NOP", (name, 1000 << shift), consts=(1, 2), slots=TWO)
        violation = found(bad, rule)[0]

        assert [] == found(good, rule), name
        assert (2, name, "2") == (violation.offset, violation.opname, violation.found)
        assert name == found(far, rule)[0].opname


@EACH
def test_a_cell_outside_its_list(version: str) -> None:
    for name in _with(version, "deref"):
        if version in FULL:
            assert [] == found(built(version, (name, 1)), "VER203")
            assert [0] == offsets(built(version, (name, 2)), "VER203")
        else:
            one = built(version, (name, 0), cellvars=("c",))

            assert [] == found(one, "VER203")
            assert [0] == offsets(built(version, (name, 0)), "VER203")


@pytest.mark.parametrize("version", ["3.13", "3.14", "3.15"])
@pytest.mark.parametrize(("oparg", "wrong"), [(0x11, False), (0x20, True), (0x02, True)])
def test_two_locals_in_one_oparg(version: str, oparg: int, wrong: bool) -> None:
    for name in _with(version, "local pair"):
        assert wrong == bool(found(built(version, (name, oparg)), "VER203")), name


@EACH
def test_a_negative_index(version: str) -> None:
    prefixes = [("EXTENDED_ARG", 0xFF)] * 3
    code = built(version, *prefixes, ("LOAD_CONST", 0xFF), "RETURN_VALUE")

    assert ["-1"] == [violation.found for violation in found(code, "VER201")]


@EACH
def test_every_bound_of_the_tables_has_both_sides(version: str) -> None:
    rows = table(version).by_code
    looked_at = 0
    for opcode, rule in enumerate(accepted(version)):
        row = rows[opcode]
        if rule is None or row is None or row.form != "base":
            continue
        opargs = range(0, 300 << rule.shift, 1 << rule.shift)
        taken = [oparg for oparg in opargs if oparg >> rule.shift in rule.indexes]
        refused = [oparg for oparg in opargs if oparg >> rule.shift not in rule.indexes]
        looked_at += 1

        assert taken, row.name
        assert refused or row.name == "LOAD_SMALL_INT", row.name
        assert [] == found(built(version, (row.name, taken[0])), "VER204")
        assert [] == found(built(version, (row.name, taken[-1])), "VER204")
        for oparg in refused[:1] + refused[-1:]:
            assert row.name == found(built(version, (row.name, oparg)), "VER204")[0].opname

    assert 8 < looked_at


@pytest.mark.parametrize(
    ("version", "name", "refused", "taken"),
    [
        ("3.11", "COMPARE_OP", [6, 99], [0, 5]),
        ("3.12", "COMPARE_OP", [6 << 4, 0, 3, 95], [2, 40, 92]),
        ("3.13", "COMPARE_OP", [6 << 5, 0, 16, 191], [2, 18, 103, 188]),
        ("3.15", "COMPARE_OP", [6 << 5, 0, 16, 191], [2, 18, 103, 188]),
        ("3.14", "BUILD_TUPLE", [0], [1, 300]),
        ("3.15", "BUILD_TUPLE", [0], [1, 300]),
        ("3.8", "COMPARE_OP", [11, 12], [10]),
        ("3.13", "BINARY_OP", [26], [25]),
        ("3.14", "BINARY_OP", [27], [26]),
        ("3.12", "CALL_INTRINSIC_1", [0, 12], [1]),
        ("3.12", "CALL_INTRINSIC_2", [0, 5], [1]),
        ("3.13", "CONVERT_VALUE", [0, 4], [1, 3]),
        ("3.14", "LOAD_SPECIAL", [4], [0, 3]),
        ("3.14", "LOAD_COMMON_CONSTANT", [5], [0, 4]),
        ("3.14", "LOAD_SMALL_INT", [257, 4000], [0, 256]),
        ("3.13", "SET_FUNCTION_ATTRIBUTE", [0, 3, 16], [1, 2, 4, 8]),
        ("3.14", "SET_FUNCTION_ATTRIBUTE", [0, 3, 32], [16]),
        ("3.12", "MAKE_FUNCTION", [16], [0, 15]),
        ("3.11", "COPY", [0], [1, 300]),
        ("3.11", "SWAP", [0, 1], [2]),
        ("3.10", "ROT_N", [0], [3]),
        ("3.13", "LIST_APPEND", [0], [1]),
        ("3.11", "BUILD_SLICE", [1, 4], [2, 3]),
        ("3.12", "RAISE_VARARGS", [3], [0, 2]),
        ("3.13", "YIELD_VALUE", [2], [0, 1]),
        ("3.11", "RESUME", [4], [3]),
        ("3.13", "RESUME", [8], [7]),
    ],
)
def test_numbers_that_an_opcode_knows(
    version: str, name: str, refused: list[int], taken: list[int]
) -> None:
    for oparg in refused:
        assert [name] == [v.opname for v in found(built(version, (name, oparg)), "VER204")], oparg
    for oparg in taken:
        assert [] == found(built(version, (name, oparg)), "VER204"), oparg
