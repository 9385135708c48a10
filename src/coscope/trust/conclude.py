"""What only the whole tree shows: files that do not fit the others, and what all have in common."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from coscope.trust.kinds import sign
from coscope.trust.model import FileTrust, Sign

_COPIED = 0.2  # share of stale files from which the tree was copied
_FEW = 0.1  # share of files below which they stand out
_ENOUGH = 20  # files that must agree


def concluded(files: Iterable[FileTrust]) -> list[FileTrust]:
    """The files with signs that the whole tree adds or makes harmless."""
    found = _without_stale(list(files))
    found = _with_odd_prefixes(found)
    return _with_odd_releases(found)


def _without_stale(files: list[FileTrust]) -> list[FileTrust]:
    """A tree that was copied has new times: then stale files that fit are information."""
    timed = [each for each in files if each.invalidation == "time"]
    stale = [each for each in timed if _is_stale(each)]
    if len(stale) < 2 or len(stale) < _COPIED * len(timed):
        return files
    return [_calmed(each) if _is_stale(each) else each for each in files]


def _is_stale(each: FileTrust) -> bool:
    fits = each.verdict in ("identical", "same", "known drift")
    return fits and any(one.kind == "TRU301" for one in each.signs)


def _calmed(each: FileTrust) -> FileTrust:
    signs = (replace(s, severity="info") if s.kind == "TRU301" else s for s in each.signs)
    return replace(each, signs=tuple(signs))


def _with_odd_prefixes(files: list[FileTrust]) -> list[FileTrust]:
    """Files whose `co_filename` begins otherwise than that of all others around."""
    counts = Counter(each.prefix for each in files if each.prefix is not None)
    if not counts:
        return files
    usual, count = counts.most_common(1)[0]
    odd = sum(counts.values()) - count
    if not odd or count < _ENOUGH or odd > _FEW * count:
        return files
    return [
        _signed(
            each,
            sign(
                "TRU214",
                f"co_filename begins with {each.prefix!r}, that of {count:,} others with {usual!r}",
                each.file,
            ),
        )
        if each.prefix not in (None, usual)
        else each
        for each in files
    ]


def _signed(each: FileTrust, made: Sign) -> FileTrust:
    return replace(each, signs=(*each.signs, made))


def _with_odd_releases(files: list[FileTrust]) -> list[FileTrust]:
    """The few files of a version that another release compiled than all the rest.

    A file says which release compiled it if another one here compiles its source otherwise.
    """
    groups: dict[str, list[FileTrust]] = defaultdict(list)
    for each in files:
        if each.version is not None and each.verdict in ("identical", "same", "known drift"):
            groups[each.version].append(each)
    odd: set[str] = set()
    for group in groups.values():
        counts = Counter(map(_compiled_by, group))
        usual, count = counts.most_common(1)[0]
        few = [each for each in group if _compiled_by(each) != usual]
        if few and count >= _ENOUGH and len(few) <= max(1, _FEW * _FEW * count):
            odd |= {each.file for each in few}
    if not odd:
        return files
    text = "another release compiled it than the rest of the tree"
    return [
        _signed(each, sign("TRU106", f"{text}: {_by(each)}", each.file))
        if each.file in odd
        else each
        for each in files
    ]


def _compiled_by(each: FileTrust) -> tuple[str | None, tuple[str, ...]]:
    return each.release, each.drifts


def _by(each: FileTrust) -> str:
    drifts = f", with {', '.join(each.drifts)}" if each.drifts else ""
    return f"{each.release}{drifts}"
