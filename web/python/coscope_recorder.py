"""Runs a call of the user's program, instruction by instruction, and keeps what happened.

It runs in an interpreter of the page that nothing else uses. It needs CPython 3.12 or newer and the
standard library only, because it runs in bare interpreters too. No `__repr__` of the user's is
called: what is not of a built-in type is shown by its class and a number.
"""

import gc
import io
import json
import sys
from types import CodeType, CoroutineType, FunctionType, MethodType

TOOL = 4  # of sys.monitoring; 0 to 3 and 5 have customary owners
NAME = "coscope page"
EMPTY = "unassigned"
MOST_OUTPUT = 100_000  # characters
MOST_TEXT = 120  # characters of one value
MOST_ITEMS = 12  # of a container
MOST_FRAMES = 40  # that are shown at once
SCANS = 100  # looks through all objects for the owner of a cell; each takes milliseconds
UNRECORDED = 100  # instructions of the module for each step that may be recorded

# Read from `type` itself: a metaclass may have others.
_NAME = type.__dict__["__name__"]
_MODULE = type.__dict__["__module__"]
OPTIMIZED = 1  # co_flags: a function, whose f_locals show its cells; a class body's do not

_PLAIN = (int, float, complex, bool, str, bytes, type(None), type(...), range)


class Stopped(BaseException):
    """Ends the program: its steps are used up."""


class Output(io.TextIOBase):
    """What the program prints, up to a bound."""

    def __init__(self):
        self.parts = []
        self.length = 0

    def writable(self):
        return True

    def write(self, text):
        room = MOST_OUTPUT - self.length
        if room > 0:
            self.parts.append(text[:room])
            self.length += min(room, len(text))
        return len(text)

    def text(self):
        return "".join(self.parts)


class Texts:
    """Values as texts. An object that is not of a built-in type keeps its number."""

    def __init__(self):
        self.numbers = {}
        self.kept = []  # so that no other object gets the same id

    def number(self, value):
        key = id(value)
        if key not in self.numbers:
            self.numbers[key] = len(self.numbers) + 1
            self.kept.append(value)
        return self.numbers[key]

    def text(self, value, depth=2):
        kind = type(value)
        if kind is int and value.bit_length() > 400:
            return f"an int of {value.bit_length()} bits"
        if kind in (str, bytes) and len(value) > MOST_TEXT:
            return f"{value[:MOST_TEXT]!r}…"
        if kind in _PLAIN:
            return repr(value)
        if kind in (list, tuple, set, frozenset, dict):
            return self.container(value, kind, depth)
        if kind is FunctionType:
            return f"function {value.__qualname__}"
        if kind is MethodType and type(value.__func__) is FunctionType:
            return f"method {value.__func__.__qualname__}"
        if issubclass(kind, type):
            return f"class {_NAME.__get__(value)}"
        if issubclass(kind, BaseException):
            return exception_text(value)
        name = _NAME.__get__(kind)
        if _MODULE.__get__(kind) == "builtins" and hasattr(value, "__name__"):
            return f"{name} {value.__name__}"
        return f"{name} #{self.number(value)}"

    def container(self, value, kind, depth):
        open_, close = {list: "[]", tuple: "()", dict: "{}", set: "{}", frozenset: "{}"}[kind]
        if not len(value):
            return {set: "set()", frozenset: "frozenset()"}.get(kind, open_ + close)
        if depth == 0:
            return f"{open_}…{close}"
        texts = []
        for at, each in enumerate(value.items() if kind is dict else value):
            if at == MOST_ITEMS:
                texts.append(f"… {len(value) - at} more")
                break
            if kind is dict:
                texts.append(f"{self.text(each[0], depth - 1)}: {self.text(each[1], depth - 1)}")
            else:
                texts.append(self.text(each, depth - 1))
        comma = "," if kind is tuple and len(value) == 1 else ""
        held = open_ + ", ".join(texts) + comma + close
        return f"frozenset({held})" if kind is frozenset else held


class Frame:
    """One call of the program's code."""

    def __init__(self, number, key, frame, closure):
        self.number = number
        self.key = key
        self.frame = frame  # None once it has ended
        self.code = frame.f_code
        self.cells = dict(zip(self.code.co_freevars, closure or (), strict=False))
        self.shown = {}  # text of each name
        self.values = {}  # object of each name whose text cannot change


class Recorder:
    """Everything that is kept of one run."""

    def __init__(self, codes, steps):
        self.keys = codes  # key by code object
        self.limit = steps
        self.recording = False
        self.unrecorded = 0
        self.steps = []  # [frame, offset, depth of frames, output, changes]
        self.frames = []  # [key, parent]
        self.live = {}  # Frame by id of the frame object
        self.stack = []  # Frames, the innermost last
        self.texts = Texts()
        self.output = Output()
        self.called = None  # the function of the last CALL
        self.owners = {}  # number of a cell by id
        self.cells = []  # [name, number of the frame that made it or None]
        self.held = []  # the cells themselves, by number
        self.contents = []  # text of each
        self.scans = 0
        self.changes = []

    # Events of sys.monitoring.

    def on_instruction(self, code, offset):
        if not self.recording:
            self.unrecorded += 1
            if self.unrecorded > self.limit * UNRECORDED:
                raise Stopped
            return
        if len(self.steps) >= self.limit:
            raise Stopped
        current = self.entered(sys._getframe(1))
        self.look()
        self.steps.append(
            [
                current.number,
                offset,
                [f.number for f in self.stack[-MOST_FRAMES:]],
                self.output.length,
                self.changes,
            ]
        )
        self.changes = []

    def on_call(self, code, offset, called, first):
        self.called = called

    def on_return(self, code, offset, value):
        frame = sys._getframe(1)
        known = self.live.get(id(frame))
        if known is None or not self.recording:
            return
        if known.code.co_cellvars:
            self.own_cells(known, value)
        self.look()
        self.leave(known, id(frame))
        self.changes.append(["return", known.number, self.texts.text(value)])

    def on_yield(self, code, offset, value):
        known = self.live.get(id(sys._getframe(1)))
        if known is not None and self.recording:
            self.look()
            if known in self.stack:
                self.stack.remove(known)
            self.changes.append(["yield", known.number, self.texts.text(value)])

    def on_unwind(self, code, offset, error):
        frame = sys._getframe(1)
        known = self.live.get(id(frame))
        if known is not None and self.recording:
            self.leave(known, id(frame))
            self.changes.append(["raise", known.number, exception_text(error)])

    def on_raise(self, code, offset, error):
        known = self.live.get(id(sys._getframe(1)))
        if known is not None and self.recording:
            self.changes.append(["raised", known.number, exception_text(error)])

    # What they find.

    def leave(self, known, key):
        known.frame = None
        self.live.pop(key, None)
        if known in self.stack:
            self.stack.remove(known)

    def entered(self, frame):
        known = self.live.get(id(frame))
        if known is None or known.frame is not frame:
            known = Frame(len(self.frames), self.keys[frame.f_code], frame, self.closure(frame))
            self.frames.append([known.key, self.stack[-1].number if self.stack else None])
            self.live[id(frame)] = known
            for name, cell in known.cells.items():
                self.changes.append(["cell", known.number, name, self.cell(name, cell)])
            for name in known.code.co_cellvars:
                number = self.new_cell(name, None, known.number)
                known.cells[name] = number
                self.changes.append(["cell", known.number, name, number])
        if not self.stack or self.stack[-1] is not known:
            if known in self.stack:
                del self.stack[self.stack.index(known) + 1 :]
            else:
                self.stack.append(known)
        return known

    def closure(self, frame):
        """The cells of the frame's function, in the order of its free variables."""
        code = frame.f_code
        if not code.co_freevars:
            return ()
        called = getattr(self.called, "__func__", self.called) if self.called is not None else None
        if type(called) is FunctionType and called.__code__ is code:
            return called.__closure__ or ()
        if self.scans >= SCANS:
            return ()
        self.scans += 1
        for each in gc.get_referrers(code):
            if (
                type(each) is FunctionType
                and each.__code__ is code
                and each.__closure__
                and (self.fits(frame, code.co_freevars, each.__closure__))
            ):
                return each.__closure__
        return ()

    def fits(self, frame, names, cells):
        return all(
            self.is_cell_of(frame, name, cell) for name, cell in zip(names, cells, strict=True)
        )

    def is_cell_of(self, frame, name, cell):
        """Whether the frame's variable lives in the cell: what is put there is seen here."""
        mark = object()
        try:
            before = cell.cell_contents
        except ValueError:
            before = mark
        try:
            cell.cell_contents = mark
            return frame.f_locals.get(name) is mark
        finally:
            if before is mark:
                del cell.cell_contents
            else:
                cell.cell_contents = before
            frame.f_locals  # noqa: B018 - 3.12 keeps what was read, and must forget the mark

    def new_cell(self, name, cell, frame):
        number = len(self.cells)
        self.cells.append([name, frame])
        self.held.append(cell)
        self.contents.append(None)
        if cell is not None:
            self.owners[id(cell)] = number
        return number

    def is_of_class_body(self, known, function):
        """Whether the function was made by this class body, in which no cell can be looked at."""
        is_body = not known.code.co_flags & OPTIMIZED
        return (
            is_body
            and function is not None
            and any(function.__code__ is each for each in known.code.co_consts)
        )

    def cell(self, name, cell, function=None):
        """The number of a cell of a function; that of the live frame which made it, if one did."""
        number = self.owners.get(id(cell))
        if number is not None:
            return number
        for known in self.live.values():
            own = known.cells.get(name)
            if type(own) is not int or self.held[own] is not None or known.frame is None:
                continue
            if self.is_cell_of(known.frame, name, cell) or self.is_of_class_body(known, function):
                self.held[own] = cell
                self.owners[id(cell)] = own
                return own
        return self.new_cell(name, cell, None)

    def own_cells(self, known, value):
        """Before a frame ends: find its cells in the functions that keep them."""
        missing = [n for n in known.code.co_cellvars if self.held[known.cells[n]] is None]
        if not missing:
            return
        nested = [each for each in known.code.co_consts if type(each) is CodeType]
        functions = [value] if type(value) is FunctionType else []
        if not functions and self.scans < SCANS:
            self.scans += 1
            functions = [f for f in gc.get_referrers(*nested) if type(f) is FunctionType]
        for each in functions:
            for name, cell in zip(each.__code__.co_freevars, each.__closure__ or (), strict=True):
                if name in missing:
                    self.cell(name, cell, each)

    def look(self):
        """Note what changed in the frames that are on the stack, and in the cells."""
        for known in self.stack[-6:]:
            if known.frame is None:
                continue
            values = known.frame.f_locals
            values = values if type(values) is dict else dict(values)
            for name in known.shown.keys() - values.keys():
                if known.shown[name] is not EMPTY:
                    known.shown[name] = EMPTY
                    known.values.pop(name, None)
                    self.changed(known, name, None)
            for name, value in values.items():
                if known.code.co_name == "<module>" and name[:2] == "__":
                    continue
                if name in known.values and known.values[name] is value:
                    continue
                text = self.texts.text(value)
                if type(value) in _PLAIN or type(value) is FunctionType:
                    known.values[name] = value
                else:
                    known.values.pop(name, None)
                if known.shown.get(name) != text:
                    known.shown[name] = text
                    self.changed(known, name, value, text)
        for number, cell in enumerate(self.held):
            if cell is None:
                continue
            try:
                text = self.texts.text(cell.cell_contents)
            except ValueError:
                text = None
            if text != self.contents[number]:
                self.contents[number] = text
                self.changes.append(["content", number, text])

    def changed(self, known, name, value, text=None):
        own = known.cells.get(name)
        if type(own) is int and self.held[own] is None:
            self.contents[own] = text
            self.changes.append(["content", own, text])
        links = None
        if type(value) is FunctionType and value.__closure__:
            names = value.__code__.co_freevars
            cells = zip(names, value.__closure__, strict=True)
            links = [[free, self.cell(free, cell, value)] for free, cell in cells]
        self.changes.append(["local", known.number, name, text, links])


def exception_text(error):
    """A kind of exception and its argument, without any method of the user's class."""
    name = _NAME.__get__(type(error))
    args = BaseException.args.__get__(error)
    plain = args[0] if len(args) == 1 and type(args[0]) is str else None
    return f"{name}: {plain[:MOST_TEXT]}" if plain else name


class _Keys(dict):
    """Key by identity of a code object: equal code objects are different places."""

    def __init__(self, keys, codes):
        super().__init__({id(code): key for code, key in zip(codes, keys, strict=True)})

    def __getitem__(self, code):
        return super().__getitem__(id(code))


def all_codes(code):
    found, pending = [], [code]
    while pending:
        current = pending.pop()
        found.append(current)
        pending.extend(reversed([each for each in current.co_consts if type(each) is CodeType]))
    return found


def numbered(codes):
    """Keys of code objects, in their order."""
    seen, keys = {}, {}
    for at in sorted(range(len(codes)), key=lambda at: codes[at].co_firstlineno):
        name = codes[at].co_qualname
        seen[name] = seen.get(name, 0) + 1
        keys[at] = name if seen[name] == 1 else f"{name}#{seen[name]}"
    return [keys[at] for at in range(len(codes))]


def record(text, name, call, steps):
    """Run the module, then the call, and say what happened.

    Args:
        text: The program.
        name: Its file name.
        call: An expression of the program's names; the module itself is recorded if it is empty.
        steps: Instructions to keep.

    Returns:
        JSON: outcome, value, steps, frames, cells, output. A step is the frame, the offset of the
        instruction that comes next, the frames on the stack, the length of the output, and what
        changed since the step before.
    """
    module = compile(text, name, "exec", dont_inherit=True)
    codes = all_codes(module)
    recorder = Recorder(_Keys(numbered(codes), codes), steps)
    call = call.strip()
    expression = compile(call, "<call>", "eval", dont_inherit=True) if call else None
    outcome, value = run(recorder, codes, module, expression)
    if recorder.changes:
        last = [None, 0, [], recorder.output.length, recorder.changes]
        recorder.steps.append(last)
    return json.dumps(
        {
            "outcome": outcome,
            "value": value,
            "frames": recorder.frames,
            "cells": recorder.cells,
            "steps": recorder.steps,
            "output": recorder.output.text(),
            "limit": steps,
        },
        separators=(",", ":"),
    )


def run(recorder, codes, module, expression):
    space = {"__name__": "__main__", "__builtins__": __builtins__}
    monitoring = sys.monitoring
    events = monitoring.events
    local = events.INSTRUCTION | events.CALL | events.PY_RETURN | events.PY_YIELD
    monitoring.use_tool_id(TOOL, NAME)
    handlers = {
        events.INSTRUCTION: recorder.on_instruction,
        events.CALL: recorder.on_call,
        events.PY_RETURN: recorder.on_return,
        events.PY_YIELD: recorder.on_yield,
        events.PY_UNWIND: recorder.on_unwind,
        events.RAISE: recorder.on_raise,
    }
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = recorder.output
    try:
        for event, handler in handlers.items():
            monitoring.register_callback(TOOL, event, handler)
        monitoring.set_events(TOOL, events.PY_UNWIND | events.RAISE)
        for code in codes:
            monitoring.set_local_events(TOOL, code, local)
        recorder.recording = expression is None
        value = exec(module, space)
        if expression is not None:
            recorder.recording = True
            value = driven(recorder, eval(expression, space))
        recorder.recording = False
        return "returned", recorder.texts.text(value)
    except Stopped:
        return "stopped", f"after {len(recorder.steps) or recorder.unrecorded} steps"
    except BaseException as error:
        return "raised", exception_text(error)
    finally:
        recorder.recording = False
        monitoring.set_events(TOOL, 0)
        for event in handlers:
            monitoring.register_callback(TOOL, event, None)
        monitoring.free_tool_id(TOOL)
        sys.stdout, sys.stderr = streams


def driven(recorder, value):
    """A coroutine runs to its end, as an event loop without anything else to do would run it."""
    if type(value) is not CoroutineType:
        return value
    for _ in range(recorder.limit):
        try:
            value.send(None)
        except StopIteration as ended:
            return ended.value
    raise Stopped
