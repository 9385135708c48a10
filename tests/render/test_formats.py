"""The list of output formats: commands, help and documentation agree with it."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from coscope.cli.group import coscope
from coscope.render.formats import FORMATS, formats_of, help_of, written

DOCS = Path(__file__).parents[2] / "docs" / "commands"
COMMANDS = sorted({command for each in FORMATS for command in each.writers})


def _option(command: str) -> click.Option:
    found = coscope.get_command(click.Context(coscope), command)
    assert found is not None
    return next(
        each for each in found.params if isinstance(each, click.Option) and each.name == "form"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_takes_the_formats_of_the_list(command: str) -> None:
    option = _option(command)

    assert isinstance(option.type, click.Choice)
    assert (list(formats_of(command)), help_of(command)) == (list(option.type.choices), option.help)


def test_no_other_command_has_formats() -> None:
    names = coscope.list_commands(click.Context(coscope))
    found = [name for name in names if name in COMMANDS]

    assert COMMANDS == sorted(found)


@pytest.mark.parametrize("command", [each for each in COMMANDS if (DOCS / f"{each}.md").exists()])
def test_the_page_of_a_command_lists_its_formats(command: str) -> None:
    text = (DOCS / f"{command}.md").read_text(encoding="utf-8")
    listed = re.search(r"--format ([a-z|]+)\]", text)

    assert listed is not None
    assert list(formats_of(command)) == listed[1].split("|")


@pytest.mark.parametrize("name", ["mermaid", "dot"])
def test_a_graph_is_written_in_its_formats(name: str) -> None:
    from coscope import show

    document = show("json:dumps").document

    assert written("graph", name, document).startswith(("flowchart", "digraph", "%%"))
