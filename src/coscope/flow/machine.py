"""The abstract machine: it moves values over the stack; a domain gives them meaning."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any, Generic, TypeVar

from coscope.errors import CodeError, StackError
from coscope.flow.domain import Domain
from coscope.flow.effects import Effect, effect_of
from coscope.flow.frames import EMPTY, Frames, Stack, ascend, dropped, linked, popped_off
from coscope.flow.graph import Block, Edge, Graph, line_of
from coscope.flow.regions import entry_depth
from coscope.model import Region

V = TypeVar("V")

# A state is a stack and the domain's locals.
State = tuple[Stack, Any]

# Slots popped, cost if it is not small, effect, the domain is asked for values, values are moved,
# locals are used, the domain's shortcut: new values and refused bits.
Step = tuple[int, int, Effect, bool, bool, bool, Sequence[Any] | None, int]

_SMALL = 8  # slots that a step may move without being counted
_STEPS_KEPT = 16_384  # compiled steps of one version and domain
_PATIENCE = 3  # changes of a slot at a block's start, after which it is widened
_WORK = 64  # work allowed for each instruction; genuine code needs about 2
_SLACK = 600_000  # work allowed in any case: comprehensions nested 19 deep need 300,000


def run(graph: Graph, domain: Domain[V]) -> Frames[V]:
    """Interpret the code abstractly: the state before each instruction.

    Blocks are visited in reverse postorder until nothing changes any more. A slot
    that changes more than three times at the start of a block is widened.

    Returns:
        One entry for each instruction: a frame, or None if and only if no path leads there (or
        the domain gave up every path to it).

    Raises:
        StackError: The stack underflows, paths that meet disagree about its depth, or a handler
            expects more values than are there; unless `domain.fault` returns.
        CodeError: An oparg is negative, as four prefixes can make it; or following the code takes
            out of all proportion more steps than it has instructions.
    """
    machine = _Machine(graph, domain)
    machine.run()
    return Frames(machine.stacks, machine.locals, machine.peak)


@lru_cache(maxsize=64)
def _compiled(version: str, domain: type) -> dict[int, Step]:
    """Compiled steps of a version for a domain, by oparg and opcode; filled by the runs."""
    return {}


class _Machine(Generic[V]):
    """One run."""

    def __init__(self, graph: Graph, domain: Domain[V]) -> None:
        code = graph.code
        self.graph = graph
        self.domain = domain
        self.version = code.version
        self.instructions = code.instructions
        size = len(code.instructions)
        self.stacks: list[Stack | None] = [None] * size
        self.locals: list[Any] = [None] * size
        self.steps = _compiled(code.version, type(domain))
        self.states: dict[int, State] = {}  # what last went over each edge, by its id()
        self.entries: list[State | None] = [None] * len(graph.blocks)
        self.changes: dict[tuple[int, int], int] = {}  # of a block's slot, by depth
        self.peak = 0  # slots, the most that was on the stack behind a block
        self.work = _WORK * size + _SLACK
        self.rank = {block: rank for rank, block in enumerate(graph.order)}
        self.start: State = (EMPTY, None)
        self.handlers: dict[tuple[int, int, bool], tuple[Stack, Stack]] = {}
        self.finals: dict[int, Region] = {}  # to 3.8: by handler, filled when first needed

    def run(self) -> None:
        depth = entry_depth(self.graph.code)
        values, slots = self.domain.enter(self.graph, depth)
        self.start = (linked(EMPTY, values), slots)
        ends = self._ends()
        waiting = [(0, 0, 0)]  # when to visit it, then inner loops first; the block
        queued = {0: waiting[0]}
        while waiting:
            turn = heappop(waiting)
            number = turn[2]
            if queued.get(number) != turn:
                continue  # it had an earlier turn
            del queued[number]
            state = self._arrive(number)
            if state is None:
                continue
            rank = self.rank[number]
            for edge, leaving in self._visit(self.graph.blocks[number], state):
                before = self.states.get(id(edge))
                if before is not None and before[0] is leaving[0] and before[1] is leaving[1]:
                    continue
                self.states[id(edge)] = leaving
                target = edge.target
                ahead = self.rank[target]
                if ahead > rank:
                    turn = 2 * ahead, 0, target
                else:
                    turn = 2 * ends[target] + 1, -ahead, target
                if target not in queued or turn < queued[target]:
                    queued[target] = turn
                    heappush(waiting, turn)

    def _ends(self) -> dict[int, int]:
        """For each block to which control goes back, the last rank from which it does.

        It is visited again when those up to there have been: to go back at once would join all
        that arrives there for each that does. And before those behind, so that an inner loop
        comes to rest before an outer one goes on.
        """
        ends: dict[int, int] = {}
        for number, rank in self.rank.items():
            for edge in self.graph.blocks[number].edges:
                if self.rank[edge.target] <= rank:
                    ends[edge.target] = rank  # ranks ascend
        return ends

    # Arriving at a block

    def _arrive(self, number: int) -> State | None:
        """The state at the start of a block; None if it is the same as at the last visit."""
        edges: list[Edge | None] = []
        states: list[State] = []
        if number == 0:
            edges.append(None)
            states.append(self.start)
        for edge in self.graph.arrivals[number]:
            state = self.states.get(id(edge))
            if state is not None:
                edges.append(edge)
                states.append(state)
        state = states[0]
        old = self.entries[number]
        if len(states) > 1:
            # An edge that came later may come first in order: the depth stays what it was.
            depth = (state if old is None else old)[0][2]
            state = self._join(number, edges, states, depth)
        if old is not None:
            if state[0][2] != old[0][2]:  # a path of another depth came first this time
                self._disagree(number, [old, *states])
                return None
            stack = self._settle(number, old[0], state[0])
            same = state[1] is old[1] or state[1] == old[1]
            if stack is old[0] and same:
                return None
            state = (stack, old[1] if same else state[1])
        self.entries[number] = state
        return state

    def _join(
        self, number: int, edges: Sequence[Edge | None], states: Sequence[State], depth: int
    ) -> State:
        same = [n for n, state in enumerate(states) if state[0][2] == depth]
        if len(same) < len(states):
            self._disagree(number, states)
            edges = [edges[n] for n in same]
            states = [states[n] for n in same]
        slots = states[0][1]
        for state in states[1:]:
            if state[1] is not slots:
                slots = self.domain.join_locals(number, slots, state[1])
        return self.join_stacks(number, edges, [state[0] for state in states]), slots

    def join_stacks(self, number: int, edges: Sequence[Edge | None], stacks: list[Stack]) -> Stack:
        joined = []
        first = stacks[0]
        while any(stack is not first for stack in stacks):
            values = [stack[1] for stack in stacks]
            value = values[0]
            if any(other is not value and other != value for other in values):
                value = self.domain.join(number, edges, values)
            joined.append(value)
            stacks = [stack[0] for stack in stacks]
            first = stacks[0]
        self._spend(len(joined) * len(stacks), self.graph.blocks[number].start)
        return linked(first, joined[::-1])

    def _settle(self, number: int, old: Stack, new: Stack) -> Stack:
        """The old stack if nothing changed; else the new one, slots widened that change often."""
        changed = False
        values = []
        below_old, below_new = old, new
        while below_old is not below_new:
            before, value = below_old[1], below_new[1]
            if before is not value and before != value:
                slot = number, below_new[2]
                changes = self.changes[slot] = self.changes.get(slot, 0) + 1
                if changes > _PATIENCE:
                    value = self.domain.widen(number, before, value)
                if value == before:
                    value = before
                else:
                    changed = True
            else:
                value = before
            values.append(value)
            below_old, below_new = below_old[0], below_new[0]
        self._spend(len(values), self.graph.blocks[number].start)
        return linked(below_new, values[::-1]) if changed else old

    def _disagree(self, number: int, states: Sequence[State]) -> None:
        depths = sorted({state[0][2] for state in states})
        self.domain.fault(
            self.error(
                self.graph.blocks[number].start,
                "paths that meet disagree about the depth of the stack",
                f"{states[0][0][2]} slots on every path",
                f"{', '.join(map(str, depths))} slots",
                reason="disagreement",
            )
        )

    # Going through a block

    def _visit(self, block: Block, state: State) -> list[tuple[Edge, State]]:
        """Run a block; what leaves it over which edge."""
        stack, slots = state
        opcodes, opargs = self.instructions.opcodes, self.instructions.opargs
        stacks, kept_locals, steps = self.stacks, self.locals, self.steps
        values = self.domain.values
        handler = self._handler(block)
        self._spend(block.stop - block.start, block.start)
        before = stack
        for index in range(block.start, block.stop):
            stacks[index] = before = stack
            kept_locals[index] = slots
            key = opargs[index] << 8 | opcodes[index]
            popped, cost, effect, asks, moves, local, fixed, refused = steps.get(key) or self._step(
                key, index
            )
            if popped > stack[2]:
                self._underflow(index, effect, stack)
                return handler.leaving() if handler else []
            if cost:
                self._spend(cost, index)
            if handler is not None:
                handler.before(index, effect, stack, slots)
            if fixed is not None:
                rest, bits = dropped(stack, popped)
                if not bits & refused:
                    stack = rest
                    for value in fixed:
                        stack = (stack, value, stack[2] + 1)
                    continue
            if popped == 0:
                operands: Sequence[Any] = ()
            elif popped == 1:
                operands = (stack[1],)
                stack = stack[0]
            elif popped == 2:
                operands = (stack[0][1], stack[1])
                stack = stack[0][0]
            else:
                operands, stack = popped_off(stack, popped)
            new: Sequence[Any] = ()
            if local:
                new, slots = self.domain.values_and_locals(index, effect, operands, slots)
            elif asks:
                new = values(index, effect, operands)
            if moves:
                new = effect.lay(operands, new)
            for value in new:
                stack = (stack, value, stack[2] + 1)
            if effect.late and handler is not None:
                handler.after(index, effect, stack, slots)
        if stack[2] > self.peak:
            self.peak = stack[2]
        return self._leave(block, handler, before, (stack, slots))

    def _handler(self, block: Block) -> _Handler | None:
        edge = block.edges[-1] if block.edges else None
        return _Handler(self, block, edge) if edge and edge.kind == "exception" else None

    def _step(self, key: int, index: int) -> Step:
        """Compile what the loop needs to know of an opcode with an oparg."""
        domain = self.domain
        if key < 0:
            raise CodeError(
                "the oparg is negative",
                code=self.graph.code.qualname,
                offset=self.instructions.offsets[index],
                line=line_of(self.instructions, index),
                expected="at most 2147483647",
                found=(key >> 8) + (1 << 32),
            )
        effect = effect_of(self.version, key & 0xFF, key >> 8, False, domain.renewed)
        asks = bool(effect.new) or domain.watches_moves
        moves = any(start >= 0 for start, _ in effect.plan)
        cost = effect.popped + effect.pushed
        cost = cost if cost > _SMALL else 0
        short = None if moves or cost or effect.late else domain.shortcut(effect)
        fixed, refused = (None, 0) if short is None else short
        local = domain.uses_locals(effect)
        step = effect.popped, cost, effect, asks, moves, local, fixed, refused
        if len(self.steps) >= _STEPS_KEPT:
            self.steps.clear()
        self.steps[key] = step
        return step

    def _leave(
        self, block: Block, handler: _Handler | None, before: Stack, after: State
    ) -> list[tuple[Edge, State]]:
        """The states on the edges out of a block."""
        leaving = [] if handler is None else handler.leaving()
        index = block.stop - 1
        tests = self._tests_none(index) if self.domain.narrows else None
        for edge in block.edges:
            if edge.kind == "exception":
                continue
            state = self._on_jump(edge, index, before, after) if edge.jumps else after
            if state[0][2] > self.peak:
                self.peak = state[0][2]
            if tests is not None:
                narrowed = self.domain.narrow(index, state[0], (tests == "none") is edge.jumps)
                if narrowed is None:
                    continue
                state = narrowed, state[1]
            leaving.append((edge, state))
        return leaving

    def _tests_none(self, index: int) -> str | None:
        row = self.graph.table.by_code[self.instructions.opcodes[index]]
        return row.tests if row is not None and row.tests in ("none", "not none") else None

    def _on_jump(self, edge: Edge, index: int, before: Stack, after: State) -> State:
        """The state on the path of the jump, where it differs from falling through."""
        opcode = self.instructions.opcodes[index]
        oparg = self.instructions.opargs[index]
        effect = effect_of(self.version, opcode, oparg, True, self.domain.renewed)
        row = effect.row
        if row.blocks == "call finally":
            return self._in_finally(edge, before), after[1]
        if row.jump_pushes is None:
            return after
        self._spend(effect.popped + effect.pushed, index)
        operands, stack = popped_off(before, effect.popped)
        slots = self.locals[index]
        if self.domain.uses_locals(effect):
            new, slots = self.domain.values_and_locals(index, effect, operands, slots)
        else:
            new = self.domain.values(index, effect, operands)
        return linked(stack, effect.lay(operands, new)), slots

    def _in_finally(self, edge: Edge, stack: Stack) -> Stack:
        """The stack in a finally block of 3.8 that is called: laid as for its exception.

        Such a block is entered with one slot or with six, above what it never touches, and after
        POP_EXCEPT that is three slots less. The compiler counts what an exception leaves, and so
        do we; the next edge of CALL_FINALLY represents the return.
        """
        if not self.finals:
            self.finals.update((region.target, region) for region in self.graph.regions)
        region = self.finals.get(self.instructions.offsets[self.graph.blocks[edge.target].start])
        if region is None:
            return stack
        missing = region.depth - stack[2]
        if missing > 0:
            values = self.domain.caught(self.graph, region)
            self._spend(missing, self.graph.blocks[edge.source].start)
            stack = linked(stack, [values[n % len(values)] for n in range(missing)])
        return self.caught(region, ascend(stack, region.depth))

    def caught(self, region: Region, stack: Stack) -> Stack:
        """The stack when the region's handler starts; one object for one stack below."""
        key = id(stack), region.target, region.keeps_lasti
        found = self.handlers.get(key)
        if found is None or found[0] is not stack:
            found = stack, linked(stack, self.domain.caught(self.graph, region))
            self.handlers[key] = found
        return found[1]

    # Faults

    def _underflow(self, index: int, effect: Effect, stack: Stack) -> None:
        self.domain.fault(
            self.error(
                index,
                f"{effect.row.name} takes more values than the stack holds",
                f"at least {effect.popped} slots",
                f"{stack[2]}",
            )
        )

    def _spend(self, cost: int, index: int) -> None:
        """Count work, so that hostile code cannot make it more than linear."""
        self.work -= cost
        if self.work < 0:
            raise CodeError(
                "following the code takes out of all proportion more steps than it has",
                code=self.graph.code.qualname,
                offset=self.instructions.offsets[index],
                line=line_of(self.instructions, index),
                expected=f"at most {_WORK} for each of {len(self.instructions)} instructions",
            )

    def error(
        self, index: int, what: str, expected: str, found: str, reason: str = "underflow"
    ) -> StackError:
        """A StackError at an instruction."""
        error = StackError(
            what,
            code=self.graph.code.qualname,
            offset=self.instructions.offsets[index],
            line=line_of(self.instructions, index),
            expected=expected,
            found=found,
        )
        error.reason = reason
        return error


class _Handler:
    """What goes over the exception edge of one block: the states in which it may raise, joined."""

    __slots__ = ("base", "depth", "edge", "machine", "slots", "stack")

    def __init__(self, machine: _Machine[Any], block: Block, edge: Edge) -> None:
        assert block.region is not None
        self.machine = machine
        self.edge = edge
        self.depth = block.region.depth
        self.base: Stack | None = None  # the current stack, cut to the region's depth
        self.stack: Stack | None = None  # joined over the instructions seen
        self.slots: Any = None

    def before(self, index: int, effect: Effect, stack: Stack, slots: Any) -> None:
        """Note the state before an instruction."""
        depth = stack[2]
        if effect.raises and not effect.late:
            left = depth - effect.popped + effect.at_error
            if left >= self.depth or self._lacks(index, effect, left):
                self._note(stack, slots)
        if depth - effect.popped < self.depth:
            self.base = None  # it takes away values below

    def after(self, index: int, effect: Effect, stack: Stack, slots: Any) -> None:
        """Note the state after an instruction in which `throw()` raises."""
        self.base = None
        if stack[2] >= self.depth or self._lacks(index, effect, stack[2]):
            self._note(stack, slots)

    def _note(self, stack: Stack, slots: Any) -> None:
        if self.base is None:
            self.base = ascend(stack, self.depth)
        if self.stack is None:
            self.stack, self.slots = self.base, slots
        elif self.base is not self.stack or slots is not self.slots:
            self._join(slots)

    def _lacks(self, index: int, effect: Effect, left: int) -> bool:
        """Say that the handler wants more than is left; False, so that the path is given up."""
        machine = self.machine
        machine.domain.fault(
            machine.error(
                index,
                f"the handler expects more values than {effect.row.name} leaves when it raises",
                f"at least {self.depth} slots",
                f"{left}",
                reason="handler",
            )
        )
        return False

    def _join(self, slots: Any) -> None:
        """Join another state in."""
        machine, target, base, stack = self.machine, self.edge.target, self.base, self.stack
        assert base is not None
        assert stack is not None
        if slots is not self.slots:
            self.slots = machine.domain.join_locals(target, self.slots, slots)
        self.stack = machine.join_stacks(target, [self.edge, self.edge], [stack, base])

    def leaving(self) -> list[tuple[Edge, State]]:
        """The state on the exception edge, if any instruction raises."""
        if self.stack is None:
            return []
        machine = self.machine
        region = machine.graph.blocks[self.edge.source].region
        assert region is not None
        return [(self.edge, (machine.caught(region, self.stack), self.slots))]
