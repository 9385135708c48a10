"""The fast locals are not what the other fields, or the interpreter, take them for.

One array in the frame holds locals, cells and free variables, in this order, and
`co_localspluskinds` says of each slot which it is. COPY_FREE_VARS counts the free variables from
the end of the array, a call stores arguments from its start, and `super()`, `locals()` and frames
read cells by the kinds alone: a slot of the wrong kind is taken for a cell that it is not. To
3.10 `co_cell2arg` and the counts of cells follow from the names.

    co_localsplusnames = ("x", "y"), co_localspluskinds = b"\\x80\\x20"
                            COPY_FREE_VARS 1 fills y, LOAD_DEREF 0 reads NULL
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coscope.model import FAST_CELL, FAST_FREE, FAST_HIDDEN, FAST_LOCAL, Code
from coscope.verifier.checks.ver801_counts import arguments
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER802"

_OPTIMIZED = 0x1
_ARGUMENT = 0xE  # 3.14+: how the argument is passed
_ROLE = FAST_LOCAL | FAST_CELL | FAST_FREE
# By role of a slot: where it may be.
_ORDER = {FAST_LOCAL: 0, FAST_LOCAL | FAST_CELL: 0, FAST_CELL: 1, FAST_FREE: 2}


def check(subject: Subject) -> Iterable[Violation]:
    code = subject.code
    kinds = code.localspluskinds
    if (
        kinds.count(FAST_LOCAL) == len(kinds) == len(code.localsplusnames) == code.nlocals
        and code.varnames == code.localsplusnames
        and not code.cellvars
        and not code.freevars
    ):
        return ()
    return _wrong(subject, code)


def _wrong(subject: Subject, code: Code) -> Iterator[Violation]:
    names, kinds = code.localsplusnames, code.localspluskinds
    if len(names) != len(kinds):
        yield subject.violation(
            CODE,
            "co_localspluskinds is not as long as co_localsplusnames",
            expected=len(names),
            found=len(kinds),
        )
        return
    yield from _fields(subject, code)
    last = 0
    for slot, kind in enumerate(kinds):
        order = _ORDER.get(kind & _ROLE)
        name = _told(names[slot])
        # Frames compare the kind of a free variable with FAST_FREE, not its bit: up to 3.12 a free
        # variable that is marked as hidden loses its cell when somebody looks at the frame. So does
        # a hidden local of a function: only modules and classes have them.
        marks = _ARGUMENT if code.flags & _OPTIMIZED else FAST_HIDDEN | _ARGUMENT
        marks = marks if kind & FAST_LOCAL else 0
        if order is None or kind & ~(_ROLE | marks):
            yield subject.violation(
                CODE,
                f"the fast local {name} is of no kind",
                expected="a local, a cell, both, or a free variable",
                found=f"0x{kind:02x}",
            )
            continue
        if order < last:
            yield subject.violation(
                CODE,
                f"the fast local {name} is placed after those it must precede",
                expected="locals, cells, free variables",
                found=f"slot {slot} of kind 0x{kind:02x}",
            )
        last = max(last, order)
        if slot < arguments(code) and not kind & FAST_LOCAL:
            yield subject.violation(
                CODE,
                f"the argument {name} is no local",
                expected="a local",
                found=f"0x{kind:02x}",
            )


def _fields(subject: Subject, code: Code) -> Iterator[Violation]:
    """Do the fields that follow from the kinds say the same?"""
    slots = list(zip(code.localsplusnames, code.localspluskinds, strict=True))
    if subject.structural:
        # There is no such array: a captured argument is in two lists.
        listed = (code.varnames, code.cellvars, code.freevars)
        if (*code.varnames, *code.cellvars, *code.freevars) != code.localsplusnames:
            yield subject.violation(
                CODE,
                "the fast locals are not the locals, cells and free variables",
                expected=sum(map(len, listed)),
                found=len(slots),
            )
    else:
        for field, bit in (
            ("varnames", FAST_LOCAL),
            ("cellvars", FAST_CELL),
            ("freevars", FAST_FREE),
        ):
            found = tuple(name for name, kind in slots if kind & bit)
            if found != getattr(code, field):
                yield subject.violation(
                    CODE,
                    f"co_{field} is not what the fast locals say",
                    expected=_told(found),
                    found=_told(getattr(code, field)),
                )
    if code.nlocals != len(code.varnames):
        yield subject.violation(
            CODE,
            "co_nlocals is not the length of co_varnames",
            expected=len(code.varnames),
            found=code.nlocals,
        )


def _told(value: object) -> str:
    text = ascii(value) if type(value) in (str, tuple) else f"<{type(value).__name__}>"
    return text if len(text) <= 80 else f"{text[:77]}..."
