"""A constant holds marshalled code.

Code that is kept as bytes in a constant, perhaps compressed or in base64, is seen by no reader of
the source, no linter and no search. The rule undoes up to four layers of base64, hexadecimal,
zlib, bz2 and lzma, under limits and without executing anything, and reports a constant in whose
inside a code object of CPython 3.8 to 3.15 is found.

    exec(loads(zlib.decompress(b64decode("eJxz..."))))

Proved: the layers were undone, and in the innermost one a whole code object was read. Assumed: it
is meant to be run.

Look at it with `coscope show` after writing the bytes to a .pyc, and ask who put it there.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator

from coscope import opcodes
from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.subject import Subject
from coscope.codec.unmarshal import load
from coscope.errors import CoscopeError
from coscope.model import Code, Finding
from coscope.verifier import verify

CODE = "DYN202"
SEVERITY = "warning"
CONSTANTS = 256  # bytes or characters

_LARGEST = 2**22  # bytes of a layer
_LAYERS = 4
_CODE = (0x63, 0xE3)  # marshal's type of a code object, and the same with a reference
_HEADER = 16  # bytes of a .pyc before its code
_HEAD = 64  # bytes or characters that show whether it is worth looking
_SIGNS = (b"\x78", b"\x58", b"\x1f", b"BZh", b"\xfd7zXZ\x00")  # zlib, bz2, lzma
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-\s]+={0,2}\s*")
_HEX = re.compile(rb"[0-9A-Fa-f\s]+")


def may_find(seen: Glance) -> bool:
    return any(
        type(each) in (bytes, str) and len(each) >= CONSTANTS and _looks_hidden(each)
        for each in seen.consts
    )


def _looks_hidden(constant: bytes | str) -> bool:
    """True if it may be a code object or a layer around one, judged by its first bytes."""
    head = _as_bytes(constant[:_HEAD])
    if head is None:
        return False
    for start in (0, _HEADER):
        # The number of arguments follows, in four bytes; the last of them is zero.
        if head[start] in _CODE and not head[start + 4]:
            return True
    if any(head.startswith(sign) for sign in _SIGNS):
        return True
    data = _as_bytes(constant)  # of most texts the first word that ends with a comma is the end
    return data is not None and _BASE64.fullmatch(data) is not None


def check(subject: Subject) -> Iterator[Finding]:
    for number, constant in enumerate(subject.code.consts):
        if type(constant) not in (bytes, str) or len(constant) < subject.options.constant_limit:
            continue
        data = _as_bytes(constant)
        found = None if data is None else _code_in(data, ())
        if found is None:
            continue
        code, layers = found
        through = f", through {' and '.join(layers)}" if layers else ""
        yield subject.finding(
            CODE,
            f"a constant of {len(constant):,} {_unit(constant)} holds marshalled code",
            _first_load(subject, number),
            confidence="proved",
            evidence=[
                f"it is the code of {code.name!r}, CPython {code.version}{through}",
                f"names in it: {', '.join(code.names[:8]) or 'none'}",
            ],
            why="no reader of the source, no linter and no search sees what it does",
            instead="keep the source; coscope show says what the bytes are",
        )


def _first_load(subject: Subject, number: int) -> int | None:
    """The first instruction that loads a constant, by its number."""
    rows = subject.rules.by_code
    columns = subject.instructions
    for index, opcode in enumerate(columns.opcodes):
        if columns.opargs[index] == number and getattr(rows[opcode], "operand", "") == "const":
            return index
    return None


def _unit(constant: bytes | str) -> str:
    return "bytes" if isinstance(constant, bytes) else "characters"


def _as_bytes(constant: bytes | str) -> bytes | None:
    if len(constant) > _LARGEST:
        return None
    try:
        return constant if isinstance(constant, bytes) else constant.encode("latin-1")
    except UnicodeEncodeError:
        return None


def _code_in(data: bytes, layers: tuple[str, ...]) -> tuple[Code, tuple[str, ...]] | None:
    """The code object in some bytes, and the layers around it."""
    code = _bare_code(data)
    if code is not None:
        return code, layers
    if len(layers) == _LAYERS:
        return None
    for name, undo in _UNDO.items():
        inner = undo(data)
        if inner is not None and len(inner) >= _HEADER:
            found = _code_in(inner, (*layers, name))
            if found is not None:
                return found
    return None


def _bare_code(data: bytes) -> Code | None:
    """The code object that bytes begin with, at once or after the header of a .pyc."""
    for start in (0, _HEADER):
        if start and data[2:4] != b"\r\n":
            break
        if data[start : start + 1] and data[start] in _CODE:
            code = _loaded(data[start:])
            if code is not None:
                return code
    return None


def _loaded(data: bytes) -> Code | None:
    """The code object, of the newest version for which the verifier accepts it; or of any."""
    found: list[Code] = []
    for version in reversed(opcodes.VERSIONS):
        try:
            code = load(data, opcodes.table(version), file="<constant>")
            if isinstance(code, Code) and code.code:
                found.append(code)
                if verify(code).ok:
                    return code
        except CoscopeError:
            continue
    return found[0] if found else None


def _base64(data: bytes) -> bytes | None:
    if not _BASE64.fullmatch(data) or _HEX.fullmatch(data):
        return None
    joined = b"".join(data.split())
    try:
        return base64.b64decode(joined.translate(bytes.maketrans(b"-_", b"+/")), validate=True)
    except (binascii.Error, ValueError):
        return None


def _hexadecimal(data: bytes) -> bytes | None:
    if not _HEX.fullmatch(data):
        return None
    try:
        return binascii.unhexlify(b"".join(data.split()))
    except (binascii.Error, ValueError):
        return None


def _zlib(data: bytes) -> bytes | None:
    if data[:1] not in (b"\x78", b"\x58", b"\x1f"):
        return None
    try:
        return zlib.decompressobj(wbits=47).decompress(data, _LARGEST)
    except zlib.error:
        return None


def _bz2(data: bytes) -> bytes | None:
    if data[:3] != b"BZh":
        return None
    try:
        import bz2
    except ImportError:
        return None
    try:
        return bz2.BZ2Decompressor().decompress(data, _LARGEST)
    except (OSError, ValueError, EOFError):
        return None


def _lzma(data: bytes) -> bytes | None:
    if data[:6] != b"\xfd7zXZ\x00":
        return None
    try:
        import lzma  # some builds of CPython, such as Pyodide's up to 3.13, leave it out
    except ImportError:
        return None
    try:
        return lzma.LZMADecompressor(memlimit=2**27).decompress(data, _LARGEST)
    except (lzma.LZMAError, EOFError):
        return None


_UNDO: dict[str, Callable[[bytes], bytes | None]] = {
    "base64": _base64,
    "hexadecimal": _hexadecimal,
    "zlib": _zlib,
    "bz2": _bz2,
    "lzma": _lzma,
}
