"""Mutations aimed at what the tables say least about: borrows, RESUME, cells, SEND, fields."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from coscope.codec.regions import decode_regions, encode_regions
from coscope.model import Code, Flags, FrozenSet, Region, Slice
from mutation.body import Body, Infeasible, Op
from mutation.pool import Pool
from mutation.registry import BODY_KINDS, FIELD_KINDS, body_kind, field_kind

_HANDING = (
    "LOAD_ATTR", "LOAD_SUPER_ATTR", "LOAD_SPECIAL", "FORMAT_SIMPLE", "GET_YIELD_FROM_ITER",
    "GET_ITER", "COPY", "SWAP", "GET_AITER", "GET_ANEXT", "GET_AWAITABLE", "CONVERT_VALUE",
    "MATCH_KEYS", "GET_LEN", "IMPORT_FROM", "TO_BOOL", "YIELD_VALUE", "BUILD_TUPLE",
)  # fmt: skip
_DELEGATING = (
    "SEND", "END_SEND", "CLEANUP_THROW", "GET_AWAITABLE", "GET_ITER", "GET_YIELD_FROM_ITER",
    "YIELD_VALUE", "RESUME", "GET_ANEXT", "END_ASYNC_FOR", "JUMP_BACKWARD_NO_INTERRUPT",
    "ASYNC_GEN_WRAP", "POP_ITER", "END_FOR", "FOR_ITER",
)  # fmt: skip
_IDIOMS = (
    "WITH_EXCEPT_START", "MATCH_CLASS", "MATCH_KEYS", "CHECK_EG_MATCH", "LOAD_FAST_AND_CLEAR",
    "CALL_INTRINSIC_1", "CALL_INTRINSIC_2", "SEND", "UNPACK_EX", "IMPORT_NAME", "MAKE_FUNCTION",
    "BUILD_TEMPLATE", "LOAD_SUPER_ATTR", "FOR_ITER", "CALL_FUNCTION_EX", "LOAD_BUILD_CLASS",
)  # fmt: skip
_STRANGE = (
    Slice(1, None, "x"), FrozenSet((1, "a", None)), FrozenSet(()), ..., 1 << 200, -0.0, 1j, b"",
    (), ((), ("a",)), ("a", "b", "c"), (1, "a"), tuple("abcdefghij"), True, None, "", "x" * 300,
    float("nan"), (None,) * 3, ("x", None, None),
)  # fmt: skip


def _named(body: Body, names: tuple[str, ...]) -> list[int]:
    rows = body.rules.by_code
    return [at for at, op in enumerate(body.ops) if getattr(rows[op.opcode], "name", "") in names]


def _choose(random: Random, places: list[int]) -> int:
    if not places:
        raise Infeasible
    return random.choice(places)


def _op(body: Body, name: str, oparg: int = 0) -> Op:
    row = body.rules.opcodes.get(name)
    if row is None:
        raise Infeasible
    return Op(row.code, oparg, -1, body.code.firstlineno)


def _overwrite(random: Random, body: Body, slot: int) -> list[Op]:
    """Instructions after which a local is another one, or has no value."""
    choice = random.randrange(4)
    if choice == 0:
        return [_op(body, "DELETE_FAST", slot)]
    if choice == 1:
        return [_op(body, "BUILD_LIST"), _op(body, "STORE_FAST", slot)]
    if choice == 2 and "LOAD_FAST_AND_CLEAR" in body.rules.opcodes:
        return [_op(body, "LOAD_FAST_AND_CLEAR", slot), _op(body, "POP_TOP")]
    body.consts.append(None)
    return [_op(body, "LOAD_CONST", len(body.consts) - 1), _op(body, "STORE_FAST", slot)]


@body_kind("borrow made")
def borrow_made(random: Random, body: Body, pool: Pool) -> None:
    """A load with a reference of its own becomes one without, or the reverse."""
    pairs = {
        "LOAD_FAST": "LOAD_FAST_BORROW",
        "LOAD_FAST_LOAD_FAST": "LOAD_FAST_BORROW_LOAD_FAST_BORROW",
    }
    at = _choose(random, _named(body, (*pairs, *pairs.values())))
    row = body.rules.by_code[body.ops[at].opcode]
    assert row is not None
    other = pairs.get(row.name) or {new: old for old, new in pairs.items()}[row.name]
    body.ops[at] = body.ops[at]._replace(opcode=_op(body, other).opcode)


@body_kind("borrow outlived")
def borrow_outlived(random: Random, body: Body, pool: Pool) -> None:
    """The local of which a value is borrowed changes a little later."""
    at = _choose(random, _named(body, ("LOAD_FAST_BORROW", "LOAD_FAST")))
    slot = body.ops[at].oparg
    if random.random() < 0.6:
        body.ops[at] = body.ops[at]._replace(opcode=_op(body, "LOAD_FAST_BORROW").opcode)
    place = min(len(body.ops) - 1, at + random.randint(1, 5))
    body.insert(place, _overwrite(random, body, slot))


@body_kind("borrow handed on")
def borrow_handed_on(random: Random, body: Body, pool: Pool) -> None:
    """What is borrowed goes through an instruction that may hand it on, then its local changes."""
    if not body.locals:
        raise Infeasible
    slot = random.randrange(len(body.locals))
    name = random.choice([name for name in _HANDING if name in body.rules.opcodes])
    row = body.rules.opcodes[name]
    through = Op(row.code, pool.oparg(random, row, body), -1, body.code.firstlineno)
    run = [_op(body, "LOAD_FAST_BORROW", slot), through, *_overwrite(random, body, slot)]
    left = 1 + row.pushed(through.oparg) - row.popped(through.oparg)
    run += [_op(body, random.choice(("POP_TOP", "POP_TOP", "PUSH_NULL"))) for _ in range(left)]
    body.insert(random.randrange(1, len(body.ops) + 1) - 1, run)


@body_kind("RESUME changed")
def resume_changed(random: Random, body: Body, pool: Pool) -> None:
    """RESUME says something else, is elsewhere, twice, or gone."""
    at = _choose(random, _named(body, ("RESUME",)))
    op = body.ops[at]
    choice = random.randrange(5)
    if choice == 0:
        body.ops[at] = op._replace(oparg=random.choice((0, 1, 2, 3, 4, 5, 8, 9, 10)))
    elif choice == 1:
        body.remove(at, at + 1)
    elif choice == 2:
        body.insert(random.randrange(len(body.ops)), [op])
    elif choice == 3:
        body.insert(at, pool.walk(random, body))
    elif at + 1 < len(body.ops):
        body.ops[at : at + 2] = reversed(body.ops[at : at + 2])


@body_kind("cell slot written")
def cell_written(random: Random, body: Body, pool: Pool) -> None:
    """The slot of a cell is written, deleted or put away as a plain local is."""
    cells = [slot for slot, kind in enumerate(body.kinds) if kind & 0xC0]
    slot = _choose(random, cells)
    at = random.randrange(1, len(body.ops) + 1) - 1
    body.insert(at, _overwrite(random, body, slot), takes_jumps=random.random() < 0.5)


@body_kind("comprehension's cell")
def comprehension_cell(random: Random, body: Body, pool: Pool) -> None:
    """Around LOAD_FAST_AND_CLEAR: another slot, no restoring, another order."""
    at = _choose(random, _named(body, ("LOAD_FAST_AND_CLEAR",)))
    slot = random.randrange(max(1, len(body.locals)))
    stores = [place for place in _named(body, ("STORE_FAST",)) if place > at]
    choice = random.randrange(4)
    if choice == 0:
        body.ops[at] = body.ops[at]._replace(oparg=slot)
    elif choice == 1 and stores:
        place = random.choice(stores)
        body.ops[place] = body.ops[place]._replace(oparg=slot)
    elif choice == 2 and stores:
        body.ops[random.choice(stores)] = _op(body, "POP_TOP")
    else:
        body.insert(min(len(body.ops) - 1, at + random.randint(1, 4)), pool.walk(random, body))


@body_kind("SEND protocol")
def send_protocol(random: Random, body: Body, pool: Pool) -> None:
    """Something near a delegation is another instruction, has another oparg, or is gone."""
    at = _choose(random, _named(body, _DELEGATING))
    near = min(len(body.ops) - 1, max(0, at + random.randint(-2, 2)))
    op = body.ops[near]
    choice = random.randrange(4)
    if choice == 0:
        body.ops[near] = op._replace(oparg=max(0, op.oparg + random.choice((-1, 1, 2))))
    elif choice == 1:
        body.remove(near, near + 1)
    elif choice == 2:
        names = [name for name in _DELEGATING if name in body.rules.opcodes]
        row = body.rules.opcodes[random.choice(names)]
        target = random.randrange(len(body.ops)) if row.jump else -1
        oparg = 0 if row.jump else pool.oparg(random, row, body)
        body.ops[near] = Op(row.code, oparg, target, op.line)
    else:
        body.insert(near, pool.walk(random, body))


@body_kind("strange constant")
def strange_constant(random: Random, body: Body, pool: Pool) -> None:
    """A constant of a type that few instructions expect."""
    if not body.consts:
        raise Infeasible
    body.consts[random.randrange(len(body.consts))] = random.choice(_STRANGE)


@body_kind("idiom of another function")
def idiom(random: Random, body: Body, pool: Pool) -> None:
    """The surroundings of a rare instruction, from a function that has one."""
    for _ in range(20):
        _, part = random.choice(pool.parts)
        places = _named(part.body, _IDIOMS)
        if places:
            break
    else:
        raise Infeasible
    at = random.choice(places)
    start, stop = max(0, at - random.randint(0, 4)), min(len(part.body.ops), at + 4)
    run = []
    for op in part.body.ops[start:stop]:
        row = body.rules.by_code[op.opcode]
        assert row is not None
        oparg, target = op.oparg, -1
        if op.target >= 0:
            target = random.randrange(len(body.ops))
        elif row.operand in ("const", "const names") and oparg < len(part.body.consts):
            body.consts.append(part.body.consts[oparg])
            oparg = len(body.consts) - 1
        elif row.operand != "count":
            oparg = pool.oparg(random, row, body)
        run.append(Op(op.opcode, oparg, target, body.code.firstlineno))
    body.insert(random.randrange(1, len(body.ops) + 1) - 1, run)


@body_kind("several edits at one place")
def several_at_one_place(random: Random, body: Body, pool: Pool) -> None:
    center = random.randrange(len(body.ops))
    for _ in range(random.randint(2, 4)):
        at = min(len(body.ops) - 1, max(0, center + random.randint(-2, 2)))
        if random.random() < 0.5:
            body.ops[at] = pool.exchange(random, body, body.ops[at], False) or body.ops[at]
        elif random.random() < 0.5 and len(body.ops) > 3:
            body.remove(at, at + 1)
        else:
            body.insert(at, [pool.op(random, body)])


@body_kind("function made again")
def function_made_again(random: Random, body: Body, pool: Pool) -> None:
    """A function of the same code object, made with other attributes."""
    at = _choose(random, _named(body, ("MAKE_FUNCTION",)))
    load = body.ops[at - 1] if at else body.ops[at]
    run = [load, _op(body, "MAKE_FUNCTION"), _op(body, "POP_TOP")]
    body.consts.append((1, 2))
    if body.rules.opcodes["MAKE_FUNCTION"].takes_argument and random.random() < 0.5:
        run[1] = run[1]._replace(oparg=1)
        run.insert(0, _op(body, "LOAD_CONST", len(body.consts) - 1))
    body.insert(at + 1, run)


@field_kind("one flag")
def one_flag(random: Random, code: Code, pool: Pool) -> Code:
    return replace(code, flags=Flags(code.flags ^ 1 << random.randrange(31)))


@field_kind("frame hidden")
def frame_hidden(random: Random, code: Code, pool: Pool) -> Code:
    """What tools hide frames or locals by: names in angle brackets, kinds of slots, no lines."""
    choice = random.randrange(3)
    if choice == 0:
        return replace(code, name=random.choice(("<genexpr>", "<listcomp>", "<lambda>", "")))
    if choice == 1 and code.localspluskinds:
        at = random.randrange(len(code.localspluskinds))
        kinds = bytearray(code.localspluskinds)
        kinds[at] ^= random.choice((0x10, 0x02, 0x04, 0x08))
        return replace(code, localspluskinds=bytes(kinds))
    units = len(code.code) // 2
    table = b"".join(bytes([0xF8 | min(8, units - at) - 1]) for at in range(0, units, 8))
    return replace(code, linetable=table)


@field_kind("lines far away")
def lines_far_away(random: Random, code: Code, pool: Pool) -> Code:
    """A table of entries that cover the code, with lines far forwards and backwards."""
    units, table = len(code.code) // 2, b""
    while units:
        size = min(units, random.randint(1, 8))
        groups = bytes(
            random.randrange(0x40, 0x80) for _ in range(random.choice((0, 1, 3, 5)))
        ) + bytes([random.randrange(0x40)])
        form = random.choice((0xE8, 0xE8, 0xF8, 0xD0))
        table += bytes([form | size - 1]) + {0xE8: groups, 0xF8: b"", 0xD0: b"\1\2"}[form]
        units -= size
    first = random.choice((code.firstlineno, 0, -1, 2**31 - 1, 1))
    return replace(code, linetable=table, firstlineno=first)


@field_kind("handler invented")
def handler_invented(random: Random, code: Code, pool: Pool) -> Code:
    """One more entry of the exception table, at starts of instructions and of a small depth."""
    starts, at = [], 0
    while at < len(code.code):
        starts.append(at)
        at += 2 * pool.rules.steps[code.code[at]]
    if len(starts) < 3:
        raise Infeasible
    start, stop = sorted(random.sample([*starts, len(code.code)], 2))
    new = Region(start, stop, random.choice(starts), random.randrange(4), random.random() < 0.5)
    regions = [each for each in decode_regions(code.exceptiontable) if each.stop <= start]
    after = [each for each in decode_regions(code.exceptiontable) if each.start >= stop]
    return replace(code, exceptiontable=encode_regions([*regions, new, *after]))


AIMED = tuple(
    name
    for kinds in (BODY_KINDS, FIELD_KINDS)
    for name, change in kinds.items()
    if change.__module__ == __name__
)
