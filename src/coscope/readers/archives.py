"""Members of zip and tar archives, read in memory within limits; nothing is unpacked to disk."""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from coscope.errors import LimitExceeded, TargetError, TargetNotFound

_ZIPS = (".whl", ".zip", ".egg", ".pyz", ".pyzw", ".jar")
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


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


class Archive(Protocol):
    """An open archive."""

    members: tuple[Member, ...]
    warnings: tuple[str, ...]  # names that occur twice, links, paths that lead out

    def read(self, name: str) -> bytes:
        """The bytes of a member.

        Raises:
            TargetNotFound: There is no such member.
            LimitExceeded: It is larger than the limits allow, whatever the archive states.
            TargetError: It is encrypted, damaged, or packed in an unknown way.
        """


def is_archive(path: str) -> bool:
    """True if the file name is that of a wheel, zip, egg, zipapp or tar archive."""
    return path.lower().endswith(_ZIPS + _TARS)


@contextmanager
def opened(path: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[Archive]:
    """Open an archive for reading.

    Raises:
        TargetNotFound: There is no such file.
        TargetError: It cannot be read, or is not an archive of its kind.
        LimitExceeded: It has more members than the limits allow.
    """
    kind = _Tar if path.lower().endswith(_TARS) else _Zip
    with _named(path), open(path, "rb") as file:
        archive = kind(file, path, limits)
        try:
            yield archive
        finally:
            archive.close()


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Report what the system and the libraries say of an archive as coscope's own errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise TargetNotFound("there is no such file", file=path) from error
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, UnicodeError) as error:
        raise TargetError(f"the archive is damaged: {error}", file=path) from error
    except (OSError, ValueError, NotImplementedError) as error:
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

    def _note(self, found: list[tuple[str, int, bool]]) -> None:
        """Keep what is a file; `found` has name, size and whether it is a regular file."""
        if len(found) > self.limits.members:
            raise LimitExceeded(
                "the limit members is reached",
                file=self.path,
                expected=f"at most {self.limits.members} members",
                found=len(found),
            )
        members: dict[str, Member] = {}
        warnings = []
        for name, size, regular in found:
            if not regular:
                warnings.append(f"{name} is a link or a device and is not read")
            elif name in members:
                warnings.append(f"{name} occurs more than once; the last one is read")
            if regular:
                members[name] = Member(name, size)
                if os.path.isabs(name) or ".." in name.replace("\\", "/").split("/"):
                    warnings.append(f"{name} leads out of the archive's folder")
        self.members = tuple(members.values())
        self.warnings = tuple(warnings)

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
    def __init__(self, file: object, path: str, limits: ArchiveLimits) -> None:
        super().__init__(path, limits)
        self._zip = zipfile.ZipFile(file)  # type: ignore[call-overload]
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        self._infos = {info.filename: info for info in infos}
        self._note(
            [
                # The upper half of the attributes is the Unix mode; 0o120000 is a symlink.
                (info.filename, info.file_size, (info.external_attr >> 28) & 0o17 != 0o12)
                for info in infos
            ]
        )

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


class _Tar(_Open):
    """Compressed tar archives have no index: all members of interest are read in one pass."""

    def __init__(self, file: object, path: str, limits: ArchiveLimits) -> None:
        super().__init__(path, limits)
        self._tar: tarfile.TarFile = tarfile.open(fileobj=file, mode="r:*")  # type: ignore[call-overload]  # noqa: SIM115 - closed by `opened`
        self._infos: dict[str, tarfile.TarInfo] = {}
        found: list[tuple[str, int, bool]] = []
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
            found.append((info.name, info.size, info.isreg()))
            if info.isreg():
                self._infos[info.name] = info
        self._note(found)

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
