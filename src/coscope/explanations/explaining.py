"""`explain`: an exception -> what failed, in which expression, with which values.

Nothing of the user's runs: no `__repr__`, `__str__`, `__eq__`, `__hash__`, property or
`__getattr__`. It never raises, and is bounded in time and size.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from types import CodeType, FrameType, TracebackType
from typing import NamedTuple, Protocol

from coscope.errors import InputError
from coscope.explanations.arguments import passed_by
from coscope.explanations.case import Case, built_in, message_of
from coscope.explanations.handling import where_handled
from coscope.explanations.model import Diagnosis, Related, SourceLine, Stop
from coscope.explanations.secrets import Redaction
from coscope.explanations.stops import Workshop, small_stop, stop_of
from coscope.explanations.values import Scene
from coscope.explanations.words import sentences
from coscope.explanations.words.calls import refused_value
from coscope.readers.attributes import MISSING, instance_attribute, is_a
from coscope.readers.libraries import is_library
from coscope.readers.values import exact_text, name_of_class, text_of, type_name_of

BUDGET = 2.0  # seconds, if the caller does not say
_MOST_DETAILED = 20  # frames
_MOST_SMALL = 100  # frames without detail that are listed
_MOST_WALKED = 100_000
_MOST_RELATED = 10
_MOST_LOCALS = 1000  # of a frame, that are searched for secrets
_DEEPEST = 6  # causes of causes
_PERIOD = 6  # functions in one cycle of a recursion


class Record(Protocol):
    """What a recorded run knows of a frame."""

    def locals_at(self, error: BaseException, frame: FrameType) -> Mapping[str, object] | None:
        """The locals when the exception passed through the frame."""

    def stores_of(self, frame: FrameType) -> dict[str, int]:
        """By variable: byte offset of the store that ran last."""


class _Place(NamedTuple):
    """One entry of a traceback."""

    frame: FrameType
    lasti: int
    line: int | None
    repeated: int = 0


def explain(
    error: BaseException | None = None,
    *,
    budget: float = BUDGET,
    record: Record | None = None,
) -> Diagnosis:
    """Explain an exception that was raised.

    Args:
        error: The exception; the one that is being handled, else the last that nobody caught,
            if it is not given.
        budget: Seconds, about.
        record: What a recorded run knows.

    Returns:
        The failing expression of each frame of the user's code, the values of its operands where
        they are known without running anything, where they came from, and the failure in words.
        What could not be found out is a note.

    Raises:
        InputError: There is no exception, or it is not one.

    >>> def total(order): return order.sum
    >>> try: total(None)
    ... except AttributeError as error: found = explain(error)
    >>> found.words[0]
    '`order` is None, which has no attribute `sum`.'
    """
    thing = current() if error is None else error
    if thing is None:
        raise InputError("there is no exception to explain", hint="Call it in an `except` block.")
    if not is_a(thing, BaseException):
        raise InputError("this is not an exception", found=type_name_of(thing))
    work = _Explaining(budget, record)
    return work.redaction.scrubbed(work.explained(thing, 0))


def current() -> BaseException | None:
    """The exception that is being handled, else the last that nobody caught."""
    found = sys.exc_info()[1]
    if found is None:
        found = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return found


class _Explaining:
    """One explanation: its deadline, and what is found out once."""

    def __init__(self, budget: float, record: Record | None) -> None:
        self.deadline = monotonic() + budget
        self.record = record
        self.workshop = Workshop()
        self.redaction = Redaction()
        self.seen: set[int] = set()
        self.notes: list[str] = []

    def explained(self, error: BaseException, depth: int) -> Diagnosis:
        """One exception, then what it came from."""
        self.seen.add(id(error))
        notes: list[str] = []
        stops: list[Stop] = []
        words: list[str] = []
        try:
            stops, words = self._stops_and_words(error, notes)
        except Exception as fault:  # of ours: the user's own failure is shown all the same
            notes.append(f"coscope failed here, please report it: {_named(fault)}")
            stops = stops or _plain_stops(error)
        related = tuple(self._related(error, depth)) if depth < _DEEPEST else ()
        return Diagnosis(
            type_name=name_of_class(type(error)),
            message=_message(error),
            words=tuple(words),
            stops=tuple(stops),
            added=tuple(_added(error)),
            related=related,
            notes=tuple(notes),
        )

    # Frames

    def _stops_and_words(
        self, error: BaseException, notes: list[str]
    ) -> tuple[list[Stop], list[str]]:
        places = _folded(list(_places(error)))
        if is_a(error, SyntaxError):
            stops = [self._small(place) for place in places]
            return [*stops, *_syntax_stop(error)], []
        detailed = self._detailed(places)
        stops = []
        words: list[str] = []
        last_user: Case | None = None
        callers: list[Case] = []
        for number, place in enumerate(places):
            innermost = number == len(places) - 1
            case = None
            if number in detailed or innermost:
                case = self._case(error, place, innermost, notes)
            if case is None:
                stops.append(self._small(place))
                continue
            if innermost and (number in detailed or case.is_a(RecursionError)):
                words = self._words(case, notes)
                words += passed_by(case, callers)
            callers.append(case)
            if number in detailed:
                stops.append(self._stop(case, place))
                last_user = case if not is_library(case.standing.code.filename) else last_user
            else:
                stops.append(self._small(place))
        if last_user is not None and not last_user.innermost:
            words += self._words_of_caller(last_user, places[-1].frame.f_code)
        context = built_in(BaseException, "__context__", error)
        if places and is_a(context, BaseException):
            words += where_handled(self.workshop, error, context)  # type: ignore[arg-type]
        return _shortened(stops, notes), words

    def _detailed(self, places: list[_Place]) -> set[int]:
        """The frames that are shown in detail: the user's own; if there is none, the last."""
        own = [
            at for at, place in enumerate(places) if not is_library(place.frame.f_code.co_filename)
        ]
        if not own:
            return {len(places) - 1} if places else set()
        return {*own[:3], *own[3 - _MOST_DETAILED :]} if len(own) > _MOST_DETAILED else set(own)

    def _case(
        self, error: BaseException, place: _Place, innermost: bool, notes: list[str]
    ) -> Case | None:
        if monotonic() > self.deadline:
            note = "the time was used up: not every frame is explained"
            if note not in notes:
                notes.append(note)
            return None
        standing = self.workshop.standing(place.frame.f_code, place.lasti)
        if standing is None:
            return None
        scene = Scene(standing, place.frame)
        for name, thing in list(scene.locals.items())[:_MOST_LOCALS]:
            self.redaction.notice(name, thing)
        stores: dict[str, int] = {}
        if self.record is not None:
            scene.snapshot = self.record.locals_at(error, place.frame)
            columns = standing.instructions
            for name, offset in self.record.stores_of(place.frame).items():
                stores[name] = columns.at(offset).index
        return Case(error, scene, self.redaction, innermost=innermost, stores=stores)

    def _stop(self, case: Case, place: _Place) -> Stop:
        warnings = self.workshop.source(place.frame.f_code)[1]
        return _repeated(stop_of(case, place.line, warnings), place)

    def _small(self, place: _Place) -> Stop:
        return _repeated(small_stop(self.workshop.code(place.frame.f_code), place.line), place)

    # Words

    def _words(self, case: Case, notes: list[str]) -> list[str]:
        try:
            return sentences(case)
        except Exception as fault:  # of ours
            notes.append(f"coscope failed here, please report it: {_named(fault)}")
            return []

    def _words_of_caller(self, case: Case, raiser: CodeType) -> list[str]:
        """What the user's code asked of the library that raised."""
        expression = case.standing.excerpt(case.standing.index)
        if not is_library(raiser.co_filename):
            return []
        by = f": `{expression}`" if expression else ""
        words = [f"It was raised inside {raiser.co_qualname}, which your code called{by}."]
        case.innermost = True
        return [*words, *refused_value(case)]

    # Other exceptions

    def _related(self, error: BaseException, depth: int) -> Iterator[Related]:
        members = built_in(BaseExceptionGroup, "exceptions", error)
        if is_a(error, BaseExceptionGroup) and type(members) is tuple:
            for member in members[:_MOST_RELATED]:
                if is_a(member, BaseException) and id(member) not in self.seen:
                    yield Related("member", self.explained(member, depth + 1))
        cause = built_in(BaseException, "__cause__", error)
        context = built_in(BaseException, "__context__", error)
        suppressed = built_in(BaseException, "__suppress_context__", error)
        if is_a(cause, BaseException):
            if id(cause) not in self.seen:
                yield Related("cause", self.explained(cause, depth + 1))  # type: ignore[arg-type]
        elif is_a(context, BaseException) and not suppressed and id(context) not in self.seen:
            yield Related("context", self.explained(context, depth + 1))  # type: ignore[arg-type]


def _places(error: BaseException) -> Iterator[_Place]:
    """The entries of a traceback, outermost first."""
    entry = built_in(BaseException, "__traceback__", error)
    for _ in range(_MOST_WALKED):
        if type(entry) is not TracebackType:
            return
        yield _Place(entry.tb_frame, entry.tb_lasti, _line_of(entry))
        entry = entry.tb_next


def _line_of(entry: TracebackType) -> int | None:
    line: int | None = entry.tb_lineno
    return line


def _folded(places: list[_Place]) -> list[_Place]:
    """The entries, the cycles of a recursion once each; the last entry always stays."""
    keys = [(id(place.frame.f_code), place.lasti) for place in places]
    found: list[_Place] = []
    at = 0
    last = len(places) - 1
    while at < len(places):
        period, times = _cycle(keys, at, last)
        found += [each._replace(repeated=times - 1) for each in places[at : at + period]]
        at += period * times
    return found


def _cycle(keys: list[tuple[int, int]], at: int, last: int) -> tuple[int, int]:
    """Length of the cycle that begins at an entry, and how often it comes; 1, 1 without."""
    for period in range(1, _PERIOD + 1):
        first = keys[at : at + period]
        times = 1
        while (
            at + (times + 1) * period <= last
            and keys[at + times * period : at + (times + 1) * period] == first
        ):
            times += 1
        if times > 2:
            return period, times
    return 1, 1


def _repeated(stop: Stop, place: _Place) -> Stop:
    if not place.repeated:
        return stop
    from dataclasses import replace

    return replace(stop, repeated=place.repeated)


def _shortened(stops: list[Stop], notes: list[str]) -> list[Stop]:
    if len(stops) <= _MOST_SMALL:
        return stops
    half = _MOST_SMALL // 2
    notes.append(f"{len(stops) - 2 * half:,} frames in the middle are left out")
    return stops[:half] + stops[-half:]


def _plain_stops(error: BaseException) -> list[Stop]:
    """The places alone, where something of ours failed."""
    stops = []
    for place in list(_places(error))[-_MOST_SMALL:]:
        co = place.frame.f_code
        library = is_library(co.co_filename)
        stops.append(Stop(co.co_filename, place.line, co.co_qualname, "function", library))
    return stops


def _syntax_stop(error: BaseException) -> Iterator[Stop]:
    """Where a source could not be compiled."""
    read: Callable[[str], object] = lambda name: built_in(SyntaxError, name, error)  # noqa: E731
    file, line, text = read("filename"), read("lineno"), read("text")
    if type(file) is not str or type(line) is not int:
        return
    lines: tuple[SourceLine, ...] = ()
    if type(text) is str:
        shown = text.split("\n")[0]
        start, stop = read("offset"), read("end_offset")
        if type(start) is int and start > 0:
            end = stop if type(stop) is int and stop > start else start + 1
            lines = (SourceLine(line, shown, start - 1, min(end - 1, len(shown) + 1)),)
        else:
            lines = (SourceLine(line, shown),)
    yield Stop(file, line, "<module>", "module", is_library(file), lines=lines)


def _message(error: BaseException) -> str:
    if is_a(error, SyntaxError):
        message = built_in(SyntaxError, "msg", error)
        return message if type(message) is str else ""
    return message_of(error)


def _added(error: BaseException) -> list[str]:
    """Notes of `add_note`."""
    notes = instance_attribute(error, "__notes__")
    if notes is MISSING or type(notes) is not list:
        return []
    return [exact_text(each) if is_a(each, str) else text_of(each) for each in notes[:20]]


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {message_of(error)}"
