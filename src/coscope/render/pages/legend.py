"""What every heading and label on a page means: `--legend`, and docs/legend.md made from it."""

from __future__ import annotations

from typing import NamedTuple

from coscope.render.pages.sheet import Sheet
from coscope.render.pages.wording import wrapped
from coscope.render.text.measured import Pen, cells

_LABEL = 24  # cells beside which a meaning is written


class Section(NamedTuple):
    """One part of a page."""

    title: str  # as on the page
    what: str  # a sentence
    labels: dict[str, str]  # as on the page -> what it means


_HEADER = Section(
    "The box at the top",
    "Who this is.",
    {
        "function, lambda, ...": "the kind of code object, by its name and flags",
        "lines": "first and last line that its instructions come from",
        "CPython": "the interpreter that compiled it; .x where the micro release is not known",
        "bytes": "of co_code, inline caches included",
        "instructions": "with EXTENDED_ARG, without inline caches",
        "blocks": "basic blocks of the control-flow graph: straight runs of instructions",
        "stack needed of declared": "slots that the deepest path uses, and co_stacksize",
        "OPTIMIZED ...": "co_flags by name, and as a number at the right",
        "through": "steps from the target to this function, such as __wrapped__ or __init__",
        "after": "with --warm: the command that ran, and in how many samples the code was seen",
    },
)
_LOCALS = Section(
    "Fast locals",
    "Variables in the frame's array, by slot number: LOAD_FAST 2 reads slot 2.",
    {
        "positional-only": "a parameter before /",
        "positional-or-keyword": "a plain parameter",
        "keyword-only": "a parameter after *",
        "*args": "takes the positional arguments that are left over",
        "**kwargs": "takes the keyword arguments that are left over",
        "local": "assigned in the body",
        "cell": "a local that nested code uses; the slot holds a cell, which holds the value",
        "free": "a variable of an outer function; the slot holds the cell that came with the "
        "closure",
        "hidden local": "the loop variable of an inlined comprehension, invisible outside of it",
        "captured by nested code": "a parameter that is moved into a cell when the call begins",
        "=": "the default of a parameter",
    },
)
_OUTSIDE = Section(
    "Cells from outside",
    "Free variables: each in a cell that an outer function made.",
    {
        "owner's cellvar → freevar here → cell in __closure__": "whose variable it is, its name "
        "here, and where in __closure__ its cell is",
        "[0]": "index in __closure__; then the type and the value that the cell holds now",
        "a cell, made when the owner runs": "read from a file: there is no cell yet",
        "empty": "the owner has not assigned the variable yet; reading it raises NameError",
        "written by": "code that assigns it, with lines",
        "read by": "code that reads it, with lines",
        "also held by": "other live functions that have the same cell, and so see each other's "
        "changes",
        "made from the same code": "another function of the same def: a loop or another call "
        "made it",
        "note": "a trap, such as a loop variable that all closures share",
        "searched": "where sharers were looked for",
    },
)
_OWN = Section(
    "Own cells",
    "Cell variables: made anew by each call, for nested code.",
    {
        "cellvar here → freevar of nested code": "the variable, and which nested code takes it",
        "nothing captures it": "the compiler made a cell, and no nested code uses it",
    },
)
_NAMES = Section(
    "Names",
    "Entries of co_names, grouped by the opcode that uses them.",
    {
        "globals": "LOAD_GLOBAL and its kin; found in the module, or nowhere yet",
        "builtins": "looked up as globals, found among the builtins",
        "names": "LOAD_NAME, in the code of modules and classes",
        "attributes": "LOAD_ATTR and its kin: what is behind a dot",
        "imports": "IMPORT_NAME and IMPORT_FROM",
        "(write), (delete)": "what is done with a name besides reading it",
    },
)
_CONSTANTS = Section(
    "Constants",
    "co_consts by index: LOAD_CONST 1 loads number 1.",
    {"type, value": "of the constant; nested code is a constant too"},
)
_BYTECODE = Section(
    "Bytecode",
    "The instructions, below the source line that they come from.",
    {
        "12 │": "line of the source; a faint line was shown before",
        "marked source": "the expression that the instruction covers, under its place in the line",
        "B0": "the basic block that begins here",
        "offset": "of the instruction, in bytes",
        "opname, number, operand": "the opcode, its oparg, and what the oparg means",
        "to B3": "where a jump leads",
        "a │ b": "the stack before the instruction as expressions, its top last; … marks a cut",
        "unreachable": "no path leads here",
    },
)
_WARM = Section(
    "Bytecode, after --warm",
    "Beside each instruction the form that the interpreter made of it.",
    {
        "→": "specialised, with its misses; faint: an opcode that is never specialised",
        "!": "specialised to a form that kept missing in this run",
        "≠": "generic after an attempt; the backoff says for how long no other is made",
        "·": "ran too seldom for a first attempt",
    },
)
_REGIONS = Section(
    "Exception regions",
    "co_exceptiontable: an exception raised inside goes to the handler.",
    {
        "B1..B3": "blocks inside the region, and their byte offsets",
        "handler": "the block that takes over",
        "keeps": "values that stay on the stack when it does",
        "pushes lasti": "the offset of the raising instruction is pushed too, for RERAISE",
    },
)
_INLINED = Section(
    "Inlined comprehensions",
    "Comprehensions without a code object of their own (PEP 709).",
    {"its own": "variables that are the comprehension's, and saved around it"},
)
_NESTED = Section(
    "Nested code",
    "Code objects among the constants, as a tree.",
    {"instrs": "number of instructions", "free": "its free variables"},
)
_FIELDS = Section(
    "Fields of the code object, of the function",
    "With --fields: every co_* field and every attribute of the function, raw.",
    {},
)
_GRAPH = Section(
    "The graph",
    "A line for each block: its statements or its condition, then where control goes.",
    {
        "true →, false →": "the block that follows, by the outcome of the condition",
        "→": "the only successor",
        "exception →": "the handler of an exception that is raised in the block",
        "↺ loop head": "a loop begins here; its blocks are listed",
    },
)
_CAPTURE = Section(
    "Captured, In the way",
    "What travels with a function, and everything that a tool refuses.",
    {
        "what": "how it is held: closure, default, global, attribute, self, argument, ...",
        "size": "of the object and all it refers to; (shared): counted with an earlier row",
        "a name": "only a name is sent; the receiver imports it",
        "pickle, cloudpickle": "yes, no, or unknown: whether the tool takes it",
        "does not travel": "it would, if the functions on the way were sent by value",
        "likely": "inferred from types; --pickle tries it, and runs the objects' own code",
        "→ advice": "what to do about an object that is in the way",
    },
)
_CALL = Section(
    "Steps, Slots, Trace",
    "How CPython binds a call, in its own order.",
    {
        "binds, raises, if": "the outcome; if: only running other code can decide",
        "Slots": "the fast locals before the first instruction",
        "Trace": "with --trace: each instruction, locals that changed before it, the stack",
    },
)
_CARD = (
    _HEADER,
    _LOCALS,
    _OUTSIDE,
    _OWN,
    _NAMES,
    _CONSTANTS,
    _BYTECODE,
    _WARM,
    _REGIONS,
    _INLINED,
    _NESTED,
    _FIELDS,
)
# Command -> what its page has; a command that is missing has headings that explain themselves.
LEGENDS: dict[str, tuple[Section, ...]] = {
    "show": _CARD,
    "dis": (_BYTECODE,),
    "graph": (_GRAPH,),
    "closure": (_OUTSIDE, _OWN),
    "capture": (_CAPTURE,),
    "call": (_CALL,),
}
ALL = (*_CARD, _GRAPH, _CAPTURE, _CALL)


def legend_sheet(command: str, pen: Pen) -> Sheet:
    """The legend of a command's page; of the card, for a command without one of its own."""
    sheet = Sheet(pen)
    for section in LEGENDS.get(command, ALL):
        sheet.heading(section.title)
        sheet.extend(wrapped(pen, section.what, "  ", "plain"))
        for label, meaning in section.labels.items():
            _add_label(sheet, label, meaning)
    return sheet


def _add_label(sheet: Sheet, label: str, meaning: str) -> None:
    """A label and its meaning beside it; below it, where the label is long."""
    pen = sheet.pen
    lines = list(wrapped(pen, meaning, " " * (_LABEL + 4), "faint"))
    if cells(pen.clean(label)) > _LABEL:
        sheet.add(("  ", "plain"), (label, "name"))
    else:
        (first, role), *_ = lines.pop(0)
        beside = pen.pad(label, _LABEL)
        sheet.add(("  ", "plain"), (beside, "name"), ("  ", "plain"), (first.lstrip(), role))
    sheet.extend(lines)
