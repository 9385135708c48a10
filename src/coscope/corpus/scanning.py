"""A scan: find, hash, read what is new, write it, and leave a corpus that is whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from coscope.corpus.catalog import (
    Manifest,
    Report,
    locked,
    parts_in,
    read_manifest,
    write_manifest,
)
from coscope.corpus.inputs import Inputs, find_inputs
from coscope.corpus.on_processes import Outcome, on_processes, run_here
from coscope.corpus.plan import Plan, Settings, make_part, parts_of, plan_of
from coscope.corpus.rows import Rows
from coscope.corpus.schema import DETAILS, EVERY, TABLES
from coscope.corpus.store import (
    LAST,
    PARTITION,
    arrow,
    arrow_schema,
    part_path,
    write_part,
    write_table,
)
from coscope.corpus.tasks import DIED, Part
from coscope.errors import InputError
from coscope.readers.from_function import HOST_RELEASE
from coscope.readers.from_interpreter import find

# Contents with these statuses are read again by the next scan.
_PASSING = frozenset({DIED, "too slow", "changed"})

Advance = Callable[[int, int], None]


def scan(
    arguments: Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    python: str | None = None,
    optimize: int = 0,
    details: Iterable[str] = (),
    processes: int = 0,
    dask: str | None = None,
    pycache: bool = False,
    progress: Advance | None = None,
) -> Report:
    """Read files, folders and archives into a corpus. Sources are compiled, never executed.

    The corpus holds what the last scan was given: contents that are in it already are not read
    again, and those whose places are gone are removed. A scan that was interrupted goes on.

    Args:
        arguments: Files, folders, archives.
        folder: Of the corpus; made if it is not there.
        python: Another interpreter that compiles, as `coscope.read` takes it.
        optimize: 0, 1 or 2, as `compile` takes it.
        details: "flow", "findings", "fingerprints": tables that cost more than all others.
        processes: So many processes; 0: this one.
        dask: Address of a Dask scheduler instead.
        pycache: Read .pyc files whose source is beside them, too.
        progress: Called with contents done and contents in all.

    Raises:
        InputError: An argument names nothing, or an option has no such value.
        CoscopeError: The corpus cannot be written, or another scan is writing into it.
        MissingExtra: PyArrow, or for `dask` distributed, is not installed.
    """
    arrow()
    words = [os.fspath(each) for each in arguments]
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise InputError("this is not a folder", file=str(target))
    settings = _settings(python, optimize, details)
    with locked(target):
        _check_folder(target)
        inputs = find_inputs(words, pycache=pycache)
        # From here on, and until the end, the corpus is not whole.
        write_manifest(target, _manifest(settings, words, "scanning"))
        plan = plan_of(inputs, settings)
        _clean(target)
        stored, removed = _prune(target, plan)
        parts = _missing_parts(target, plan, settings, stored)
        total = sum(len(part.tasks) for part in parts)
        done = 0
        for part in _run(parts, target, settings, processes, dask):
            done += len(part.tasks)
            if progress is not None:
                progress(done, total)
        # A worker that was killed while it wrote, on another machine perhaps, left its draft.
        _clean(target)
        _write_unread(target, plan, settings, stored)
        _write_catalog(target, inputs, plan)
        write_manifest(target, _manifest(settings, words, "complete"))
        return _report(target, inputs, settings, total, removed)


def _missing_parts(folder: Path, plan: Plan, settings: Settings, stored: set[int]) -> list[Part]:
    """The parts that have to be read: what is not stored yet."""
    found: list[Part] = []
    for name, tasks in sorted(plan.tasks.items()):
        missing = [task for key, task in tasks.items() if key not in stored]
        found += parts_of(missing, folder, name, settings)
    return found


def _settings(python: str | None, optimize: int, details: Iterable[str]) -> Settings:
    from importlib import import_module

    chosen = tuple(sorted(set(details)))
    unknown = [each for each in chosen if each not in DETAILS]
    if unknown:
        raise InputError(
            f"there is no detail {unknown[0]!r}", hint=f"Details are: {', '.join(DETAILS)}."
        )
    if optimize not in (0, 1, 2):
        raise InputError("optimize must be 0, 1 or 2", found=optimize)
    interpreter = find(python) if python is not None else None
    return Settings(
        str(import_module("coscope").__version__),
        interpreter.release if interpreter else HOST_RELEASE,
        interpreter.path if interpreter else None,
        optimize,
        chosen,
    )


def _manifest(settings: Settings, words: list[str], state: str) -> Manifest:
    return Manifest(
        settings.coscope,
        state=state,
        python=settings.python,
        optimize=settings.optimize,
        details=list(settings.details),
        inputs=words,
    )


def _check_folder(folder: Path) -> None:
    """Refuse a folder that holds other things."""
    if read_manifest(folder) is None and any(
        entry.name != "scan.lock" and not entry.name.startswith(".") for entry in folder.iterdir()
    ):
        raise InputError(
            "the folder is not empty and not a corpus",
            file=str(folder),
            hint="Name a new folder with -o.",
        )


def _clean(folder: Path) -> None:
    """Remove what a scan left behind that was ended in the middle."""
    whole = set(parts_in(folder))
    for name in TABLES:
        for place in (folder / name).glob(f"{PARTITION}=*"):
            for file in place.iterdir():
                part = place.name.partition("=")[2], file.stem
                if file.name.endswith(".tmp") or part not in whole:
                    with suppress(OSError):
                        file.unlink()


def _prune(folder: Path, plan: Plan) -> tuple[set[int], int]:
    """Remove the rows of contents that nothing names any more.

    Returns:
        The keys of what is stored and stays, and the number of contents that went.
    """
    import pyarrow.parquet as pq

    wanted = {key for tasks in plan.tasks.values() for key in tasks} | plan.unread.keys()
    stored: set[int] = set()
    removed = 0
    for python, part in list(parts_in(folder)):
        path = part_path(folder, LAST, python, part)
        rows = pq.read_table(path, columns=["file", "status"], partitioning=None)
        held = dict(zip(rows["file"].to_pylist(), rows["status"].to_pylist(), strict=True))
        gone = {
            key
            for key, status in held.items()
            if key not in wanted or key in stored or status in _PASSING
        }
        stored |= held.keys() - gone
        removed += sum(key not in wanted for key in gone)
        if gone:
            _take_out(folder, python, part, gone, everything=len(gone) == len(held))
    return stored, removed


def _take_out(folder: Path, python: str, part: str, gone: set[int], *, everything: bool) -> None:
    """Write a part anew without some contents, or remove it."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    keys = pa.array(sorted(gone), pa.int64())
    files = {
        name: part_path(folder, name, python, part)
        for name in TABLES
        if part_path(folder, name, python, part).exists()
    }
    tables = {}
    if not everything:
        for name, file in files.items():
            table = pq.read_table(file, partitioning=None)
            tables[name] = table.filter(pc.invert(pc.is_in(table["file"], keys)))
    # `files` goes first and comes back last: in between the part does not count.
    for name in sorted(files, key=lambda name: name != LAST):
        files[name].unlink()
    for name in sorted(tables, key=lambda name: name == LAST):
        write_table(files[name], tables[name], name)


def _run(
    parts: Sequence[Part], folder: Path, settings: Settings, processes: int, dask: str | None
) -> Iterator[Part]:
    """Run the parts, and give each that is stored. Those that die are run file by file."""
    if not parts:
        return
    died: list[Part] = []
    for part, counts in _outcomes(parts, processes, dask):
        if counts is None:
            died.append(part)
        else:
            yield part
    singles = [
        make_part([task], folder, part.python, settings) for part in died for task in part.tasks
    ]
    if not singles:
        return
    for part, counts in _outcomes(singles, max(processes, 1), dask):
        if counts is None:
            last = make_part(part.tasks, folder, part.python, settings, died=True)
            list(run_here([last]))
        yield part


def _outcomes(parts: Sequence[Part], processes: int, dask: str | None) -> Iterator[Outcome]:
    if dask is not None:
        from coscope.corpus.on_dask import on_dask

        return on_dask(parts, dask)
    return on_processes(parts, processes) if processes else run_here(parts)


def _write_unread(folder: Path, plan: Plan, settings: Settings, stored: set[int]) -> None:
    """Rows for what could not even be hashed."""
    missing = {key: place for key, place in plan.unread.items() if key not in stored}
    if not missing:
        return
    rows = Rows(frozenset(settings.details))
    for key, place in missing.items():
        rows.add(
            "files",
            file=key,
            sha256="",
            bytes=0,
            kind=place.kind,
            version=None,
            codes=0,
            instructions=0,
            status=place.status,
            reason=place.reason,
        )
    part = make_part([], folder, settings.python, settings)
    name = f"unread-{min(missing):016x}"
    write_part(folder, part.python, name, rows)


def _write_catalog(folder: Path, inputs: Inputs, plan: Plan) -> None:
    import pyarrow as pa

    places = [
        {
            "path": each.path,
            "member": each.member,
            "file": plan.keys[each.path, each.member],
            "distribution": each.distribution,
            "package": each.package,
            "input": each.input,
        }
        for each in inputs.places
    ]
    distributions = [
        {name: getattr(each, name) for name in EVERY["distributions"].names}
        for each in inputs.distributions
    ]
    for name, rows in (("places", places), ("distributions", distributions)):
        table = pa.Table.from_pylist(rows, schema=arrow_schema(EVERY[name]))
        write_table(folder / name / f"{name}.parquet", table, name)


def _report(folder: Path, inputs: Inputs, settings: Settings, scanned: int, removed: int) -> Report:
    import pyarrow.parquet as pq

    counts = dict.fromkeys(EVERY, 0)
    for name in EVERY:
        for file in (folder / name).rglob("[!.]*.parquet"):
            counts[name] += pq.read_metadata(file).num_rows
    skipped = {
        name
        for name, table in TABLES.items()
        if table.detail and table.detail not in settings.details
    }
    parts = list(parts_in(folder))
    codes = instructions = 0
    unread: dict[str, int] = {}
    for python, part in parts:
        table = pq.read_table(
            part_path(folder, LAST, python, part),
            columns=["codes", "instructions", "status"],
            partitioning=None,
        )
        codes += sum(table["codes"].to_pylist())
        instructions += sum(table["instructions"].to_pylist())
        for status in table["status"].to_pylist():
            if status != "read":
                unread[status] = unread.get(status, 0) + 1
    return Report(
        folder=str(folder),
        places=len(inputs.places),
        contents=counts["files"],
        scanned=scanned,
        codes=codes,
        instructions=instructions,
        unread=tuple(sorted(unread.items())),
        removed=removed,
        parts=len(parts),
        tables=tuple((name, count) for name, count in counts.items() if name not in skipped),
        warnings=inputs.warnings,
        details=settings.details,
        python=settings.python,
    )
