"""`coscope signature`: what a callable reports, and what its code really accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coscope.cli.answers import answer
from coscope.cli.options import common, python_option, targeted
from coscope.cli.saving import to_file
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.readers import Snippet

DIFFERS = 1  # exit status: a call is found that one side admits and the other rejects


@click.command("signature", short_help="Reported and real signature, through each wrapper.")
@python_option
@targeted
@common
@to_file
def command(session: Session, target: str | Snippet, python: str | None) -> int:
    """Show the signature that TARGET reports beside the one by which its code binds a call.

    Nothing of it is called. A live target (json:dumps) is imported; its wrappers are followed by
    what their bytecode calls. Of a file, which is never executed, the parameters alone are known.

    Exit status: 0 no call is found on which they differ, 1 such calls are found, 2 bad input.
    """
    from coscope.facts.signatures.signatures import signature

    found = signature(target, python=python)
    answer(session, found)
    return 0 if found.agree else DIFFERS
