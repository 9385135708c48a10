"""The document of `depends`

`coscope depends TARGET --json`, and `coscope.depends(...).to_json()`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.shared import Constant, Header, Natural, Value

DependsAccess = Annotated[str, {"enum": ["read", "write", "delete", "import", "pass through"]}]
DependsKind = Annotated[
    str,
    {
        "enum": [
            "builtin",
            "global",
            "cell",
            "class-local-or-global",
            "unbound",
            "import",
            "lazy import",
        ]
    },
]
DependsError = Annotated[str, {"enum": ["NameError", "UnboundLocalError"]}]


class DependsPlace(TypedDict):
    """Where something is used."""

    path: list[str]  # code from the target to the one that uses it
    offsets: list[Natural]  # bytes in that code's co_code


class DependsUse(DependsPlace):
    """A use of a name."""

    name: str
    lines: list[Natural]  # source lines of the uses


class DependsCode(TypedDict):
    """A code object that was looked into."""

    path: list[str]  # code from the target to the one that uses it
    qualname: str
    kind: str  # in CPython's words
    file: str
    line: Natural


class DependsName(DependsUse):
    """A name or dotted path that one code object uses.

    The name is as in `np.linalg.norm`; of an import `json`, `..pkg.x` or `math.*`.
    """

    access: DependsAccess
    kind: DependsKind
    chain: str  # `f -> <lambda> -> helper -> LOCK`
    resolved: str | None  # the part of the name that the value belongs to
    empty: bool  # an empty cell
    value: Value | None


class DependsAttribute(DependsPlace):
    """An attribute name, but for those of dotted paths."""

    name: str
    access: list[str]


class DependsConstant(Constant, DependsPlace):
    """A constant that the code loads."""


class DependsDynamic(DependsUse):
    """A builtin that makes names out of data."""

    function: str  # what it is
    note: str


class DependsFailure(DependsUse):
    """A use of a name that raises if it is reached."""

    error: DependsError
    reason: str


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
    error: None  # as in every document that is not an error
