"""The command group: loads a command when it is asked for, and reports every failure."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from coscope.cli import failures
from coscope.cli.options import shielded
from coscope.cli.session import Session
from coscope.cli.streams import open_streams, reader_left

COMMANDS = (
    "show",
    "dis",
    "graph",
    "depends",
    "closure",
    "capture",
    "call",
    "signature",
    "fingerprint",
    "diff",
    "verify",
    "audit",
    "rule",
    "explain-opcode",
    "patch",
    "tune",
    "corpus",
)  # each is `command` in the module of its name, with _ for -


class Group(click.Group):
    """A group whose commands are modules, and which never ends in a traceback."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"coscope.cli.{name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(context, shielded(args))

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except BrokenPipeError:  # click would leave with status 1, which has a meaning here
            reader_left()
            return 0

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: object,
    ) -> Any:
        """Run, and leave with the exit status; with `standalone_mode=False` click's own way."""
        name = prog_name or "coscope"
        if not standalone_mode:
            return super().main(args, name, complete_var, standalone_mode=False, **extra)
        words = list(sys.argv[1:] if args is None else args)
        open_streams()
        sys.exit(self._status(words, name, complete_var, **extra))

    def _status(self, words: list[str], name: str, complete: str | None, **extra: object) -> int:
        session = Session(json="--json" in words, debug="--debug" in words)
        if session.json:  # before a target is imported: it may replace what this uses
            import_module("coscope.render.to_json")
        extra["obj"] = session
        try:
            status = super().main(words, name, complete, standalone_mode=False, **extra)
            sys.stdout.flush()
        except (click.Abort, KeyboardInterrupt):
            return failures.INTERRUPTED
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx is not None else "coscope"
            return failures.usage(error.format_message(), path)
        except BrokenPipeError:
            reader_left()
            return 0
        except Exception as error:
            return failures.tell(error, session)
        return status if isinstance(status, int) else 0


def _version(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked:
        package = sys.modules[__name__.partition(".")[0]]
        click.echo(f"coscope {vars(package)['__version__']}")
        context.exit()


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Version."
)
def coscope() -> None:
    """Show what a Python function really is.

    A TARGET is a live object (json:dumps, json.dumps), a source file (app/orders.py), a compiled
    file (x.pyc, of CPython 3.8 to 3.15), one code object of a file (app/orders.py::Order.total, or
    app/orders.py:12 by a line that it covers), or - for source on standard input. Files are
    compiled, never executed or imported; a module's name imports it, and so runs it.

    Exit status: 0 done; 1 something was found (a difference, a call that is refused, a violation);
    2 bad use or input.
    """
