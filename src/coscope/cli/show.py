"""`coscope show`: the card of a function, the tree of a file."""

from __future__ import annotations

import click

from coscope.cli.options import common, reading
from coscope.cli.session import Session


@click.command("show", short_help="The card of a function, or the tree of a file.")
@reading
@click.option("--fields", is_flag=True, help="Every raw co_* field and function attribute too.")
@common
def command(
    session: Session,
    target: str,
    every: bool,
    python: str | None,
    optimize: int,
    unwrap: bool,
    fields: bool,
) -> None:
    """Show what TARGET really is: the card of a function, or the tree of a file.

    \b
    json:dumps                   a live function; this imports json, and so runs it
    app/orders.py                every code object of a file: compiled, never executed
    app/orders.py::Order.total   one of them, by qualified name
    app/orders.py::<module>      the module's own code
    build/x.cpython-312.pyc      a .pyc of any CPython from 3.8 to 3.15: read, never executed
    """
    from coscope.cli.output import document_of, write
    from coscope.render.sheets import card_sheet

    document = document_of(
        session,
        target,
        python=python,
        optimize=optimize,
        unwrap=unwrap,
        every=every,
        fields=fields,
        whole_file="all" if fields else "none",
    )
    write(session, document, card_sheet)
