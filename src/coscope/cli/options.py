"""The options that every command takes, and those that most take."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from coscope.cli.session import Session

Command = Callable[..., object]

_COMMON = (
    click.option("--json", is_flag=True, help="The JSON document instead of text."),
    click.option("--no-color", is_flag=True, help="No colours. NO_COLOR in the environment too."),
    click.option(
        "--width",
        type=click.IntRange(min=60),
        metavar="CELLS",
        help="Width of the page; the terminal's, or 100 in a pipe, if not given.",
    ),
    click.option("--ascii", is_flag=True, help="Nothing but ASCII."),
    click.option("--debug", is_flag=True, help="After an error, coscope's own traceback."),
)


def common(command: Command) -> Command:
    """Add the options of every command; the command gets them as one `Session`."""

    @click.pass_context
    @wraps(command)
    def run(context: click.Context, /, **given: Any) -> Any:
        session = context.ensure_object(Session)
        for name in ("json", "no_color", "width", "ascii", "debug"):
            setattr(session, name, given.pop(name))
        session.target = given.get("target")
        return command(session, **given)

    for option in reversed(_COMMON):
        run = option(run)
    return run


def reading(command: Command) -> Command:
    """Add the target and the options that say how it is read."""
    for option in (
        click.option("--unwrap", is_flag=True, help="Follow __wrapped__ of decorated functions."),
        click.option(
            "--python",
            metavar="VERSION",
            help="Compile a source file by another interpreter: a version, a release or a path.",
        ),
        click.option(
            "--optimize",
            type=click.IntRange(0, 2),
            default=0,
            metavar="0|1|2",
            help="Compile a source file as python, python -O or python -OO would.",
        ),
        click.option(
            "--all", "every", is_flag=True, help="Every code object inside too, one by one."
        ),
        click.argument("target"),
    ):
        command = option(command)
    return command
