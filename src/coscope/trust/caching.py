"""Names and headers of bytecode files: whose cache a file is, and which file CPython would run.

Source:
    CPython 3.14, Lib/importlib/_bootstrap_external.py: `cache_from_source`,
    `SourceLoader.get_code`, `_get_supported_file_loaders`
    (extension modules, then sources, then bytecode), `FileFinder` (a package before a module).
    Lib/zipimport.py: `_zip_searchorder`, `_unmarshal_code`.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Collection, Iterator
from typing import NamedTuple

from coscope.codec.pyc import Header, read_header
from coscope.codec.siphash import has_hash
from coscope.errors import CoscopeError
from coscope.trust.kinds import sign
from coscope.trust.model import Sign

_CACHED = re.compile(r"(?P<name>.+?)\.(?P<tag>[^.]+)(?:\.opt-(?P<level>[^.]+))?\.pyc")
# Such as test_x.cpython-313-pytest-8.4.1.pyc, whose tag has points.
_PYTEST = re.compile(r"(?P<name>.+)\.(?P<tag>[^.]+-pytest-[^/]+)\.py(?P<level>)[co]")
_NATIVE = (".so", ".pyd")
_MASK = 0xFFFFFFFF
_SUFFIXES = (".py", ".pyw")


class Named(NamedTuple):
    """What the path of a bytecode file says."""

    module: str  # path of the module without a suffix, "/" between folders
    cached: bool  # it is in __pycache__
    tag: str | None  # "cpython-313"
    level: int | None  # of optimisation; None: the name does not say
    pytest: bool

    @property
    def source(self) -> str:
        """Where the source belongs."""
        return f"{self.module}.py"


class Stated(NamedTuple):
    """What is known of a source beside its bytes."""

    data: bytes
    mtime: int | None  # seconds since 1970; None: not known, as in an archive


def named(path: str) -> Named:
    """Take the path of a bytecode file apart.

    >>> named("a/__pycache__/b.cpython-313.opt-1.pyc")[:4]
    ('a/b', True, 'cpython-313', 1)
    >>> named("a/b.pyc").source
    'a/b.py'
    """
    folder, base = posixpath.split(path)
    if posixpath.basename(folder) == "__pycache__":
        found = _PYTEST.fullmatch(base) or _CACHED.fullmatch(base)
        if found is not None:
            tag, level = found["tag"], found["level"]
            module = posixpath.join(posixpath.dirname(folder), found["name"])
            number = int(level) if level in ("1", "2") else 0
            return Named(module, True, tag, number, "-pytest-" in tag)
    return Named(posixpath.splitext(path)[0], False, None, None, False)


def header_of(data: bytes) -> Header | None:
    """The header of a file whose verdict says what is wrong with it."""
    try:
        return read_header(data)
    except CoscopeError:
        return None


def fits(header: Header, source: Stated) -> bool | None:
    """True if the header is that of the source; None if that is not known."""
    if header.source_hash is not None:
        return has_hash(source.data, header.source_hash, header.magic)
    if header.source_size != len(source.data) & _MASK:
        return False
    return None if source.mtime is None else header.mtime == source.mtime & _MASK


def running(
    file: str, name: Named, header: Header, source: Stated | None, names: Collection[str]
) -> tuple[str, list[Sign]]:
    """Which file CPython runs for a module in a folder, and why; with signs.

    Args:
        file: The bytecode file, as a target.
        name: What its path says.
        header: Its header.
        source: The source where it belongs, if it is there.
        names: Names in the folder of the module.
    """
    base = posixpath.basename(name.module)
    signs = list(_odd(file, name, header))
    first = _before(base, names, name.cached)
    if source is None:
        return _without_source(file, name, first, signs)
    if first is not None:
        return f"{first}, which comes before {base}.py", signs
    if not name.cached:
        return f"{base}.py, which comes before {base}.pyc", signs
    text, more = _cached(file, name, header, source)
    return text, [*signs, *more]


def _before(base: str, names: Collection[str], cached: bool) -> str | None:
    """What CPython takes before a source: a package, an extension module."""
    if f"{base}/" in names and base != "__init__":
        return f"the package {base}/"
    for each in sorted(names):
        if each.startswith(f"{base}.") and each.endswith(_NATIVE):
            return each
    return None


def _odd(file: str, name: Named, header: Header) -> Iterator[Sign]:
    """A tag that is not the magic number's."""
    if name.tag is None or not name.tag.startswith("cpython-"):
        return
    tag = name.tag.split("-")[1]
    if tag != header.version.replace(".", ""):
        text = f"the name says {name.tag}, the magic number CPython {header.version}"
        yield sign("TRU307", text, file, offset=0)


def _without_source(
    file: str, name: Named, first: str | None, signs: list[Sign]
) -> tuple[str, list[Sign]]:
    base = posixpath.basename(name.module)
    if name.cached:
        text = f"{base}.py is gone: nothing of __pycache__ runs without it"
        return text, [*signs, sign("TRU304", text, file)]
    if first is not None:
        return f"{first}, which comes before {base}.pyc", signs
    text = "the file itself, when the module is imported: there is no source"
    signs.append(sign("TRU305", text, file))
    folder = posixpath.basename(posixpath.dirname(name.module))
    if folder in ("", "site-packages", "dist-packages") and base in sys.stdlib_module_names:
        shadow = f"it has the name of the standard library's module {base}"
        signs.append(sign("TRU306", shadow, file))
    return text, signs


def _cached(file: str, name: Named, header: Header, source: Stated) -> tuple[str, list[Sign]]:
    base = posixpath.basename(name.source)
    who = "pytest" if name.pytest else f"CPython {header.version}"
    if name.level:
        who += f" with -{'O' * name.level}"
    fit = fits(header, source)
    if header.is_hash_based and not header.checks_source:
        text = f"this file, by {who}, whatever {base} says: its hash is not checked"
        signs = [sign("TRU303", text, file)]
        if not fit:
            what = f"the hash in the header is not that of {base}, and nothing checks it"
            signs = [sign("TRU302", what, file, offset=8)]
        return text, signs
    if fit is None:
        return f"this file, by {who}, if its time is that of {base}", []
    if fit:
        how = "the hash of {} fits" if header.is_hash_based else "time and size of {} fit"
        return f"this file, by {who}: {how.format(base)}", []
    how = "the hash differs" if header.is_hash_based else _which(header, source)
    text = f"{base}, compiled anew: {how}"
    return text, [sign("TRU301", f"stale: CPython runs {text}", file, offset=8)]


def _which(header: Header, source: Stated) -> str:
    parts = []
    if source.mtime is not None and header.mtime != source.mtime & _MASK:
        parts.append("time")
    if header.source_size != len(source.data) & _MASK:
        parts.append("size")
    return f"{' and '.join(parts)} in the header differ" + ("" if len(parts) > 1 else "s")


def running_in_zip(
    file: str, name: Named, header: Header, source: Stated | None, zipimport: bool
) -> tuple[str, list[Sign]]:
    """The same of a member of an archive.

    Args:
        file: As a target.
        name: What its path says.
        header: Its header.
        source: The source where it belongs, if it is a member too.
        zipimport: Modules are imported from the archive as it is: a zip application, an egg.
    """
    signs = list(_odd(file, name, header))
    base = posixpath.basename(name.module)
    if not zipimport:
        if source is None and not name.cached:
            return "the file itself, once the archive is unpacked: there is no source", signs
        if source is None:
            text = f"{base}.py is not in the archive: nothing of __pycache__ runs without it"
            return text, [*signs, sign("TRU304", text, file)]
        text, more = _cached(file, name, header, source) if name.cached else (
            f"{base}.py, which comes before {base}.pyc", [])  # fmt: skip
        return text, [*signs, *more]
    if name.cached:
        return "nothing: zipimport does not read __pycache__", signs
    if source is None:
        return "the file itself: there is no source", signs
    if header.is_hash_based and not header.checks_source:
        text = f"the file itself, before {base}.py, whose hash is not checked"
        return text, [*signs, sign("TRU303", text, file)]
    if fits(header, source) is False:
        text = f"{base}.py: the header does not fit it"
        return text, [*signs, sign("TRU301", f"stale: zipimport runs {text}", file, offset=8)]
    return f"the file itself, before {base}.py", signs
