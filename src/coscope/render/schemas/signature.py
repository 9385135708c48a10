"""The document of `signature`

`coscope signature TARGET --json`, and `coscope.signature(...).to_json()`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.shared import Header, Natural, ParameterKind

Flavour = Annotated[
    str,
    {
        "enum": [
            "function",
            "generator",
            "coroutine",
            "async generator",
            "generator-based coroutine",
        ]
    },
]
When = Annotated[str, {"enum": ["called", "awaited", "iterated"]}]
AnnotationForm = Annotated[str, {"enum": ["object", "string", "lazy", "source"]}]
AnnotationVerdict = Annotated[
    str,
    {
        "enum": [
            "evaluated",
            "would evaluate",
            "would raise NameError",
            "would raise AttributeError",
            "would raise TypeError",
            "does not parse",
            "not known",
        ]
    },
]


class SignatureReported(TypedDict):
    """What `inspect.signature` reports."""

    shape: Shape | None
    sources: list[str]  # where the answer comes from, step by step
    problem: str | None  # why `inspect.signature` has no answer, or what it would have to run


class SignatureBinding(TypedDict):
    """What a call binds."""

    shape: Shape | None
    exact: bool  # false: what the code does with the arguments further on may refuse more


class SignatureDocument(Header):
    """What `coscope signature` says of one callable."""

    command: Literal["signature"]
    target: str
    agree: bool  # no call is known on which the two differ
    reported: SignatureReported
    binding: SignatureBinding
    chain: list[SignatureLink]  # the callable, then what its wrappers call
    witnesses: list[Witness]  # calls that one admits and the other rejects
    annotations: list[Annotation]
    warnings: list[str]
    error: None  # as in every document that is not an error


class ShapeParameterDefault(TypedDict):
    """A default value."""

    type: str
    text: str


class ShapeParameter(TypedDict):
    """One parameter."""

    name: str
    kind: ParameterKind
    default: ShapeParameterDefault | None


class Shape(TypedDict):
    """The parameters of a callable."""

    text: str  # as in source, without annotations
    parameters: list[ShapeParameter]


class SignatureLink(TypedDict):
    """One callable of a chain of wrappers."""

    kind: str  # function, bound method, functools.partial, class, builtin, ...
    name: str
    qualname: str
    module: str | None
    file: str | None
    line: int | None
    how: str  # how the link before leads here; empty for the first
    accepts: Shape | None
    flavour: Flavour | None
    wraps: bool  # it has a `__wrapped__`
    changes: list[str]  # what it loses or changes of the next link


class Witness(TypedDict):
    """A call that one signature admits and the other rejects."""

    arguments: str  # as written between the parentheses
    positional: Natural  # positional arguments: 1, 2, ...
    keywords: list[str]
    reported: str | None  # why the reported signature rejects it; null: it admits it
    code: str | None  # message of the code's TypeError; null: it admits it
    by: str | None  # qualified name of the function that rejects it
    when: When  # when the code rejects it


class Annotation(TypedDict):
    """One annotation of one function of the chain."""

    function: str  # qualified name
    name: str  # of the parameter, or return
    text: str
    form: AnnotationForm
    verdict: AnnotationVerdict
    module: str | None  # in whose globals its names are looked up
    missing: list[str]  # names that are not found
    reason: str | None
    elsewhere: str | None  # what it means in the globals of a wrapper
