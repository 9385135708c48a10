"""`coscope attach`: a look into a running process."""

from __future__ import annotations

import click

from coscope.cli.options import common
from coscope.cli.session import Session


@click.command("attach", short_help="A look into a running process: threads, stacks, code.")
@click.argument("pid", type=click.IntRange(min=1))
@click.argument("target", required=False, metavar="[MODULE:FUNCTION]")
@click.option("--hot", is_flag=True, help="The functions with most specialized instructions.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.01, max=3600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait until the process comes to Python code.",
)
@common
def command(session: Session, pid: int, target: str | None, hot: bool, timeout: float) -> None:
    """Show where the threads of process PID are, or what became of one of its functions.

    \b
    coscope attach 4711                 each thread: frames, the expression, the stack, locals
    coscope attach 4711 app:handler     specialised instructions and closure cells of a function
    coscope attach 4711 --hot           which functions are warm

    Nothing is installed in the process, nothing of it is called, and nothing is left behind. It has
    to run CPython of the same minor version, with sys.remote_exec (PEP 768), and you need the
    permission to trace it.

    Exit status: 0 shown, 2 bad use, or the process could not be looked into.
    """
    from coscope.attachment import attach
    from coscope.cli.answers import answer

    if hot and target is not None:
        raise click.UsageError("Name a function or give --hot, not both.")
    answer(session, attach(pid, "--hot" if hot else target, timeout=timeout))
