"""The document of `closure`

`coscope closure TARGET --json`, and `coscope.closure(...).to_json()`.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from coscope.render.schemas.shared import Header, Natural, Size, User, Value


class ClosureSharer(TypedDict):
    """A live function that holds the same cell."""

    qualname: str
    module: str | None
    name: str  # of the variable there
    same_code: bool
    identity: Natural  # id() of the function


class ClosureFree(TypedDict):
    """A variable that comes to a function from outside."""

    name: str
    index: Natural  # in `__closure__`
    owner: str | None  # code that makes the cell
    readers: list[User]  # in its owner and nested code
    writers: list[User]  # in its owner and nested code
    deleters: list[User]  # in its owner and nested code
    cell: int | None  # id() of the cell; null: not live
    empty: bool | None
    value: Value | None
    size: Size | None
    sharers: list[ClosureSharer]  # as far as they can be found
    # the loop that makes functions of this code assigns it; null: they share it, and that is not
    # known
    late: bool | None
    note: str | None


class ClosureOwn(TypedDict):
    """A variable for which each call makes a cell."""

    name: str
    parameter: bool
    takers: list[str]  # nested code that gets the cell
    readers: list[User]  # here and in nested code
    writers: list[User]  # here and in nested code
    deleters: list[User]  # here and in nested code
    note: str | None


class ClosureNode(TypedDict):
    """One cell in the tree of what a closure holds."""

    name: str
    cell: Natural  # id() of the cell
    value: Value | None
    function: str | None  # the function that it holds
    identity: int | None  # id() of that function
    via: list[str]  # steps from the contents to the function
    again: bool  # shown above or before
    nodes: list[ClosureNode]  # cells of that function


class ClosureDocument(Header):
    """What `coscope closure --json` prints."""

    command: Literal["closure"]
    target: str  # qualified name
    module: str | None
    live: bool
    identity: int | None  # id() of the function
    via: list[str]  # steps from the target to the function
    warnings: list[str]
    free: list[ClosureFree]  # in the order of `__closure__`
    own: list[ClosureOwn]
    tree: list[ClosureNode]
    circles: list[str]  # ways by which it holds itself
    bytes: Natural  # that all cells hold, shared parts once
    complete: bool  # no limit was reached
    search: str | None  # how sharers were looked for
    error: None  # as in every document that is not an error
