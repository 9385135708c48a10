"""`coscope tune`: measure what a change of one function gains."""

from __future__ import annotations

import click

from coscope.cli.options import common
from coscope.cli.session import Session


@click.command("tune", short_help="Measure what a change of one function gains, if anything.")
@click.option("--call", required=True, metavar="EXPRESSION", help="A call of it: 'total(orders)'.")
@click.option("--setup", default="", metavar="CODE", help="Statements before it, run once.")
@click.option(
    "--against",
    metavar="module:name",
    help="Measure this function in its place, instead of what coscope can change itself.",
)
@click.option("--python", metavar="VERSION", help="The CPython to measure on: 3.8 or later.")
@click.option(
    "--rounds",
    type=click.IntRange(min=20, max=1000),
    default=60,
    show_default=True,
    help="Rounds of the measurement.",
)
@click.argument("target", metavar="module:function")
@common
@click.pass_context
def command(
    context: click.Context,
    session: Session,
    target: str,
    call: str,
    setup: str,
    against: str | None,
    python: str | None,
    rounds: int,
) -> None:
    """Measure what changing a function gains: paired, interleaved, with a null run beside it.

    \b
    coscope tune shop:total --call 'total(orders)' --setup 'orders = sample(500)'
    coscope tune shop:total --call 'total(orders)' --against fast:total
    coscope tune shop:total --call 'total(9)' --python 3.10

    The module is imported, and the call run many times, in processes of their own. A gain is
    verified above 2% and above twice the noise of the null run. Nothing is written anywhere.

    Exit status: 0 a change is verified, 1 no change is worth it, 2 bad use or input.
    """
    from coscope.cli.answers import answer
    from coscope.tuner import tune

    session.target = target
    trial = tune(target, call, setup=setup, against=against, python=python, rounds=rounds)
    answer(session, trial)
    if trial.best is None:
        context.exit(1)
