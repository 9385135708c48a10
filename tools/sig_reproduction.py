"""Reproduces what a SIG finding says by a real call: of the object, or of the one that asks it."""

from __future__ import annotations

import inspect
import pickle
import re
import sys
import typing
import warnings
from collections.abc import Callable, Iterator
from types import FrameType, FunctionType
from typing import Any

from coscope.audits.signature.callables import callable_of, functions_in, signatures_of
from coscope.audits.signature.sig101_admits_too_much import asked
from coscope.audits.subject.subject import Subject
from coscope.facts.signatures.annotations import Annotation
from coscope.facts.signatures.signatures import Signatures
from coscope.model import Finding

Answer = tuple[bool, str]  # whether it holds, and what was called and seen

_BINDING = re.compile(
    r"missing \d+ required|unexpected keyword|got multiple values|takes .*argument|"
    r"got some positional-only|required keyword-only|takes no arguments|missing required"
)


def reproduced(finding: Finding, subject: Subject) -> Answer:
    """Make the call. Anything that it raises besides what was foretold is no reproduction."""
    found = signatures_of(subject)
    check = _CHECKS.get(finding.rule)
    if check is None or subject.live is None:
        return False, "there is no call that shows it"
    try:
        return check(finding, subject, found)
    except BaseException as error:
        return False, f"{type(error).__name__}: {error}"[:200]


def _rejects(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
    """SIG101, SIG102: the witness call fits inspect.signature, and raises TypeError."""
    told = {each.text for each in finding.evidence}
    name, held, witness = next(
        (name, held, each)
        for name, held in asked(subject)
        for each in held.witnesses
        if f"the call {name}({each.arguments})" in told
    )
    thing = held.object
    positional, keywords = witness.values
    inspect.signature(thing).bind(*positional, **keywords)
    seen = ""
    for first in _receivers(subject, thing, positional[:1]):
        try:
            _drive(thing(*first, *positional[1:], **keywords))
        except TypeError as error:
            if _BINDING.search(str(error)):
                return True, f"{name}({witness.arguments}): TypeError: {error}"
            seen = f"TypeError: {error}"
        except Exception as error:
            seen = f"{type(error).__name__}: {error}"
        else:
            seen = "it was accepted"
    return False, f"{name}({witness.arguments}): {seen}"


def _receivers(subject: Subject, thing: Any, first: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The first argument as the witness has it; of a method, then instances of its class."""
    yield first
    live = subject.live
    if live is None or not first or not live.in_class or thing is not live.thing:
        return
    for make in (live.owner, lambda: object.__new__(live.owner)):
        try:
            yield (make(),)
        except Exception:
            continue


def _drive(given: Any) -> None:
    """Run what a call gave as far as its first stop."""
    if inspect.iscoroutine(given) or inspect.isgenerator(given):
        try:
            next(given) if inspect.isgenerator(given) else given.send(None)
        except StopIteration:
            return
        finally:
            given.close()


def _lacks_wraps(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
    """SIG103: the name is lost, and inspect.signature says other than of the function inside."""
    assert found is not None
    outer, inner = functions_in(found)[:2]
    assert subject.live is not None
    said, meant = inspect.signature(outer.object), inspect.signature(inner.object)
    lost = outer.object.__name__ != subject.live.name == inner.object.__name__
    return lost and said != meant, f"__name__ is {outer.object.__name__}, inspect.signature {said}"


def _asks(question: Callable[[Any], bool]) -> Callable[..., Answer]:
    """SIG104, SIG105: the question says no of the wrapper, and yes of what is inside."""

    def check(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
        assert found is not None
        links = functions_in(found)
        outer = question(links[0].object)
        inner = any(question(link.object) for link in links[1:])
        return inner and not outer, f"{question.__name__}: {outer}, of what it wraps: {inner}"

    return check


def _generator(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
    asynchronous = "async generator" in finding.message
    question = inspect.isasyncgenfunction if asynchronous else inspect.isgeneratorfunction
    return _asks(question)(finding, subject, found)


def _drifts(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
    """SIG106: a call without the argument starts the inner function with another value."""
    assert found is not None
    assert subject.live is not None
    thing = callable_of(subject.live)
    name = re.search(r"reports (\w+)=", finding.message)
    assert name is not None
    said = inspect.signature(thing).parameters[name[1]].default
    inner = functions_in(found)[-1].object
    seen: list[Any] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code is inner.__code__ and name[1] in frame.f_locals:
            seen.append(frame.f_locals[name[1]])
            raise _Seen

    required = [
        p
        for p in inspect.signature(thing).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    sys.setprofile(watch)
    try:
        thing(*range(1, len(required) + 1))
    except BaseException:
        seen = seen or []
    finally:
        sys.setprofile(None)
    if not seen:
        return False, "the function inside was not reached"
    return seen[0] is not said, f"a call without {name[1]} passes {seen[0]!r}, not {said!r}"[:200]


class _Seen(BaseException):
    """The function inside was reached: it need not run."""


def _does_not_evaluate(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
    """SIG107: typing.get_type_hints raises."""
    assert subject.live is not None
    try:
        typing.get_type_hints(subject.live.function)
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        return True, f"typing.get_type_hints raised {type(error).__name__}: {error}"[:200]
    return False, "typing.get_type_hints gave an answer"


def _two_meanings(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
    """SIG108: the text evaluated in both modules gives two objects."""
    assert found is not None
    links = functions_in(found)
    told = next(
        each for each in found.annotations if f"{each.name}: {each.text} " in finding.message
    )
    here = _evaluated(told, links[0].object)
    there = _evaluated(told, links[-1].object)
    return here is not there and here != there, f"{here!r} and {there!r}"[:200]


def _evaluated(annotation: Annotation, function: FunctionType) -> Any:
    text = annotation.text.strip("'\"")
    return eval(text, function.__globals__, {})


def _not_pickled(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
    """SIG109: pickle refuses it."""
    assert subject.live is not None
    try:
        pickle.dumps(subject.live.thing)
    except Exception as error:
        return True, f"pickle.dumps raised {type(error).__name__}: {error}"[:200]
    return False, "it was pickled"


def _does_not_fit(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
    """SIG110: what is assigned is of no parameter: a call by that keyword is rejected."""
    assert subject.live is not None
    assert subject.live.function is not None
    function = subject.live.function
    code = function.__code__
    if len(function.__closure__ or ()) != len(code.co_freevars):
        return True, "the closure has other cells than the code wants"
    if len(function.__defaults__ or ()) > code.co_argcount:
        try:
            inspect.Signature.from_callable(function)
        except (IndexError, ValueError, TypeError) as error:
            return True, f"inspect.signature raised {type(error).__name__}: {error}"
        return True, f"{len(function.__defaults__ or ())} defaults, {code.co_argcount} parameters"
    strange = next(
        name
        for name in function.__kwdefaults__ or {}
        if name not in code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
    )
    known = strange in inspect.signature(function, follow_wrapped=False).parameters
    return not known, f"{strange} is no parameter"


def _binds(finding: Finding, subject: Subject, found: Signatures | None) -> Answer:
    """SIG111: 3.13 warns when it is reached through an instance, 3.14 gives it the instance."""
    assert subject.live is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            bound = subject.live.thing.__get__(object(), subject.live.owner)
        except FutureWarning as warning:
            return True, f"FutureWarning: {warning}"
        return bound is not subject.live.thing, f"it gives {type(bound).__name__}"


_CHECKS: dict[str, Callable[[Finding, Subject, Signatures | None], Answer]] = {
    "SIG101": _rejects,
    "SIG102": _rejects,
    "SIG103": _lacks_wraps,
    "SIG104": _asks(inspect.iscoroutinefunction),
    "SIG105": _generator,
    "SIG106": _drifts,
    "SIG107": _does_not_evaluate,
    "SIG108": _two_meanings,
    "SIG109": _not_pickled,
    "SIG110": _does_not_fit,
    "SIG111": _binds,
}
