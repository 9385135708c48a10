"""A trial of `coscope tune` as a document and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.render.document.report import header
from coscope.render.pages.sheet import Sheet
from coscope.render.text.measured import Pen
from coscope.tuner.statistics import Gain
from coscope.tuner.trial import Change, Proposal, Trial

if TYPE_CHECKING:
    from coscope.render.schemas import tune as schema


def document(trial: Trial) -> schema.TuneDocument:
    """The document of docs/commands/tune.md: the receipt of the trial."""
    return {
        **header(),
        "command": "tune",
        "target": trial.target,
        "call": trial.call,
        "test": trial.test,
        "python": {"version": trial.version, "release": trial.release},
        "file": trial.file,
        "line": trial.line,
        "processes": trial.processes,
        "rounds": trial.rounds,
        "cost": {
            "nanoseconds": trial.cost.nanoseconds,
            "calls": trial.cost.calls,
            "share": trial.cost.share,
        },
        "proposals": [_proposal(each) for each in trial.proposals],
        "minor": trial.minor,
        "changes": [_change(each) for each in trial.changes],
        "kept": [at for at, change in enumerate(trial.changes) if change.verified],
        "untried": trial.untried,
        "together": None if trial.together is None else _gain(trial.together),
        "diff": trial.diff,
        "error": None,
    }


def _proposal(proposal: Proposal) -> schema.TuneProposal:
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


def _change(change: Change) -> schema.TuneChange:
    return {
        "rule": change.rule or None,
        "text": change.text,
        "diff": change.diff,
        "verified": change.verified,
        "gain": None if change.gain is None else _gain(change.gain),
        "same_result": change.same,
        "refused": change.refused,
    }


def _gain(gain: Gain) -> schema.TuneGain:
    return {
        "ratio": gain.ratio,
        "interval": [gain.low, gain.high],
        "null": gain.null,
        "noise": gain.noise,
        "threshold": gain.threshold,
        "verified": gain.verified,
        "slower": gain.slower,
        "before_ns": gain.before,
        "after_ns": gain.after,
    }


def sheet(found: schema.TuneDocument, pen: Pen) -> Sheet:
    """What was found, what was tried, and the verdict."""
    page = Sheet(pen)
    page.add((found["target"], "title"), (f"  CPython {found['python']['release']}", "faint"))
    page.add((f"{found['file']}, line {found['line']}", "faint"))
    _cost(page, found)
    if found["proposals"]:
        page.heading("predicted")
        for each in found["proposals"]:
            _proposed(page, each, found)
    if found["changes"]:
        page.heading("measured", _how(found))
        for change in found["changes"]:
            _measured(page, change)
        if found["together"] is not None:
            page.add(("  all ", "name"), ("that is verified, together", "plain"))
            _gained(page, found["together"])
    page.blank()
    _verdict(page, found)
    return page


def _cost(page: Sheet, found: schema.TuneDocument) -> None:
    cost = found["cost"]
    time = _time(cost["nanoseconds"])
    if found["test"] is not None:
        page.add(("test ", "faint"), (found["test"], "source"))
        page.add(
            (
                f"{_times(cost['calls'])} a run, {time} of CPU time,"
                f" {100 * cost['share']:.1f}% of its processes'",
                "plain",
            )
        )
        return
    page.add(("call ", "faint"), (found["call"] or "", "source"))
    within = "" if cost["calls"] == 1 else f", in which the function runs {_times(cost['calls'])}"
    page.add((f"{time} a call{within}", "plain"))
    if cost["share"] < 0.5:
        waits = f"it waits for {100 * (1 - cost['share']):.0f}% of that time; "
        page.add((waits + "only CPU time is compared", "warning"))


def _how(found: schema.TuneDocument) -> str:
    if found["test"] is not None:
        return f"{found['rounds']} rounds of 3 runs, interleaved; thread CPU time"
    of_each = f"{found['processes']} processes, {found['rounds']} rounds each"
    return f"{of_each}, interleaved, thread CPU time"


def _proposed(page: Sheet, each: schema.TuneProposal, found: schema.TuneDocument) -> None:
    page.add(
        (f"  {each['rule']} ", "name"),
        (f"line {each['line']}: ", "faint"),
        (each["message"], "plain"),
    )
    run = "a run" if found["test"] is not None else "a call"
    if each["share"] is None:
        page.add(("          ", "plain"), (f"{_times(each['times'])} {run}", "faint"))
        return
    page.add(
        (f"          gains at most {_part(each['share'])}", "value"),
        (f": {_times(each['times'])} {run}, at most {each['nanoseconds']:.1f} ns each", "faint"),
    )


def _measured(page: Sheet, each: schema.TuneChange) -> None:
    page.add((f"  {each['rule'] or 'yours'} ", "name"), (each["text"], "plain"))
    if each["refused"] is not None:
        page.add(("          ", "plain"), ("refused: ", "warning"), (each["refused"], "plain"))
        return
    if each["gain"] is not None:
        _gained(page, each["gain"])
    if each["same_result"] is None:
        page.add(("          its result cannot be compared, or differs each time", "warning"))


def _gained(page: Sheet, gain: schema.TuneGain) -> None:
    low, high = gain["interval"]
    role = "value" if gain["verified"] else "plain"
    word = "verified" if gain["verified"] else "slower" if gain["slower"] else "not verified"
    page.add(
        (f"          {gain['ratio']:.3f} times as fast", role),
        (f", 95% interval {low:.3f} to {high:.3f}: ", "plain"),
        (word, "value" if gain["verified"] else "warning"),
    )
    page.add(
        (f"          {_time(gain['before_ns'])} to {_time(gain['after_ns'])}; ", "faint"),
        (f"above {100 * gain['threshold']:.1f}% it counts; ", "faint"),
        (f"the null run gave {gain['null']:.3f}", "faint"),
    )


def _verdict(page: Sheet, found: schema.TuneDocument) -> None:
    if found["kept"]:
        _add_kept(page, found)
    else:
        _add_nothing_kept(page, found)


def _add_kept(page: Sheet, found: schema.TuneDocument) -> None:
    kept = [found["changes"][at] for at in found["kept"]]
    what = kept[0]["text"] if len(kept) == 1 else f"the {len(kept)} changes that are verified"
    page.add((f"worth it: {what}", "title"))
    for line in (found["diff"] or "").splitlines():
        role = {"+": "value", "-": "error"}.get(line[:1], "source")
        page.add((f"  {line}", role))


def _add_nothing_kept(page: Sheet, found: schema.TuneDocument) -> None:
    page.add(("no change is worth it", "title"))
    if found["untried"] is not None:
        page.add((f"coscope tried none: {found['untried']}", "faint"))
    if found["minor"]:
        many = "a finding gains" if found["minor"] == 1 else f"{found['minor']} findings gain"
        page.add((f"{many} less than 3 ns each time, or less than 5% at most", "faint"))
    tried = {each["rule"] for each in found["changes"]}
    if found["test"] is None and any(each["rule"] not in tried for each in found["proposals"]):
        page.add(("write the form that is predicted, and measure it: --against", "faint"))


def _part(share: float) -> str:
    return f"{100 * share:.0f}%" if share < 1 else "nearly all"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _time(nanoseconds: float) -> str:
    """A time with four digits, in the unit in which it reads best.

    >>> [_time(each) for each in (28.44, 4629.0, 3_071_700.0, 2.5e9)]
    ['28.4 ns', '4,629 ns', '3,072 us', '2,500 ms']
    """
    if nanoseconds < 100:
        return f"{nanoseconds:.1f} ns"
    for unit, size in (("ns", 1.0), ("us", 1e3)):
        if nanoseconds / size < 99_999.5:
            return f"{nanoseconds / size:,.0f} {unit}"
    return f"{nanoseconds / 1e6:,.0f} ms"
