"""Folders of modules: what is in them, and the judging of each part.

Links to folders are not followed.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from coscope.errors import CoscopeError, LimitExceeded, TargetError
from coscope.readers.archives import is_archive
from coscope.trust import environment
from coscope.trust.abilities import abilities_of
from coscope.trust.answers import BYTECODE, Answer, Task, beside
from coscope.trust.caching import Named, Stated, header_of, named, running
from coscope.trust.judging import Given, Judge
from coscope.trust.kinds import sign
from coscope.trust.model import FileTrust, Listed, Sign
from coscope.trust.packed import is_program

LARGEST = 32 * 2**20  # bytes of one file
_MOST_LARGEST = 2 * 2**30  # bytes of a file that is only hashed


@dataclass(slots=True)
class Walked:
    """Everything of interest in a folder, as paths relative to it."""

    root: str
    bytecode: list[str] = field(default_factory=list)
    archives: list[str] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)  # "" for the root itself
    native: list[str] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)


def walk(root: str) -> Walked:
    """Look through a folder. Hidden folders are looked at too: what hides there can run."""
    found = Walked(root)

    def refused(error: OSError) -> None:
        text = f"cannot read the folder: {error.strerror}"
        found.signs.append(sign("TRU104", text, str(error.filename)))

    for path, folders, names in os.walk(root, onerror=refused):
        folders.sort()
        inside = slashed(os.path.relpath(path, root))
        inside = "" if inside == "." else inside
        vendored = any(not site or inside.startswith(f"{site}/") for site in found.sites)
        if _is_site(path, folders, names) and not (vendored and not _is_named_site(path)):
            found.sites.append(inside)
        for name in sorted(names):
            _sort(found, name, posixpath.join(inside, name) if inside else name)
    return found


def _sort(found: Walked, name: str, path: str) -> None:
    lower = name.lower()
    if lower.endswith(BYTECODE):
        found.bytecode.append(path)
    elif lower.endswith(environment.NATIVE):
        found.native.append(path)
    elif is_archive(lower) or (_may_be_program(lower) and is_program(joined(found.root, path))):
        found.archives.append(path)


def _may_be_program(name: str) -> bool:
    return name.endswith(".exe") or "." not in name


def _is_named_site(path: str) -> bool:
    return os.path.basename(path) in environment.SITES


def _is_site(path: str, folders: Sequence[str], names: Sequence[str]) -> bool:
    return (
        _is_named_site(path)
        or any(each.endswith((".dist-info", ".egg-info")) for each in folders)
        or any(each.endswith(".pth") for each in names)
    )


def slashed(path: str) -> str:
    """A path with "/" between folders."""
    return path.replace(os.sep, "/")


def joined(root: str, path: str) -> str:
    """The path of a file in a folder, as the user would write it."""
    return os.path.join(root, *path.split("/")) if path else root


def judge_files(task: Task, judge: Judge) -> Answer:
    """The verdicts on some bytecode files of a folder."""
    answer = Answer()
    for path in task.paths:
        answer.files.append(judge_file(joined(task.root, path), task.root, judge))
        answer.read += 1
    return answer


def judge_file(file: str, root: str, judge: Judge) -> FileTrust:
    """The verdict on one bytecode file of a folder.

    Args:
        file: Where it is.
        root: The tree that it is in.
        judge: Who remembers what fitted.
    """
    try:
        data = read(file)
    except CoscopeError as error:
        made = sign("TRU104", error.what, file)
        return FileTrust(file, "unreadable", (error.what,), signs=(made,))
    name = named(slashed(file))
    source = _source(name.source)
    inner = _inside(name.source, slashed(root))
    given = Given(
        file=file,
        data=data,
        source=None if source is None else source.data,
        source_name=None if source is None else name.source,
        level=name.level,
        inside=inner,
        guesses=(os.path.abspath(name.source), name.source),
        pytest=name.pytest,
    )
    trusted, code = judge.judge(given)
    header = header_of(data)
    if header is not None:
        runs, signs = running(file, name, header, source, _names(os.path.dirname(name.source)))
        trusted = replace(trusted, runs=runs, signs=(*trusted.signs, *signs))
    if code is not None and trusted.verdict in ("no source", "differs"):
        able, signs = abilities_of(code, file)
        trusted = replace(trusted, abilities=able, signs=(*trusted.signs, *signs))
    return trusted


def _inside(source: str, root: str) -> str:
    """The path of a source in a tree; its name if that is a single file's folder."""
    if root and source.startswith(f"{root.rstrip('/')}/"):
        return source[len(root.rstrip("/")) + 1 :]
    return posixpath.basename(source)


def _source(path: str) -> Stated | None:
    """The source where it belongs; None if it is no regular file, or cannot be read."""
    try:
        status = os.stat(path)
        return Stated(read(path), int(status.st_mtime))
    except (CoscopeError, OSError, ValueError):
        return None


@lru_cache(maxsize=256)
def _names(folder: str) -> frozenset[str]:
    """Names in a folder; those of packages end in "/"."""
    found = set()
    try:
        with os.scandir(folder or ".") as entries:
            for entry in entries:
                package = entry.is_dir() and os.path.exists(os.path.join(entry.path, "__init__.py"))
                found.add(f"{entry.name}/" if package else entry.name)
    except OSError:
        return frozenset()
    return frozenset(found)


def read(path: str, most: int = LARGEST) -> bytes:
    """The bytes of a regular file.

    Raises:
        TargetError: It is none, or cannot be read.
        LimitExceeded: It is too large.
    """
    try:
        with open(path, "rb", opener=_opener) as file:
            data = file.read(min(most, os.fstat(file.fileno()).st_size) + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TargetError(f"cannot read the file: {reason}", file=path) from error
    if len(data) > most:
        raise LimitExceeded(
            "the file is too large", file=path, expected=f"at most {most} bytes", found="more"
        )
    return data


def _opener(path: str, flags: int) -> int:
    """Open without waiting for a writer, where a pipe stands in the place of a file."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "no regular file")
    return handle


def check_site(task: Task) -> Answer:
    """What stands beside bytecode in a folder of distributions."""
    answer = Answer()
    root = joined(task.root, task.paths[0])
    names = list(_files_under(root))
    held = environment.Held(
        label=lambda path: joined(root, path),
        names=names,
        read=lambda path: read(joined(root, path)),
        hashed=lambda path, algorithm: _hashed(root, path, algorithm),
    )
    listed: set[str] = set()
    for record in (each for each in names if each.endswith(".dist-info/RECORD")):
        if record.count("/") == 1:
            signs, rows = environment.check_record(record, held)
            answer.signs += signs
            listed |= rows
            answer.read += len(rows)
    if listed:
        folders = environment.owned_folders(listed)
        answer.signs += environment.unlisted(held, listed, folders)
    answer.signs += environment.starting_modules(names, held.label)
    changed = {each.file for each in answer.signs if each.kind == "TRU403"}
    for path in (each for each in names if each.endswith(".pth") and "/" not in each):
        vouched = path in listed and held.label(path) not in changed
        answer.signs += _of_path_file(path, held)
        answer.listed.append(
            Listed("path file", held.label(path), "vouched for" if vouched else "")
        )
    answer.listed += list(beside(held))
    return answer


def _of_path_file(path: str, held: environment.Held) -> list[Sign]:
    try:
        data = held.read(path)
    except CoscopeError as error:
        return [sign("TRU104", error.what, held.label(path))]
    return list(environment.path_lines(data, held.label(path)))


def _files_under(root: str) -> Iterator[str]:
    for path, folders, names in os.walk(root):
        folders.sort()
        inside = slashed(os.path.relpath(path, root))
        for name in names:
            yield name if inside == "." else f"{inside}/{name}"


def _hashed(root: str, path: str, algorithm: str) -> tuple[str, int] | None:
    """Hash and size of a file of a distribution; it may be in the environment's other folders."""
    file = os.path.normpath(joined(root, path))
    try:
        data = read(file, _MOST_LARGEST)
    except CoscopeError:
        return None
    return environment.digest_of(data, algorithm), len(data)


def state_of(file: str) -> tuple[int, int, int, int] | None:
    """What changes whenever a file does: size, times of content and of status, and inode."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def source_of(file: str) -> Named:
    """What the path of a bytecode file in a folder says."""
    return named(slashed(file))
