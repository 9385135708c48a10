"""VER701 and VER702: instructions that belong together."""

from __future__ import annotations

import pytest

from coscope.opcodes import table
from tests.verifier.building import built, changed, edited, found, genuine, offsets, place

LANDING = pytest.mark.parametrize("version", ["3.12", "3.13", "3.14", "3.15"])
KEYWORDS = [pytest.param(version, id=version) for version in ("3.11", "3.12")]


@pytest.mark.parametrize("version", KEYWORDS)
def test_keyword_names_without_their_call(version: str) -> None:
    code = genuine(version, "chained")
    follows = "PRECALL" if version == "3.11" else "CALL"
    broken = edited(code, "KW_NAMES", opname="NOP")

    assert [] == found(code, "VER701")
    assert [] == found(broken, "VER701")
    for name in ("NOP", "EXTENDED_ARG"):
        code = built(version, ("KW_NAMES", 0), name, (follows, 1), ("CALL", 1), consts=(("a",),))

        assert [name] == [violation.found for violation in found(code, "VER701")]


def test_a_precall_without_its_call() -> None:
    code = built("3.11", ("PRECALL", 1), ("CALL", 1), "RETURN_VALUE")

    assert [] == found(code, "VER701")
    assert [0] == offsets(edited(code, "CALL", opname="NOP"), "VER701")
    assert ["2"] == [
        violation.found for violation in found(edited(code, "CALL", oparg=2), "VER701")
    ]
    assert ["the end of the code"] == [
        violation.found for violation in found(built("3.11", ("PRECALL", 1)), "VER701")
    ]


def test_a_prefix_between_precall_and_call() -> None:
    code = built("3.11", ("PRECALL", 1), ("CALL", 1), "RETURN_VALUE")

    assert ["EXTENDED_ARG"] == [
        violation.found for violation in found(edited(code, "CALL", prefixes=1), "VER701")
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a",), None),
        (("a", "b"), None),
        (("a", "b", "c"), "more names than arguments"),
        (("a", 5), "no tuple of strings"),
        ("ab", "no tuple of strings"),
        (None, "no tuple of strings"),
    ],
)
@pytest.mark.parametrize("version", KEYWORDS)
def test_keyword_names(version: str, names: object, message: str | None) -> None:
    call = [("PRECALL", 2), ("CALL", 2)] if version == "3.11" else [("CALL", 2)]
    code = built(version, ("KW_NAMES", 0), *call, "RETURN_VALUE", consts=(names,))
    violations = found(code, "VER701")

    assert (message is None) == (violations == [])
    assert all(message is not None and message in violation.message for violation in violations)


@LANDING
@pytest.mark.parametrize(
    ("name", "code"), [("FOR_ITER", "simple.<locals>.<genexpr>"), ("SEND", "delegated")]
)
def test_a_loop_that_ends_elsewhere(version: str, name: str, code: str) -> None:
    genuine_code = genuine(version, code)
    lands = table(version).opcodes[name].lands
    at = place(genuine_code, name)
    target = genuine_code.instructions.at(at).jump_target
    nth = [found.offset for found in genuine_code.instructions if found.opname == lands[0]]
    broken = edited(genuine_code, lands[0], nth=nth.index(target or 0), opname="NOP")

    assert [] == found(genuine_code, "VER702")
    assert at in offsets(broken, "VER702")
    assert any(str(violation.found).startswith("NOP") for violation in found(broken, "VER702"))


@pytest.mark.parametrize(("version", "second"), [("3.13", "POP_TOP"), ("3.14", "POP_ITER")])
def test_the_second_of_two_at_the_landing(version: str, second: str) -> None:
    code = genuine(version, "simple.<locals>.<genexpr>")
    target = code.instructions.at(place(code, "FOR_ITER")).jump_target or 0
    nth = [found.offset for found in code.instructions if found.opname == second]
    broken = edited(code, second, nth=nth.index(target + 2), opname="NOP")

    assert place(code, "FOR_ITER") in offsets(broken, "VER702")


@LANDING
def test_a_distance_that_16_bits_do_not_tell(version: str) -> None:
    far = 0x8000
    end = table(version).opcodes["SEND"].lands[0]
    nops = ["NOP"] * far
    code = built(version, ("SEND", far), *nops, end, ("LOAD_CONST", 0), "RETURN_VALUE")
    near = edited(changed(code), "NOP", opname=end)

    assert [code.instructions.offsets[1]] == offsets(code, "VER702")
    assert [] == found(edited(near, "SEND", oparg=0), "VER702")


@LANDING
def test_a_long_loop_is_no_matter(version: str) -> None:
    lands = table(version).opcodes["FOR_ITER"].lands
    nops = ["NOP"] * 0x8000
    code = built(version, ("FOR_ITER", 0x8000), *nops, *lands, ("LOAD_CONST", 0), "RETURN_VALUE")

    assert [] == found(code, "VER702")


def test_3_11_lands_anywhere() -> None:
    assert [] == found(genuine("3.11", "simple.<locals>.<genexpr>"), "VER702")
