"""`coscope report`: files, a folder or a package as one HTML file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from coscope.cli.options import common, python_option
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.cli.files import Item
    from coscope.render.report.page import Entry


@click.command("report", short_help="A file, folder or package as one HTML file.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-o", "--output", "output", required=True, metavar="FILE", help="The .html file.")
@click.option("--open", "opens", is_flag=True, help="Look at it in the browser.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out files whose path matches: '*/tests/*'. May be given again.",
)
@python_option
@common
def command(
    session: Session,
    paths: tuple[str, ...],
    output: str,
    opens: bool,
    exclude: tuple[str, ...],
    python: str | None,
) -> None:
    """Write PATH as one HTML file: a tree, cards, graphs, findings, and a search over all of it.

    PATH is a source or compiled file, a folder, or the name of a package, which is found and read
    but not imported. Nothing that is read is executed. The file opens from file:// in any browser,
    asks for nothing, and needs nothing beside it.

    Exit status: 0 written; 1 written, but some files could not be read; 2 bad use or input.
    """
    from coscope.cli.audit_work import wanted
    from coscope.cli.files import items_of
    from coscope.cli.progress import Progress
    from coscope.errors import InputError

    if not output.lower().endswith((".html", ".htm")):
        raise InputError("a report is an .html file", file=output)
    targets = [_place(each) for each in paths]
    items = wanted(items_of(targets, compiled=False), targets, exclude)
    if not items:
        raise InputError("no file is left to report on", hint="--exclude leaves out too much.")
    session.target = ", ".join(paths)
    root = _root([item.target for item in items])
    sentences: dict[str, str] = {}
    entries = []
    with Progress("files") as progress:
        for done, item in enumerate(items, 1):
            entries.append(_entry(item, root, python, sentences))
            progress.advance(done, len(items))
    failed = [each for each in entries if each.error is not None]
    if len(failed) == len(entries) == 1:
        raise InputError(failed[0].error or "", file=items[0].target)
    _write(output, session.target, entries, sentences)
    size = os.path.getsize(output)
    unread = f", {len(failed)} not read" if failed else ""
    click.echo(f"written: {output} ({len(entries)} files{unread}, {size:,} bytes)", err=True)
    if opens:
        from coscope.cli.saving import show_file

        show_file(output)
    if failed:
        raise click.exceptions.Exit(1)


def _place(name: str) -> str:
    """Where a package lies; anything else is a path already."""
    from importlib.machinery import PathFinder

    if os.path.exists(name) or not all(part.isidentifier() for part in name.split(".")):
        return name
    places: list[str] | None = None
    found = ""
    parts = name.split(".")
    for at in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: at + 1]), places)
        if spec is None:
            return name
        places = list(spec.submodule_search_locations or ())
        found = places[0] if places else spec.origin or ""
    return found if os.path.exists(found) else name


def _root(paths: list[str]) -> str:
    """The folder that all files have in common; their paths are shown from there."""
    folders = [os.path.dirname(os.path.abspath(path)) for path in paths]
    try:
        return os.path.commonpath(folders)
    except ValueError:  # on several drives
        return ""


def _entry(item: Item, root: str, python: str | None, sentences: dict[str, str]) -> Entry:
    from coscope.errors import CoscopeError
    from coscope.readers import locate
    from coscope.render.document.findings import findings_in
    from coscope.render.document.targets import document_of, sentences_of
    from coscope.render.report.packing import packed
    from coscope.render.report.page import Entry, entry_of
    from coscope.render.text.measured import without_surrogates as clean

    path = os.path.abspath(item.target)
    shown = clean(os.path.relpath(path, root) if root else path)
    try:
        if item.error is not None:
            raise item.error
        target = locate(item.target, python=python)
        document = document_of(target, detail="all")
        document["findings"] = findings_in(target.function)
    except CoscopeError as error:
        return Entry(shown, error=clean(str(error)))
    sentences |= sentences_of(document["codes"])
    source = target.function.source
    text = "" if source is None else clean("\n".join(source.lines))
    return entry_of(shown, document, packed(document, text))


def _write(output: str, title: str, entries: list[Entry], sentences: dict[str, str]) -> None:
    from coscope.errors import InputError

    try:
        with open(output, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(_pieces(title, entries, sentences))
    except OSError as error:
        raise InputError(f"cannot write the file: {error.strerror}", file=output) from error


def _pieces(title: str, entries: list[Entry], sentences: dict[str, str]) -> Iterator[str]:
    from coscope.render.report.page import page

    return page(title, entries, dict(sorted(sentences.items())))
