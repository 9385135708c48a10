"""What a user names -> what is read: `read`, and `select` for one code object of a file."""

from __future__ import annotations

from typing import Any

from coscope.model import Function
from coscope.readers.from_object import from_object


def read(target: Any, *, python: str | None = None, unwrap: bool = False) -> Function:
    return from_object(target, unwrap=unwrap)


def select(function: Function, qualname: str) -> Function:
    return function
