"""`-o FILE` and `--open`: an answer as a file, in the form that its ending names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.render.pages.sheet import Sheet
    from coscope.render.text.measured import Pen

Command = Callable[..., Any]


def to_file(command: Command) -> Command:
    """Add -o and --open; what the command writes then goes there."""

    @wraps(command)
    def run(session: Session, *words: Any, **given: Any) -> Any:
        from coscope.render.saving import form_of

        name, session.opens = given.pop("output"), given.pop("opens")
        if name is None and session.opens:
            name = _temporary()
        if name is not None:
            if session.output is not None:
                raise click.UsageError("-o and --open take the answer of one TARGET.")
            session.command = click.get_current_context().info_name or ""
            session.form = form_of(session.command, name)
            session.json = session.form == "json"
            session.output = name
        return command(session, *words, **given)

    for option in (
        click.option("--open", "opens", is_flag=True, help="Look at the answer in the browser."),
        click.option(
            "-o",
            "--output",
            "output",
            metavar="FILE",
            help="Write to FILE: .html, .svg, .md, .json or .txt says how.",
        ),
    ):
        run = option(run)
    return run


def save(
    session: Session, document: Mapping[str, Any], layout: Callable[[Any, Pen], Sheet]
) -> None:
    """Write a document to the file that was asked for, and open it if that was.

    Raises:
        InputError: The file cannot be written.
    """
    from coscope.errors import InputError
    from coscope.render.saving import saved
    from coscope.render.text.measured import Pen

    name = session.output or ""
    pen = Pen(session.width or 100, session.ascii)
    text = saved(session.command, session.form, document, layout, pen)
    try:
        with open(name, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"cannot write the file: {error.strerror}", file=name) from error
    click.echo(f"written: {name}", err=True)
    if session.opens:
        show_file(name)


def show_file(name: str) -> None:
    """Open a file in the browser; without one the name is all that is said."""
    import webbrowser
    from pathlib import Path

    address = Path(os.path.abspath(name)).as_uri()
    if not webbrowser.open(address):
        click.echo(f"no browser found; open {address}", err=True)


def _temporary() -> str:
    """A file that is kept: the browser reads it when this process is gone."""
    import tempfile

    handle, name = tempfile.mkstemp(prefix="coscope-", suffix=".html")
    os.close(handle)
    return name
