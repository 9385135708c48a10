"""Programs made by PyInstaller: the CArchive behind an executable, and the PYZ archive inside.

Nothing is unpacked to disk and nothing runs. Code objects are given as .pyc files, with the header
that PyInstaller strips: a magic number of their version, and an unchecked hash of zeros.

Source:
    PyInstaller 6.22, PyInstaller/archive/readers.py, `CArchiveReader`, `ZlibArchiveReader`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from struct import Struct, error
from typing import NamedTuple

from coscope.codec.pyc import known_magics, version_of
from coscope.codec.unmarshal import load
from coscope.errors import CoscopeError, TargetError, UnknownMagic
from coscope.model import Collection
from coscope.opcodes import table

COOKIE = b"MEI\014\013\012\013\016"
PYZ = b"PYZ\0"

_TAIL = Struct("!8sIIII64s")  # cookie, length of all, table's offset and length, version, library
_OLD_TAIL = Struct("!8sIIII")
_ENTRY = Struct("!IIIIBc")  # length of the entry, offset, packed, unpacked, is packed, kind
_PYZ_HEAD = Struct("!4s4sI")  # PYZ, magic number, offset of the table
_MOST = 200_000  # entries
_LARGEST = 64 * 2**20  # bytes of the table of a PYZ

_NO_HEADER = b"\x01\0\0\0" + bytes(8)  # an unchecked hash


class Part(NamedTuple):
    """One entry of the CArchive or of a PYZ."""

    name: str  # a path; code ends in .pyc
    start: int  # byte offset in the file
    packed: int  # bytes there
    size: int  # bytes unpacked, as it states; 0 if it does not
    compressed: bool
    header: bytes  # of a .pyc, to be put before code; b"" for anything else
    code: bool  # it is a code object


def is_frozen(data: bytes) -> bool:
    """True if bytes hold what PyInstaller appends to its loader, or are a PYZ archive."""
    return data.startswith(PYZ) or COOKIE in data


class Frozen(NamedTuple):
    """What was found in a program."""

    parts: tuple[Part, ...]
    version: str | None  # of CPython, as the archive says
    encrypted: bool  # PyInstaller to 5 could encrypt the PYZ
    warnings: tuple[str, ...]


def read_program(data: bytes, file: str) -> Frozen:
    """Find the entries of a program.

    Args:
        data: The whole file.
        file: For errors.

    Raises:
        TargetError: There is no archive of PyInstaller in it, or its table is damaged.
    """
    if data.startswith(PYZ):
        parts, version = _pyz(data, 0, len(data), "", file)
        return Frozen(tuple(parts), version, False, ())
    at = _cookie(data)
    if at is None:
        return _without_cookie(data, file)
    start, entries, number = at
    major, minor = divmod(number, 100 if number >= 100 else 10)
    version = f"{major}.{minor}"
    parts = []
    warnings: list[str] = []
    names: set[str] = set()
    for name, kind, part in _entries(data, start, *entries):
        names.add(name)
        if kind in "zZ":
            parts += _inner(data, part, name, file, warnings)
        elif kind in "smM":
            parts.append(_code_part(part, name, version))
        elif kind in "bxdl":
            parts.append(part)
    return Frozen(tuple(parts), version, "pyimod00_crypto_key" in names, tuple(warnings))


def _cookie(data: bytes) -> tuple[int, tuple[int, int], int] | None:
    """Where the archive starts, its table's start and stop, and the version; the last that fits.

    The cookie may be anywhere: signatures, sections and single bytes are appended to programs.
    """
    at = len(data)
    for _ in range(64):
        at = data.rfind(COOKIE, 0, at)
        if at < 0:
            return None
        for tail in (_TAIL, _OLD_TAIL):
            if at + tail.size > len(data):
                continue
            _, length, offset, size, number, *_ = tail.unpack_from(data, at)
            start = at + tail.size - length
            if start >= 0 and size > 0 and offset + size <= length and number in range(30, 1000):
                stop = start + offset + size
                if _is_table(data, start + offset, stop):
                    return start, (start + offset, stop), number
    return None


def _is_table(data: bytes, at: int, stop: int) -> bool:
    """True if the entries of a table end where it ends."""
    for _ in range(_MOST):
        if at == stop:
            return True
        if at + _ENTRY.size > stop:
            return False
        size = int.from_bytes(data[at : at + 4], "big")
        if size < _ENTRY.size:
            return False
        at += size
    return False


def _entries(data: bytes, start: int, at: int, stop: int) -> Iterator[tuple[str, str, Part]]:
    while at < stop:
        length, offset, packed, size, flag, kind = _ENTRY.unpack_from(data, at)
        name = data[at + _ENTRY.size : at + length].rstrip(b"\0").decode("utf-8", "replace")
        name = name.replace("\\", "/")
        part = Part(
            name=name,
            start=start + offset,
            packed=packed,
            size=size,
            compressed=bool(flag),
            header=b"",
            code=False,
        )
        yield name, kind.decode("latin-1"), part
        at += length


def _code_part(part: Part, name: str, version: str) -> Part:
    """A script or a module of the CArchive itself."""
    return part._replace(name=f"{name}.pyc", header=_header_of(version), code=True)


def _header_of(version: str) -> bytes:
    """The header of a .pyc of a version, without time and hash."""
    for known in known_magics():
        if known.version == version:
            return known.releases[-1].to_bytes(2, "little") + b"\r\n" + _NO_HEADER
    return b""


def _inner(data: bytes, part: Part, name: str, file: str, warnings: list[str]) -> list[Part]:
    """The modules of a PYZ. PyInstaller stores it as it is; where it is packed, it is refused."""
    if part.compressed:
        warnings.append(f"{name} is packed twice and is not read")
        return []
    try:
        found, _ = _pyz(data, part.start, part.start + part.packed, f"{name}/", file)
    except CoscopeError as problem:
        warnings.append(f"{name} cannot be read: {problem.what}")
        return []
    return found


def _pyz(data: bytes, start: int, stop: int, prefix: str, file: str) -> tuple[list[Part], str]:
    """The entries of a PYZ archive, and its version of CPython."""
    try:
        sign, magic, offset = _PYZ_HEAD.unpack_from(data, start)
    except error as problem:
        raise TargetError("the PYZ archive is cut off", file=file) from problem
    if sign != PYZ or start + offset > stop:
        raise TargetError("the PYZ archive is damaged", file=file, expected="PYZ and a table")
    version, _ = version_of(int.from_bytes(magic[:2], "little"), file)
    body = data[start + offset : min(stop, start + offset + _LARGEST)]
    held = load(body, table(version), file=file)
    items = held.items if isinstance(held, Collection) else held
    if not isinstance(items, tuple | list) or len(items) > _MOST:
        raise TargetError("the table of the PYZ archive is damaged", file=file)
    header = magic + _NO_HEADER
    found = []
    for item in items:
        part = _pyz_part(item, start, stop, prefix, header)
        if part is not None:
            found.append(part)
    return found, version


def _pyz_part(item: object, start: int, stop: int, prefix: str, header: bytes) -> Part | None:
    """One entry: (name, (kind, offset, length)); 0 a module, 1 a package, 2 data, 3 a namespace."""
    if not (isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], tuple)):
        return None
    name, place = item
    numbers = all(type(each) is int or type(each) is bool for each in place)
    if not isinstance(name, str) or len(place) != 3 or not numbers:
        return None
    kind, offset, length = place
    if offset < 0 or length < 0 or start + offset + length > stop:
        return None
    if kind not in (0, 1):
        return None
    path = name.replace(".", "/") + ("/__init__.pyc" if kind == 1 else ".pyc")
    return Part(
        name=f"{prefix}{path}",
        start=start + offset,
        packed=length,
        size=0,
        compressed=True,
        header=header,
        code=True,
    )


def _without_cookie(data: bytes, file: str) -> Frozen:
    """A program whose cookie was changed may still have its PYZ."""
    at = -1
    for _ in range(64):
        at = data.find(PYZ, at + 1)
        if at < 0:
            break
        try:
            parts, version = _pyz(data, at, len(data), "PYZ/", file)
        except (CoscopeError, UnknownMagic):
            continue
        if parts:
            warning = "there is no cookie of PyInstaller; the PYZ archive was found by itself"
            return Frozen(tuple(parts), version, False, (warning,))
    raise TargetError("there is no archive of PyInstaller in it", file=file)


def unpacked(data: bytes, part: Part, most: int, file: str) -> bytes:
    """The bytes of one part, with the header of a .pyc before code.

    Raises:
        TargetError: It is damaged, or encrypted.
    """
    held = data[part.start : part.start + part.packed]
    if len(held) < part.packed:
        raise TargetError(f"the member {part.name} is cut off", file=file)
    if part.compressed:
        try:
            held = zlib.decompressobj().decompress(held, most + 1)
        except zlib.error as problem:
            raise TargetError(
                f"the member {part.name} cannot be unpacked, or is encrypted: {problem}", file=file
            ) from problem
    if not part.code or held[2:4] == b"\r\n":
        return held
    return part.header + held
