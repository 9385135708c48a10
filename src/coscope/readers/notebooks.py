"""Jupyter notebooks as one Python text, and back: the cell of a line.

All code cells of a notebook run in one namespace, so they are read as one module. What IPython
alone understands (`%magic`, `!command`, `name?`) becomes `pass` and a comment, so that every line
keeps its place; a cell in another language, such as `%%bash`, becomes comments as a whole.

Source:
    nbformat 5.10, "The Notebook file format"; IPython 8, "Built-in magic commands".
"""

from __future__ import annotations

import ast
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from coscope.errors import SourceError

SUFFIX = ".ipynb"

# Cell magics whose body is Python.
_PYTHON = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "memit", "mprun"})
_MAGIC = re.compile(r"\s*(?:[%!?]|[\w.]+\?\??\s*$)")
_FUTURE = re.compile(r"^(from __future__ import \w.*)")  # only a module's first lines may have it
_ASSIGNED = re.compile(r"(\s*[\w.,\s\[\]'\"]+=\s*)([%!].*)")


class Notebook(NamedTuple):
    """The code of a notebook."""

    text: str  # of all code cells, one after the other
    starts: tuple[int, ...]  # the first line of each code cell in it, from 1
    cells: tuple[int, ...]  # number of each code cell among all cells, from 1

    def place(self, line: int) -> tuple[int, int]:
        """Number of the cell that a line of the text is in, and the line in that cell, from 1."""
        at = max(0, bisect_right(self.starts, line) - 1)
        return self.cells[at], line - self.starts[at] + 1


def is_notebook(path: str) -> bool:
    """True for the name of a Jupyter notebook."""
    return path.lower().endswith(SUFFIX)


def text_of(data: bytes, path: str) -> bytes:
    """The Python text of a notebook's bytes, in UTF-8.

    Raises:
        SourceError: As `read_notebook`.
    """
    return read_notebook(data, path).text.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=8)
def read_notebook(data: bytes, path: str) -> Notebook:
    """Read a notebook.

    Raises:
        SourceError: The bytes are no notebook of Python code, or a cell is not Python; then the
            message names the cell, and the line is one of the cell.
    """
    try:
        held = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"this is not a notebook: {error}", file=path) from error
    cells = held.get("cells") if isinstance(held, dict) else None
    if not isinstance(cells, list):
        raise SourceError(
            "this is not a notebook of format 4: it has no list of cells",
            file=path,
            hint="jupyter nbconvert --to notebook writes it anew",
        )
    _check_language(held, path)
    lines: list[str] = []
    starts, numbers = [], []
    for number, cell in enumerate(cells, 1):
        text = _source(cell)
        if text is None:
            continue
        starts.append(len(lines) + 1)
        numbers.append(number)
        made = _python(text, number, path)
        lines += [_FUTURE.sub(r"pass  # \1", line) for line in made] if lines else made
    return Notebook("".join(f"{line}\n" for line in lines), tuple(starts), tuple(numbers))


def _check_language(held: dict[str, Any], path: str) -> None:
    metadata = held.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        named = metadata.get(part)
        language = named.get(key) if isinstance(named, dict) else None
        if isinstance(language, str) and language.lower() not in ("python", "ipython", "python3"):
            raise SourceError("the notebook is not one of Python", file=path, found=language)


def _source(cell: object) -> str | None:
    """The text of a code cell; None for any other."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return None
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else None


def _python(text: str, number: int, path: str) -> list[str]:
    """The lines of a cell as Python.

    Raises:
        SourceError: They are none.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if _fault(lines) is None:
        return lines
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and first[2:].split()[:1] != []:
        if first[2:].split()[0] not in _PYTHON:
            return [f"# {line}" for line in lines]
        lines = [f"# {line}" if line is first else line for line in lines]
    made = list(_without_magics(lines))
    error = _fault(made)
    if error is not None:
        raise SourceError(
            f"syntax error in cell {number}: {error.msg}", file=path, line=error.lineno or None
        )
    return made


def _without_magics(lines: list[str]) -> Iterator[str]:
    goes_on = False  # the line before it ends with a backslash and is IPython's
    for line in lines:
        assigned = _ASSIGNED.fullmatch(line)
        if goes_on:
            yield f"# {line}"
        elif _MAGIC.match(line):
            indent = line[: len(line) - len(line.lstrip())]
            yield f"{indent}pass  # {line.strip()}"
        elif assigned is not None:
            yield f"{assigned[1]}None  # {assigned[2]}"
        else:
            yield line
            continue
        goes_on = line.endswith("\\")


def _fault(lines: list[str]) -> SyntaxError | None:
    """What the compiler has to say against a cell."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        compile("\n".join([*lines, ""]), "<cell>", "exec", flags, dont_inherit=True)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error))
    return None
