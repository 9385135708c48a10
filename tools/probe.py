"""The referee of tools/differential.py: what an interpreter's own `dis` says of its library.

Runs inside the interpreter under test, CPython 3.8 to 3.15, with nothing but the standard library.
It compiles files, writes each as a real .pyc, and writes one line of JSON a file: for every code
object, in the order of `coscope.Code.walk`, a digest of each section of facts (see `facts`). With
--details it writes the sections themselves, as text, so that two sides can be compared row by row;
with --bare it only compiles.
"""

from __future__ import annotations
import __future__

import argparse
import dis
import hashlib
import importlib.util
import json
import marshal
import os
import random
import struct
import sys
import types
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

SECTIONS = ("fields", "instructions", "texts", "positions", "line starts", "regions")
JUMPS = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)


def canonical(value: Any) -> str:
    """A constant as ASCII text that tells types apart and does not depend on the version."""
    kind = type(value)
    if kind is int:
        return hex(value)
    if kind is str:
        return ascii(value)
    if kind is tuple:
        return "(" + ",".join(map(canonical, value)) + ")"
    if kind is frozenset:
        return "{" + ",".join(sorted(map(canonical, value))) + "}"
    if kind is float:
        return "float " + struct.pack(">d", value).hex()
    if kind is complex:
        return "complex " + struct.pack(">dd", value.real, value.imag).hex()
    if kind is types.CodeType:
        return f"<code {value.co_name!a} {value.co_firstlineno}>"
    if kind is slice:
        return "slice" + canonical((value.start, value.stop, value.step))
    if kind is type or kind is types.BuiltinFunctionType:
        return f"<{value.__name__}>"
    return ascii(value)  # None, bool, bytes, Ellipsis


def walk(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object, then the nested ones, depth first in the order of the constants."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from walk(constant)


def facts(code: Any) -> tuple[list[Any], ...]:
    """Rows of each of SECTIONS."""
    instructions = list(dis.get_instructions(code))
    return (
        _fields(code),
        [_row(i) for i in instructions],
        [text_of(i, code)[0] for i in instructions],
        _positions(code, instructions),
        [i.offset for i in instructions if not (i.starts_line is None or i.starts_line is False)],
        _regions(code),
    )


def _fields(code: Any) -> list[Any]:
    lines = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    return [
        ("name", code.co_name),
        ("qualname", getattr(code, "co_qualname", None)),
        ("filename", code.co_filename),
        ("firstlineno", code.co_firstlineno),
        ("argcount", code.co_argcount),
        ("posonlyargcount", code.co_posonlyargcount),
        ("kwonlyargcount", code.co_kwonlyargcount),
        ("nlocals", code.co_nlocals),
        ("stacksize", code.co_stacksize),
        ("flags", code.co_flags),
        ("code", code.co_code.hex()),
        ("consts", canonical(code.co_consts)),
        ("names", code.co_names),
        ("varnames", code.co_varnames),
        ("cellvars", code.co_cellvars),
        ("freevars", code.co_freevars),
        ("linetable", lines.hex()),
        ("exceptiontable", getattr(code, "co_exceptiontable", b"").hex()),
    ]


def _row(i: Any) -> tuple[Any, ...]:
    # Not every dis has the attribute `jump_target`; where there is none, argval is the target.
    target = i.argval if i.opcode in JUMPS else None
    return (i.offset, i.opcode, i.opname, i.arg, canonical(i.argval), i.is_jump_target, target)


# Where coscope writes an argument otherwise than `dis`, on purpose. Everything else must be equal.
TEXTS = {
    "label": "dis of 3.13 and later names a target L1; coscope gives its offset, as argval does",
    "NULL first": "dis of 3.11 and 3.12 writes NULL + f; coscope writes f + NULL, as later ones do",
    "code object": "dis gives an address; a code object that was read has none",
    "silent": "dis writes nothing, though the argument has a meaning",
    "builtin": "dis gives the repr of a function; coscope its name",
    "no name": "dis leaves out lazy and eager where the name is empty, as in `from . import x`",
    "not shown": "depends on the interpreter that writes it: order of a set, printable characters",
}
_RESUMES = ("at start", "after yield", "after yield from", "after await")


def text_of(i: Any, code: Any) -> tuple[str, str]:
    """What coscope should write for the argument of an instruction, and which of TEXTS it takes.

    Without one, that is the argrepr of `dis`.
    """
    if i.opcode in JUMPS or i.argrepr[:5] == "from ":
        word, _, target = i.argrepr.partition(" ")
        if not target:  # an absolute jump of 3.8 and 3.9
            return f"to {i.argval}", "silent"
        return (f"{word} {i.argval}", "label") if target[:1] == "L" else (i.argrepr, "")
    if i.argrepr.startswith(("NULL + ", "NULL|self + ")):
        null, _, name = i.argrepr.partition(" + ")
        return f"{name} + {null}", "NULL first"
    if isinstance(i.argval, types.CodeType):
        co = i.argval
        where = f"file {co.co_filename!r}, line {co.co_firstlineno}"
        return f"<code object {co.co_name}, {where}>", "code object"
    if i.argrepr and _is_of_the_host(i.argval):
        return "", "not shown"
    if i.opname == "LOAD_COMMON_CONSTANT" and i.argrepr.startswith("<"):
        return i.argrepr.split(" ")[-1].rstrip(">").strip("'"), "builtin"
    return _spoken(i, code) if i.argrepr == "" else (i.argrepr, "")


def _spoken(i: Any, code: Any) -> tuple[str, str]:
    """The same where `dis` is silent."""
    if i.opname == "RESUME":
        return _RESUMES[i.arg & 3], "silent"
    if i.opname in ("IS_OP", "CONTAINS_OP"):
        word = {"IS_OP": "is", "CONTAINS_OP": "in"}[i.opname]
        return {"is": "is not", "in": "not in"}[word] if i.arg else word, "silent"
    if i.opname == "LOAD_SMALL_INT":
        return str(i.arg), "silent"
    if i.opname == "KW_NAMES":
        return repr(code.co_consts[i.arg]), "silent"
    if i.opname == "IMPORT_NAME" and hasattr(dis, "IMPORT_NAME") and i.arg & 3:
        return ("+ lazy" if i.arg & 1 else "+ eager"), "no name"
    return "", ""


def _is_of_the_host(value: Any) -> bool:
    """True if the text of a constant is not the same in each interpreter."""
    if isinstance(value, (tuple, slice)):
        held = value if isinstance(value, tuple) else (value.start, value.stop, value.step)
        return any(map(_is_of_the_host, held))
    return isinstance(value, frozenset) or (isinstance(value, str) and not value.isascii())


def _positions(code: Any, instructions: list[Any]) -> list[Any]:
    """Of each instruction (line, end line, column, end column); before 3.11 the line alone."""
    if hasattr(code, "co_positions"):
        return [tuple(i.positions) for i in instructions]
    if hasattr(code, "co_lines"):
        lines = {at: line for start, stop, line in code.co_lines() for at in range(start, stop)}
        return [(lines.get(i.offset), None, None, None) for i in instructions]
    rows = []
    line = None
    for i in instructions:
        line = line if i.starts_line is None else i.starts_line
        rows.append((line, None, None, None))
    return rows


def _regions(code: Any) -> list[Any]:
    if not hasattr(code, "co_exceptiontable"):
        return []
    entries = dis._parse_exception_table(code)  # type: ignore[attr-defined]
    return [(e.start, e.end, e.target, e.depth, bool(e.lasti)) for e in entries]


def digest(rows: list[Any]) -> str:
    """Eight bytes of SHA-256 over the rows."""
    return hashlib.sha256(ascii(rows).encode()).hexdigest()[:16]


def flag_names() -> dict[int, str]:
    """The names of the bits of co_flags, as this version knows them."""
    names = dict(dis.COMPILER_FLAG_NAMES)
    for name in __future__.all_feature_names:
        flag = getattr(__future__, name).compiler_flag
        if flag >= 0x1000:  # nested_scopes and generators reuse other bits
            # The C name, CO_FUTURE_BARRY_AS_BDFL, is another one than Python's.
            names[flag] = "FUTURE_" + name.upper().replace("FLUFL", "BDFL")
    return names


def sources(root: str | None) -> list[tuple[str, str]]:
    """Every .py below a folder or inside a zip file, as (container, relative path); sorted."""
    if root is None:
        root = os.path.dirname(os.__file__)
        archives = [path for path in sys.path if path.endswith(".zip") and os.path.exists(path)]
        if archives and not os.path.isdir(root + "/json"):
            root = archives[0]
    if os.path.isfile(root):
        with zipfile.ZipFile(root) as archive:
            return [(root, name) for name in sorted(archive.namelist()) if name.endswith(".py")]
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in ("site-packages", "__pycache__")]
        paths = [os.path.join(folder, name) for name in files if name.endswith(".py")]
        found += filter(os.path.isfile, paths)  # not a link to a file that is not installed
    return [(root, os.path.relpath(path, root).replace(os.sep, "/")) for path in sorted(found)]


def choose(found: list[tuple[str, str]], sample: int | None, seed: int) -> list[tuple[str, str]]:
    """So many of the sources, the same for the same seed; all of them if `sample` is None."""
    if sample is None or sample >= len(found):
        return found
    return sorted(random.Random(seed).sample(found, sample))


def read(container: str, name: str) -> bytes:
    """The bytes of one of `sources`."""
    if os.path.isfile(container):
        with zipfile.ZipFile(container) as archive:
            return archive.read(name)
    with open(os.path.join(container, name), "rb") as file:
        return file.read()


def write_pyc(path: str, size: int, code: types.CodeType) -> None:
    """A .pyc with a timestamp of zero (PEP 552)."""
    header = importlib.util.MAGIC_NUMBER + bytes(8) + (size & 0xFFFFFFFF).to_bytes(4, "little")
    with open(path, "wb") as file:
        file.write(header + marshal.dumps(code))


def main() -> None:
    """Compile, write and describe; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", help="folder for the .pyc files and index.jsonl")
    parser.add_argument("--root", help="folder of sources instead of the own standard library")
    parser.add_argument("--sample", type=int, help="take only so many files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", default="0/1", help="I/N: take the files of worker I of N")
    parser.add_argument("--optimize", type=int, default=0)
    parser.add_argument("--bare", action="store_true", help="write the .pyc files alone")
    parser.add_argument("--details", help="file that names the sources to describe in full")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = choose(sources(options.root), options.sample, options.seed)
    worker, workers = map(int, options.share.split("/"))
    numbered = list(enumerate(chosen))[worker::workers]
    if options.details:
        with open(options.details, encoding="utf-8") as file:
            wanted = set(file.read().split("\n"))
        numbered = [(n, source) for n, source in numbered if source[1] in wanted]
    index = "details" if options.details else "index"
    with open(os.path.join(options.out, f"{index}-{worker}.jsonl"), "w") as file:
        head = {"version": sys.version.split()[0], "flags": flag_names(), "files": len(numbered)}
        file.write(json.dumps(head) + "\n")
        for number, (container, name) in numbered:
            file.write(json.dumps(describe(options, number, container, name)) + "\n")
            file.flush()


def describe(options: Any, number: int, container: str, name: str) -> dict[str, Any]:
    """The line of one file."""
    data = read(container, name)
    try:
        code = compile(data, name, "exec", dont_inherit=True, optimize=options.optimize)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return {"path": name, "skipped": type(error).__name__}
    pyc = f"{number:05}.pyc"
    if not options.details:
        write_pyc(os.path.join(options.out, pyc), len(data), code)
    codes = []
    apart: Counter[str] = Counter()
    for nested in [] if options.bare else walk(code):
        sections = facts(nested)
        if options.details:
            told: list[Any] = [[ascii(row) for row in rows] for rows in sections]
        else:
            told = [digest(rows) for rows in sections]
        codes.append([nested.co_name, nested.co_firstlineno, len(sections[1]), told])
        apart.update(rule for i in dis.get_instructions(nested) for rule in text_of(i, nested)[1:])
    del apart[""]
    return {"path": name, "pyc": pyc, "codes": codes, "apart": apart}


if __name__ == "__main__":
    main()
