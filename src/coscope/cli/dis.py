"""`coscope dis`: the bytecode alone."""

from __future__ import annotations

import click

from coscope.cli.options import common, reading
from coscope.cli.session import Session


@click.command("dis", short_help="The bytecode alone.")
@reading
@common
def command(
    session: Session,
    target: str,
    every: bool,
    python: str | None,
    optimize: int,
    unwrap: bool,
) -> None:
    """Show the bytecode of TARGET: source, instructions, and the stack before each of them.

    Of a file all code objects are shown; of a function its own code, with --all also what is
    nested in it. A dotted target (json:dumps) imports its module; files are compiled or read,
    never executed.
    """
    from coscope.cli.output import document_of, write
    from coscope.render.pages.sheets import listing_sheet

    document = document_of(
        session,
        target,
        python=python,
        optimize=optimize,
        unwrap=unwrap,
        every=every,
        whole_file="all",
    )
    write(session, document, listing_sheet)
