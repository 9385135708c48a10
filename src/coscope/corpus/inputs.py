"""What a scan is given -> contents with their places: files, folders, members of archives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from functools import partial
from hashlib import sha256

from coscope.errors import CoscopeError, LimitExceeded, TargetError, TargetNotFound
from coscope.readers.archives import is_archive, opened
from coscope.readers.from_source import read_bytes

SOURCES = (".py", ".pyw")
COMPILED = (".pyc",)
_LARGEST = 32 * 2**20  # bytes; larger files are rows with a reason
_SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", ".tox", ".nox"})


@dataclass(frozen=True, slots=True)
class Place:
    """One content in one place."""

    path: str  # as scanned, "/" between folders
    member: str  # inside an archive; "" for a file
    input: str  # the argument under which it was found
    sha256: str  # "" if it could not be read
    kind: str  # "source" or "pyc"
    magic: int  # of a .pyc: its first two bytes; else 0
    package: str = ""  # top-level module or package
    distribution: str = ""
    status: str = ""  # why it could not be read: "a limit", "unreadable"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution, wheel or sdist, from its METADATA."""

    distribution: str  # "attrs 24.2.0"
    name: str
    version: str
    path: str
    requires_python: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a scan reads."""

    places: tuple[Place, ...]  # sorted by path and member
    distributions: tuple[Distribution, ...]
    warnings: tuple[str, ...]  # of archives: duplicate names, links, paths that lead out


def find_inputs(
    arguments: Iterable[str],
    *,
    pycache: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Inputs:
    """Find and hash every content that the arguments name.

    Args:
        arguments: Files (.py, .pyw, .pyc), folders, archives (wheel, zip, egg, zipapp, sdist).
        pycache: Read .pyc files whose source is beside them, too.
        progress: Called with the contents found so far, and 0.

    Raises:
        TargetNotFound: An argument names nothing.
    """
    finder = _Finder(pycache, progress)
    for argument in arguments:
        finder.add(argument)
    unique = {(place.path, place.member): place for place in finder.places}
    found = {each.path: each for each in finder.distributions}
    return Inputs(
        tuple(unique[key] for key in sorted(unique)),
        tuple(found[key] for key in sorted(found)),
        tuple(dict.fromkeys(finder.warnings)),
    )


class _Finder:
    def __init__(self, pycache: bool, progress: Callable[[int, int], None] | None) -> None:
        self.pycache = pycache
        self.progress = progress
        self.places: list[Place] = []
        self.distributions: list[Distribution] = []
        self.warnings: list[str] = []

    def add(self, argument: str) -> None:
        """Add what one argument names."""
        if os.path.isdir(argument):
            before = len(self.places)
            self._folder(argument)
            if len(self.places) == before:
                raise TargetNotFound("the folder has no Python file", file=argument)
        elif not os.path.exists(argument):
            raise TargetNotFound("there is no such file or folder", file=argument)
        elif is_archive(argument):
            self._archive(argument, argument)
        elif argument.lower().endswith(SOURCES + COMPILED):
            self._file(argument, argument, "")
        else:
            raise TargetError(
                "this is neither a Python file nor an archive that can be read",
                file=argument,
                hint="Give folders, .py, .pyw, .pyc, .whl, .zip, .egg, .pyz or .tar.gz files.",
            )

    def _folder(self, root: str) -> None:
        owners = self._distributions_in(root)
        for path, folders, names in os.walk(root, onerror=self._refused):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED)
            present = set(names)
            for name in sorted(names):
                lower = name.lower()
                if lower.endswith(COMPILED) and not self._wanted(path, name, present):
                    continue
                if not lower.endswith(SOURCES + COMPILED):
                    continue
                file = os.path.join(path, name)
                if os.path.isfile(file):
                    inside = _slashes(os.path.relpath(file, root))
                    self._file(file, root, inside, owners.get(inside, ""))

    def _refused(self, error: OSError) -> None:
        name = _slashes(str(error.filename))
        reason = f"cannot read the folder: {error.strerror}"
        self.places.append(
            Place(
                path=name,
                member="",
                input=name,
                sha256="",
                kind="source",
                magic=0,
                package="",
                distribution="",
                status="unreadable",
                reason=reason,
            )
        )

    def _wanted(self, folder: str, name: str, present: set[str]) -> bool:
        """True for a .pyc that says something its source does not: by default those without one."""
        if self.pycache:
            return True
        if os.path.basename(folder) == "__pycache__":
            source = name.partition(".")[0] + ".py"
            return not os.path.exists(os.path.join(os.path.dirname(folder), source))
        return name[:-1] not in present

    def _file(self, path: str, root: str, inside: str, distribution: str = "") -> None:
        def read() -> bytes:
            if os.path.getsize(path) > _LARGEST:
                raise _too_large(path)
            return read_bytes(path)

        self._note(
            path=_slashes(path),
            member="",
            argument=root,
            read=read,
            package=_package_of(inside or path, not inside),
            distribution=distribution,
        )

    def _archive(self, path: str, argument: str) -> None:
        try:
            with opened(path) as archive:
                self.warnings += [f"{path}: {text}" for text in archive.warnings]
                held: dict[str, str] = {}
                for member in archive.members:
                    if member.name.endswith((".dist-info/METADATA", "EGG-INFO/PKG-INFO")):
                        text = archive.read(member.name).decode("utf-8", "replace")
                        held["distribution"] = self._describe(text, _slashes(path))
                        break
                for member in sorted(archive.members):
                    if member.name.lower().endswith(SOURCES + COMPILED):
                        self._note(
                            path=_slashes(path),
                            member=member.name,
                            argument=argument,
                            read=partial(archive.read, member.name),
                            package=_package_of(member.name),
                            distribution=held.get("distribution", ""),
                        )
        except CoscopeError as error:
            status = "a limit" if isinstance(error, LimitExceeded) else "unreadable"
            self.places.append(
                Place(
                    path=_slashes(path),
                    member="",
                    input=argument,
                    sha256="",
                    kind="source",
                    magic=0,
                    package="",
                    distribution="",
                    status=status,
                    reason=error.what,
                )
            )

    def _note(
        self,
        path: str,
        member: str,
        argument: str,
        read: Callable[[], bytes],
        package: str,
        distribution: str,
    ) -> None:
        kind = "pyc" if (member or path).lower().endswith(COMPILED) else "source"
        try:
            data = read()
        except (CoscopeError, OSError) as error:
            status = "a limit" if isinstance(error, LimitExceeded) else "unreadable"
            reason = error.what if isinstance(error, CoscopeError) else str(error.strerror)
            place = Place(
                path=path,
                member=member,
                input=argument,
                sha256="",
                kind=kind,
                magic=0,
                package=package,
                distribution=distribution,
                status=status,
                reason=reason,
            )
        else:
            magic = int.from_bytes(data[:2], "little") if kind == "pyc" else 0
            digest = sha256(data).hexdigest()
            place = Place(
                path=path,
                member=member,
                input=argument,
                sha256=digest,
                kind=kind,
                magic=magic,
                package=package,
                distribution=distribution,
            )
        self.places.append(place)
        if self.progress is not None:
            self.progress(len(self.places), 0)

    def _distributions_in(self, root: str) -> dict[str, str]:
        """By path relative to the folder: the distribution whose RECORD lists it."""
        owners: dict[str, str] = {}
        try:
            names = sorted(os.listdir(root))
        except OSError:
            return owners
        for name in names:
            if not name.endswith(".dist-info"):
                continue
            folder = os.path.join(root, name)
            text = _text_of(os.path.join(folder, "METADATA"))
            if not text:
                continue
            distribution = self._describe(text, _slashes(folder))
            for line in _text_of(os.path.join(folder, "RECORD")).splitlines():
                owners[line.rpartition(",")[0].rpartition(",")[0].strip('"')] = distribution
        return owners

    def _describe(self, metadata: str, path: str) -> str:
        fields = HeaderParser().parsestr(metadata)
        name, version = str(fields["Name"] or ""), str(fields["Version"] or "")
        made = Distribution(
            f"{name} {version}".strip(),
            name,
            version,
            path,
            str(fields["Requires-Python"] or ""),
        )
        self.distributions.append(made)
        return made.distribution


def _too_large(path: str) -> LimitExceeded:
    return LimitExceeded("the file is too large", file=path, expected=f"at most {_LARGEST} bytes")


def _text_of(path: str) -> str:
    try:
        return read_bytes(path).decode("utf-8", "replace")
    except CoscopeError:
        return ""


def _slashes(path: str) -> str:
    shown = path.replace(os.sep, "/")
    return shown.encode("utf-8", "backslashreplace").decode()


_LIBRARIES = frozenset({"site-packages", "dist-packages", "purelib", "platlib"})


def _package_of(path: str, single: bool = False) -> str:
    """Top-level module or package of a file.

    Args:
        path: Relative to the folder that was given, or a member of an archive.
        single: The file was given itself: where its package begins is not known.
    """
    parts = [part for part in _slashes(path).split("/") if part not in ("", ".", "__pycache__")]
    marks = [at for at, part in enumerate(parts) if part in _LIBRARIES]
    if marks:
        parts = parts[marks[-1] + 1 :]
    elif single:
        parts = parts[-1:]
    return parts[0].partition(".")[0] if parts else ""
