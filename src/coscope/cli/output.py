"""From a target to standard output: read, report, lay out, write."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from coscope.cli.progress import Progress
from coscope.cli.session import Session
from coscope.cli.streams import write_text
from coscope.errors import TargetError

if TYPE_CHECKING:
    from coscope.model import Function
    from coscope.render.pages.sheet import Sheet
    from coscope.render.text.measured import Pen

Document = dict[str, Any]
Layout = Callable[[Document, "Pen"], "Sheet"]

_MODULE = "::<module>"


def document_of(
    session: Session,
    target: str,
    *,
    python: str | None,
    optimize: int,
    unwrap: bool,
    every: bool,
    whole_file: str,
    fields: bool = False,
) -> Document:
    """Read the target and make its document.

    Args:
        whole_file: Which code objects get detail where the target is a file: "all", "first" or
            "none". `file.py::<module>` names the module's own code.
    """
    from coscope.render.document.report import report

    own_code = target.endswith(_MODULE)
    function = _read(target.removesuffix(_MODULE), python, optimize, unwrap)
    detail = whole_file if _is_file(function) and not own_code else "first"
    with Progress("code objects") as progress:
        return report(
            function,
            target=target,
            detail="all" if every else detail,
            fields=fields,
            progress=progress.advance,
        )


def _read(target: str, python: str | None, optimize: int, unwrap: bool) -> Function:
    from coscope.readers import read, select

    if not optimize:
        return read(target, python=python, unwrap=unwrap)
    from coscope.readers.targets import read_file

    path, _, qualname = target.partition("::")
    if not path.endswith((".py", ".pyw", ".pyi")):
        raise TargetError(
            f"{target} cannot be compiled with --optimize {optimize}", expected="a source file"
        )
    module = read_file(path, python=python, optimize=optimize)
    return select(module, qualname) if qualname else module


def _is_file(function: Function) -> bool:
    return not function.live and function.code.kind == "module"


def write(session: Session, document: Document, layout: Layout) -> None:
    """Write the document as JSON, or as a page."""
    if session.json:
        from coscope.render.to_json import to_json

        write_text(to_json(document))
        return
    write_sheet(session, layout(document, session.pen()))


def write_sheet(session: Session, sheet: Sheet) -> None:
    """Write a page, or a part of one, in colours if they are wanted."""
    if session.colours():
        from coscope.render.to_terminal import to_terminal

        to_terminal(sheet, sys.stdout)
    else:
        write_text(str(sheet))
