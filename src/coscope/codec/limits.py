"""Every bound on untrusted .pyc bytes, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from coscope.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an unmarshalled file may ask for. A bound that is reached is a `LimitExceeded`.

    Two more bounds need no number: a declared size is never believed beyond the bytes that are
    left, and no value takes less than one byte of the file, so there are never more values than
    bytes. Reading therefore takes time linear in the file, and memory of at most about 40 times
    its size (the worst is a file of empty lists).

    >>> Limits(nesting=50).nesting
    50
    """

    file_bytes: int = 32 * 2**20
    """Size of the file. The largest of CPython's standard libraries has 0.8 MiB."""

    nesting: int = 200
    """Containers and code objects inside one another. A nested function takes two levels: its
    code object and the constants that hold it. The standard libraries need at most 31; this many
    can still be compared, hashed and printed by recursive code on every host."""

    collections: int = 16
    """Frozensets, slices, lists, sets and dicts inside one another; compilers emit 1."""

    integer_digits: int = 100_000
    """Digits of an integer, of 15 bits each: 1.5 million bits, 450,000 decimal digits."""

    expanded_bytes: int = 4 * 2**20
    """Bytes that the file would take if every shared reference in it were written out in full.
    It bounds what printing, comparing or hashing the result can cost."""

    expansion: int = 8
    """A file above `expanded_bytes / expansion` may grow by this factor instead, once written
    out. The standard libraries grow by at most 2.2."""

    derived_names: int = 16 * 2**20
    """Characters of all qualified names together, where they are derived from the nesting (to
    CPython 3.10). A name is repeated in those of everything inside it."""

    def check_size(self, size: int, file: str | None = None) -> None:
        """Refuse a file of more bytes than `file_bytes`.

        Raises:
            LimitExceeded: It is larger.
        """
        if size > self.file_bytes:
            raise LimitExceeded(
                "the limit file_bytes is reached",
                file=file,
                expected=f"at most {self.file_bytes} bytes",
                found=size,
            )


DEFAULT = Limits()
