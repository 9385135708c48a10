"""What the rules about code that has run share: the sites of one kind of reason, as findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import Reason
from coscope.audits.warm.reasons import code_of, reasons_of
from coscope.audits.warm.samples import recorder, seen_of
from coscope.model import Evidence, Finding


def findings(
    subject: Subject,
    rule: str,
    kinds: Collection[str],
    why: str,
    instead: str,
    *,
    severity: str = "",
) -> Iterator[Finding]:
    """A finding for each site whose reason is of one of these kinds.

    Args:
        subject: A live function that has run.
        rule: Code of the rule.
        kinds: Of `reasons`.
        why: Why it matters.
        instead: What to write instead; {owner} and {attribute} are those of the site.
        severity: Of the findings, if not the rule's own.
    """
    for reason in subject.fact(reasons_of):
        if reason.kind in kinds and reason.lasting:
            yield subject.finding(
                rule,
                f"{_expression(subject, reason)} is not specialised: {reason.text}",
                reason.index,
                confidence="proved" if reason.proved else "likely",
                severity=severity,
                evidence=_evidence(subject, reason),
                why=why,
                instead=instead.format(owner=reason.owner, attribute=reason.attribute),
            )


def _expression(subject: Subject, reason: Reason) -> str:
    if reason.attribute:
        verb = "the store to " if reason.site.family == "STORE_ATTR" else ""
        return f"{verb}{reason.owner}.{reason.attribute}"
    return subject.text(subject.span(reason.index)) or reason.site.family


def _evidence(subject: Subject, reason: Reason) -> Iterator[Evidence]:
    yield subject.seen(reason.index)
    yield Evidence(reason.site.evidence)
    if reason.types:
        yield Evidence(f"types seen there: {', '.join(reason.types)}")
    co, watcher = code_of(subject), recorder()
    seen = None if co is None else seen_of(co)
    if seen is not None and watcher is not None:
        yield Evidence(f"it ran in {seen.running} of {watcher.samples} samples")
