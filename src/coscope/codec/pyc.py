"""The 16 bytes before the marshalled code of a .pyc file (PEP 552, CPython 3.8 to 3.15)."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from coscope import opcodes
from coscope.errors import PycError, Truncated, UnknownMagic

SIZE = 16  # bytes

_HEADERLESS = (
    "It may be a code object without a header, as PyInstaller leaves them: --code-version VERSION."
)

_HASH_BASED = 0b01
_CHECK_SOURCE = 0b10


@dataclass(frozen=True, slots=True)
class Header:
    """What a .pyc file says of itself."""

    magic: int  # the first two bytes, as CPython's tables list it
    version: str  # "3.13"; the release is not known from the magic number
    flags: int  # PEP 552
    mtime: int | None  # of the source: seconds since 1970 modulo 2**32; None if hash-based
    source_size: int | None  # bytes modulo 2**32; None if hash-based
    source_hash: bytes | None  # 8 bytes of SipHash, keyed by the magic number; None if by time
    warnings: tuple[str, ...] = ()
    payload: int = SIZE  # byte offset of the marshalled code object

    @property
    def is_hash_based(self) -> bool:
        """True if the source is recognised by its hash, not by time and size."""
        return bool(self.flags & _HASH_BASED)

    @property
    def checks_source(self) -> bool:
        """True if an import compares the hash with the source."""
        return bool(self.flags & _CHECK_SOURCE)


def read_header(data: bytes, file: str | None = None) -> Header:
    """Read the header of a .pyc file.

    Args:
        data: The file, or at least its first 16 bytes.
        file: For errors.

    Raises:
        UnknownMagic: No known CPython writes this magic number.
        Truncated: There are fewer than 16 bytes.
        PycError: This is not a .pyc file, or its flags are undefined.

    Source:
        CPython 3.13, Lib/importlib/_bootstrap_external.py, `_classify_pyc`.
    """
    if len(data) < 4 or data[2:4] != b"\r\n":
        raise PycError(
            "not a .pyc file",
            file=file,
            offset=0,
            expected="a magic number that ends in '\\r\\n'",
            found=ascii(data[:4])[1:] if data else "an empty file",
            hint=_HEADERLESS if data[:1] in (b"c", b"\xe3") else None,
        )
    magic = int.from_bytes(data[:2], "little")
    _refuse_others(magic, file)
    version, warnings = version_of(magic, file)
    if len(data) < SIZE:
        raise Truncated(
            "the bytes end inside the header",
            file=file,
            offset=len(data),
            expected=f"{SIZE} bytes",
            found=len(data),
        )
    flags = int.from_bytes(data[4:8], "little")
    warnings += _check_flags(flags, file)
    hashed = bool(flags & _HASH_BASED)
    return Header(
        magic=magic,
        version=version,
        flags=flags,
        mtime=None if hashed else int.from_bytes(data[8:12], "little"),
        source_size=None if hashed else int.from_bytes(data[12:SIZE], "little"),
        source_hash=data[8:SIZE] if hashed else None,
        warnings=warnings,
    )


def _check_flags(flags: int, file: str | None) -> tuple[str, ...]:
    """Refuse undefined flags; return what is to be warned of.

    Raises:
        PycError: A flag is set that PEP 552 does not define.
    """
    if flags & ~(_HASH_BASED | _CHECK_SOURCE):
        raise PycError(
            "undefined flags in the header",
            file=file,
            offset=4,
            expected="0, 1 or 3 (PEP 552)",
            found=f"0x{flags:x}",
        )
    if flags & _CHECK_SOURCE and not flags & _HASH_BASED:
        return ("the header asks to check a source hash that it does not have",)
    return ()


def version_of(magic: int, file: str | None = None) -> tuple[str, tuple[str, ...]]:
    """Which CPython writes this magic number, and what is uncertain about that.

    A number that lies between two of one version belongs to that version's development.

    Raises:
        UnknownMagic: It belongs to no known version.
    """
    for known in known_magics():
        if magic in known.releases:
            return known.version, ()
        if magic in known.all:
            return known.version, (
                f"magic number {magic} is of a pre-release of CPython {known.version}: "
                "opcodes and fields may differ from the release",
            )
        if known.all[0] < magic < known.all[-1]:
            return known.version, (
                f"magic number {magic} is not listed; read as CPython {known.version}, "
                f"whose numbers are {known.all[0]} to {known.all[-1]}",
            )
    listed = ", ".join(
        f"{known.version} ({'/'.join(map(str, known.releases))})" for known in known_magics()
    )
    whose = owner_of(magic)
    raise UnknownMagic(
        "unknown magic number" if whose is None else f"this is bytecode of {whose}",
        file=file,
        offset=0,
        expected=f"that of CPython {listed}",
        found=magic,
    )


def owner_of(magic: int) -> str | None:
    """Whose bytecode has a magic number that no table lists, as far as that is known.

    >>> owner_of(62211)
    'CPython 2.7'
    """
    for first, last, name in _others()["other"]:
        if first <= magic <= last:
            return str(name)
    return None


def _refuse_others(magic: int, file: str | None) -> None:
    """Refuse the file of another implementation, whose magic number may be one of CPython's."""
    tag = os.path.basename(file or "").lower().split(".")[-2:-1]
    for start, name in _others()["tags"].items():
        if tag and tag[0].startswith(start):
            raise UnknownMagic(
                f"this is bytecode of {name}, as the tag in its name says",
                file=file,
                offset=0,
                expected="that of CPython",
                found=magic,
            )


@lru_cache(maxsize=1)
def _others() -> dict[str, Any]:
    file = resources.files(opcodes).joinpath("magics.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Magics:
    """The magic numbers of one CPython version."""

    version: str
    all: tuple[int, ...]  # every one of its development, ascending
    releases: tuple[int, ...]


@lru_cache(maxsize=1)
def known_magics() -> tuple[Magics, ...]:
    """The magic numbers of every version that has an opcode table.

    Only the head of each table is parsed: a whole one takes a hundred times as long.
    """
    return tuple(map(_magics, opcodes.VERSIONS))


def _magics(version: str) -> Magics:
    file = resources.files(opcodes).joinpath(f"cpython-{version}.toml")
    head = file.read_text(encoding="utf-8").partition("\n[")[0]
    fields = tomllib.loads(head)
    return Magics(version, tuple(fields["magics"]), tuple(fields["release_magics"]))
