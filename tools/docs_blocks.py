"""The code blocks of Markdown pages: run in order, their output compared or written anew.

python tools/docs_blocks.py docs/learn/*.md            says which blocks print something else
python tools/docs_blocks.py --bless docs/learn/*.md    writes what they print; review the diff

Each page runs in a folder of its own, in this process and with this interpreter:

    ```python title="app.py"     is written to that file
    ```python                    is executed; its names stay for the rest of the page
    ```pycon                     is a session: every answer is compared
    ```console                   `$ command`, then what it prints

Of the commands `coscope` runs in this process, `python3.12` is the interpreter of that version,
wherever it is; pipes and everything else go to bash. `; echo $?` shows the exit status. A line
`...` in an answer stands for any lines. Other blocks (text, toml, yaml, ...) are not run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import linecache
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import interpreters

WIDTH = 96  # cells of a page in the documentation

_FENCE = re.compile(r"^( *)(```+)(\w*) *(.*)$")
_TITLE = re.compile(r'title="([^"]+)"')
_VARYING = (
    (re.compile(r"0x[0-9a-f]{6,}…?"), "0x…"),
    (re.compile(r"(CPython 3\.\d+)\.\d+(?!\d)"), r"\1"),
    (re.compile(r"(Python 3\.\d+)\.\d+(?!\d)"), r"\1"),
)


@dataclass
class Block:
    """One fenced block of a page."""

    line: int  # of its first line of code, from 1
    indent: str
    language: str
    title: str  # of the file that it is; "" of none
    text: str  # without the indentation


@dataclass
class Session:
    """What a page's blocks share."""

    folder: Path
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})


def blocks_of(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, those in lists and admonitions too."""
    lines = page.splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        at += 1
        if fence is None:
            continue
        indent, ticks, language, rest = fence.groups()
        start = at
        while at < len(lines) and lines[at].strip() != ticks:
            at += 1
        inside = [line.removeprefix(indent) for line in lines[start:at]]
        at += 1
        title = _TITLE.search(rest)
        text = "".join(f"{line}\n" for line in inside)
        yield Block(start + 1, indent, language, title.group(1) if title else "", text)


def ran(block: Block, session: Session) -> str:
    """The block's text as it is after running it: with what it prints now.

    Raises:
        Exception: Whatever a Python block raises.
    """
    if block.language == "python" and block.title:
        path = session.folder / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        return block.text
    if block.language == "python":
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block.text, f"line {block.line}", "exec"), session.names)
        return block.text
    if block.language == "pycon":
        return _python_session(block.text, session)
    if block.language == "console":
        return _console(block.text, session)
    return block.text


def _console(text: str, session: Session) -> str:
    shown = []
    for command in _commands(text, "$ ", "> "):
        shown.append(command)
        words = "\n".join(line[2:] for line in command.splitlines())
        shown.append(_output(words, session))
    return "".join(shown)


def _commands(text: str, first: str, more: str) -> Iterator[str]:
    """The commands with their prompts, without what they printed."""
    lines = text.splitlines(keepends=True)
    at = 0
    while at < len(lines):
        if not lines[at].startswith(first.rstrip()):
            at += 1
            continue
        start = at
        at += 1
        while at < len(lines) and lines[at].startswith(more.rstrip()):
            at += 1
        yield "".join(lines[start:at])


def _output(command: str, session: Session) -> str:
    command, asks, _ = command.partition("; echo $?")
    head, pipe, rest = command.partition(" | ")
    words = shlex.split(head, comments=True)
    if words and words[0] == "coscope":
        text, status = _coscope(words[1:], session)
        if pipe:
            text, last = _shell(rest, session, text)
            status = last or status
    else:
        text, status = _shell(command, session, "")
    return _steady(text, session) + (f"{status}\n" if asks else "")


def _coscope(words: list[str], session: Session) -> tuple[str, int]:
    from click.testing import CliRunner

    from coscope.cli.group import coscope

    before = os.getcwd()
    loaded = {*sys.modules}
    os.chdir(session.folder)
    sys.path.insert(0, str(session.folder))
    try:
        result = CliRunner(env={"COLUMNS": str(WIDTH)}).invoke(coscope, words)
    finally:
        os.chdir(before)
        sys.path.remove(str(session.folder))
        _forget(session, loaded)
    return result.output, result.exit_code


def _forget(session: Session, loaded: set[str]) -> None:
    """Forget the page's own modules: the next command is to find them as they are then."""
    for name in {*sys.modules} - loaded:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(session.folder)):
            del sys.modules[name]
    importlib.invalidate_caches()
    linecache.clearcache()


def _shell(command: str, session: Session, text: str) -> tuple[str, int]:
    command = re.sub(r"\bpython(3\.\d+)", lambda found: _interpreter(found.group(1)), command)
    command = re.sub(r"^python ", f"{sys.executable} ", command)
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=session.folder,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": str(WIDTH), "NO_COLOR": "1", "PYTHON_COLORS": "0"},
        check=False,
    )
    return done.stdout, done.returncode


def _interpreter(version: str) -> str:
    found = interpreters.find(version)
    if found is None:
        raise LookupError(f"there is no CPython {version} on this machine")
    return str(found)


def _python_session(text: str, session: Session) -> str:
    import doctest

    shown = []
    for command in _commands(text, ">>> ", "... "):
        source = "".join(line[4:] or "\n" for line in command.splitlines(keepends=True))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(source, "<session>", "single"), session.names)
            except Exception as error:
                name = type(error).__qualname__
                module = type(error).__module__
                full = name if module == "builtins" else f"{module}.{name}"
                printed.write(f"Traceback (most recent call last):\n  ...\n{full}: {error}\n")
        answer = _steady(printed.getvalue(), session)
        shown += [command, answer.replace("\n\n", f"\n{doctest.BLANKLINE_MARKER}\n")]
    return "".join(shown)


def _steady(text: str, session: Session) -> str:
    """Without what differs from machine to machine."""
    text = text.replace(f"{session.folder}/", "").replace(str(session.folder), ".")
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    text = re.sub(r"/[\w./-]*/lib/python3", "/usr/lib/python3", text)
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return "".join(f"{line}\n" for line in lines)


def matches(expected: str, actual: str) -> bool:
    """True if they are equal; a line `...` of what is expected stands for any lines."""
    parts = re.split(r"(?m)^\.\.\.\n", expected)
    if len(parts) == 1:
        return expected == actual
    return re.fullmatch(r"(?s:.*?)".join(map(re.escape, parts)), actual) is not None


def check(page: Path, *, bless: bool = False) -> list[str]:
    """Run the blocks of a page; what is wrong, a text for each block.

    With `bless` the page is written with what its blocks print now.
    """
    text = page.read_text(encoding="utf-8")
    wrong: list[str] = []
    loaded = {*sys.modules}
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder).resolve())
        for block in blocks_of(text):
            now = ran(block, session)
            if not matches(block.text, now):
                wrong.append(f"{page}:{block.line}\n{block.text}\n=== prints ===\n{now}")
                if bless:
                    old, new = (textwrap.indent(each, block.indent) for each in (block.text, now))
                    text = text.replace(old, new, 1)
        _forget(session, loaded)
    if bless:
        page.write_text(text, encoding="utf-8", newline="\n")
    return wrong


def versions_in(page: Path) -> set[str]:
    """The versions of CPython whose interpreters a page needs."""
    text = page.read_text(encoding="utf-8")
    blocks = "".join(block.text for block in blocks_of(text) if block.language == "console")
    named = re.findall(r"\bpython(3\.\d+)|--python (3\.\d+)(?:,(3\.\d+))?", blocks)
    return {version for found in named for version in found if version}


def main() -> int:
    """Check or bless the pages of the command line; 1 if any block prints something else."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--bless", action="store_true", help="write what the blocks print")
    given = parser.parse_args()
    wrong = [each for page in given.pages for each in check(page, bless=given.bless)]
    print("\n".join(wrong))
    return 1 if wrong and not given.bless else 0


if __name__ == "__main__":
    sys.exit(main())
