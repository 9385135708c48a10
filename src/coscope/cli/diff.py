"""`coscope diff`: what differs between two functions, files, or interpreters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coscope.cli.options import code_version_option, common, of_target
from coscope.cli.saving import to_file
from coscope.cli.session import Session
from coscope.cli.several import for_each

if TYPE_CHECKING:
    from coscope.readers import Snippet

DIFFERENT = 1  # exit status


@click.command("diff", short_help="What differs in behaviour between two functions or files.")
@click.option(
    "--python",
    metavar="VERSION[,VERSION]",
    help="Compile source files by other interpreters of this machine: X,Y compiles A by "
    "the first and B by the second.",
)
@code_version_option
@click.option(
    "-c",
    "sources",
    multiple=True,
    metavar="CODE",
    help="Source text instead of a file; given twice, it is A and B.",
)
@click.argument("targets", nargs=-1, metavar="A B...", shell_complete=of_target)
@common
@to_file
def command(
    session: Session,
    targets: tuple[str, ...],
    sources: tuple[str, ...],
    python: str | None,
    code_version: str | None,
) -> int:
    """Compare A and B by what their code does; with more targets, A and each of them.

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
    from coscope.readers import Snippet

    sides: list[str | Snippet] = [*(Snippet(source, "<string>") for source in sources), *targets]
    if len(sides) < 2:
        raise click.UsageError("Give the two to compare: A and B.")
    first, *others = sides

    def compare(other: str | Snippet) -> int:
        session.target = " ".join(_shown(side) for side in (first, other))
        found = diff(first, other, python=python, code_version=code_version)
        answer(session, found)
        return 0 if found.same else DIFFERENT

    return for_each(session, others, compare)


def _shown(side: str | Snippet) -> str:
    return side if isinstance(side, str) else "-c"
