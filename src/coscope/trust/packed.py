"""Archives and programs: their bytecode, judged in memory, and what their names and RECORDs say."""

from __future__ import annotations

import mmap
import os
import posixpath
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from coscope.errors import CoscopeError
from coscope.readers import archives, frozen
from coscope.readers.archives import Archive, ArchiveLimits
from coscope.trust import environment
from coscope.trust.abilities import abilities_of
from coscope.trust.answers import BYTECODE, Answer, beside
from coscope.trust.caching import Named, Stated, header_of, named, running_in_zip
from coscope.trust.judging import Given, Judge
from coscope.trust.kinds import sign
from coscope.trust.model import FileTrust, Listed, Sign

_MEMBER = 256 * 2**20  # bytes of one member
_TOTAL = 2**30  # bytes of all that is unpacked of one target, archives inside of it too
_DEEPEST = 5  # archives inside of one another
_MOST = 500  # archives in one target
_INSTALLED = (".whl", ".conda")  # they are unpacked before they are used
_SOURCES = (".py", ".pyw")
_ODD = {"twice": "TRU501", "outside": "TRU502", "link": "TRU503"}


@dataclass(slots=True)
class _Budget:
    """What may still be unpacked."""

    left: int = _TOTAL
    archives: int = _MOST

    def limits(self) -> ArchiveLimits:
        return ArchiveLimits(member_bytes=min(_MEMBER, self.left), total_bytes=self.left)


def judge_archive(file: str, judge: Judge, *, found: bool = False) -> Answer:
    """Everything in an archive.

    Args:
        file: Its path.
        judge: Who remembers what fitted.
        found: It was found in a folder: if it is no archive after all, that is information.
    """
    budget = _Budget()
    answer = Answer()
    try:
        with archives.opened(file, budget.limits()) as held:
            _judge(held, file, judge, answer, budget)
    except CoscopeError as error:
        _refuse(answer, file, error, found)
    return answer


def judge_bytes(data: bytes, label: str, judge: Judge) -> Answer:
    """Everything in an archive that is in memory: standard input."""
    answer = Answer()
    _inner(data, label, judge, answer, _Budget())
    return answer


def _inner(data: bytes, label: str, judge: Judge, answer: Answer, budget: _Budget) -> None:
    try:
        with archives.opened_in(data, label, budget.limits()) as held:
            _judge(held, label, judge, answer, budget)
    except CoscopeError as error:
        _refuse(answer, label, error, "::" in label)


def _refuse(answer: Answer, label: str, error: CoscopeError, found: bool) -> None:
    what = error.what if error.found is None else f"{error.what}: {error.found}"
    answer.signs.append(sign("TRU505" if found else "TRU506", what, label))


def _judge(held: Archive, label: str, judge: Judge, answer: Answer, budget: _Budget) -> None:
    budget.archives -= 1
    inside = _Inside(held, label, answer)
    counts = Counter(each.name for each in held.oddities if each.what == "twice")
    for odd in dict.fromkeys(held.oddities):
        text = (
            odd.text if odd.what != "twice" else f"{odd.name} occurs {counts[odd.name] + 1} times"
        )
        answer.signs.append(sign(_ODD[odd.what], text, label))
    if held.kind == "frozen":
        for warning in held.warnings:
            answer.signs.append(sign("TRU506", warning, label))
    if getattr(held, "encrypted", False):
        text = "its modules are encrypted: PyInstaller's key is in pyimod00_crypto_key"
        answer.signs.append(sign("TRU504", text, label))
    answer.read += len(held.members)
    for name in inside.bytecode:
        trusted = _judge_member(inside, name, judge)
        if trusted is not None:
            answer.files.append(trusted)
    _check_around(inside)
    budget.left = min(budget.left, held.left)
    for name in inside.archives:
        data = inside.read(name)
        if data is None or archives.kind_of(data) is None:
            text = "it has the name of an archive, and is none"
            answer.signs.append(sign("TRU505", text, f"{label}::{name}"))
        elif label.count("::") >= _DEEPEST or budget.archives <= 0:
            text = "archives are inside of one another too deeply, or too many"
            answer.signs.append(sign("TRU506", text, f"{label}::{name}"))
        else:
            _inner(data, f"{label}::{name}", judge, answer, budget)


class _Inside:
    """One archive's members, read once each where the archive has no index."""

    def __init__(self, held: Archive, label: str, answer: Answer) -> None:
        self.held = held
        self.label = label
        self.answer = answer
        self.members = {member.name: member for member in held.members}
        self.bytecode = sorted(each for each in self.members if each.lower().endswith(BYTECODE))
        self.archives = sorted(each for each in self.members if archives.is_archive(each))
        self.sourceless = not any(each.endswith(_SOURCES) for each in self.members)
        self._kept: dict[str, bytes] = {}
        if held.kind == "tar":
            self._read_in_order()

    def _read_in_order(self) -> None:
        wanted = {*self.bytecode, *self.archives}
        wanted |= {named(each).source for each in self.bytecode}
        ends = (*environment.METADATA, ".pth")
        wanted |= {each for each in self.members if each.endswith(ends)}
        for name in self.members:  # in the order of the archive
            if name in wanted:
                data = self._fetch(name)
                if data is not None:
                    self._kept[name] = data

    def read(self, name: str) -> bytes | None:
        """The bytes of a member; None if it cannot be read, which is a sign."""
        if name not in self.members:
            return None
        return self._kept.get(name) if self.held.kind == "tar" else self._fetch(name)

    def _fetch(self, name: str) -> bytes | None:
        try:
            return self.held.read(name)
        except CoscopeError as error:
            what = error.what if error.found is None else f"{error.what}: {error.found}"
            kind = "TRU504" if "encrypted" in error.what else "TRU506"
            self.answer.signs.append(sign(kind, what, f"{self.label}::{name}"))
            return None


def _judge_member(inside: _Inside, name: str, judge: Judge) -> FileTrust | None:
    data = inside.read(name)
    if data is None:
        return None
    label = f"{inside.label}::{name}"
    path = named(name)
    held = inside.read(path.source)
    source = None
    if held is not None:
        member = inside.members[path.source]
        source = Stated(held, member.mtime if inside.held.kind == "tar" else None)
    given = Given(
        file=label,
        data=data,
        source=held,
        source_name=None if held is None else f"{inside.label}::{path.source}",
        level=path.level,
        inside=posixpath.normpath(path.source),
        pytest=path.pytest,
        frozen=inside.held.kind == "frozen" or inside.sourceless,
    )
    trusted, code = judge.judge(given)
    trusted = _running(trusted, inside, path, source, data)
    if code is not None and trusted.verdict in ("no source", "differs"):
        able, signs = abilities_of(code, label)
        trusted = replace(trusted, abilities=able, signs=(*trusted.signs, *signs))
    return trusted


def _running(
    trusted: FileTrust, inside: _Inside, path: Named, source: Stated | None, data: bytes
) -> FileTrust:
    if inside.held.kind == "frozen":
        return replace(trusted, runs="this code, by the program")
    header = header_of(data)
    if header is None:
        return trusted
    imported = inside.held.kind == "zip" and not inside.label.lower().endswith(_INSTALLED)
    imported = imported and not any(each.endswith("/PKG-INFO") for each in inside.members)
    runs, signs = running_in_zip(trusted.file, path, header, source, imported)
    return replace(trusted, runs=runs, signs=(*trusted.signs, *signs))


def _check_around(inside: _Inside) -> None:
    """RECORDs, .pth lines, extension modules and entry points."""
    answer, label = inside.answer, inside.label

    def read(name: str) -> bytes:
        data = inside.read(name)
        if data is None:
            raise CoscopeError("it cannot be read")
        return data

    held = environment.Held(
        label=lambda name: f"{label}::{name}",
        names=list(inside.members),
        read=read,
        hashed=_hashed(inside),
    )
    listed: set[str] = set()
    records = [each for each in inside.members if each.endswith(".dist-info/RECORD")]
    for record in filter(_is_of_site, records if inside.held.kind == "zip" else ()):
        signs, rows = environment.check_record(record, held)
        answer.signs += signs
        listed |= rows
    if label.lower().endswith(".whl"):
        if not records:
            answer.signs.append(sign("TRU405", "the wheel has no RECORD", label))
        answer.signs += _not_in_wheel(inside, listed)
    for name in (each for each in inside.members if each.endswith(".pth")):
        data = inside.read(name)
        if data is not None:
            answer.signs += environment.path_lines(data, f"{label}::{name}")
            answer.listed.append(Listed("path file", f"{label}::{name}", ""))
    answer.listed += beside(held)


def _is_of_site(record: str) -> bool:
    """True for the RECORD of a distribution, not of one that another one holds inside."""
    folder = posixpath.dirname(posixpath.dirname(record))
    return not folder or posixpath.basename(folder) in environment.SITES


def _not_in_wheel(inside: _Inside, listed: set[str]) -> list[Sign]:
    unhashed = (".dist-info/RECORD", ".dist-info/RECORD.jws", ".dist-info/RECORD.p7s")
    return [
        sign("TRU404", f"{name} is not in RECORD", f"{inside.label}::{name}")
        for name in inside.members
        if name not in listed and not name.endswith(unhashed) and listed
    ]


def _hashed(inside: _Inside) -> Callable[[str, str], tuple[str, int] | None]:
    def hashed(name: str, algorithm: str) -> tuple[str, int] | None:
        data = inside.read(name)
        return None if data is None else (environment.digest_of(data, algorithm), len(data))

    return hashed


def is_program(path: str) -> bool:
    """True for an executable file of a folder that PyInstaller made."""
    try:
        status = os.lstat(path)
        runs = status.st_mode & 0o111 or path.lower().endswith(".exe")
        if not stat.S_ISREG(status.st_mode) or not runs or status.st_size < 4096:
            return False
        with open(path, "rb") as file:
            if file.read(4)[:2] not in (b"\x7fE", b"MZ", b"\xcf\xfa", b"\xca\xfe"):
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
                return held.rfind(frozen.COOKIE) >= 0
    except (OSError, ValueError):
        return False
