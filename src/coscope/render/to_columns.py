"""Any document in columns instead of rows: a fifth of the size, and the same data.

A list of objects becomes one object with a list for each key, so that a key is written once and
what repeats in a column is written once too. `from_columns` gives the document back. The form is
described in docs/schema.md, "Columns".
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from coscope.render.document.excerpts import with_excerpts, without_excerpts

FORM = "~"  # key that names the form of what is packed; no key of a document is called so
_LEAST = 3  # rows, from which on a table is shorter

Json = Any  # strict JSON data


def to_columns(document: Mapping[str, object]) -> dict[str, Json]:
    """Pack a document.

    >>> to_columns({"codes": [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}, {"a": 4, "b": "x"}]})["codes"]
    {'~': 'rows', 'count': 3, 'columns': {'a': [1, 2, 4], 'b': {'~': 'same', 'value': 'x'}}}
    """
    return {key: _packed(value) for key, value in without_excerpts(document).items()}


def _packed(value: Json) -> Json:
    if isinstance(value, Mapping):
        if FORM in value:
            keys, values = list(value), [_packed(each) for each in value.values()]
            return {FORM: "object", "keys": keys, "values": values}
        return {key: _packed(each) for key, each in value.items()}
    if isinstance(value, list):
        if len(value) >= _LEAST and all(isinstance(each, Mapping) for each in value):
            return _rows(value)
        return [_packed(each) for each in value]
    return value


def _rows(rows: Sequence[Mapping[str, Json]]) -> Json:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    made: dict[str, Json] = {FORM: "rows", "count": len(rows)}
    made["columns"] = {key: _column([row.get(key) for row in rows]) for key in keys}
    absent = {key: [at for at, row in enumerate(rows) if key not in row] for key in keys}
    if any(absent.values()):
        made["absent"] = {key: _column(at) for key, at in absent.items() if at}
    return made


def _column(values: list[Json]) -> Json:
    """Some values of one key, in the shortest form that fits them."""
    known = [value for value in values if value is not None]
    if _all_are(list, known):
        return _with_gaps(values, known, _lists(known))
    if _all_are(Mapping, known):
        return _with_gaps(values, known, _rows(known))
    if not values or _all_are(Hashable, values):
        return _scalars(values)
    return [_packed(value) for value in values]


def _all_are(kind: type, values: Sequence[Json]) -> bool:
    """Whether there are values, all of this kind."""
    return bool(values) and all(isinstance(value, kind) for value in values)


def _with_gaps(values: list[Json], known: list[Json], packed: Json) -> Json:
    if len(values) == len(known):
        return packed
    gaps = [at for at, value in enumerate(values) if value is None]
    return {FORM: "some", "count": len(values), "null": _column(gaps), "values": packed}


def _scalars(values: list[Json]) -> Json:
    # True is 1 to a dict, and 1.0 too, and -0.0 is 0.0: their texts are compared.
    first: dict[tuple[type, str], int] = {}
    at = [first.setdefault((type(value), str(value)), len(first)) for value in values]
    seen: list[Json] = [None] * len(first)
    for index, value in zip(at, values, strict=True):
        seen[index] = value
    if len(seen) == 1 and len(values) > 1:
        return {FORM: "same", "value": values[0]}
    forms: list[Json] = [values]
    if len(seen) * 2 <= len(values):
        forms.append({FORM: "words", "words": seen, "at": _digits(at)})
    if len(values) > 1 and all(type(value) is int for value in values):
        steps = [now - before for before, now in zip([0, *values], values, strict=False)]
        forms += [_digits(values), {FORM: "steps", "steps": _digits(steps)}]
    return min(forms, key=_size)


# A digit is a printable character that JSON does not escape: 93 of them.
_DIGITS = "".join(chr(at) for at in range(0x20, 0x7F) if chr(at) not in '"\\')
_VALUES = {digit: at for at, digit in enumerate(_DIGITS)}
_WIDEST = 4  # digits of a number, above which it is written as JSON does


def _digits(numbers: list[int]) -> Json:
    """Numbers in digits of base 93, all of one width, the highest digit first."""
    least = min(numbers, default=0)
    span, width = max(numbers, default=0) - least, 1
    while span >= len(_DIGITS) ** width:
        width += 1
    if width > _WIDEST:
        return numbers
    places = [len(_DIGITS) ** place for place in range(width)][::-1]
    text = "".join(
        _DIGITS[(number - least) // place % len(_DIGITS)] for number in numbers for place in places
    )
    return {FORM: "digits", "least": least, "width": width, "text": text}


def _numbers(packed: Json) -> list[int]:
    if isinstance(packed, list):
        return packed
    width, text, base = packed["width"], packed["text"], len(_DIGITS)
    numbers = []
    for start in range(0, len(text), width):
        number = 0
        for digit in text[start : start + width]:
            number = number * base + _VALUES[digit]
        numbers.append(number + packed["least"])
    return numbers


def _size(value: Json) -> int:
    return len(json.dumps(value, separators=(",", ":")))


def _lists(lists: list[list[Json]]) -> Json:
    """Lists of one key: those of one length as columns, others by what each adds to the last."""
    lengths = {len(each) for each in lists}
    if len(lengths) == 1 and 0 < (length := len(lists[0])) <= 4 and len(lists) >= _LEAST:
        columns = [_column([each[at] for each in lists]) for at in range(length)]
        return {FORM: "tuples", "columns": columns}
    flat = list(chain.from_iterable(lists))
    if any(isinstance(each, Mapping) for each in flat):
        return {FORM: "lists", "counts": _column([*map(len, lists)]), "items": _packed(flat)}
    return _stacks(lists)


def _stacks(lists: list[list[Json]]) -> Json:
    """Lists as what each keeps of the last one, and what it adds."""
    kept: list[Json] = []
    added: list[list[Json]] = []
    last: list[Json] = []
    for items in lists:
        same = _shared(last, items)
        kept.append(same)
        added.append(items[same:])
        last = items
    counts = _column([*map(len, added)])
    items = _column(list(chain.from_iterable(added)))
    return {FORM: "stacks", "kept": _column(kept), "counts": counts, "items": items}


def _shared(before: list[Json], now: list[Json]) -> int:
    """How many items two lists have in common from the start."""
    for at, (one, other) in enumerate(zip(before, now, strict=False)):
        if type(one) is not type(other) or one != other:
            return at
    return min(len(before), len(now))


def from_columns(packed: Mapping[str, Json]) -> dict[str, Json]:
    """The document that `to_columns` packed.

    Raises:
        KeyError, IndexError, ValueError: It is not one.
    """
    return with_excerpts({key: _unpacked(value) for key, value in packed.items()})


def _unpacked(value: Json) -> Json:
    if isinstance(value, Mapping):
        if FORM in value:
            return _unpacked_form(value)
        return {key: _unpacked(each) for key, each in value.items()}
    return [_unpacked(each) for each in value] if isinstance(value, list) else value


def _unpacked_form(value: Mapping[str, Json]) -> Json:
    match value[FORM]:
        case "object":
            return dict(zip(value["keys"], map(_unpacked, value["values"]), strict=True))
        case "rows":
            return _unpacked_rows(value)
        case "lists":
            return _split(_unpacked(value["items"]), _values(value["counts"]))
    raise ValueError(f"{value[FORM]!r} is where no column can be")


def _values(column: Json, count: int = 0) -> list[Json]:
    """The values of a column; `count` is needed by those that are all the same."""
    if isinstance(column, list):
        return [_unpacked(each) for each in column]
    match column[FORM]:
        case "same":
            return [column["value"]] * count
        case "words":
            return [column["words"][at] for at in _numbers(column["at"])]
        case "digits":
            return list(_numbers(column))
        case "steps":
            return _sums(_numbers(column["steps"]))
        case "some":
            return _filled(column)
        case "rows":
            return _unpacked_rows(column)
        case "tuples":
            columns = [_values(each, count) for each in column["columns"]]
            return [list(each) for each in zip(*columns, strict=True)]
        case "lists":
            return _split(_unpacked(column["items"]), _values(column["counts"], count))
        case "stacks":
            return _unpacked_stacks(column, count)
    raise ValueError(f"no column has the form {column[FORM]!r}")


def _filled(column: Mapping[str, Json]) -> list[Json]:
    count = column["count"]
    gaps = set(_values(column["null"], count))
    values = iter(_values(column["values"], count - len(gaps)))
    return [None if at in gaps else next(values) for at in range(count)]


def _unpacked_rows(packed: Mapping[str, Json]) -> list[Json]:
    count = packed["count"]
    rows: list[dict[str, Json]] = [{} for _ in range(count)]
    absent = packed.get("absent", {})
    for key, column in packed["columns"].items():
        left_out = set(_values(absent[key], count)) if key in absent else ()
        for at, value in enumerate(_values(column, count)):
            if at not in left_out:
                rows[at][key] = value
    return rows


def _unpacked_stacks(column: Mapping[str, Json], count: int) -> list[Json]:
    lists: list[list[Json]] = []
    kept = _values(column["kept"], count)
    counts = _values(column["counts"], count)
    items = iter(_values(column["items"], sum(counts)))
    last: list[Json] = []
    for same, more in zip(kept, counts, strict=True):
        last = [*last[:same], *(next(items) for _ in range(more))]
        lists.append(last)
    return lists


def _sums(steps: Iterable[int]) -> list[Json]:
    total, sums = 0, []
    for step in steps:
        total += step
        sums.append(total)
    return sums


def _split(items: list[Json], counts: Iterable[int]) -> list[Json]:
    at, parts = 0, []
    for count in counts:
        parts.append(items[at : at + count])
        at += count
    return parts
