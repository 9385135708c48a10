"""What `coscope audit` does with many files: the cache first, then processes."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from fnmatch import fnmatch
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from coscope.cli.files import Item
from coscope.cli.session import Session
from coscope.cli.worker import is_worker

if TYPE_CHECKING:
    from coscope.audits.options import Options
    from coscope.audits.running.cache import Cache
    from coscope.audits.running.engine import Audited
    from coscope.audits.selection import Selection
    from coscope.cli.progress import Progress
    from coscope.render.schemas import report as schema

_EACH = 4_000  # bytes that a file counts for at least
_OWN = 1_500_000  # bytes of files for which a process of its own is worth its start
_MOST, _LEAST = 400_000, 40_000  # bytes of files that a process is given at a time
_SHARES = 4  # parts for each process into which what is left is cut


class Read(NamedTuple):
    """What became of one file."""

    audited: Audited | None  # None: it could not be read
    error: schema.Error | None  # of the document
    lines: list[str]  # for standard error


def wanted(
    items: Sequence[Item], named: Sequence[str], exclude: Sequence[str], *, force: bool = False
) -> list[Item]:
    """The files to look at: without `__pycache__` of folders, and without what is excluded.

    Args:
        items: What the targets name.
        named: The targets, as the user wrote them: those are not left out.
        exclude: Patterns for paths with "/".
        force: Leave out named files that are excluded, too.
    """
    kept = []
    for item in items:
        path = item.target.replace(os.sep, "/")
        cached = "/__pycache__/" in f"/{path}"
        excluded = any(_excludes(each, path) for each in exclude)
        if (excluded and force) or (item.target not in named and (cached or excluded)):
            continue
        kept.append(item)
    return kept


def _excludes(pattern: str, path: str) -> bool:
    """True if a pattern fits a path, as it was named or from the current folder on.

    pre-commit names `tests/x.py` where a walk of `.` names `./tests/x.py`: `*/tests/*` fits both.
    """
    path = os.path.normpath(path).replace(os.sep, "/")
    return fnmatch(path, pattern) or fnmatch(f"./{path}", pattern)


def audit_items(
    items: Sequence[Item],
    selection: Selection,
    options: Options,
    *,
    python: str | None,
    jobs: int | None,
    cache: Cache | None,
    session: Session,
    progress: Progress,
) -> Iterator[Read]:
    """Audit files, and yield the results in their order; what the cache knows is not read again.

    Args:
        items: The files.
        selection: Of rules.
        options: Of rules.
        python: Compile by another interpreter.
        jobs: Processes; None: as many as pay.
        cache: None: do without.
        session: How errors are shown.
        progress: Advanced with each file.
    """
    keys = {} if cache is None else _keys(items)
    known = {} if cache is None else _cached(items, keys, cache)
    missing = [at for at in range(len(items)) if at not in known]
    results = _worked(
        items=items,
        missing=missing,
        selection=selection,
        options=options,
        python=python,
        jobs=jobs,
        session=session,
    )
    try:
        reported, done = 0, len(known)
        for at, read in results:
            known[at], done = read, done + 1
            if cache is not None and at in keys:
                _keep(cache, keys[at], read.audited)
            progress.advance(done, len(items))
            while reported in known:
                yield known.pop(reported)
                reported += 1
        for at in range(reported, len(items)):
            yield known[at]
    finally:
        results.close()
        if cache is not None:
            cache.save()  # of an interrupted run, too


def _keys(items: Sequence[Item]) -> dict[int, str]:
    """Number of an item -> key of its content in the cache, where it can be read."""
    keys = ((at, _key(item.target)) for at, item in enumerate(items) if item.error is None)
    return {at: key for at, key in keys if key is not None}


def _cached(items: Sequence[Item], keys: dict[int, str], cache: Cache) -> dict[int, Read]:
    """Number of an item -> what the cache knows about it."""
    held = ((at, cache.get(key, items[at].target)) for at, key in keys.items())
    return {at: Read(found, None, []) for at, found in held if found is not None}


def _keep(cache: Cache, key: str, found: Audited | None) -> None:
    """Put a result into the cache; not one with warnings, which are to be shown every time."""
    if found is not None and not found.warnings:
        cache.put(key, found)


def _worked(
    items: Sequence[Item],
    missing: Sequence[int],
    selection: Selection,
    options: Options,
    python: str | None,
    jobs: int | None,
    session: Session,
) -> Generator[tuple[int, Read], None, None]:
    """What became of some items, and which ones they are; the largest are done first."""
    from coscope.cli.processes import in_order

    jobs = _paying([items[at] for at in missing]) if jobs is None else jobs
    batches = list(_batches(items, missing, jobs))
    do = partial(
        audited, selection=selection, options=options, python=python,
        ascii=session.ascii, debug=session.debug,
    )  # fmt: skip
    with _compilers(python):
        results = in_order(do, [tuple(items[at] for at in batch) for batch in batches], jobs)
        try:
            for batch, reads in zip(batches, results, strict=True):
                yield from zip(batch, reads, strict=True)
        finally:
            results.close()


def _compilers(python: str | None) -> AbstractContextManager[None]:
    """Keep the process of another interpreter for all files that this process reads."""
    if python is None:
        return nullcontext()
    from coscope.readers.from_interpreter import kept

    return kept()


def _key(path: str) -> str | None:
    from coscope.audits.running.cache import Cache

    if not os.path.isfile(path):
        return None  # a pipe can be read once
    try:
        with open(path, "rb") as file:
            return Cache.key(file.read(), os.path.splitext(path)[1].lower())
    except (OSError, ValueError):
        return None


def _paying(items: Sequence[Item]) -> int:
    """How many processes are worth their start."""
    from coscope.cli.processes import cores

    if sys.platform == "emscripten":
        return 1
    return max(1, min(cores(), sum(map(_weight, items)) // _OWN))


def _weight(item: Item) -> int:
    return max(item.size, _EACH)


def _batches(items: Sequence[Item], missing: Sequence[int], jobs: int) -> Iterator[list[int]]:
    """The items by number: with one process each alone, else the large ones first.

    The batches become smaller, so that all processes end at about the same time.
    """
    if jobs == 1:
        yield from ([at] for at in missing)
        return
    ordered = sorted(missing, key=lambda at: (-items[at].size, at))
    left = sum(_weight(items[at]) for at in ordered)
    batch: list[int] = []
    size = 0
    for at in ordered:
        batch.append(at)
        size += _weight(items[at])
        if size >= min(_MOST, max(_LEAST, left // (_SHARES * jobs))):
            yield batch
            left -= size
            batch, size = [], 0
    if batch:
        yield batch


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
    if python is not None and is_worker():
        _keep_compiler()
    with _uncollected():
        return [_read(item, rules, options, python, ascii, debug) for item in batch]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: what the compiler makes of a file has none, and is looked
    through in vain each time. A batch is small."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@lru_cache(maxsize=1)
def _keep_compiler() -> None:
    """In a worker: one process of the other interpreter for all batches. It ends with this one."""
    from coscope.readers.from_interpreter import kept

    keeper = ExitStack()
    keeper.enter_context(kept())
    atexit.register(keeper.close)


def _read(
    item: Item,
    rules: Any,
    options: Options,
    python: str | None,
    ascii: bool,  # noqa: A002
    debug: bool,
) -> Read:
    from coscope.audits.running.engine import audit_file
    from coscope.render.text.measured import Pen

    try:
        if item.error is not None:
            raise item.error
        found = audit_file(item.target, rules, options, python=python)
        clean = Pen(ascii=ascii).clean
        warned = [f"coscope: warning: {item.target}: {each}" for each in found.warnings]
        return Read(found, None, [clean(line) for line in warned])
    except Exception as error:
        return Read(None, *told(error, ascii, debug))


def told(error: Exception, ascii: bool, debug: bool) -> tuple[schema.Error, list[str]]:  # noqa: A002
    """An error as the document has it, and as standard error shows it."""
    from coscope.cli.failures import lines_of
    from coscope.render.document.report import error_entry
    from coscope.render.text.measured import Pen

    lines = lines_of(error, Pen(ascii=ascii))
    if debug:
        import traceback

        lines = [*"".join(traceback.format_exception(error)).splitlines(), *lines]
    return error_entry(error), lines


def host() -> str:
    """The interpreter that compiles where no other is named, for the cache."""
    return f"{sys.version} {sys.executable}"
