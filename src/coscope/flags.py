"""Bits of a code object: `co_flags`, and the kinds of its fast locals."""

from __future__ import annotations

from typing import ClassVar


class Flags(int):
    """`co_flags`: an int that knows its names."""

    NAMES: ClassVar[dict[int, str]] = {
        0x1: "OPTIMIZED",
        0x2: "NEWLOCALS",
        0x4: "VARARGS",
        0x8: "VARKEYWORDS",
        0x10: "NESTED",
        0x20: "GENERATOR",
        0x40: "NOFREE",
        0x80: "COROUTINE",
        0x100: "ITERABLE_COROUTINE",
        0x200: "ASYNC_GENERATOR",
        0x20000: "FUTURE_DIVISION",
        0x40000: "FUTURE_ABSOLUTE_IMPORT",
        0x80000: "FUTURE_WITH_STATEMENT",
        0x100000: "FUTURE_PRINT_FUNCTION",
        0x200000: "FUTURE_UNICODE_LITERALS",
        0x400000: "FUTURE_BARRY_AS_BDFL",
        0x800000: "FUTURE_GENERATOR_STOP",
        0x1000000: "FUTURE_ANNOTATIONS",
        0x2000000: "NO_MONITORING_EVENTS",
        0x4000000: "HAS_DOCSTRING",
        0x8000000: "METHOD",
    }

    @property
    def names(self) -> tuple[str, ...]:
        """The set flags, lowest bit first, without the `CO_` prefix; an unknown bit as hex."""
        return tuple(
            self.NAMES.get(1 << bit, hex(1 << bit))
            for bit in range(self.bit_length())
            if self >> bit & 1
        )


# Kinds of a fast local, as CPython's pycore_code.h numbers them (3.11+).
FAST_HIDDEN = 0x10  # local of an inlined comprehension at module or class level (3.12+)
FAST_LOCAL = 0x20
FAST_CELL = 0x40
FAST_FREE = 0x80

# `from __future__ import annotations`, of CO_FLAGS.
FUTURE_ANNOTATIONS = 0x1000000
