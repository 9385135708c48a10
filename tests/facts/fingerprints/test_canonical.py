"""The canonical form itself: golden texts, pinned fingerprints, jump targets as `dis` has them."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import FunctionType

import pytest

from coscope.facts.fingerprints.canonical import Canonical, digested
from coscope.facts.fingerprints.fingerprints import fingerprint
from coscope.readers.from_function import HOST_VERSION, from_code_object
from tests.facts.fingerprints import shaped

GOLDEN = Path(__file__).parent / "golden"
# 3.13.2 compiles several statements otherwise than 3.13.0, under the same magic number.
COMPILER = "3.13.2" if (3, 13, 2) <= sys.version_info[:3] < (3, 14) else HOST_VERSION


def canonical_of(function: FunctionType) -> Canonical:
    code = from_code_object(function.__code__)
    return digested(code, docstrings=False, local_names=False)[-1].canonical


def test_canonical_texts_stay(golden: Callable[[Path, str], None]) -> None:
    """Of functions with branches, loops, handlers: reviewed, and changed with `SCHEME` only."""
    texts = []
    for function in shaped.FUNCTIONS:
        code = from_code_object(function.__code__)
        for each in digested(code, docstrings=False, local_names=False):
            texts.append(f"[{each.code.qualname}]\n{each.canonical.text}\n")

    golden(GOLDEN / f"canonical-{COMPILER}.txt", "\n".join(texts))


def test_fingerprints_stay(golden: Callable[[Path, str], None]) -> None:
    lines = [f"{each.__name__} {fingerprint(each).value}\n" for each in shaped.FUNCTIONS]

    golden(GOLDEN / f"fingerprints-{COMPILER}.txt", "".join(lines))


def _landing(function: FunctionType) -> dict[int, int]:
    """Offset of each instruction -> offset at which control really arrives from there.

    Instructions without effect are passed, and unconditional jumps followed, as `dis` has them.
    """
    instructions = list(dis.get_instructions(function))
    following = {one.offset: other.offset for one, other in pairwise(instructions)}
    passed = ("NOP", "NOT_TAKEN", "EXTENDED_ARG", "CACHE")
    found = {}
    for each in instructions:
        at, seen = each, set()
        by_offset = {i.offset: i for i in instructions}
        while at.offset not in seen:
            seen.add(at.offset)
            if at.opname in passed and at.offset in following:
                at = by_offset[following[at.offset]]
            elif at.opname in ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"):
                at = by_offset[int(at.argval)]
            else:
                break
        found[each.offset] = at.offset
    return found


@pytest.mark.parametrize("function", shaped.FUNCTIONS, ids=lambda each: each.__name__)
def test_a_jump_leads_to_the_row_of_the_instruction_that_dis_names(function: FunctionType) -> None:
    canonical = canonical_of(function)
    columns = from_code_object(function.__code__).instructions
    landing = _landing(function)
    targets = {
        i.offset: landing[int(i.argval)]
        for i in dis.get_instructions(function)
        if i.opcode in dis.hasjrel or i.opcode in dis.hasjabs
    }
    pairs = pairwise(dis.get_instructions(function))
    followed = {one.offset: landing[other.offset] for one, other in pairs}

    for row, target in canonical.targets.items():
        source = columns.offsets[canonical.sources[row]]
        arrives = landing[columns.offsets[canonical.sources[target]]]
        # A test over a jump is written as the opposite test: then it leads where the jump did.
        assert arrives in (targets[source], followed.get(source))


def test_a_jump_written_at_another_row_is_another_text() -> None:
    canonical = canonical_of(shaped.loops)
    row, target = next(iter(canonical.targets.items()))

    other = replace(canonical, targets={**canonical.targets, row: target + 1})

    assert canonical.text != other.text


def test_every_version_has_its_golden_texts() -> None:
    versions = {path.stem.rpartition("-")[2] for path in GOLDEN.glob("canonical-*.txt")}

    assert {"3.11", "3.12", "3.13", "3.13.2", "3.14", "3.15"} == versions
