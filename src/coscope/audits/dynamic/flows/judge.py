"""How serious it is that a value reaches a sink: by where it comes from, and what was checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from coscope.audits.dynamic.flows import sinks, sources
from coscope.audits.dynamic.flows.guards import guards_at
from coscope.audits.dynamic.flows.meaning import meanings_of
from coscope.audits.dynamic.flows.places import Place, Source, text_at
from coscope.audits.dynamic.flows.scope import Scope
from coscope.audits.dynamic.flows.sites import Site
from coscope.audits.dynamic.flows.walk import Walk
from coscope.flow.domains.makers import Makers

# Sources that somebody else controls, wherever the code runs.
_OUTSIDE = frozenset({sources.NETWORK, sources.INPUT, sources.MODEL, sources.DATABASE})
_DATA = (sinks.PICKLE, sinks.MARSHAL, sinks.YAML)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a site comes to.

    Attributes:
        severity: "warning" or "info"; "": nothing is reported without `--strict`.
        main: The source that the finding is about.
        others: The rest of what is no constant.
        reasons: Why it is less than a warning.
    """

    severity: str
    main: Source
    others: tuple[Source, ...]
    reasons: tuple[str, ...]


def judged(scope: Scope, site: Site) -> Verdict | None:
    """The verdict about a site; None where only constants reach it."""
    found: list[Source] = []
    for makers in site.values:
        found += Walk(site.sink.rule).run(scope, makers)
    generates = any(_begins_definition(each.place) for each in found)
    found = [each for each in found if each.kind != sources.CONSTANT]
    if not found:
        return None
    checks: dict[tuple[int, int], list[tuple[Makers, bool, str]]] = {}
    found = [_checked(each, scope, site, checks) for each in found]
    found.sort(key=_rank)
    main = found[0]
    named = dict.fromkeys((each.text, each.reason) for each in found if each.reason)
    if main.kind == sources.SAFE:
        return Verdict("", main, (), tuple(dict.fromkeys(reason for _, reason in named)))
    chosen = any(each.place.path and each.kind not in _HARMLESS for each in found)
    others = tuple(each for each in found[1:] if not each.place.path)
    severity, reason = _severity(scope, site, main, chosen)
    if generates and site.sink.rule == sinks.RUNS and main.kind == sources.PARAMETER:
        reason = "it is a code generator: the text is a constant template"
    reasons = [each for each in (site.meant, main.reason, reason) if each]
    if site.quiet:
        return Verdict("", main, others, tuple(reasons))
    if reasons and severity == "warning":
        severity = "info"
    return Verdict(severity, main, others, tuple(reasons))


_HARMLESS = (sources.SAFE, sources.UNKNOWN, sources.CONSTANT, sources.FILE)


def _rank(source: Source) -> tuple[bool, int, bool, int]:
    """What says the most first: what is not checked, by kind, the shortest way."""
    return (
        source.place.path,
        sources.RANK[source.kind],
        bool(source.reason),
        _length(source.place),
    )


def _length(place: Place | None) -> int:
    count = 0
    while place is not None:
        count, place = count + 1, place.above
    return count


# Checks on the way


def _checked(
    source: Source,
    scope: Scope,
    site: Site,
    known: dict[tuple[int, int], list[tuple[Makers, bool, str]]],
) -> Source:
    """The source with the reason that a check on its way is; safe if nothing harmful passes it."""
    if source.kind in (sources.SAFE, sources.UNKNOWN) or source.place.path:
        return source
    for place, index in _points(source.place, site.index):
        key = id(place.scope), index
        if key not in known:
            known[key] = list(guards_at(place.scope, index))
        for makers, safe, reason in known[key]:
            if makers and place.maker not in makers:
                continue
            if not makers and site.sink.rule not in _DATA:
                continue
            if safe:
                return replace(source, kind=sources.SAFE, reason=reason)
            source = source if source.reason else replace(source, reason=reason)
    return source


def _points(place: Place, sink: int) -> Iterator[tuple[Place, int]]:
    """The values on the way from a source, each with the instruction that hands it on."""
    chain: list[Place] = []
    at: Place | None = place
    while at is not None:
        chain.append(at)
        at = at.above
    point: int | None = sink
    below: Place | None = None
    for each in reversed(chain):  # from the sink on
        if each.at is not None:
            point = each.at
        elif below is not None and below.scope is not each.scope:
            point = None
        if point is not None:
            yield each, point
        if below is not None and below.scope is each.scope and below.maker >= 0:
            yield each, below.maker  # where it is used
        below = each


# Severity


def _severity(scope: Scope, site: Site, main: Source, chosen: bool) -> tuple[str, str]:
    """The severity by the rule and the kind of source, and why it is not a warning."""
    rule, kind = site.sink.rule, main.kind
    if kind == sources.UNKNOWN:
        named = rule == sinks.IMPORTS and bool(main.reason)  # after an object that is there
        return ("" if rule == sinks.TEMPLATE or named else "info"), ""
    meant = _is_meant(scope, site, main) or _annotated(main)
    if kind in _OUTSIDE:
        plugin = rule == sinks.IMPORTS and kind == sources.INPUT
        return "info" if plugin else "warning", meant
    if rule == sinks.TEMPLATE and kind == sources.PARAMETER and _is_held(main.place):
        return "", ""
    return _BY_RULE[rule](site, main, chosen), meant or _named(site, main)


def _runs(site: Site, main: Source, chosen: bool) -> str:
    if main.kind == sources.FILE and site.sink.shown in ("exec", "compile", "execfile"):
        return "warning" if chosen and len(site.call.positional) < 2 else "info"
    return "warning"


def _loads(site: Site, main: Source, chosen: bool) -> str:
    return "warning" if main.kind != sources.FILE or chosen else "info"


def _starts(site: Site, main: Source, chosen: bool) -> str:
    return "warning"


def _informs(site: Site, main: Source, chosen: bool) -> str:
    return "info"


def _renders(site: Site, main: Source, chosen: bool) -> str:
    return "info" if site.sink.shown in ("format", "format_map") else "warning"


_BY_RULE: dict[str, Callable[[Site, Source, bool], str]] = {
    sinks.RUNS: _runs,
    sinks.MARSHAL: _loads,
    sinks.PICKLE: _loads,
    sinks.YAML: _loads,
    sinks.SHELL: _starts,
    sinks.IMPORTS: _informs,
    sinks.TEMPLATE: _renders,
}


# What is meant

_COMMANDS = frozenset({"cmd", "command", "cmdline", "command_line", "commands", "shell_command"})
_CONSOLES = re.compile(
    r"repl|console|interact|pdb|debug|shell|prompt|ipython|notebook|runsource|push", re.IGNORECASE
)
_RUNNERS = re.compile(
    r"exec_?file|execute_?file|run_?(?:file|script|path|module)|load_?config|startup"
)
_HOOKS = re.compile(r"init[-_]?hook|startup|sitecustomize|pythonrc|user_?code", re.IGNORECASE)
_GENERATED = re.compile(r"\s*(?:@|(?:async )?def |class |lambda\b|import |from \w+ import )")


def _named(site: Site, main: Source) -> str:
    """What the name of a parameter says that it is meant for."""
    name = main.name.strip("_").lower()
    if main.kind != sources.PARAMETER or not name:
        return ""
    if site.sink.rule == sinks.RUNS and name in sources.CODE_NAMES:
        return f"the parameter {main.name} is meant to be code"
    if site.sink.rule == sinks.SHELL and name in _COMMANDS:
        return f"the parameter {main.name} is meant to be a command"
    return ""


def _is_meant(scope: Scope, site: Site, main: Source) -> str:
    """Why running the value is what the function is for; "" if nothing says so."""
    if site.sink.rule == sinks.MARSHAL and _knows_magic(scope):
        return "the file looks at a magic number first"
    if site.sink.rule in _DATA and main.kind == sources.FILE and _writes(scope):
        return "the same function writes such a file"
    if site.sink.rule != sinks.RUNS:
        return ""
    for makers in site.call.positional[1:3]:
        names = meanings_of(scope, makers)
        if any(each.endswith((".f_globals", ".f_locals")) for each in names):
            return "it runs in the namespace of a frame, as a debugger's expressions do"
    code = scope.code
    where = f"{code.qualname} {scope.subject.unit.file.replace(chr(92), '/').rpartition('/')[2]}"
    typed = main.kind == sources.INPUT and site.sink.shown != "eval"
    if (typed or main.kind == sources.PARAMETER) and _CONSOLES.search(where):
        return "it is a console: it runs what is typed"
    if main.kind == sources.FILE and _RUNNERS.search(code.qualname):
        return "its name says that it executes a file"
    if _HOOKS.search(f"{code.qualname} {text_at(scope, site.index)}"):
        return "it is a hook for code of the user"
    return ""


def _annotated(main: Source) -> str:
    """A parameter that is annotated as a number is meant to be one."""
    if main.kind != sources.PARAMETER:
        return ""
    code = main.place.scope.code
    source = main.place.scope.subject.unit.source
    header = []
    for line in () if source is None else source.lines[code.firstlineno - 1 :][:_HEADER]:
        header.append(line)
        if line.rstrip().endswith(":"):
            break
    found = re.search(rf"\b{re.escape(main.name)}\s*:\s*(int|float|bool)\s*[,=)]", "".join(header))
    return f"the parameter {main.name} is annotated as {found[1]}" if found else ""


_HEADER = 30  # lines that a definition may take, decorators included


def _knows_magic(scope: Scope) -> bool:
    """True if a name in the file speaks of a magic number."""
    codes = scope.file.codes
    return any("magic" in name.lower() for code in codes for name in (*code.names, *code.varnames))


def _writes(scope: Scope) -> bool:
    """True if the code itself pickles something."""
    calls = scope.calls.values()
    return any(meanings_of(scope, call.callee) & sources.OWN_PICKLE for call in calls)


def _begins_definition(place: Place) -> bool:
    """True for a constant text that begins as a definition or an import does."""
    if place.maker < 0 or not place.scope.is_constant(place.maker):
        return False
    value = place.scope.code.instructions.argval(place.maker)
    return isinstance(value, str) and _GENERATED.match(value) is not None


def _is_held(place: Place | None) -> bool:
    """True if an object of an object holds the value: a setting, not what a caller chooses."""
    reads = 0
    while place is not None:
        scope = place.scope
        if place.maker >= 0 and scope.access(place.maker) == "read attribute":
            reads += place.above is None or place.above.maker not in scope.calls
        place = place.above
    return reads > 1
