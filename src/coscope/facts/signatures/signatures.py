"""`signature`: what a callable reports, and what its code really accepts, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from coscope.facts.calls.binding import callable_of, shown_target
from coscope.facts.signatures.admission import is_an_abstract_class
from coscope.facts.signatures.annotations import (
    Annotation,
    annotations_of,
    hides_annotations,
    static_annotations,
)
from coscope.facts.signatures.counterexamples import Witness, witnesses
from coscope.facts.signatures.links import Link, flavour_of
from coscope.facts.signatures.reported import reported
from coscope.facts.signatures.shapes import Shape, of_static
from coscope.facts.signatures.wrappers import chain_of
from coscope.model import Function
from coscope.readers.attributes import is_a
from coscope.readers.values import exact_text
from coscope.result import Result


@dataclass(frozen=True, slots=True)
class Signatures(Result):
    """The signature that a callable reports, and the one by which its code binds a call."""

    target: str  # as shown
    reported: Shape | None  # what `inspect.signature` answers
    sources: tuple[str, ...]  # where that answer comes from, step by step
    problem: str | None  # why there is no reported signature
    binding: Shape | None  # what the outermost code accepts, through its wrappers
    exact: bool  # `binding` is all that the wrappers' code says; False: they may refuse more
    chain: tuple[Link, ...]  # the callable, then what its wrappers call
    witnesses: tuple[Witness, ...]  # calls that one admits and the other rejects
    annotations: tuple[Annotation, ...]
    warnings: tuple[str, ...] = ()
    object: Any = field(default=None, compare=False, repr=False)

    @property
    def agree(self) -> bool:
        """True if no call is known on which the two differ."""
        return not self.witnesses


def signature(target: object, *, python: str | None = None) -> Signatures:
    """Report which calls a callable says it accepts, and which its code accepts. Nothing is called.

    Args:
        target: Anything callable, or what `read` takes: "pkg.mod:name" imports, a file does not.
        python: Compile a source file by another interpreter.

    Raises:
        InputError: As `read`.

    >>> import functools
    >>> def inject(fn):
    ...     @functools.wraps(fn)
    ...     def wrapper(*args, **kwargs):
    ...         return fn("connection", *args, **kwargs)
    ...     return wrapper
    >>> @inject
    ... def load(connection, key): return key
    >>> found = signature(load)
    >>> found.reported.text, found.binding.text
    ('(connection, key)', '(key)')
    >>> found.witnesses[0].arguments, found.witnesses[0].reported
    ('1', "missing a required argument: 'key'")
    """
    thing = callable_of(target, python=python)
    if is_a(thing, Function):
        return _static(thing, target)
    answer = reported(thing)
    chain = chain_of(thing)
    last = next((link.function for link in chain.links if link.function is not None), None)
    found: list[Witness] = []
    if answer.shape is not None and last is not None:
        found = witnesses(thing, _last_name(chain.links), answer.shape, chain.shape)
    return Signatures(
        target=shown_target(target, thing),
        reported=answer.shape,
        sources=answer.sources,
        problem=answer.problem,
        binding=chain.shape if last is not None else None,
        exact=chain.exact,
        chain=tuple(chain.links),
        witnesses=tuple(found),
        annotations=tuple(annotations_of(chain.links)),
        warnings=tuple(_warnings(thing, chain.links, written_in_c=last is None)),
        object=thing,
    )


def _warnings(thing: object, links: Sequence[Link], *, written_in_c: bool) -> Iterator[str]:
    if written_in_c:
        yield "there is no code object: it is written in C, and only its text is known"
    if is_an_abstract_class(thing):
        yield "it is an abstract class: no call of it makes an instance"
    for link in links:
        if hides_annotations(link):
            yield f"the annotations of {link.qualname} are made by code, which is not run"


def _last_name(links: list[Link]) -> str:
    """The name under which it is called: that of the first function of the chain."""
    for link in links:
        if type(link.object) is FunctionType:
            return exact_text(link.object.__name__)
    return ""


def _static(function: Function, target: object) -> Signatures:
    """A function of a file: its parameters are known, and neither defaults nor decorators."""
    shape = of_static(function)
    link = Link(
        kind="function",
        name=function.name,
        qualname=function.qualname,
        module=function.module,
        how="",
        accepts=shape,
        flavour=flavour_of(function.code),
        function=function,
        wraps=False,
    )
    return Signatures(
        target=shown_target(target, function),
        reported=None,
        sources=(),
        problem="known from a file: decorators are applied only when its module runs",
        binding=shape,
        exact=False,
        chain=(link,),
        witnesses=(),
        annotations=tuple(static_annotations(function)),
        warnings=("known from a file: which parameters have defaults is decided when it runs",),
    )
