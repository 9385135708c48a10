"""`coscope dis`: the bytecode alone."""

from __future__ import annotations

from dataclasses import replace

import click

from coscope.cli.options import Reading, reading
from coscope.cli.saving import to_file
from coscope.cli.session import Session


@click.command("dis", short_help="The bytecode alone.")
@reading
@click.option(
    "--versions",
    metavar="A,B,...",
    help="Compile a source file by several interpreters, and set their bytecode side by side.",
)
@to_file
def command(session: Session, given: Reading, versions: str | None) -> None:
    """Show the bytecode of TARGET: source, instructions, and the stack before each of them.

    Of a file all code objects are shown; of a function its own code, with --all also what is
    nested in it. A dotted target (json:dumps) imports its module; files are compiled or read,
    never executed.

    Exit status: 0 shown, 2 bad use or input; of several TARGETs, the worst.
    """
    from coscope.cli.output import document_of, write
    from coscope.render.pages.sheets import listing_sheet

    if versions is not None:
        _side_by_side(session, given, versions)
        return
    write(session, document_of(given, whole_file="all", whole=session.json), listing_sheet)


def _side_by_side(session: Session, given: Reading, versions: str) -> None:
    """The same source, compiled by each of several interpreters."""
    from coscope.cli.output import document_of, write
    from coscope.errors import InputError
    from coscope.render.document.versions import versions_of
    from coscope.render.pages.versions_sheet import versions_sheet

    pythons = [each.strip() for each in versions.split(",") if each.strip()]
    if given.python is not None or len(pythons) < 2:
        raise click.UsageError("--versions takes two interpreters or more, and no --python.")
    documents = [
        document_of(replace(given, python=each), whole_file="all", whole=session.json)
        for each in pythons
    ]
    if any(each["origin"] not in ("source", "interpreter") for each in documents):
        raise InputError("--versions compiles a source file; this target is not one")
    write(session, versions_of(documents), versions_sheet)
