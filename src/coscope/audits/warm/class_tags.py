"""The version tags of classes, by which specialised instructions know them. Read, never written."""

from __future__ import annotations

import sys

from coscope.opcodes import table
from coscope.readers.from_function import HOST_VERSION

# Byte offsets of members of a class that Python shows, on a 64-bit build: the same in each version
# that specialises. Source: Include/cpython/object.h.
_KNOWN = {"__basicsize__": 32, "__flags__": 168, "__dictoffset__": 288}


def tags_used(cls: type) -> int:
    """How many version tags a class has had; 0 where this CPython does not count them."""
    known = table(HOST_VERSION).specialization
    return 0 if known is None else _field(cls, known.class_versions_used, 2)


def version_tag(cls: type) -> int:
    """The version of a class that specialised instructions compare; 0: it has none."""
    known = table(HOST_VERSION).specialization
    return 0 if known is None else _field(cls, known.class_version, 4)


def _field(cls: type, offset: int, size: int) -> int:
    """An unsigned number inside of a class; 0 if its place in this build is not known."""
    import ctypes  # slow to load, and only needed where something stayed generic

    if offset == 0 or ctypes.sizeof(ctypes.c_void_p) != 8:
        return 0
    held = ctypes.string_at(id(cls), offset + size)
    # The layout is the known one only if members that Python shows lie where they should.
    for name, at in _KNOWN.items():
        shown = type.__dict__[name].__get__(cls)
        if int.from_bytes(held[at : at + 8], sys.byteorder, signed=True) != shown:
            return 0
    return int.from_bytes(held[offset:], sys.byteorder)
