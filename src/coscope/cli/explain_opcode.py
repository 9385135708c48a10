"""`coscope explain-opcode`: what an opcode does, in plain words."""

from __future__ import annotations

import click

from coscope.cli.options import common, completer
from coscope.cli.saving import to_file
from coscope.cli.session import Session


@click.command("explain-opcode", short_help="What an opcode does; without NAME all opcodes.")
@click.argument("name", required=False, shell_complete=completer("of_opcode"))
@click.option(
    "--code-version",
    metavar="VERSION",
    help="As in this CPython; all versions, if not given.",
)
@common
@to_file
def command(session: Session, name: str | None, code_version: str | None) -> None:
    """Explain the opcode NAME, as in "coscope explain-opcode LOAD_ATTR".

    A sentence, what it takes from the stack and leaves there, what its argument means, since
    which CPython it exists, where versions differ, and the forms that the interpreter specialises
    it to. Without NAME, list all opcodes.

    Exit status: 0 explained, 2 there is no such opcode.
    """
    from coscope.cli.output import write
    from coscope.opcodes.sentences import explain_opcode, names
    from coscope.render.results.explain_opcode import document, sheet

    session.target = name or ""
    if name is not None:
        write(session, document(explain_opcode(name, code_version)), sheet)
        return
    every = (explain_opcode(each, code_version) for each in names(code_version))
    write(session, document(every, ""), sheet)
