"""Good verdicts of live code, kept between processes: digests of code objects in one file.

Only the direct way of `patch` asks it, and only about a code object that a live function runs
already. So the file need not be trusted: whoever writes a false entry lets through a copy that is
as bad as the function that was there before, and no code that came from elsewhere. `rebuild`, files
and edits of instructions never ask it. An entry is of one build of Python and of one state of
coscope's own files.
"""

from __future__ import annotations

import atexit
import marshal
import sys
from contextlib import suppress
from hashlib import blake2b, sha256
from pathlib import Path
from types import CodeType

from coscope.readers.caching import cache_folder, own_files

_SIZE = 16  # bytes of a digest
_MOST = 200_000  # digests in the file; with more it starts anew
_NO_REFERENCES = 2  # the last format of marshal in which bytes do not depend on who else holds them

_held: set[bytes] | None = None
_new: set[bytes] = set()


def holds(co: CodeType) -> bool:
    """True if the code object was found good, by this process or an earlier one."""
    key = _key(co)
    return key is not None and key in _read()


def add(co: CodeType) -> None:
    """Keep that a code object was found good; it is written when the process ends."""
    key = _key(co)
    if key is None or key in _read():
        return
    if not _new:
        atexit.register(save)
    _read().add(key)
    _new.add(key)


def save() -> None:
    """Append what is new. A file that cannot be written is not an error."""
    if not _new:
        return
    with suppress(OSError):
        path = _path()
        path.parent.mkdir(parents=True, exist_ok=True)
        full = path.exists() and path.stat().st_size > _MOST * _SIZE
        # One short write in append mode: other processes see whole entries, or none.
        with open(path, "wb" if full else "ab") as file:
            file.write(b"".join(sorted(_new)))
    _new.clear()


def forget() -> None:
    """Read the file anew when it is next asked."""
    global _held
    _held = None
    _new.clear()


def _read() -> set[bytes]:
    global _held
    if _held is None:
        try:
            data = _path().read_bytes()
        except OSError:
            data = b""
        _held = {data[at : at + _SIZE] for at in range(0, len(data) - _SIZE + 1, _SIZE)}
    return _held


def _key(co: CodeType) -> bytes | None:
    """None for code with constants that are live objects."""
    try:
        return blake2b(marshal.dumps(co, _NO_REFERENCES), digest_size=_SIZE).digest()
    except ValueError:
        return None


def _path() -> Path:
    name = sha256(f"{sys.version} {own_files()}".encode()).hexdigest()[:32]
    return cache_folder() / "verdicts" / f"{name}.good"
