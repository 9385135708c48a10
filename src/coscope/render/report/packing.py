"""Documents packed for the report: what its page shows, in few bytes once they are compressed.

`report.js` unpacks it. Texts are numbers into `words`, one list a file; positions are differences
to those of the instruction before; a stack is what it keeps of the one before, and what it adds.
A row of numbers is a text with a character for each. Compressed, a file takes about 1.2 times its
source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema

Numbers = list[int]

_KINDS = ("next", "jump", "true", "false", "exception")  # of edges, by number
_TEXT = 300  # characters of a constant that are kept


class PackedCode(TypedDict):
    """The card of one code object."""

    op: str  # of each instruction its name,
    arg: str  # argument, -1 if it takes none,
    rep: str  # argument in words; -1: where it jumps says it
    at: str  # offset, less that of the one before
    pos: str  # four each: line, end line, column, end column; 0 if not known, else plus one
    keep: str  # how many values of the stack before it go; -1: no path leads here
    count: str  # how many come instead
    add: str  # those of all instructions
    jump: str  # pairs: instruction, block
    blocks: list[list[object]]  # first instruction, reachable, loop head, steps, edges
    locals: list[Numbers]  # name, kind, default or -1
    constants: list[Numbers]  # type, text
    names: list[list[object]]  # group, names
    cells: list[list[object]]  # free: owner or -1, name, value or -1; own: -2, name, users
    regions: list[list[object]]  # first and last block, handler, depth
    stack: list[int | None]  # needed, declared
    warnings: list[str]


class PackedFile(TypedDict):
    """One file of the report."""

    words: list[str | Numbers]  # a text, or where it is in the source: first character, length
    source: str
    codes: list[PackedCode | None]


class _Words:
    """Texts by number, in the order of their first use."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def all(self, texts: Iterable[str]) -> Numbers:
        return [self(text) for text in texts]


_FIRST = 0x23  # character of 0: printable, and none that JSON escapes but the backslash
_GAP = 0xD800  # where the surrogates begin, which are no characters


def digits(numbers: Iterable[int]) -> str:
    """Numbers as characters: 0, -1, 1, -2, 2, ... from `#` on.

    >>> digits([0, -1, 1, -2])
    '#$%&'
    """
    codes = (_FIRST + (2 * number if number >= 0 else -2 * number - 1) for number in numbers)
    return "".join(chr(code if code < _GAP else code + 0x800) for code in codes)


def packed(document: schema.Document, source: str) -> PackedFile:
    """A document with the cards of all its code objects.

    Args:
        document: As `report` makes it, with detail "all".
        source: The whole text of the file, empty if there is none.
    """
    words = _Words()
    codes = [None if each["detail"] is None else _code(each, words) for each in document["codes"]]
    return {"words": list(_shorter(words.numbers, source)), "source": source, "codes": codes}


_LEAST = 9  # characters of a text, from which on its place in the source is shorter


def _shorter(texts: Iterable[str], source: str) -> Iterator[str | Numbers]:
    """Texts, replaced by their place in the source where they occur in it.

    JavaScript counts characters beyond the first 65,536 twice, so that a source that has one of
    them is left alone.
    """
    plain = all(character < "\U00010000" for character in source)
    for text in texts:
        place = source.find(text) if plain and len(text) >= _LEAST else -1
        yield text if place < 0 else [place, len(text)]


def _code(code: schema.Code, words: _Words) -> PackedCode:
    detail = code["detail"]
    assert detail is not None
    instructions = detail["instructions"]
    blocks = {block["name"]: number for number, block in enumerate(detail["blocks"])}
    keep, add = _stacks(instructions, words)
    jumps = (
        (at, blocks[each["jump"]])
        for at, each in enumerate(instructions)
        if each["jump"] is not None
    )
    return {
        "op": digits(words.all(each["opname"] for each in instructions)),
        "arg": digits(_argument(each["arg"]) for each in instructions),
        "rep": digits(-1 if i["jump"] is not None else words(i["argrepr"]) for i in instructions),
        "at": digits(_differences([each["offset"] for each in instructions])),
        "pos": digits(_positions(instructions)),
        "keep": digits(keep),
        "count": digits(map(len, add)),
        "add": digits(chain.from_iterable(add)),
        "jump": digits(chain.from_iterable(jumps)),
        "blocks": _blocks(detail, blocks, words),
        "locals": [_local(each, words) for each in detail["locals"]],
        "constants": [[words(e["type"]), words(e["text"][:_TEXT])] for e in detail["constants"]],
        "names": _names(detail["names"], words),
        "cells": _cells(detail["cells"], words),
        "regions": [_region(each, blocks) for each in detail["regions"]],
        "stack": [detail["stack"]["needed"], detail["stack"]["declared"]],
        "warnings": detail["warnings"],
    }


def _local(local: schema.Local, words: _Words) -> Numbers:
    default = local["default"]
    return [words(local["name"]), words(local["kind"]), words(default["text"]) if default else -1]


def _region(region: schema.Region, blocks: Mapping[str, int]) -> list[object]:
    ends = (blocks.get(region[end] or "", -1) for end in ("first_block", "last_block"))
    return [*ends, blocks[region["handler"]], region["depth"]]


def _argument(argument: int | None) -> int:
    """-1 for none; an argument that no character holds is cut, which no compiler makes."""
    return -1 if argument is None else min(argument, 0x7FFFF)


def _differences(numbers: Sequence[int]) -> Numbers:
    return [now - before for before, now in zip([0, *numbers], numbers, strict=False)]


def _positions(instructions: Sequence[schema.Instruction]) -> Numbers:
    found: Numbers = []
    last = [0, 0, 0, 0]
    for each in instructions:
        now = [0 if number is None else number + 1 for number in each["positions"]]
        found += [new - old for new, old in zip(now, last, strict=True)]
        last = now
    return found


def _stacks(
    instructions: Sequence[schema.Instruction], words: _Words
) -> tuple[Numbers, list[Numbers]]:
    keep: Numbers = []
    add: list[Numbers] = []
    last: list[str] = []
    for each in instructions:
        stack = each["stack"]
        if stack is None:
            keep.append(-1)
            add.append([])
            last = []
            continue
        same = 0
        while same < min(len(last), len(stack)) and last[same] == stack[same]:
            same += 1
        keep.append(len(last) - same)
        add.append(words.all(stack[same:]))
        last = stack
    return keep, add


def _blocks(detail: schema.Detail, numbers: Mapping[str, int], words: _Words) -> list[list[object]]:
    starts = {each["offset"]: at for at, each in enumerate(detail["instructions"])}
    return [
        [
            starts[block["start"]],
            int(block["reachable"]),
            int(block["loop_head"]),
            words.all(step["text"] for step in block["steps"]),
            [
                [_KINDS.index(edge["kind"]), numbers[edge["target"]], words(edge["label"] or "")]
                for edge in block["edges"]
            ],
        ]
        for block in detail["blocks"]
    ]


def _names(names: schema.DetailNames, words: _Words) -> list[list[object]]:
    from coscope.render.document.shared import name_groups

    return [
        [group, words.all(each["name"] for each in found)]
        for group, found in name_groups(names)
        if found
    ]


def _cells(cells: schema.DetailCells, words: _Words) -> list[list[object]]:
    free: list[list[object]] = [
        [
            words(each["owner"]) if each["owner"] else -1,
            words(each["name"]),
            words(each["value"]["text"]) if each["value"] else -1,
        ]
        for each in cells["free"]
    ]
    return free + [
        [-2, words(each["name"]), words(", ".join(each["captured_by"]))] for each in cells["own"]
    ]
