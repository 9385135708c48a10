"""`coscope rule`: what a rule says, why, and an example; without a code, all rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coscope.cli.options import common, completer
from coscope.cli.saving import to_file
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.errors import InputError
    from coscope.rules import Rule


@click.command("rule", short_help="What a rule says, and why; without CODE all rules.")
@click.argument("code", required=False, shell_complete=completer("of_rule"))
@common
@to_file
def command(session: Session, code: str | None) -> None:
    """Explain the rule CODE, as in "coscope rule VER104". Without CODE, list all rules.

    Exit status: 0 explained, 2 there is no such rule.
    """
    from coscope.cli.output import write
    from coscope.cli.rulebook import every_rule
    from coscope.render.results.rule import document, list_sheet, page_sheet

    rules = every_rule()
    session.target = code or ""
    if code is None:
        write(session, document(rules, ""), list_sheet)
        return
    found = [rule for rule in rules if rule.code == code.upper()]
    if not found:
        raise _unknown(code, rules)
    write(session, document(found, found[0].code), page_sheet)


def _unknown(code: str, rules: list[Rule]) -> InputError:
    from difflib import get_close_matches

    from coscope.errors import InputError

    codes = [rule.code for rule in rules]
    beginning = [each for each in codes if code and each.startswith(code.upper())]
    near = get_close_matches(code.upper(), codes, n=3)
    if beginning:
        hint = f"These begin so: {', '.join(beginning)}."
    elif near:
        hint = f"Did you mean {' or '.join(near)}?"
    else:
        hint = '"coscope rule" lists all of them.'
    return InputError(f"there is no rule {code!r}", hint=hint)
