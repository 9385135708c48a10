"""A code object or a function is made by hand.

`types.CodeType(...)` and `code.replace(co_code=...)` make a code object of whatever they are
given; CPython runs it without a check, and a wrong index, stack size or table crashes the process.
The arguments of `CodeType` differ in every version. `types.FunctionType(...)` checks the number of
free variables only, and on 3.13 the function that it makes is never specialised: calls take about
6 ns longer for good.

    code = f.__code__.replace(co_code=new, co_stacksize=2)
    g = types.FunctionType(code, f.__globals__)

A function that is made of another one's `__code__` is reported on 3.13 alone, and not at all one of
code that a caller hands over under the name `code`: that is what a REPL does, or an unpickler.

`replace` of names and lines alone (co_name, co_qualname, co_filename, co_firstlineno) is harmless
and not reported.

Instead, where a program runs it for its users: a closure, `functools.partial` or a parameter for
what varies; else source (or a syntax tree) that `compile` translates, which no version can misread.
A tool that must change bytecode verifies it before it runs: `coscope.verify`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.dynamic.words import CODE_WORDS
from coscope.audits.prefilter.glances import Glance, first_parts
from coscope.audits.subject.calls import Call
from coscope.audits.subject.names import callee_of, imports_of
from coscope.audits.subject.origins import sources_of
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "DYN105"
SEVERITY = "warning"
NAMES = frozenset({"CodeType", "FunctionType", "LambdaType", "replace"})

_HARMLESS = frozenset({"co_name", "co_qualname", "co_filename", "co_firstlineno"})
_MAKERS = {
    "types.CodeType": "a code object",
    "types.FunctionType": "a function",
    "types.LambdaType": "a function",
}
_FUNCTION = "a closure, functools.partial or a parameter for what varies"
_CODE = "source that compile() translates; if it must be bytecode, coscope.verify before it runs"


def may_find(seen: Glance) -> bool:
    if "types" in seen.file.roots or "types" in first_parts(seen.names):
        return True
    tuples = (each for each in seen.consts if type(each) is tuple)
    return any(type(word) is str and word.startswith("co_") for each in tuples for word in each)


def check(subject: Subject) -> Iterator[Finding]:
    if not imports_of(subject, "types") and not _has_fields(subject):
        return  # such as text.replace("a", "b")
    loses = subject.rules.behaves("functions_lose_version")
    for call in subject.calls:
        name = callee_of(subject, call)
        if name in _MAKERS:
            code = name == "types.CodeType"
            if not code and _is_harmless(subject, call, loses):
                continue
            yield subject.finding(
                CODE,
                f"{name} makes {_MAKERS[name]} by hand",
                call.index,
                severity="warning" if code else "info",
                evidence=[subject.seen(call.index)],
                why=_why(subject, code),
                instead=_CODE if code else _FUNCTION,
            )
        elif call.keywords and _is_replace(subject, call):
            yield from _replaced(subject, call)


def _is_harmless(subject: Subject, call: Call, loses: bool) -> bool:
    """True for a function of code that was not changed: a copy, or what a caller hands over.

    Args:
        subject: The code.
        call: Of FunctionType.
        loses: Functions made so are never specialised in this version, so a copy has a price.
    """
    return (not loses and _is_copy(subject, call)) or _is_handed_over(subject, call)


def _is_assigned(subject: Subject, call: Call) -> bool:
    """True if it becomes the code of a function at once: DYN104 reports that."""
    stores = subject.where("STORE_ATTR")
    return any(
        subject.instructions.argval(at) == "__code__" and call.index in subject.takers[at][1][0]
        for at in stores
        if at in subject.takers
    )


def _is_copy(subject: Subject, call: Call) -> bool:
    """True if the code of the new function is that of another function."""
    made_by = call.positional[0] if call.positional else dict(call.keywords).get("code")
    sources = () if made_by is None else sources_of(subject, made_by)
    return bool(sources) and all(
        each.kind == "attribute" and each.text.endswith(".__code__") for each in sources
    )


def _is_handed_over(subject: Subject, call: Call) -> bool:
    """True if the code comes from a caller under a name that says so: a REPL, an unpickler."""
    made_by = call.positional[0] if call.positional else dict(call.keywords).get("code")
    sources = () if made_by is None else sources_of(subject, made_by)
    return bool(sources) and all(
        each.kind in ("parameter", "cell") and each.text.split(" ")[-1].strip("_") in CODE_WORDS
        for each in sources
    )


def _has_fields(subject: Subject) -> bool:
    """True if the code has names of keyword arguments that begin as fields of a code object do."""
    return any(
        type(name) is str and name.startswith("co_")
        for held in subject.code.consts
        if type(held) is tuple
        for name in held
    )


def _is_replace(subject: Subject, call: Call) -> bool:
    """True if what is called is an attribute `replace`, of whatever."""
    columns, rows = subject.instructions, subject.rules.by_code
    return any(
        at >= 0
        and "read attribute" in getattr(rows[columns.opcodes[at]], "access", ())
        and columns.argval(at) == "replace"
        for at in call.callee
    )


def _replaced(subject: Subject, call: Call) -> Iterator[Finding]:
    fields = [name for name, _ in call.keywords if name.startswith("co_")]
    changed = [name for name in fields if name not in _HARMLESS]
    if changed == ["co_consts"] and "co_filename" in fields:
        return  # nested code is given the same file name
    if changed and not _is_assigned(subject, call):
        yield subject.finding(
            CODE,
            f"replace makes a code object with another {', '.join(changed)}",
            call.index,
            evidence=[subject.seen(call.index)],
            why=_why(subject, True),
            instead=_CODE,
        )


def _why(subject: Subject, code: bool) -> str:
    if code:
        return "the interpreter runs it unchecked: a wrong index or stack size crashes the process"
    if subject.rules.behaves("functions_lose_version"):
        return (
            f"on {subject.version} such a function is never specialised:"
            " its calls take about 6 ns longer"
        )
    return "only the number of its free variables is checked"
