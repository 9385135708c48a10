"""How a CPython version behaves where versions differ, by name; the values are in its TOML file.

Nothing has a default: a table that lacks a value is refused when it is read, so that a new version
answers every question or none. Each name says here what it means and where that was read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, fields
from typing import TypeVar

from coscope.errors import InternalError

_T = TypeVar("_T")

# `[behaviour]`: true, false, or the releases between which it is so ("3.13.0 to 3.13.3").
# What "costs" was measured by `tools/measure_rules.py`: another form of the same is faster.
BEHAVIOURS = {
    "globals_cost": "a global name is slower in a loop than a local variable (bpo-26219)",
    "module_attributes_cost": "an attribute of a module, too",
    "self_attributes_cost": "an attribute of self, too",
    "bound_methods_cost": "the lookup of a method, too",
    "try_blocks_cost": "entering a try block executes an instruction (bpo-40222 ended it)",
    "bound_appends_cost": "the call of a bound append is slower than that of the method",
    "comprehension_calls_cost": "a comprehension is a function, whose call cannot be specialised",
    "class_attributes_stay_generic": "an attribute of a class, read through the class",
    "dict_of_self_costs": "instances whose __dict__ was asked for leave the specialised forms",
    "instance_constants_stay_generic": "an attribute of a class, read through an instance",
    "module_getattr_stays_generic": "any attribute of a module that has a __getattr__",
    "module_chains_cost": "a.b.c is slower in a loop than a local variable",
    "hidden_defaults_cost": "an attribute of an instance that hides one of its class (gh-123040)",
    "metaclass_constants_stay_generic": "an attribute of a class whose class is not type",
    "functions_lose_version": "assigned code or defaults: calls stay generic for good (gh-117045)",
    "own_dicts_cost": "instances that keep their attributes each in a dictionary of its own",
    "class_versions_run_out": "a class gets 1,000 version tags; without one nothing is specialised",
    "fallback_classes_stay_generic": "any attribute of instances whose class has a __getattr__",
    "hidden_stores_cost": "a store to an attribute that hides one of the class stays generic",
    "enum_members_stay_generic": "a member of an Enum, read through its class",
    "enum_members_cost": "a member of an Enum is looked up anew each time it is read",
    "opened_loads_stay_generic": "attributes of an instance whose __dict__ was asked for",
    "opened_stores_stay_generic": "stores to them; else they miss, or cost nothing",
    "frame_locals_crash": "frame.f_locals, if an inlined comprehension hides a cell (gh-128396)",
    "unchecked_iterators_crash": "FOR_ITER does not check what it is given (gh-125038)",
    "partials_bind": "functools.partial is a descriptor that binds, as a function does (gh-121027)",
    "monitoring": "there is sys.monitoring (PEP 669)",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """`[wording]`: how the messages of a TypeError that a call raises differ between versions.

    Source:
        Each version's Python/ceval.c and Objects/typeobject.c.
    """

    function: str  # what is before the "()": "qualname" or "name" of the function
    suggests: bool  # "Did you mean 'x'?" after an unexpected keyword
    # "Can't instantiate abstract class C " goes on with: text, separator, quote.
    abstract: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Specialization:
    """`[specialization]`: how the adaptive interpreter counts (3.11+).

    Source:
        CPython v3.11.9, v3.12.5: Include/internal/pycore_code.h; v3.13.0:
        Include/internal/pycore_backoff.h; each version's Python/specialize.c and
        Include/cpython/object.h. 3.14.10 and 3.15.2: measured, each count one by one.
        `tests/audits/warm/test_specialization.py` compares all with running interpreters.
    """

    generic: str  # name of the generic form; {} is replaced by the name of the family
    # By backoff, the exponent of the wait until the next attempt: generic executions in a row, at
    # least. The last backoff is the highest.
    executions: tuple[int, ...]
    backoff_bits: int  # of the counter, its low ones
    uncounted: tuple[
        str, ...
    ]  # families whose counter says nothing of specialisation, or is absent
    # An attempt that leaves the instruction generic may count as a success: the counter is then
    # that of a specialised site, and each execution takes `miss` from it.
    succeeds_in_vain: bool
    settled: int  # the whole counter of a site that has just been specialised
    # The JIT sets the counters of what it records a trace of to 0: there 0 says nothing of misses.
    traces_clear_counters: bool
    miss: int  # how much a miss takes from it
    class_version: int  # offset of a class's version tag in bytes, on 64-bit builds
    class_versions_used: int  # the same for the number of tags it has had; 0: not counted


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of one version in which something is so."""

    first: str  # "3.13.0"
    last: str  # "3.13.3", inclusive

    def hold(self, release: str) -> bool:
        """True if a release is one of them.

        >>> [Releases("3.13.0", "3.13.3").hold(each) for each in ("3.13.0rc1", "3.13.3", "3.13.10")]
        [False, True, False]
        """
        return _order(self.first) <= _order(release) <= _order(self.last)


def _order(release: str) -> tuple[tuple[int, ...], bool, str]:
    """Sort key of a release: a final one comes after its candidates."""
    found = re.fullmatch(r"(\d+(?:\.\d+)*)(\D*\d*)\+?", release)
    if found is None:
        raise InternalError(f"{release!r} is not the name of a release")
    return tuple(map(int, found[1].split("."))), not found[2], found[2]


def behaviours(section: str, values: Mapping[str, object]) -> dict[str, bool | Releases]:
    """The `[behaviour]` of a table.

    Raises:
        InternalError: A behaviour is missing, is not known, or has a value that says nothing.
    """
    _check_names(section, BEHAVIOURS.keys(), values.keys())
    return {name: _held(section, name, value) for name, value in values.items()}


def _held(section: str, name: str, value: object) -> bool | Releases:
    if isinstance(value, bool):
        return value
    first, between, last = str(value).partition(" to ")
    if not between:
        raise InternalError(
            f"the table of CPython {section} says nothing that is known of {name}",
            expected="true, false or the first and the last release: A to B",
            found=repr(value),
        )
    return Releases(first, last)


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
    _check_names(section, names, values.keys())
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def _check_names(section: str, wanted: Set[str], found: Set[str]) -> None:
    if wanted != found:
        raise InternalError(
            f"the table of CPython {section} does not have the names it should",
            expected=", ".join(sorted(wanted - found)) or "nothing more",
            found=", ".join(sorted(found - wanted)) or "nothing else",
        )
