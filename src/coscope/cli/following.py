"""Commands that run another one, whose words follow after `--`."""

from __future__ import annotations

import click

_KEY = "coscope.command"


class TakesCommand(click.Command):
    """A command that takes another one's words after `--`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            context.meta[_KEY] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(context, args)


def command_of(context: click.Context) -> tuple[str, ...] | None:
    """The words after `--`; None if there was none."""
    found: tuple[str, ...] | None = context.meta.get(_KEY)
    return found
