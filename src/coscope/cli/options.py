"""The options that every command takes, and those that most take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.readers import Snippet

Command = Callable[..., Any]

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

python_option = click.option(
    "--python",
    metavar="VERSION",
    help="Compile a source file by another interpreter: a version, a release or a path.",
)
unwrap_option = click.option(
    "--unwrap", is_flag=True, help="Follow __wrapped__ of decorated functions."
)

code_version_option = click.option(
    "--code-version",
    metavar="VERSION",
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
        for name in ("json", "no_color", "width", "ascii", "debug"):
            setattr(session, name, given.pop(name))
        given = {name: _unshielded(value) for name, value in given.items()}
        session.target = given.get("target")
        if "source" in given:
            source = given.pop("source")
            session.target = given["target"] if source is None else "-c"
            given["target"] = _target(given["target"], source)
        return command(session, **given)

    for option in reversed(_COMMON):
        run = option(run)
    return run


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


def targeted(command: Command) -> Command:
    """Add TARGET, and -c, which takes its place."""
    for option in (
        click.option(
            "-c",
            "source",
            metavar="CODE",
            help="Source text instead of a file; TARGET, if given, names code in it: ::name.",
        ),
        click.argument("target", required=False),
    ):
        command = option(command)
    return command


def reading(command: Command) -> Command:
    """Add the target and the options that say how it is read; the command gets one `Reading`."""

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
    return targeted(made)
