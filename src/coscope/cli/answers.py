"""From a result of `facts/` to standard output."""

from __future__ import annotations

from coscope.cli.output import write
from coscope.cli.session import Session
from coscope.result import Result


def answer(session: Session, result: Result) -> None:
    """Write a result as JSON, or as a page."""
    from coscope.render.results import document_of, sheet_of

    write(session, document_of(result), lambda document, pen: sheet_of(result, document, pen))
