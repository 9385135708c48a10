"""`coscope graph`: the control-flow graph."""

from __future__ import annotations

import click

from coscope.cli.options import Reading, reading
from coscope.cli.saving import to_file
from coscope.cli.session import Session
from coscope.render.formats import formats_of, help_of, written


@click.command("graph", short_help="The control-flow graph, drawn or as text.")
@reading
@click.option(
    "--format",
    "form",
    type=click.Choice(formats_of("graph")),
    default="text",
    show_default=True,
    help=help_of("graph"),
)
@to_file
def command(session: Session, given: Reading, form: str) -> None:
    """Show how control flows through TARGET: blocks, conditions, loops and handlers.

    Of a file, the module's own code, with --all every code object. A dotted target (json:dumps)
    imports its module; files are compiled or read, never executed.

    Exit status: 0 shown, 2 bad use or input; of several TARGETs, the worst.
    """
    from coscope.cli.output import document_of, write
    from coscope.cli.streams import write_text
    from coscope.render.pages.sheets import graph_sheet

    document = document_of(given, whole_file="first", whole=session.json)
    if session.output or session.json or form == "text":
        write(session, document, graph_sheet)
    else:
        write_text(written("graph", form, document))
