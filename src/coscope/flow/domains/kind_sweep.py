"""The kind domain at speed: one sweep over the code, which accepts what has nothing wrong.

`machine.run` with `Kinds` keeps the state before every instruction and says what is wrong, and
where. The sweep asks the same domain for the same transfers, but keeps states at the starts of
blocks alone, does what is common by itself, and gives up at the first thing out of the ordinary:
then the machine runs. What the sweep accepts, the machine accepts; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

from coscope.flow.domains.kind import REFUSED, Kinds, kept, left_of
from coscope.flow.domains.kind_makers import kind_of
from coscope.flow.domains.kind_plans import BORROWING, Plan, changes_of, plan_of
from coscope.flow.effects import Effect, effect_of
from coscope.flow.graph import Block, Edge, Graph
from coscope.flow.regions import entry_depth
from coscope.model import Code
from coscope.opcodes import Opcode, kinds, table
from coscope.opcodes.kinds import LOCAL, OBJECT, join

# How a step is done. The first eight ask the domain if something special arrives.
_FIXED = 0  # gives the same kinds if no operand has certain bits
_READ = 1  # an assigned local
_WRITE = 2
_READ_TWO = 3
_CONSTANT = 4
_EACH = 5  # as _FIXED, with other bits for each operand
_LOOK = 6  # as _FIXED, and leaves its operands where they are
_COMPARE = 7
_UNFIT = 8
_ASK = 9
_LEND = 10  # an assigned local, without a reference of its own
_MOVE = 12  # puts its operands in another order, or leaves some of them out
_COPY = 13  # pushes one more of a value that need not be watched
_HAND = 11  # as _FIXED; if the uppermost operand is borrowed, the last pushed slot is, too

_MOST = 64  # slots that a step may take or push
_STEPS_KEPT = 16_384  # of one version
_WORK = 24  # for each instruction; genuine code needs about 2
_SLACK = 2_000

_NO_VALUE = REFUSED | kinds.BORROWED  # for a local to keep


# What is to do for an opcode with an oparg. A plain tuple: one of a subclass is unpacked slowly.
#   0  how
#   1  slots that it takes
#   2  what it pushes, of _MOVE which operands; of both _EACH and _MOVE then bits of each operand
#   3  bits for which to ask; or where a local's bits are; or the index of a constant
#   4  it raises, before it has its effect
#   5  slots that it adds
#   6  some pushed slots are popped ones
#   7  its jump leaves something else than falling through
#   8  the effect
_Step = tuple[int, int, tuple[int, ...], int, bool, int, bool, bool, Effect]


class _GaveUp(Exception):
    """Something is out of the ordinary."""


def sweep(graph: Graph, domain: Kinds) -> int | None:
    """Follow the kinds of all values, if nothing is wrong with any.

    Args:
        graph: Of the code.
        domain: New, with all locals in one int.

    Returns:
        The most slots that are filled anywhere; None if the code must be looked at closely.
    """
    try:
        run = _Sweep(graph, domain)
        run.run()
    except (_GaveUp, IndexError):  # IndexError: the stack has less values than are taken
        return None
    return None if domain.faults else run.peak


class _Sweep:
    """One sweep."""

    def __init__(self, graph: Graph, domain: Kinds) -> None:
        code = graph.code
        self.graph = graph
        self.domain = domain
        self.borrows = domain.rules.borrows
        self.opcodes = code.instructions.opcodes
        self.opargs = code.instructions.opargs
        self.entries: list[list[int] | None] = [None] * len(graph.blocks)
        self.locals = [0] * len(graph.blocks)
        self.rank = {block: rank for rank, block in enumerate(graph.order)}
        self.waiting = bytearray(len(graph.order))
        self.peak = 0
        self.leaves, self.tests, self.copies = _ends(code.version)
        self.steps = self._steps(code)
        self.work = _SLACK + _WORK * len(self.steps)

    def _steps(self, code: Code) -> list[_Step]:
        known = _compiled(code.version, self.domain.trusted)
        keys = [
            oparg << 8 | opcode for oparg, opcode in zip(self.opargs, self.opcodes, strict=True)
        ]
        try:
            return [known[key] for key in keys]
        except KeyError:
            if len(known) + len(keys) > _STEPS_KEPT:
                known.clear()
        for key in keys:
            if key not in known:
                known[key] = _compile(code.version, key, self.domain)
        return [known[key] for key in keys]

    def run(self) -> None:
        graph, waiting, order = self.graph, self.waiting, self.graph.order
        stack, slots = self.domain.enter(graph, entry_depth(graph.code))
        self.entries[0], self.locals[0] = list(stack), slots
        self.peak = len(stack)
        waiting[0] = 1
        nets = [step[5] for step in self.steps]
        seen = bytearray(len(order))
        rank = 0
        while rank >= 0:
            waiting[rank] = 0
            block = graph.blocks[order[rank]]
            entered = self.entries[block.index]
            assert entered is not None
            self.work -= block.stop - block.start + len(entered)
            if self.work < 0:
                raise _GaveUp
            if not seen[rank]:  # the depth is the same at each visit
                seen[rank] = 1
                most = max(accumulate(nets[block.start : block.stop], initial=0))
                if len(entered) + most > self.peak:
                    self.peak = len(entered) + most
            self._visit(block, entered.copy(), self.locals[block.index])
            rank = waiting.find(1, rank)
            if rank < 0:
                rank = waiting.find(1)

    def _visit(self, block: Block, stack: list[int], slots: int) -> None:
        """Go through a block; the stack is changed in place."""
        steps, domain = self.steps, self.domain
        constants, free, borrows = domain.constants, domain.free, self.borrows
        edges = block.edges
        handler = edges[-1] if edges and edges[-1].kind == "exception" else None
        for index in range(block.start, block.stop):
            how, popped, gives, bits, raises, _, moves, forks, effect = steps[index]
            if handler is not None and raises:
                assert block.region is not None
                if len(stack) - popped + effect.at_error < block.region.depth:
                    raise _GaveUp
                self._caught(block, handler, stack, slots)
            if how == _READ:
                if slots >> bits & LOCAL == OBJECT:
                    stack.append(OBJECT)
                    continue
            elif how == _FIXED:
                if popped == 0:
                    stack += gives
                    continue
                found = stack[-1]
                if popped > 1:
                    for at in range(2, popped + 1):
                        found |= stack[-at]
                if not found & bits:
                    stack[-popped:] = gives
                    continue
            elif how == _CONSTANT:
                kind = constants.get(bits)
                stack.append(self._constant(bits) if kind is None else kind)
                continue
            elif how == _WRITE:
                kind = stack[-1]
                held = slots >> bits & LOCAL
                if held and not kind & _NO_VALUE and not free:
                    if kind != OBJECT:
                        kind = kept(kind)
                    del stack[-1]
                    if borrows and stack:
                        self._changed(stack, effect)
                    slots ^= (held ^ kind) << bits
                    continue
            elif how == _LEND:
                if slots >> bits & LOCAL == OBJECT:
                    stack += gives
                    continue
            elif how == _READ_TWO:
                if slots >> (bits & 0xFFFF) & LOCAL == OBJECT == slots >> (bits >> 16) & LOCAL:
                    stack += gives
                    continue
            elif how != _ASK and _done(how, popped, gives, bits, stack):
                continue
            if forks:
                self._fork(edges, index, stack.copy(), slots)
            slots = self._ask(index, popped, effect, moves, stack, slots)
            if handler is not None and effect.late:
                self._caught(block, handler, stack, slots)
        self._leave(block, handler, stack, slots)

    def _constant(self, at: int) -> int:
        """The kind of a constant that is loaded for the first time."""
        consts = self.domain.code.consts
        kind = kind_of(consts[at], at) if at < len(consts) else OBJECT
        self.domain.constants[at] = kind
        return kind

    def _ask(
        self, index: int, popped: int, effect: Effect, moves: bool, stack: list[int], slots: int
    ) -> int:
        """Let the domain do a step; the locals after it."""
        operands: Sequence[int] = ()
        if popped:
            operands = stack[-popped:]
            if len(operands) < popped:
                raise _GaveUp
            del stack[-popped:]
        if self.borrows and stack and effect.row.access:
            self._changed(stack, effect)
        new, slots = self.domain.values_and_locals(index, effect, operands, slots)
        stack += effect.lay(operands, new) if moves else new
        return slots

    def _changed(self, stack: list[int], effect: Effect) -> None:
        """Give up if an instruction changes a local while a value is borrowed from it."""
        self.work -= len(stack) >> 3
        for kind in stack:
            if kind & kinds.BORROWED:
                changed = changes_of(self.domain.version, effect)
                if changed and (kind >= kinds.UNKNOWN or kinds.parameter(kind) in changed):
                    raise _GaveUp

    def _fork(self, edges: Sequence[Edge], index: int, stack: list[int], slots: int) -> None:
        """The path of a jump that leaves something else than falling through."""
        domain = self.domain
        effect = effect_of(
            domain.version, self.opcodes[index], self.opargs[index], True, domain.renewed
        )
        if effect.pushed > _MOST:
            raise _GaveUp
        slots = self._ask(index, effect.popped, effect, True, stack, slots)
        if len(stack) > self.peak:
            self.peak = len(stack)
        for edge in edges:
            if edge.jumps and edge.kind != "exception":
                self._merge(edge.target, stack, slots)

    def _leave(self, block: Block, handler: Edge | None, stack: list[int], slots: int) -> None:
        """Take the state over the edges out of a block."""
        last = block.stop - 1
        opcode = self.opcodes[last]
        _, _, _, _, _, _, _, forks, effect = self.steps[last]
        if self.leaves[opcode] and len(stack) > effect.pushed:
            raise _GaveUp
        tests = self.tests[opcode]
        for edge in block.edges:
            if edge is handler or (forks and edge.jumps):
                continue
            if not tests:
                self._merge(edge.target, stack, slots)
                continue
            narrowed = self._narrowed(block, stack, (tests == 1) is edge.jumps)
            if narrowed is not None:
                self._merge(edge.target, narrowed, slots)

    def _caught(self, block: Block, handler: Edge, stack: list[int], slots: int) -> None:
        """A state in which an exception is raised goes to the handler."""
        region = block.region
        assert region is not None
        if len(stack) < region.depth:
            raise _GaveUp
        self.work -= region.depth >> 3
        caught = [*stack[: region.depth], *self.domain.caught(self.graph, region)]
        if len(caught) > self.peak:
            self.peak = len(caught)
        self._merge(handler.target, caught, slots)

    def _narrowed(self, block: Block, stack: list[int], none: bool) -> list[int] | None:
        """After `COPY 1` and a test of the copy against None, what is below is known too."""
        at = block.stop - 2
        if not stack or at < block.start:
            return stack
        if not self.copies[self.opcodes[at]] or self.opargs[at] != 1:
            return stack
        left = left_of(stack[-1], none)
        if left is None:
            return None
        return stack if left == stack[-1] else [*stack[:-1], left]

    def _merge(self, target: int, stack: list[int], slots: int) -> None:
        """Join a state into that at the start of a block. The list is not changed any more."""
        old = self.entries[target]
        if old is None:
            self.entries[target], self.locals[target] = stack, slots
            self.waiting[self.rank[target]] = 1
            return
        held = self.locals[target]
        if held | slots != held:
            self.locals[target] = held | slots
            self.waiting[self.rank[target]] = 1
        if old != stack:
            if len(old) != len(stack):
                raise _GaveUp
            both = [
                one if one == two else join(one, two) for one, two in zip(old, stack, strict=True)
            ]
            if both != old:
                self.entries[target] = both
                self.waiting[self.rank[target]] = 1


# Steps


def _done(how: int, popped: int, gives: tuple[int, ...], bits: int, stack: list[int]) -> bool:
    """Do a step of the less common ways; False if the domain has to."""
    if how == _EACH:
        for at in range(1, popped + 1):
            if stack[-at] & gives[-at]:
                return False
        stack[-popped:] = gives[:1]
    elif how == _LOOK:
        if stack[-1] & bits:
            return False
        stack += gives
    elif how == _MOVE:
        for at in range(1, popped + 1):
            if stack[-at] & gives[-at]:
                return False
        operands = stack[-popped:]
        stack[-popped:] = [operands[at] for at in gives[:-popped]]
    elif how == _COPY:
        kind = stack[-popped]
        if kind & bits:
            return False
        stack.append(kind)
    elif how == _HAND:
        for at in range(1, popped + 1):
            if stack[-at] & bits:
                return False
        kind = stack[-1]
        stack[-popped:] = gives
        if kind & kinds.BORROWED:
            stack[-1] |= kinds.BORROWED | kind >> kinds.SHIFT << kinds.SHIFT
    elif how == _COMPARE:
        one, two = stack[-1], stack[-2]
        if (one | two) & bits:
            return False
        ints = one & kinds.ATOMS == kinds.INT == two & kinds.ATOMS
        stack[-2:] = (kinds.BOOL,) if ints else gives
    else:
        raise _GaveUp  # it is unfit
    return True


@lru_cache(maxsize=32)
def _compiled(version: str, trusted: bool) -> dict[int, _Step]:
    """Steps by oparg and opcode; filled by the sweeps."""
    return {}


@lru_cache(maxsize=32)
def _ends(version: str) -> tuple[bytes, bytes, bytes]:
    """By opcode: 1 if it leaves the frame for good; what it tests; 1 if it copies.

    A test is 1 if it jumps on None, 2 if on all else.
    """
    rows = table(version).by_code
    leaves = bytes(row is not None and row.ends == "return" for row in rows)
    tests = bytes(
        0 if row is None else 1 if row.tests == "none" else 2 * (row.tests == "not none")
        for row in rows
    )
    copies = bytes(row is not None and row.makes == "copy" for row in rows)
    return leaves, tests, copies


def _compile(version: str, key: int, domain: Kinds) -> _Step:
    if key < 0:
        raise _GaveUp  # a negative oparg
    effect = effect_of(version, key & 0xFF, key >> 8, False, domain.renewed)
    moves = any(start >= 0 for start, _ in effect.plan)
    forks = effect.row.jump_pushes is not None
    how: int = _ASK
    gives: tuple[int, ...] = ()
    bits = 0
    if max(effect.popped, effect.pushed, effect.fresh) > _MOST:
        how = _UNFIT
    elif not forks:
        how, gives, bits = _quick(version, effect, domain, moves)
    return (
        how,
        effect.popped,
        gives,
        bits,
        effect.raises and not effect.late,
        effect.pushed - effect.popped,
        moves,
        forks,
        effect,
    )


def _quick(
    version: str, effect: Effect, domain: Kinds, moves: bool
) -> tuple[int, tuple[int, ...], int]:
    """How to do a step without asking, what it gives, and its bits."""
    plan, row = plan_of(version, effect), effect.row
    if plan.reads is not None:
        return _READ, (), plan.reads
    if plan.writes is not None and effect.popped == 1 and not effect.pushed:
        return _WRITE, (), plan.writes
    if plan.local and all(access == "read local" for access, _ in plan.local):
        found = _reading(row, [slot for _, slot in plan.local])
        if found is not None:
            return found
    if row.makes == "constant":
        return _CONSTANT, (), effect.oparg
    if effect.late or any(want.test is not None for _, _, want, _ in plan.wants):
        return _ASK, (), 0
    refused = [~want.atoms & kinds.ATOMS for _, count, want, _ in plan.wants for _ in range(count)]
    unconverted = domain.rules.unconverted and plan.new != (kinds.BOOL,)
    if row.makes == "comparison" and not moves and len(refused) == 2 and not unconverted:
        return _COMPARE, (join(kinds.BOOL, plan.new[0]),), refused[0] | refused[1]
    plain = plan.makes is None and plan.name is None and not plan.local and not plan.moved
    if plain and _looks(effect) and len(refused) == 1:
        return _LOOK, plan.new, refused[0]
    if moves:
        return _moving(effect, plan, refused)
    short = domain.fixed(effect)
    if short is None:
        return _ASK, (), 0
    if plan.handed:
        last = ((len(plan.new) - 1, effect.popped - 1),)
        how = _HAND if plan.handed == last else _ASK
        return how, plan.new, short[1] & ~kinds.BORROWED
    if row.makes == "call" and len(plan.new) == 1 and len(refused) == effect.popped:
        special = kinds.UNFINISHED | kinds.FUNCTION
        return _EACH, (*plan.new, *(each | special for each in refused)), 0
    return _FIXED, tuple(short[0]), short[1]


def _reading(row: Opcode, slots: Sequence[int]) -> tuple[int, tuple[int, ...], int] | None:
    """How to read one or two locals that cannot raise."""
    lends = row.name.startswith(BORROWING)
    gives = tuple(
        OBJECT | kinds.BORROWED | slot + 1 << kinds.SHIFT if lends else OBJECT for slot in slots
    )
    places = [slot * kinds.LOCAL_BITS for slot in slots]
    if len(slots) == 2 and not row.raises:
        return _READ_TWO, gives, places[0] | places[1] << 16
    return (_LEND, gives, places[0]) if lends and len(slots) == 1 else None


def _moving(effect: Effect, plan: Plan, refused: list[int]) -> tuple[int, tuple[int, ...], int]:
    """How to do a step that moves values, if that is all it does."""
    if effect.row.makes == "copy":
        return _COPY, (), refused[0] | kinds.EXCEPTIONS | kinds.FUNCTION
    if plan.makes is not None or plan.name is not None or plan.local or plan.handed:
        return _ASK, (), 0
    if len(plan.moved) != len(plan.new):
        return _ASK, (), 0
    order = effect.lay(range(effect.popped), [start for _, start in plan.moved])
    return _MOVE, (*order, *refused), 0


def _looks(effect: Effect) -> bool:
    """True if its one operand stays below what it pushes."""
    return effect.popped == 1 and len(effect.plan) == 2 and effect.plan[0] == (0, 1)
