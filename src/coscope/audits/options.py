"""What a user may set for rules: their limits, and what else they look at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from coscope.errors import InputError

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Options:
    """Limits of the rules; the names are those of `[tool.coscope]` with "-" for "_"."""

    capture_limit: int = 10 * MIB  # bytes that one captured object may take (CLO)
    grown_limit: int = 1  # items by which a default may have grown (CLO)
    constant_limit: int = 256  # bytes from which a constant is looked into (DYN)
    least_nanoseconds: float = 3.0  # a smaller measured gain is not a finding (PERF)
    least_share: float = 0.05  # of the time of a round that a gain is at most (PERF, --warm)
    type_checking: bool = False  # names under TYPE_CHECKING are asked for, too (SIG107)
    strict: bool = False  # every sink that is not given a constant is reported (DYN)
    pickle: bool = False  # pickling is asked for: names must find their objects (SIG)


def from_table(given: dict[str, object], file: Path | None = None) -> Options:
    """Options from a table of a configuration file.

    Raises:
        InputError: A value is of the wrong type, or a number that is not a limit.
    """
    defaults = Options()
    found: dict[str, object] = {}
    for name in Options.__dataclass_fields__:
        key = name.replace("_", "-")
        if key not in given:
            continue
        value, kind = given[key], type(getattr(defaults, name))
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise InputError(
                f"[tool.coscope] {key} is of the wrong type",
                file=file,
                expected=kind.__name__,
                found=type(value).__name__,
            )
        if isinstance(value, int | float) and not 0 <= value < math.inf:
            raise InputError(
                f"[tool.coscope] {key} is no limit", file=file, expected="0 or more", found=value
            )
        found[name] = value
    return Options(**found)  # type: ignore[arg-type]
