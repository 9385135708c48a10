"""Make a crashing mutant small: fewer mutants before it, fewer arguments, fewer instructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coscope.codec.regions import decode_regions
from coscope.errors import CoscopeError
from coscope.model import Code
from coscope.opcodes import table
from mutation.batch import crashes
from mutation.body import Body, Guard, Infeasible, Op
from mutation.judge import Judge
from mutation.mutate import Mutant


@dataclass
class Culprit:
    """Who crashes, as small as it was made."""

    mutants: list[Mutant]  # one, unless it crashes only behind others
    confirmed: bool  # it crashed again


def blame(batch: Sequence[Mutant], judge: Judge) -> Culprit:
    """Find out who of a batch makes it crash; the last of it was running when it did."""
    if crashes(batch[-1:]):
        return Culprit([smaller(batch[-1], judge)], True)
    rest = list(batch)
    if not crashes(rest):
        return Culprit([batch[-1]], False)
    size = len(rest) // 2
    while size:
        at = 0
        while at < len(rest):
            fewer = rest[:at] + rest[at + size :]
            if fewer and crashes(fewer):
                rest = fewer
            else:
                at += size
        size //= 2
    return Culprit([smaller(one, judge) if len(rest) == 1 else one for one in rest], True)


def smaller(one: Mutant, judge: Judge) -> Mutant:
    """The mutant with fewer arguments and instructions, while it is accepted and crashes."""
    for arguments in one.unit.arguments:
        fewer = replace(one, unit=replace(one.unit, arguments=(arguments,)))
        if len(one.unit.arguments) > 1 and crashes([fewer]):
            one = fewer
            break
    part = part_of(one)
    try:
        body = rough(part)
    except (CoscopeError, KeyError):
        return one
    size = max(1, len(body.ops) // 2)
    while size:
        at = 0
        while at < len(body.ops):
            shorter = body.copy()
            shorter.remove(at, min(len(shorter.ops), at + size))
            found = _tried(one, shorter, judge)
            if found is None:
                at += size
            else:
                one, body = found, shorter
        size //= 2
    return one


def _tried(one: Mutant, body: Body, judge: Judge) -> Mutant | None:
    if not body.ops:
        return None
    try:
        changed = replace(one, code=one.unit.with_part(one.part, body.laid_out()))
        refused = judge.refused(changed.code)
    except (Infeasible, CoscopeError):
        return None
    return changed if refused is None and crashes([changed]) else None


def part_of(one: Mutant) -> Code:
    """The code object that was changed, as it is in the mutant."""
    code = one.code
    for index in one.part.path:
        code = code.consts[index]
    return code


def rough(code: Code) -> Body:
    """Take any code object apart that has its targets in it."""
    rules = table(code.version)
    columns = code.instructions
    index_of: dict[int, int] = {}
    op = 0
    for index, opcode in enumerate(columns.opcodes):
        index_of[columns.offsets[index]] = op
        op += opcode != rules.extended_arg
    index_of[len(code.code)] = op
    ops = []
    for index, opcode in enumerate(columns.opcodes):
        if opcode == rules.extended_arg:
            continue
        target = columns.jump_target(index)
        jumps = target is not None and target in index_of
        ops.append(
            Op(opcode, 0 if jumps else columns.opargs[index] & 0xFFFFFFFF,
               index_of[target] if jumps and target is not None else -1, code.firstlineno)
        )  # fmt: skip
    guards = [
        Guard(index_of[r.start], index_of[r.stop], index_of[r.target], r.depth, r.keeps_lasti)
        for r in decode_regions(code.exceptiontable)
    ]
    return Body(code, ops, guards, [None] * len(ops), list(code.consts), list(code.names),
                list(code.localsplusnames), list(code.localspluskinds))  # fmt: skip


def listing(code: Code) -> list[str]:
    """The instructions as text."""
    lines = [
        f"{i.offset} {i.opname} {'' if i.arg is None else i.arg} {i.argrepr}".rstrip()
        for i in code.instructions
    ]
    lines += [str(tuple(region)) for region in decode_regions(code.exceptiontable)]
    slots = zip(code.localsplusnames, code.localspluskinds, strict=False)
    return [*lines, f"slots {list(slots)} stack {code.stacksize} flags {code.flags:#x}"]
