"""The document of `capture`

`coscope capture TARGET --json`, and `coscope.capture(...).to_json()`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.shared import Header, Natural, Size, Value

CaptureKind = Annotated[
    str,
    {
        "enum": [
            "target",
            "closure",
            "default",
            "keyword default",
            "global",
            "attribute",
            "self",
            "function",
            "argument",
            "keyword",
            "item",
            "key",
            "class",
            "base",
            "member",
            "contents",
            "state",
        ]
    },
]
Tool = Annotated[str, {"enum": ["pickle", "cloudpickle"]}]


class CaptureStep(TypedDict):
    """One step from a target to an object that travels with it."""

    kind: CaptureKind
    name: str  # of the variable, parameter, attribute or key; empty where the kind says all


class CapturePath(TypedDict):
    """The way to an object."""

    path: list[CaptureStep]  # from the target; empty if there is nothing to be reached
    chain: str  # the path as the page writes it


class CaptureVerdict(CapturePath):
    """Whether one tool takes an object.

    The path leads to the first culprit, or to what is not known.
    """

    tool: Tool
    takes: bool | None  # null: not known
    tried: bool  # false: inferred from types, and likely at best
    culprit: Value | None
    reason: str | None  # what the tool raised, or why it is expected to
    bytes: int | None  # of the whole pickle, if one was made


class CaptureCulprit(CapturePath):
    """One object in the target that a tool refuses by its type, whatever else there is."""

    value: Value
    tools: list[Tool]  # that refuse it
    reason: str
    advice: str  # what to do about it


class CaptureAttribute(TypedDict):
    """How much of an object one of its attributes is."""

    name: str
    type: str
    size: Size  # deep; what another attribute holds too is counted for both


class CaptureItem(CapturePath):
    """One object that a function takes along."""

    # how it is captured: of its last step
    kind: CaptureKind
    name: str
    value: Value
    by_name: bool  # cloudpickle writes only where to find it
    travels: bool  # false: it would if the functions before it were sent by value
    size: Size
    verdicts: list[CaptureVerdict]  # of it alone: pickle's, cloudpickle's
    attributes: list[CaptureAttribute]  # of an instance, the largest first


class CaptureLimits(TypedDict):
    """What bounded the search."""

    seconds: float  # allowed in all
    objects: Natural  # counted for the sizes, at most
    complete: bool  # no limit was reached


class CaptureDocument(Header):
    """What `coscope capture --json` prints."""

    command: Literal["capture"]
    target: str  # name of the target in paths
    module: str | None
    value: Value
    by_name: bool  # the target travels as a name
    pickled: bool  # pickling was tried
    verdicts: list[CaptureVerdict]  # of the target as a whole: pickle's, cloudpickle's
    culprits: list[CaptureCulprit]  # all that a tool refuses, nearest to the target first
    attributes: list[CaptureAttribute]  # of the target, if it is an instance
    travelling_bytes: Natural  # of what travels, shared parts once
    listed_bytes: Natural  # of all items, shared parts once
    items: list[CaptureItem]  # nearest to the target first
    limits: CaptureLimits
    notes: list[str]  # traps, such as a global that cloudpickle leaves out
    error: None  # as in every document that is not an error
