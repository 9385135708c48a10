"""Plain words for the common failures: one module for each family of exceptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from coscope.explanations.case import Case
from coscope.explanations.words import (
    attributes,
    calls,
    endings,
    lookups,
    names,
    operations,
    unpacking,
)

Family = Callable[[Case], Iterator[str]]

# The first that has anything to say says it.
FAMILIES: tuple[Family, ...] = (
    endings.recursion,
    attributes.missing_attribute,
    lookups.missing_key,
    lookups.outside_range,
    names.unassigned,
    names.unknown_name,
    endings.ended_generator,
    endings.failed_assertion,
    endings.failed_import,
    unpacking.wrong_count,
    operations.division,
    operations.not_fitting,
    calls.wrong_call,
    operations.changed_while_iterating,
    calls.refused_value,
)


def sentences(case: Case) -> list[str]:
    """What is said about a failure; nothing where nothing is certain."""
    for family in FAMILIES:
        found = list(dict.fromkeys(family(case)))
        if found:
            return found
    return []
