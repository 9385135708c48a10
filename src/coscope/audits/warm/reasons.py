"""Why a site is not specialised, where live objects can tell it. Runs nobody's code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import CodeType, FunctionType

from coscope.audits.subject.subject import Subject
from coscope.audits.warm.reason import Reason
from coscope.audits.warm.samples import recorder, seen_of
from coscope.audits.warm.search import Search
from coscope.audits.warm.specialization import LEAST_MISSES, Site, read_sites, specializes
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.live_code import code_bytes

_PRECALL = 4  # bytes that PRECALL and its cache take


def reasons_of(subject: Subject) -> tuple[Reason, ...]:
    """The sites of a live function that are not specialised, each with its reason."""
    live = subject.live
    if live is None or live.function is None or not specializes():
        return ()
    co = code_of(subject)
    if co is None or code_bytes(co, HOST_VERSION) != subject.code.code:
        return ()
    return tuple(_reasons(subject, co, live.function, live.owner if live.in_class else None))


def code_of(subject: Subject) -> CodeType | None:
    """The live code object of a subject; None if it is not live."""
    # Code that is nested in a function has no function of its own after it has run.
    co: CodeType | None = getattr(subject, "co", None)
    live = subject.live
    if co is None and live is not None and live.function is not None:
        return live.function.__code__
    return co


def _reasons(
    subject: Subject, co: CodeType, function: FunctionType, cls: type | None
) -> Iterator[Reason]:
    watcher = recorder()
    place = {offset: index for index, offset in enumerate(subject.instructions.offsets)}
    seen = seen_of(co)
    read = {} if seen is None else dict(seen.misses)
    sites = read_sites(co, misses=1)
    called = {site.offset for site in sites if site.family == "CALL"}
    for site in sites:
        if site.family == "PRECALL" and site.offset + _PRECALL in called:
            continue  # 3.11: its CALL tells the same
        keeps = None if watcher is None else watcher.keeps_missing(co, site.offset)
        read.pop(site.offset, None)
        if site.generic or keeps or (keeps is None and site.misses >= LEAST_MISSES):
            found = Search(subject, co, function, cls, site, place[site.offset]).reason()
            # An attempt in vain may be the only one so far: see whether it is executed often.
            lasting = keeps is True if site.vain else site.generic or keeps is True
            yield replace(found, lasting=lasting)
    for offset, misses in sorted(read.items()):
        # At its end the program may have left it just after it was specialised anew.
        if watcher is not None and watcher.keeps_missing(co, offset):
            opname = subject.instructions.opname(place[offset])
            site = Site(offset, opname, misses.executed, 0, 0, misses.count)
            yield Search(subject, co, function, cls, site, place[offset]).reason()
