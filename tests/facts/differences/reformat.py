"""Reformats of Python source that change no behaviour."""

from __future__ import annotations

import ast
import io
import tokenize


def with_lines_moved(source: bytes) -> bytes:
    """The source with a comment line or a blank line before every logical and physical line.

    Lines inside of strings stay as they are, so that every string keeps its value; so do lines
    that a backslash joins. The first two lines stay, which may declare the encoding.
    """
    lines = source.splitlines(keepends=True)
    free = _free_lines(source, len(lines))
    moved = []
    for number, line in enumerate(lines, 1):
        if number > 2 and number in free:
            moved.append(b"# moved\n" if number % 3 else b"\n")
        moved.append(line)
    return b"".join(moved)


def _free_lines(source: bytes, count: int) -> set[int]:
    """Lines before which another line may stand."""
    free = set(range(1, count + 1))
    starts = []  # of f-strings, which are several tokens from 3.12
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        first, last = token.start[0], token.end[0]
        name = tokenize.tok_name[token.type]
        if name in ("FSTRING_START", "TSTRING_START"):
            starts.append(first)
        elif name in ("FSTRING_END", "TSTRING_END"):
            free.difference_update(range(starts.pop() + 1, last + 1))
        elif token.type == tokenize.STRING:
            free.difference_update(range(first + 1, last + 1))
    lines = source.splitlines()
    joined = {number + 1 for number, line in enumerate(lines, 1) if line.endswith(b"\\")}
    return free - joined


def written_anew(source: bytes) -> str:
    """The source as `ast.unparse` writes it: other lines, other parentheses, no comments."""
    return ast.unparse(ast.parse(source))
