"""`coscope patch`: change constants and names in a file, and write the result as a .pyc."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import click

from coscope.cli.options import common, python_option
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.patcher.edits.model import AnyEdit


@click.command("patch", short_help="Change constants and names in a file; write a .pyc.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False),
    metavar="OUT.pyc",
    help="Where to write; whole, or not at all.",
)
@click.option(
    "--at",
    metavar="NAME",
    help="The code object to change, by qualified name: outer.inner, or outer.inner@12 by its "
    "first line. The module's own code if not given.",
)
@click.option(
    "--constant",
    "constants",
    multiple=True,
    metavar="OLD=NEW",
    help="Load another constant; both are Python literals: 42=99, \"'a'='b'\".",
)
@click.option(
    "--name", "names", multiple=True, metavar="OLD=NEW", help="Look another global name up."
)
@click.option(
    "--kind",
    type=click.Choice(["global", "attribute", "import", "any"]),
    default="global",
    show_default=True,
    help="What --name is about.",
)
@click.option("--line", type=click.IntRange(min=1), help="Only in this line of the source.")
@click.option("--nested", is_flag=True, help="In nested functions too.")
@click.option("--loose", is_flag=True, help="1 matches True and 1.0 too.")
@click.option(
    "--folded",
    type=click.Choice(["refuse", "leave", "replace"]),
    default="refuse",
    show_default=True,
    help="What to do with constants that hold the old one, such as a tuple.",
)
@click.option(
    "--compiler-made",
    is_flag=True,
    help="Also the loads that the compiler made for itself: of None at a bare return, for example.",
)
@click.option(
    "--edits",
    "documents",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Further edits, a JSON list as coscope.patcher.edits.documents writes them.",
)
@click.option("--cell", "cells", multiple=True, metavar="NAME=VALUE", help="Refused: see below.")
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@python_option
@click.argument("file", metavar="FILE", type=click.Path())
@common
def command(
    session: Session,
    file: str,
    output: str,
    cells: tuple[str, ...],
    force: bool,
    python: str | None,
    **asked: Any,
) -> None:
    """Change FILE.py or FILE.pyc and write a .pyc. Nothing of it is executed.

    \b
    app.py --at retry.attempt --constant 30=5 -o app.pyc
    app.pyc --at load --name open=safe_open -o patched.pyc

    Constants match by value and type: 1 is neither True nor 1.0. All of them apply at once: 1=2
    and 2=1 swap. The result is verified before it
    is written, for the version of CPython that the code is of; a file that exists is replaced only
    with --force. A cell has no contents before the program runs: patch the constant that is
    assigned to it, in the function that makes it, or a live function with coscope.patch.

    Exit status: 0 written, 2 nothing was written.
    """
    from coscope.cli.answers import answer
    from coscope.patcher.files.files import patch_file

    session.target = file
    if cells:
        _refuse_cells(cells)
    edits = list(_edits(**asked))
    answer(session, patch_file(file, edits, output, python=python, force=force))


def _refuse_cells(cells: tuple[str, ...]) -> NoReturn:
    from coscope.errors import PatchError

    name = cells[0].partition("=")[0]
    raise PatchError(
        "a file has no cells: they are made, and filled, when the program runs",
        found=f"--cell {cells[0]}",
        hint=f"Patch the constant that is assigned to {name}, with --at the function that makes "
        f"it; or the live closure: coscope.patch(fn, cells={{{name!r}: ...}}).",
    )


def _edits(
    *,
    at: str | None,
    constants: tuple[str, ...],
    names: tuple[str, ...],
    kind: str,
    line: int | None,
    nested: bool,
    loose: bool,
    folded: str,
    compiler_made: bool,
    documents: str | None,
) -> Iterator[AnyEdit]:
    from coscope.patcher.edits.model import Rename, ReplaceConstant, Where
    from coscope.patcher.verbs.requests import at_once

    where = Where(line=line)
    replacing = [
        ReplaceConstant(
            code=at,
            nested=nested,
            old=old,
            new=new,
            where=where,
            loose=loose,
            folded=folded,
            compiler_made=compiler_made,
        )
        for old, new in map(_literals, constants)
    ]
    yield from at_once(replacing)
    renaming = []
    for text in names:
        old, separator, new = text.partition("=")
        if not (separator and old.strip().isidentifier() and new.strip().isidentifier()):
            raise click.UsageError(f"--name is OLD=NEW, two names: {text!r}")
        renaming.append(
            Rename(code=at, nested=nested, old=old.strip(), new=new.strip(), where=where, kind=kind)
        )
    yield from at_once(renaming)
    if documents is not None:
        yield from _documents(documents)


def _literals(text: str) -> tuple[object, object]:
    """The two literals of OLD=NEW; a `=` may be inside one of them too."""
    import ast

    found = []
    for at, character in enumerate(text):
        if character != "=":
            continue
        try:
            old, new = map(ast.literal_eval, (text[:at].strip(), text[at + 1 :].strip()))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        found.append((old, new))
    if len(found) != 1:
        raise click.UsageError(
            f"--constant is OLD=NEW, two Python literals such as 42=99 or \"'a'='b'\": {text!r}"
        )
    return found[0]


def _documents(path: str) -> Iterator[AnyEdit]:
    import json
    from pathlib import Path

    from coscope.errors import InputError
    from coscope.patcher.edits.documents import from_json

    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}", file=path) from error
    if type(found) is not list:
        raise InputError("this is not a list of edits", file=path)
    yield from map(from_json, found)
