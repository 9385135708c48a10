"""What a call reaches while it is followed: steps, functions, an error, and what stays open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import FunctionType

from coscope.facts.calls.parameters import Arguments, BindingStep, Given, Stage
from coscope.facts.calls.receivers import Receiver
from coscope.readers.values import exact_text, text_of

# Follows the calls of a function that was entered.
Onward = Callable[["Reached", Stage, "Receiver | None"], None]


@dataclass(slots=True)
class Reached:
    """What a call reaches: wrappers on the way, then functions, then possibly an error."""

    onward: Onward | None = None  # None: no function's code is looked into
    steps: list[BindingStep] = field(default_factory=list)  # in order, those of stages included
    stages: list[Stage] = field(default_factory=list)
    error: str | None = None  # CPython's message of the TypeError
    by: str | None = None  # qualified name of the function that refuses the call
    when: str = "called"  # "called", "awaited" or "iterated": when the error comes
    conditions: list[str] = field(default_factory=list)  # what only running the code shows
    loose: bool = False  # `*args` or `**kwargs` may go further than could be followed
    path: list[FunctionType] = field(default_factory=list)  # functions that are being followed

    def inside(self) -> Reached:
        """The beginning of a call that a function on the way makes."""
        return Reached(self.onward, path=self.path)

    def through(self, text: str) -> None:
        self.steps.append(BindingStep("through", text))

    def note(self, text: str) -> None:
        self.steps.append(BindingStep("note", text))

    def unless(self, text: str) -> None:
        """Note what may refuse the call, and is known only when it runs."""
        if text not in self.conditions:
            self.conditions.append(text)
            self.steps.append(BindingStep("if", text))

    def fail(self, message: str, by: str | None = None) -> None:
        self.error, self.by = message, by
        self.steps.append(BindingStep("error", f"TypeError: {message}"))

    def enter(self, stage: Stage, receiver: Receiver | None = None) -> None:
        self.stages.append(stage)
        self.steps += stage.steps
        self.error = stage.error
        if stage.error is not None:
            self.by = stage.function.qualname
            return
        text = f"{stage.function.qualname} is entered with these slots"
        self.steps.append(BindingStep("enter", text))
        if self.onward is not None:
            self.onward(self, stage, receiver)

    def add(self, inner: Reached, condition: str | None) -> None:
        """Take over what a call inside reaches.

        Args:
            inner: Of that call.
            condition: Why it may not be made, or not refuse this one; None: it surely does.
        """
        self.stages += inner.stages
        self.loose = self.loose or inner.loose
        if inner.error is None or condition is None:
            self.steps += inner.steps
            self.error, self.by, self.when = inner.error, inner.by, inner.when
        else:
            self.steps += [
                BindingStep("if", step.text) if step.kind == "error" else step
                for step in inner.steps
            ]
            self.conditions.append(f"{condition}; there: TypeError: {inner.error}")
        self.conditions += [each for each in inner.conditions if each not in self.conditions]


@dataclass(slots=True)
class Way:
    """The way from the called object to a function: what is found, and what `self` will be."""

    reached: Reached
    receiver: Receiver | None = None


def before(arguments: Arguments, given: Given) -> Arguments:
    """The arguments with one more before them."""
    return replace(arguments, positional=(given, *arguments.positional))


def called(function: object) -> str:
    """A callable as a step names it."""
    if type(function) is FunctionType:
        return exact_text(function.__qualname__)
    return text_of(function)
