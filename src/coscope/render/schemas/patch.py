"""The document of `patch`

`coscope patch TARGET --json`, and `to_json()` of a receipt.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from coscope.render.schemas.diff import DiffCode
from coscope.render.schemas.shared import Header, Verdict


class PatchOutput(TypedDict):
    """The file that was written."""

    file: str
    bytes: int
    recognised: str  # by what an import knows that it belongs to its source


class PatchStack(TypedDict):
    """`co_stacksize` before and after, in slots."""

    before: int
    after: int


class PatchVerified(TypedDict):
    """the verifier's verdict on the new code."""

    ok: bool
    version: str  # of CPython
    codes: int  # code objects
    structural: bool  # kinds of values were not followed (3.8 to 3.10)


class PatchDifference(TypedDict):
    """What a comparison with the original found."""

    verdict: Verdict
    text: str  # the verdict in words
    codes: list[DiffCode]
    removed: list[str]  # code objects that only the left one has
    added: list[str]
    harmless: list[str]  # what differs without any effect
    unknown: list[str]  # defaults and cells that cannot be compared by content


class PatchDone(TypedDict):
    """What was changed: a function, or a file."""

    target: str  # qualified name of the function, or the file that was read
    module: str | None
    live: bool  # a function; else a file
    in_place: bool  # the function itself was changed; else a copy was made
    via: list[str]  # steps from what was given to the function
    output: PatchOutput | None  # the file that was written; null for a function
    stack: PatchStack | None  # slots reserved; null for a file
    shared: list[str]  # what a copy has in common with the original
    fresh: list[str]  # what is its own
    running_frames: int  # of the old code, which go on with it
    before: str | None  # fingerprint
    after: str | None  # fingerprint


class PatchDocument(Header, PatchDone):
    """What `coscope patch --json` prints, and the document of a receipt."""

    command: Literal["patch"]
    # as `coscope.patcher.edits.documents` reads them, or the kind alone where JSON cannot carry a
    # constant
    edits: list[dict[str, object]]
    changes: list[str]  # all that was asked for, in words
    verified: PatchVerified  # the verifier's verdict on the new code
    difference: PatchDifference | None  # as in diff_document
    warning: str | None  # why one should not ship it
    notes: list[str]
    error: None  # as in every document that is not an error
