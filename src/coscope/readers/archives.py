"""Members of archives, read in memory within limits; nothing is unpacked to disk.

Zip archives (wheels, eggs, zip applications, conda packages, what is appended to programs), tar
archives and programs of PyInstaller. Archives inside of archives are opened by their bytes.
"""

from __future__ import annotations

import calendar
import io
import os
import posixpath
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import IO, NamedTuple, Protocol, cast

from coscope.errors import LimitExceeded, TargetError, TargetNotFound
from coscope.readers import frozen

_ZIPS = (".whl", ".zip", ".egg", ".pyz", ".pyzw", ".jar", ".conda")
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_COMPRESSED = (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0")  # what tarfile opens by itself
_ZSTANDARD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive may ask for. A bound that is reached is a `LimitExceeded`."""

    members: int = 200_000  # entries in one archive
    member_bytes: int = 32 * 2**20  # of one member, unpacked
    total_bytes: int = 2 * 2**30  # of all members that are read, unpacked


DEFAULT_LIMITS = ArchiveLimits()


class Member(NamedTuple):
    """One file in an archive."""

    name: str  # as the archive writes it
    size: int  # bytes unpacked, as the archive states it
    mtime: int | None = None  # seconds since 1970, where the archive says it to the second


class Oddity(NamedTuple):
    """A name that a careful reader does not take as it is."""

    what: str  # "twice", "outside" or "link"
    name: str

    @property
    def text(self) -> str:
        """In words."""
        return {
            "twice": f"{self.name} occurs more than once; the last one is read",
            "outside": f"{self.name} leads out of the archive's folder",
            "link": f"{self.name} is a link or a device and is not read",
        }[self.what]


class Archive(Protocol):
    """An open archive."""

    members: tuple[Member, ...]
    warnings: tuple[str, ...]  # names that occur twice, links, paths that lead out
    oddities: tuple[Oddity, ...]  # the same as data
    kind: str  # "zip", "tar" or "frozen"
    left: int  # bytes that may still be unpacked

    def read(self, name: str) -> bytes:
        """The bytes of a member.

        Raises:
            TargetNotFound: There is no such member.
            LimitExceeded: It is larger than the limits allow, whatever the archive states.
            TargetError: It is encrypted, damaged, or packed in an unknown way.
        """


def is_archive(path: str) -> bool:
    """True if the file name is that of a wheel, zip, egg, zipapp, conda or tar archive."""
    return path.lower().endswith(_ZIPS + _TARS)


def holds_archive(path: str) -> bool:
    """True for a file that is an archive by its name, or by what is in it: a program too."""
    if is_archive(path):
        return True
    try:
        with open(path, "rb") as file:
            return _kind_of(file) is not None
    except (OSError, ValueError):
        return False


def kind_of(data: bytes) -> str | None:
    """The kind of archive that bytes are: "zip", "tar", "frozen"; None if they are none."""
    return _kind_of(io.BytesIO(data))


def _kind_of(file: IO[bytes]) -> str | None:
    head = file.read(512)
    file.seek(0)
    if head[257:262] == b"ustar" or head.startswith((*_COMPRESSED, _ZSTANDARD)):
        return "tar"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(frozen.PYZ):
        return "frozen"
    if head.startswith(_PROGRAMS) and frozen.is_frozen(file.read(_LARGEST_PROGRAM)):
        file.seek(0)
        return "frozen"
    file.seek(0)
    with suppress(OSError, ValueError, struct.error):
        if zipfile.is_zipfile(file):
            return "zip"
    return None


# ELF, Mach-O and Windows; a tail of other bytes does not matter.
_PROGRAMS = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xce\xfa\xed\xfe")
_LARGEST_PROGRAM = 2**30  # bytes
_LONGEST_LINK = 4096  # bytes


@contextmanager
def opened(path: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[Archive]:
    """Open an archive for reading.

    Raises:
        TargetNotFound: There is no such file.
        TargetError: It cannot be read, or is not an archive of its kind.
        LimitExceeded: It has more members than the limits allow.
    """
    with _named(path), open(path, "rb") as file:
        archive = _opened(file, path, limits)
        try:
            yield archive
        finally:
            archive.close()


@contextmanager
def opened_in(data: bytes, name: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[Archive]:
    """Open an archive that is in memory: a member of another one, or standard input.

    Args:
        data: Its bytes.
        name: For errors.
        limits: What it may ask for.

    Raises:
        TargetError, LimitExceeded: See `opened`.
    """
    with _named(name):
        archive = _opened(io.BytesIO(data), name, limits)
        try:
            yield archive
        finally:
            archive.close()


def _opened(file: IO[bytes], path: str, limits: ArchiveLimits) -> _Zip | _Tar | _Frozen:
    kind = _kind_of(file) or ("tar" if path.lower().endswith(_TARS) else "zip")
    if kind == "frozen":
        return _Frozen(file, path, limits)
    return _Tar(file, path, limits) if kind == "tar" else _Zip(file, path, limits)


_UNREADABLE: tuple[type[Exception], ...] = (OSError, ValueError, RuntimeError)
with suppress(ImportError):  # some builds of CPython, such as Pyodide's up to 3.13, have no lzma
    _UNREADABLE += (import_module("lzma").LZMAError,)


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Report what the system and the libraries say of an archive as coscope's own errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise TargetNotFound("there is no such file", file=path) from error
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, UnicodeError) as error:
        raise TargetError(f"the archive is damaged: {error}", file=path) from error
    except (struct.error, IndexError, KeyError, OverflowError, AttributeError, TypeError) as error:
        # What zipfile and tarfile raise for tables that contradict themselves.
        raise TargetError(f"the archive is damaged: {type(error).__name__}", file=path) from error
    except (RecursionError, MemoryError) as error:
        raise LimitExceeded("the archive asks for too much", file=path) from error
    except _UNREADABLE as error:
        reason = getattr(error, "strerror", None) or error
        raise TargetError(f"cannot read the archive: {reason}", file=path) from error


class _Open:
    """What the two kinds share: the list of members, and the bytes that may still be read."""

    def __init__(self, path: str, limits: ArchiveLimits) -> None:
        self.path = path
        self.limits = limits
        self.left = limits.total_bytes
        self.members: tuple[Member, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self.oddities: tuple[Oddity, ...] = ()

    def _note(self, found: list[tuple[Member, bool]]) -> None:
        """Keep what is a file; `found` has members, and whether each is a regular file."""
        if len(found) > self.limits.members:
            raise LimitExceeded(
                "the limit members is reached",
                file=self.path,
                expected=f"at most {self.limits.members} members",
                found=len(found),
            )
        members: dict[str, Member] = {}
        odd = []
        for member, regular in found:
            name = member.name
            if not regular:
                odd.append(Oddity("link", name))
                if _leads_out(name, self._leads_to(name)):
                    odd.append(Oddity("outside", name))
            elif name in members:
                odd.append(Oddity("twice", name))
            if regular:
                members[name] = member
                if os.path.isabs(name) or ".." in name.replace("\\", "/").split("/"):
                    odd.append(Oddity("outside", name))
        self.members = tuple(members.values())
        self.oddities = tuple(odd)
        self.warnings = tuple(each.text for each in odd)

    def _leads_to(self, name: str) -> str:
        """Where a link leads, as the archive says it."""
        return ""

    def _bounded(self, name: str, size: int) -> int:
        """How many bytes may be unpacked of a member that states this size."""
        most = min(self.limits.member_bytes, self.left)
        if size > most:
            raise self._too_large(name, size)
        return most

    def _too_large(self, name: str, size: object) -> LimitExceeded:
        return LimitExceeded(
            f"the member {name} is too large",
            file=self.path,
            expected=f"at most {min(self.limits.member_bytes, self.left)} bytes",
            found=size,
        )

    def _missing(self, name: str) -> TargetNotFound:
        return TargetNotFound(f"there is no member {name}", file=self.path)

    def _held(self, name: str, data: bytes, most: int) -> bytes:
        if len(data) > most:
            raise self._too_large(name, f"more than {most}")
        self.left -= len(data)
        return data


class _Zip(_Open):
    kind = "zip"

    def __init__(self, file: IO[bytes], path: str, limits: ArchiveLimits) -> None:
        super().__init__(path, limits)
        self._zip = zipfile.ZipFile(file)
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        self._infos = {info.filename: info for info in infos}
        self._note(
            [
                # The upper half of the attributes is the Unix mode; 0o120000 is a symlink.
                (
                    Member(info.filename, info.file_size, _zip_time(info)),
                    (info.external_attr >> 28) & 0o17 != 0o12,
                )
                for info in infos
            ]
        )

    def _leads_to(self, name: str) -> str:
        try:
            with self._zip.open(self._infos[name]) as member:
                return member.read(_LONGEST_LINK).decode("utf-8", "replace")
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError, zlib.error):
            return ""

    def read(self, name: str) -> bytes:
        """See `Archive`."""
        info = self._infos.get(name)
        if info is None:
            raise self._missing(name)
        if info.flag_bits & 1:
            raise TargetError(f"the member {name} is encrypted", file=self.path)
        most = self._bounded(name, info.file_size)
        with _named(self.path):
            try:
                with self._zip.open(info) as member:
                    return self._held(name, member.read(most + 1), most)
            except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
                raise TargetError(
                    f"the member {name} cannot be unpacked: {error}", file=self.path
                ) from error

    def close(self) -> None:
        self._zip.close()


def _leads_out(name: str, link: str) -> bool:
    """True if a link leads to a place that is not in the archive."""
    if not link:
        return False
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(name), link.replace("\\", "/")))
    return posixpath.isabs(link) or joined.startswith("../")


def _zip_time(info: zipfile.ZipInfo) -> int | None:
    """The time of a member, to two seconds, in the zone of whoever packed it; None if odd."""
    try:
        return calendar.timegm((*info.date_time, 0, 0, 0))
    except (ValueError, OverflowError, TypeError):
        return None


class _Tar(_Open):
    """Compressed tar archives have no index: read the members in the order of the archive."""

    kind = "tar"

    def __init__(self, file: IO[bytes], path: str, limits: ArchiveLimits) -> None:
        super().__init__(path, limits)
        metered = _Metered(_plain(file), path, limits)
        self._tar: tarfile.TarFile = tarfile.open(fileobj=metered, mode="r:")  # noqa: SIM115 - closed by `opened`
        self._infos: dict[str, tarfile.TarInfo] = {}
        self._links: dict[str, str] = {}
        found: list[tuple[Member, bool]] = []
        unpacked = 0
        for info in self._tar:
            if info.isdir():
                continue
            # Skipping a member unpacks it too: a small file may state and hold very much.
            unpacked += info.size
            if len(found) > limits.members or unpacked > limits.total_bytes:
                raise LimitExceeded(
                    "the archive unpacks to too much",
                    file=path,
                    expected=f"at most {limits.members} members and {limits.total_bytes} bytes",
                    found=f"{len(found)} members and {unpacked} bytes before the end",
                )
            found.append((Member(info.name, info.size, int(info.mtime)), info.isreg()))
            if info.issym():
                self._links[info.name] = info.linkname
            if info.isreg():
                self._infos[info.name] = info
        self._note(found)

    def _leads_to(self, name: str) -> str:
        return self._links.get(name, "")

    def read(self, name: str) -> bytes:
        """See `Archive`."""
        info = self._infos.get(name)
        if info is None:
            raise self._missing(name)
        most = self._bounded(name, info.size)
        with _named(self.path):
            member = self._tar.extractfile(info)
            if member is None:
                raise self._missing(name)
            with member:
                return self._held(name, member.read(most + 1), most)

    def close(self) -> None:
        with suppress(OSError):
            self._tar.close()


def _plain(file: IO[bytes]) -> IO[bytes]:
    """The bytes of a tar archive, whatever packed them.

    Raises:
        TargetError: It is packed by what this Python cannot unpack.
    """
    head = file.read(8)
    file.seek(0)
    if head.startswith(b"\x1f\x8b"):
        import gzip

        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if head.startswith(b"BZh"):
        import bz2

        return bz2.BZ2File(file)
    if head.startswith(b"\xfd7zXZ"):
        import lzma

        return lzma.LZMAFile(file)
    if head.startswith(_ZSTANDARD):
        return _zstandard(file)
    return file


def _zstandard(file: IO[bytes]) -> IO[bytes]:
    """The bytes of a file that Zstandard packed: newer libraries have it."""
    for name in ("compression.zstd", "backports.zstd"):
        with suppress(ImportError):
            opened: IO[bytes] = import_module(name).ZstdFile(file)
            return opened
    raise TargetError(
        "it is packed by Zstandard, which this Python cannot unpack",
        hint="Install backports.zstd, or use a Python that has compression.zstd.",
    )


class _Metered(io.RawIOBase):
    """Bounds what a tar archive makes its reader keep: a header may state any size."""

    def __init__(self, file: IO[bytes], path: str, limits: ArchiveLimits) -> None:
        self.file = file
        self.path = path
        self.most = limits.member_bytes + 1024

    def read(self, size: int = -1) -> bytes:
        """Bytes of the archive.

        Raises:
            LimitExceeded: More than the largest member are asked for at once.
        """
        if size < 0 or size > self.most:
            raise LimitExceeded(
                "a header of the archive is too large",
                file=self.path,
                expected=f"at most {self.most} bytes",
                found=size,
            )
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


class _Frozen(_Open):
    """A program of PyInstaller. Its code has the names of .pyc files."""

    kind = "frozen"

    def __init__(self, file: IO[bytes], path: str, limits: ArchiveLimits) -> None:
        super().__init__(path, limits)
        self._data = file.read(_LARGEST_PROGRAM)
        program = frozen.read_program(self._data, path)
        self._parts = {part.name: part for part in program.parts}
        self.encrypted = program.encrypted
        self._note(
            [(Member(part.name, max(part.size, part.packed)), True) for part in program.parts]
        )
        self.warnings = (*self.warnings, *program.warnings)

    def read(self, name: str) -> bytes:
        """See `Archive`."""
        part = self._parts.get(name)
        if part is None:
            raise self._missing(name)
        most = self._bounded(name, max(part.size, part.packed))
        return self._held(name, frozen.unpacked(self._data, part, most, self.path), most)

    def close(self) -> None:
        self._data = b""
