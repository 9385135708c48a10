"""Two code objects, field by field: everything in which they differ, each with its place.

`facts.differences` says what differs in behaviour. This says what differs at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from coscope.errors import CoscopeError
from coscope.facts.differences.alignment import aligned
from coscope.model import Code, Collection, Constant, Flags, FrozenSet, Instructions, Slice
from coscope.opcodes import table
from coscope.readers.docstrings import docstring_of
from coscope.trust.model import Place

_SHOWN = 120  # characters of a constant
_MOST = 200  # places of one pair of files

# Fields that are one value, and what a place calls them.
_PLAIN = (
    ("name", "name"),
    ("qualname", "qualified name"),
    ("filename", "file name"),
    ("firstlineno", "first line"),
    ("argcount", "parameters"),
    ("posonlyargcount", "parameters"),
    ("kwonlyargcount", "parameters"),
    ("stacksize", "stack size"),
    ("nlocals", "local names"),
)
_NAMES = (
    ("names", "names"),
    ("varnames", "local names"),
    ("cellvars", "cell names"),
    ("freevars", "free names"),
    ("localsplusnames", "local names"),
    ("localspluskinds", "kinds of locals"),
)


def same_constant(mine: Constant, other: Constant) -> bool:
    """True if two constants are the same, sets in any order; -0.0 is not 0.0, True is not 1."""
    return key_of(mine) == key_of(other)


def key_of(constant: Constant) -> object:
    """What is equal for the same constant; the order of a set is left out."""
    if isinstance(constant, Code):
        return ("code", *(_field_key(constant, name) for name in _EVERY))
    if isinstance(constant, FrozenSet):
        return ("frozenset", tuple(sorted(map(repr, map(key_of, constant.items)))))
    if isinstance(constant, tuple):
        return ("tuple", *map(key_of, constant))
    if isinstance(constant, Slice):
        return ("slice", *map(key_of, (constant.start, constant.stop, constant.step)))
    if isinstance(constant, Collection):
        return (constant.kind, repr(constant.items))
    if isinstance(constant, float | complex):
        return (type(constant).__name__, repr(constant))
    return (type(constant).__name__, constant)


_EVERY = (
    *("name", "qualname", "filename", "firstlineno", "argcount", "posonlyargcount"),
    *("kwonlyargcount", "nlocals", "stacksize", "flags", "code", "consts", "names", "varnames"),
    *("cellvars", "freevars", "linetable", "exceptiontable", "localsplusnames"),
    "localspluskinds",
)


def _field_key(code: Code, name: str) -> object:
    held = getattr(code, name)
    return tuple(map(key_of, held)) if name == "consts" else held


def text_of(constant: Constant) -> str:
    """A constant in few words."""
    if isinstance(constant, Code):
        return f"code {constant.qualname}"
    if isinstance(constant, int) and not isinstance(constant, bool):
        text = str(constant) if abs(constant) < 10**40 else f"{hex(constant)[:40]}"
    elif isinstance(constant, FrozenSet):
        text = f"frozenset({{{', '.join(sorted(map(text_of, constant.items)))}}})"
    else:
        text = repr(constant)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 20]}... ({len(text):,} characters)"


def places(left: Code, right: Code) -> list[Place]:
    """Everything in which two code objects, and those nested in them, differ."""
    found: list[Place] = []
    pending = [(left, right)]
    while pending and len(found) < _MOST:
        one, other = pending.pop()
        found += _of_pair(one, other)
        pairs = list(_pairs(one, other, found))
        pending += reversed(pairs)
    return found[:_MOST]


def _pairs(left: Code, right: Code, found: list[Place]) -> Iterator[tuple[Code, Code]]:
    """Nested code of one name, in order; what only one side has is a place."""
    groups = _nested(left), _nested(right)
    for name in dict.fromkeys([*groups[0], *groups[1]]):
        ours, theirs = groups[0].get(name, []), groups[1].get(name, [])
        yield from zip(ours, theirs, strict=False)
        for extra in ours[len(theirs) :]:
            found.append(Place(extra.qualname, "code object", "added", "", extra.firstlineno))
        for missing in theirs[len(ours) :]:
            found.append(Place(missing.qualname, "code object", "", "missing", missing.firstlineno))


def _nested(code: Code) -> dict[str, list[Code]]:
    found: dict[str, list[Code]] = defaultdict(list)
    for constant in code.consts:
        if isinstance(constant, Code):
            found[constant.name].append(constant)
    return found


def _of_pair(left: Code, right: Code) -> Iterator[Place]:
    name = left.qualname
    for field, what in _PLAIN:
        mine, other = getattr(left, field), getattr(right, field)
        if mine != other:
            yield Place(name, what, text_of(mine), text_of(other), left.firstlineno)
    if left.flags != right.flags:
        yield Place(name, "flags", _flags(left), _flags(right), left.firstlineno)
    yield from _of_names(left, right)
    yield from _of_constants(left, right)
    yield from _of_instructions(left, right)
    yield from _of_tables(left, right)


def _flags(code: Code) -> str:
    return f"{code.flags:#x} {' '.join(Flags(code.flags).names)}".strip()


def _of_names(left: Code, right: Code) -> Iterator[Place]:
    seen: set[str] = set()
    for field, what in _NAMES:
        mine, other = getattr(left, field), getattr(right, field)
        if mine == other or what in seen:
            continue
        seen.add(what)
        ours, theirs = _alone(mine, other), _alone(other, mine)
        if not (ours or theirs):
            ours = "in another order"
        yield Place(left.qualname, what, ours, theirs, left.firstlineno)


def _alone(mine: Sequence[object], others: Sequence[object]) -> str:
    return ", ".join(str(each) for each in mine if each not in others)


def _of_constants(left: Code, right: Code) -> Iterator[Place]:
    mine, others = _plain(left), _plain(right)
    if mine == others:
        return
    known, wanted = {each for each, _ in mine}, {each for each, _ in others}
    doc = _doc(left), _doc(right)
    if doc[0] != doc[1]:
        texts = text_of(doc[0]), text_of(doc[1])
        yield Place(left.qualname, "docstrings", texts[0], texts[1], left.firstlineno)
    gone = [text for key, text in others if key not in known and text != text_of(doc[1])]
    come = [text for key, text in mine if key not in wanted and text != text_of(doc[0])]
    if gone or come:
        yield Place(left.qualname, "constants", ", ".join(come), ", ".join(gone), left.firstlineno)
    elif doc[0] == doc[1]:
        yield Place(left.qualname, "constants", "in another order or number", "", left.firstlineno)


def _plain(code: Code) -> list[tuple[str, str]]:
    """The constants that are not code, as keys and texts."""
    return [(repr(key_of(c)), text_of(c)) for c in code.consts if not isinstance(c, Code)]


def _doc(code: Code) -> Constant:
    index = docstring_of(code)
    return None if index is None else code.consts[index]


def _of_instructions(left: Code, right: Code) -> Iterator[Place]:
    if left.code == right.code:
        return
    try:
        mine, others = left.instructions, right.instructions
    except CoscopeError as error:
        yield Place(left.qualname, "instructions", str(error), "", left.firstlineno)
        return
    if len(left.code) == len(right.code):
        yield from _units(left, right, mine, others)
        return
    texts = _texts(mine), _texts(others)
    for tag, i1, i2, j1, j2 in aligned(texts[0], texts[1]):
        if tag == "equal":
            continue
        ours, theirs = "; ".join(texts[0][i1:i2][:8]), "; ".join(texts[1][j1:j2][:8])
        at = min(i1, len(mine) - 1)
        line, offset = _line(mine, at), mine.offsets[at]
        yield Place(left.qualname, "instructions", ours, theirs, line, offset)


def _texts(instructions: Instructions) -> tuple[str, ...]:
    return tuple(_text(instructions, at) for at in range(len(instructions)))


def _text(instructions: Instructions, at: int) -> str:
    try:
        operand = instructions.argrepr(at)
    except CoscopeError:
        operand = "?"
    arg = instructions.arg(at)
    return f"{instructions.opname(at)} {operand or ('' if arg is None else arg)}".strip()


def _line(instructions: Instructions, at: int) -> int | None:
    try:
        return instructions.positions[at].lineno
    except (CoscopeError, IndexError):
        return None


def _units(left: Code, right: Code, mine: Instructions, others: Instructions) -> Iterator[Place]:
    """Code of one length: unit by unit, so that what the interpreter ignores shows too."""
    starts = {offset: at for at, offset in enumerate(mine.offsets)}
    theirs = {offset: at for at, offset in enumerate(others.offsets)}
    rows = table(left.version).by_code
    last = 0
    for offset in range(0, len(left.code) - 1, 2):
        last = starts.get(offset, last)
        units = left.code[offset : offset + 2], right.code[offset : offset + 2]
        if units[0] == units[1]:
            continue
        line = _line(mine, last)
        if offset not in starts:
            what, texts = "cache units", tuple(each.hex(" ") for each in units)
        elif units[0][0] == units[1][0] and mine.arg(starts[offset]) is None:
            row = rows[units[0][0]]
            name = row.name if row is not None else f"<{units[0][0]}>"
            what, texts = "argument bytes", (f"{name} {units[0][1]}", f"{name} {units[1][1]}")
        else:
            other = theirs.get(offset)
            what = "instructions"
            texts = (
                _text(mine, starts[offset]),
                "" if other is None else _text(others, other),
            )
        yield Place(left.qualname, what, texts[0], texts[1], line, offset)


def _of_tables(left: Code, right: Code) -> Iterator[Place]:
    if left.linetable != right.linetable:
        yield from _of_lines(left, right)
    if left.exceptiontable != right.exceptiontable:
        tables = [each.exceptiontable.hex(" ")[:_SHOWN] for each in (left, right)]
        yield Place(left.qualname, "exception table", tables[0], tables[1], left.firstlineno)


def _of_lines(left: Code, right: Code) -> Iterator[Place]:
    """Where the positions of instructions differ; else the table says the same otherwise."""
    try:
        mine, others = left.instructions, right.instructions
        spans = mine.positions, others.positions
        pairs = list(zip(mine.offsets, *spans, strict=False))
    except CoscopeError as error:
        yield Place(left.qualname, "line table", str(error), "", left.firstlineno)
        return
    if left.code != right.code and len(mine) != len(others):
        yield Place(left.qualname, "lines", "", "", left.firstlineno)
        return
    for offset, one, other in pairs:
        if one == other:
            continue
        if one.lineno == other.lineno:
            spots = [f"{s.lineno}:{s.col_offset}-{s.end_col_offset}" for s in (one, other)]
            yield Place(left.qualname, "columns", spots[0], spots[1], one.lineno, offset)
        else:
            lines = str(one.lineno), str(other.lineno)
            yield Place(left.qualname, "lines", lines[0], lines[1], one.lineno, offset)
        return
    yield Place(left.qualname, "line table", "the same lines in another form", "")
