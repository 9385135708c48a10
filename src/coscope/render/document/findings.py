"""What the static rules find in the code that a document shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.audits.running.engine import audit_unit, unit_of
from coscope.audits.selection import selected
from coscope.model import Finding, Function
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def findings_in(function: Function) -> list[schema.Finding]:
    """The findings of the rules that `coscope audit` runs by default, by file and place.

    The code is read, never executed. A live function is audited as code, without its values.

    Raises:
        InternalError: A rule failed.
    """
    unit = unit_of(function, function.code.filename)
    return [_entry(each) for each in audit_unit(unit, selected((), ()).rules()).findings]


def _entry(finding: Finding) -> schema.Finding:
    return {
        "rule": finding.rule,
        "title": clean(finding.title),
        "message": clean(finding.message),
        "severity": finding.severity,
        "confidence": finding.confidence,
        "code": clean(finding.code),
        "file": None if finding.file is None else clean(finding.file),
        "positions": None if finding.span.lineno is None else list(finding.span),
        "offset": finding.offset,
        "evidence": [
            {"text": clean(each.text), "offset": each.offset, "line": each.line}
            for each in finding.evidence
        ],
        "why": clean(finding.why),
        "instead": clean(finding.instead),
    }
