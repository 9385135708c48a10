"""Compile the golden snippets with the CPython that runs this; 3.8 or later, nothing else needed.

    python goldens_compile.py SNIPPETS OUT

A snippet's first line may say `# since 3.12` (older versions skip it) or `# mode single` (as the
interactive prompt compiles). Writes OUT/<snippet>.pyc, with a header without time and size.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys


def main(snippets: str, out: str) -> None:
    """Compile every snippet that this version can."""
    os.makedirs(out, exist_ok=True)
    for name in sorted(os.listdir(snippets)):
        stem, extension = os.path.splitext(name)
        if extension != ".py":
            continue
        with open(os.path.join(snippets, name), encoding="utf-8") as file:
            text = file.read()
        words = text.partition("\n")[0].split()
        if words[:2] == ["#", "since"] and _numbers(words[2]) > sys.version_info[:2]:
            continue
        mode = words[2] if words[:2] == ["#", "mode"] else "exec"
        code = compile(text, name, mode, dont_inherit=True, optimize=0)
        with open(os.path.join(out, stem + ".pyc"), "wb") as file:
            file.write(importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


if __name__ == "__main__":
    main(*sys.argv[1:])
