"""What the words of a command line name: folders are walked, everything else is named already."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from coscope.errors import TargetError, TargetNotFound
from coscope.readers.naming import COMPILED, SOURCE
from coscope.readers.notebooks import SUFFIX

if TYPE_CHECKING:
    from coscope.readers import Snippet

_SOURCE = SOURCE[:2]  # a stub, .pyi, is read when it is named
_COMPILED = COMPILED[:1]


class Item(NamedTuple):
    """One thing to be read."""

    target: str  # what `read` takes
    size: int = 0  # bytes of the file, where it is known
    error: TargetError | None = None  # why there is nothing to read
    snippet: Snippet | None = None  # text of the command line, in place of a file

    @property
    def thing(self) -> str | Snippet:
        """What is read."""
        return self.target if self.snippet is None else self.snippet


def parts_of(source: str, names: Iterable[str]) -> list[Item]:
    """The code objects of a text that are named `::name`; without names the whole of it."""
    from coscope.readers import Snippet

    return [
        Item(f"-c{name}", snippet=Snippet(source, "<string>", name.removeprefix("::")))
        for name in names or ("",)
    ]


def items_of(
    targets: Iterable[str], *, compiled: bool = True, notebooks: bool = False
) -> list[Item]:
    """Everything that the targets name, in order, each once.

    A folder gives its .py, .pyw and .pyc files and those of the folders in it, by name. Hidden
    files and folders (`.git`, `.venv`) are left out, links to folders are not followed.
    `__pycache__` is walked like any other folder: what is in there is what runs.

    Args:
        targets: Files, folders, `file.py::name`, `module:name`.
        compiled: Take .pyc files of folders too.
        notebooks: And .ipynb files.
    """
    found: dict[str, Item] = {}
    for target in targets:
        if _is_folder(target):
            made = _walk(target, compiled, notebooks)
        else:
            made = iter([Item(target, _size(target) or 0)])
        for item in made:
            found.setdefault(os.path.normpath(item.target), item)
    return list(found.values())


def _walk(folder: str, compiled: bool, notebooks: bool) -> Iterator[Item]:
    refused: list[OSError] = []
    empty = True
    suffixes = _SOURCE + (_COMPILED if compiled else ()) + ((SUFFIX,) if notebooks else ())
    for file in _files_in(folder, suffixes, refused):
        item = _item(file)
        if item is not None:
            empty = False
            yield item
    for error in refused:
        empty = False
        name = str(error.filename)
        yield Item(name, 0, TargetError(f"cannot read the folder: {error.strerror}", file=name))
    if empty:
        what = "no .py and no .pyc file" if compiled else "no .py file"
        yield Item(folder, 0, TargetNotFound(f"the folder has {what}", file=folder))


def _files_in(folder: str, suffixes: tuple[str, ...], refused: list[OSError]) -> Iterator[str]:
    """The paths of the files with these suffixes; folders that cannot be read go to `refused`."""
    for path, folders, names in os.walk(folder, onerror=refused.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(suffixes):
                yield os.path.join(path, name)


def _item(file: str) -> Item | None:
    """A file of a folder, or a link that leads nowhere; None for a pipe or a folder."""
    size = _size(file)
    if size is not None:
        return Item(file, size)
    if os.path.islink(file) and not os.path.exists(file):
        return Item(file, 0, _dangling(file))
    return None


def _dangling(file: str) -> TargetNotFound:
    return TargetNotFound("this link leads nowhere", file=file, found=os.readlink(file))


def _is_folder(target: str) -> bool:
    try:
        return os.path.isdir(target)
    except ValueError:  # a null byte
        return False


def _size(path: str) -> int | None:
    """Bytes of a regular file; None for anything else: reading a pipe would block."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
