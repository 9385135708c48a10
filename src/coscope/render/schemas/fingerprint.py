"""The document of `fingerprint`

`coscope fingerprint TARGET --json`, and `coscope.fingerprint(...).to_json()`.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from coscope.render.schemas.shared import Header


class FingerprintComponent(TypedDict):
    """One input of a part."""

    label: str  # `code`, `default of x`, `global LIMIT`, `cell rate`
    value: str  # canonical text, digest, name and version, or `-> path` of another part


class FingerprintPart(TypedDict):
    """One function, class or mutable object that counts."""

    path: str  # from the target, empty for the target itself
    kind: str
    owner: str  # path of the part by which it was first reached
    components: list[FingerprintComponent]


class FingerprintUnknown(TypedDict):
    """An input that cannot be identified by its content."""

    path: str
    type_name: str
    reason: str


class FingerprintChange(TypedDict):
    """One difference from an older fingerprint."""

    path: str  # of the part
    label: str  # of the component, empty for a whole part
    old: str | None
    new: str | None


class Fingerprint(TypedDict):
    """A fingerprint and what went into it."""

    value: str  # `coscope:SCHEME:cpython-VERSION:sha256:DIGEST`
    version: str  # of CPython
    scheme: int  # of the canonical form
    docstrings: bool  # docstrings count
    parts: list[FingerprintPart]  # the target's first
    unknown: list[FingerprintUnknown]


class FingerprintDocument(Header):
    """What `coscope fingerprint --json` prints."""

    command: Literal["fingerprint"]
    target: str  # qualified name
    live: bool  # false for a file: only the code counts
    fingerprint: Fingerprint
    changes: list[FingerprintChange] | None  # with `--since`
    error: None  # as in every document that is not an error
