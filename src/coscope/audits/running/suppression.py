"""`# coscope: ignore[PERF301]` on a line: findings that the source itself says to ignore."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from coscope.model import Finding, Source
from coscope.readers.sources import source_of

_IGNORE = re.compile(r"#\s*coscope:\s*ignore(?![\w-])\s*(?:\[([^\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One such comment."""

    line: int
    codes: tuple[str, ...]  # beginnings of codes; () means all

    def covers(self, finding: Finding) -> bool:
        """True if it is on the finding's first or last line, and names its rule or none."""
        span = finding.span
        if self.line not in (span.lineno, span.end_lineno):
            return False
        return not self.codes or finding.rule.startswith(self.codes)


@lru_cache(maxsize=256)
def ignores_in(source: Source) -> tuple[Ignore, ...]:
    """The comments of a file; what looks like one inside a string is not a comment.

    >>> ignores_in(Source("x", ("x = 1  # coscope: ignore[DYN101, SIG]",), ""))
    (Ignore(line=1, codes=('DYN101', 'SIG')),)
    """
    if not any("coscope:" in line for line in source.lines):
        return ()
    found = []
    try:
        text = "\n".join([*source.lines, ""])
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            match = _IGNORE.search(token.string) if token.type == tokenize.COMMENT else None
            if match is not None:
                words = [word.strip().upper() for word in (match[1] or "").split(",")]
                found.append(Ignore(token.start[0], tuple(filter(None, words))))
    except (tokenize.TokenError, SyntaxError):
        return tuple(found)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Sifted:
    """Findings without those that comments take away."""

    findings: tuple[Finding, ...]
    ignored: int
    unused: tuple[tuple[str, Ignore], ...]  # file and comment: it took nothing away


def sift(findings: Sequence[Finding], files: Iterable[str] = ()) -> Sifted:
    """Remove what comments in the source say to ignore.

    Args:
        findings: Of any files.
        files: In which comments that take nothing away are looked for.
    """
    comments: dict[str, tuple[Ignore, ...]] = {}
    used: set[tuple[str, Ignore]] = set()
    kept = []
    for finding in findings:
        file = finding.file or ""
        if file not in comments:
            comments[file] = comments_of(file)
        hits = [each for each in comments[file] if each.covers(finding)]
        used.update((file, each) for each in hits)
        if not hits:
            kept.append(finding)
    unused = tuple(each for each in _comments_in(files) if each not in used)
    return Sifted(tuple(kept), len(findings) - len(kept), unused)


def _comments_in(files: Iterable[str]) -> Iterator[tuple[str, Ignore]]:
    for file in files:
        for each in comments_of(file):
            yield file, each


def comments_of(file: str) -> tuple[Ignore, ...]:
    """The comments of a file, () if it cannot be read."""
    source = source_of(file)
    return () if source is None else ignores_in(source)


def line_of(finding: Finding) -> str:
    """The source text of a finding's line; empty if there is none."""
    source = source_of(finding.file) if finding.file else None
    number = finding.span.lineno
    if source is None or number is None or not 0 < number <= len(source.lines):
        return ""
    return source.lines[number - 1]
