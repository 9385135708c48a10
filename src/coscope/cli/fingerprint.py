"""`coscope fingerprint`: one text that stays while the behaviour does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from coscope.cli.options import code_version_option, common, python_option, targeted
from coscope.cli.saving import to_file
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.readers import Snippet


@click.command("fingerprint", short_help="One text that changes when the behaviour can change.")
@click.option("--explain", is_flag=True, help="Everything that went into it, with the paths.")
@click.option("--docstrings", is_flag=True, help="Let docstrings count.")
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Report what changed since a fingerprint kept with --json; exit 1 if anything did.",
)
@python_option
@code_version_option
@targeted
@common
@click.pass_context
@to_file
def command(
    context: click.Context,
    session: Session,
    target: str | Snippet,
    explain: bool,
    docstrings: bool,
    since: str | None,
    python: str | None,
    code_version: str | None,
) -> None:
    """Hash the behaviour of TARGET: the hash changes whenever the behaviour might.

    It stays the same across processes, hash seeds, paths, line moves, comments and docstrings. It
    changes with code, constants, defaults, cells, the globals that are read, and the helpers,
    classes and library versions behind them. What has no hash of its content is listed.

    Nothing of TARGET is called. A live target (json:dumps) is imported; for a file, which is never
    executed, only the code counts.

    Exit status: 0 hashed, 1 something changed since the FILE of --since, 2 bad use or input.
    """
    from coscope.cli.output import write
    from coscope.facts.fingerprints.fingerprints import fingerprint
    from coscope.render.results import fingerprint as page

    found = fingerprint(target, docstrings=docstrings, python=python, code_version=code_version)
    document = page.document(found)
    if since is not None:
        document = page.with_changes(document, _kept(since).explain(found))
    write(session, document, page.explained if explain else page.sheet)
    if document["changes"]:
        context.exit(1)


def _kept(path: str) -> Any:
    """The fingerprint in a file that `--json` wrote."""
    import json
    from pathlib import Path

    from coscope.errors import InputError
    from coscope.facts.fingerprints.fingerprints import from_document

    try:
        return from_document(json.loads(Path(path).read_text(encoding="utf-8")))
    except ValueError as error:
        raise InputError(f"this is not JSON: {error}", file=path) from error
