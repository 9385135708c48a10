"""How a CPython version behaves where versions differ, by name; the values are in its TOML file.

Nothing has a default: a table that lacks a value is refused when it is read, so that a new version
answers every question or none. Each name says here what it means and where that was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from coscope.errors import InternalError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Specialization:
    """`[specialization]`: how the interpreter counts and what it never specialises (3.11+).

    Source:
        CPython v3.11.9, v3.12.5: Include/internal/pycore_code.h; v3.13.0, v3.14.0:
        Include/internal/pycore_backoff.h; each version's Python/specialize.c and
        Include/cpython/object.h. `tests/audits/warm/test_specialization.py` compares them with
        running interpreters.
    """

    generic: str  # name of the generic form; {} stands for the name of the family
    backoff: int  # exponent that a generic site starts with
    settled: int  # the whole counter of a site that has just been specialised
    miss: int  # how much a miss takes from it
    instance_constants_stay_generic: bool  # a class constant that is read through an instance
    class_attributes_stay_generic: bool  # an attribute of a class, read through the class
    fallbacks_stay_generic: bool  # whatever instances of a class with a `__getattr__` have
    hidden_defaults_stay_generic: bool  # a class attribute that an instance's own one hides
    class_version: int  # offset of a class's version tag in bytes, on 64-bit builds
    class_versions_used: int  # the same for the number of tags it has had; 0: not counted


def filled(kind: type[_T], section: str, values: Mapping[str, object]) -> _T:
    """An instance of a dataclass from a section of a table.

    Args:
        kind: The dataclass; its fields are the names that the section must have.
        section: For the message: "3.13 [specialization]".
        values: As the file has them; lists become tuples.

    Raises:
        InternalError: A value is missing, or one has a name that is not known.
    """
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    if names != values.keys():
        raise InternalError(
            f"the table of CPython {section} does not have the names it should",
            expected=", ".join(sorted(names - values.keys())) or "nothing more",
            found=", ".join(sorted(values.keys() - names)) or "nothing else",
        )
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
