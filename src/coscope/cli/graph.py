"""`coscope graph`: the control-flow graph."""

from __future__ import annotations

import click

from coscope.cli.options import common, reading
from coscope.cli.session import Session


@click.command("graph", short_help="The control-flow graph, as text, Mermaid or DOT.")
@reading
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "dot"]),
    default="text",
    show_default=True,
    help="Text, a Mermaid flowchart, or Graphviz DOT.",
)
@common
def command(
    session: Session,
    target: str,
    every: bool,
    python: str | None,
    optimize: int,
    unwrap: bool,
    form: str,
) -> None:
    """Show how control flows through TARGET: blocks, conditions, loops and handlers.

    Of a file, the module's own code, with --all every code object. A dotted target (json:dumps)
    imports its module; files are compiled or read, never executed.
    """
    from coscope.cli.output import document_of, write
    from coscope.cli.streams import write_text
    from coscope.render.pages.sheets import graph_sheet

    document = document_of(
        session,
        target,
        python=python,
        optimize=optimize,
        unwrap=unwrap,
        every=every,
        whole_file="first",
    )
    if session.json or form == "text":
        write(session, document, graph_sheet)
    elif form == "mermaid":
        from coscope.render.drawings.to_mermaid import to_mermaid

        write_text(to_mermaid(document))
    else:
        from coscope.render.drawings.to_dot import to_dot

        write_text(to_dot(document))
