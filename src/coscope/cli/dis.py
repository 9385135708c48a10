"""`coscope dis`: the bytecode alone."""

from __future__ import annotations

import click

from coscope.cli.options import Reading, reading
from coscope.cli.session import Session


@click.command("dis", short_help="The bytecode alone.")
@reading
def command(session: Session, given: Reading) -> None:
    """Show the bytecode of TARGET: source, instructions, and the stack before each of them.

    Of a file all code objects are shown; of a function its own code, with --all also what is
    nested in it. A dotted target (json:dumps) imports its module; files are compiled or read,
    never executed.

    Exit status: 0 shown, 2 bad use or input; of several TARGETs, the worst.
    """
    from coscope.cli.output import document_of, write
    from coscope.render.pages.sheets import listing_sheet

    write(session, document_of(given, whole_file="all", whole=session.json), listing_sheet)
