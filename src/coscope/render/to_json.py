"""The document as strict JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from json import JSONEncoder  # a target may have replaced `json.dumps` when it was imported
from textwrap import indent as indented


def to_json(document: Mapping[str, object], *, indent: int | None = 2) -> str:
    """Strict JSON in ASCII, ended by a line feed: no NaN, no lone surrogates, no raw controls."""
    separators = (",", ":") if indent is None else None
    encoder = JSONEncoder(allow_nan=False, ensure_ascii=True, indent=indent, separators=separators)
    return encoder.encode(document) + "\n"


def to_json_chunks(document: Mapping[str, object], *, size: int = 10_000) -> Iterator[str]:
    """The same text as `to_json` gives, `size` tokens at a time: it is never held as a whole.

    >>> "".join(to_json_chunks({"a": [1, {}]}, size=2)) == to_json({"a": [1, {}]})
    True
    """
    tokens = JSONEncoder(allow_nan=False, indent=2).iterencode(document)
    while chunk := "".join(islice(tokens, size)):
        yield chunk
    yield "\n"


def to_json_parts(
    before: Mapping[str, object],
    key: str,
    entries: Iterable[Mapping[str, object]],
    after: Callable[[], Mapping[str, object]],
) -> Iterator[str]:
    """The same text as `to_json` gives, piece by piece, of a document with one long list.

    Args:
        before: What comes before the list.
        key: Of the list.
        entries: The list, never held as a whole.
        after: Gives what comes after the list, once all entries are written.

    >>> "".join(to_json_parts({"a": 1}, "b", [{}], lambda: {"c": 2})) == to_json(
    ...     {"a": 1, "b": [{}], "c": 2}
    ... )
    True
    """
    yield to_json(before).removesuffix("\n}\n") + f",\n  {JSONEncoder().encode(key)}: ["
    separator = "\n"
    for entry in entries:
        yield separator + indented(to_json(entry).rstrip("\n"), "    ")
        separator = ",\n"
    yield "]" if separator == "\n" else "\n  ]"
    yield "," + to_json(after()).removeprefix("{")
