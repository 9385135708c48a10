"""Kinds: what the interpreter relies on, without a check, of a value that it takes.

A kind is a set of atoms, written as the bits of an int; the join of two kinds is their union. Some
atoms carry a parameter (the length of a tuple, which code object a function is made from), kept
above the atoms as `parameter + 1`; two different parameters join to `UNKNOWN`. So kinds are the
product of a powerset and a flat lattice, and `join` is commutative, associative and idempotent.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, reduce

from coscope.errors import InternalError

# What a fast local can hold. A local keeps the atoms alone, without a parameter.
NULL = 1 << 0  # the NULL pointer; in a local: no value
OBJECT = 1 << 1  # an object about which nothing is known
CELL = 1 << 2
ITERATOR = 1 << 3  # its type has tp_iternext
TUPLE = 1 << 4  # parameter: length
DICT = 1 << 5  # exactly a dict
LIST = 1 << 6
SET = 1 << 7
TYPED_CELL = 1 << 8  # a cell that holds nothing but what the contract says of its name
LOCAL_BITS = 9
LOCAL = (1 << LOCAL_BITS) - 1

# On the stack alone.
NAMES = 1 << 9  # a tuple of exact str; parameter: length
CLOSURE = 1 << 10  # a tuple of cells; parameter: length, from bit PATTERN which are typed
ALIAS = 1 << 11  # what makes a type alias: a tuple of name, type parameters or None, function
EXCEPTIONS = 1 << 12  # a list that has never held anything but exceptions and None
EXCEPTION = 1 << 13  # an exception instance
NONE = 1 << 14
BOOL = 1 << 15
STR = 1 << 16  # exactly a str
CODE = 1 << 17  # parameter: index of the constant
FUNCTION = 1 << 18  # parameter: `constant << 8 | attributes that are set`
INT = 1 << 19  # exactly an int
INTERPOLATION = 1 << 20  # what BUILD_INTERPOLATION makes (3.14)
INTERPOLATIONS = 1 << 21  # a tuple of such, not empty
ITERATION = 1 << 22  # what is iterated over, below its index (3.15); parameter: by which GET_ITER
DELEGATE = 1 << 23  # the same for `yield from`: need not be an iterator

# No objects that may go anywhere.
UNFINISHED = 1 << 24  # a function that lacks its closure, or that only some calls may reach
LASTI = 1 << 25  # where an exception was raised: an int, from 3.14 tagged
INDEX = 1 << 26  # NULL or a tagged int, above what is iterated over (3.15); parameter: as there

BORROWED = 1 << 27  # a mark, no kind: the stack does not own it; parameter: the local that does

ATOMS = BORROWED - 1
SHIFT = 32  # of the parameter
PATTERN = 32  # of the parameter of a closure: above every length, so that no tuple's is like it
UNKNOWN = (1 << 64) - 1 << SHIFT
_LENGTH = (1 << PATTERN) - 1
_TUPLES = TUPLE | NAMES | CLOSURE | ALIAS

ANY_OBJECT = ATOMS & ~(NULL | UNFINISHED | LASTI | INDEX | TYPED_CELL)

# The words of the tables: what a popped slot must be, and what a pushed one is.
WANTED = {
    "any": ATOMS,
    "object": ANY_OBJECT,
    "null": NULL,
    "cell": CELL,
    "iterator": ITERATOR,
    "tuple": _TUPLES,
    "names": NAMES,
    "closure": CLOSURE,
    "alias": ALIAS,
    "dict": DICT,
    "list": LIST | EXCEPTIONS,
    "exceptions": EXCEPTIONS,
    "set": SET,
    "exception": EXCEPTION,
    "none": NONE,
    "bool": BOOL,
    "str": STR,
    "code": CODE,
    "function": FUNCTION | UNFINISHED,
    "finished": FUNCTION,
    "callable": ANY_OBJECT | UNFINISHED,
    "lasti": LASTI,
    "int": INT,
    "interpolations": INTERPOLATIONS,
    "iteration": ITERATION,
    "index": INDEX,
}
GIVEN = {
    "object": OBJECT,
    "null": NULL,
    "cell": CELL,
    "iterator": ITERATOR,
    "tuple": TUPLE | UNKNOWN,
    "dict": DICT,
    "list": LIST,
    "exceptions": EXCEPTIONS,
    "set": SET,
    "exception": EXCEPTION,
    "none": NONE,
    "bool": BOOL,
    "str": STR,
    "int": INT,
    "slice": OBJECT,
    "interpolation": INTERPOLATION,
    "iteration": ITERATION | UNKNOWN,
    "delegate": DELEGATE | UNKNOWN,
    "index": INDEX | UNKNOWN,
    "function": FUNCTION | UNKNOWN,  # whose attributes are not known
    "lasti": LASTI,
}

_NAMES = {
    NULL: "NULL",
    OBJECT: "object",
    CELL: "cell",
    ITERATOR: "iterator",
    TUPLE: "tuple",
    DICT: "dict",
    LIST: "list",
    SET: "set",
    NAMES: "tuple of names",
    CLOSURE: "tuple of cells",
    ALIAS: "tuple for a type alias",
    EXCEPTIONS: "list of exceptions",
    EXCEPTION: "exception",
    NONE: "None",
    BOOL: "bool",
    STR: "str",
    CODE: "code",
    FUNCTION: "function",
    UNFINISHED: "unfinished function",
    INT: "int",
    INTERPOLATION: "interpolation",
    INTERPOLATIONS: "tuple of interpolations",
    ITERATION: "iterated object",
    DELEGATE: "delegate of yield from",
    LASTI: "lasti",
    INDEX: "index of an iteration",
    TYPED_CELL: "cell of the compiler's own",
}

_WANTED = re.compile(
    r"(?P<words>\w+(?: or \w+)*)(?: (?P<test>==|<=|>=) (?P<number>\w+)| (?P<even>even))?"
)


_TESTS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a slot must be: `list`, `exception or none`, `tuple == oparg`, `tuple even`."""

    atoms: int
    test: str | None = None  # of the length, if it is a tuple: "==", "<=", ">=", "even"
    number: str | None = None  # what it is compared with: "oparg" or digits

    def admits(self, kind: int, oparg: int) -> bool:
        """True if a value of this kind may be there.

        >>> wanted("tuple == oparg").admits(TUPLE | 4 << SHIFT, 3)
        True
        """
        if kind & ATOMS & ~self.atoms or not kind & ATOMS:
            return False
        if self.test is None or not kind & _TUPLES:
            return True
        found = parameter(kind)
        if found is None or kind & (ALIAS | BORROWED):
            return False
        if kind & CLOSURE:
            found &= _LENGTH
        if self.test == "even":
            return not found & 1
        number = oparg if self.number == "oparg" else int(self.number or 0)
        return _TESTS[self.test](found, number)


@cache
def wanted(text: str | None) -> Wanted:
    """Read the type of a popped slot; no type is an object."""
    match = _WANTED.fullmatch("object" if text is None else text)
    if match is None or not set(match["words"].split(" or ")) <= WANTED.keys():
        raise InternalError(f"opcode table: no kind {text!r}")
    atoms = reduce(int.__or__, (WANTED[word] for word in match["words"].split(" or ")))
    return Wanted(atoms, "even" if match["even"] else match["test"], match["number"])


@cache
def given(text: str | None) -> int:
    """Read the type of a pushed slot; no type is an object.

    >>> given("exception or none") == EXCEPTION | NONE
    True
    """
    words = ("object" if text is None else text).split(" or ")
    if not set(words) <= GIVEN.keys():
        raise InternalError(f"opcode table: no kind {text!r}")
    return reduce(join, (GIVEN[word] for word in words))


def join(left: int, right: int) -> int:
    """What is known of a value that is of either kind."""
    if left == right:
        return left
    low, high = left >> SHIFT, right >> SHIFT
    if low == high or not high:
        return left | right
    if not low:
        return left | right
    return left | right | UNKNOWN


def parameter(kind: int) -> int | None:
    """The parameter of a kind, None if it has none or it is not known."""
    return None if kind >= UNKNOWN or kind < 1 << SHIFT else (kind >> SHIFT) - 1


def describe(kind: int) -> str:
    """A kind in words: "list", "object or NULL", "tuple of 3"."""
    atoms = kind & ATOMS
    if not atoms:
        return "nothing"
    known = parameter(kind) or 0
    sized = TUPLE | NAMES | CLOSURE
    words = []
    for atom, name in _NAMES.items():
        if atoms & atom:
            length = parameter(kind) is not None and atom & sized and not kind & BORROWED
            words.append(f"{name} ({known & _LENGTH})" if length else name)
    if atoms == ANY_OBJECT:
        words = ["object"]
    return " or ".join(words) + (" (borrowed)" if kind & BORROWED else "")
