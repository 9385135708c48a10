"""`coscope tune`: measure what a change of one function gains."""

from __future__ import annotations

import click

from coscope.cli.options import common, of_target
from coscope.cli.saving import to_file
from coscope.cli.session import Session


@click.command("tune", short_help="Measure what a change of one function gains, if anything.")
@click.option("--call", metavar="EXPRESSION", help="What runs it: 'total(orders)'.")
@click.option("--setup", default="", metavar="CODE", help="Statements before the call, run once.")
@click.option(
    "--test",
    metavar="COMMAND",
    help="A command that runs it, instead of a call: 'pytest -q tests/test_shop.py'.",
)
@click.option(
    "--against",
    metavar="module:name",
    help="Measure this function in its place, instead of what coscope can change itself.",
)
@click.option(
    "--python", metavar="VERSION", help="The CPython to measure on: a version, a release or a path."
)
@click.option(
    "--rounds",
    type=click.IntRange(min=3, max=1000),
    help="Rounds of each of the 7 processes of a call, 40 if not given; of a test command, which "
    "runs 3 times in each, 12.",
)
@click.argument("target", metavar="module:function", shell_complete=of_target)
@common
@click.pass_context
@to_file
def command(
    context: click.Context,
    session: Session,
    target: str,
    call: str | None,
    setup: str,
    test: str | None,
    against: str | None,
    python: str | None,
    rounds: int | None,
) -> None:
    """Measure what changing a function gains: paired, interleaved, with a null run beside it.

    \b
    coscope tune shop:total --call 'total(orders)' --setup 'orders = sample(500)'
    coscope tune shop:total --call 'total(orders)' --against fast:total
    coscope tune shop:total --call 'total(9)' --python 3.10
    coscope tune shop:total --test 'pytest -q tests/test_shop.py'

    The module is imported, and the call or the command run many times, in processes of their own.
    A gain is verified above 2% and above twice the noise of the null run. What wins is shown as a
    diff. Nothing is written anywhere.

    Exit status: 0 no change is worth it, 1 a change is verified, 2 bad use or input.
    """
    from coscope.cli.answers import answer
    from coscope.cli.progress import Progress
    from coscope.tuner import tune

    session.target = target
    if (call is None) == (test is None):
        raise click.UsageError("Give --call or --test, one of them.")
    if test is not None and (setup or against is not None):
        raise click.UsageError("--setup and --against go with --call only.")
    with Progress("processes") as progress:
        trial = tune(
            target,
            call,
            test=test,
            setup=setup,
            against=against,
            python=python,
            rounds=rounds,
            progress=progress.advance,
        )
    answer(session, trial)
    if trial.kept:
        context.exit(1)
