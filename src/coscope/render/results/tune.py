"""A trial of `coscope tune` as a document and as a page."""

from __future__ import annotations

import sys
from typing import Any

from coscope.render.report import SCHEMA_VERSION, producer_version
from coscope.render.sheet import Sheet
from coscope.render.text import Pen
from coscope.tuner.statistics import Gain
from coscope.tuner.trial import Change, Proposal, Trial

Entry = dict[str, Any]


def document(trial: Trial) -> Entry:
    """The document of docs/schema.md, "tune": the receipt of the trial."""
    best = trial.best
    return {
        "schema_version": SCHEMA_VERSION,
        "producer": {
            "name": "coscope",
            "version": producer_version(),
            "python": sys.version.split()[0],
        },
        "command": "tune",
        "target": trial.target,
        "call": trial.call,
        "python": {"version": trial.version, "release": trial.release},
        "file": trial.file,
        "line": trial.line,
        "rounds": trial.rounds,
        "proposals": [_proposal(each) for each in trial.proposals],
        "changes": [_change(each) for each in trial.changes],
        "best": None if best is None else trial.changes.index(best),
        "error": None,
    }


def _proposal(proposal: Proposal) -> Entry:
    finding = proposal.finding
    return {
        "rule": finding.rule,
        "line": finding.line,
        "message": finding.message,
        "instead": finding.instead,
        "times": proposal.times,
        "nanoseconds": proposal.nanoseconds,
        "share": proposal.share,
    }


def _change(change: Change) -> Entry:
    return {
        "rule": change.rule or None,
        "text": change.text,
        "source": change.source,
        "verified": change.verified,
        "gain": None if change.gain is None else _gain(change.gain),
        "error": change.error,
    }


def _gain(gain: Gain) -> Entry:
    return {
        "ratio": gain.ratio,
        "interval": [gain.low, gain.high],
        "null": gain.null,
        "noise": gain.noise,
        "threshold": gain.threshold,
        "before_ns": gain.before,
        "after_ns": gain.after,
    }


def sheet(found: Entry, pen: Pen) -> Sheet:
    """What was found, what was tried, and the verdict."""
    page = Sheet(pen)
    page.add((found["target"], "title"), (f"  CPython {found['python']['release']}", "faint"))
    page.add((f"{found['file']}, line {found['line']}; call {found['call']}", "faint"))
    if found["proposals"]:
        page.heading("predicted")
        for each in found["proposals"]:
            _proposed(page, each)
    if found["changes"]:
        page.heading("measured", f"{found['rounds']} rounds, in pairs, thread CPU time")
        for each in found["changes"]:
            _measured(page, each)
    page.blank()
    _verdict(page, found)
    return page


def _proposed(page: Sheet, each: Entry) -> None:
    page.add(
        (f"  {each['rule']} ", "name"),
        (f"line {each['line']}: ", "faint"),
        (each["message"], "plain"),
    )
    if each["share"] is None:
        page.add(("          ", "plain"), (f"{each['times']} times a call", "faint"))
        return
    page.add(
        (
            f"          at most {100 * each['share']:.0f}% of a call: {each['times']} times"
            f" {each['nanoseconds']:.1f} ns",
            "value",
        )
    )


def _measured(page: Sheet, each: Entry) -> None:
    page.add((f"  {each['rule'] or 'yours'} ", "name"), (each["text"], "plain"))
    gain = each["gain"]
    if gain is None:
        page.add(("          ", "plain"), (f"not measured: {each['error']}", "warning"))
        return
    low, high = gain["interval"]
    page.add(
        (f"          {gain['ratio']:.3f} times as fast", "value" if each["verified"] else "plain"),
        (f"  95% interval {low:.3f} to {high:.3f}", "plain"),
        (f"; {gain['before_ns']:.0f} to {gain['after_ns']:.0f} ns a call", "faint"),
    )
    word = "verified" if each["verified"] else "not verified"
    page.add(
        (f"          {word}", "value" if each["verified"] else "warning"),
        (
            f": a change counts above {100 * gain['threshold']:.1f}%; the null run gave"
            f" {gain['null']:.3f}",
            "faint",
        ),
    )


def _verdict(page: Sheet, found: Entry) -> None:
    if found["best"] is None:
        page.add(("no change is worth it", "title"))
        tried = {each["rule"] for each in found["changes"]}
        if not found["changes"]:
            page.add(("none is known that coscope could try on this version", "faint"))
        if any(each["rule"] not in tried for each in found["proposals"]):
            page.add(
                ("make the change that is predicted yourself, and measure it: --against", "faint")
            )
        return
    best = found["changes"][found["best"]]
    page.add((f"worth it: {best['text']}", "title"))
    for line in (best["source"] or "").splitlines():
        page.add((f"    {line}", "source"))
