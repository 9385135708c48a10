"""Every kind of sign: its code, title, severity and meaning; docs/commands/trust.md lists them."""

from __future__ import annotations

from typing import NamedTuple

from coscope.trust.model import Sign


class Kind(NamedTuple):
    """One kind of sign."""

    code: str
    title: str
    severity: str  # "error", "warning" or "info"
    page: str  # what it means, and what to do


_ROWS = (
    # The verdict.
    ("TRU101", "The bytecode is not what the source compiles to", "error",
     "What runs is not what the source says. The differing code objects are listed, aligned "
     "with what the source compiles to."),
    ("TRU102", "The behaviour is the same, the bytes are not", "warning",
     "Lines, docstrings, unused constants or other parts without effect differ, and no known "
     "circumstance explains it. Room that has no effect can hold data for another program."),
    ("TRU103", "There is no source to compare with", "warning",
     "Only what the bytecode can do is known. In a frozen program that is normal, and "
     "information."),
    ("TRU104", "The bytecode cannot be read, or not be compared", "error",
     "It is damaged, of an unknown version, or above a limit; or no interpreter of its version "
     "is here to recompile the source."),
    ("TRU105", "Another release compiled it", "info",
     "Two releases with one magic number compile some code differently. The difference is one "
     "of those that coscope knows, and only that."),
    ("TRU106", "The release does not fit the rest of the tree", "warning",
     "All other files of the folder were compiled by one release, this one by another."),
    ("TRU107", "The optimisation level is not the one that the name says", "warning",
     "A file named as plain or -O bytecode was compiled by another level."),
    ("TRU108", "A recognised circumstance changed the bytes", "info",
     "pytest rewrote its assert statements; or the columns were left out by -X "
     "no_debug_ranges and no such compiler is here."),
    # Room for hiding.
    ("TRU201", "A constant that nothing uses", "warning",
     "No instruction loads it. The source's own compilation does not have it."),
    ("TRU202", "A name that nothing uses", "warning",
     "No instruction uses it. The source's own compilation does not have it."),
    ("TRU203", "An argument where the opcode has none", "warning",
     "The interpreter ignores the byte; another program may read it."),
    ("TRU204", "A cache unit that is not empty", "warning",
     "Compilers write zeros there. The interpreter overwrites the rest."),
    ("TRU205", "Instructions that no path reaches", "warning",
     "They never run where they are, and can hold data or code that is jumped to after a patch."),
    ("TRU206", "The stack is declared larger than needed", "warning",
     "A number that nothing checks."),
    ("TRU207", "Bytes after the code object", "warning",
     "CPython stops reading before them."),
    ("TRU208", "A second object after the code object", "warning",
     "What follows the code object is marshalled itself; CPython does not read it, a loader may."),
    ("TRU209", "An odd line table", "warning",
     "It is not what a compiler writes: lines outside of the source, or entries beyond the code."),
    ("TRU210", "An odd exception table", "warning",
     "It is not what a compiler writes: regions beyond the code, or longer forms than needed."),
    ("TRU211", "Marshalled code in a constant", "warning",
     "A constant holds a code object, perhaps compressed."),
    ("TRU212", "A long constant that looks random", "warning",
     "Compressed or encrypted data in a text or bytes constant."),
    ("TRU213", "Marshalled in an odd form", "warning",
     "The bytes say the same values in another way than marshal writes."),
    ("TRU214", "An odd file name", "warning",
     "co_filename does not end with the name of the source, or differs between nested code, or "
     "from the rest of the folder."),
    # Header and cache.
    ("TRU301", "Stale: CPython does not run it", "warning",
     "Time or size in the header are not those of the source, so CPython compiles the source "
     "anew. Where many files of a tree are so, it was copied, and this is information."),
    ("TRU302", "The hash in the header is not the source's", "warning",
     "An unchecked hash is believed: CPython runs the file whatever its source says."),
    ("TRU303", "The source is never looked at", "info",
     "The header has an unchecked hash: CPython runs the file even after its source changed."),
    ("TRU304", "Orphaned: its source is gone", "warning",
     "CPython runs nothing of __pycache__ without a source beside the folder."),
    ("TRU305", "A module without source", "warning",
     "CPython runs the file itself when the module is imported."),
    ("TRU306", "It shadows another module", "warning",
     "It has the name of a module of the standard library, or of a source that it hides."),
    ("TRU307", "An odd header", "warning",
     "The magic number does not fit the name, or flags contradict each other."),
    # The environment.
    ("TRU401", "A .pth line that executes", "warning",
     "Python runs the line at every start. Where a RECORD vouches for the file, this is "
     "information."),
    ("TRU402", "A file that RECORD lists is missing", "warning",
     "It was removed after the distribution was installed or built."),
    ("TRU403", "A file is not what RECORD says", "error",
     "Its hash or size differs: it was changed after the distribution was installed or built."),
    ("TRU404", "A file that no RECORD lists", "warning",
     "It was added to a distribution after it was installed or built."),
    ("TRU405", "An odd RECORD", "warning",
     "It cannot be read, lists a file twice, gives no hash or a weak one, or leads out of the "
     "environment."),
    ("TRU406", "It runs at every start of Python", "warning",
     "sitecustomize or usercustomize."),
    # Archives.
    ("TRU501", "A name occurs more than once", "warning",
     "Programs disagree on which of the members counts."),
    ("TRU502", "A name leads out of the archive", "warning",
     "Unpacked carelessly, it would overwrite a file elsewhere."),
    ("TRU503", "A link or a device", "info",
     "It is not read. One that leads out of the archive is TRU502, too."),
    ("TRU504", "Encrypted", "warning", "It cannot be read without its key."),
    ("TRU505", "An archive inside that cannot be read", "info",
     "A file in a folder or an archive is named like an archive, but cannot be read as one."),
    ("TRU506", "A member cannot be read", "error",
     "It is damaged, lies about its size, or is above a limit."),
    # What it can do.
    ("TRU601", "The verifier refuses it", "error",
     "It can crash the interpreter. Only looked at where there is no source, or it differs."),
    ("TRU602", "It makes code at run time", "info",
     "What a DYN rule finds. Only looked at where there is no source, or it differs."),
)  # fmt: skip

KINDS = {row[0]: Kind(*row) for row in _ROWS}


def sign(
    kind: str,
    message: str,
    file: str,
    *,
    severity: str | None = None,
    code: str | None = None,
    line: int | None = None,
    offset: int | None = None,
) -> Sign:
    """A sign of a kind, with its severity unless another one is given."""
    return Sign(
        kind=kind,
        message=message,
        severity=severity or KINDS[kind].severity,
        file=file,
        code=code,
        line=line,
        offset=offset,
    )
