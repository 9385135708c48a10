"""`coscope closure`: the cells of a function, drawn and told."""

from __future__ import annotations

import click

from coscope.cli.answers import answer
from coscope.cli.options import common
from coscope.cli.session import Session


@click.command("closure", short_help="Its cells: owner, readers, writers, sharing, sizes.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "dot", "svg"]),
    default="text",
    show_default=True,
    help="Text, or the diagram as a Mermaid flowchart, Graphviz DOT, or SVG.",
)
@click.option("--unwrap", is_flag=True, help="Follow __wrapped__ of decorated functions.")
@click.option(
    "--python",
    metavar="VERSION",
    help="Compile a source file by another interpreter: a version, a release or a path.",
)
@click.argument("target")
@common
def command(session: Session, target: str, form: str, unwrap: bool, python: str | None) -> None:
    """Tell what the cells of TARGET are: who makes, reads, writes and shares each.

    \b
    coscope closure app.jobs:task                  a live function: its module is imported
    coscope closure app/jobs.py::make.task         of a file, which is never executed: no contents
    coscope closure app.jobs:task --format svg > cells.svg
    """
    from coscope.facts.closures.closures import closure

    found = closure(target, python=python, unwrap=unwrap)
    if session.json or form == "text":
        answer(session, found)
        return
    from coscope.cli.streams import write_text
    from coscope.render.drawings import boxes, to_svg
    from coscope.render.drawings.closure_boxes import closure_boxes
    from coscope.render.results.closure import document

    write = {
        "mermaid": boxes.boxes_to_mermaid,
        "dot": boxes.boxes_to_dot,
        "svg": to_svg.boxes_to_svg,
    }
    write_text(write[form](closure_boxes(document(found))))
