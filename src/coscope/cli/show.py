"""`coscope show`: the card of a function, the tree of a file."""

from __future__ import annotations

import click

from coscope.cli.options import Reading, reading
from coscope.cli.saving import to_file
from coscope.cli.session import Session


@click.command("show", short_help="The card of a function, or the tree of a file.")
@reading
@click.option("--fields", is_flag=True, help="Every raw co_* field and function attribute too.")
@click.option("--columns", is_flag=True, help="JSON in columns: a fifth of the size of --json.")
@click.option(
    "--warm",
    metavar="COMMAND",
    help="Run COMMAND with coscope inside, and show what the interpreter made of each instruction.",
)
@to_file
def command(
    session: Session, given: Reading, fields: bool, columns: bool, warm: str | None
) -> None:
    """Show what TARGET really is: the card of a function, or the tree of a file.

    \b
    json:dumps                   a live function; this imports json, and so runs it
    app/orders.py                every code object of a file: compiled, never executed
    app/orders.py::Order.total   one of them, by qualified name
    app/orders.py::<module>      the module's own code
    build/x.cpython-312.pyc      a .pyc of any CPython from 3.8 to 3.15: read, never executed

    With --warm 'pytest -q' the function is shown as it is when the command ends: beside each
    instruction the form that it was specialised to, or for how long it stayed generic, and why.

    Exit status: 0 shown, 2 bad use or input; of several TARGETs, the worst.
    """
    from coscope.cli.output import document_of, write, write_columns
    from coscope.render.pages.sheets import card_sheet

    if warm is not None:
        from coscope.cli.show_warm import warm_document

        if given.optimize:
            raise click.UsageError("--optimize compiles a file, --warm shows what a command ran.")
        if not isinstance(given.target, str):
            raise click.UsageError("-c is text that no command runs: --warm needs a TARGET.")
        document = warm_document(
            session,
            given.target,
            warm,
            python=given.python,
            unwrap=given.unwrap,
            every=given.every,
            fields=fields,
        )
    else:
        document = document_of(
            given,
            fields=fields,
            whole_file="all" if fields else "none",
            whole=session.json or columns,
        )
    if columns:
        write_columns(document)
    else:
        write(session, document, card_sheet)
