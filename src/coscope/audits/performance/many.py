"""Whether a loop may have many rounds: what each of a few rounds gains, nobody notices."""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.performance.hot import Access, accesses, first_parameter, shared_names
from coscope.audits.performance.rounds import brief_loop, is_short
from coscope.audits.subject.calls import Call
from coscope.audits.subject.loops import LoopFacts
from coscope.audits.subject.origins import Origin, sources_of
from coscope.audits.subject.subject import Subject, Unit
from coscope.errors import CodeError
from coscope.flow.domains.origin import Origins
from coscope.model import Code

_DEEPEST = 4  # calls that an iterable is followed through
_MOST = 12  # code objects that are asked for the loops in which they call a function

# What gives as many items as it is given.
_PASSING = frozenset(
    (
        *("enumerate", "zip", "reversed", "sorted", "iter", "map", "filter", "list", "tuple"),
        *("set", "frozenset", "range", "len", "items", "values", "keys", "split", "rsplit"),
        *("splitlines", "readlines", "finditer", "findall", "strip", "lower", "upper", "decode"),
        *(
            "encode",
            "copy",
            "read",
            "read_text",
            "chain",
            "islice",
            "tee",
            "iterrows",
            "itertuples",
        ),
        *("iter_lines", "xreadlines", "elements", "most_common", "scandir", "walk", "rglob"),
    )
)
_FILES = frozenset({"open", "fdopen", "reader", "DictReader", "TextIOWrapper", "scandir", "walk"})


def many_rounds(subject: Subject, loop: LoopFacts) -> str | None:
    """Why a loop may have many rounds, as a clause; None if nothing in the file shows it.

    A loop in another loop; one over a parameter of the function, or over a file; one of a function
    that the file calls in a loop, or that calls itself; and one that was seen to run.
    """
    seen = subject.unit.ran(subject)
    if seen:
        return seen
    outer = None if loop.parent is None else subject.loops[loop.parent]
    if outer is not None and not is_short(subject, outer):
        return f"the loop is in another one (line {outer.line})"
    fed = _fed(subject, loop)
    if fed is not None:
        return f"a round for each item of {fed}"
    return _called(subject)


def busy_loop(subject: Subject, index: int) -> LoopFacts | None:
    """As `brief_loop`, if the loop may have many rounds."""
    loop = brief_loop(subject, index)
    return None if loop is None or many_rounds(subject, loop) is None else loop


def busy_uses_of_self(subject: Subject, *opnames: str) -> Iterator[Access]:
    """Reads or stores, in such loops, of attributes of `self` that the class body names too."""
    own, shared = first_parameter(subject), shared_names(subject)
    if own is None or not shared:
        return
    for found in accesses(subject, *opnames, of=shared):
        if found.name == own and busy_loop(subject, found.at) is not None:
            yield found


def _fed(subject: Subject, loop: LoopFacts) -> str | None:
    """What decides about the number of rounds: a parameter, or a file."""
    if loop.iterates is None:
        return None
    taken = subject.takers.get(loop.iterates)
    if taken is None or not taken[1]:
        return None
    made_by = taken[1][-1]
    if any(at >= 0 and subject.instructions.argval(at) == ".0" for at in made_by):
        return _fed_from_outside(subject)
    return _source(subject, made_by, _DEEPEST)


def _fed_from_outside(subject: Subject) -> str | None:
    """The same of a comprehension or generator expression that is code of its own."""
    if subject.parent is None:
        return None
    outer = Subject(subject.parent, subject.unit)
    for call in outer.calls:
        made = [at for at in call.callee if at > 0 and outer.opnames[at] == "MAKE_FUNCTION"]
        loads = [outer.instructions.argval(each) for at in made for each in (at - 1, at - 2)]
        if any(each is subject.code for each in loads) and len(call.positional) == 1:
            index = call.index
            around = outer.loop_at(index)
            if around is not None:
                return f"what the loop around it gives (line {around.line})"
            return _source(outer, call.positional[0], _DEEPEST)
    return None


def _source(subject: Subject, made_by: Origins, depth: int) -> str | None:
    calls = {call.index: call for call in subject.calls}
    for each in sources_of(subject, _iterated(subject, made_by)):
        found = _of_origin(subject, each, calls, depth)
        if found is not None:
            return found
    return None


def _iterated(subject: Subject, made_by: Origins) -> Origins:
    """What an iterator was made of.

    Later releases of 3.13 make an iterator of the iterator of a comprehension once more.
    """
    found: set[int] = set()
    pending, seen = list(made_by), set(made_by)
    while pending:
        at = pending.pop()
        taken = subject.takers.get(at) if at >= 0 else None
        if taken is not None and subject.opnames[at] in ("GET_ITER", "LIST_EXTEND") and taken[1]:
            pending += taken[1][-1] - seen
            seen |= taken[1][-1]
        else:
            found.add(at)
    return frozenset(found)


def _of_origin(subject: Subject, origin: Origin, calls: dict[int, Call], depth: int) -> str | None:
    if origin.kind == "parameter":
        name = origin.text.removeprefix("the parameter ")
        return origin.text if name in _given(subject.code) else None
    if origin.kind == "context":
        return "a file" if "open" in origin.text else None
    call = calls.get(-1 if origin.index is None else origin.index)
    if call is None or not depth:
        return None
    return _of_call(subject, call, depth - 1)


def _of_call(subject: Subject, call: Call, depth: int) -> str | None:
    name = (call.path or "").rpartition(".")[2] or _attribute(subject, call)
    if name in _FILES:
        return "a file"
    if name not in _PASSING:
        return None
    owners = [subject.takers[at][1][0] for at in call.callee if _has_owner(subject, at)]
    for made_by in (*owners, *call.positional):
        found = _source(subject, made_by, depth)
        if found is not None:
            return found
    return None


def _attribute(subject: Subject, call: Call) -> str:
    made = [at for at in call.callee if _has_owner(subject, at)]
    return str(subject.instructions.argval(made[0])) if len(made) == 1 else ""


def _has_owner(subject: Subject, at: int) -> bool:
    if at < 0 or at not in subject.takers:
        return False
    row = subject.rules.by_code[subject.instructions.opcodes[at]]
    return row is not None and "read attribute" in row.access


def _given(code: Code) -> frozenset[str]:
    """The parameters that may be long: none with asterisks, and not the instance or class."""
    names = code.varnames[: code.argcount + code.kwonlyargcount]
    return frozenset(names) - {"self", "cls", "mcs", "mcls", "metacls"}


def _called(subject: Subject) -> str | None:
    """Where the file calls the function in a loop, or the function itself."""
    code = subject.code
    if not code.name.isidentifier() or code.kind in ("module", "class body"):
        return None
    if any(_names(call) == code.name for call in subject.calls) and code.name in code.names:
        return f"{code.name} calls itself"
    callers = [
        each
        for each in subject.unit.codes
        if code.name in each.names or code.name in each.freevars or code.name in each.varnames
    ]
    for each in callers[:_MOST] if not code.name.startswith("__") else ():
        line = _calls_in_a_loop(each, code.name, subject.unit)
        if line is not None:
            return f"{code.name} is called in a loop (line {line})"
    return None


def _calls_in_a_loop(code: Code, name: str, unit: Unit) -> int | None:
    inside = Subject(code, unit)
    try:
        if not inside.loops:
            return None
        for call in inside.calls:
            loop = inside.loop_at(call.index) if _names(call) == name else None
            if loop is not None and not is_short(inside, loop):
                return inside.span(call.index).lineno
    except CodeError:
        return None
    return None


def _names(call: Call) -> str:
    return (call.path or "").rpartition(".")[2]
