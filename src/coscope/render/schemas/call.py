"""The document of `call`

`coscope call TARGET ARGUMENTS --json`, and `coscope.call(...).to_json()`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.shared import Header, Natural, ParameterKind, Positive, Value

CallStepKind = Annotated[
    str,
    {
        "enum": [
            "through",
            "positional",
            "left over",
            "keyword",
            "unknown keyword",
            "default",
            "check",
            "error",
            "enter",
            "if",
            "note",
        ]
    },
]
TraceKind = Annotated[
    str,
    {
        "enum": [
            "enter",
            "instruction",
            "fold",
            "suspend",
            "resume",
            "throw",
            "raise",
            "return",
            "unwind",
        ]
    },
]
BindingOutcome = Annotated[str, {"enum": ["binds", "raises", "if"]}]
Outcome = Annotated[str, {"enum": ["returned", "raised", "stopped", "refused"]}]


class CallFunction(TypedDict):
    """A Python function that a call reaches."""

    qualname: str
    module: str | None
    file: str
    line: Natural
    version: str
    release: str | None  # the micro version, where known


class CallSlot(TypedDict):
    """One parameter and what it holds."""

    slot: Natural
    name: str
    kind: ParameterKind
    value: Value | None  # null: nothing yet when the error was raised
    origin: str | None  # where the value comes from


class CallStep(TypedDict):
    """One step from the call to the slots."""

    kind: CallStepKind
    text: str
    slot: Natural | None
    name: str | None  # of the parameter
    value: Value | None


class CallStage(TypedDict):
    """One function that the call reaches: a wrapper, then what it calls; `__new__`, `__init__`."""

    function: CallFunction
    slots: list[CallSlot]
    raises: str | None  # message of the TypeError


class TraceEntry(TypedDict):
    """One line of a trace."""

    kind: TraceKind
    frame: Positive  # 1 is the first that started
    depth: Natural  # frames of traced code around it
    code: str  # qualified name
    offset: Natural | None
    line: Natural | None
    opname: str
    argrepr: str
    locals: dict[str, str]  # before the instruction: text of the value by name
    stack: list[str] | None  # symbolic, before the instruction, deepest first
    text: str  # value or exception
    count: Natural  # of a fold: iterations left out


class Trace(TypedDict):
    """What a call executed."""

    outcome: Outcome
    value: Value | None  # returned, or the exception
    executed: Natural  # instructions
    steps: Natural  # bound on the entries
    rounds: Natural  # values asked of a generator or coroutine
    note: str | None
    entries: list[TraceEntry]


class CallArgumentsKeyword(TypedDict):
    """One keyword argument."""

    name: str
    value: Value


class CallArguments(TypedDict):
    """The arguments of the call."""

    positional: list[Value]
    keywords: list[CallArgumentsKeyword]


class CallRaises(TypedDict):
    """CPython's error, word for word."""

    type: Literal["TypeError"]
    message: str
    when: Annotated[str, {"enum": ["called", "awaited", "iterated"]}]


class CallDocument(Header):
    """What `coscope call` says of one call."""

    command: Literal["call"]
    target: str
    arguments: CallArguments
    accepted: bool  # the call certainly gets to the innermost function's first instruction
    outcome: BindingOutcome  # "if": only running it can show
    raises: CallRaises | None
    function: CallFunction | None  # the last one that the call reaches
    steps: list[CallStep]  # in CPython's order
    stages: list[CallStage]
    conditions: list[str]  # what may refuse the call, and is known only when it runs
    warnings: list[str]
    trace: Trace | None  # with --trace
