"""VER801 to VER806, VER901 and VER902: the fields of a code object and its line table."""

from __future__ import annotations

from typing import Any

import pytest

from coscope.model import Code, Flags
from coscope.opcodes import VERSIONS
from tests.verifier.building import CELL, FREE, FULL, LOCAL, built, changed, found, genuine, offsets

EACH = pytest.mark.parametrize("version", VERSIONS)
EACH_FULL = pytest.mark.parametrize("version", FULL)
END = (("LOAD_CONST", 0), "RETURN_VALUE")
ARGUMENT_AND_CELL, HIDDEN = LOCAL | CELL, 0x10


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("argcount", 3, "more arguments than locals"),
        ("kwonlyargcount", 1, "more arguments than locals"),
        ("flags", Flags(0x7), "more arguments than locals"),
        ("flags", Flags(0xB), "more arguments than locals"),
        ("posonlyargcount", 3, "more positional-only"),
        ("kwonlyargcount", -1, "co_kwonlyargcount is negative"),
        ("argcount", -1, "co_argcount is negative"),
        ("posonlyargcount", -1, "co_posonlyargcount is negative"),
        ("flags", Flags(-1), "co_flags is negative"),
        ("flags", Flags(1 << 31), "co_flags is negative or longer"),
        ("firstlineno", 1 << 31, "co_firstlineno is longer"),
    ],
)
@EACH
def test_counts_and_flags(version: str, field: str, value: Any, message: str) -> None:
    code = built(version, *END)

    assert [] == found(code, "VER801")
    assert message in found(changed(code, **{field: value}), "VER801")[0].message


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        ([("c", CELL), ("x", LOCAL)], "placed after"),
        ([("f", FREE), ("x", LOCAL)], "placed after"),
        ([("f", FREE), ("c", CELL)], "placed after"),
        ([("x", LOCAL), ("y", 0)], "is of no kind"),
        ([("x", LOCAL), ("y", LOCAL | FREE)], "is of no kind"),
        ([("x", LOCAL), ("y", LOCAL | 0x01)], "is of no kind"),
        ([("x", LOCAL), ("y", LOCAL | HIDDEN)], "is of no kind"),  # not in a function
        ([("x", LOCAL), ("f", FREE | HIDDEN)], "is of no kind"),
        ([("x", ARGUMENT_AND_CELL), ("y", LOCAL), ("c", CELL), ("f", FREE)], None),
    ],
)
@EACH_FULL
def test_kinds_of_fast_locals(
    version: str, slots: list[tuple[str, int]], message: str | None
) -> None:
    violations = found(built(version, *END, slots=slots), "VER802")

    if message is None:
        assert [] == violations
    else:
        assert any(message in violation.message for violation in violations)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("varnames", ("x",)),
        ("varnames", ("x", "z")),
        ("cellvars", ("c",)),
        ("freevars", ("c",)),
        ("localsplusnames", ("x",)),
        ("localspluskinds", b""),
        ("nlocals", 1),
    ],
)
@EACH_FULL
def test_fields_that_disagree_with_the_fast_locals(version: str, field: str, value: Any) -> None:
    assert found(changed(built(version, *END), **{field: value}), "VER802")


@EACH_FULL
def test_an_argument_that_is_no_local(version: str) -> None:
    code = built(version, *END, slots=[("c", CELL)])

    assert "the argument 'c' is no local" in [
        violation.message for violation in found(changed(code, argcount=1), "VER802")
    ]


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_fast_locals_of_versions_without_the_array(version: str) -> None:
    code = genuine(version, "closure")

    assert code.cellvars
    assert [] == found(code, "VER802")
    assert found(changed(code, cellvars=()), "VER802")


@EACH_FULL
def test_free_variables_that_are_not_copied_first(version: str) -> None:
    slots = [("f", FREE), ("g", FREE)]
    copied = built(version, ("COPY_FREE_VARS", 2), ("RESUME", 0), *END, slots=slots)
    missing = built(version, ("RESUME", 0), *END, slots=slots)
    late = built(version, "NOP", ("COPY_FREE_VARS", 2), *END, slots=slots)
    wrong = built(version, ("COPY_FREE_VARS", 3), *END, slots=slots)
    twice = built(version, ("COPY_FREE_VARS", 2), ("COPY_FREE_VARS", 2), *END, slots=slots)
    needless = built(version, ("COPY_FREE_VARS", 1), *END)

    assert [] == found(copied, "VER803")
    assert [0] == offsets(missing, "VER803")
    assert 2 in offsets(late, "VER803")
    assert ["3"] == [violation.found for violation in found(wrong, "VER803")]
    assert [2] == offsets(twice, "VER803")
    assert ["1"] == [violation.found for violation in found(needless, "VER803")]


@EACH_FULL
def test_more_free_variables_than_a_byte_counts(version: str) -> None:
    slots = [(f"f{number}", FREE) for number in range(300)]
    code = built(
        version, ("EXTENDED_ARG", 1), ("COPY_FREE_VARS", 300 - 256), *END, slots=slots, argcount=0
    )

    assert [] == found(code, "VER803")


@EACH_FULL
def test_cells_that_are_not_made_first(version: str) -> None:
    slots = [("x", ARGUMENT_AND_CELL), ("c", CELL)]
    made = built(version, ("MAKE_CELL", 0), ("MAKE_CELL", 1), *END, slots=slots)
    one = built(version, ("MAKE_CELL", 1), "NOP", ("MAKE_CELL", 0), *END, slots=slots)

    assert [] == found(made, "VER803")
    assert ["none for 'x'"] == [violation.found for violation in found(one, "VER803")]


@pytest.mark.parametrize("stacksize", [-1, 1 << 31, 0x7FFFFFFF // 8])
@EACH
def test_frames_that_cannot_be(version: str, stacksize: int) -> None:
    code = built(version, *END)

    assert [] == found(changed(code, stacksize=100_000), "VER804")
    assert 1 == len(found(changed(code, stacksize=stacksize), "VER804"))


@EACH
def test_a_docstring_without_constants(version: str) -> None:
    code = built(version, "NOP", flags=0x4000003, consts=("doc",))
    has_flag = version in ("3.14", "3.15")

    assert [] == found(code, "VER805")
    assert has_flag == bool(found(changed(code, consts=()), "VER805"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("names", ("a", 5)),
        ("localsplusnames", ("x", None)),
        ("name", 5),
        ("filename", None),
        ("code", bytearray(b"\x97\x00")),
        ("consts", [None]),
        ("consts", None),
        ("argcount", True),
        ("flags", 3.0),
        ("varnames", ["x"]),
        ("linetable", None),
    ],
)
@EACH
def test_fields_of_another_type(version: str, field: str, value: Any) -> None:
    code = built(version, *END)

    assert [] == found(code, "VER806")
    assert found(changed(code, **{field: value}), "VER806")


@EACH
def test_nested_code_of_another_version(version: str) -> None:
    other = "3.12" if version == "3.13" else "3.13"
    nested = built(other, *END, qualname="nested")
    same = built(version, *END, qualname="nested")

    assert [other] == [v.found for v in found(built(version, *END, consts=(nested,)), "VER806")]
    assert [] == found(built(version, *END, consts=(same,)), "VER806")


def _lines(version: str, raw: bytes) -> Code:
    return changed(built(version, *END), linetable=raw)


@pytest.mark.parametrize(
    ("raw", "malformed", "uncovered"),
    [
        (b"\xf9", False, False),  # two code units without a position
        (b"\xf8\xf8", False, False),
        (b"\x81\x00", False, False),
        (b"\xf1\x7f", True, False),
        (b"\xf9\x00", True, False),
        (b"\x01\x00", True, False),
        (b"\xf8", False, True),
        (b"\xfa", False, True),
        (b"", False, True),
    ],
)
@EACH_FULL
def test_line_tables(version: str, raw: bytes, malformed: bool, uncovered: bool) -> None:
    code = _lines(version, raw)

    assert malformed == bool(found(code, "VER901"))
    assert uncovered == bool(found(code, "VER902"))


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_line_tables_of_pairs(version: str) -> None:
    assert [] == found(_lines(version, b"\2\1\2\1"), "VER901")
    assert 1 == len(found(_lines(version, b"\2\1\2"), "VER901"))
    assert [] == found(_lines(version, b"\2\1"), "VER902")


@EACH_FULL
def test_a_violation_has_no_line_where_the_table_is_malformed(version: str) -> None:
    code = changed(_lines(version, b"\xf1\x7f"), consts=())

    assert [None] == [violation.line for violation in found(code, "VER201")]
