"""Code that an earlier verifier accepted and that killed the interpreter, made small."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from coscope.model import Code
from tests.verifier.building import FREE, LOCAL, built

_HIDDEN = 0x10  # FAST_HIDDEN
_RESUME, _NONE, _RETURN = ("RESUME", 0), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)


class Case(NamedTuple):
    """One crash."""

    name: str
    versions: tuple[str, ...]  # that it killed
    rule: str  # that refuses it now
    traced: bool  # it kills under a trace function
    why: str
    build: Callable[[str], Code]
    kills: bool = True  # False: what is built is the damage alone, which killed in larger code


CASES = (
    Case(
        "too much to follow",
        ("3.11", "3.12", "3.13"),
        "VER303",
        False,
        "The machine gave up at its bound of work, and what was not followed had no violation."
        " UNPACK_SEQUENCE writes its values sixteen million slots above the stack.",
        lambda version: built(
            version, _RESUME, ("LOAD_FAST", 0), ("UNPACK_SEQUENCE", 1 << 24), _RETURN
        ),
    ),
    Case(
        "hidden free variable",
        ("3.11",),
        "VER802",
        True,
        "PyFrame_LocalsToFast compares the kind with CO_FAST_FREE, so a free variable with one"
        " more bit is written as a plain local: its cell is replaced by what it holds.",
        lambda version: built(
            version, ("COPY_FREE_VARS", 1), _RESUME, ("LOAD_DEREF", 0), _RETURN,
            slots=(("f", FREE | _HIDDEN),), flags=0x13,
        ),
    ),
    Case(
        "hidden local of a function",
        ("3.12",),
        "VER802",
        True,
        "f_locals leaves hidden locals out, and PyFrame_LocalsToFast takes them for deleted: puts"
        " None into them. FOR_ITER does not look at the `.0` of a generator expression.",
        lambda version: built(
            version, _RESUME, ("LOAD_FAST", 0), _RETURN, slots=(("x", LOCAL | _HIDDEN),)
        ),
        kills=False,
    ),
    Case(
        "END_FOR with one value",
        ("3.13",),
        "VER301",
        True,
        "INSTRUMENTED_END_FOR asks whether the slot below is a generator; there is none.",
        lambda version: built(version, _RESUME, _NONE, ("END_FOR", 0), _NONE, _RETURN, slots=()),
    ),
)  # fmt: skip
