"""`coscope closure`: the cells of a function, drawn and explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coscope.cli.answers import answer
from coscope.cli.options import (
    code_version_option,
    common,
    python_option,
    targeted_each,
    unwrap_option,
)
from coscope.cli.saving import to_file
from coscope.cli.session import Session
from coscope.render.formats import formats_of, help_of, written

if TYPE_CHECKING:
    from coscope.readers import Snippet


@click.command("closure", short_help="Its cells: owner, readers, writers, sharing, sizes.")
@click.option(
    "--format",
    "form",
    type=click.Choice(formats_of("closure")),
    default="text",
    show_default=True,
    help=help_of("closure"),
)
@unwrap_option
@python_option
@code_version_option
@targeted_each
@common
@to_file
def command(
    session: Session,
    target: str | Snippet,
    form: str,
    unwrap: bool,
    python: str | None,
    code_version: str | None,
) -> None:
    """Show what the cells of TARGET are: who makes, reads, writes and shares each.

    \b
    coscope closure app.jobs:task                  a live function: its module is imported
    coscope closure app/jobs.py::make.task         of a file, which is never executed: no contents
    coscope closure app.jobs:task --format svg > cells.svg

    Exit status: 0 shown, 2 bad use or input; of several TARGETs, the worst.
    """
    from coscope.facts.closures.closures import closure

    found = closure(target, python=python, unwrap=unwrap, code_version=code_version)
    if session.output or session.json or form == "text":
        answer(session, found)
        return
    from coscope.cli.streams import write_text
    from coscope.render.results.closure import document

    write_text(written("closure", form, document(found)))
