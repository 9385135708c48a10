"""`coscope depends`: what a function reads, writes, deletes and imports, and from where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coscope.cli.answers import answer
from coscope.cli.options import code_version_option, common, python_option, targeted, unwrap_option
from coscope.cli.saving import to_file
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.readers import Snippet


@click.command("depends", short_help="What it reads, writes, deletes and imports, and from where.")
@click.option("--transitive", is_flag=True, help="Look into helper functions and classes too.")
@click.option(
    "--libraries",
    is_flag=True,
    help="With --transitive: enter the standard library and installed packages too.",
)
@unwrap_option
@python_option
@code_version_option
@targeted
@common
@to_file
def command(
    session: Session,
    target: str | Snippet,
    transitive: bool,
    libraries: bool,
    unwrap: bool,
    python: str | None,
    code_version: str | None,
) -> None:
    """List what TARGET depends on, and by which path.

    Nothing of it is called. Code nested in it is always looked into. A live target (json:dumps) is
    imported, and its names are resolved to objects; for a file, which is never executed, only the
    names are listed.

    Exit status: 0 listed, 2 bad use or input.
    """
    from coscope.facts.dependencies.depends import depends

    found = depends(
        target,
        transitive=transitive,
        libraries=libraries,
        python=python,
        unwrap=unwrap,
        code_version=code_version,
    )
    answer(session, found)
