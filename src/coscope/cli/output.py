"""From a target to standard output: read, report, lay out, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from coscope.cli.pages import write_sheet
from coscope.cli.progress import Progress
from coscope.cli.session import Session
from coscope.cli.streams import write_text

if TYPE_CHECKING:
    from coscope.cli.options import Reading
    from coscope.render.pages.sheet import Sheet
    from coscope.render.schemas import report as schema
    from coscope.render.text.measured import Pen

Made = TypeVar("Made", bound=Mapping[str, object])  # a document of any command


def document_of(
    given: Reading, *, whole_file: str, fields: bool = False, whole: bool = False
) -> schema.Document:
    """Read the target and make its document.

    Args:
        given: The target, and how to read it.
        whole_file: Which code objects get detail where the target is a file: "all", "first" or
            "none". `file.py::<module>` names the module's own code.
        fields: Raw fields too.
        whole: What no page shows too.
    """
    from coscope.readers import locate
    from coscope.render.document.targets import document_of as made

    meant = locate(
        given.target,
        python=given.python,
        optimize=given.optimize,
        unwrap=given.unwrap,
        code_version=given.code_version,
    )
    detail = whole_file if meant.whole or meant.cls is not None else "first"
    with Progress("code objects") as progress:
        return made(
            meant,
            detail="all" if given.every else detail,
            fields=fields,
            whole=whole,
            progress=progress.advance,
        )


def write(session: Session, document: Made, layout: Callable[[Made, Pen], Sheet]) -> None:
    """Write the document to the file that was asked for; else as JSON, or as a page."""
    if session.output is not None:
        from coscope.cli.saving import save

        save(session, document, layout)
        return
    if session.json:
        from coscope.render.to_json import to_json_chunks

        for chunk in to_json_chunks(document):
            write_text(chunk)
        return
    write_sheet(session, layout(document, session.pen()))


def write_columns(document: Mapping[str, object]) -> None:
    """Write the document as JSON in columns instead of rows."""
    from coscope.render.to_columns import to_columns
    from coscope.render.to_json import to_json

    write_text(to_json(to_columns(document), indent=None))
