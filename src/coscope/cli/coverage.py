"""`coscope coverage`: which expressions on executed lines never ran."""

from __future__ import annotations

import sys

import click

from coscope.cli.following import TakesCommand, command_of
from coscope.cli.options import common
from coscope.cli.session import Session


@click.command(
    "coverage",
    cls=TakesCommand,
    short_help="Which expressions on executed lines never ran.",
    options_metavar="[OPTIONS] -- COMMAND ...",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="PATH",
    help="Folder or file that is measured; the current folder, if not given. May be repeated.",
)
@click.option("--html", metavar="FILE", help="Write a page with the sources.")
@click.option("--lcov", metavar="FILE", help="Write LCOV, expressions as branches.")
@click.option("--coverage-json", metavar="FILE", help="Write the JSON of coverage.py.")
@common
@click.pass_context
def command(
    context: click.Context,
    session: Session,
    sources: tuple[str, ...],
    html: str | None,
    lcov: str | None,
    coverage_json: str | None,
) -> int:
    """Run a command, and report the expressions that never ran on lines that did.

    \b
    coscope coverage -- pytest -q
    coscope coverage --source src --html covered.html -- python app.py
    coscope coverage -- coverage run app.py    together with coverage.py

    The right side of an `and`, a branch of a conditional, the filter of a comprehension, the body
    of a lambda. It needs sys.monitoring, which notes each instruction once and then is silent.

    Exit status: that of the command.
    """
    from coscope.coverage import measured
    from coscope.inside import run
    from coscope.render.results import document_of, sheet_of

    words = command_of(context)
    if words is None:
        raise click.UsageError("Write the command after --: coscope coverage -- pytest -q")
    _refuse_without_monitoring()
    settings: dict[str, object] = {"sources": list(sources or ("."))}
    done = run(words, "coscope.coverage.watching", settings)
    found = measured(done.reports, done.status, done.failed)
    from coscope.cli.output import write
    from coscope.render.to_coverage import to_coverage_json, to_html, to_lcov

    for path, form in ((html, to_html), (lcov, to_lcov), (coverage_json, to_coverage_json)):
        if path is not None:
            _save(path, form(found))
    write(session, document_of(found), lambda document, pen: sheet_of(found, document, pen))
    return done.status


def _refuse_without_monitoring() -> None:
    from coscope.errors import InterpreterError
    from coscope.readers.from_function import HOST_RELEASE

    if not hasattr(sys, "monitoring"):
        raise InterpreterError(
            "expression coverage needs sys.monitoring, which this CPython does not have",
            found=f"CPython {HOST_RELEASE}",
            hint="Install coscope for a later CPython, and run it there.",
        )


def _save(path: str, text: str) -> None:
    from coscope.errors import InputError

    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"cannot write: {error.strerror}", file=path) from error
