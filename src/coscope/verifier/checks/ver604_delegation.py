"""A generator is suspended as if it were delegating, but there is no sub-iterator.

`gen.throw()`, `close()` and `gi_yieldfrom` ask the suspended frame whether it is in a `yield
from`: in 3.11 and 3.12 it is if a RESUME with an oparg of 2 or more follows the YIELD_VALUE, from
3.13 if the YIELD_VALUE has the oparg 1. Then they take what lies on top of the stack for the
sub-iterator, without a look at whether there is one. In 3.11 `throw()` also performs the jump of
the SEND that it expects directly before the YIELD_VALUE (`_gen_throw` in Objects/genobject.c):
its oparg is read from that code unit, whatever it holds.

    LOAD_CONST 0 (None)
    YIELD_VALUE 1           "in a yield from", and the stack below is empty
    RESUME 6
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from coscope.model import Instructions, Region
from coscope.opcodes.kinds import ANY_OBJECT, ATOMS, describe
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER604"

_DELEGATING = 2  # oparg of the RESUME after a YIELD_VALUE in `yield from`; 3: in `await`
_LOOP = ("SEND", "YIELD_VALUE", "RESUME", "JUMP_BACKWARD_NO_INTERRUPT")


def check(subject: Subject) -> Iterable[Violation]:
    row = subject.rules.opcodes.get("YIELD_VALUE")
    if subject.structural or row is None or row.code not in subject.opcodes:
        return ()
    return _wrong(subject, row.code)


def _wrong(subject: Subject, opcode: int) -> Iterator[Violation]:
    instructions, frames = subject.instructions, subject.frames
    if instructions is None or frames is None:
        return
    numbers = subject.rules.numbers
    below = numbers.get("delegate_depth", 1)  # slots under the yielded value
    jumps = numbers.get("throw_jumps", 0)
    delegating = (at for at, found in enumerate(subject.opcodes) if found == opcode)
    for index in delegating:
        if not _delegates(subject, index):
            continue
        frame = frames[index]
        if frame is None:
            continue  # never suspended here
        top = frame.top(below + 1)
        if len(top) <= below:
            yield subject.violation(
                CODE,
                "nothing lies below the yielded value for a sub-iterator",
                index,
                expected="an object",
                found=f"{len(frame)} values",
            )
        elif top[0] & ATOMS & ~ANY_OBJECT:
            yield subject.violation(
                CODE,
                "what lies below the yielded value is no sub-iterator",
                index,
                expected="object",
                found=describe(top[0]),
            )
        problem = _loop_problem(subject, instructions, index) if jumps else None
        if problem is not None:
            yield subject.violation(
                CODE,
                "throw() does the jump of a SEND that is not there",
                index,
                expected="SEND, YIELD_VALUE, RESUME and the jump back, entered at the SEND",
                found=problem,
            )


def _delegates(subject: Subject, index: int) -> bool:
    """True if a generator that is suspended here counts as delegating."""
    if subject.rules.numbers.get("yield_tells_delegation", 0):
        return subject.opargs[index] != 0
    resume = subject.rules.opcodes["RESUME"].code
    after = index + 1
    return (
        after < len(subject.opcodes)
        and subject.opcodes[after] == resume
        and subject.opargs[after] >= _DELEGATING
    )


def _loop_problem(subject: Subject, instructions: Instructions, index: int) -> str | None:
    """What differs from the loop that the compiler writes, and that `throw()` takes for granted."""
    send = index - 1
    names = [
        instructions.opname(at) for at in range(max(0, send), min(send + 4, len(instructions)))
    ]
    if send < 0 or tuple(names) != _LOOP:
        return ", ".join(names)
    offsets = instructions.offsets
    back = send + 3
    target = instructions.jump_target(send)
    if subject.opargs[send] > 0xFF or target != instructions.end_offset(back):
        return f"a SEND to {target}"
    if instructions.jump_target(back) != offsets[send]:
        return f"a jump back to {instructions.jump_target(back)}"
    inside = set(offsets[index : back + 1])
    entered = inside & instructions.jump_targets
    entered |= inside & {region.target for region in subject.regions or ()}
    if entered:
        return f"a jump to {min(entered)}"
    regions = subject.regions or []
    if _region_at(regions, offsets[send]) != _region_at(regions, offsets[back]):
        return "an exception handler for a part of it"
    return None


def _region_at(regions: list[Region], offset: int) -> Region | None:
    at = bisect_right(regions, offset, key=lambda region: region.start) - 1
    return regions[at] if at >= 0 and regions[at].stop > offset else None
