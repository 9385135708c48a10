"""What the kind domain knows of a pushed value beyond its type in the table (`makes =`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Protocol

from coscope.flow.contracts import argument_kind
from coscope.flow.effects import Effect
from coscope.flow.graph import Graph
from coscope.model import Code
from coscope.opcodes import Table, kinds
from coscope.opcodes.kinds import SHIFT


class Kinds(Protocol):
    """What the makers need of the domain."""

    graph: Graph
    code: Code
    rules: Table
    constants: dict[int, int]  # kinds of constants, by index; filled here

    def note(self, index: int, group: str, message: str, expected: str, found: str) -> None:
        """Keep a fault."""


_CLOSURE_FLAG = 8  # of MAKE_FUNCTION and SET_FUNCTION_ATTRIBUTE
_GENERATOR = 0x20  # CO_GENERATOR
_FUNCTIONS = kinds.FUNCTION | kinds.UNFINISHED
_EXCEPTIONS = kinds.EXCEPTION | kinds.NONE

_CELLS = kinds.CELL | kinds.TYPED_CELL
_TYPE_PARAMETERS = kinds.NONE | kinds.TUPLE | kinds.NAMES | kinds.CLOSURE  # of a type alias
_OF_ALIAS = kinds.STR, _TYPE_PARAMETERS, kinds.FUNCTION
_SPECIAL = _CELLS | kinds.INTERPOLATION | kinds.STR
_ALL_OF = (  # a tuple of nothing but these, and what it is then
    (_CELLS, kinds.CLOSURE),
    (kinds.INTERPOLATION, kinds.INTERPOLATIONS),
    (kinds.STR, kinds.NAMES),
)
_TYPED = 20  # cells at most for which it is recorded whether each is typed


def _pattern(typed: Sequence[bool]) -> int:
    """Which cells of a closure are typed, as a part of its parameter."""
    return sum(1 << kinds.PATTERN + at for at, is_typed in enumerate(typed) if is_typed)


def _sized(kind: int, parameter: int) -> int:
    return kind | parameter + 1 << SHIFT


def kind_of(value: object, index: int) -> int:
    """The kind of a constant; `index` is its place in `consts`."""
    if value is None:
        return kinds.NONE
    if type(value) is bool:
        return kinds.BOOL
    if type(value) is str:
        return kinds.STR
    if type(value) is tuple:
        strings = all(type(item) is str for item in value)
        return _sized(kinds.NAMES if strings else kinds.TUPLE, len(value))
    if type(value) is int:
        return kinds.INT
    return _sized(kinds.CODE, index) if isinstance(value, Code) else kinds.OBJECT


def _constant(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    consts = domain.code.consts
    at = effect.oparg
    kind = domain.constants.get(at)
    if kind is None:
        kind = kind_of(consts[at], at) if 0 <= at < len(consts) else kinds.OBJECT
        domain.constants[at] = kind
    return [kind]


def _tuple(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    """All that the tuple may be, so that to know less of an operand is to know less of it."""
    size = len(operands)
    every = reduce(int.__or__, operands, 0) & kinds.ATOMS
    if not every & _SPECIAL:
        return [_sized(kinds.TUPLE, size)]
    kind = certain = 0
    if size == 3:
        pairs = list(zip(operands, _OF_ALIAS, strict=True))
        kind = kinds.ALIAS if all(operand & atoms for operand, atoms in pairs) else 0
        certain = kind and not any(operand & kinds.ATOMS & ~atoms for operand, atoms in pairs)
    for atoms, made in _ALL_OF:
        if size and all(operand & atoms for operand in operands):
            kind |= made
            certain = certain or not every & ~atoms
    if not certain:
        kind |= kinds.TUPLE
    if not every & kinds.TYPED_CELL:
        return [_sized(kind, size)]
    typed = [operand & kinds.ATOMS == kinds.TYPED_CELL for operand in operands]
    both = any(operand & kinds.ATOMS == _CELLS for operand in operands)
    if kind == kinds.CLOSURE and size < _TYPED and not both:
        return [_sized(kind, size | _pattern(typed))]
    domain.note(
        index, "contract", "a cell of the compiler's own goes into a tuple with other values",
        "a closure", ", ".join(map(kinds.describe, operands)),
    )  # fmt: skip
    return [kind | kinds.UNKNOWN]


def _copy(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    kind = operands[0]
    if kind & kinds.EXCEPTIONS:  # from now on something else may put in what it likes
        kind = kind & ~kinds.EXCEPTIONS | kinds.LIST
    if kind & kinds.FUNCTION:  # and give it another code object
        kind |= kinds.UNKNOWN
    return [kind] * len(new)


def _append(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    kind, item = operands[0], operands[-1]
    if kind & kinds.EXCEPTIONS and item & kinds.ATOMS & ~_EXCEPTIONS:
        kind |= kinds.LIST
    return [kind]


def _iteration(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    return [_sized(kind & kinds.ATOMS, index) for kind in new]


def _paired(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    below, at = operands[0], operands[1]
    if at & kinds.ATOMS == kinds.NULL:  # no GET_ITER has made it
        # SEND looks at what lies below, FOR_ITER does not: it must be a generator.
        right = effect.row.pop_slots[0].type is None or below & kinds.ATOMS == kinds.ITERATOR
    else:
        pair = below & kinds.ATOMS in (kinds.ITERATION, kinds.DELEGATE)
        origin = kinds.parameter(at) if at & kinds.ATOMS == kinds.INDEX else None
        right = pair and origin is not None and kinds.parameter(below) == origin
    if not right:
        domain.note(
            index, "iterator", f"{effect.row.name} trusts the index to be that of the value below",
            "both of one GET_ITER", f"{kinds.describe(below)}, {kinds.describe(at)}",
        )  # fmt: skip
    return new


def _nested(domain: Kinds, kind: int) -> tuple[int, Code] | None:
    """The code object that a kind denotes, and its place in the constants."""
    at = kinds.parameter(kind)
    consts = domain.code.consts
    if kind & kinds.ATOMS & ~kinds.CODE or at is None or at >= len(consts):
        return None
    nested = consts[at]
    return (at, nested) if isinstance(nested, Code) else None


def _function(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    found = _nested(domain, operands[-1])
    if found is None:
        if operands[-1] & kinds.CODE:
            domain.note(
                index, "function", "MAKE_FUNCTION of one of several code objects",
                "the same code object on every path", kinds.describe(operands[-1]),
            )  # fmt: skip
        return [kinds.FUNCTION | kinds.UNKNOWN]
    at, nested = found
    flags = effect.oparg if effect.row.takes_argument else 0
    if flags & _CLOSURE_FLAG:
        _check_closure(domain, index, effect.operand(operands, "closure")[0], nested)
    elif effect.row.takes_argument and nested.freevars:
        domain.note(
            index, "function", f"MAKE_FUNCTION gives {nested.qualname!r} no closure",
            f"a closure of {len(nested.freevars)} cells", "none",
        )  # fmt: skip
        flags |= _CLOSURE_FLAG
    return [_made(domain, at, nested, flags)]


def _check_closure(domain: Kinds, index: int, closure: int, nested: Code) -> None:
    contract = domain.rules.contract
    wanted = len(nested.freevars) | _pattern([name in contract for name in nested.freevars])
    if closure & kinds.ATOMS == kinds.CLOSURE and kinds.parameter(closure) == wanted:
        return
    domain.note(
        index, "function", f"the closure does not fit {nested.qualname!r}",
        f"{len(nested.freevars)} cells", kinds.describe(closure),
    )  # fmt: skip


def _made(domain: Kinds, at: int, nested: Code, flags: int) -> int:
    lacks = nested.freevars and not flags & _CLOSURE_FLAG
    kind = kinds.UNFINISHED if lacks or wants_of(domain, nested) is not None else kinds.FUNCTION
    return _sized(kind, at << 8 | flags & 0xFF)


def wants_of(domain: Kinds, nested: Code) -> list[str | None] | None:
    """What a call must give for each argument; None if anything will do."""
    contract = domain.rules.contract
    if contract.keys().isdisjoint(nested.varnames):
        return None
    count = nested.argcount + nested.kwonlyargcount
    count += bool(nested.flags & 0x4) + bool(nested.flags & 0x8)
    wants = [argument_kind(nested, slot) for slot in range(min(count, len(nested.varnames)))]
    return wants if any(wants) else None


def _comparison(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    ints = all(kind & kinds.ATOMS == kinds.INT for kind in operands)
    if ints or (operands[1] & kinds.ATOMS == kinds.INT and _tested_as_it_is(domain, index)):
        return [kinds.BOOL]
    return [kinds.join(kinds.BOOL, new[0])]


def _tested_as_it_is(domain: Kinds, index: int) -> bool:
    """True if the left operand is an argument whose comparison genuine code tests unconverted.

    It is loaded by the last instruction but one, with no jump into between; a NOP does not count.
    """
    named = domain.rules.unconverted
    columns, code = domain.code.instructions, domain.code
    if not named:
        return False
    start, nop, load = domain.graph.block_of(index).start, domain.rules.opcodes["NOP"].code, index
    for _ in range(2):
        load -= 1
        while load >= start and columns.opcodes[load] == nop:
            load -= 1
    if load < start:
        return False
    row = domain.rules.by_code[columns.opcodes[load]]
    slot = columns.opargs[load]
    return (
        row is not None
        and row.operand == "local"
        and row.access == ("read local",)
        and slot < min(code.posonlyargcount, len(code.localsplusnames))
        and code.localsplusnames[slot] in named
    )


def handed_on(
    domain: Kinds,
    index: int,
    places: Sequence[tuple[int, int]],
    operands: Sequence[int],
    new: Sequence[int],
) -> Sequence[int]:
    """What an instruction pushes that may be an operand: borrowed if that is."""
    found = list(new)
    for at, start in places:
        kind = operands[start]
        if not kind & kinds.BORROWED:
            continue
        if found[at] & (kinds.ITERATION | kinds.DELEGATE):  # their parameter says something else
            domain.note(
                index, "borrow", "a value that is only borrowed is iterated over",
                "a value of its own", kinds.describe(kind),
            )  # fmt: skip
            continue
        found[at] |= kinds.BORROWED | kind >> SHIFT << SHIFT
    return found


def _attribute(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    attribute, function = operands[-2], operands[-1]
    known = kinds.parameter(function)
    consts = domain.code.consts
    at = -1 if known is None else known >> 8
    nested = consts[at] if 0 <= at < len(consts) else None
    if known is None or not isinstance(nested, Code) or function & kinds.BORROWED:
        domain.note(
            index, "function", "SET_FUNCTION_ATTRIBUTE of no single function that was made here",
            "function", kinds.describe(function),
        )  # fmt: skip
        return [kinds.FUNCTION | kinds.UNKNOWN]
    flag = effect.oparg
    if known & flag & 0xFF:
        domain.note(
            index, "function", "SET_FUNCTION_ATTRIBUTE sets what is set already",
            "each attribute once", f"{flag} again",
        )  # fmt: skip
    if flag == _CLOSURE_FLAG:
        _check_closure(domain, index, attribute, nested)
    return [_made(domain, at, nested, (known | flag) & 0xFF)]


def _call(
    domain: Kinds, index: int, effect: Effect, operands: Sequence[int], new: Sequence[int]
) -> Sequence[int]:
    every = reduce(int.__or__, operands)
    if not every & _FUNCTIONS:
        return new
    if effect.operand(operands, "callable") and operands[0] & _FUNCTIONS:
        new = [_returned(domain, operands[0])]
    if not every & kinds.UNFINISHED:
        return new
    values = list(operands)
    names = effect.operand(operands, "kwnames")
    arguments = list(effect.operand(operands, "args"))
    # Up to 3.12 NULL comes first, or the callable and after it its self; from 3.13 the other way.
    if effect.operand(operands, "callable"):
        function, other = values[0], values[1]
        first = [] if other & kinds.ATOMS == kinds.NULL else [other]
    elif values[0] & kinds.ATOMS == kinds.NULL:
        function, first = values[1], []
    else:
        function, first = values[0], [values[1]]
    mistake = _misused(domain, index, function, first + arguments, bool(names))
    if mistake is not None:
        domain.note(
            index, "contract", "a function that not every call may reach is called", mistake,
            ", ".join(map(kinds.describe, operands)),
        )  # fmt: skip
    return new


def _returned(domain: Kinds, function: int) -> int:
    """What a call of a function made here returns, as far as its code shows."""
    known = kinds.parameter(function)
    if function & kinds.ATOMS & ~_FUNCTIONS or known is None:
        return kinds.OBJECT | kinds.ITERATOR
    consts = domain.code.consts
    nested = consts[known >> 8] if known >> 8 < len(consts) else None
    generates = isinstance(nested, Code) and nested.flags & _GENERATOR
    return kinds.ITERATOR if generates else kinds.OBJECT


def _misused(
    domain: Kinds, index: int, function: int, arguments: list[int], named: bool
) -> str | None:
    """What a call of an unfinished function must be, if it is not."""
    known = kinds.parameter(function)
    consts = domain.code.consts
    at = -1 if known is None or function & kinds.ATOMS != kinds.UNFINISHED else known >> 8
    nested = consts[at] if 0 <= at < len(consts) else None
    if known is None or not isinstance(nested, Code):
        return "one function, known where it was made, in the place of the callable"
    if nested.freevars and not known & _CLOSURE_FLAG:
        return f"a closure of {len(nested.freevars)} cells for {nested.qualname!r}"
    wants = wants_of(domain, nested) or []
    if named or _keyword_names_before(domain, index):
        return "no keyword arguments"
    if nested.kwonlyargcount or len(wants) != nested.argcount or len(arguments) != len(wants):
        return f"exactly the {len(wants)} arguments of {nested.qualname!r}"
    for word, kind in zip(wants, arguments, strict=True):
        if not kinds.wanted(word).admits(kind, 0):
            return f"arguments ({', '.join(want or 'object' for want in wants)})"
    return None


def _keyword_names_before(domain: Kinds, index: int) -> bool:
    """True if KW_NAMES (to 3.12) gives this call keyword arguments."""
    rules, opcodes = domain.rules, domain.code.instructions.opcodes
    at = index - 1
    while at >= 0:
        row = rules.by_code[opcodes[at]]
        if row is not None and row.operand == "const names":
            return True
        if row is None or row.name not in ("EXTENDED_ARG", "PRECALL"):
            return False
        at -= 1
    return False


Maker = Callable[[Kinds, int, Effect, Sequence[int], Sequence[int]], Sequence[int]]

MAKERS: dict[str, Maker] = {
    "constant": _constant,
    "tuple": _tuple,
    "copy": _copy,
    "append": _append,
    "iteration": _iteration,
    "paired": _paired,
    "function": _function,
    "attribute": _attribute,
    "call": _call,
    "comparison": _comparison,
}
