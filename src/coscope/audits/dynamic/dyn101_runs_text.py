"""`eval`, `exec` or `compile` is called with a non-constant argument.

Whoever can choose the text or code chooses what the process does. The rule follows it inside the
function, through local variables, string operations, f-strings and `ast.parse`, and says where it
comes from: a parameter, a global, an attribute, or what was read. Not reported are

- text made of constants alone, including those in a loop over a literal and in a global that only
  the module assigns, once; and text that the function has put together from what it calls;
- `eval(repr(x))`, and trees that the function itself makes of `ast` nodes;
- `compile` to a syntax tree, under the name of a file, of text whose origin is unknown, or only to
  see whether it parses;
- `exec` of what a reported `compile` has made, and of a file in a namespace of its own;
- what is evaluated in the namespace of a frame, and what runs in a namespace that is passed with
  it and is plainly meant to be code: a parameter called `code` or `source`, or text that a code
  generator has made.

    def total(rows, formula):
        return eval(formula, {"rows": rows})     the parameter formula becomes code

Text that the caller gives under another name, or that the function reads, makes it a warning;
anything else is for your information.

Write what you mean as code: a dict of functions instead of names in text, `getattr` instead of
`eval("x." + name)`, `ast.literal_eval` for literals, `operator` for operations.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.dynamic.words import CODE_WORDS
from coscope.audits.prefilter.glances import Glance, lookups, uses
from coscope.audits.subject.calls import Call
from coscope.audits.subject.names import callee_of, reads_name
from coscope.audits.subject.origins import Origin, sources_of
from coscope.audits.subject.subject import Subject, Unit
from coscope.flow.domains.origin import Origins
from coscope.model import Code, Evidence, Finding
from coscope.opcodes import table

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


def may_find(seen: Glance) -> bool:
    if "builtins" in seen.names:
        return True
    return uses(seen, lookups(seen.file.version), NAMES, seen.whole())


def check(subject: Subject) -> Iterator[Finding]:
    if not reads_name(subject, NAMES) and "builtins" not in subject.code.names:
        return  # such as re.compile
    for call in subject.calls:
        name = _runner(subject, call)
        if name is None:
            continue
        sources = list(_sources(subject, call.positional[0], _DEEPEST))
        if not sources or _is_reported_elsewhere(subject, call, name, sources):
            continue
        given = any(map(_is_given, sources)) and not _is_meant(subject, call, name, sources)
        if not given and _is_expected(call, name, sources):
            continue
        yield _finding(subject, call, name, sources, given)


def _runner(subject: Subject, call: Call) -> str | None:
    """The builtin that a call runs text by; None for any other call, and one that only parses."""
    name = callee_of(subject, call)
    name = name.removeprefix("builtins.") if name else None
    if name not in NAMES or not call.positional or _only_parses(subject, call, name):
        return None
    return name


def _is_reported_elsewhere(subject: Subject, call: Call, name: str, sources: list[Origin]) -> bool:
    """True for `exec` of what `compile` made, and for `compile` of a file: who runs it decides."""
    if name == "compile":
        return _is_of_file(subject, call)
    return _is_made_by_compile(subject, sources)


def _is_expected(call: Call, name: str, sources: list[Origin]) -> bool:
    """True if text that nobody gave runs in a namespace of its own, or was put together here."""
    if name == "compile" or len(call.positional) > 1 or call.keywords:
        return True
    return any(source.kind == "call" for source in sources)


def _finding(
    subject: Subject, call: Call, name: str, sources: list[Origin], given: bool
) -> Finding:
    return subject.finding(
        CODE,
        f"{name} {_VERBS[name]} {_listed(sources)}",
        call.index,
        confidence="proved" if call.root == "global" and "." not in name else "likely",
        severity="warning" if given else "info",
        evidence=[_evidence(subject, source) for source in sources[:_SHOWN]],
        why=_WHY,
        instead="a dict of functions, getattr(), or ast.literal_eval() for literals",
    )


def _evidence(subject: Subject, source: Origin) -> str | Evidence:
    if source.index is None:
        return source.text
    return subject.seen(source.index, f"{source.text} ({subject.opnames[source.index]})")


def _sources(subject: Subject, made_by: Origins, depth: int) -> Iterator[Origin]:
    """Where it comes from, but for constants and what the function makes itself."""
    calls: dict[int | None, Call] = {call.index: call for call in subject.calls}
    for source in sources_of(subject, made_by):
        call = calls.get(source.index)
        meaning = callee_of(subject, call) if call is not None else None
        inner = _inside(subject, source, call, meaning)
        if inner is not None and depth:
            yield from _sources(subject, inner, depth - 1)
        elif source.kind == "global" and depth:
            yield from _of_global(subject, source, depth - 1)
        elif not (source.kind == "constant" or _is_own(meaning) or _is_collected(subject, source)):
            yield source


def _is_collected(subject: Subject, source: Origin) -> bool:
    """True for a container that the function has just made: nothing is known of its items."""
    if source.text.startswith(_COMPREHENSIONS):  # to 3.11 a call
        return True
    return source.index is not None and subject.opnames[source.index] in _CONTAINERS


def _of_global(subject: Subject, source: Origin, depth: int) -> Iterator[Origin]:
    """Where a global comes from.

    Nothing for a constant. For a name of the module or class body itself: where what it assigns
    comes from.
    """
    code, name = subject.code, source.text.removeprefix("the global ")
    assigned = _assigned_here(subject, name)
    if assigned:
        if code.kind == "module" and name in subject.unit.fact(_stored_by_functions):
            yield source
        for made_by in assigned:
            yield from _sources(subject, made_by, depth)
    elif not _is_constant(subject.unit, name):
        yield source


def _assigned_here(subject: Subject, name: str) -> list[Origins]:
    """What a module or class body assigns to a name; empty if that is not known of each store."""
    code = subject.code
    if code.kind not in ("module", "class body"):
        return []
    found = []
    for at, held in _stores(code, subject.version):
        if held != name:
            continue
        taken = subject.takers.get(at)
        if taken is None or not taken[1]:
            return []
        found.append(taken[1][0])
    return found


def _inside(
    subject: Subject, source: Origin, call: Call | None, meaning: str | None
) -> Origins | None:
    """What a value is made of: the text of a tree, the parts of a join, what a loop goes over."""
    if call is not None and call.positional:
        return call.positional[0] if _keeps_text(call, meaning) else None
    if source.kind == "other" and source.index is not None:
        taken = subject.takers.get(source.index)
        if taken is not None and taken[1] and subject.opnames[source.index] in _ITEMS:
            return taken[1][-1]
    return None


def _keeps_text(call: Call, meaning: str | None) -> bool:
    """True if what a call gives holds the text of its first argument."""
    if meaning == "ast.parse" or meaning in _OF_ITEMS:
        return True
    return (call.path or "").rpartition(".")[2] in _OF_TEXT


_DEEPEST = 8
_COMPREHENSIONS = tuple(f"the result of <{kind}comp>" for kind in ("list", "set", "dict"))
_CONTAINERS = frozenset({"BUILD_LIST", "BUILD_SET", "BUILD_MAP", "BUILD_CONST_KEY_MAP"})
_ITEMS = frozenset({"FOR_ITER", "GET_ITER", "UNPACK_SEQUENCE", "UNPACK_EX"})
_OF_TEXT = frozenset({"dedent", "indent"})
_OF_ITEMS = frozenset({"iter", "enumerate", "reversed", "sorted", "list", "tuple", "str"})
_READS = (
    *(
        ".read(",
        ".readline(",
        ".readlines(",
        ".read_text(",
        ".read_bytes(",
        ".recv(",
        "input(",
        "urlopen(",
    ),
    *("getenv(", "environ", "sys.argv", "fromfile("),
)


def _is_meant(subject: Subject, call: Call, name: str, sources: list[Origin]) -> bool:
    """True for a file that is executed in a namespace, and for what is evaluated in a frame's."""
    if len(call.positional) < 2:
        return False
    frames = (each.text.endswith(".f_globals") for each in sources_of(subject, call.positional[1]))
    return any(frames) or (name == "exec" and all(_is_read(source) for source in sources))


def _is_of_file(subject: Subject, call: Call) -> bool:
    """True if it is compiled under the name of a file, and not as "<string>"."""
    if len(call.positional) < 2:
        return False
    named = sources_of(subject, call.positional[1])
    return any(source.kind != "constant" for source in named)


def _is_given(source: Origin) -> bool:
    """True for a parameter that is not named as code is, and for what the function reads."""
    if source.kind == "parameter":
        return source.text.removeprefix("the parameter ").strip("_") not in CODE_WORDS
    return _is_read(source)


def _is_read(source: Origin) -> bool:
    """True for what the function reads from outside the process."""
    held = source.text.removeprefix("the result of ")
    return source.kind in ("call", "attribute") and any(word in held for word in _READS)


def _is_constant(unit: Unit, name: str) -> bool:
    """True for a global that the module itself assigns, once, and nobody else."""
    if unit.code is None or name in unit.fact(_stored_by_functions):
        return False
    return sum(held == name for _, held in _stores(unit.code, unit.version)) == 1


def _stores(code: Code, version: str) -> Iterator[tuple[int, str]]:
    columns, rows = code.instructions, table(version).by_code
    for index, opcode in enumerate(columns.opcodes):
        row = rows[opcode]
        if row is not None and row.access in (("write name",), ("write global",)):
            yield index, str(columns.argval(index))


def _stored_by_functions(unit: Unit) -> set[str]:
    found: set[str] = set()
    for code in unit.code.walk() if unit.code is not None else ():
        inside = Subject(code, unit)
        for index in inside.where("STORE_GLOBAL", "DELETE_GLOBAL"):
            found.add(str(inside.instructions.argval(index)))
    return found


def _is_own(meaning: str | None) -> bool:
    """True for `repr` and the classes of `ast`."""
    if meaning is None:
        return False
    return meaning == "repr" or (meaning.startswith("ast.") and meaning[4:5].isupper())


def _only_parses(subject: Subject, call: Call, name: str) -> bool:
    """True for `compile(..., ast.PyCF_ONLY_AST)`, and where the code that it makes is dropped."""
    if name != "compile" or call.starred:
        return False
    after = call.index + 1
    if after < len(subject.opnames) and subject.opnames[after] == "POP_TOP":
        return True
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
