"""What mutations draw from: opcodes by effect, balanced runs, opargs that fit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

from coscope.flow.effects import effect_of
from coscope.model import Code, Constant, FrozenSet
from coscope.opcodes import Opcode, table
from mutation.body import Body, Op
from mutation.corpus import Part, Unit

_LISTED = {
    "binary": "binary",
    "intrinsic 1": "intrinsic_1",
    "intrinsic 2": "intrinsic_2",
    "special": "special",
    "convert": "convert",
    "common constant": "common_constants",
}
_CONSTANTS: tuple[Constant, ...] = (
    None, True, False, 0, 1, -3, 1.5, "a", "x", "k", b"b", (), (1, 2), ("a",), ("a", "b"),
    ("x", "y"), (None, None, None), ("k", "x", "y"), FrozenSet((1, 2)), ..., 2**70,
)  # fmt: skip


class Pool:
    """The corpus as a source of pieces.

    Attributes:
        parts: Every code object of it.
        by_effect: Opcodes with opargs, by slots popped and pushed; those that neither jump nor end.
        segments: Runs of instructions that leave the stack as deep as it was and never look
            below, with no jump in or out.
        typed: As `by_effect`, only what gives a value of a certain kind.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = units
        self.parts = [(unit, part) for unit in units for part in unit.parts]
        self.version = units[0].code.version
        self.rules = table(self.version)
        self.base = [
            row
            for row in self.rules.opcodes.values()
            if row.form == "base" and row.name != "EXTENDED_ARG"
        ]
        self.planted = [row.code for row in self.rules.opcodes.values() if row.form != "base"]
        self.planted += [code for code in range(256) if self.rules.by_code[code] is None]
        self.by_effect: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self.typed: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self.codes: list[Code] = []
        self.segments: list[tuple[Body, int, int]] = []
        self.segments_of: dict[int, list[tuple[int, int]]] = {}
        for _, part in self.parts:
            self._take(part)
        for row in self.base:
            for oparg in range(4) if row.takes_argument else (0,):
                self._note(row, oparg)

    def _take(self, part: Part) -> None:
        body = part.body
        self.codes.append(part.code)
        for op in body.ops:
            row = self.rules.by_code[op.opcode]
            if row is not None:
                self._note(row, op.oparg)
        found = _segments(body)
        self.segments_of[id(part.code)] = found
        self.segments += [(body, start, stop) for start, stop in found if stop - start <= 16]

    def _note(self, row: Opcode, oparg: int) -> None:
        if row.jump or row.ends or row.name in ("RESUME", "RETURN_GENERATOR", "SEND"):
            return
        effect = effect_of(self.version, row.code, oparg, False)
        key = effect.popped, effect.pushed
        entry = row.code, oparg
        if entry not in self.by_effect.setdefault(key, []):
            self.by_effect[key].append(entry)
        typed = any(slot.type for slot in (*row.push_slots, *row.pop_slots)) or row.makes
        if typed and entry not in self.typed.setdefault(key, []):
            self.typed[key].append(entry)

    def oparg(self, random: Random, row: Opcode, body: Body) -> int:
        """An oparg that is likely within bounds."""
        operand = row.operand
        if operand in ("const", "const names"):
            if random.random() < 0.3:
                return self.constant(random, body)
            return random.randrange(max(1, len(body.consts)))
        if operand.startswith("name"):
            shift = len(operand.removeprefix("name").removeprefix(">>")) and int(operand[-1])
            index = random.randrange(max(1, len(body.names)))
            return index << shift | random.randrange(1 << shift)
        if operand in ("local", "deref"):
            return random.randrange(max(1, len(body.locals)))
        if operand == "local pair":
            size = max(1, min(16, len(body.locals)))
            return random.randrange(size) << 4 | random.randrange(size)
        if operand in _LISTED:
            return random.randrange(len(self.rules.lists[_LISTED[operand]]))
        if operand == "compare":
            shift = self.rules.numbers.get("compare_shift", 0)
            low = random.choice((0, 2, 4, 7, 8, 9, 10, 12)) if shift >= 4 else 0
            return random.randrange(6) << shift | low | 16 * (shift >= 5 and random.random() < 0.5)
        if operand == "function flags":
            return (
                random.choice((0, 1, 2, 4, 8, 16))
                if random.random() < 0.8
                else random.randrange(32)
            )
        if operand == "none":
            return 0
        return random.choice((0, 1, 1, 2, 2, 3, 4, random.randrange(8)))

    def constant(self, random: Random, body: Body) -> int:
        """Index of a constant of any type, appended to the constants."""
        if random.random() < 0.25:
            other = random.choice(self.codes)
            value = random.choice(other.consts) if other.consts else None
        else:
            value = random.choice(_CONSTANTS)
        body.consts.append(value)
        return len(body.consts) - 1

    def op(self, random: Random, body: Body, row: Opcode | None = None) -> Op:
        """An instruction with a likely oparg."""
        if row is None:
            row = random.choice(self.base)
        target = random.randrange(len(body.ops)) if row.jump else -1
        return Op(row.code, 0 if row.jump else self.oparg(random, row, body), target, _line(body))

    def exchange(self, random: Random, body: Body, op: Op, typed: bool) -> Op | None:
        """Another instruction with the same effect on the stack."""
        effect = effect_of(self.version, op.opcode, op.oparg, False)
        choices = (self.typed if typed else self.by_effect).get((effect.popped, effect.pushed))
        if not choices:
            return None
        opcode, oparg = random.choice(choices)
        row = self.rules.by_code[opcode]
        assert row is not None
        if row.operand not in ("count", "none", "function flags"):
            oparg = self.oparg(random, row, body)
        return Op(opcode, oparg, -1, op.line)

    def walk(self, random: Random, body: Body) -> list[Op]:
        """A random run that leaves the stack as it was."""
        ops: list[Op] = []
        depth = 0
        for _ in range(random.randint(1, 5)):
            popped = random.choice([n for n in (0, 0, 1, 1, 2, 3) if n <= depth])
            choices = self.by_effect.get((popped, random.choice((1, 1, 1, 2))), [])
            if not choices:
                continue
            opcode, oparg = random.choice(choices)
            row = self.rules.by_code[opcode]
            assert row is not None
            if row.operand not in ("count", "none", "function flags"):
                oparg = self.oparg(random, row, body)
            effect = effect_of(self.version, opcode, oparg, False)
            if effect.popped > depth:
                continue
            ops.append(Op(opcode, oparg, -1, _line(body)))
            depth += effect.pushed - effect.popped
        opcodes = self.rules.opcodes
        while depth > 0:
            name = random.choice(("POP_TOP", "POP_TOP", "STORE_FAST", "STORE_NAME", "LIST_APPEND"))
            row = opcodes[name if name != "LIST_APPEND" or depth > 1 else "POP_TOP"]
            oparg = 1 if row.name == "LIST_APPEND" else self.oparg(random, row, body)
            ops.append(Op(row.code, oparg, -1, _line(body)))
            depth -= 1
        return ops


def _line(body: Body) -> int:
    return body.code.firstlineno


def _segments(body: Body) -> list[tuple[int, int]]:
    """Balanced runs of at most 40 instructions; no jump crosses their ends."""
    depths, ops = body.depths, body.ops
    leaves = _leaving(body.code.version)
    found = []
    for start in range(len(ops)):
        base = depths[start]
        if base is None:
            continue
        farthest = start
        for stop in range(start + 1, min(len(ops), start + 40)):
            op = ops[stop - 1]
            depth = depths[stop]
            if leaves[op.opcode] or depth is None or depth < base:
                break
            effect = effect_of(body.code.version, op.opcode, op.oparg, False)
            before = depths[stop - 1]
            if before is None or before - effect.popped < base:
                break
            if op.target >= 0:
                if op.target < start:
                    break
                farthest = max(farthest, op.target)
            if depth == base and farthest <= stop:
                found.append((start, stop))
    return [
        (start, stop)
        for start, stop in found
        if not any(
            start < op.target < stop
            for index, op in enumerate(ops)
            if op.target >= 0 and not start <= index < stop
        )
    ]


@cache
def _leaving(version: str) -> bytes:
    """By opcode, 1 if control does not go on behind it or the frame starts there."""
    rows = table(version).by_code
    return bytes(
        row is None or row.ends is not None or row.name in ("RESUME", "RETURN_GENERATOR")
        for row in rows
    )
