"""`coscope serve`: the page in the browser, with the files and interpreters of this machine."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coscope.cli.options import common
from coscope.cli.session import Session

if TYPE_CHECKING:
    from coscope.readers.from_interpreter import Interpreter
    from coscope.server.running import Address


@click.command("serve", short_help="The page, in the browser, on this machine alone.")
@click.argument("target", required=False, metavar="[FILE|FOLDER]")
@click.option(
    "--python",
    "pythons",
    multiple=True,
    metavar="PYTHON",
    help="An interpreter more: a version, a release or a path. May be given many times.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; any, if 0.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open nothing.")
@click.option("--list", "listing", is_flag=True, help="List the interpreters, and serve nothing.")
@common
def command(
    session: Session,
    target: str | None,
    pythons: tuple[str, ...],
    port: int,
    no_browser: bool,
    listing: bool,
) -> None:
    """Open the page: source, bytecode, stack, graph, cells and findings side by side.

    FILE is shown in the editor, FOLDER as a list of its .py and .pyc files; both are read again
    when they change. The server answers to this machine alone, and only with the token that is in
    the address. Files are compiled, never executed: what the page runs, it runs in the browser.

    Exit status: 0 served until you stopped it, 2 bad use or input.
    """
    from coscope.server.compilers import chosen

    interpreters = chosen(pythons)
    if listing:
        _list(session, interpreters)
        return
    page = _page()
    from coscope.server.application import Answers
    from coscope.server.compilers import Compilers
    from coscope.server.folder import Folder
    from coscope.server.running import run

    folder = None if target is None else Folder(Path(target))
    answers = Answers(page, folder, Compilers(interpreters))

    def started(address: Address) -> None:
        if session.json:
            click.echo(json.dumps({"url": address.url, "port": address.port}))
        else:
            click.echo(f"coscope: the page is at {address.url}")
            click.echo("coscope: Ctrl-C ends the server")
        if not no_browser:
            click.launch(address.url)

    run(answers, port, started)


def _list(session: Session, interpreters: list[Interpreter]) -> None:
    if session.json:
        rows = [
            {"version": each.version, "release": each.release, "path": each.path}
            for each in interpreters
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for each in interpreters:
        click.echo(f"{each.release:<10} {each.path}")


def _page() -> Path:
    """The folder of the built page."""
    from coscope.errors import InputError

    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    spec = find_spec("coscope_web")
    if spec is None or spec.origin is None or missing:
        raise InputError(
            "the page is not installed",
            found=", ".join(["no coscope-web"] if spec is None else [f"no {n}" for n in missing]),
            hint="Install coscope-web; from a clone: pip install . ./web",
        )
    folder = Path(spec.origin).parent / "page"
    if not (folder / "index.html").is_file():
        raise InputError(
            "the page is not built",
            found=str(folder),
            hint="In web/: npm install && npm run build -- coscope_web/page",
        )
    return folder
