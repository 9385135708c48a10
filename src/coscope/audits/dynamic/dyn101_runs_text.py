"""`eval`, `exec` or `compile` is given what is no constant.

Whoever can choose the text or code chooses what the process does. The rule follows it inside of
the function, through local variables, string operations, f-strings and `ast.parse`, and says where
it comes from: a parameter, a global, an attribute, the result of a call. Not reported are text
that is made of constants alone, `eval(repr(x))`, trees that the function itself makes of `ast`
nodes, `compile` to a syntax tree, and `exec` of what a reported `compile` has made.

    def total(rows, formula):
        return eval(formula, {"rows": rows})     the parameter formula becomes code

A parameter makes it a warning, since the caller decides; anything else is for your information.

Write what you mean as code: a dict of functions instead of names in text, `getattr` instead of
`eval("x." + name)`, `ast.literal_eval` for literals, `operator` for operations.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.facts import Subject
from coscope.audits.facts_calls import Call
from coscope.audits.facts_flow import Origin, sources_of
from coscope.audits.facts_names import callee_of, reads_name
from coscope.flow.domains.origin import Origins
from coscope.model import Finding

CODE = "DYN101"
SEVERITY = "info"
NAMES = frozenset({"eval", "exec", "compile"})

_VERBS = {
    "eval": "runs what comes from",
    "exec": "runs what comes from",
    "compile": "makes code of what comes from",
}
_SHOWN = 4  # sources
_WHY = "whoever chooses the text chooses what this process does"


def check(subject: Subject) -> Iterator[Finding]:
    if not reads_name(subject, NAMES) and "builtins" not in subject.code.names:
        return  # such as re.compile
    for call in subject.calls:
        name = callee_of(subject, call)
        name = name.removeprefix("builtins.") if name else None
        if name not in NAMES or not call.positional or _only_parses(subject, call, name):
            continue
        sources = list(_sources(subject, call.positional[0]))
        if not sources or (name != "compile" and _is_made_by_compile(subject, sources)):
            continue
        given = any(source.kind == "parameter" for source in sources)
        yield subject.finding(
            CODE,
            f"{name} {_VERBS[name]} {_listed(sources)}",
            call.index,
            confidence="proved" if call.root == "global" and "." not in name else "likely",
            severity="warning" if given else "info",
            evidence=[
                source.text
                if source.index is None
                else subject.seen(source.index, f"{source.text} ({subject.opnames[source.index]})")
                for source in sources[:_SHOWN]
            ],
            why=_WHY,
            instead="a dict of functions, getattr(), or ast.literal_eval() for literals",
        )


def _sources(subject: Subject, made_by: Origins) -> Iterator[Origin]:
    """Where it comes from, but for constants and what the function makes itself."""
    calls = {call.index: call for call in subject.calls}
    for source in sources_of(subject, made_by):
        call = calls.get(source.index) if source.index is not None else None
        meaning = callee_of(subject, call) if call is not None else None
        if meaning == "ast.parse" and call is not None and call.positional:
            yield from _sources(subject, call.positional[0])
        elif source.kind != "constant" and not _is_own(meaning):
            yield source


def _is_own(meaning: str | None) -> bool:
    """True for `repr` and the classes of `ast`."""
    if meaning is None:
        return False
    return meaning == "repr" or (meaning.startswith("ast.") and meaning[4:5].isupper())


def _only_parses(subject: Subject, call: Call, name: str) -> bool:
    """True for `compile(..., ast.PyCF_ONLY_AST)`."""
    if name != "compile" or call.starred:
        return False
    flags = dict(call.keywords).get("flags") or (call.positional[3:4] or (None,))[0]
    found = [] if flags is None else sources_of(subject, flags)
    return any("PyCF_ONLY_AST" in source.text for source in found)


def _is_made_by_compile(subject: Subject, sources: list[Origin]) -> bool:
    """True if every source is a call of `compile`, which has a finding of its own."""
    made = {call.index for call in subject.calls if callee_of(subject, call) == "compile"}
    return all(source.index in made for source in sources)


def _listed(sources: list[Origin]) -> str:
    texts = list(dict.fromkeys(source.text for source in sources))
    if len(texts) > 3:
        return f"{', '.join(texts[:2])} and {len(texts) - 2} other places"
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if texts[1:] else texts)
