"""The options that every command takes, and those that most take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from coscope.cli.session import Session
from coscope.cli.several import for_each

if TYPE_CHECKING:
    from coscope.readers import Snippet

Command = Callable[..., Any]


def _legend(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """Explain the page of the command, and leave."""
    if not asked or context.resilient_parsing:
        return
    from coscope.cli.pages import write_sheet
    from coscope.render.pages.legend import legend_sheet

    session = context.ensure_object(Session)
    write_sheet(session, legend_sheet(context.info_name or "", session.pen()))
    context.exit()


Completer = Callable[[click.Context, click.Parameter, str], Any]


def completer(name: str) -> Completer:
    """A function of `completing`, which is imported when a shell asks."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> Any:
        from coscope.cli import completing

        return getattr(completing, name)(context, parameter, incomplete)

    return complete


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
    click.option("--no-pager", is_flag=True, help="Never a pager: write to the terminal at once."),
    click.option(
        "--legend",
        is_flag=True,
        expose_value=False,
        callback=_legend,
        is_eager=True,
        help="What each heading and label of the page means.",
    ),
    click.option("--debug", is_flag=True, help="After an error, coscope's own traceback."),
)

_NAMES = ("json", "no_color", "width", "ascii", "no_pager", "debug")

python_option = click.option(
    "--python",
    metavar="VERSION",
    shell_complete=completer("of_version"),
    help="Compile a source file by another interpreter: a version, a release or a path.",
)
unwrap_option = click.option(
    "--unwrap", is_flag=True, help="Follow __wrapped__ of decorated functions."
)

code_version_option = click.option(
    "--code-version",
    metavar="VERSION",
    shell_complete=completer("of_version"),
    help="The file is a code object without a header, as PyInstaller leaves them, of this CPython.",
)

_SHIELD = " "  # before a word such as `-::f`, which click would take for options


@dataclass(frozen=True, slots=True)
class Reading:
    """A target, and how it is to be read."""

    target: str | Snippet
    every: bool  # all code objects inside of it too
    python: str | None  # a version, or the path of an interpreter
    optimize: int  # 0, 1 or 2
    unwrap: bool
    code_version: str | None  # of a code object without a header


def common(command: Command) -> Command:
    """Add the options of every command; the command gets them as one `Session`."""

    @click.pass_context
    @wraps(command)
    def run(context: click.Context, /, **given: Any) -> Any:
        session = context.ensure_object(Session)
        take(session, {name: given.pop(name) for name in _NAMES}, more=True)
        given = {name: _unshielded(value) for name, value in given.items()}
        if "targets_or_code" in given:
            targets = _targets(given.pop("targets_or_code"), given.pop("source"))
            return for_each(
                session, targets, lambda target: command(session, target=target, **given)
            )
        session.target = given.get("target")
        if "source" in given and "target" in given:
            source = given.pop("source")
            session.target = given["target"] if source is None else "-c"
            given["target"] = _target(given["target"], source)
        return command(session, **given)

    return global_options(run)


def global_options(command: Command) -> Command:
    """Add the options of every command, which are taken before its name too."""
    for option in reversed(_COMMON):
        command = option(command)
    return command


def take(session: Session, given: dict[str, Any], *, more: bool = False) -> None:
    """Set the options of every command.

    Args:
        session: Where to.
        given: Their values, by name.
        more: What was given before the command's name holds where `given` says nothing.
    """
    for name, value in given.items():
        kept = getattr(session, name) if more else None
        setattr(session, name, value or kept or value)


def shielded(words: list[str]) -> list[str]:
    """The words of a command line, with those that name code on standard input kept from click."""
    return [_SHIELD + word if word.startswith("-:") else word for word in words]


def _unshielded(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_unshielded, value))
    if isinstance(value, str) and value.startswith(f"{_SHIELD}-:"):
        return value[len(_SHIELD) :]
    return value


def _target(target: str | None, source: str | None) -> str | Snippet:
    """What TARGET and -c name together."""
    if source is None:
        if target is None:
            raise click.UsageError("Missing argument 'TARGET'.")
        return target
    from coscope.readers import Snippet

    return Snippet(source, "<string>", (target or "").removeprefix("::"))


def _targets(targets: tuple[str, ...], source: str | None) -> list[str | Snippet]:
    """What the TARGETs and -c name together."""
    return [_target(target, source) for target in targets or (None,)]


code_option = click.option(
    "-c",
    "source",
    metavar="CODE",
    help="Source text instead of a file; TARGET, if given, names code in it: ::name.",
)


of_target = completer("of_target")


def targeted(command: Command) -> Command:
    """Add TARGET, and -c, which takes its place."""
    return code_option(click.argument("target", required=False, shell_complete=of_target)(command))


def targeted_each(command: Command) -> Command:
    """Add TARGETs, and -c; `common` calls the command with each `target` in turn."""
    argument = click.argument(
        "targets_or_code", nargs=-1, metavar="TARGET...", shell_complete=of_target
    )
    return code_option(argument(command))


def reading(command: Command) -> Command:
    """Add TARGETs and the options that say how they are read; the command gets each `Reading`."""

    @wraps(command)
    def run(session: Session, **given: Any) -> Any:
        names = ("target", "every", "python", "optimize", "unwrap", "code_version")
        return command(session, Reading(*(given.pop(name) for name in names)), **given)

    made: Command = common(run)
    for option in (
        code_version_option,
        unwrap_option,
        python_option,
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
    ):
        made = option(made)
    return targeted_each(made)
