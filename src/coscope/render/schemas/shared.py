"""Parts that several documents have

Every document begins with the keys of [header](#header).
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

Natural = Annotated[int, {"minimum": 0}]
Positive = Annotated[int, {"minimum": 1}]
Byte = Annotated[int, {"minimum": 0, "maximum": 255}]
Unit = Annotated[int, {"minimum": 0, "maximum": 65535}]
Sha256 = Annotated[str, {"pattern": "^[0-9a-f]{64}$"}]
BlockName = Annotated[str, {"pattern": "^B[0-9]+$"}]
Version = Annotated[str, {"pattern": r"^3\.[0-9]+$"}]
LineNumber = Annotated[str, {"pattern": "^[0-9]+$"}]
Positions = Annotated[list[int | None], {"minItems": 4, "maxItems": 4}]
Interval = Annotated[list[float], {"minItems": 2, "maxItems": 2}]
ParameterKind = Annotated[
    str, {"enum": ["positional-only", "positional-or-keyword", "*args", "keyword-only", "**kwargs"]}
]
Severity = Annotated[str, {"enum": ["error", "warning", "info"]}]
Confidence = Annotated[str, {"enum": ["proved", "measured", "likely"]}]
Verdict = Annotated[str, {"enum": ["identical", "same behaviour", "different"]}]
LocalKind = Annotated[
    str,
    {
        "enum": [
            "positional-only",
            "positional-or-keyword",
            "*args",
            "keyword-only",
            "**kwargs",
            "local",
            "hidden local",
            "cell",
            "free",
        ]
    },
]
CodeKind = Annotated[
    str,
    {
        "enum": [
            "module",
            "class body",
            "function",
            "lambda",
            "list comprehension",
            "set comprehension",
            "dict comprehension",
            "generator expression",
            "async generator expression",
            "generator",
            "coroutine",
            "async generator",
            "type parameters",
            "annotations",
        ]
    },
]
Sort = Annotated[
    str,
    {
        "enum": [
            "load",
            "store",
            "delete",
            "import",
            "compute",
            "build",
            "unpack",
            "call",
            "jump",
            "return",
            "raise",
            "yield",
            "exception",
            "stack",
            "frame",
            "nothing",
            "other",
        ]
    },
]


class Producer(TypedDict):
    """Who made the document."""

    name: Literal["coscope"]
    version: str
    python: str  # release of the host


class Header(TypedDict):
    """What every document begins with."""

    schema_version: Literal[1]
    producer: Producer


class Value(TypedDict):
    """A constant or a live object as shown, never the object itself."""

    type: str  # name of the type
    text: str  # as Python writes it, shortened where it is long


class Constant(TypedDict):
    """A constant as shown."""

    type: str  # name of the type
    text: str  # as Python writes it; big integers in hexadecimal
    shortened: NotRequired[Literal[True]]  # the text is cut; absent if it is whole


class User(TypedDict):
    """A code object that uses a variable."""

    code: str  # qualified name
    lines: list[Natural]


class Size(TypedDict):
    """The deep size of an object in memory."""

    bytes: Natural  # what `sys.getsizeof` says of it and of all that it holds, each once
    shared: Natural  # of these, already counted in what comes before
    objects: Natural
    complete: bool  # false: a limit stopped the count
