"""What a function that was entered does with its arguments: the calls that pass them on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType

from coscope.facts.calls.attributes import static_exit
from coscope.facts.calls.callees import function_text, reach
from coscope.facts.calls.expressions import parsed
from coscope.facts.calls.forwarding import (
    Edit,
    Forward,
    Passed,
    forwards,
    spread_stars,
    starred_of,
    written,
)
from coscope.facts.calls.parameters import Arguments, Given, Stage
from coscope.facts.calls.reached import Reached
from coscope.facts.calls.receivers import STAND_IN, Callee, Receiver, resolve
from coscope.model import Code, Value
from coscope.readers.attributes import MISSING, class_attribute, instance_attribute, is_a
from coscope.readers.values import value_of

MOST_FUNCTIONS = 40  # one inside the other


def follow(thing: object, arguments: Arguments, receiver: Receiver | None = None) -> Reached:
    """Follow a call of an object to every function that its arguments are passed on to.

    Args:
        thing: Any object.
        arguments: Of the call.
        receiver: What `self` is, if `thing` is a method that was found by `super()`.
    """
    return reach(thing, arguments, Reached(go_on), receiver)


def go_on(reached: Reached, stage: Stage, receiver: Receiver | None) -> None:
    """Follow the calls by which the code of an entered function passes on its arguments."""
    function, code = stage.function.object, stage.function.code
    if type(function) is not FunctionType:
        return
    path = reached.path
    if any(each is function for each in path) or len(path) >= MOST_FUNCTIONS:
        reached.loose = True
        return
    path.append(function)
    _Inside(reached, stage, function, receiver).run()
    path.pop()
    if reached.error is not None and reached.when == "called":
        reached.when = when_run(code)


def when_run(code: Code) -> str:
    """When the code of a function runs: a coroutine's only when it is awaited."""
    if code.flags & 0x80:
        return "awaited"
    return "iterated" if code.flags & (0x20 | 0x200) else "called"


class _Inside:
    """The calls of one function that was entered with known slots."""

    def __init__(
        self, reached: Reached, stage: Stage, function: FunctionType, receiver: Receiver | None
    ) -> None:
        self.reached = reached
        self.function = function
        self.receiver = receiver
        self.code = stage.function.code
        self.name = stage.function.qualname
        self.held: dict[str, Value] = {
            slot.name: slot.value for slot in stage.slots if slot.value is not None
        }
        self.own = starred_of(self.code)
        self.rebound = written(self.code)

    def run(self) -> None:
        handed: set[str] = set()
        for forward in forwards(self.code, widely=True):
            callee = self._callee(forward)
            if not self._is_followed(forward, callee):
                continue
            handed.update(forward.stars)
            self._follow(forward, callee)
            if self.reached.error is not None:
                return
        if any(self.own[name] not in handed for name in spread_stars(self.code)):
            self.reached.loose = True

    def _callee(self, forward: Forward) -> Callee | None:
        kept = {
            each: self.held[each].object
            for each in _names_in(forward.callee)
            if each in self.held and each not in self.rebound
        }
        kept = {name: thing for name, thing in kept.items() if not _is_unknown(thing)}
        callee = resolve(forward.callee, self.function, self.receiver, kept)
        return None if callee is None or callee.thing is STAND_IN else callee

    def _is_followed(self, forward: Forward, callee: Callee | None) -> bool:
        """True for calls that pass arguments on: by stars, to a function that it was given."""
        if forward.stars:
            return True
        if callee is None or class_attribute(type(callee.thing), "__call__") is MISSING:
            return False
        node = parsed(forward.callee)
        if isinstance(node, ast.Name):
            given = node.id in self.code.freevars or node.id in self.held
            return given or self._hands_whole(forward)
        if isinstance(node, ast.Attribute) and self.receiver is not None:
            own = instance_attribute(self.receiver.instance, node.attr)
            return own is not MISSING and own is callee.thing
        return False

    def _hands_whole(self, forward: Forward) -> bool:
        """True for `helper(fn, args, kwargs)`: `*args` goes on as one tuple, beside a function."""
        names = {each.parameter for each in forward.passed if each.kind == "positional"}
        if not names & set(self.own):
            return False
        return any(
            each.kind == "positional" and each.text in self.code.freevars for each in forward.passed
        )

    def _follow(self, forward: Forward, callee: Callee | None) -> None:
        if callee is not None:
            self._follow_to(forward, callee)
        elif not forward.swallowed:
            self.reached.unless(
                f"what {self.name} calls by {forward.text} is known only when it runs"
            )

    def _follow_to(self, forward: Forward, callee: Callee) -> None:
        reached = self.reached
        handed = self._handed(forward, callee)
        if handed is None:
            reached.unless(f"{self.name} changes the arguments before it calls {forward.text}")
            return
        if isinstance(handed, str):
            inner = reached.inside()
            inner.fail(handed, self.name)
        else:
            inner = reach(callee.thing, handed, reached.inside(), callee.receiver)
        if not forward.stars and not inner.stages and inner.error is None:
            return  # C code, called with arguments that this function chose
        reached.through(f"{self.name} calls {forward.text}")
        if callee.assumed and self._self_is_another():
            reached.unless(f"super() in {self.name} refuses a self that is of another class")
        if forward.swallowed and inner.error is not None:
            reached.note(f"{self.name} catches the TypeError: {inner.error}")
            return
        reached.add(inner, self._condition(forward, callee))

    def _condition(self, forward: Forward, callee: Callee) -> str | None:
        """Why the call may not be made, or its error not get out; None: it surely does."""
        if callee.assumed:
            return f"super() in {self.name} is taken for that of its own class"
        if forward.always:
            return None
        if forward.managers is not None and all(map(self._lets_out, forward.managers)):
            return None
        return f"{self.name} calls {forward.text} only on some paths through its code"

    def _self_is_another(self) -> bool:
        """True if the first parameter holds an object that the class of `super()` does not know."""
        first = self.code.varnames[:1]
        value = self.held.get(first[0]) if first else None
        callee = resolve("__class__", self.function, None)
        if value is None or _is_unknown(value.object) or callee is None:
            return False
        owner, thing = callee.thing, value.object
        return not isinstance(owner, type) or not (is_a(thing, owner) or is_a(thing, type))

    def _lets_out(self, manager: str) -> bool:
        """True if a context manager is known not to swallow an exception."""
        callee = resolve(manager, self.function, self.receiver)
        return callee is not None and static_exit(callee.thing)

    # The arguments of the call inside

    def _handed(self, forward: Forward, callee: Callee) -> Arguments | str | None:
        """The arguments; or the error that making the call raises; None: they are not known."""
        if forward.edits is None:
            return None
        positional: list[Given] = []
        keywords: dict[str, Given] = {}
        for each in forward.passed:
            if each.kind == "*":
                items = self._items(each)
                if items is None:
                    return None
                positional += items
            elif each.kind != "**" and each.name is None:
                positional.append(self._given(each))
            else:
                pairs = self._named(each, forward.edits)
                if pairs is None:
                    return None
                for name, given in pairs.items():
                    if name in keywords:
                        return _twice(callee, name)
                    keywords[name] = given
        return Arguments(tuple(positional), tuple(keywords.items()))

    def _given(self, each: Passed) -> Given:
        value = self.held.get(each.parameter) if each.parameter is not None else None
        if value is None:
            text = each.text.partition("=")[2] if each.kind == "keyword" else each.text
            value = self._written(text)
        return Given(value, each.text)

    def _written(self, text: str) -> Value:
        """The value of an expression: a constant, a variable of the closure, or unknown."""
        try:
            return value_of(ast.literal_eval(text))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            pass
        if text in self.code.freevars:
            callee = resolve(text, self.function, None)
            if callee is not None:
                return value_of(callee.thing)
        return Value("", text, 0, STAND_IN)

    def _items(self, each: Passed) -> list[Given] | None:
        """What `*args` or a slice of it unpacks to."""
        node = parsed(each.text.removeprefix("*"))
        start: int | None = 0
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            start, node = _start_of(node.slice), node.value
        if start is None or start < 0:
            return None
        if not isinstance(node, ast.Name) or node.id in self.rebound:
            return None
        value = self.held.get(node.id)
        if value is None or type(value.object) is not tuple:
            return None
        return [Given(value_of(item), each.text) for item in value.object[start:]]

    def _named(self, each: Passed, edits: tuple[Edit, ...]) -> dict[str, Given] | None:
        """What is passed by name: one keyword, or what `**kwargs` unpacks to."""
        if each.kind != "**" and each.name is not None:
            return {each.name: self._given(each)}
        return self._pairs(each, edits)

    def _held_pairs(self, name: str) -> dict[str, object] | None:
        """The dictionary that a parameter still holds, if all its keys are plain strings."""
        value = self.held.get(name)
        if value is None or type(value.object) is not dict or name in self.rebound:
            return None
        return value.object if all(type(key) is str for key in value.object) else None

    def _pairs(self, each: Passed, edits: tuple[Edit, ...]) -> dict[str, Given] | None:
        """What `**kwargs` unpacks to, with the changes that the code makes before."""
        name = each.text.removeprefix("**")
        held = self._held_pairs(name)
        if held is None:
            return None
        pairs = {key: Given(value_of(item), each.text) for key, item in held.items()}
        for edit in edits:
            if edit.parameter != name:
                continue
            if edit.verb == "remove":
                pairs.pop(edit.key, None)
            elif edit.verb == "set" or edit.key not in pairs:
                pairs[edit.key] = Given(self._written(edit.text), f"{name}[{edit.key!r}]")
        return pairs


def _names_in(text: str) -> Iterator[str]:
    node = parsed(text)
    if node is not None:
        yield from {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _is_unknown(thing: object) -> bool:
    return thing is STAND_IN or thing is None


def _twice(callee: Callee, name: str) -> str:
    return f"{function_text(callee.thing)} got multiple values for keyword argument '{name}'"


def _start_of(piece: ast.Slice) -> int | None:
    """The start of `args[1:]`; None for any other slice."""
    if piece.upper is not None or piece.step is not None:
        return None
    lower = piece.lower
    if not isinstance(lower, ast.Constant) or type(lower.value) is not int:
        return None
    return lower.value
