"""Witnesses: calls that the reported signature and the code decide differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coscope.facts.calls.parameters import Arguments, Given
from coscope.facts.signatures.admission import judge
from coscope.facts.signatures.shapes import (
    KEYWORD_ONLY,
    KEYWORDS,
    POSITIONAL,
    POSITIONAL_ONLY,
    REST,
    Parameter,
    Shape,
    refusal,
)
from coscope.readers.values import value_of

_MOST = 3  # witnesses of each direction
_CANDIDATES = 64
_STRANGER = "unexpected"  # a keyword that names no parameter

# Python calls these with positional arguments only, so that a keyword proves nothing.
_OPERATORS = """
__add__ __and__ __bool__ __complex__ __contains__ __delattr__ __delete__ __delitem__
__divmod__ __enter__ __eq__ __exit__ __float__ __floordiv__ __format__ __ge__ __get__
__getattr__ __getattribute__ __getitem__ __gt__ __hash__ __iadd__ __iand__ __ifloordiv__
__ilshift__ __imatmul__ __imod__ __imul__ __index__ __instancecheck__ __int__ __invert__
__ior__ __ipow__ __irshift__ __isub__ __iter__ __itruediv__ __ixor__ __le__ __len__ __lshift__
__lt__ __matmul__ __missing__ __mod__ __mul__ __ne__ __neg__ __next__ __or__ __pos__ __pow__
__radd__ __rand__ __rdivmod__ __repr__ __reversed__ __rfloordiv__ __rlshift__ __rmatmul__
__rmod__ __rmul__ __ror__ __round__ __rpow__ __rrshift__ __rshift__ __rsub__ __rtruediv__
__rxor__ __set__ __set_name__ __setattr__ __setitem__ __str__ __sub__ __subclasscheck__
__truediv__ __xor__
"""


@dataclass(frozen=True, slots=True)
class Witness:
    """A call that one signature admits and the other rejects."""

    positional: int  # positional arguments: 1, 2, ...
    keywords: tuple[str, ...]
    reported: str | None  # why the reported signature rejects it; None: it admits it
    code: str | None  # the message of the code's TypeError; None: it admits it
    by: str | None  # qualified name of the function that rejects it
    when: str  # "called", "awaited" or "iterated": when the code rejects it

    @property
    def arguments(self) -> str:
        """As written between the parentheses of the call."""
        words = [str(number) for number in range(1, self.positional + 1)]
        words += [f"{name}={at}" for at, name in enumerate(self.keywords, self.positional + 1)]
        return ", ".join(words)

    @property
    def values(self) -> tuple[tuple[int, ...], dict[str, int]]:
        """The arguments as objects: positional, keywords."""
        positional = tuple(range(1, self.positional + 1))
        return positional, {n: i for i, n in enumerate(self.keywords, self.positional + 1)}


def witnesses(thing: object, name: str, reported: Shape, binding: Shape | None) -> list[Witness]:
    """Construct calls at the limits of both signatures, and keep those on which they differ.

    Nothing is called. A call counts only if every wrapper on its path could be followed.

    Args:
        thing: The callable.
        name: Its name; operators are called with positional arguments only.
        reported: What `inspect.signature` says.
        binding: What the code accepts, as far as known.
    """
    shapes = [reported] if binding is None or binding == reported else [reported, binding]
    found: list[Witness] = []
    counts = {True: 0, False: 0}
    for count, names in _candidates(shapes, name in _OPERATORS.split()):
        said = refusal(reported, count, names)
        if counts[said is None] >= _MOST:
            continue
        verdict = judge(thing, _arguments(count, names))
        if (verdict.error is None) == (said is None) or not verdict.certain:
            continue
        witness = Witness(count, names, said, verdict.error, verdict.by, verdict.when)
        if any(_alike(witness, other) for other in found):
            continue
        counts[said is None] += 1
        found.append(witness)
    return found


def _alike(left: Witness, right: Witness) -> bool:
    """True if two witnesses show the same."""
    return (left.reported, left.code) == (right.reported, right.code)


def _arguments(count: int, names: tuple[str, ...]) -> Arguments:
    positional = (Given(value_of(at), f"argument {at}") for at in range(1, count + 1))
    keywords = (
        (name, Given(value_of(at), f"keyword '{name}'")) for at, name in enumerate(names, count + 1)
    )
    return Arguments(tuple(positional), tuple(keywords))


def _candidates(
    shapes: list[Shape], positional_only: bool
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Calls at the limits of the signatures, small ones first; each once."""
    calls = [call for shape in shapes for call in _at_limits(shape)]
    calls.sort(key=lambda call: call[0] + len(call[1]))
    seen = set()
    for count, names in calls:
        if (count, names) in seen or (positional_only and names):
            continue
        seen.add((count, names))
        yield count, names
        if len(seen) >= _CANDIDATES:
            return


def _required_in(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    return tuple(p.name for p in parameters if p.required)


def _from_one_on_by_name(
    positional: Sequence[Parameter], named: tuple[str, ...]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """For each parameter: it and all that are required after it by name, those before by place."""
    for at, parameter in enumerate(positional):
        if parameter.kind == POSITIONAL:
            yield at, (parameter.name, *_required_in(positional[at + 1 :]), *named)


def _at_limits(shape: Shape) -> Iterator[tuple[int, tuple[str, ...]]]:
    positional = shape.of_kind(POSITIONAL_ONLY, POSITIONAL)
    only = len(shape.of_kind(POSITIONAL_ONLY))
    required = sum(p.required for p in positional)
    named = _required_in(shape.of_kind(KEYWORD_ONLY))
    yield required, named
    yield only, (*_required_in(positional[only:]), *named)
    yield len(positional), named
    yield len(positional) + 1, named
    if required:
        yield required - 1, named
    for at in range(len(named)):
        yield required, (*named[:at], *named[at + 1 :])
    for parameter in shape.of_kind(KEYWORD_ONLY):
        if not parameter.required:
            yield required, (*named, parameter.name)
    yield from _from_one_on_by_name(positional, named)
    if shape.of_kind(KEYWORDS) or not shape.of_kind(REST):
        yield required, (*named, _STRANGER)
    yield 0, ()
