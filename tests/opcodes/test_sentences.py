"""Every opcode has a sentence, which says of the stack what tables and interpreters say."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from coscope.errors import InputError
from coscope.opcodes import VERSIONS, Opcode, table
from coscope.opcodes.sentences import _texts, explain_opcode, names, sentence
from coscope.opcodes.slots import Slot
from tests.opcodes.test_metadata import FOLDER, OPARGS, compiled, evaluate

EACH = pytest.mark.parametrize("version", VERSIONS)
POPS = re.compile(r"\b([Pp]ops?|Replaces)\b")
PUSHES = re.compile(r"\b([Pp]ush(es)?|Replaces)\b")
NUMBERS = {"a": 1, "an": 1, "two": 2, "three": 3, "four": 4}

# Its value goes to the caller's stack, where CPython counts it (`RETURN_VALUE` of 3.14).
GOES_TO_THE_CALLER = {"RETURN_VALUE", "INSTRUMENTED_RETURN_VALUE"}


def counted(slots: tuple[Slot, ...]) -> Counter[str]:
    return Counter(slot.name for slot in slots)


def popped(row: Opcode) -> bool:
    """True if it takes a value for good, on one of its paths."""
    pops, pushes, jumped = map(counted, (row.pop_slots, row.push_slots, row.jump_push_slots))
    handler = (row.blocks or "").startswith("push")  # what an exception does is no jump of its own
    return bool(pops - pushes) or (bool(pops - jumped) and not handler)


def pushed(row: Opcode) -> bool:
    """True if it leaves a value that was not there, on one of its paths."""
    pops, pushes, jumped = map(counted, (row.pop_slots, row.push_slots, row.jump_push_slots))
    return bool(pushes - pops) or bool(jumped - pops)


def tells(row: Opcode, said: str) -> bool:
    """True if a sentence speaks of the stack at all: not of another opcode, nor of two at once."""
    return not said.startswith("Does what") and not said.endswith(", too.")


@EACH
def test_every_opcode_has_one_sentence(version: str) -> None:
    said = {name: sentence(row, version) for name, row in table(version).opcodes.items()}
    wrong = {
        name: text
        for name, text in said.items()
        if not re.fullmatch(r"[A-Z][^\n{}]*(\{[^}]*\}[^\n{}]*)*\.", text) or ". " in text[:-40]
    }

    assert {} == wrong
    assert len(said) > 100


def test_every_sentence_is_of_an_opcode() -> None:
    known = set(names())
    written = {
        name for part in ("opcode", "specialized", "instrumented") for name in _texts()[part]
    }

    assert set() == {name for name in written if "*" not in name} - known


def test_a_sentence_holds_from_a_version_that_has_the_opcode() -> None:
    wrong = [
        (name, since)
        for part in ("opcode", "specialized", "instrumented")
        for name, text in _texts()[part].items()
        if isinstance(text, dict) and "of" not in text
        for since in text
        if name not in table(since).opcodes
    ]

    assert [] == wrong


@EACH
def test_it_pops_and_pushes_what_the_table_says(version: str) -> None:
    for row in table(version).opcodes.values():
        said = sentence(row, version)
        if not tells(row, said) or row.name in GOES_TO_THE_CALLER:
            continue

        assert (popped(row), pushed(row)) == (bool(POPS.search(said)), bool(PUSHES.search(said))), (
            row.name,
            said,
        )


@EACH
def test_a_number_of_values_is_the_table_s(version: str) -> None:
    seen = 0
    for row in table(version).opcodes.values():
        said = sentence(row, version)
        match = re.match(r"Pops (two|three|four) values", said)
        plain = all(slot.count == "1" and slot.condition is None for slot in row.pop_slots)
        if match is None or not plain or row.form == "specialized":
            continue
        seen += 1
        taken = counted(row.pop_slots) - counted(row.push_slots)

        assert NUMBERS[match[1]] == taken.total(), (row.name, said)
    assert seen > 5


@pytest.mark.parametrize("version", sorted(p.stem[8:] for p in FOLDER.glob("cpython-*.txt")))
def test_what_is_explained_is_what_the_interpreter_says(version: str) -> None:
    """Takes and leaves against the release's own metadata, for opargs of every class."""
    differ = []
    for told, row in compiled(version):
        meaning = explain_opcode(row.name, version).meanings[0]
        for oparg in OPARGS:
            net = sum(s.size(oparg) for s in meaning.leaves) - sum(
                s.size(oparg) for s in meaning.takes
            )
            if net != evaluate(told.pushed, oparg) - evaluate(told.popped, oparg):
                differ.append((row.name, oparg))

    assert [] == differ


def test_versions_that_agree_are_one_meaning() -> None:
    found = explain_opcode("BINARY_SLICE")

    assert [("3.12", *VERSIONS[5:])] == [each.versions for each in found.meanings]


def test_versions_that_differ_are_apart() -> None:
    found = explain_opcode("FOR_ITER")

    assert VERSIONS == found.versions == sum((each.versions for each in found.meanings), ())
    assert len(found.meanings) > 2


def test_one_version_alone() -> None:
    found = explain_opcode("for_iter", "3.13.2")

    assert [("3.13",)] == [each.versions for each in found.meanings]
    assert VERSIONS == found.versions
    assert {("3.13",)} == {form.versions for form in found.forms}


def test_forms_are_those_of_the_table() -> None:
    found = explain_opcode("TO_BOOL")
    rows = {
        row.name for v in VERSIONS for row in table(v).opcodes.values() if row.base == "TO_BOOL"
    }

    assert rows == {form.name for form in found.forms} != set()


@pytest.mark.parametrize(
    ("name", "version", "hint"),
    [
        ("LOAD_ATR", None, "Did you mean LOAD_ATTR"),
        ("BUILD_", None, "These begin so: BUILD_CONST_KEY_MAP"),
        ("LOAD_METHOD", "3.15", "CPython 3.8 to 3.11 has it."),
        ("LOAD_SPECIAL", "3.8", "CPython 3.14 to 3.15 has it."),
        ("", None, "lists all of them"),
        ("quite \x1b[31m wrong", None, "lists all of them"),
    ],
)
def test_an_unknown_name_is_one_error(name: str, version: str | None, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        explain_opcode(name, version)

    assert hint in str(caught.value)
