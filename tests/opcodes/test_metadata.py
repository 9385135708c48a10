"""Every row of 3.13 to 3.15 against the metadata that the release's own build generated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from coscope.opcodes import Opcode, table
from coscope.opcodes.slots import evaluate

FOLDER = Path(__file__).with_name("metadata")
EACH = pytest.mark.parametrize("version", sorted(p.stem[8:] for p in FOLDER.glob("cpython-*.txt")))
OPARGS = (0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 64, 255, 256, 300)

# The metadata counts what moves; these read or change what lies deeper, and a row names that too.
DEEPER = {"COPY", "SWAP", "END_FOR", "DICT_MERGE", "DICT_UPDATE", "MAP_ADD"}
DEEPER |= {"LIST_APPEND", "LIST_EXTEND", "SET_ADD", "SET_UPDATE"}

RAISES = {"error", "error_no_pop", "escapes", "eval_break"}


@dataclass(frozen=True)
class Told:
    """One line of the metadata."""

    name: str
    number: int
    popped: str
    pushed: str
    caches: int
    base: str
    flags: frozenset[str]


@cache
def metadata(version: str) -> tuple[Told, ...]:
    """What the release says of each opcode; the compiler's pseudo instructions are left out."""
    lines = (FOLDER / f"cpython-{version}.txt").read_text(encoding="ascii").splitlines()
    told = []
    for line in lines:
        if not line.startswith("#"):
            name, number, popped, pushed, caches, base, flags = map(str.strip, line.split("|"))
            words = frozenset(flags.split())
            told.append(Told(name, int(number), popped, pushed, int(caches), base or name, words))
    return tuple(told)


def compiled(version: str) -> list[tuple[Told, Opcode]]:
    """Those that compilers emit or the interpreter keeps for itself, with their rows."""
    rows = table(version).opcodes
    pairs = [(told, rows[told.name]) for told in metadata(version)]
    return [(told, row) for told, row in pairs if row.form in ("base", "internal")]


def release(version: str) -> str:
    """The release that the metadata is of."""
    head = (FOLDER / f"cpython-{version}.txt").read_text(encoding="ascii").splitlines()[0]
    return head.split()[2].rstrip(",")


@EACH
def test_the_table_was_checked_at_the_release_of_the_metadata(version: str) -> None:
    assert release(version) == table(version).checked


@EACH
def test_both_know_the_same_opcodes_by_the_same_numbers(version: str) -> None:
    told = {told.name: told.number for told in metadata(version)}
    ours = {name: row.code for name, row in table(version).opcodes.items()}
    if "INSTRUMENTED_LINE" not in told:  # the interpreter of 3.13 handles it apart
        del ours["INSTRUMENTED_LINE"]

    assert ours == told


@EACH
def test_specialised_forms_are_of_the_same_base(version: str) -> None:
    rows = table(version).opcodes
    ours = {name: row.base for name, row in rows.items() if row.form == "specialized"}

    assert ours == {told.name: told.base for told in metadata(version) if told.base != told.name}


@EACH
def test_inline_caches_are_as_long(version: str) -> None:
    assert {told.name: told.caches for told, _ in compiled(version)} == {
        row.name: row.caches for _, row in compiled(version)
    }


@EACH
@pytest.mark.parametrize("oparg", OPARGS)
def test_as_much_is_popped_and_pushed(version: str, oparg: int) -> None:
    wrong = []
    for told, row in compiled(version):
        popped, pushed = (evaluate(each, oparg) for each in (told.popped, told.pushed))
        deeper = row.popped(oparg) - popped
        if pushed + deeper != row.pushed(oparg) or (deeper != 0) > (row.name in DEEPER):
            wrong.append((row.name, popped, pushed, row.popped(oparg), row.pushed(oparg)))

    assert [] == wrong


# By flag of the metadata: what a row says when it has it.
SAYS = {
    "arg": lambda row: row.takes_argument,
    "const": lambda row: row.operand in ("const", "const names"),
    "name": lambda row: row.operand.startswith("name"),
    "jump": lambda row: row.jump is not None or row.operand == "jump source",
}


@EACH
@pytest.mark.parametrize("flag", SAYS)
def test_the_row_says_what_the_flag_says(version: str, flag: str) -> None:
    ours = {row.name for _, row in compiled(version) if SAYS[flag](row)}

    assert ours == {told.name for told, _ in compiled(version) if flag in told.flags}


@EACH
def test_locals_and_cells_are_slots_of_the_frame(version: str) -> None:
    """LOAD_DEREF is a local to the metadata, and a free variable to nobody but the compiler."""
    ours = {row.name for _, row in compiled(version) if row.operand in SLOTS}

    assert ours == {t.name for t, _ in compiled(version) if t.flags & {"local", "free"}}


SLOTS = ("local", "local pair", "deref")


@EACH
def test_what_compilers_emit_raises_where_the_interpreter_may(version: str) -> None:
    emitted = [(told, row) for told, row in compiled(version) if row.form == "base"]
    errors = {told.name for told, _ in emitted if told.flags & {"error", "error_no_pop"}}
    ours = {row.name for _, row in emitted if row.raises}

    assert errors <= ours
    assert ours <= {told.name for told, _ in emitted if told.flags & RAISES}


@EACH
def test_what_keeps_its_slots_raises_without_popping(version: str) -> None:
    ours = {row.name for _, row in compiled(version) if row.keeps}

    assert ours
    assert ours <= {told.name for told, _ in compiled(version) if "error_no_pop" in told.flags}
