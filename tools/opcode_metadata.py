"""The metadata that a CPython's build generates about its opcodes, as the tests keep it.

    python tools/opcode_metadata.py 3.13.0 FOLDER > tests/opcodes/metadata/cpython-3.13.txt

FOLDER is the `Include` of that release, installed or built, from CPython 3.13 on: the file reads
`opcode_ids.h` and `internal/pycore_opcode_metadata.h`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

HEAD = (
    "# CPython {release}, Include/internal/pycore_opcode_metadata.h, which its build generates.\n"
    "# name | number | popped | pushed | caches (of base forms) | base | flags"
)
_NUMBER = re.compile(r"#define (\w+) +(\d+)")
_CASE = re.compile(r"case (\w+):\s+return ([^;]+);")
_FLAGS = re.compile(r"\[(\w+)\] = \{ true, \w+, ([^}]*?) *\}")
_CHOICE = re.compile(r"\(\(([^()]+)\) \? 1 : 0\)")  # a condition counts one if it is true
_ENTRY = re.compile(r"\[(\w+)\] = (\w+),")


def lines(release: str, numbers: str, metadata: str) -> Iterator[str]:
    """The file of one release, line by line.

    Args:
        release: "3.13.0".
        numbers: The text of `opcode_ids.h`.
        metadata: The text of `pycore_opcode_metadata.h`.
    """
    popped = dict(_CASE.findall(_part(metadata, "int _PyOpcode_num_popped(int opcode, int oparg)")))
    pushed = dict(_CASE.findall(_part(metadata, "int _PyOpcode_num_pushed(int opcode, int oparg)")))
    flags = dict(
        _FLAGS.findall(_part(metadata, "struct opcode_metadata _PyOpcode_opcode_metadata["))
    )
    caches = dict(_ENTRY.findall(_part(metadata, "uint8_t _PyOpcode_Caches[")))
    bases = dict(_ENTRY.findall(_part(metadata, "uint8_t _PyOpcode_Deopt[")))
    yield HEAD.format(release=release)
    known = {name: int(number) for name, number in _NUMBER.findall(numbers) if name in flags}
    for name, number in sorted(known.items(), key=lambda item: item[1]):
        if number > 255:
            continue  # the compiler's own, which never reach a code object
        words = (word.strip() for word in flags[name].split("|"))
        short = " ".join(sorted(w[4:-5].lower() for w in words if w.startswith("HAS_")))
        base = bases.get(name, name)
        sizes = (_CHOICE.sub(r"(\1)", each[name]) for each in (popped, pushed))
        fields = (*sizes, caches.get(name, "0"), "" if base == name else base)
        yield f"{name} | {number} | {' | '.join(fields)} | {short}".rstrip()


def _part(text: str, head: str) -> str:
    """The definition that begins with `head`: up to the brace in the first column."""
    start = next(match.end() for match in re.finditer(re.escape(head) + r"[^;{]*\{", text))
    return text[start : text.index("\n}", start)]


def main() -> int:
    """Write the file to stdout."""
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    release, include = sys.argv[1], Path(sys.argv[2])
    numbers = (include / "opcode_ids.h").read_text(encoding="utf-8")
    internal = include / "internal" / "pycore_opcode_metadata.h"
    print("\n".join(lines(release, numbers, internal.read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
