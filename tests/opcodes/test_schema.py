"""Every opcode table agrees with the schema and with itself, whatever its version."""

from __future__ import annotations

import re
import string
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import resources

import pytest

from coscope.flow.texts.forms import OF_OPERAND, OF_SLOTS
from coscope.opcodes import VERSIONS, Opcode, from_toml, table
from coscope.opcodes.schema import ACCESS, BLOCKS, ENDS, JUMPS, MAKES, NEEDS, OPERANDS, TESTS

EACH = pytest.mark.parametrize("version", VERSIONS)

# How many names an oparg of this kind selects.
NAMES = {"name": 1, "name>>1": 1, "name>>2": 1, "local": 1, "local pair": 2, "deref": 1}

# `{slot:FORM slot ...}`; those of a whole display are no entries of the flow room's list.
FORMS = {*OF_SLOTS, "starred", "double starred"}

# What may stand in braces without being a slot.
WORDS = {"operand", "operand.0", "operand.1", "oparg", "n", "call"}

# The slots that `{call}` finds by name.
CALLABLES = {"callable", "method_or_null"}


def rows(version: str) -> list[Opcode]:
    return [row for row in table(version).opcodes.values() if row.form in ("base", "internal")]


def popped(row: Opcode) -> set[str]:
    return {slot.name for slot in row.pop_slots}


def pushed(row: Opcode) -> set[str]:
    return {slot.name for slot in (*row.push_slots, *row.jump_push_slots)}


def new(row: Opcode) -> set[str]:
    return pushed(row) - popped(row)


def texts(row: Opcode) -> dict[str, str]:
    """The text for each slot that `shows` speaks of."""
    if row.shows is None:
        return {}
    return row.shows if isinstance(row.shows, dict) else dict.fromkeys(new(row), row.shows)


def fields(text: str) -> Iterator[tuple[str, str]]:
    """What stands in braces: the slot or word, and the format behind a colon."""
    for _, name, spec, conversion in string.Formatter().parse(text.replace("!}", "}")):
        if name is not None:
            assert conversion is None
            yield name, spec or ""


def faults_of(row: Opcode, slot: str, text: str) -> Iterator[str]:
    """What is wrong with one text of `shows`."""
    groups = {s.name for s in (*row.push_slots, *row.jump_push_slots) if s.count != "1"}
    for name, spec in fields(text):
        if name == "operand" and spec:
            if spec not in OF_OPERAND:
                yield f"{{operand:{spec}}}"
        elif name == "call":
            if not CALLABLES & popped(row):
                yield "{call} without a callable"
        elif name == "n":
            if slot not in groups:
                yield "{n} outside a group"
        elif name in ("operand.0", "operand.1"):
            if row.operand != "local pair":
                yield f"{{{name}}} of no pair"
        elif name == "operand":
            if row.operand == "none":
                yield "{operand} without an operand"
        elif name not in WORDS:
            yield from _slot_faults(row, name, spec)


def _slot_faults(row: Opcode, name: str, spec: str) -> Iterator[str]:
    if name.removeprefix(",").strip(" ,") not in popped(row):
        yield f"{{{name}}} is not popped"
    if not spec:
        return
    known = [form for form in FORMS if f"{spec} ".startswith(f"{form} ")]
    if not known:
        yield f"no form {spec!r}"
    elif not set(spec[len(known[0]) :].split()) <= popped(row):
        yield f"slots of {spec!r}"


def test_there_is_one_file_for_each_version() -> None:
    files = {file.name for file in resources.files("coscope.opcodes").iterdir()}

    assert {f"cpython-{version}.toml" for version in VERSIONS} == {
        name for name in files if name.endswith(".toml") and name.startswith("cpython-")
    }


@EACH
def test_the_table_says_of_which_version_it_is(version: str) -> None:
    told = table(version)

    assert version == told.version
    assert re.fullmatch(rf"{re.escape(version)}\.\d+((a|b|rc)\d+)?", told.checked)


@EACH
def test_magic_numbers_ascend_and_hold_those_of_releases(version: str) -> None:
    told = table(version)

    assert sorted(set(told.magics)) == list(told.magics)
    assert set(told.release_magics) <= set(told.magics)
    assert told.magics


def test_no_magic_number_belongs_to_two_versions() -> None:
    counts = Counter(magic for version in VERSIONS for magic in table(version).magics)

    assert [] == [magic for magic, count in counts.items() if count > 1]


def test_magic_numbers_grow_with_the_version() -> None:
    magics = [magic for version in VERSIONS for magic in table(version).magics]

    assert sorted(magics) == magics


@EACH
def test_no_two_opcodes_share_a_number_or_a_name(version: str) -> None:
    file = resources.files("coscope.opcodes").joinpath(f"cpython-{version}.toml")
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    names = [
        name for part in ("opcode", "specialized", "instrumented") for name in data.get(part, {})
    ]
    codes = Counter(row.code for row in from_toml(data).opcodes.values())

    assert len(set(names)) == len(names)
    assert [] == [code for code, count in codes.items() if count > 1 or not 0 <= code <= 255]


@EACH
@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("operand", OPERANDS),
        ("jump", (*JUMPS, None)),
        ("ends", (*ENDS, None)),
        ("tests", (*TESTS, None)),
        ("blocks", (*BLOCKS, None)),
        ("needs", (*NEEDS, None)),
        ("makes", (*MAKES, None)),
    ],
)
def test_fields_hold_words_of_the_schema(
    version: str, field: str, known: tuple[str | None, ...]
) -> None:
    assert [] == [row.name for row in rows(version) if getattr(row, field) not in known]


@EACH
def test_access_is_said_once_for_each_name_of_the_operand(version: str) -> None:
    told = {row.name: len(row.access) for row in rows(version) if row.access != ("import star",)}

    assert {
        row.name: NAMES.get(row.operand, 0) for row in rows(version) if row.name in told
    } == told
    assert set() == {verb for row in rows(version) for verb in row.access} - set(ACCESS)


@EACH
def test_an_access_fits_what_the_operand_names(version: str) -> None:
    kinds = {
        "name": "name global attribute",
        "name>>1": "global attribute",
        "name>>2": "name attribute",  # LOAD_SUPER_ATTR; IMPORT_NAME (3.15)
        "local": "local",
        "local pair": "local",
        "deref": "cell",
    }

    assert [] == [
        row.name
        for row in rows(version)
        for verb in row.access
        if verb != "import star" and verb.split()[-1] not in kinds[row.operand].split()
    ]


@EACH
def test_an_access_is_of_the_sort_that_the_name_of_the_opcode_says(version: str) -> None:
    verbs = {"LOAD": {"read", "capture", "save"}, "STORE": {"write"}, "DELETE": {"delete"}}

    assert [] == [
        (row.name, first)
        for row in rows(version)
        for first in row.access[:1]
        if first.split()[0] not in verbs.get(row.name.split("_")[0], {"import", "make"})
    ]


@EACH
def test_a_jump_has_a_jump_operand_and_the_other_way_round(version: str) -> None:
    assert [row.name for row in rows(version) if row.jump] == [
        row.name for row in rows(version) if row.operand == "jump"
    ]


@EACH
def test_a_jump_is_conditional_or_the_end_or_the_way_to_a_handler(version: str) -> None:
    ways = {
        row.name: (row.tests is not None) + (row.ends == "jump") + (row.blocks is not None)
        for row in rows(version)
        if row.jump
    }

    assert dict.fromkeys(ways, 1) == ways


@EACH
def test_only_a_jump_tests_a_condition_or_ends_by_jumping(version: str) -> None:
    assert [] == [
        row.name
        for row in rows(version)
        if row.jump is None and (row.tests or row.ends == "jump" or row.jump_pushes is not None)
    ]


@EACH
def test_blocks_are_pushed_only_where_the_version_has_a_block_stack(version: str) -> None:
    told = table(version)

    assert (told.exceptions == "block stack") == any(row.blocks for row in rows(version))


@EACH
def test_every_pushed_slot_is_moved_or_shown(version: str) -> None:
    assert [] == [
        (row.name, slot) for row in rows(version) for slot in new(row) if slot not in texts(row)
    ]


@EACH
def test_nothing_is_shown_that_is_not_pushed(version: str) -> None:
    assert [] == [
        (row.name, slot) for row in rows(version) for slot in texts(row) if slot not in pushed(row)
    ]
    assert [] == [row.name for row in rows(version) if row.shows is not None and not pushed(row)]


@EACH
def test_one_text_stands_for_one_slot(version: str) -> None:
    assert [] == [
        row.name for row in rows(version) if isinstance(row.shows, str) and len(new(row)) != 1
    ]


@EACH
def test_texts_speak_of_popped_slots_in_known_forms(version: str) -> None:
    assert [] == [
        (row.name, fault)
        for row in rows(version)
        for slot, text in texts(row).items()
        for fault in faults_of(row, slot, text)
    ]


@EACH
def test_no_text_gives_up(version: str) -> None:
    shown = [text for row in rows(version) for text in texts(row).values()]

    assert [] == [text for text in shown if "?" in text or not text]


@EACH
def test_a_slot_name_stands_for_one_group_of_popped_slots(version: str) -> None:
    assert [] == [row.name for row in rows(version) if len(popped(row)) != len(row.pops)]


@EACH
def test_a_moved_slot_is_as_large_after_as_before(version: str) -> None:
    moved = [
        (row.name, slot.name, slot.size(oparg), before.size(oparg))
        for row in rows(version)
        for before in row.pop_slots
        for slot in (*row.push_slots, *row.jump_push_slots)
        if slot.name == before.name
        for oparg in (0, 1, 2, 3, 5, 255, 515)
    ]

    assert [] == [move for move in moved if move[2] != move[3]]


@EACH
def test_every_form_has_a_base_with_its_caches(version: str) -> None:
    told = table(version).opcodes
    forms = [row for row in told.values() if row.form != "base"]

    assert [] == [row.name for row in forms if row.base is not None and row.base not in told]
    assert [] == [
        row.name
        for row in forms
        if row.base in told
        and (told[row.base].form != "base" or told[row.base].caches != row.caches)
    ]


@EACH
def test_the_lists_that_operands_select_from_are_there(version: str) -> None:
    lists = {
        "compare": "compare",
        "binary": "binary",
        "intrinsic 1": "intrinsic_1",
        "intrinsic 2": "intrinsic_2",
        "convert": "convert",
        "special": "special",
        "common constant": "common_constants",
    }
    used = {lists[row.operand] for row in rows(version) if row.operand in lists}

    assert used == set(table(version).lists)
    assert all(table(version).lists.values())
