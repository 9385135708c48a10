"""`coscope call`: how a call binds, and with --trace what it executes."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import click

from coscope.cli.options import code_option, common, of_target, unwrap_option
from coscope.cli.saving import to_file
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.readers import Snippet

REJECTED = 1  # exit status: CPython refuses the call
OPEN = 3  # exit status: only running code can tell


class _TakesNumbers(click.Command):
    """A command whose arguments may begin with a minus: `-1, 2` is not an option."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        args = [f" {arg}" if re.match(r"-[\d.(]", arg) else arg for arg in args]
        return super().parse_args(context, args)


@click.command("call", cls=_TakesNumbers, short_help="How a call binds; --trace runs it.")
@click.argument("words", nargs=-1, metavar="TARGET [ARGUMENTS]", shell_complete=of_target)
@code_option
@click.option("--trace", "run", is_flag=True, help="Run it, and show every instruction executed.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    metavar="COUNT",
    help="With --trace: lines to keep; the function is stopped when they are used up. 1000.",
)
@click.option("--deep", is_flag=True, help="With --trace: nested code too.")
@unwrap_option
@click.option(
    "--python",
    metavar="VERSION",
    help="Compile a source file by another interpreter of this machine, and use its words.",
)
@common
@to_file
def command(
    session: Session,
    words: tuple[str, ...],
    source: str | None,
    run: bool,
    steps: int | None,
    deep: bool,
    unwrap: bool,
    python: str | None,
) -> int:
    """Explain how the call TARGET(ARGUMENTS) binds, or which TypeError it raises and why.

    \b
    coscope call json:dumps '{"a": [1, 2]}, indent=2'
    coscope call json:dumps '1, 2'
    coscope call textwrap:shorten '"some text", 5' --trace

    ARGUMENTS are what is between the parentheses, in quotes for the shell: literals, names
    with =, *[...] and **{...}. They are never evaluated. Nothing is called, except with --trace;
    a dotted target imports its module.

    Wrappers that hand *args and **kwargs on are followed to the innermost function.

    Exit status: 0 the call binds, 1 CPython refuses it, 2 bad input, 3 only running it can decide.
    """
    from coscope.cli.answers import answer
    from coscope.cli.arguments import literals

    if not run and (steps is not None or deep):
        raise click.UsageError("--steps and --deep need --trace.")
    if run and python is not None:
        raise click.UsageError("--trace runs in this interpreter, so --python has no meaning.")
    target, arguments = _target(words, source)
    session.target = target if isinstance(target, str) else "-c"
    given = literals(arguments)
    if not run:
        from coscope.facts.calls.binding import explain

        binding = explain(target, given.positional, given.keywords, unwrap=unwrap, python=python)
        answer(session, binding)
        return _STATUS[binding.outcome]
    from coscope.cli.failures import INTERRUPTED
    from coscope.facts.calls.tracing import STEPS, trace

    with redirect_stdout(sys.stderr):  # what the function prints is not part of the answer
        found = trace(
            target,
            given.positional,
            given.keywords,
            steps=steps or STEPS,
            deep=deep,
            unwrap=unwrap,
        )
    answer(session, found)
    if found.value is not None and found.value.type_name == "KeyboardInterrupt":
        return INTERRUPTED
    return REJECTED if found.outcome == "refused" else 0


def _target(words: tuple[str, ...], source: str | None) -> tuple[str | Snippet, str]:
    """What is called, and with what: `TARGET ARGUMENTS`, or behind -c `::name ARGUMENTS`."""
    if source is None:
        if not 1 <= len(words) <= 2:
            raise click.UsageError("Give TARGET, and ARGUMENTS as one word, in quotes.")
        return words[0], words[1] if len(words) == 2 else ""
    from coscope.readers import Snippet

    part, *rest = words if words and words[0].startswith("::") else ("", *words)
    if len(rest) > 1:
        raise click.UsageError("Give ::name, and ARGUMENTS as one word, in quotes.")
    return Snippet(source, "<string>", part.removeprefix("::")), rest[0] if rest else ""


_STATUS = {"binds": 0, "raises": REJECTED, "if": OPEN}
