"""`coscope explain`: why a program failed; runs it, or reads the traceback that it left."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from coscope.cli.options import common
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.render.schemas import explain as schema


class _TakesCommand(click.Command):
    """A command that takes another one's words after `--`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        own, _, words = _split(args)
        context.meta["coscope.command"] = words
        return super().parse_args(context, own)


def _split(args: list[str]) -> tuple[list[str], bool, tuple[str, ...] | None]:
    if "--" not in args:
        return args, False, None
    at = args.index("--")
    return args[:at], True, tuple(args[at + 1 :])


@click.command(
    "explain",
    cls=_TakesCommand,
    short_help="Why a program failed: which expression, on which values.",
)
@click.argument("file", required=False, metavar="[FILE | -- COMMAND ...]")
@click.option(
    "--record",
    is_flag=True,
    help="With a command: record the run, so that more values and the stores that ran are known.",
)
@click.option(
    "--root",
    "roots",
    multiple=True,
    metavar="FOLDER",
    help="With FILE: where the sources are, if not where the traceback says. May be repeated.",
)
@click.option("--html", is_flag=True, help="The page as HTML.")
@common
@click.pass_context
def command(
    context: click.Context,
    session: Session,
    file: str | None,
    record: bool,
    roots: tuple[str, ...],
    html: bool,
) -> int:
    """Explain why a program failed: in which expression, on which values, and where they came from.

    \b
    coscope explain -- python app.py ...   run it as it is; the page comes on an uncaught exception
    coscope explain ci.log                 explain each traceback in a text, from the sources here
    some-command 2>&1 | coscope explain -  the same, from standard input

    Values are read where that runs nothing of the program: no __repr__, no property. Values under
    names such as password or api_key are not shown.

    Exit status: that of the command; of a text 0 if it holds a traceback, 2 if not.
    """
    words: tuple[str, ...] | None = context.meta["coscope.command"]
    if (words is None) == (file is None):
        raise click.UsageError("Name a FILE with a traceback, or a command after --.")
    if words is not None:
        if roots or html:
            raise click.UsageError("--root and --html are for a FILE.")
        return _run(session, words, record)
    if record:
        raise click.UsageError("--record is for a command.")
    assert file is not None
    return _read(session, file, roots, html)


def _run(session: Session, words: tuple[str, ...], record: bool) -> int:
    from coscope.inside import run

    settings: dict[str, object] = {
        "json": session.json,
        "width": session.width,
        "ascii": session.ascii,
        "plain": session.no_color,
        "record": record,
    }
    done = run(words, "coscope.excepthook", settings)
    for failure in done.failed:
        sys.stderr.write(f"coscope: warning: a process was not explained: {failure}\n")
    if session.json:
        _write_json([each for report in done.reports for each in report["exceptions"]])
    return done.status


def _write_json(exceptions: list[schema.ExplainException]) -> None:
    from coscope.cli.streams import write_text
    from coscope.render.results.explain import document_of_all
    from coscope.render.to_json import to_json

    document = document_of_all([])
    document["exceptions"] = exceptions
    write_text(to_json(document))


def _read(session: Session, file: str, roots: tuple[str, ...], html: bool) -> int:
    from coscope.cli.output import write
    from coscope.cli.streams import write_text
    from coscope.errors import InputError, TargetError
    from coscope.explanations.from_text import explain_text
    from coscope.render.results.explain import document_of_all, sheet
    from coscope.render.to_html import sheet_to_html

    try:
        found = list(explain_text(_text(file), roots or (".",)))
    except InputError as error:
        if file.endswith(".py") and not isinstance(error, TargetError):
            error.hint = f"To run a program: coscope explain -- python {file}"
        raise
    document: Any = document_of_all(found)
    if html:
        write_text(sheet_to_html(sheet(document, session.pen())) + "\n")
    else:
        write(session, document, sheet)
    return 0


_LARGEST = 64 * 2**20  # bytes of a text that are read


def _text(file: str) -> str:
    from coscope.readers.from_source import read_bytes

    data = sys.stdin.buffer.read(_LARGEST) if file == "-" else read_bytes(file)[:_LARGEST]
    return data.decode("utf-8", "replace")
