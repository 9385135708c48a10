"""`coscope diff`: what differs between two functions, files, or interpreters."""

from __future__ import annotations

import click

from coscope.cli.options import common
from coscope.cli.session import Session


@click.command("diff", short_help="What differs in behaviour between two functions or files.")
@click.option(
    "--python",
    metavar="VERSION[,VERSION]",
    help="Compile source files by other interpreters of this machine: X,Y compiles A by "
    "the first and B by the second.",
)
@click.argument("a")
@click.argument("b")
@common
@click.pass_context
def command(context: click.Context, session: Session, a: str, b: str, python: str | None) -> None:
    """Compare A and B by what their code does.

    \b
    before/app.py after/app.py          did the reformat change anything?
    app.py app.py --python 3.12,3.13    what two interpreters make of one file
    old.pyc new.pyc                     compiled files, never executed
    app:old app:new                     live functions; this imports app

    Lines, offsets, paths, docstrings and names of locals do not count. Exit status: 0 the same,
    1 different, 2 bad input.
    """
    from coscope.cli.answers import answer
    from coscope.facts.differences.difference import diff

    session.target = f"{a} {b}"
    found = diff(a, b, python=python)
    answer(session, found)
    if not found.same:
        context.exit(1)
