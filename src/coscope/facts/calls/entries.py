"""What a run leaves behind: entries in order, the iterations of loops folded while it runs."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType, FrameType

from coscope.errors import CoscopeError
from coscope.flow import find_loops, run
from coscope.flow.domains.conditions import graph
from coscope.flow.domains.expression import Expression
from coscope.flow.loops import Loop
from coscope.model import Code
from coscope.readers.frames import frame_locals
from coscope.readers.from_function import from_code_object
from coscope.readers.values import text_of, type_name_of

ENTRY_KINDS = (
    "enter",  # a frame of traced code starts
    "instruction",  # about to be executed: locals and stack are those before it
    "fold",  # iterations, or rounds of a generator, whose path was shown already
    "suspend",  # a generator yields, a coroutine waits: `text` is the value that comes out
    "resume",  # it goes on
    "throw",  # it goes on with an exception
    "raise",  # the instruction before raised
    "return",  # the frame ends: `text` is the value
    "unwind",  # the frame ends by an exception
)

LOOKED_AT = 100  # instructions that are executed under watch at most, for each entry kept
_VALUE_WIDTH = 60  # characters of a local's text


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a trace."""

    kind: str  # see ENTRY_KINDS
    frame: int  # which frame of traced code: 1 is the first that started
    depth: int  # frames of traced code below it that have not ended
    code: str  # qualified name
    offset: int | None = None  # bytes in co_code
    line: int | None = None
    opname: str = ""
    argrepr: str = ""
    locals: tuple[tuple[str, str], ...] = ()  # name and shown value, before the instruction
    stack: tuple[str, ...] | None = None  # symbolic, deepest first; None: not known
    text: str = ""
    count: int = 0  # of a fold: iterations left out


class Watched:
    """One code object whose frames are recorded, with what flow knows of it."""

    def __init__(self, live: CodeType) -> None:
        self.live = live
        self.code: Code = from_code_object(live)
        columns = self.code.instructions
        self.index = {offset: at for at, offset in enumerate(columns.offsets)}

    @cached_property
    def chains(self) -> list[tuple[Loop, ...]]:
        """By instruction index: the loops around it, outermost first."""
        try:
            built = graph(self.code)
            found = find_loops(built)
        except CoscopeError:
            return [()] * len(self.code.instructions)
        around = [
            tuple(loop for loop in found if block.index in loop.blocks) for block in built.blocks
        ]
        return [
            around[block.index] for block in built.blocks for _ in range(block.start, block.stop)
        ]

    @cached_property
    def header_starts(self) -> dict[int, tuple[int, int]]:
        """By header block: its first instruction and the one after its last."""
        built = graph(self.code)
        return {block.index: (block.start, block.stop) for block in built.blocks}

    @cached_property
    def stacks(self) -> list[tuple[str, ...] | None]:
        """The symbolic stack before each instruction."""
        try:
            frames = run(graph(self.code), Expression())
        except CoscopeError:
            return [None] * len(self.code.instructions)
        return [None if frame is None else tuple(map(str, frame)) for frame in frames]


@dataclass(slots=True)
class _Sequence:
    """Entries, and the path that the run took to make them."""

    entries: list[Entry] = field(default_factory=list)
    way: list[Hashable] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A loop that the run is in."""

    loop: Loop | None  # None: the rounds in which a generator is driven
    sequence: _Sequence = field(default_factory=_Sequence)  # of the iteration at hand
    ways: set[Hashable] = field(default_factory=set)  # those that are shown
    folded: int = 0  # iterations since the last shown one
    held: list[Entry] = field(default_factory=list)  # the last of them


class _Activation:
    """One frame of watched code, from where it started or went on."""

    def __init__(self, number: int, depth: int, watched: Watched, frame: FrameType) -> None:
        self.number = number
        self.depth = depth
        self.watched = watched
        self.frame = frame  # kept, so that its id() stays its own
        self.root = _Sequence()
        self.opened: list[_Open] = []
        self.index = -1  # of the last instruction

    @property
    def sequence(self) -> _Sequence:
        return self.opened[-1].sequence if self.opened else self.root


class Stopped(BaseException):
    """Raised inside the traced code when the bound is reached."""


class Recorder:
    """Takes the events of a run and keeps its entries."""

    def __init__(self, codes: list[CodeType], steps: int) -> None:
        self.watched = {id(code): Watched(code) for code in codes}
        self.steps = steps
        self.executed = 0  # instructions of watched code
        self.full = False
        self._kept = 0
        self._frames: dict[int, _Activation] = {}
        self._numbers = 0
        self._stack: list[_Activation] = []
        self._rounds = _Open(None)
        self._done = _Sequence()

    # What the watchers report

    def start(self, frame: FrameType) -> None:
        """A frame starts."""
        self._numbers += 1
        watched = self.watched[id(frame.f_code)]
        activation = _Activation(self._numbers, len(self._stack), watched, frame)
        self._frames[id(frame)] = activation
        self._stack.append(activation)
        self._leaf(activation, "enter", line=frame.f_code.co_firstlineno)

    def resume(self, frame: FrameType, error: BaseException | None = None) -> None:
        """A suspended frame goes on, or is made to by an exception."""
        activation = self._frames.get(id(frame))
        if activation is None:  # it was started before the watch began
            self.start(frame)
            return
        if activation in self._stack:
            return
        activation.depth = len(self._stack)
        activation.index = -1
        activation.root, activation.opened = _Sequence(), []
        self._stack.append(activation)
        text = "" if error is None else exception_text(error)
        self._leaf(activation, "resume" if error is None else "throw", text=text)

    def step(self, frame: FrameType, offset: int) -> None:
        """An instruction is about to be executed.

        Raises:
            Stopped: The bound is reached. The run is to end.
        """
        self.executed += 1
        if self._kept >= self.steps or self.executed > LOOKED_AT * self.steps:
            self.full = True
            raise Stopped
        activation = self._current(frame)
        watched = activation.watched
        index = watched.index.get(offset)
        if index is None:
            return
        self._move(activation, index)
        code = watched.code
        entry = Entry(
            kind="instruction",
            frame=activation.number,
            depth=activation.depth,
            code=code.qualname,
            offset=offset,
            line=code.instructions.positions[index].lineno,
            opname=code.instructions.opname(index),
            argrepr=code.instructions.argrepr(index),
            locals=locals_of(frame),
            stack=watched.stacks[index],
        )
        self._keep(activation, entry, index)

    def suspend(self, frame: FrameType, value: object) -> None:
        """A frame yields a value and waits."""
        activation = self._current(frame)
        self._leaf(activation, "suspend", text=text_of(value))
        self._leave(activation)

    def finish(self, frame: FrameType, value: object) -> None:
        """A frame returns."""
        activation = self._current(frame)
        self._leaf(activation, "return", text=text_of(value))
        self._leave(activation)
        self._frames.pop(id(frame), None)

    def raised(self, frame: FrameType, offset: int, error: BaseException) -> None:
        """An instruction raised.

        Args:
            frame: Where.
            offset: As the event has it, which may be inside the instruction. Used only if the
                frame has executed none since it went on.
            error: What.
        """
        if self.ends_iteration(frame, error):
            return
        activation = self._current(frame)
        columns = activation.watched.code.instructions
        index = activation.index
        if index < 0:
            index = activation.watched.index.get(offset, -1)
        place: tuple[int | None, int | None] = (None, None)
        if index >= 0:
            place = columns.offsets[index], columns.positions[index].lineno
        self._leaf(activation, "raise", offset=place[0], line=place[1], text=exception_text(error))

    def ends_iteration(self, frame: FrameType, error: BaseException) -> bool:
        """True for a StopIteration that the instruction itself takes as the end of a loop."""
        activation = self._frames.get(id(frame))
        if type(error) is not StopIteration or activation is None or activation.index < 0:
            return False
        columns = activation.watched.code.instructions
        return columns.opname(activation.index) in ("FOR_ITER", "SEND")

    def unwound(self, frame: FrameType, error: BaseException) -> None:
        """A frame ends by an exception."""
        activation = self._current(frame)
        if not isinstance(error, Stopped):
            self._leaf(activation, "unwind", text=exception_text(error))
        self._leave(activation)
        self._frames.pop(id(frame), None)

    def next_round(self) -> None:
        """What is driven is about to be asked for its next value."""
        self._end_iteration(self._rounds, self._done)

    def entries(self) -> tuple[Entry, ...]:
        """Everything kept, once the run is over. Frames that have not ended are closed."""
        while self._stack:
            self._leave(self._stack[-1])
        self._close(self._rounds, self._done)
        self._frames.clear()
        return tuple(self._done.entries)

    # Keeping and folding

    def _current(self, frame: FrameType) -> _Activation:
        """The activation of a frame; activations that ended unreported are closed."""
        activation = self._frames.get(id(frame))
        if activation is None or activation not in self._stack:
            self.resume(frame)
            activation = self._frames[id(frame)]
        while self._stack[-1] is not activation:
            self._leave(self._stack[-1])
        return activation

    def _leaf(
        self,
        activation: _Activation,
        kind: str,
        *,
        offset: int | None = None,
        line: int | None = None,
        text: str = "",
    ) -> None:
        code = activation.watched.code.qualname
        entry = Entry(kind, activation.number, activation.depth, code, offset, line=line, text=text)
        self._keep(activation, entry, kind)

    def _keep(self, activation: _Activation, entry: Entry, way: Hashable) -> None:
        sequence = activation.sequence
        sequence.entries.append(entry)
        sequence.way.append(way)
        self._kept += 1

    def _leave(self, activation: _Activation) -> None:
        """End what a frame did since it started or went on; its caller gets the entries."""
        while activation.opened:
            self._close_loop(activation)
        if activation in self._stack:
            self._stack.remove(activation)
        below = self._stack[-1].sequence if self._stack else self._rounds.sequence
        below.entries += activation.root.entries
        below.way.append((id(activation.watched), *activation.root.way))
        activation.root = _Sequence()

    def _move(self, activation: _Activation, index: int) -> None:
        """Enter and leave loops on the way to an instruction."""
        chain = activation.watched.chains[index]
        opened = activation.opened
        same = 0
        while same < min(len(opened), len(chain)) and opened[same].loop is chain[same]:
            same += 1
        while len(opened) > same:
            self._close_loop(activation)
        for loop in chain[same:]:
            opened.append(_Open(loop))
        if opened and index <= activation.index:
            self._turn(activation, index)
        activation.index = index

    def _turn(self, activation: _Activation, index: int) -> None:
        """A jump back: the loop whose header it leads to begins its next iteration."""
        for at, each in enumerate(activation.opened):
            assert each.loop is not None
            start, stop = activation.watched.header_starts[each.loop.header]
            if start <= index < stop:
                while len(activation.opened) > at + 1:
                    self._close_loop(activation)
                outer = activation.opened[at - 1].sequence if at else activation.root
                self._end_iteration(each, outer)
                return

    def _close_loop(self, activation: _Activation) -> None:
        closed = activation.opened.pop()
        self._close(closed, activation.sequence)
        assert closed.loop is not None
        activation.sequence.way.append(("loop", closed.loop.header))

    def _close(self, closed: _Open, outer: _Sequence) -> None:
        if closed.sequence.entries:
            self._end_iteration(closed, outer)
        self._flush(closed, outer)

    def _end_iteration(self, opened: _Open, outer: _Sequence) -> None:
        """Show an iteration that took a new path; keep only the last of the others."""
        entries, way = opened.sequence.entries, tuple(opened.sequence.way)
        opened.sequence = _Sequence()
        if not entries:
            return
        if way in opened.ways:
            self._kept -= len(opened.held)
            opened.folded += 1
            opened.held = entries
            return
        self._flush(opened, outer)
        opened.ways.add(way)
        outer.entries += entries

    def _flush(self, opened: _Open, outer: _Sequence) -> None:
        """Say how many iterations are left out, and show the last of them."""
        if not opened.folded:
            return
        first = opened.held[0]
        if opened.folded > 1:
            what = "rounds" if opened.loop is None else "iterations"
            fold = Entry(
                "fold",
                first.frame,
                first.depth,
                first.code,
                first.offset,
                first.line,
                text=what,
                count=opened.folded - 1,
            )
            outer.entries.append(fold)
            self._kept += 1
        outer.entries += opened.held
        opened.held = []
        opened.folded = 0


def locals_of(frame: FrameType) -> tuple[tuple[str, str], ...]:
    """Names and shown values of a frame's locals, where they can be read."""
    return tuple(
        (name, text_of(value, _VALUE_WIDTH))
        for name, value in list(frame_locals(frame).items())
        if type(name) is str
    )


def exception_text(error: BaseException) -> str:
    """An exception as its type and arguments; its own `__str__` is not called."""
    args = BaseException.__dict__["args"].__get__(error)
    shown = ", ".join(text_of(arg) for arg in args) if type(args) is tuple else ""
    return f"{type_name_of(error)}({shown})"
