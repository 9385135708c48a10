"""The exception table is not written as the compiler writes it.

The interpreter halves the table to find the entry of an instruction, and steps back to a byte
with its top bit set to find where an entry starts; it reads numbers until a byte without the
continuation bit. It checks no bounds. So the table must be a sequence of whole entries, each
number in as few bytes as it needs, the top bit set on first bytes alone; the ranges must ascend,
and must neither be empty nor overlap.

    81 42           the entry ends after its second number, in a byte that says "more follows"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from coscope.codec.regions import decode_regions, encode_regions, is_shortest
from coscope.errors import CodeError
from coscope.model import Region
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject

CODE = "VER501"

_INT_MAX = 0x7FFFFFFF


def check(subject: Subject) -> Iterable[Violation]:
    if not subject.code.exceptiontable:
        return ()
    return _wrong(subject)


def _wrong(subject: Subject) -> Iterator[Violation]:
    raw = subject.code.exceptiontable
    if subject.structural:
        yield subject.violation(
            CODE,
            "this version has no exception table",
            expected="nothing",
            found=f"{len(raw)} bytes",
        )
        return
    regions = subject.regions
    if regions is None:
        yield _unreadable(subject, raw)
        return
    if not is_shortest(raw):
        yield subject.violation(
            CODE,
            "the exception table is not in its shortest form",
            expected=_shown(encode_regions(regions)),
            found=_shown(raw),
        )
    yield from _unordered(subject, regions)


def _unreadable(subject: Subject, raw: bytes) -> Violation:
    try:
        decode_regions(raw)
    except CodeError as error:
        return subject.violation(CODE, error.what, expected="whole entries", found=error.found)
    raise AssertionError("it was not readable")


def _unordered(subject: Subject, regions: list[Region]) -> Iterator[Violation]:
    for region in regions:
        if region.start >= region.stop:
            yield subject.violation(
                CODE,
                "a protected range is empty",
                offset=region.start,
                expected="at least one instruction",
                found=f"{region.start} to {region.stop}",
            )
        if max(region.stop, region.target, region.depth) > _INT_MAX:
            yield subject.violation(
                CODE,
                "a number in the exception table is longer than a C int",
                offset=region.start,
                expected=f"at most {_INT_MAX}",
                found=max(region.stop, region.target, region.depth),
            )
    for before, region in pairwise(regions):
        if region.start < before.stop:
            yield subject.violation(
                CODE,
                "protected ranges overlap or do not ascend",
                offset=region.start,
                expected=f"a start at {before.stop} or behind",
                found=region.start,
            )


def _shown(raw: bytes) -> str:
    return raw[:8].hex(" ") + (" ..." if len(raw) > 8 else "")
