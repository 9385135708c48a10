"""Findings about flows: one for each sink, with the way from the source to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from coscope.audits.dynamic.flows import sinks, sources
from coscope.audits.dynamic.flows.judge import Verdict, judged
from coscope.audits.dynamic.flows.places import Place, Source, text_at
from coscope.audits.dynamic.flows.scope import Scope, file_of
from coscope.audits.dynamic.flows.sites import Site, sites_of
from coscope.audits.subject.subject import Subject, definition
from coscope.flow.domains.makers import slot_of_maker
from coscope.model import NOWHERE, Evidence, Finding, Span, Step

_SHOWN = 4  # further sources
_LONGEST = 12  # steps


class _Words(NamedTuple):
    verb: str
    short: str  # of the last step
    why: str
    instead: str


_WORDS = {
    sinks.RUNS: _Words(
        "runs what comes from",
        "runs it",
        "whoever chooses the text chooses what this process does",
        "a dict of functions, getattr(), or ast.literal_eval() for literals",
    ),
    sinks.MARSHAL: _Words(
        "trusts bytes that come from",
        "loads it",
        "bytes that this version did not write can crash the interpreter, and code in them runs",
        'coscope.read("x.pyc") to look at code, json to keep data',
    ),
    sinks.PICKLE: _Words(
        "loads a pickle that comes from",
        "loads it",
        "a pickle is a program: whoever wrote the data chooses what loading it calls",
        "check a MAC first, restrict Unpickler.find_class, or use json",
    ),
    sinks.IMPORTS: _Words(
        "loads code that is named by",
        "loads what it names",
        "importing a module runs it: whoever chooses the name chooses which code runs",
        "a dict of the modules that are meant, or an entry point",
    ),
    sinks.SHELL: _Words(
        "hands to a shell what comes from",
        "hands it to a shell",
        "the shell reads ;, |, $() and ` in it as further commands",
        "a list of arguments without a shell, or shlex.quote() for each part",
    ),
    sinks.YAML: _Words(
        "makes any object that is named in what comes from",
        "loads it",
        "a tag in the document names a class or function, and the loader calls it",
        "yaml.safe_load()",
    ),
    sinks.TEMPLATE: _Words(
        "takes as a template what comes from",
        "takes it as a template",
        "a field of a template reaches attributes of what is put in: {0.__init__.__globals__}",
        "a constant template, or string.Template",
    ),
}


def findings(subject: Subject, rule: str) -> Iterator[Finding]:
    """The findings of one rule about the flows in a code object; all rules share the work."""
    for site, verdict in subject.fact(_judged):
        if site.sink.rule == rule:
            yield _finding(subject, site, verdict)


def _judged(subject: Subject) -> list[tuple[Site, Verdict]]:
    scope = subject.unit.fact(file_of).scope_of_subject(subject)
    found: dict[tuple[int, str], tuple[Site, Verdict]] = {}
    for site in sites_of(scope):
        verdict = judged(scope, site)
        if verdict is None or not (verdict.severity or subject.options.strict):
            continue
        key = site.index, site.sink.rule
        found.setdefault(key, (site, verdict))
    return list(found.values())


def _finding(subject: Subject, site: Site, verdict: Verdict) -> Finding:
    scope = subject.unit.fact(file_of).scope_of_subject(subject)
    words = _WORDS[site.sink.rule]
    verb = "makes code of what comes from" if site.sink.shown == "compile" else words.verb
    return subject.finding(
        site.sink.rule,
        f"{site.sink.shown} {verb} {_told(verdict)}",
        site.index,
        severity=verdict.severity or "info",
        confidence="likely",
        evidence=list(_evidence(verdict)),
        why=words.why,
        instead=words.instead,
        flow=steps(scope, site, verdict.main),
    )


def _told(verdict: Verdict) -> str:
    """The main source; of several parameters all of their names."""
    main = verdict.main
    if main.kind == sources.PARAMETER:
        attribute = _attribute_of(main)
        if attribute:
            return f"the attribute {attribute} of {main.text}"
        same = [each for each in verdict.others if each.kind == main.kind]
        texts = list(dict.fromkeys([main.text, *(each.text for each in same)]))
        if len(texts) > 1:
            return (
                f"{texts[0]} and {len(texts) - 1} more" if len(texts) > 2 else " and ".join(texts)
            )
    comes = sources.COMES.get(main.kind)
    return f"{main.text}, which {comes}" if comes else main.text


def _attribute_of(source: Source) -> str:
    """The attribute that is read of a parameter, as the source has it; "" if none is."""
    place = source.place.above
    if place is None or place.scope is not source.place.scope or place.maker < 0:
        return ""
    reads = place.scope.access(place.maker) == "read attribute"
    called = place.above is not None and place.above.maker in place.scope.calls
    return text_at(place.scope, place.maker) if reads and not called else ""


def _evidence(verdict: Verdict) -> Iterator[Evidence]:
    for reason in verdict.reasons:
        yield Evidence(f"less than a warning: {reason}")
    texts = dict.fromkeys(
        (each.text, _line(each.place)) for each in verdict.others if each.kind != sources.SAFE
    )
    for text, line in list(texts)[:_SHOWN]:
        if text != verdict.main.text:
            yield Evidence(f"it may also come from {text}", None, line)


def _line(place: Place) -> int | None:
    return span_of(place).lineno


def span_of(place: Place) -> Span:
    """Where a value is made; of a parameter, where its function is defined."""
    scope = place.scope
    if place.maker >= 0:
        return scope.subject.span(place.maker)
    if slot_of_maker(place.maker) is None:
        return NOWHERE
    return definition(scope.subject.unit.source, scope.code)


def steps(scope: Scope, site: Site, source: Source) -> list[Step]:
    """The way from a source to the sink."""
    first = source.text
    comes = sources.COMES.get(source.kind)
    found = [
        Step(f"{first} {comes}" if comes else first, span_of(source.place), _code(source.place))
    ]
    place = source.place.above
    while place is not None:
        span = span_of(place)
        if place.maker < 0:
            slot = slot_of_maker(place.maker)
            name = "" if slot is None else place.scope.code.localsplusnames[slot].removeprefix(".")
            text = f"the parameter {name} of {place.scope.code.qualname}"
        else:
            text = text_at(place.scope, place.maker)
        if text != found[-1].text and (span != found[-1].span or place.maker < 0):
            found.append(Step(text, span, _code(place)))
        place = place.above
    if len(found) > _LONGEST:
        left = len(found) - _LONGEST
        found[_LONGEST // 2 : _LONGEST // 2 + left] = []
    words = _WORDS[site.sink.rule]
    sink = f"{site.sink.shown} {words.short}: {text_at(scope, site.index)}"
    found.append(Step(sink, scope.subject.span(site.index), scope.code.qualname))
    return found


def _code(place: Place) -> str:
    return place.scope.code.qualname
