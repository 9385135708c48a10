"""Findings as JSON data, and back: for the cache, for other processes, for documents."""

from __future__ import annotations

from typing import Any

from coscope.model import Evidence, Finding, Span, Step

Entry = dict[str, Any]


def to_entry(finding: Finding) -> Entry:
    """A finding as JSON data.

    >>> from_entry(to_entry(Finding("DYN101", "text", "error", "f"))).rule
    'DYN101'
    """
    entry = {name: getattr(finding, name) for name in Finding.__dataclass_fields__}
    entry["span"] = list(finding.span)
    entry["evidence"] = [list(each) for each in finding.evidence]
    entry["flow"] = [[each.text, list(each.span), each.code] for each in finding.flow]
    return entry


def from_entry(entry: Entry) -> Finding:
    """The finding that `to_entry` wrote.

    Raises:
        TypeError: The entry is of another form, as a later version may write it.
    """
    held = dict(entry)
    held["span"] = Span(*entry["span"])
    held["evidence"] = tuple(Evidence(*each) for each in entry["evidence"])
    held["flow"] = tuple(Step(text, Span(*span), code) for text, span, code in entry["flow"])
    return Finding(**held)
