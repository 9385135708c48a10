"""Instructions inserted, replaced and removed; and where nothing may stand between two."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

import coscope
from coscope.codec import decode_regions
from coscope.codec.unmarshal import load
from coscope.errors import NothingSelected, PatchError, Refused
from coscope.model import Code
from coscope.opcodes import VERSIONS, table
from coscope.patcher.applying.apply import apply
from coscope.patcher.applying.bonds import bonds, prologue
from coscope.patcher.edits.model import (
    ANYWHERE,
    Do,
    Insert,
    Mark,
    Remove,
    Replace,
    Where,
    at_line,
    at_offset,
    opcode,
    uses,
)
from coscope.patcher.edits.selection import choose
from coscope.patcher.listing.listing import Listing, decode_listing
from coscope.verifier import verify
from tests.flow.building import DATA, HEADER
from tests.patcher.live import NOPS, patched
from tests.patcher.samples import code_of, function, library

MODERN = [version for version in VERSIONS if table(version).exceptions != "block stack"]


def goldens(version: str) -> list[Code]:
    files = sorted((DATA / version).glob("*.pyc"))
    modules = [load(file.read_bytes(), table(version), start=HEADER) for file in files]
    return [code for module in modules for code in module.walk()]


def opnames(code: Code) -> list[str]:
    columns = code.instructions
    return [columns.opname(index) for index in range(len(columns))]


def problem(code: Code, edit: Any) -> PatchError:
    copy = replace(code)
    with pytest.raises(PatchError) as caught:
        apply(code, [edit])
    assert copy == code
    return caught.value


# Choosing


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (opcode("RETURN_VALUE"), ["RETURN_VALUE"]),
        (uses("x") & Where(nth=-1), ["STORE_ATTR"]),
        (at_line(2) & uses("g"), ["LOAD_GLOBAL"]),
        (at_line(77), []),
        (opcode("RETURN_VALUE") & Where(nth=1), []),
    ],
)
def test_fields_of_a_choice_all_hold(where: Where, expected: list[str]) -> None:
    code = code_of("def f(x, a):\n y = g(a)\n a.x = y\n return y")

    assert expected == [code.instructions.opname(use.at) for use in choose(code, where)]


def test_the_offset_of_a_prefix_means_its_instruction() -> None:
    names = "; ".join(f"n{number}" for number in range(270))
    code = code_of(f"def f(): {names}")
    prefix = opnames(code).index("EXTENDED_ARG")
    offsets = [code.instructions.offsets[prefix + step] for step in (0, 1)]
    [[first], [second]] = [choose(code, at_offset(offset)) for offset in offsets]

    assert first == second
    assert "LOAD_GLOBAL" == code.instructions.opname(first.at)


def test_a_choice_of_nothing_names_the_lines() -> None:
    found = problem(code_of("def f():\n return 1"), Remove(where=at_line(9)))

    assert isinstance(found, NothingSelected)
    assert "Its lines are 1 to 2" in str(found)


# Changing


def test_before_and_after() -> None:
    f = function("def f(a):\n return a * 10")
    double = (Do("LOAD_CONST", 2), Do("BINARY_OP", "*"))
    before = Insert(where=opcode("BINARY_OP"), instructions=double)
    after = Insert(
        where=opcode("BINARY_OP"), instructions=(Do("LOAD_CONST", 1), *plus()), after=True
    )

    assert (60, 31) == (patched(f, before)(3), patched(f, after)(3))


def plus() -> tuple[Do, ...]:
    return (Do("BINARY_OP", "+"),)


def test_jumps_land_on_what_is_inserted_or_pass_it() -> None:
    source = "def f(n):\n out = 0\n for i in range(n):\n  out += 1\n return out"
    f = function(source)
    count = (
        Do("LOAD_GLOBAL", "seen"),
        Do("LOAD_CONST", 1),
        Do("LIST_APPEND", 1),
        Do("POP_TOP"),
    )
    counts = []
    for landing in (True, False):
        seen: list[int] = []
        edit = Insert(where=opcode("FOR_ITER"), instructions=count, landing=landing)
        f.__globals__["seen"] = seen
        assert patched(f, edit)(3) == 3
        counts.append(len(seen))

    assert [4, 1] == counts


def test_jumps_of_inserted_instructions_lead_to_their_marks() -> None:
    f = function("def f(a):\n return a")
    test = "POP_JUMP_FORWARD_IF_TRUE" if "PRECALL" in table_names() else "POP_JUMP_IF_TRUE"
    edit = Insert(
        where=opcode("RETURN_VALUE"),
        instructions=(
            Do("COPY", 1),
            *(() if "TO_BOOL" not in table_names() else (Do("TO_BOOL"),)),
            Do(test, "here"),
            Do("POP_TOP"),
            Do("LOAD_CONST", "empty"),
            Mark("unused"),
        ),
    )

    assert ("empty", 5) == (patched(f, edit)(0), patched(f, edit)(5))


def table_names() -> set[str]:
    return set(table(code_of("def f(): return 1").version).opcodes)


def test_replace_and_remove() -> None:
    f = function("def f(a, b):\n return a - b")
    swapped = Replace(where=opcode("BINARY_OP"), instructions=(Do("BINARY_OP", "+"),))

    assert 8 == patched(f, swapped)(5, 3)
    code = apply(code_of("def f(a):\n g(a)"), [NOPS])
    assert "NOP" not in opnames(apply(code, [Remove(where=opcode("NOP"))]))


@pytest.mark.parametrize(
    ("do", "words"),
    [
        (Do("NO_SUCH"), "has no instruction NO_SUCH"),
        (Do("EXTENDED_ARG", 1), "has no instruction EXTENDED_ARG"),
        (Do("LOAD_ATTR_SLOT", 1), "has no instruction LOAD_ATTR_SLOT"),
        (Do("LOAD_FAST", "nowhere"), "one of the local variables a"),
        (Do("STORE_DEREF", "a"), "one of the deref variables (none)"),
        (Do("NOP", 1), "no argument"),
        (Do("JUMP_FORWARD", "away"), "a mark"),
        (Do("BINARY_OP", "<>"), "one of +"),
        (Do("SWAP", -1), "count"),
    ],
)
def test_what_cannot_be_inserted_is_told(do: Do, words: str) -> None:
    edit = Insert(where=opcode("RETURN_VALUE"), instructions=(do,))

    assert words in str(problem(code_of("def f(a): return a"), edit))


def test_the_prologue_is_closed() -> None:
    code = code_of("def f(a):\n def g(): return a\n yield g")
    for name in ("RESUME", "MAKE_CELL", "RETURN_GENERATOR"):
        chosen = opcode(name) & Where(nth=0)
        found = problem(code, Insert(where=chosen, instructions=(Do("NOP"),)))

        assert isinstance(found, Refused)
        assert "not ready before RESUME" in str(found)
        assert isinstance(problem(code, Remove(where=chosen)), Refused)


def test_behind_a_return_is_no_place() -> None:
    edit = Insert(where=opcode("RETURN_VALUE"), instructions=(Do("NOP"),), after=True)
    found = problem(code_of("def f(a): return a"), edit)

    assert "never goes on behind RETURN_VALUE" in str(found)


def test_wrong_words_are_told() -> None:
    code = code_of("def f(a): return a")
    edit = Insert(where=ANYWHERE, instructions=(), inseparable="drop")

    assert "'skip'" in str(problem(code, edit))


def backwards(code: Code) -> list[str]:
    """The opcodes of the jumps back to a SEND or into its place."""
    listing = decode_listing(code)
    names = [listing.opname(item) for item in listing.items]
    return [name for name in names if name.startswith("JUMP_BACKWARD")]


def test_a_loop_that_was_changed_can_be_interrupted() -> None:
    code = code_of("async def f(a):\n b = 5\n return await a")
    loop = backwards(code)
    elsewhere = apply(code, [Replace(where=opcode("STORE_FAST"), instructions=(Do("POP_TOP"),))])
    for name in ("YIELD_VALUE", "SEND"):
        edit = Replace(where=opcode(name), instructions=(Do("NOP"),))
        changed = apply(code, [edit])

        assert "JUMP_BACKWARD_NO_INTERRUPT" == loop[0]
        assert "JUMP_BACKWARD" == backwards(changed)[0]
    assert loop == backwards(elsewhere)


def test_no_loop_that_nothing_can_interrupt_is_inserted() -> None:
    edit = Insert(
        where=opcode("RETURN_VALUE"), instructions=(Do("JUMP_BACKWARD_NO_INTERRUPT", "here"),)
    )
    found = problem(code_of("def f(a): return a"), edit)

    assert "no signal can interrupt" in str(found)
    assert "JUMP_BACKWARD" in str(found.hint)


# What stays together


def adjacent(version: str) -> set[tuple[str, str]]:
    """The pairs of opcodes between which nothing may be inserted, in the goldens of a version."""
    found = set()
    for code in goldens(version):
        listing = decode_listing(code)
        for index in bonds(listing):
            if index > prologue(listing):
                pair = listing.items[index - 1], listing.items[index]
                found.add((listing.opname(pair[0]), listing.opname(pair[1])))
    return found


@pytest.mark.parametrize(
    ("version", "pairs"),
    [
        ("3.11", {("KW_NAMES", "PRECALL"), ("PRECALL", "CALL"), ("SEND", "YIELD_VALUE")}),
        ("3.12", {("KW_NAMES", "CALL"), ("SEND", "YIELD_VALUE"), ("YIELD_VALUE", "RESUME")}),
        ("3.13", {("END_FOR", "POP_TOP"), ("SEND", "YIELD_VALUE"), ("YIELD_VALUE", "RESUME")}),
        ("3.14", {("END_FOR", "POP_ITER"), ("SEND", "YIELD_VALUE"), ("YIELD_VALUE", "RESUME")}),
        (
            "3.15",
            {
                ("END_FOR", "POP_ITER"),
                ("LOAD_SPECIAL", "CALL"),
                ("SEND", "YIELD_VALUE"),
                ("YIELD_VALUE", "RESUME"),
            },
        ),
    ],
)
def test_pairs_that_the_interpreter_relies_on(version: str, pairs: set[tuple[str, str]]) -> None:
    assert set() == pairs - adjacent(version)


INTERRUPTED = """
import _thread
def f(log, manager):
    with manager:
        log.append("body")
class Manager:
    __enter__ = staticmethod(_thread.interrupt_main)
    def __init__(self, log):
        self.log = log
    def __exit__(self, *error):
        self.log.append("exit")
"""


def left_after_an_interrupt(function: Any, manager: Any) -> list[str]:
    """What was logged when Ctrl-C comes while `__enter__` runs."""
    log: list[str] = []
    try:
        function(log, manager(log))
        for _ in range(1000):  # to 3.15 a call handles it, later a loop
            pass
    except KeyboardInterrupt:
        log.append("interrupt")
    return log


@pytest.mark.skipif(sys.platform == "emscripten", reason="nothing interrupts Pyodide")
def test_no_insertion_lets_an_interrupt_skip_exit() -> None:
    namespace: dict[str, Any] = {}
    exec(INTERRUPTED, namespace)
    function, manager = namespace["f"], namespace["Manager"]
    plain = left_after_an_interrupt(function, manager)
    differing = []
    for instruction in coscope.read(function).code.instructions:
        edit = Insert(where=coscope.at_offset(instruction.offset), instructions=(Do("NOP"),))
        try:
            changed = coscope.patch(function, edits=[edit])
        except coscope.CoscopeError:
            continue
        if ("exit" in plain) != ("exit" in left_after_an_interrupt(changed, manager)):
            differing.append((instruction.offset, instruction.opname))

    assert [] == differing


def where_jumps_land(listing: Listing, opname: str) -> set[str]:
    return {
        listing.opname(item.target)
        for item in listing
        if listing.opname(item) == opname and item.target is not None
    }


@pytest.mark.parametrize("version", MODERN)
def test_a_loop_ends_where_it_ended_whatever_is_inserted(version: str) -> None:
    for code in goldens(version):
        before, after = decode_listing(code), decode_listing(apply(code, [NOPS]))
        for name in ("FOR_ITER", "SEND"):
            row = table(version).opcodes[name]
            if row.lands:
                assert where_jumps_land(before, name) == where_jumps_land(after, name)
                assert where_jumps_land(after, name) <= {row.lands[0]}


@pytest.mark.parametrize("version", MODERN)
def test_what_verifies_does_so_with_nops(version: str) -> None:
    wrong = [
        code.qualname
        for code in goldens(version)
        if "." not in code.qualname
        and verify(code).ok
        and not verify(apply(code, [replace(NOPS, nested=True)])).ok
    ]

    assert [] == wrong


def test_the_library_verifies_with_nops() -> None:
    wrong = [
        module.filename
        for module in library(21, 4)
        if not verify(apply(module, [replace(NOPS, nested=True)])).ok
    ]

    assert [] == wrong


def test_positions_move_along() -> None:
    for module in library(22, 2):
        for code in module.walk():
            new = apply(code, [NOPS])
            before = [i.positions for i in code.instructions if i.opname != "NOP"]
            after = [i.positions for i in new.instructions if i.opname != "NOP"]
            kinds = [i.opname for i in code.instructions if i.opname != "NOP"]
            if "EXTENDED_ARG" not in {*kinds, *opnames(new)}:
                assert before == after, code.qualname
                assert kinds == [i.opname for i in new.instructions if i.opname != "NOP"]


def handlers(code: Code) -> dict[int, tuple[int, int, bool]]:
    """By offset of an instruction: the handler of its errors, the depth, whether it keeps lasti."""
    return {
        at: (region.target, region.depth, region.keeps_lasti)
        for region in decode_regions(code.exceptiontable)
        for at in code.instructions.offsets
        if region.start <= at < region.stop
    }


def test_removing_the_nops_gives_the_code_again() -> None:
    for module in library(23, 2):
        for code in module.walk():
            if "NOP" in opnames(code) or "EXTENDED_ARG" in opnames(code):
                continue
            if {"CLEANUP_THROW", "JUMP_BACKWARD_NO_INTERRUPT"} & set(opnames(code)):
                continue  # its jump back is a loop that was changed: it looks for signals then
            new = apply(code, [NOPS])
            if "NOP" not in opnames(new) or "EXTENDED_ARG" in opnames(new):
                continue
            back = apply(new, [Remove(where=opcode("NOP"))])

            assert (code.code, handlers(code)) == (back.code, handlers(back))
            assert code.stacksize == back.stacksize
