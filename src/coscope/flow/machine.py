"""The abstract machine: it moves values over the stack; a domain gives them meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Any, Generic, Protocol, TypeVar, overload

from coscope.errors import CodeError, StackError
from coscope.flow.effects import Effect, effect_of
from coscope.flow.graph import Block, Edge, Graph
from coscope.flow.regions import entry_depth
from coscope.model import Region

V = TypeVar("V")

# The stack is a linked list, so that a step costs what it pops and pushes, however deep the stack:
# (what is below, value, depth counting this slot).
Stack = tuple[Any, Any, int]
EMPTY: Stack = (None, None, 0)

# A state is a stack and the domain's locals.
State = tuple[Stack, Any]

_PATIENCE = 3  # visits of a block after which its changing values are widened
_STEPS = 64  # work allowed for each instruction; genuine code needs about 2
_SLACK = 200_000  # work allowed in any case


class Domain(Protocol[V]):
    """What the machine asks of a domain: the meaning of values.

    Values are opaque to the machine: it moves them, and compares them with `==` to see whether a
    block has to be visited again. Locals are opaque too: one object for all of them, never
    changed in place; a domain without locals uses None.
    """

    renewed: frozenset[str]
    """Moved slots for which `values` is asked all the same: a list that LIST_APPEND grows."""

    watches_moves: bool
    """`values` is called also for an instruction that pushes nothing new."""

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[V], Any]:
        """The stack (`depth` values) and the locals when the first instruction runs."""

    def uses_locals(self, effect: Effect) -> bool:
        """True if `values_and_locals` shall be called for the instruction, not `values`."""

    def values(self, index: int, effect: Effect, operands: Sequence[V]) -> Sequence[V]:
        """The new slots of `effect`, deepest first.

        Called on each visit, and once more for the path of a jump that leaves something else.

        Args:
            index: Of the instruction.
            effect: Its effect on this path.
            operands: The popped values, deepest first.
        """

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[V], slots: Any
    ) -> tuple[Sequence[V], Any]:
        """The same for an instruction that uses locals, and the locals after it."""

    def caught(self, graph: Graph, region: Region) -> Sequence[V]:
        """What the interpreter pushes before a region's handler runs."""

    def join(self, block: int, edges: Sequence[Edge | None], values: Sequence[V]) -> V:
        """One value for what arrives in a slot over several edges; None is the entry."""

    def join_locals(self, block: int, left: Any, right: Any) -> Any:
        """The locals at a block that is reached with either."""

    def widen(self, block: int, old: V, new: V) -> V:
        """The same as `join`, after some visits: a chain of results must soon come to rest."""

    def fault(self, error: StackError) -> None:
        """Called where the stack is wrong: raise, or note it and so give up this path."""


class Frame(Sequence[V]):
    """The state before one instruction; as a sequence, the stack, deepest value first."""

    __slots__ = ("_stack", "locals")

    def __init__(self, stack: Stack, slots: Any) -> None:
        self._stack = stack
        self.locals = slots  # as the domain made them

    @property
    def stack(self) -> tuple[V, ...]:
        """Deepest first."""
        return tuple(_unlinked(self._stack, self._stack[2]))

    def top(self, count: int) -> tuple[V, ...]:
        """The `count` uppermost values or as many as there are, deepest first."""
        return tuple(_unlinked(self._stack, min(count, self._stack[2])))

    def __len__(self) -> int:
        return self._stack[2]

    @overload
    def __getitem__(self, index: int, /) -> V: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[V, ...]: ...
    def __getitem__(self, index: int | slice, /) -> V | tuple[V, ...]:
        return self.stack[index]

    def __iter__(self) -> Iterator[V]:
        return iter(self.stack)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Frame):
            return self.stack == other.stack and bool(self.locals == other.locals)
        return self.stack == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.stack)

    def __repr__(self) -> str:
        return f"<Frame {list(self.stack)!r}>"


class Frames(Sequence["Frame[V] | None"], Generic[V]):
    """The frames of one code object, by instruction index; None where nothing leads."""

    __slots__ = ("_locals", "_stacks")

    def __init__(self, stacks: list[Stack | None], slots: list[Any]) -> None:
        self._stacks = stacks
        self._locals = slots

    def __len__(self) -> int:
        return len(self._stacks)

    @overload
    def __getitem__(self, index: int, /) -> Frame[V] | None: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Frame[V] | None]: ...
    def __getitem__(self, index: int | slice, /) -> Frame[V] | None | list[Frame[V] | None]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        stack = self._stacks[index]
        return None if stack is None else Frame(stack, self._locals[index])

    @property
    def depths(self) -> list[int | None]:
        """Depth before each instruction."""
        return [None if stack is None else stack[2] for stack in self._stacks]


def run(graph: Graph, domain: Domain[V]) -> Frames[V]:
    """Interpret the code abstractly: the state before each instruction.

    Blocks are visited in reverse postorder until nothing changes any more. After three visits
    a block's changing values are widened.

    Returns:
        One entry for each instruction: a frame, or None if and only if no path leads there (or
        the domain gave up every path to it).

    Raises:
        StackError: The stack underflows, paths that meet disagree about its depth, or a handler
            expects more values than are there; unless `domain.fault` returns.
        CodeError: The code moves out of all proportion more slots than it has instructions.
    """
    machine = _Machine(graph, domain)
    machine.run()
    return Frames(machine.stacks, machine.locals)


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
        self.steps: dict[int, tuple[Effect, bool, bool]] = {}
        self.states: dict[Edge, State] = {}  # what last went over each edge
        self.entries: list[State | None] = [None] * len(graph.blocks)
        self.visits = [0] * len(graph.blocks)
        self.work = _STEPS * size + _SLACK
        self.rank = {block: rank for rank, block in enumerate(graph.order)}
        self.waiting: list[int] = []  # heap of ranks
        self.start: State = (EMPTY, None)
        self.handlers: dict[tuple[int, int, bool], tuple[Stack, Stack]] = {}

    def run(self) -> None:
        depth = entry_depth(self.graph.code)
        values, slots = self.domain.enter(self.graph, depth)
        self.start = (_linked(EMPTY, values), slots)
        order = self.graph.order
        queued = {0}
        heappush(self.waiting, 0)
        while self.waiting:
            number = order[heappop(self.waiting)]
            queued.discard(number)
            state = self._arrive(number)
            if state is None:
                continue
            for edge, leaving in self._visit(self.graph.blocks[number], state):
                before = self.states.get(edge)
                if before is not None and before[0] is leaving[0] and before[1] is leaving[1]:
                    continue
                self.states[edge] = leaving
                if edge.target not in queued:
                    queued.add(edge.target)
                    heappush(self.waiting, self.rank[edge.target])

    # Arriving at a block

    def _arrive(self, number: int) -> State | None:
        """The state at the start of a block; None if it is the same as at the last visit."""
        edges: list[Edge | None] = []
        states: list[State] = []
        if number == 0:
            edges.append(None)
            states.append(self.start)
        for edge in self.graph.arrivals[number]:
            state = self.states.get(edge)
            if state is not None:
                edges.append(edge)
                states.append(state)
        self.visits[number] += 1
        state = states[0]
        if len(states) > 1:
            state = self._join(number, edges, states)
        old = self.entries[number]
        if old is not None:
            stack = self._settle(number, old[0], state[0])
            same = state[1] is old[1] or state[1] == old[1]
            if stack is old[0] and same:
                return None
            state = (stack, old[1] if same else state[1])
        self.entries[number] = state
        return state

    def _join(self, number: int, edges: Sequence[Edge | None], states: Sequence[State]) -> State:
        depth = states[0][0][2]
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
            self.work -= len(stacks)
            stacks = [stack[0] for stack in stacks]
            first = stacks[0]
        self._check_work(self.graph.blocks[number].start)
        return _linked(first, joined[::-1])

    def _settle(self, number: int, old: Stack, new: Stack) -> Stack:
        """The old stack if nothing changed; else the new one, widened if that happens often."""
        changed = False
        values = []
        below_old, below_new = old, new
        while below_old is not below_new:
            before, value = below_old[1], below_new[1]
            if before is not value and before != value:
                if self.visits[number] > _PATIENCE:
                    value = self.domain.widen(number, before, value)
                if value == before:
                    value = before
                else:
                    changed = True
            else:
                value = before
            values.append(value)
            below_old, below_new = below_old[0], below_new[0]
        self.work -= len(values)
        return _linked(below_new, values[::-1]) if changed else old

    def _disagree(self, number: int, states: Sequence[State]) -> None:
        depths = sorted({state[0][2] for state in states})
        self.domain.fault(
            self.error(
                self.graph.blocks[number].start,
                "paths that meet disagree about the depth of the stack",
                f"{states[0][0][2]} slots on every path",
                f"{', '.join(map(str, depths))} slots",
            )
        )

    # Going through a block

    def _visit(self, block: Block, state: State) -> list[tuple[Edge, State]]:
        """Run a block; what leaves it over which edge."""
        stack, slots = state
        opcodes, opargs = self.instructions.opcodes, self.instructions.opargs
        stacks, kept_locals, steps = self.stacks, self.locals, self.steps
        values, lay = self.domain.values, Effect.lay
        handler = self._handler(block)
        self.work -= block.stop - block.start
        if self.work < 0:
            self._check_work(block.start)
        before = stack
        for index in range(block.start, block.stop):
            stacks[index] = before = stack
            kept_locals[index] = slots
            key = opargs[index] << 8 | opcodes[index]
            effect, asks, local = steps.get(key) or self._step(key)
            count = effect.popped
            if count > stack[2]:
                self._underflow(index, effect, stack)
                return handler.leaving() if handler else []
            if handler is not None:
                handler.before(index, effect, stack, slots)
            if count < 3:
                operands: Sequence[Any]
                if count == 0:
                    operands = ()
                elif count == 1:
                    operands = (stack[1],)
                    stack = stack[0]
                else:
                    operands = (stack[0][1], stack[1])
                    stack = stack[0][0]
            else:
                operands, stack = self._pop(index, effect, stack)
            if local:
                new, slots = self.domain.values_and_locals(index, effect, operands, slots)
            else:
                new = values(index, effect, operands) if asks else ()
            if effect.popped and effect.pushed:
                new = lay(effect, operands, new)
            for value in new:
                stack = (stack, value, stack[2] + 1)
        return self._leave(block, handler, before, (stack, slots))

    def _handler(self, block: Block) -> _Handler | None:
        edge = block.edges[-1] if block.edges else None
        return _Handler(self, block, edge) if edge and edge.kind == "exception" else None

    def _step(self, key: int) -> tuple[Effect, bool, bool]:
        """The compiled step: the effect, and which method of the domain it needs."""
        domain = self.domain
        effect = effect_of(self.version, key & 0xFF, key >> 8, False, domain.renewed)
        asks = bool(effect.new) or domain.watches_moves
        step = effect, asks, domain.uses_locals(effect)
        self.steps[key] = step
        return step

    def _pop(self, index: int, effect: Effect, stack: Stack) -> tuple[list[Any], Stack]:
        self.work -= effect.popped
        self._check_work(index)
        operands = []
        for _ in range(effect.popped):
            operands.append(stack[1])
            stack = stack[0]
        operands.reverse()
        return operands, stack

    def _leave(
        self, block: Block, handler: _Handler | None, before: Stack, after: State
    ) -> list[tuple[Edge, State]]:
        """The states on the edges out of a block."""
        leaving = [] if handler is None else handler.leaving()
        index = block.stop - 1
        for edge in block.edges:
            if edge.kind == "exception":
                continue
            leaving.append(
                (edge, self._on_jump(edge, index, before, after) if edge.jumps else after)
            )
        return leaving

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
        operands, stack = self._pop(index, effect, before)
        slots = self.locals[index]
        if self.domain.uses_locals(effect):
            new, slots = self.domain.values_and_locals(index, effect, operands, slots)
        else:
            new = self.domain.values(index, effect, operands)
        return _linked(stack, effect.lay(operands, new)), slots

    def _in_finally(self, edge: Edge, stack: Stack) -> Stack:
        """The stack in a finally block of 3.8 that is called: laid as for its exception.

        Such a block is entered with one slot or with six, above what it never touches. The
        compiler counts six, so do we; the CALL_FINALLY's own next edge is the return.
        """
        start = self.graph.blocks[edge.target].start
        offset = self.instructions.offsets[start]
        for region in self.graph.regions:
            if region.target == offset and region.depth <= stack[2]:
                return self.caught(region, ascend(stack, region.depth))
        return stack

    def caught(self, region: Region, stack: Stack) -> Stack:
        """The stack when the region's handler starts; one object for one stack below."""
        key = id(stack), region.target, region.keeps_lasti
        found = self.handlers.get(key)
        if found is None or found[0] is not stack:
            found = stack, _linked(stack, self.domain.caught(self.graph, region))
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

    def _check_work(self, index: int) -> None:
        if self.work < 0:
            raise CodeError(
                "following the code takes out of all proportion more steps than it has",
                code=self.graph.code.qualname,
                offset=self.instructions.offsets[index],
                expected=f"at most {_STEPS} for each of {len(self.instructions)} instructions",
            )

    def error(self, index: int, what: str, expected: str, found: str) -> StackError:
        """A StackError at an instruction."""
        return StackError(
            what,
            code=self.graph.code.qualname,
            offset=self.instructions.offsets[index],
            line=self.instructions.positions[index].lineno,
            expected=expected,
            found=found,
        )


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
        if effect.raises and self._enough(index, effect, depth):
            if self.base is None:
                self.base = ascend(stack, self.depth)
            if self.stack is None:
                self.stack, self.slots = self.base, slots
            elif self.base is not self.stack or slots is not self.slots:
                self._join(slots)
        if depth - effect.popped < self.depth:
            self.base = None  # it takes away values below

    def _enough(self, index: int, effect: Effect, depth: int) -> bool:
        left = depth - effect.popped + effect.at_error
        if left >= self.depth:
            return True
        machine = self.machine
        machine.domain.fault(
            machine.error(
                index,
                f"the handler expects more values than {effect.row.name} leaves when it raises",
                f"at least {self.depth} slots",
                f"{left}",
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


def ascend(stack: Stack, depth: int) -> Stack:
    """The part of a stack that has this depth."""
    while stack[2] > depth:
        stack = stack[0]
    return stack


def _linked(stack: Stack, values: Sequence[Any]) -> Stack:
    """Push values, deepest first."""
    for value in values:
        stack = (stack, value, stack[2] + 1)
    return stack


def _unlinked(stack: Stack, count: int) -> list[Any]:
    """The `count` uppermost values, deepest first."""
    values = []
    for _ in range(count):
        values.append(stack[1])
        stack = stack[0]
    values.reverse()
    return values
