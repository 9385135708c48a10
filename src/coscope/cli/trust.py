"""`coscope trust`: does bytecode come from its source, and what is hidden in it?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coscope.cli.options import common
from coscope.cli.session import Session
from coscope.render.formats import formats_of, help_of, written

if TYPE_CHECKING:
    from coscope.trust import TrustReport
    from coscope.trust.answers import Answer, Task

Given = dict[str, Any]  # the options of the command line, as click gives them

_SMALL = 4  # tasks from which more than one process pays


@click.command("trust", short_help="Does bytecode come from its source?")
@click.option(
    "--format",
    "form",
    type=click.Choice(formats_of("trust")),
    default="text",
    show_default=True,
    help=help_of("trust"),
)
@click.option("-o", "--output", metavar="FILE", help="Write a page to FILE: report.html.")
@click.option("--strict", is_flag=True, help="Exit with 1 for what is information, too.")
@click.option("--baseline", metavar="FILE", help="Report only what is not in FILE.")
@click.option("--write-baseline", metavar="FILE", help="Write all signs to FILE, and report none.")
@click.option(
    "--python", metavar="VERSION", help="Compile by this first: a version, a release or a path."
)
@click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=0),
    metavar="COUNT",
    help="Processes; 0: as many as there are cores. If not given: as many, where they pay.",
)
@click.argument("targets", nargs=-1, required=True, metavar="PATH...")
@common
def command(session: Session, targets: tuple[str, ...], **given: Any) -> int:
    """Recompile the source of each bytecode file in PATH, and compare. Nothing of it runs.

    \b
    coscope trust .venv/                an environment: bytecode, RECORD hashes, .pth lines
    coscope trust src/ x.pyc            folders and single files
    coscope trust .venv/ -o report.html

    Verdicts, from the best: identical, same, same behaviour, known drift, differs, no source,
    unreadable.

    Exit status: 0 clean, 1 something to look at, 2 something cannot be read.
    """
    from dataclasses import replace

    from coscope.trust import trust
    from coscope.trust.baseline import read_baseline, write_baseline

    session.target = " ".join(targets)
    form = "json" if session.json else given["form"]
    session.json = form == "json"
    known = None if given["baseline"] is None else read_baseline(Path(given["baseline"]))
    from coscope.cli.progress import Progress

    with Progress("files") as progress:
        report = trust(
            *targets,
            python=given["python"],
            cache=None if given["no_cache"] else _cache_folder(),
            work=_work(given["jobs"]),
            progress=progress.advance,
        )
    if given["write_baseline"] is not None:
        count = write_baseline(report, Path(given["write_baseline"]))
        sys.stderr.write(f"{count:,} signs written to {given['write_baseline']}\n")
        return 0
    if known is not None:
        files, others, count = known.without(report)
        report = replace(report, files=files, others=others, known=count)
    _write(session, report, form, given["output"])
    return report.status(strict=given["strict"])


def _cache_folder() -> Path:
    from coscope.audits.running.cache import default_folder

    return default_folder().parent / "trust"


def _work(
    jobs: int | None,
) -> Callable[[Callable[[Task], Answer], Sequence[Task]], Iterable[Answer]]:
    """How tasks are done: over processes where that pays."""
    from coscope.cli.processes import cores, in_order

    def work(do: Callable[[Task], Answer], tasks: Sequence[Task]) -> Iterable[Answer]:
        count = cores() if jobs == 0 or (jobs is None and len(tasks) >= _SMALL) else jobs or 1
        if sys.platform == "emscripten":
            count = 1
        return in_order(do, tasks, count)

    return work


def _write(session: Session, report: TrustReport, form: str, output: str | None) -> None:
    from coscope.cli.pages import write_sheet
    from coscope.cli.streams import write_text
    from coscope.render.results.trust import document, sheet

    found = document(report)
    if output is not None:
        from coscope.audits.running.small_files import write_text as write_file
        from coscope.errors import InputError
        from coscope.render.trust_page import to_page

        try:
            write_file(Path(output), to_page(found))
        except OSError as error:
            raise InputError(f"cannot write the page: {error.strerror}", file=output) from error
    if form != "text":
        write_text(written("trust", form, found))
    else:
        write_sheet(session, sheet(found, session.pen()))
