"""The ladder: one bytecode file and what may be its source -> a verdict. Nothing is executed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from coscope.codec.marshal_forms import forms
from coscope.codec.marshalling import dump
from coscope.codec.pyc import Header, read_header
from coscope.codec.unmarshal import read
from coscope.errors import CoscopeError, UnknownMagic
from coscope.facts.differences.difference import HARMLESS, Difference, diff
from coscope.model import Code
from coscope.opcodes import table
from coscope.readers.from_interpreter import Interpreter
from coscope.readers.from_source import static_function
from coscope.trust.drift import Drift, explained
from coscope.trust.hiding import rooms
from coscope.trust.kinds import sign
from coscope.trust.model import FileTrust, Place, Sign
from coscope.trust.places import places, same_constant
from coscope.trust.recompile import Recompiler
from coscope.trust.rewriting import rewritten_by_pytest

LEVELS = (0, 1, 2)

_ASIDE = frozenset((*HARMLESS, "columns", "first line", "stack size"))  # of a place that differs


class Given(NamedTuple):
    """One bytecode file and what may be its source."""

    file: str  # as a target
    data: bytes
    source: bytes | None
    source_name: str | None  # as a target
    level: int | None  # of optimisation, as the name says; None: it does not
    inside: str = ""  # path of the source in the tree, "/" between folders
    guesses: tuple[str, ...] = ()  # what `co_filename` may be
    pytest: bool = False  # the name says that pytest wrote it
    frozen: bool = False  # of a frozen program, where nothing has a source


@dataclass(slots=True)
class _Attempt:
    """One compilation."""

    by: Interpreter
    level: int
    code: Code
    columns: bool = True


class Judge:
    """Judges files one by one, and remembers what compiler and file names fitted."""

    def __init__(self, python: str | None = None) -> None:
        self.compilers = Recompiler(python)
        self._prefixes: list[str] = []  # of `co_filename`, the last that fitted first

    def judge(self, given: Given) -> tuple[FileTrust, Code | None]:
        """The verdict on a file, and its code where more is to be said of it."""
        signs: list[Sign]
        trusted = FileTrust(given.file, "unreadable", source=given.source_name)
        try:
            header = read_header(given.data, given.file)
        except CoscopeError as error:
            return self._unreadable(trusted, error), None
        how = _invalidation(header)
        trusted = replace(trusted, version=header.version, invalidation=how)
        if header.warnings:
            signs = [sign("TRU307", each, given.file, offset=0) for each in header.warnings]
            trusted = _with(trusted, signs)
        found = self._quickly(given, header, trusted)
        if found is not None:
            return found, None
        try:
            code, stop = read(
                given.data, table(header.version), file=given.file, start=header.payload
            )
            if not isinstance(code, Code):
                raise UnknownMagic("the payload is no code object", file=given.file)
        except CoscopeError as error:
            return self._unreadable(trusted, error), None
        signs = [*_behind(given, header, stop), *_odd_name(given, code)]
        trusted = _with(trusted, signs, prefix=_prefix(code.filename, given))
        found = self._slowly(given, header, code, trusted)
        if found.prefix is not None and found.verdict in ("identical", "same"):
            others = [each for each in self._prefixes if each != found.prefix]
            self._prefixes = [found.prefix, *others][:3]
        return found, code

    def _unreadable(self, trusted: FileTrust, error: CoscopeError) -> FileTrust:
        made = sign("TRU104", error.what, trusted.file, offset=error.offset)
        if error.expected is not None or error.found is not None:
            made = replace(made, message=f"{error.what}: {error.found}")
        return _with(trusted, [made], details=(error.what,))

    def _quickly(self, given: Given, header: Header, trusted: FileTrust) -> FileTrust | None:
        """The whole file is what the likely compiler makes of the source: nothing is decoded."""
        if given.source is None:
            return None
        by = self.compilers.likely(header.version)
        payload = given.data[header.payload :]
        names = (*given.guesses, *(prefix + given.inside for prefix in self._prefixes))
        for name in names:
            if by is None or name.encode("utf-8", "surrogatepass") not in payload:
                continue
            level = given.level or 0
            if self.compilers.compiled(by, given.source, name, level=level) == payload:
                self.compilers.fitted(by)
                return replace(
                    trusted,
                    verdict="identical",
                    release=by.release,
                    level=level,
                    prefix=_prefix(name, given),
                )
        return None

    def _slowly(self, given: Given, header: Header, code: Code, trusted: FileTrust) -> FileTrust:
        if given.source is None:
            return _without_source(given, code, trusted)
        payload = given.data[header.payload :]
        attempts: list[_Attempt] = []
        for by, level, columns in self._attempts(header.version, given, code):
            made = self.compilers.compiled(
                by, given.source, code.filename, level=level, columns=columns
            )
            if made is None:
                continue
            verdict = "identical" if made == payload else ""
            other = _loaded(made, header.version)
            if other is None:
                continue
            if not verdict and same_constant(code, other):
                verdict = "same"
            if verdict:
                self.compilers.fitted(by)
                return _fitting(given, trusted, verdict, _Attempt(by, level, other, columns))
            attempts.append(_Attempt(by, level, other, columns))
        if not attempts:
            return self._not_compared(given, header, trusted)
        return _unlike(given, code, attempts, trusted)

    def _attempts(
        self, version: str, given: Given, code: Code
    ) -> Iterator[tuple[Interpreter, int, bool]]:
        """What may have compiled it, the likely first: interpreter, level, with columns."""
        hinted = 0 if given.level is None else given.level
        levels = sorted(LEVELS, key=lambda level: level != hinted)
        bare = _has_no_columns(code)
        found = list(self.compilers.all(version))
        for level in levels:
            for by in found:
                if bare:
                    yield by, level, False
                if not bare or level == hinted:
                    yield by, level, True

    def _not_compared(self, given: Given, header: Header, trusted: FileTrust) -> FileTrust:
        if next(self.compilers.all(header.version), None) is None:
            what = f"no interpreter of CPython {header.version} is here to recompile the source"
            return _with(trusted, [sign("TRU104", what, given.file)], details=(what,))
        what = f"the source does not compile with CPython {header.version}"
        return _with(
            trusted, [sign("TRU101", what, given.file)], verdict="differs", details=(what,)
        )


def _prefix(name: str, given: Given) -> str | None:
    """What `co_filename` has before the path in the tree; None if it does not end so."""
    name = posixpath.normpath(name.replace("\\", "/"))
    return name.removesuffix(given.inside) if given.inside and name.endswith(given.inside) else None


def _odd_name(given: Given, code: Code) -> Iterator[Sign]:
    """A sign if `co_filename` is not that of the module, or nested code has another one."""
    if given.inside:
        base = posixpath.basename(given.inside)
        if posixpath.basename(code.filename.replace("\\", "/")) != base:
            text = f"co_filename is {code.filename!r}, the module is {base}"
            yield sign("TRU214", text, given.file, code=code.qualname)
    for each in code.walk():
        if each.filename != code.filename:
            text = f"co_filename is {each.filename!r}, that of the module {code.filename!r}"
            yield sign("TRU214", text, given.file, code=each.qualname, line=each.firstlineno)
            return


def _with(trusted: FileTrust, signs: Sequence[Sign], **fields: object) -> FileTrust:
    return replace(trusted, signs=(*trusted.signs, *signs), **fields)  # type: ignore[arg-type]


def _invalidation(header: Header) -> str:
    if not header.is_hash_based:
        return "time"
    return "checked hash" if header.checks_source else "unchecked hash"


def _loaded(payload: bytes, version: str) -> Code | None:
    try:
        code = read(payload, table(version)).value
    except CoscopeError:
        return None
    return code if isinstance(code, Code) else None


def _behind(given: Given, header: Header, stop: int) -> list[Sign]:
    """Signs for bytes after the code object, and for values in an odd form."""
    found = []
    rules = table(header.version)
    rest = len(given.data) - stop
    if rest:
        text = f"{rest:,} bytes follow the code object"
        found.append(sign("TRU207", text, given.file, offset=stop))
        try:
            second = read(given.data, rules, start=stop).value
        except CoscopeError:
            second = None
        if isinstance(second, Code | tuple | str | bytes):
            what = f"code {second.qualname}" if isinstance(second, Code) else type(second).__name__
            text = f"a second object follows the code object: {what}"
            found.append(sign("TRU208", text, given.file, offset=stop))
    body = given.data[header.payload : stop]
    try:
        code = read(body, rules).value
        plain = dump(code, header.version, like=forms(body, rules))
    except (CoscopeError, RecursionError):
        return found
    if plain != body:
        pairs = enumerate(zip(plain, body, strict=False))
        at = next((at for at, (one, other) in pairs if one != other), min(len(plain), len(body)))
        text = "the values are written in another form than marshal's"
        found.append(sign("TRU213", text, given.file, offset=header.payload + at))
    return found


def _has_no_columns(code: Code) -> bool:
    """True if no instruction has a column, as under `-X no_debug_ranges`; 3.11 and later."""
    if table(code.version).exceptions == "block stack":
        return False
    try:
        spans = (span for each in code.walk() for span in each.instructions.positions)
        return all(span.col_offset is None for span in spans)
    except CoscopeError:
        return False


def _fitting(given: Given, trusted: FileTrust, verdict: str, fit: _Attempt) -> FileTrust:
    """The file is what one of the compilers makes of the source."""
    details = []
    signs = []
    if not fit.columns:
        details.append("compiled with -X no_debug_ranges")
    if fit.level != (given.level or 0):
        text = f"compiled at optimisation level {fit.level}"
        details.append(text)
        if given.level is not None:
            signs.append(sign("TRU107", text, given.file))
    if verdict == "same":
        details.append("marshal references or the order of a set differ")
    return _with(
        trusted,
        signs,
        verdict=verdict,
        details=tuple(details),
        release=fit.by.release,
        level=fit.level,
    )


def _without_source(given: Given, code: Code, trusted: FileTrust) -> FileTrust:
    severity = "info" if given.frozen else None
    text = "there is no source to compare it with"
    first = sign("TRU103", text, given.file, severity=severity)
    return _with(trusted, [first, *rooms(code, None, given.file)], verdict="no source")


def _unlike(given: Given, code: Code, attempts: list[_Attempt], trusted: FileTrust) -> FileTrust:
    """No compiler makes it of the source: what differs, and whether something explains it."""
    assert given.source is not None
    known = _explained(given, code, attempts, trusted)
    if known is not None:
        return known
    nearest = min(attempts, key=lambda each: _distance(code, each.code))
    differing = places(code, nearest.code)
    hidden = rooms(code, nearest.code, given.file)
    trusted = replace(
        trusted, places=tuple(differing), release=nearest.by.release, level=nearest.level
    )
    return _judged(given, trusted, _difference(code, nearest.code), hidden)


def _explained(
    given: Given, code: Code, attempts: list[_Attempt], trusted: FileTrust
) -> FileTrust | None:
    """The verdict if another release, or pytest, explains every difference."""
    assert given.source is not None
    for each in attempts:
        drifts = explained(code, each.code)
        if drifts:
            return _drifted(given, trusted, each, drifts)
    for each in attempts if given.pytest else ():
        if rewritten_by_pytest(code, each.code, given.source):
            text = "its assert statements were rewritten by pytest"
            return _with(
                trusted,
                [sign("TRU108", text, given.file)],
                verdict="same behaviour",
                details=(text,),
                release=each.by.release,
                level=each.level,
            )
    return None


def _drifted(
    given: Given, trusted: FileTrust, attempt: _Attempt, drifts: Sequence[Drift]
) -> FileTrust:
    words = tuple(f"{each.what} ({each.issue})" if each.issue else each.what for each in drifts)
    releases = "; ".join(dict.fromkeys(each.releases for each in drifts))
    text = f"the same source, compiled by another release: {'; '.join(words)}: {releases}"
    return _with(
        trusted,
        [sign("TRU105", text, given.file)],
        verdict="known drift",
        details=words,
        release=attempt.by.release,
        level=attempt.level,
        drifts=tuple(each.name for each in drifts),
    )


def _distance(code: Code, other: Code) -> int:
    return len(places(code, other))


def _difference(code: Code, other: Code) -> Difference | None:
    functions = (static_function(each, "pyc", None) for each in (code, other))
    try:
        return diff(*functions)
    except (CoscopeError, RecursionError):
        return None


def _judged(
    given: Given, trusted: FileTrust, found: Difference | None, hidden: list[Sign]
) -> FileTrust:
    """Same behaviour or not; every place where bytes differ is shown, whatever its effect."""
    what = _named(trusted.places)
    first = trusted.places[0] if trusted.places else None
    if found is not None and found.same:
        text = f"same behaviour, but {what} differ"
        made = _at(sign("TRU102", text, given.file), first)
        details = (*dict.fromkeys(each.what for each in trusted.places),)
        return _with(trusted, [made, *hidden], verdict="same behaviour", details=details)
    codes = () if found is None else found.codes
    names = [each.left for each in codes]
    if found is not None:
        names += [f"{name} (only here)" for name in found.removed]
        names += [f"{name} (only in the source)" for name in found.added]
    where = ", ".join(dict.fromkeys(names)) or (first.code if first else "<module>")
    worst = next((each for each in trusted.places if each.what not in _ASIDE), first)
    made = _at(sign("TRU101", f"{where} differs from the source: {what}", given.file), worst)
    return _with(trusted, [made, *hidden], verdict="differs", codes=codes, details=(f"in {where}",))


def _named(differing: Sequence[Place]) -> str:
    kinds = list(dict.fromkeys(each.what for each in differing))
    return ", ".join(kinds[:6]) or "nothing that has a name"


def _at(made: Sign, place: Place | None) -> Sign:
    if place is None:
        return made
    return replace(made, code=place.code, line=place.line, offset=place.offset)
