"""Which opcodes with which opargs occur in a sample of the standard library, as one line of JSON.

Runs inside the interpreter under test, CPython 3.8 to 3.15, natively or in Pyodide. It compiles a
fixed sample of files, and tells for each opcode a few of its opargs with `dis.stack_effect`.
Usage: occurring.py FILES
"""

from __future__ import annotations

import dis
import json
import os
import sys
import types
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

PROGRAM = """
async def everything(a, b, /, c, *d, e=1, **f):
    async with a as g:
        async for h in b: yield h
    x = [i async for i in b if await i]
    try:
        with a as g, b: del g, a.b, a[c]
    except* ValueError as error: raise KeyError from error
    match a:
        case {"k": 1, **rest}: return
        case C(p, q=2) | [C(p), 1]: pass
    nonlocal_ = lambda: (a, f"{b!r:>{c}}{c}", c[1:2], c[1:2:3], *d, {**f, "k": 1})
    assert not a and b or ~c, -c
    c[1:2] = a @ b; a.b += 1; a, *b, c = d; print(a, *b, e=1, **f)
"""


def sources(files: int) -> Iterator[tuple[str, bytes]]:
    """Every so many-th file of the library, with at most 100 kB; and a program that uses much."""
    yield "everything", PROGRAM.encode()
    folder = os.path.dirname(os.__file__)
    if os.path.isdir(folder):
        named = {
            os.path.join(where, name)
            for where, _, names in os.walk(folder)
            for name in names
            if name.endswith(".py") and "site-packages" not in where
        }
        # Debian's sitecustomize.py is a link into /etc, which may lead nowhere.
        here = [path for path in named if os.path.isfile(path)]
        paths = sorted(path for path in here if os.path.getsize(path) < 100_000)
        for path in paths[:: max(1, len(paths) // files)]:
            with open(path, "rb") as file:
                yield path, file.read()
    else:
        with zipfile.ZipFile(folder[: folder.index(".zip") + 4]) as library:
            paths = sorted(name for name in library.namelist() if name.endswith(".py"))
            for path in paths[:: max(1, len(paths) // files)]:
                yield path, library.read(path)


def occurring(code: types.CodeType, found: dict[str, set[int]]) -> None:
    """Collect the opargs of every opcode of a code object and of those nested in it."""
    oparg = 0
    units = code.co_code
    caches = sys.version_info >= (3, 11)
    at = 0
    while at < len(units):
        name = dis.opname[units[at]]
        oparg = oparg << 8 | units[at + 1]
        opargs = found.setdefault(name, set())
        if len(opargs) < 64:
            opargs.add(oparg)
        if name != "EXTENDED_ARG":
            oparg = 0
        at += 2
        while caches and at < len(units) and units[at] == 0:  # CACHE
            at += 2
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            occurring(constant, found)


def effects(name: str, opargs: set[int]) -> list[list[Any]]:
    """[[oparg, effect without the jump, with the jump], ...]"""
    code = dis.opmap[name]
    takes = code in dis.hasarg if hasattr(dis, "hasarg") else code >= dis.HAVE_ARGUMENT
    return [
        [oparg] + [dis.stack_effect(code, oparg if takes else None, jump=j) for j in (False, True)]
        for oparg in sorted(opargs)
    ]


def main(files: int) -> None:
    found: dict[str, set[int]] = {}
    compiled = 0
    warnings.simplefilter("ignore")
    for name, data in sources(files):
        try:
            occurring(compile(data, name, "exec", dont_inherit=True), found)
        except (SyntaxError, ValueError):
            continue
        compiled += 1
    told = {name: effects(name, opargs) for name, opargs in found.items()}
    print(json.dumps({"files": compiled, "opcodes": told}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
