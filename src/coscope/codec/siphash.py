"""SipHash, by which a hash-based .pyc recognises its source (PEP 552)."""

from __future__ import annotations

from struct import iter_unpack

_MASK = 2**64 - 1


def has_hash(source: bytes, stored: bytes, magic: int) -> bool:
    r"""True if a hash-based .pyc with this magic number was compiled from this source.

    Args:
        source: Bytes of the source file.
        stored: The 8 bytes of the header.
        magic: The header's first two bytes; the key is its first four.

    Source:
        CPython 3.10 (SipHash-2-4) and 3.13 (SipHash-1-3, from 3.11), Python/pyhash.c,
        `_Py_KeyedHash`.

    >>> has_hash(b"x = 1\n", bytes.fromhex("e786e2893651120e"), magic=3571)
    True
    """
    key = magic | int.from_bytes(b"\r\n", "little") << 16
    wanted = int.from_bytes(stored, "little")
    return any(siphash(source, key, *rounds) == wanted for rounds in ((1, 3), (2, 4)))


def siphash(data: bytes, key: int, rounds: int, last_rounds: int) -> int:
    """SipHash with a 128-bit key whose upper half is zero, as an integer of 64 bits.

    Source:
        Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, section 2.
    """
    state = (
        0x736F6D6570736575 ^ key,
        0x646F72616E646F6D,
        0x6C7967656E657261 ^ key,
        0x7465646279746573,
    )
    padding = bytes(7 - len(data) % 8)
    for (word,) in iter_unpack("<Q", data + padding + bytes([len(data) & 0xFF])):
        v0, v1, v2, v3 = state
        v0, v1, v2, v3 = _mixed(v0, v1, v2, v3 ^ word, rounds)
        state = (v0 ^ word, v1, v2, v3)
    v0, v1, v2, v3 = state
    v0, v1, v2, v3 = _mixed(v0, v1, v2 ^ 0xFF, v3, last_rounds)
    return v0 ^ v1 ^ v2 ^ v3


def _mixed(v0: int, v1: int, v2: int, v3: int, rounds: int) -> tuple[int, int, int, int]:
    for _ in range(rounds):
        v0 = v0 + v1 & _MASK
        v2 = v2 + v3 & _MASK
        v1 = v0 ^ (v1 << 13 & _MASK | v1 >> 51)
        v3 = v2 ^ (v3 << 16 & _MASK | v3 >> 48)
        v0 = (v0 << 32 & _MASK | v0 >> 32) + v3 & _MASK
        v2 = v2 + v1 & _MASK
        v1 = v2 ^ (v1 << 17 & _MASK | v1 >> 47)
        v3 = v0 ^ (v3 << 21 & _MASK | v3 >> 43)
        v2 = v2 << 32 & _MASK | v2 >> 32
    return v0, v1, v2, v3
