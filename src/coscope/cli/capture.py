"""`coscope capture`: what travels with a function when it is shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coscope.cli.answers import answer
from coscope.cli.options import common, targeted
from coscope.cli.saving import to_file
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.readers import Snippet

STAYS = 1  # exit status


@click.command("capture", short_help="What travels with it when it is shipped: size, picklability.")
@click.option(
    "--pickle",
    "tries",
    is_flag=True,
    help="Pickle it to see. This runs the __reduce__ and __getstate__ of what it captures.",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for sizes, verdicts and the search for a culprit together.",
)
@targeted
@common
@to_file
def command(session: Session, target: str | Snippet, tries: bool, budget: float) -> int:
    """Show what travels with TARGET to Dask, Ray, Spark or another process.

    \b
    coscope capture app.jobs:task            sizes, and what the tools will likely say
    coscope capture app.jobs:task --pickle   what pickle and cloudpickle do say

    TARGET is live: its module is imported. Nothing of what it captures runs, except with --pickle.

    Exit status: 0 a tool takes it, or may; 1 it cannot travel, neither pickle nor cloudpickle
    takes it; 2 bad use or input.
    """
    from coscope.cli.progress import Progress
    from coscope.facts.shipping.captures import capture

    with Progress("milliseconds") as progress:
        found = capture(target, pickle=tries, budget=budget, progress=progress.advance)
    answer(session, found)
    return STAYS if found.stays else 0
