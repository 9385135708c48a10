"""The words of the tables for what is trusted of a value, and the lattice of kinds behind them."""

from __future__ import annotations

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from coscope.errors import InternalError
from coscope.opcodes import VERSIONS, Intrinsic, Opcode, kinds, table
from coscope.opcodes.kinds import ANY_OBJECT, GIVEN, WANTED, describe, given, join, wanted
from coscope.opcodes.schema import MAKES, NEEDS

EACH = pytest.mark.parametrize("version", VERSIONS)
# Those of which the verifier knows every opcode's kinds.
TYPED = pytest.mark.parametrize(
    "version", [v for v in VERSIONS if table(v).exceptions != "block stack"]
)

KINDS = st.builds(
    lambda atoms, parameter: (
        atoms | (kinds.UNKNOWN if parameter is None else parameter + 1 << kinds.SHIFT)
    ),
    st.integers(1, kinds.ATOMS),
    st.one_of(st.none(), st.integers(-1, 3)),
)


def rows(version: str) -> list[Opcode]:
    return [row for row in table(version).opcodes.values() if row.form in ("base", "internal")]


def speaking(version: str) -> list[Opcode | Intrinsic]:
    return [*rows(version), *table(version).intrinsics.values()]


def test_every_atom_is_a_bit_of_its_own() -> None:
    shifts = {"SHIFT", "PATTERN"}
    atoms = [
        value
        for name, value in vars(kinds).items()
        if name.isupper() and name not in shifts and type(value) is int and value.bit_count() == 1
    ]

    assert sorted(atoms) == [1 << bit for bit in range(len(atoms))]
    assert kinds.ATOMS | kinds.BORROWED == sum(atoms)


@EACH
def test_every_popped_slot_wants_a_kind(version: str) -> None:
    for row in speaking(version):
        for slot in row.pop_slots:
            assert wanted(slot.type).atoms


@EACH
def test_every_pushed_slot_gives_a_kind(version: str) -> None:
    for row in rows(version):
        for slot in (*row.push_slots, *row.jump_push_slots):
            assert given(slot.type) & kinds.ATOMS
    for intrinsic in table(version).intrinsics.values():
        assert all(given(slot.type) & kinds.ATOMS for slot in intrinsic.push_slots)


@TYPED
def test_a_moved_slot_keeps_its_kind_without_being_told(version: str) -> None:
    moved = [
        (row.name, slot.name)
        for row in rows(version)
        for slot in (*row.push_slots, *row.jump_push_slots)
        if slot.type is not None and slot.name in {popped.name for popped in row.pop_slots}
    ]

    assert [] == moved


@TYPED
def test_a_slot_has_one_kind_for_each_oparg(version: str) -> None:
    twice = [
        (row.name, oparg, slot.name)
        for row in rows(version)
        for oparg in (0, 1, 2, 4, 5, 8, 16, 17, 255, 515)
        for pushes in (row.push_slots, row.jump_push_slots)
        for slot in pushes
        if sum(other.size(oparg) for other in pushes if other.name == slot.name)
        > slot.size(oparg) > 0 and slot.name not in {popped.name for popped in row.pop_slots}
    ]  # fmt: skip

    assert [] == twice


@TYPED
def test_a_number_is_asked_only_of_kinds_that_have_one(version: str) -> None:
    # An empty tuple is no tuple of interpolations: `interpolations or tuple == 0`.
    sized = WANTED["tuple"] | kinds.INTERPOLATIONS

    assert [] == [
        (row, slot.name)
        for row in speaking(version)
        for slot in row.pop_slots
        if wanted(slot.type).test is not None and wanted(slot.type).atoms & ~sized
    ]


@TYPED
def test_opcodes_that_must_follow_or_stand_at_the_target_are_in_the_table(version: str) -> None:
    known = set(table(version).opcodes)

    assert set() == {name for row in rows(version) for name in (*row.next, *row.lands)} - known


@TYPED
def test_only_a_jump_lands(version: str) -> None:
    assert [] == [row.name for row in rows(version) if row.lands and row.jump is None]


@TYPED
def test_an_intrinsic_is_in_its_list_and_takes_as_many_as_the_opcode(version: str) -> None:
    told_of = table(version)
    counts = {
        name: row.popped(0)
        for row in rows(version)
        if row.operand.startswith("intrinsic")
        for name in told_of.lists[row.operand.replace(" ", "_")]
    }

    assert {
        name: counts.get(name) for name in told_of.intrinsics
    } == {
        name: sum(slot.size(0) for slot in row.pop_slots)
        for name, row in told_of.intrinsics.items()
    }  # fmt: skip
    assert {1} >= {len(row.push_slots) for row in told_of.intrinsics.values()}


@EACH
def test_intrinsics_speak_in_words_of_the_schema(version: str) -> None:
    intrinsics = table(version).intrinsics.values()

    assert {row.needs for row in intrinsics} <= {*NEEDS, None}
    assert {row.makes for row in intrinsics} <= {*MAKES, None}


@EACH
def test_the_contract_says_what_each_name_gives(version: str) -> None:
    contract = table(version).contract

    assert [] == [name for name in contract if name[0] not in "._"]
    assert [] == [word for word in contract.values() if not given(word) & kinds.LOCAL]


@TYPED
def test_whatever_is_given_is_wanted_by_its_word(version: str) -> None:
    """A slot of which only one word is known goes where that word is asked for."""
    contract = table(version).contract.values()

    assert [] == [word for word in contract if given(word) & kinds.ATOMS & ~wanted(word).atoms]


@TYPED
def test_an_internal_opcode_is_no_form_of_another(version: str) -> None:
    internal = [row for row in table(version).opcodes.values() if row.form == "internal"]

    assert {"CACHE"} <= {row.name for row in internal}
    assert [] == [row.name for row in internal if row.base is not None]


@for_all(KINDS, KINDS, KINDS)
def test_the_join_is_commutative_associative_and_idempotent(a: int, b: int, c: int) -> None:
    assert join(a, b) == join(b, a)
    assert join(a, join(b, c)) == join(join(a, b), c)
    assert join(a, a) == a


@for_all(KINDS, KINDS)
def test_what_admits_a_join_admits_both(a: int, b: int) -> None:
    for text in (*WANTED, "exception or none", "object or null", "tuple == 1", "names <= 2"):
        want = wanted(text)

        assert not want.admits(join(a, b), 1) or (want.admits(a, 1) and want.admits(b, 1))


@pytest.mark.parametrize("word", sorted(GIVEN.keys() & WANTED.keys()))
def test_a_word_admits_what_it_gives(word: str) -> None:
    assert wanted(word).admits(given(word), 0)


@pytest.mark.parametrize(
    ("text", "parameter", "oparg", "admitted"),
    [
        ("tuple == oparg", 2, 2, True),
        ("tuple == oparg", 2, 3, False),
        ("tuple <= oparg", 2, 3, True),
        ("tuple <= oparg", 3, 2, False),
        ("tuple even", 4, 0, True),
        ("tuple even", 3, 0, False),
        ("tuple == 3", 3, 0, True),
        ("tuple == 3", None, 0, False),
        ("tuple >= 1", 1, 0, True),
        ("tuple >= 1", 0, 0, False),
    ],
)
def test_a_length_is_compared(text: str, parameter: int | None, oparg: int, admitted: bool) -> None:
    known = kinds.UNKNOWN if parameter is None else parameter + 1 << kinds.SHIFT

    assert wanted(text).admits(kinds.TUPLE | known, oparg) is admitted


def test_no_type_is_any_object_and_no_null() -> None:
    assert wanted(None).atoms == ANY_OBJECT
    assert not wanted(None).admits(kinds.OBJECT | kinds.NULL, 0)
    assert not wanted("object").admits(kinds.LASTI, 0)


@pytest.mark.parametrize("text", ["lists", "list or", "list == ", "tuple odd", ""])
def test_an_unknown_word_is_an_error_of_the_table(text: str) -> None:
    with pytest.raises(InternalError, match="no kind"):
        wanted(text)
    with pytest.raises(InternalError, match="no kind"):
        given(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (0, "nothing"),
        (ANY_OBJECT, "object"),
        (kinds.OBJECT | kinds.NULL, "NULL or object"),
        (kinds.TUPLE | 3 << kinds.SHIFT, "tuple (2)"),
        (kinds.TUPLE | kinds.UNKNOWN, "tuple"),
        (kinds.LIST | kinds.BORROWED | 3 << kinds.SHIFT, "list (borrowed)"),
    ],
)
def test_a_kind_is_told_in_words(kind: int, text: str) -> None:
    assert text == describe(kind)
