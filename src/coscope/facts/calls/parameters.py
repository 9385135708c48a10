"""How CPython fills the parameters of one function: slot by slot, check by check, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coscope.facts.calls import wording
from coscope.model import Argument, Function, Value
from coscope.opcodes import table
from coscope.readers.values import exact_text, value_of


@dataclass(frozen=True, slots=True)
class Given:
    """One value of a call, and where it comes from."""

    value: Value
    origin: str  # "argument 1", "keyword 'key'", "the bound object", "argument 1 of the partial"


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a function is called with."""

    positional: tuple[Given, ...] = ()
    keywords: tuple[tuple[object, Given], ...] = ()  # a name that is not a str is an error


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter and what it holds when the first instruction runs."""

    slot: int  # in the fast locals
    name: str
    kind: str  # "positional-only", "positional-or-keyword", "*args", "keyword-only", "**kwargs"
    value: Value | None  # None: the call failed before it got one
    origin: str | None  # "argument 1", "the default", "2 arguments left over"; None: nothing


@dataclass(frozen=True, slots=True)
class BindingStep:
    """One step on the way from the call to the slots."""

    kind: str  # see STEP_KINDS
    text: str
    slot: int | None = None  # in the fast locals of the function at hand
    name: str | None = None  # of the parameter
    value: Value | None = None


STEP_KINDS = (
    "through",  # a wrapper that passes the call on: what it adds
    "positional",  # an argument lands in the parameter of its place
    "left over",  # arguments go to *args
    "keyword",  # an argument lands in the parameter of its name
    "unknown keyword",  # an argument goes to **kwargs
    "default",  # a parameter that is still empty gets its default
    "check",  # why the call fails, in terms of the slots
    "error",  # the exception of the call, with CPython's own message
    "enter",  # every slot is filled and the function's code runs
    "if",  # what may refuse the call, and is known only when it runs
    "note",  # what else is to be known
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One Python function that the call reaches."""

    function: Function
    arguments: Arguments
    steps: tuple[BindingStep, ...]
    slots: tuple[Slot, ...]
    error: str | None  # CPython's message of the TypeError


def fill(function: Function, arguments: Arguments) -> Stage:
    """Bind arguments to the parameters of a function, as its version of CPython does.

    Raises:
        UnknownVersion: The words of that version's messages are not known.

    Source:
        CPython 3.13.0, Python/ceval.c, initialize_locals.
    """
    filling = _Filling(function, arguments)
    error = filling.run()
    if error is not None:
        if filling.why:
            filling.steps.append(BindingStep("check", filling.why))
        filling.steps.append(BindingStep("error", f"TypeError: {error}"))
    return Stage(function, arguments, tuple(filling.steps), tuple(filling.slots()), error)


class _Filling:
    """The parameters of one function while they are filled."""

    def __init__(self, function: Function, arguments: Arguments) -> None:
        code = function.code
        self.function = function
        self.arguments = arguments
        self.words = table(code.version).wording
        self.name = function.qualname if self.words.function == "qualname" else code.name
        self.parameters = function.arguments
        self.positional = code.argcount
        self.only = code.posonlyargcount
        self.total = code.argcount + code.kwonlyargcount
        self.names = code.varnames[: self.total]
        self.held: list[Given | None] = [None] * self.total
        self.rest: list[Given] | None = [] if code.flags & 0x4 else None
        self.unknown: list[tuple[str, Given]] | None = [] if code.flags & 0x8 else None
        self.steps: list[BindingStep] = []
        self.why = ""  # of the error

    def run(self) -> str | None:
        """Fill; give the message of the error that stops it."""
        if not all(issubclass(type(key), str) for key, _ in self.arguments.keywords):
            return "keywords must be strings"  # raised while the call is made, without its name
        found = self._take_positional() or self._take_keywords()
        found = found or self._check_count() or self._take_defaults()
        found = found or self._take_keyword_defaults()
        return None if found is None else f"{self.name}() {found}"

    def slots(self) -> list[Slot]:
        """Every parameter, by slot."""
        return [self._slot(parameter) for parameter in self.parameters]

    def _slot(self, parameter: Argument) -> Slot:
        value: Value | None = None
        origin: str | None = None
        if parameter.kind == "*args" and self.rest is not None:
            value = value_of(tuple(given.value.object for given in self.rest))
            value = _shown(value, f"({_listed(self.rest)})") if self.rest else value
            origin = _left_over(len(self.rest))
        elif parameter.kind == "**kwargs" and self.unknown is not None:
            value = value_of({name: given.value.object for name, given in self.unknown})
            origin = f"{_count(len(self.unknown), 'unknown keyword')}"
        elif parameter.slot < self.total:
            held = self.held[parameter.slot]
            if held is not None:
                value, origin = held.value, held.origin
        return Slot(parameter.slot, parameter.name, parameter.kind, value, origin)

    def _put(self, kind: str, slot: int, given: Given) -> None:
        self.held[slot] = given
        text = f"{given.origin} fills slot {slot}, {self.names[slot]}"
        self.steps.append(BindingStep(kind, text, slot, self.names[slot], given.value))

    def _take_positional(self) -> str | None:
        given = self.arguments.positional
        for slot, each in enumerate(given[: self.positional]):
            self._put("positional", slot, each)
        if self.rest is not None and len(given) > self.positional:
            self.rest += given[self.positional :]
            at = self.total
            name = self.parameters[at].name
            text = f"{_left_over(len(self.rest))} go to slot {at}, *{name}"
            if len(self.rest) == 1:
                text = f"{self.rest[0].origin} is left over and goes to slot {at}, *{name}"
            self.steps.append(BindingStep("left over", text, at, name))
        return None

    def _take_keywords(self) -> str | None:
        for key, given in self.arguments.keywords:
            keyword = exact_text(key)  # type: ignore[arg-type]
            slot = self._named(keyword)
            if slot is None:
                if self.unknown is None:
                    return self._as_keyword() or self._unexpected(keyword)
                self._keep(keyword, given)
            elif self.held[slot] is not None:
                held = self.held[slot]
                self.why = f"{given.origin} is for slot {slot}, which {held and held.origin} fills"
                return f"got multiple values for argument '{keyword}'"
            else:
                self._put("keyword", slot, given)
        return None

    def _unexpected(self, keyword: str) -> str:
        named = self.names[self.only :]
        can = f"those that can be given are {', '.join(named)}" if named else "none can be given"
        self.why = f"no parameter has the name {keyword}, and there is no **kwargs: {can}"
        return wording.unexpected(keyword, named, self.words)

    def _named(self, keyword: str) -> int | None:
        """The slot of the parameter that may be given by this name."""
        for slot in range(self.only, self.total):
            if self.names[slot] == keyword:
                return slot
        return None

    def _keep(self, keyword: str, given: Given) -> None:
        assert self.unknown is not None
        self.unknown.append((keyword, given))
        parameter = self.parameters[-1]
        text = f"{given.origin} names no parameter and goes to slot {parameter.slot}"
        self.steps.append(
            BindingStep(
                "unknown keyword",
                f"{text}, **{parameter.name}",
                parameter.slot,
                parameter.name,
                given.value,
            )
        )

    def _as_keyword(self) -> str | None:
        """Positional-only parameters that were given by name: reported before any unknown name."""
        given = [key for key, _ in self.arguments.keywords]
        names = [name for name in self.names[: self.only] if name in map(exact_text, given)]  # type: ignore[arg-type]
        if not names:
            return None
        listed = ", ".join(names)
        verb = "is" if len(names) == 1 else "are"
        self.why = f"{listed} {verb} positional-only (before the '/')"
        return f"got some positional-only arguments passed as keyword arguments: '{listed}'"

    def _check_count(self) -> str | None:
        given = len(self.arguments.positional)
        if given <= self.positional or self.rest is not None:
            return None
        defaults = len(self.function.defaults)
        least = self.positional - defaults if defaults else None
        named = sum(held is not None for held in self.held[self.positional :])
        slots = _count(self.positional, "slot")
        self.why = f"{slots} for {_count(given, 'positional argument')}, and there is no *args"
        return wording.too_many(least, self.positional, given, named)

    def _take_defaults(self) -> str | None:
        given = len(self.arguments.positional)
        if given >= self.positional:
            return None
        defaults = self.function.defaults
        first = self.positional - len(defaults)  # slot of the first default; may be below 0
        absent = [slot for slot in range(given, first) if self.held[slot] is None]
        if absent:
            # The count is of the slots after the given ones; the names are of all empty ones.
            names = [n for n, held in zip(self.names[:first], self.held, strict=False) if not held]
            self.why = f"{', '.join(names)}: no argument and no default"
            return wording.missing(names, "positional")
        for slot in range(max(given, first), self.positional):
            if self.held[slot] is None:
                self._put("default", slot, Given(defaults[slot - first], "the default"))
        return None

    def _take_keyword_defaults(self) -> str | None:
        defaults = dict(self.function.kwdefaults)
        absent = []
        for slot in range(self.positional, self.total):
            if self.held[slot] is not None:
                continue
            default = defaults.get(self.names[slot])
            if default is None:
                absent.append(self.names[slot])
            else:
                self._put("default", slot, Given(default, "the default"))
        if not absent:
            return None
        self.why = f"{', '.join(absent)}: no keyword argument and no default"
        return wording.missing(absent, "keyword-only")


def _listed(given: Sequence[Given]) -> str:
    return ", ".join(each.value.text for each in given) + ("," if len(given) == 1 else "")


def _shown(value: Value, text: str) -> Value:
    """The value with another text, if that is short enough to be better."""
    if len(text) > 80:
        return value
    return Value(value.type_name, text, value.identity, value.object)


def _left_over(count: int) -> str:
    return _count(count, "argument") + " left over"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
