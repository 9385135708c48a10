"""`call`: how a call binds, explained from the code's counts, flags and defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

from coscope.facts.calls.attributes import accessed
from coscope.facts.calls.callees import function_text
from coscope.facts.calls.onward import follow
from coscope.facts.calls.parameters import Arguments, BindingStep, Given, Slot, Stage, fill
from coscope.facts.calls.reached import Reached
from coscope.model import Function, Value
from coscope.readers import locate
from coscope.readers.attributes import is_a
from coscope.readers.sources import defaults_in
from coscope.readers.values import exact_text, shortened, text_of, value_of
from coscope.result import Result


@dataclass(frozen=True, slots=True)
class Binding(Result):
    """How a call binds: the way to the functions, the slots it fills, the error it raises.

    Wrappers whose code passes on `*args` and `**kwargs` are followed to the innermost function.
    """

    target: str  # what is called, as shown
    function: Function | None  # the last one that the call reaches; None: it reaches none
    arguments: Arguments  # as the caller gives them
    steps: tuple[BindingStep, ...]  # in CPython's order, of every stage
    stages: tuple[Stage, ...]  # the functions reached: of a class, `__new__` and `__init__`
    error: str | None  # the message of CPython's TypeError, word for word; None: nothing refuses it
    warnings: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()  # what may refuse the call, and is known only when it runs
    when: str = "called"  # "called", "awaited" or "iterated": when the error comes
    object: Any = field(default=None, compare=False, repr=False)  # what is called; None: static

    @property
    def outcome(self) -> str:
        """ "binds", "raises", or "if": only running the code shows it, see `conditions`."""
        if self.error is not None:
            return "raises"
        return "if" if self.conditions else "binds"

    @property
    def accepted(self) -> bool:
        """True if the call certainly gets to the innermost function's first instruction."""
        return self.outcome == "binds"

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The parameters of `function`, the innermost, and what they hold, in slot order."""
        return self.stages[-1].slots if self.stages else ()

    @property
    def values(self) -> dict[str, Any]:
        """The objects that the parameters hold, by name, as the frame's locals at its start."""
        return {s.name: s.value.object for s in self.slots if s.value is not None}


def call(fn: object, /, *args: object, **kwargs: object) -> Binding:
    """Explain how a call would bind. Nothing is called.

    Args:
        fn: Anything callable, or what `read` takes: "pkg.mod:name" imports, a file does not.
        args: The positional arguments of the call.
        kwargs: Its keyword arguments.

    Returns:
        The steps from the call to the slots of the function's frame, and the exact message of
        the TypeError where CPython raises one.

    Raises:
        InputError: As `read`.

    >>> def area(width, height=1, *, unit="m"): return width * height
    >>> binding = call(area, 2, unit="km")
    >>> [(slot.name, slot.value.text, slot.origin) for slot in binding.slots][:2]
    [('width', '2', 'argument 1'), ('height', '1', 'the default')]
    >>> call(area, unit="km").error
    "area() missing 1 required positional argument: 'width'"
    """
    return explain(fn, args, tuple(kwargs.items()))


def explain(
    fn: object,
    args: Sequence[object] = (),
    keywords: Sequence[tuple[object, object]] | Mapping[str, object] = (),
    *,
    unwrap: bool = False,
    python: str | None = None,
) -> Binding:
    """`call` with the keywords as pairs: a name may come twice, or be no string, as in `**{1: 2}`.

    Args:
        fn: As for `call`.
        args: Positional arguments.
        keywords: Names and values, in the order of the call.
        unwrap: Follow `__wrapped__` of decorated functions first.
        python: Compile a source file by another interpreter, and bind in its version's words.

    Raises:
        InputError: As `call`.
    """
    pairs = tuple(keywords.items()) if isinstance(keywords, Mapping) else tuple(keywords)
    arguments = Arguments(
        tuple(Given(value_of(arg), f"argument {at}") for at, arg in enumerate(args, 1)),
        tuple((key, Given(value_of(value), f"keyword {text_of(key)}")) for key, value in pairs),
    )
    found = callable_of(fn, unwrap=unwrap, python=python)
    if is_a(found, Function):
        return _static(found, arguments, shown_target(fn, found))
    twice = _repeated([key for key, _ in pairs])
    reached = Reached()
    if twice is None:
        reached = follow(found, arguments)
    else:
        reached.fail(f"{function_text(found)} got multiple values for keyword argument '{twice}'")
    return Binding(
        target=shown_target(fn, found),
        function=reached.stages[-1].function if reached.stages else None,
        arguments=arguments,
        steps=tuple(reached.steps),
        stages=tuple(reached.stages),
        error=reached.error,
        warnings=tuple(_left_out(fn, unwrap)),
        conditions=tuple(reached.conditions),
        when=reached.when,
        object=found,
    )


def callable_of(fn: Any, *, unwrap: bool = False, python: str | None = None) -> Any:
    """The object that a target names; a `Function` if it is known from a file only.

    Args:
        fn: As for `call`.
        unwrap: Follow `__wrapped__` of decorated functions.
        python: As for `read`.

    Raises:
        InputError: As `read`.
    """
    meant = locate(fn, python=python, unwrap=unwrap)
    if meant.live and not unwrap:
        return accessed(meant)
    function = meant.function
    return function if function.object is None else function.object


def _left_out(fn: Any, unwrap: bool) -> Iterator[str]:
    """What is said where the function is bound alone, without the steps that led to it."""
    if is_a(fn, Function) and fn.via:
        yield f"the function alone is bound; what leads to it adds nothing: {', '.join(fn.via)}"
    elif unwrap:
        yield "the unwrapped function alone is bound: what its wrappers add is left out"


def shown_target(fn: object, found: Any) -> str:
    """What is called, as the user named it, or by the qualified name of a function or class."""
    if is_a(fn, str):
        return str.__str__(fn)
    if is_a(found, Function):
        return exact_text(found.qualname)
    if type(found) is FunctionType:
        return exact_text(found.__qualname__)
    if is_a(found, type):
        return exact_text(type.__dict__["__qualname__"].__get__(found))
    return text_of(found)


def _static(function: Function, arguments: Arguments, target: str) -> Binding:
    """A function of a file: its defaults are known as written, its decorators not at all."""
    source, code = function.source, function.code
    written = None if source is None else defaults_in(source, code)
    warning = "known from a file: decorators are not applied, and defaults are taken as none"
    if written is not None:
        warning = "known from a file: decorators are not applied; defaults are shown as written"
        function = replace(
            function,
            defaults=tuple(map(_written, written.positional)),
            kwdefaults=tuple((name, _written(text)) for name, text in written.keyword_only),
        )
    stage = fill(function, arguments)
    return Binding(
        target=target,
        function=function,
        arguments=arguments,
        steps=stage.steps,
        stages=(stage,),
        error=stage.error,
        warnings=(warning,),
    )


def _written(text: str) -> Value:
    """An expression of a source that was not evaluated."""
    return Value("expression", shortened(text), 0)


def _repeated(keys: list[Any]) -> str | None:
    """The first keyword that is given twice, as `str` shows it."""
    seen: list[Any] = []
    for key in keys:
        key = exact_text(key) if is_a(key, str) else key
        for other in seen:
            if type(key) is type(other) and (key is other or (_plain(key) and key == other)):
                return text_of(key).strip("'") if type(key) is not str else str(key)
        seen.append(key)
    return None


def _plain(key: object) -> bool:
    """True if comparing it runs no user's code."""
    return type(key) in (str, int, float, bool, bytes)
