"""The command group: loads a command when it is asked for, and reports every failure."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from coscope.cli import failures, paging
from coscope.cli.manual import Manual
from coscope.cli.options import global_options, shielded, take
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
    "trust",
    "rule",
    "explain-opcode",
    "completion",
    "report",
    "patch",
    "tune",
    "corpus",
    "explain",
    "serve",
    "coverage",
    "attach",
    "mcp",
)  # each is `command` in the module of its name, with _ for -

VARIABLE = "_COSCOPE_COMPLETE"  # in the environment: a shell asks what it can complete


class Group(click.Group):
    """A group whose commands are modules, and which never ends in a traceback."""

    context_class = Manual

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"coscope.cli.{name.replace('-', '_')}").command
        command.context_class = Manual
        for each in getattr(command, "commands", {}).values():
            each.context_class = Manual
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        args = shielded(args)
        word = args[0].strip()
        if word in COMMANDS:
            return super().resolve_command(context, args)
        if _is_target(word):  # `coscope json.dumps` shows it
            return "show", self.get_command(context, "show"), args
        raise click.UsageError(_no_command(word), context)

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
        if VARIABLE in os.environ:  # a shell asks: bash gets coscope's own answers
            import_module("coscope.cli.completion")
        try:
            status = super().main(words, name, complete, standalone_mode=False, **extra)
            sys.stdout.flush()
        except (click.Abort, KeyboardInterrupt):
            return failures.INTERRUPTED
        except click.exceptions.NoArgsIsHelpError as error:  # the bare name of a group
            click.echo(error.format_message())
            return 0
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx is not None else "coscope"
            return failures.usage(error.format_message(), path)
        except BrokenPipeError:
            reader_left()
            return 0
        except Exception as error:
            return failures.tell(error, session)
        finally:
            paging.end()
        return status if isinstance(status, int) else 0


def _is_target(word: str) -> bool:
    """True for a word that no command is called by, and that has the form of a target.

    A bare word has not, though a module may have that name: a mistyped command must not run code.
    """
    return word == "-" or any(sign in word for sign in ".:/\\") or os.path.isfile(word)


def _no_command(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS)
    text = f"There is no command {word!r}."
    if near:
        text += f" Did you mean {' or '.join(near)}?"
    if word.isidentifier() and _is_module(word):
        text += f" To show the module {word}, write 'coscope show {word}'."
    return text


def _is_module(name: str) -> bool:
    """True if a module of that name is found; it is not imported."""
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


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
@global_options
@click.pass_context
def coscope(context: click.Context, /, **given: Any) -> None:
    """Show what a Python function really is.

    A TARGET is a live object (json:dumps, json.dumps), a source file (app/orders.py), a compiled
    file (x.pyc, of CPython 3.8 to 3.15), one code object of a file (app/orders.py::Order.total, or
    app/orders.py:12 by a line that it covers), or - for source on standard input. Files are
    compiled, never executed or imported; a module's name imports it, and so runs it.

    "coscope TARGET" is "coscope show TARGET". The options below are taken before and after a
    command's name.

    Exit status: 0 done; 1 something was found (a difference, a call that is refused, a violation);
    2 bad use or input.
    """
    take(context.ensure_object(Session), given)
