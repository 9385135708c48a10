"""What stands beside bytecode in a folder of modules: RECORD, .pth lines, extension modules.

Source:
    PyPA, "Recording installed projects" (RECORD, hashes). CPython 3.14, Lib/site.py, `addpackage`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import posixpath
import re
import tomllib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Iterator
from configparser import ConfigParser, Error
from functools import cache
from importlib import resources
from typing import NamedTuple

from coscope.errors import CoscopeError
from coscope.trust import dpkg
from coscope.trust.kinds import sign
from coscope.trust.model import Listed, Sign

_STRONG = ("sha256", "sha384", "sha512", "blake2b", "blake2s", "sha3_256", "sha3_512")
_UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_CODE = (".py", ".pyw", ".pyc", ".so", ".pyd", ".pth", ".dll", ".dylib")
_STARTING = ("sitecustomize", "usercustomize")
SITES = ("site-packages", "dist-packages")
METADATA = ("RECORD", "METADATA", "PKG-INFO", "entry_points.txt")
NATIVE = (".so", ".pyd", ".dll", ".dylib")


class Row(NamedTuple):
    """One line of a RECORD."""

    path: str  # relative to the folder of the RECORD's folder, "/" between folders
    algorithm: str  # "" if there is no hash
    digest: str  # base64, without padding
    size: int | None


class Held(NamedTuple):
    """A folder or an archive, as RECORDs see it."""

    label: Callable[[str], str]  # path in it -> target
    names: Collection[str]  # of its files, "/" between folders
    read: Callable[[str], bytes]
    hashed: Callable[[str, str], tuple[str, int] | None]  # path, algorithm -> digest, size


def rows_of(text: str) -> Iterator[Row]:
    """The lines of a RECORD.

    Raises:
        ValueError: It is no RECORD.
    """
    for fields in csv.reader(io.StringIO(text)):
        if not fields:
            continue
        if len(fields) != 3:
            raise ValueError(f"a line has {len(fields)} fields")
        path, held, size = fields
        algorithm, _, digest = held.partition("=")
        yield Row(path.replace("\\", "/"), algorithm, digest, int(size) if size else None)


def check_record(record: str, held: Held) -> tuple[list[Sign], set[str]]:
    """Compare a distribution's files with its RECORD; the signs, and the files that it lists.

    Args:
        record: Path of the RECORD.
        held: Where it is.
    """
    signs: list[Sign] = []
    folder = posixpath.dirname(posixpath.dirname(record))
    try:
        rows = list(rows_of(held.read(record).decode("utf-8")))
    except (ValueError, csv.Error, CoscopeError, OSError) as error:
        what = error.what if isinstance(error, CoscopeError) else str(error)
        return [sign("TRU405", f"RECORD cannot be read: {what}", held.label(record))], set()
    listed: set[str] = set()
    for row in rows:
        path = posixpath.normpath(posixpath.join(folder, row.path))
        if posixpath.isabs(row.path) or path.startswith("../"):
            path = row.path if posixpath.isabs(row.path) else path
        if path in listed:
            signs.append(sign("TRU405", f"RECORD lists {row.path} twice", held.label(record)))
        listed.add(path)
        signs += _check_row(row, path, record, held)
    return signs, listed


def _check_row(row: Row, path: str, record: str, held: Held) -> Iterator[Sign]:
    base = posixpath.basename(path)
    if not row.digest:
        own = posixpath.dirname(path) == posixpath.dirname(record)
        if not (base.endswith((".pyc", ".pyo")) or (own and base in _UNHASHED)):
            yield sign("TRU405", f"RECORD gives no hash for {row.path}", held.label(record))
        return
    if row.algorithm not in _STRONG:
        text = f"RECORD has a hash by {row.algorithm or 'nothing'} for {row.path}"
        yield sign("TRU405", text, held.label(record))
        return
    found = held.hashed(path, row.algorithm)
    if found is None and dpkg.vouches(held.label(record)):
        return  # Debian's packages leave out what pip would put elsewhere
    if found is None:
        yield sign("TRU402", f"{row.path} is listed in RECORD and is missing", held.label(path))
        return
    digest, size = found
    if digest != _plain(row.digest):
        if dpkg.vouches(held.label(path)):
            return  # changed by Debian, and unchanged since
        what = f"its {row.algorithm} is {digest[:12]}..., RECORD says {row.digest[:12]}..."
        yield sign("TRU403", f"{row.path} was changed: {what}", held.label(path))
    elif row.size is not None and row.size != size:
        what = f"it has {size} bytes, RECORD says {row.size}"
        yield sign("TRU403", f"{row.path} is not as recorded: {what}", held.label(path))


def _plain(digest: str) -> str:
    """A digest without padding. Some tools wrote hexadecimal digits instead of base64."""
    if _HEX.fullmatch(digest):
        return urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode("ascii")
    return digest.rstrip("=")


_HEX = re.compile(r"(?:[0-9a-f]{2}){32}|(?:[0-9a-f]{2}){48}|(?:[0-9a-f]{2}){64}")


def digest_of(data: bytes, algorithm: str) -> str:
    """A hash as RECORD writes it.

    >>> digest_of(b"", "sha256")[:8]
    '47DEQpj8'
    """
    made = hashlib.new(algorithm, data)
    return urlsafe_b64encode(made.digest()).rstrip(b"=").decode("ascii")


def unlisted(held: Held, listed: Collection[str], folders: Collection[str]) -> Iterator[Sign]:
    """Code in the folders of distributions that none of their RECORDs lists.

    Args:
        held: The folder of the distributions.
        listed: Every file that a RECORD lists.
        folders: Top-level folders that distributions own.
    """
    for path in sorted(held.names):
        if path in listed or not path.lower().endswith(_CODE):
            continue
        top, _, rest = path.partition("/")
        if not rest or top not in folders or "__pycache__/" in path:
            continue
        yield sign("TRU404", f"{path} is in no RECORD", held.label(path))


def owned_folders(listed: Iterable[str]) -> set[str]:
    """The top-level folders that listed files are in, without those of metadata."""
    tops = (path.partition("/") for path in listed)
    return {top for top, slash, _ in tops if slash and top != ".." and "." not in top}


def path_lines(data: bytes, file: str) -> Iterator[Sign]:
    """Signs for the lines of a .pth file that execute.

    Args:
        data: Its bytes.
        file: As a target.
    """
    text = data.decode("utf-8-sig", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith(("import ", "import\t")):
            continue
        tool = tool_of(line)
        shown = line if len(line) <= 160 else f"{line[:150]}..."
        text = f"runs at every start: {shown}" if tool is None else f"of {tool}: {shown[:80]}"
        severity = None if tool is None else "info"
        yield sign("TRU401", text, file, severity=severity, line=number)


def tool_of(line: str) -> str | None:
    """The well-known tool that writes an executing line; None if it is of no known one.

    >>> tool_of("import _virtualenv")
    'virtualenv'
    """
    return next((tool for tool, known in _known_lines() if known.fullmatch(line.strip())), None)


@cache
def _known_lines() -> list[tuple[str, re.Pattern[str]]]:
    file = resources.files("coscope.trust").joinpath("path_lines.toml")
    held = tomllib.loads(file.read_text(encoding="utf-8"))
    return [(each["tool"], re.compile(each["pattern"])) for each in held["line"]]


def starting_modules(names: Iterable[str], label: Callable[[str], str]) -> Iterator[Sign]:
    """Signs for sitecustomize and usercustomize."""
    for path in names:
        base = posixpath.basename(path)
        runs = base.partition(".")[0] in _STARTING and base.endswith((".py", ".pyc", *NATIVE))
        if runs and "/" not in path:
            yield sign("TRU406", f"{base} runs at every start of Python", label(path))


def entry_points(text: str, distribution: str) -> Iterator[Listed]:
    """The commands and plugins of an entry_points.txt."""
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except Error:
        return
    for group in parser.sections():
        for name, what in parser.items(group):
            yield Listed("entry point", f"{group}: {name}", f"{what} ({distribution})")
