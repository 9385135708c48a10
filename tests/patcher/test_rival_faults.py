"""Each class of fault that `bytecode` 0.19.1 has, as a test here: shared/evidence/rivals.md.

Where that library only decodes and encodes, we insert a NOP before each instruction too: what is
right only as long as nothing moves would be no answer.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import Any

import pytest

from coscope.errors import PatchError, Refused
from coscope.flow.regions import find_regions
from coscope.model import Code, Region
from coscope.patcher.applying.apply import apply
from coscope.patcher.edits.model import Do, Insert, Mark, Remove, at_offset, opcode, uses
from coscope.patcher.listing.layout import lay_out
from coscope.patcher.listing.listing import decode_listing
from coscope.readers.from_function import HOST_VERSION, from_code_object
from coscope.verifier import verify
from tests.flow.building import built
from tests.patcher.live import NOPS, patched
from tests.patcher.samples import code_of, function


def with_nops(code: Code) -> Code:
    new = apply(code, [NOPS])
    assert verify(new).ok
    assert code.code != new.code
    return new


NESTED = """
def k(n):
    out = []
    for i in range(n):
        try:
            try: raise KeyError(i)
            except KeyError as e: raise ValueError
        except ValueError: out.append(i)
    return out
"""


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
def test_a_function_whose_handler_depth_it_raises_runs_on() -> None:
    program = (
        "from tests.patcher.live import NOPS, patched\n"
        "from tests.patcher.samples import function\n"
        "from tests.patcher.test_rival_faults import NESTED\n"
        "k = function(NESTED)\n"
        "print(patched(k)(5), patched(k, NOPS)(5))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ("[0, 1, 2, 3, 4] [0, 1, 2, 3, 4]\n", 0) == (run.stdout, run.returncode)


def test_handler_depth_inside_with_is_kept() -> None:
    code = code_of("def f(a):\n with a as b:\n  for x in b:\n   with x: print(x)")

    before = [(region.depth, region.keeps_lasti) for region in find_regions(code)]
    after = [(region.depth, region.keeps_lasti) for region in find_regions(with_nops(code))]

    assert before
    assert before == after


def test_a_dead_handler_does_not_count_for_the_stack() -> None:
    instructions = [
        ("RESUME", 0),
        ("RETURN_CONST", 0),
        ("NOP", 0),
        ("RETURN_CONST", 0),
        ("RERAISE", 0),
    ]
    code = built("3.13", instructions, regions=[Region(4, 8, 8, 0, False)])

    new = apply(code, [Insert(where=opcode("NOP"), instructions=(Do("NOP"), Do("NOP")))])

    assert code.stacksize == new.stacksize


def test_columns_from_128_up_are_kept() -> None:
    source = f"def f(a):\n return (a +{' ' * 150}a.b)"
    code = code_of(source)
    before = [instruction.positions for instruction in code.instructions]
    after = [
        instruction.positions
        for instruction in with_nops(code).instructions
        if instruction.opname != "NOP"
    ]

    assert max(span.end_col_offset or 0 for span in before) > 128
    assert before == after


def test_locals_are_neither_reordered_nor_dropped() -> None:
    for live in (textwrap.dedent, textwrap.TextWrapper._wrap_chunks):
        code = from_code_object(live.__code__)
        new = with_nops(code)

        assert code.varnames == new.varnames
        assert code.localsplusnames == new.localsplusnames
    unused = code_of("def f(b, a):\n if 0:\n  c = 1\n return a")

    assert unused.varnames == with_nops(unused).varnames


def test_constants_and_names_keep_their_numbers() -> None:
    code = code_of("def f(x):\n if 0: g('gone')\n return h('kept', x.b, 3.5, (1, 2))")
    new = with_nops(code)

    assert (code.consts, code.names) == (new.consts, new.names)


@pytest.mark.skipif(HOST_VERSION == "3.11", reason="comprehensions are inlined from 3.12")
def test_a_name_that_is_local_cell_and_free() -> None:
    source = """
    def outer():
        T = "outer"
        class Inner:
            plain = [T for T in "ab"]
            captured = [(lambda: T)() for T in "cd"]
            def method(self): return T
        return Inner.plain, Inner.captured, Inner().method()
    """
    code = code_of(source, "outer.<locals>.Inner")
    everywhere = replace(NOPS, nested=True)

    assert code.localsplusnames.count("T") > 1
    assert code == lay_out(decode_listing(code))
    assert verify(apply(code, [NOPS])).ok
    assert (["a", "b"], ["c", "d"], "outer") == patched(function(source), everywhere)()


def test_a_prefix_stays_inside_its_protected_range() -> None:
    names = "; ".join(f"g{number}" for number in range(260))
    code = code_of(f"def f():\n {names}\n try: late\n except E: pass")
    new = with_nops(code)
    [first, *_] = find_regions(new)
    prefix = next(
        instruction
        for instruction in new.instructions
        if instruction.opname == "EXTENDED_ARG" and instruction.offset >= first.start
    )

    assert first.start <= prefix.offset < first.stop
    assert verify(new).ok


@pytest.mark.skipif(HOST_VERSION in ("3.11", "3.12"), reason="LOAD_FAST_LOAD_FAST is of 3.13")
def test_a_pair_of_locals_is_refused_beyond_the_sixteenth() -> None:
    names = [f"v{number}" for number in range(18)]
    code = code_of(f"def f({', '.join(names)}): return v16")
    edit = Insert(
        where=uses("v16"),
        instructions=(Do("LOAD_FAST_LOAD_FAST", ("v1", "v16")), Do("POP_TOP"), Do("POP_TOP")),
    )

    with pytest.raises(PatchError, match="first 16 locals"):
        apply(code, [edit])


def test_locals_beyond_the_sixteenth_survive() -> None:
    names = [f"v{number}" for number in range(18)]
    f = function(f"def f({', '.join(names)}):\n v0 = v16; v1 = v17\n return v0, v1, v15, v16")

    assert f(*range(18)) == patched(f, NOPS)(*range(18))


def refused(code: Code, edit: Any) -> str:
    copy = bytes(code.code)
    with pytest.raises(Refused) as caught:
        apply(code, [edit])
    assert copy == code.code
    return str(caught.value)


def test_code_that_falls_off_the_end_is_refused() -> None:
    code = code_of("def f(a): return a")
    last = code.instructions[len(code.instructions) - 1].offset

    assert "falls off the end" in refused(code, Remove(where=at_offset(last)))


def test_paths_that_meet_with_different_depths_are_refused() -> None:
    code = code_of("def f(a):\n if a: a = 1\n return a")
    store = opcode("STORE_FAST")

    edit = Insert(where=store, instructions=(Do("PUSH_NULL"),))

    assert "disagree about the depth" in refused(code, edit)


def test_code_that_pushes_for_ever_is_refused() -> None:
    code = code_of("def f(a): return a")
    edit = Insert(
        where=opcode("LOAD_FAST"),
        instructions=(Mark("again"), Do("PUSH_NULL"), Do("NOP"), *back_to("again")),
    )
    if code.instructions[1].opname != "LOAD_FAST":
        edit = Insert(where=opcode("LOAD_FAST_BORROW"), instructions=edit.instructions)

    assert "disagree about the depth" in refused(code, edit)


def back_to(mark: str) -> tuple[Do, ...]:
    return (Do("JUMP_BACKWARD", mark),)
