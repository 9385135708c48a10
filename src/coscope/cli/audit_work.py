"""What `coscope audit` does with many files: the cache first, then processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from coscope.cli.files import Item
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.audits.cache import Cache
    from coscope.audits.engine import Audited
    from coscope.audits.options import Options
    from coscope.audits.selection import Selection
    from coscope.cli.progress import Progress

_BATCH = 400_000  # bytes of files that a process is given at a time
_EACH = 4_000  # bytes that a file counts for at least


class Read(NamedTuple):
    """What became of one file."""

    audited: Audited | None  # None: it could not be read
    error: dict[str, Any] | None  # of the document
    lines: list[str]  # for standard error


def wanted(items: Sequence[Item], named: Sequence[str], exclude: Sequence[str]) -> list[Item]:
    """The files to look at: without `__pycache__` of folders, and without what is excluded.

    Args:
        items: What the targets name.
        named: The targets, as the user wrote them: those are never left out.
        exclude: Patterns for paths with "/".
    """
    kept = []
    for item in items:
        path = item.target.replace(os.sep, "/")
        cached = "/__pycache__/" in f"/{path}"
        if item.target not in named and (cached or any(fnmatch(path, each) for each in exclude)):
            continue
        kept.append(item)
    return kept


def audit_items(
    items: Sequence[Item],
    selection: Selection,
    options: Options,
    *,
    python: str | None,
    jobs: int,
    cache: Cache | None,
    session: Session,
    progress: Progress,
) -> Iterator[Read]:
    """Audit files in order; what the cache knows is not read again.

    Args:
        items: The files.
        selection: Of rules.
        options: Of rules.
        python: Compile by another interpreter.
        jobs: Processes.
        cache: None: do without.
        session: How errors are told.
        progress: Told of each file.
    """
    from coscope.cli.processes import in_order

    known: dict[int, Audited] = {}
    keys: dict[int, str] = {}
    for at, item in enumerate(items):
        if cache is not None and item.error is None:
            key = _key(cache, item.target)
            held = None if key is None else cache.get(key, item.target)
            if key is not None:
                keys[at] = key
            if held is not None:
                known[at] = held
    missing = [at for at in range(len(items)) if at not in known]
    batches = list(_batches([items[at] for at in missing], jobs))
    do = partial(
        audited, selection=selection, options=options, python=python,
        ascii=session.ascii, debug=session.debug,
    )  # fmt: skip
    results = in_order(do, batches, jobs)
    made = (read for batch in results for read in batch)
    for at in range(len(items)):
        if at in known:
            yield Read(known[at], None, [])
        else:
            read = next(made)
            if cache is not None and read.audited is not None and at in keys:
                cache.put(keys[at], read.audited)
            yield read
        progress.advance(at + 1, len(items))
    results.close()


def _key(cache: Cache, path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return cache.key(file.read(), os.path.splitext(path)[1].lower())
    except OSError:
        return None


def _batches(items: Sequence[Item], jobs: int) -> Iterator[tuple[Item, ...]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and (jobs == 1 or size >= _BATCH):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(item)
        size += max(item.size, _EACH)
    if batch:
        yield tuple(batch)


def audited(
    batch: Sequence[Item],
    *,
    selection: Selection,
    options: Options,
    python: str | None,
    ascii: bool,  # noqa: A002
    debug: bool,
) -> list[Read]:
    """Audit some files; one that cannot be read does not keep the others from it."""
    rules = selection.rules()
    return [_read(item, rules, options, python, ascii, debug) for item in batch]


def _read(
    item: Item,
    rules: Any,
    options: Options,
    python: str | None,
    ascii: bool,  # noqa: A002
    debug: bool,
) -> Read:
    from coscope.audits.engine import audit_file

    try:
        if item.error is not None:
            raise item.error
        return Read(audit_file(item.target, rules, options, python=python), None, [])
    except Exception as error:
        return Read(None, *told(error, ascii, debug))


def told(error: Exception, ascii: bool, debug: bool) -> tuple[dict[str, Any], list[str]]:  # noqa: A002
    """An error as the document has it, and as standard error shows it."""
    from coscope.cli.failures import lines_of
    from coscope.render.report import error_document
    from coscope.render.text import Pen

    lines = lines_of(error, Pen(ascii=ascii))
    if debug:
        import traceback

        lines = [*"".join(traceback.format_exception(error)).splitlines(), *lines]
    document: dict[str, Any] = error_document(error)["error"]
    return document, lines


def host() -> str:
    """The interpreter that compiles where no other is named, for the cache."""
    return f"{sys.version} {sys.executable}"
