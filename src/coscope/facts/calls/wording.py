"""The messages of a TypeError that a call raises, word for word as each CPython writes them."""

from __future__ import annotations

from collections.abc import Sequence

from coscope.opcodes.behaviour import Wording


def too_many(least: int | None, most: int, given: int, keyword_only: int) -> str:
    """What follows "f() ": more positional arguments than parameters.

    Args:
        least: Parameters without a default, or None if none has one.
        most: Positional parameters.
        given: Positional arguments.
        keyword_only: Keyword-only parameters that got an argument.

    Source:
        CPython 3.13.0, Python/ceval.c, too_many_positional.
    """
    counts = f"{most}" if least is None else f"from {least} to {most}"
    ending = _s(least is not None or most != 1)
    also = ""
    if keyword_only:
        also = (
            f" positional argument{_s(given != 1)}"
            f" (and {keyword_only} keyword-only argument{_s(keyword_only != 1)})"
        )
    verb = "was" if given == 1 and not keyword_only else "were"
    return f"takes {counts} positional argument{ending} but {given}{also} {verb} given"


def missing(names: Sequence[str], kind: str) -> str:
    """What follows "f() ": parameters without an argument.

    Args:
        names: One or more.
        kind: "positional" or "keyword-only".

    Source:
        CPython 3.13.0, Python/ceval.c, format_missing.

    >>> missing(["a", "b", "c"], "positional")
    "missing 3 required positional arguments: 'a', 'b', and 'c'"
    """
    quoted = [repr(name) for name in names]
    if len(quoted) > 2:
        listed = f"{', '.join(quoted[:-2])}, {quoted[-2]}, and {quoted[-1]}"
    else:
        listed = " and ".join(quoted)
    return f"missing {len(names)} required {kind} argument{_s(len(names) != 1)}: {listed}"


def unexpected(keyword: str, parameters: Sequence[str], words: Wording) -> str:
    """What follows "f() ": a keyword that names no parameter.

    Args:
        keyword: As given.
        parameters: Those that may be named, in slot order.
        words: Whether the version suggests one.
    """
    similar = suggestion(parameters, keyword) if words.suggests else None
    hint = f". Did you mean '{similar}'?" if similar is not None else ""
    return f"got an unexpected keyword argument '{keyword}'{hint}"


def abstract(class_name: str, methods: Sequence[str], words: Wording) -> str:
    """The whole message about a class with abstract methods."""
    text, join, quote = words.abstract
    listed = join.join(f"{quote}{name}{quote}" for name in methods)
    return f"Can't instantiate abstract class {class_name} {text}{_s(len(methods) > 1)} {listed}"


def _s(plural: bool) -> str:
    return "s" if plural else ""


_MOST_CANDIDATES = 750  # CPython suggests nothing from as many names
_LONGEST = 40  # bytes compared, without common beginning and end
_MOVE = 2  # cost of a byte that differs, or is too many
_CASE = 1  # cost of an ASCII letter in the other case


def suggestion(candidates: Sequence[str], name: str) -> str | None:
    """The candidate that CPython would suggest for a misspelled name.

    Source:
        CPython 3.13.0, Python/suggestions.c, _Py_CalculateSuggestions. Distances are of the UTF-8
        bytes; a name that has no UTF-8 form gets no suggestion.

    >>> suggestion(["height", "width"], "widht")
    'width'
    """
    wanted = _bytes(name)
    if len(candidates) >= _MOST_CANDIDATES or wanted is None:
        return None
    best: str | None = None
    least: int | None = None
    for candidate in candidates:
        if candidate == name:
            continue
        text = _bytes(candidate)
        if text is None:
            return None
        # No more than a third of the bytes may need a change.
        most = (len(wanted) + len(text) + 3) * _MOVE // 6
        if least is not None:
            most = min(most, least - 1)
        distance = _distance(wanted, text, most)
        if distance <= most:
            best, least = candidate, distance
    return best


def _bytes(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def _without_common_ends(a: bytes, b: bytes) -> tuple[bytes, bytes]:
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    a, b = a[start:], b[start:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return a, b


def _distance(a: bytes, b: bytes, most: int) -> int:
    """Weighted Levenshtein distance; any number above `most` if it is above that."""
    a, b = _without_common_ends(a, b)
    if not a or not b:
        return (len(a) + len(b)) * _MOVE
    if len(a) > _LONGEST or len(b) > _LONGEST:
        return most + 1
    if len(b) < len(a):
        a, b = b, a
    if (len(b) - len(a)) * _MOVE > most:
        return most + 1
    return _edit_distance(a, b, most)


def _edit_distance(a: bytes, b: bytes, most: int) -> int:
    """The same for two texts that are neither empty nor long: row by row of the edit matrix."""
    row = [(index + 1) * _MOVE for index in range(len(a))]
    result = 0
    for index, byte in enumerate(b):
        before = result = index * _MOVE
        for at, other in enumerate(a):
            substituted = before + _substitution(byte, other)
            before = row[at]
            result = min(min(result, before) + _MOVE, substituted)
            row[at] = result
        if min(row) > most:
            return most + 1
    return result


def _substitution(a: int, b: int) -> int:
    if a & 31 != b & 31:
        return _MOVE
    if a == b:
        return 0
    return _CASE if _lower(a) == _lower(b) else _MOVE


def _lower(byte: int) -> int:
    return byte + 32 if ord("A") <= byte <= ord("Z") else byte
