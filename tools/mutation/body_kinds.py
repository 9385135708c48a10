"""Mutations of instructions; jumps, handlers and lines follow."""

from __future__ import annotations

from random import Random

from coscope.model import Code
from coscope.opcodes import Opcode
from mutation.body import Body, Guard, Infeasible, Op
from mutation.pool import Pool
from mutation.registry import body_kind


def _row(body: Body, op: Op) -> Opcode:
    row = body.rules.by_code[op.opcode]
    assert row is not None
    return row


def _places(body: Body, *operands: str) -> list[int]:
    """Indexes of the instructions whose oparg means one of these."""
    return [i for i, op in enumerate(body.ops) if _row(body, op).operand in operands]


def _pick(random: Random, places: list[int]) -> int:
    if not places:
        raise Infeasible
    return random.choice(places)


def _opname(body: Body, *names: str) -> list[int]:
    return [i for i, op in enumerate(body.ops) if _row(body, op).name in names]


@body_kind("opcode swapped")
def opcode_swapped(random: Random, body: Body, pool: Pool) -> None:
    at = random.randrange(len(body.ops))
    body.ops[at] = pool.op(random, body)


@body_kind("oparg step")
def oparg_step(random: Random, body: Body, pool: Pool) -> None:
    places = [i for i, op in enumerate(body.ops) if op.target < 0 and _row(body, op).takes_argument]
    at = _pick(random, places)
    oparg = body.ops[at].oparg + random.choice((1, -1, 1, -1, 2))
    body.ops[at] = body.ops[at]._replace(oparg=max(0, oparg))


@body_kind("oparg big")
def oparg_big(random: Random, body: Body, pool: Pool) -> None:
    at = random.randrange(len(body.ops))
    oparg = random.choice((256, 1 << 16, 1 << 24, 0x7FFFFFFF, 0xFFFFFFFF, random.getrandbits(31)))
    body.ops[at] = body.ops[at]._replace(oparg=oparg, target=-1)


@body_kind("oparg likely")
def oparg_likely(random: Random, body: Body, pool: Pool) -> None:
    places = [i for i, op in enumerate(body.ops) if op.target < 0 and _row(body, op).takes_argument]
    at = _pick(random, places)
    op = body.ops[at]
    body.ops[at] = op._replace(oparg=pool.oparg(random, _row(body, op), body))


@body_kind("prefix added")
def prefix_added(random: Random, body: Body, pool: Pool) -> None:
    at = random.randrange(len(body.ops))
    body.ops[at] = body.ops[at]._replace(prefixes=random.randint(1, 4))


@body_kind("jump redirected")
def jump_redirected(random: Random, body: Body, pool: Pool) -> None:
    at = _pick(random, [i for i, op in enumerate(body.ops) if op.target >= 0])
    body.ops[at] = body.ops[at]._replace(target=random.randrange(len(body.ops)))


@body_kind("jump redirected at depth")
def jump_at_depth(random: Random, body: Body, pool: Pool) -> None:
    """To another place where the stack is as deep."""
    at = _pick(random, [i for i, op in enumerate(body.ops) if op.target >= 0])
    depth = body.depths[min(body.ops[at].target, len(body.ops) - 1)]
    target = _pick(random, [i for i, d in enumerate(body.depths) if d == depth])
    body.ops[at] = body.ops[at]._replace(target=target)


@body_kind("jump inserted")
def jump_inserted(random: Random, body: Body, pool: Pool) -> None:
    at = random.randrange(1, len(body.ops))
    target = _pick(
        random, [i for i, d in enumerate(body.depths) if d == body.depths[at] and i != at]
    )
    name = random.choice(("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"))
    op = Op(body.rules.opcodes[name].code, 0, target if target < at else target + 1, -1)
    body.insert(at, [op], takes_jumps=random.random() < 0.5)


@body_kind("instruction removed")
def removed(random: Random, body: Body, pool: Pool) -> None:
    at = random.randrange(len(body.ops))
    body.remove(at, at + 1)
    if not body.ops:
        raise Infeasible


@body_kind("instruction inserted")
def inserted(random: Random, body: Body, pool: Pool) -> None:
    body.insert(random.randrange(len(body.ops)), [pool.op(random, body)])


@body_kind("instruction duplicated")
def duplicated(random: Random, body: Body, pool: Pool) -> None:
    at = random.randrange(len(body.ops))
    body.insert(at, [body.ops[at]._replace(target=body.ops[at].target)])


@body_kind("adjacent swap")
def adjacent_swap(random: Random, body: Body, pool: Pool) -> None:
    if len(body.ops) < 2:
        raise Infeasible
    at = random.randrange(len(body.ops) - 1)
    body.ops[at : at + 2] = reversed(body.ops[at : at + 2])


@body_kind("splice")
def splice(random: Random, body: Body, pool: Pool) -> None:
    """Some instructions of another function, as they come."""
    _, part = random.choice(pool.parts)
    other = part.body
    start = random.randrange(len(other.ops))
    stop = min(len(other.ops), start + random.randint(1, 6))
    _graft(random, body, other, start, stop, random.randrange(len(body.ops)), pool)


@body_kind("balanced splice")
def balanced_splice(random: Random, body: Body, pool: Pool) -> None:
    """A run of another function that leaves the stack as it was."""
    other, start, stop = random.choice(pool.segments)
    _graft(random, body, other, start, stop, random.randrange(1, len(body.ops) + 1) - 1, pool)


def _graft(
    random: Random, body: Body, other: Body, start: int, stop: int, at: int, pool: Pool
) -> None:
    slots: dict[int, int] = {}

    def slot(number: int) -> int:
        if number not in slots:
            kind = other.kinds[number] & 0xE0 if number < len(other.kinds) else 0x20
            same = [i for i, k in enumerate(body.kinds) if k & 0xE0 == kind]
            slots[number] = random.choice(same or list(range(len(body.kinds))) or [0])
        return slots[number]

    new = []
    for op in other.ops[start:stop]:
        operand = _row(other, op).operand
        oparg, target = op.oparg, op.target
        if target >= 0:
            target = at + target - start if start <= target <= stop else at
        elif operand in ("const", "const names") and oparg < len(other.consts):
            body.consts.append(other.consts[oparg])
            oparg = len(body.consts) - 1
        elif operand.startswith("name"):
            shift = int(operand[-1]) if ">>" in operand else 0
            if oparg >> shift < len(other.names):
                body.names.append(other.names[oparg >> shift])
                oparg = len(body.names) - 1 << shift | oparg & (1 << shift) - 1
        elif operand in ("local", "deref"):
            oparg = slot(oparg)
        elif operand == "local pair":
            oparg = (slot(oparg >> 4) & 15) << 4 | slot(oparg & 15) & 15
        new.append(Op(op.opcode, oparg, target, body.code.firstlineno, op.prefixes))
    body.insert(at, new)


@body_kind("random run inserted")
def run_inserted(random: Random, body: Body, pool: Pool) -> None:
    body.insert(random.randrange(1, len(body.ops) + 1) - 1, pool.walk(random, body))


def _segment(random: Random, body: Body, pool: Pool) -> tuple[int, int]:
    found = pool.segments_of.get(id(body.code))
    if not found:
        raise Infeasible
    start, stop = random.choice(found)
    if stop >= len(body.ops):
        raise Infeasible
    return start, stop


@body_kind("balanced run removed")
def run_removed(random: Random, body: Body, pool: Pool) -> None:
    body.remove(*_segment(random, body, pool))


@body_kind("balanced run repeated")
def run_repeated(random: Random, body: Body, pool: Pool) -> None:
    start, stop = _segment(random, body, pool)
    shifted = [
        op._replace(target=op.target + stop - start) if op.target > start else op
        for op in body.ops[start:stop]
    ]
    body.insert(stop, [op if op.target != start else op._replace(target=stop) for op in shifted])


@body_kind("balanced run moved")
def run_moved(random: Random, body: Body, pool: Pool) -> None:
    start, stop = _segment(random, body, pool)
    run = [
        op._replace(target=op.target - start if op.target >= 0 else -1)
        for op in body.ops[start:stop]
    ]
    depth = body.depths[start]
    body.remove(start, stop)
    at = _pick(random, [i for i, d in enumerate(body.depths) if d == depth])
    body.insert(at, [op._replace(target=op.target + at) if op.target >= 0 else op for op in run])


@body_kind("same effect")
def same_effect(random: Random, body: Body, pool: Pool) -> None:
    """An instruction becomes another one that takes and gives as many values."""
    _exchange(random, body, pool, typed=False)


@body_kind("producer exchanged")
def producer(random: Random, body: Body, pool: Pool) -> None:
    """What gives or takes a value of a certain kind becomes something else of the same effect."""
    _exchange(random, body, pool, typed=True)


def _exchange(random: Random, body: Body, pool: Pool, typed: bool) -> None:
    places = [i for i, op in enumerate(body.ops) if op.target < 0 and not _row(body, op).ends]
    for _ in range(4):
        at = _pick(random, places)
        new = pool.exchange(random, body, body.ops[at], typed)
        if new is not None:
            body.ops[at] = new
            return
    raise Infeasible


@body_kind("local exchanged")
def local_exchanged(random: Random, body: Body, pool: Pool) -> None:
    at = _pick(random, _places(body, "local", "local pair"))
    op = body.ops[at]
    body.ops[at] = op._replace(oparg=pool.oparg(random, _row(body, op), body))


@body_kind("cell and local exchanged")
def cell_exchanged(random: Random, body: Body, pool: Pool) -> None:
    at = _pick(random, _places(body, "local", "deref"))
    op = body.ops[at]
    row = _row(body, op)
    pairs = {"LOAD_FAST": "LOAD_DEREF", "STORE_FAST": "STORE_DEREF", "DELETE_FAST": "DELETE_DEREF",
             "LOAD_CLOSURE": "LOAD_FAST", "LOAD_FAST_BORROW": "LOAD_DEREF"}  # fmt: skip
    name = pairs.get(row.name) or {v: k for k, v in pairs.items()}.get(row.name)
    if name in body.rules.opcodes and random.random() < 0.6:
        op = op._replace(opcode=body.rules.opcodes[str(name)].code)
    else:
        op = op._replace(oparg=random.randrange(max(1, len(body.locals))))
    body.ops[at] = op


@body_kind("local deleted")
def local_deleted(random: Random, body: Body, pool: Pool) -> None:
    if not body.locals:
        raise Infeasible
    slot = random.randrange(len(body.locals))
    name = "DELETE_DEREF" if body.kinds[slot] & 0xC0 else "DELETE_FAST"
    at = random.randrange(1, len(body.ops) + 1) - 1
    body.insert(at, [Op(body.rules.opcodes[name].code, slot)], takes_jumps=random.random() < 0.5)


@body_kind("constant of another type")
def constant_retyped(random: Random, body: Body, pool: Pool) -> None:
    at = _pick(random, _places(body, "const", "const names"))
    body.ops[at] = body.ops[at]._replace(oparg=pool.constant(random, body))


@body_kind("nested code exchanged")
def nested_exchanged(random: Random, body: Body, pool: Pool) -> None:
    places = [i for i, c in enumerate(body.consts) if isinstance(c, Code)]
    body.consts[_pick(random, places)] = random.choice(pool.codes)


@body_kind("function attributes")
def function_attributes(random: Random, body: Body, pool: Pool) -> None:
    places = _opname(body, "MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE")
    at = _pick(random, places)
    op = body.ops[at]
    if _row(body, op).takes_argument:
        body.ops[at] = op._replace(oparg=op.oparg ^ random.choice((1, 2, 4, 8, 16)))
    else:
        tuples = [i for i, c in enumerate(body.consts) if type(c) is tuple] or [0]
        flag = random.choice((1, 2, 4, 8, 16))
        rows = body.rules.opcodes
        value = Op(rows["LOAD_CONST"].code, random.choice(tuples))
        if flag == 2:
            value = Op(rows["BUILD_MAP"].code, 0)
        swap = Op(rows["SWAP"].code, 2)
        body.insert(at + 1, [value, swap, Op(rows["SET_FUNCTION_ATTRIBUTE"].code, flag)])


@body_kind("closure size")
def closure_size(random: Random, body: Body, pool: Pool) -> None:
    """One more or one fewer cell in the tuple of a closure."""
    rows = body.rules.opcodes
    at = _pick(random, _opname(body, "BUILD_TUPLE", "LOAD_CLOSURE"))
    if body.rules.by_code[body.ops[at].opcode] is rows["BUILD_TUPLE"]:
        size = max(0, body.ops[at].oparg + random.choice((-1, 1)))
        grown = size > body.ops[at].oparg
        body.ops[at] = body.ops[at]._replace(oparg=size)
        if grown:
            body.insert(
                at, [body.ops[at - 1]] if random.random() < 0.7 else [pool.op(random, body)]
            )
        elif at:
            body.remove(at - 1, at)
    else:
        body.ops[at] = body.ops[at]._replace(oparg=random.randrange(max(1, len(body.locals))))


@body_kind("contract broken")
def contract_broken(random: Random, body: Body, pool: Pool) -> None:
    """What makes the iterator of `.0`, or wraps a function, becomes something else."""
    rows = body.rules.opcodes
    at = _pick(random, _opname(body, "GET_ITER", "GET_AITER", "MAKE_FUNCTION", "CALL", "PRECALL"))
    choice = random.randrange(3)
    if choice == 0:
        body.ops[at] = Op(rows["NOP"].code, 0, -1, body.ops[at].line)
    elif choice == 1:
        local = Op(rows["STORE_FAST"].code, random.randrange(max(1, len(body.locals))))
        body.insert(at + 1, [local, local._replace(opcode=rows["LOAD_FAST"].code)])
    else:
        body.insert(at + 1, [Op(rows["COPY"].code, 1), Op(rows["POP_TOP"].code)])


@body_kind("stack shuffled")
def stack_shuffled(random: Random, body: Body, pool: Pool) -> None:
    """SWAP, COPY, POP_TOP and PUSH_NULL where the stack is deep enough."""
    rows = body.rules.opcodes
    at = random.randrange(len(body.ops))
    depth = body.depths[at] or 0
    swap = Op(rows["SWAP"].code, random.randint(2, max(2, depth)))
    copy = Op(rows["COPY"].code, random.randint(1, max(1, depth)))
    null, pop = Op(rows["PUSH_NULL"].code), Op(rows["POP_TOP"].code)
    runs = ([swap], [swap, swap], [copy, pop], [null, pop], [copy, swap, pop], [null, swap, pop])
    body.insert(at, random.choice(runs), takes_jumps=random.random() < 0.7)


@body_kind("guard added")
def guard_added(random: Random, body: Body, pool: Pool) -> None:
    """A range becomes protected by a handler that is there."""
    if not body.guards:
        raise Infeasible
    old = random.choice(body.guards)
    start = random.randrange(len(body.ops))
    stop = min(len(body.ops), start + random.randint(1, 8))
    body.guards.append(Guard(start, stop, old.target, old.depth, old.lasti))
    body.guards.sort()


@body_kind("guard changed")
def guard_changed(random: Random, body: Body, pool: Pool) -> None:
    """Another handler of the function for a range."""
    if not body.guards:
        raise Infeasible
    at = random.randrange(len(body.guards))
    other = random.choice(body.guards)
    body.guards[at] = body.guards[at]._replace(
        target=other.target, depth=other.depth, lasti=other.lasti
    )


@body_kind("types of the version")
def intrinsic(random: Random, body: Body, pool: Pool) -> None:
    """Another entry of a table of the version: operators, intrinsics, comparisons."""
    at = _pick(random, _places(body, "binary", "intrinsic 1", "intrinsic 2", "compare", "special",
                               "convert", "common constant", "invert", "format"))  # fmt: skip
    op = body.ops[at]
    body.ops[at] = op._replace(oparg=pool.oparg(random, _row(body, op), body))
