"""The document of `depends`

`coscope depends TARGET --json`, and `coscope.depends(...).to_json()`.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from coscope.render.schemas.shared import Header, Natural, Value


class DependsCode(TypedDict):
    """A code object that was looked into."""

    path: list[str]  # code from the target to the one that uses it
    qualname: str
    kind: str  # in CPython's words
    file: str
    line: Natural


class DependsName(TypedDict):
    """A name or dotted path that one code object uses."""

    name: str  # `np.linalg.norm`; of an import `json`, `..pkg.x`, `math.*`
    access: Literal["read", "write", "delete", "import", "pass through"]
    kind: Literal["builtin", "global", "cell", "class-local-or-global", "unbound", "import"]
    chain: str  # `f -> <lambda> -> helper -> LOCK`
    resolved: str | None  # the part of the name that the value belongs to
    empty: bool  # an empty cell
    value: Value | None
    path: list[str]  # code from the target to the one that uses it
    offsets: list[Natural]  # bytes in that code's co_code
    lines: list[Natural]  # source lines of the uses


class DependsAttribute(TypedDict):
    """An attribute name, but for those of dotted paths."""

    name: str
    access: list[str]
    path: list[str]  # code from the target to the one that uses it
    offsets: list[Natural]  # bytes in that code's co_code


class DependsConstant(TypedDict):
    """A constant that the code loads."""

    type: str  # name of the type
    text: str
    shortened: NotRequired[Literal[True]]  # the text is cut; absent if it is whole
    path: list[str]  # code from the target to the one that uses it
    offsets: list[Natural]  # bytes in that code's co_code


class DependsDynamic(TypedDict):
    """A builtin that makes names out of data."""

    name: str  # as used
    function: str  # what it is
    note: str
    path: list[str]  # code from the target to the one that uses it
    offsets: list[Natural]  # bytes in that code's co_code
    lines: list[Natural]  # source lines of the uses


class DependsFailure(TypedDict):
    """A use of a name that raises if it is reached."""

    name: str
    error: Literal["NameError", "UnboundLocalError"]
    reason: str
    path: list[str]  # code from the target to the one that uses it
    offsets: list[Natural]  # bytes in that code's co_code
    lines: list[Natural]  # source lines of the uses


class DependsHeld(TypedDict):
    """What a function holds beside its code."""

    name: str  # `default of x`, `__wrapped__`, `partial.args[0]`
    path: list[str]  # code from the target to the one that uses it
    value: Value


class DependsDocument(Header):
    """What `coscope depends --json` prints."""

    command: Literal["depends"]
    target: str  # qualified name
    module: str | None
    live: bool  # false for a file: names without objects
    transitive: bool  # helpers are included
    complete: bool  # false if the search stopped at its limit
    via: list[str]  # steps from the target to the function
    warnings: list[str]
    libraries: list[str]  # top packages whose functions were not entered
    codes: list[DependsCode]
    dependencies: list[DependsName]
    attributes: list[DependsAttribute]
    constants: list[DependsConstant]
    dynamic: list[DependsDynamic]
    failures: list[DependsFailure]
    held: list[DependsHeld]
    error: None  # as in every document that is no error
