"""One command over several targets: an answer for each, and one that fails keeps none from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from coscope.cli.failures import tell
from coscope.cli.session import Session
from coscope.cli.streams import write_text

if TYPE_CHECKING:
    from coscope.readers import Snippet


def for_each(
    session: Session,
    targets: Sequence[str | Snippet],
    command: Callable[[str | Snippet], object],
) -> int:
    """Run a command for each target, and return the worst exit status.

    The answers are pages with an empty line between them; with --json they are one list of
    documents, where a target that cannot be read has the document of its error.
    """
    alone = len(targets) == 1
    worst = 0
    for at, target in enumerate(targets):
        session.target = target if isinstance(target, str) else "-c"
        if not alone:
            write_text(("[\n" if at == 0 else ",\n") if session.json else "\n" if at else "")
        try:
            status = command(target)
        except (BrokenPipeError, click.ClickException):
            raise
        except Exception as error:
            if alone:
                raise
            status = tell(error, session)
        worst = max(worst, status if isinstance(status, int) else 0)
    if session.json and not alone:
        write_text("]\n")
    return worst
