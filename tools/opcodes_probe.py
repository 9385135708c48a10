"""What an interpreter itself can tell of its opcodes, as one line of JSON.

Runs inside the interpreter under test, CPython 3.8 to 3.15 and later, natively or in Pyodide, with
nothing but its standard library. `tools/opcodes.py` compares the answer with the opcode tables.
"""

from __future__ import annotations

import dis
import importlib.util
import json
import opcode
import sys
from typing import Any

# One value for every bit that some opcode reads from its oparg.
OPARGS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 31, 32, 33, 255, 256, 257, 0x203, 0x1234)


def main() -> None:
    print(json.dumps(facts()))


def facts() -> dict[str, Any]:
    """Numbers, specialised forms, caches, has-sets, lists and stack effects."""
    numbers = {name: code for name, code in opcode.opmap.items() if code < 256}
    return {
        "version": ".".join(map(str, sys.version_info[:2])),
        "full": sys.version.split()[0],
        "magic": int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little"),
        "numbers": numbers,
        "specialized": specialized(),
        "caches": caches(numbers),
        "has": has(numbers),
        "lists": lists(),
        "effects": {name: effects(code) for name, code in numbers.items()},
    }


def specialized() -> dict[str, list[Any]]:
    """{name: [number, base]}; empty before 3.11."""
    bases: dict[str, str] = {}
    for base, forms in getattr(opcode, "_specializations", {}).items():
        bases.update(dict.fromkeys(forms, base))
    numbers = getattr(opcode, "_specialized_opmap", None) or getattr(dis, "_all_opmap", {})
    return {name: [numbers[name], base] for name, base in bases.items() if name in numbers}


def caches(numbers: dict[str, int]) -> dict[str, int]:
    """{name: code units of inline cache}; empty before 3.11."""
    entries: Any = getattr(opcode, "_inline_cache_entries", {})
    if isinstance(entries, (list, tuple)):  # 3.11, 3.12: by number
        entries = {name: entries[code] for name, code in numbers.items()}
    return {name: entries[name] for name in numbers if entries.get(name)}


def has(numbers: dict[str, int]) -> dict[str, list[str]]:
    """The names in each of `dis.hasname`, `dis.haslocal`, ... and in `hasarg`."""
    found = {}
    for kind in ("name", "local", "free", "const", "compare", "jrel", "jabs"):
        codes = set(getattr(dis, "has" + kind))
        found[kind] = sorted(name for name, code in numbers.items() if code in codes)
    found["arg"] = sorted(name for name, code in numbers.items() if takes_argument(code))
    return found


def takes_argument(code: int) -> bool:
    """True if the opcode reads its oparg."""
    return code in dis.hasarg if hasattr(dis, "hasarg") else code >= dis.HAVE_ARGUMENT


def lists() -> dict[str, list[str]]:
    """What the index in an oparg selects."""
    found = {"compare": list(dis.cmp_op)}
    if hasattr(opcode, "_nb_ops"):
        found["binary"] = [symbol for _, symbol in opcode._nb_ops]
    for ours, theirs in (
        ("intrinsic_1", "_intrinsic_1_descs"),
        ("intrinsic_2", "_intrinsic_2_descs"),
        ("special", "_special_method_names"),
    ):
        if hasattr(opcode, theirs):
            found[ours] = list(getattr(opcode, theirs))
    if hasattr(opcode, "_common_constants"):
        found["common_constants"] = [
            getattr(item, "__name__", None) or repr(item) for item in opcode._common_constants
        ]
    return found


def effects(code: int) -> list[list[Any]]:
    """[[oparg, net effect without a jump, with a jump], ...]; oparg None if it takes none."""
    found: list[list[Any]] = []
    for oparg in OPARGS if takes_argument(code) else (None,):
        try:
            found.append([oparg] + [dis.stack_effect(code, oparg, jump=j) for j in (False, True)])
        except ValueError:  # this oparg, or the opcode, is not valid
            continue
    return found


if __name__ == "__main__":
    main()
