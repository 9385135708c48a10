"""`coscope verify`: can code crash the interpreter? Over many files, by several processes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from coscope.cli.failures import CUT_OFF, FAILED
from coscope.cli.options import code_option, code_version_option, common, of_target
from coscope.cli.session import Session
from coscope.cli.streams import reader_left, write_lines

if TYPE_CHECKING:
    from coscope.cli.files import Item
    from coscope.cli.progress import Progress
    from coscope.render.results.verify import Totals
    from coscope.render.schemas import verify as schema

VIOLATED = 1  # exit status

_BATCH = 200_000  # bytes of files that a process is given at a time: about half a second of work
_EACH = 4_000  # bytes that a file counts for at least


class Told(NamedTuple):
    """What one target came to."""

    entry: schema.VerifyReport  # of the document
    lines: list[str]  # for standard error


@click.command("verify", short_help="Whether code can crash the interpreter.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="COUNT",
    help="Processes; 0: as many as there are cores.",
)
@click.option(
    "--python",
    metavar="VERSION",
    help="Compile source files by another interpreter: a version, a release or a path.",
)
@code_version_option
@code_option
@click.argument("targets", nargs=-1, metavar="TARGET...", shell_complete=of_target)
@common
def command(
    session: Session,
    targets: tuple[str, ...],
    source: str | None,
    jobs: int,
    python: str | None,
    code_version: str | None,
) -> int:
    """Report whether the code of each TARGET can crash the interpreter, before it runs.

    \b
    app/ build/                   folders: every .py and .pyc in them, __pycache__ too
    x.pyc                         of CPython 3.8 to 3.15: read byte by byte, never executed
    app/orders.py::Order.total    one code object of a file, and those nested in it
    json:dumps                    a live function; this imports json, and so runs it

    Of 3.8 to 3.10 the structure alone is verified. Source files are compiled, never executed;
    with --python, .pyc files of folders are left out. "coscope rule CODE" explains a violation.

    Exit status: 0 no violation, 1 violations, 2 a target could not be read, 141 the reader of the
    answer left before its end.
    """
    from coscope.cli.files import items_of, parts_of
    from coscope.cli.processes import cores, in_order
    from coscope.cli.progress import Progress
    from coscope.readers.naming import stays_here

    if source is None and not targets:
        raise click.UsageError("Missing argument 'TARGET...'.")
    session.target = " ".join(targets if source is None else ("-c", *targets))
    if python is not None:
        from coscope.readers.from_interpreter import find

        python = find(python).path
    if source is not None:
        items = parts_of(source, targets)
    else:
        items = items_of(targets, compiled=python is None)
    jobs = jobs or cores()
    batches = list(_batches(items, jobs))
    examine = partial(
        examined,
        python=python,
        code_version=code_version,
        json=session.json,
        ascii=session.ascii,
        debug=session.debug,
    )
    results = in_order(examine, batches, jobs, stays=lambda batch: stays_here(batch[0].target))
    with Progress("targets") as progress:
        told = _counted((each for result in results for each in result), len(items), progress)
        try:
            if session.json:
                return _write_json(session, told)
            return _write_page(session, told, len(items) == 1, progress)
        except BrokenPipeError:  # of what was not verified nothing is known: 0 would be a lie
            reader_left()
            return CUT_OFF
        finally:
            results.close()


def _batches(items: Sequence[Item], jobs: int) -> Iterator[tuple[Item, ...]]:
    """The items in order, in portions of about the same size; a live function by itself."""
    from coscope.readers.naming import stays_here

    batch: list[Item] = []
    size = 0
    for item in items:
        live = stays_here(item.target)
        if batch and (live or jobs == 1 or size >= _BATCH or stays_here(batch[0].target)):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(item)
        size += max(item.size, _EACH)
    if batch:
        yield tuple(batch)


def examined(
    batch: Sequence[Item],
    *,
    python: str | None,
    code_version: str | None,
    json: bool,
    ascii: bool,  # noqa: A002
    debug: bool,
) -> list[Told]:
    """Verify some targets; one that cannot be read does not keep the others from it."""
    session = Session(json=json, ascii=ascii, debug=debug)
    return [_told(item, python, code_version, session) for item in batch]


def _told(item: Item, python: str | None, code_version: str | None, session: Session) -> Told:
    from coscope.render.results.verify import entry, unread
    from coscope.verifier import verify

    try:
        if item.error is not None:
            raise item.error
        with redirect_stdout(sys.stderr):  # what an imported module prints is no part of the answer
            report = verify(item.thing, python=python, code_version=code_version)
        return Told(entry(report, target=item.target), [])
    except Exception as error:
        from coscope.cli.failures import lines_of
        from coscope.render.document.report import error_entry
        from coscope.render.text.measured import Pen

        lines = lines_of(error, Pen(ascii=session.ascii))
        if session.debug:
            import traceback

            lines = [*"".join(traceback.format_exception(error)).splitlines(), *lines]
        return Told(unread(item.target, error_entry(error)), lines)


def _counted(told: Iterable[Told], total: int, progress: Progress) -> Iterator[Told]:
    for done, each in enumerate(told, 1):
        if each.lines:
            with progress.aside():
                write_lines(each.lines)
        yield each
        progress.advance(done, total)


def _status(totals: Totals) -> int:
    return FAILED if totals.errors else VIOLATED if totals.violations or totals.undecided else 0


def _write_page(session: Session, told: Iterable[Told], alone: bool, progress: Progress) -> int:
    from coscope.cli.pages import write_sheet
    from coscope.render.results.verify import Totals, target_sheet, totals_sheet

    totals = Totals()
    pen = session.pen()
    for each in told:
        totals.add(each.entry)
        if each.entry["error"] is None and (alone or _speaks(each.entry)):
            page = target_sheet(each.entry, pen, alone=alone)
            page.lines.append([])
            with progress.aside():
                write_sheet(session, page)
    if not (alone and totals.errors):
        with progress.aside():
            write_sheet(session, totals_sheet(totals, pen))
    return _status(totals)


def _speaks(entry: schema.VerifyReport) -> bool:
    """True if one target of many has something to say."""
    return bool(entry["violations"] or entry["undecided"] or entry["warnings"])


def _write_json(session: Session, told: Iterable[Told]) -> int:
    """Write the document as it grows. What ends the work early is its last entry, as an error."""
    from coscope.cli.streams import write_text
    from coscope.render.document.report import error_entry
    from coscope.render.results.verify import Totals, closing, opening
    from coscope.render.to_json import to_json_parts

    totals = Totals()
    broken: list[Exception] = []

    def entries() -> Iterator[schema.VerifyReport]:
        try:
            for each in told:
                totals.add(each.entry)
                yield each.entry
        except Exception as error:
            broken.append(error)

    def after() -> schema.VerifyClosing:
        return closing(totals, error_entry(broken[0]) if broken else None)

    for part in to_json_parts(opening(session.target or ""), "reports", entries(), after):
        write_text(part)
    if broken:
        session.json = False  # the document is written; what is left is a line on standard error
        raise broken[0]
    return _status(totals)
