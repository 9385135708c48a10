"""What a shell may complete: targets, names in files and modules, rules, opcodes, versions.

Nothing is imported and nothing executed: names come from compiling a source file or reading a .pyc.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from click import Context, Parameter
from click.shell_completion import CompletionItem

from coscope.errors import CoscopeError

_MOST_BYTES = 2_000_000  # of a file whose names are completed: a shell should not wait

Items: TypeAlias = "list[CompletionItem[str]]"  # quoted: click 8.3 has no such subscript


def of_target(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Completions of a TARGET: files, `file.py::name`, `module:name`, `package.module.name`."""
    file, double, name = incomplete.partition("::")
    if double and os.path.isfile(file):
        return _items(f"{file}::{each}" for each in _names_in(file) if each.startswith(name))
    module, colon, name = incomplete.partition(":")
    if colon and os.path.sep not in module:
        return _items(f"{module}:{each}" for each in _importable(module) if each.startswith(name))
    if context.params.get("source") and not incomplete:
        return []
    files = [CompletionItem(incomplete, type="file")]
    if not incomplete or os.path.sep in incomplete or os.path.exists(incomplete):
        return files
    return [*files, *_items(_dotted(incomplete))]


def of_rule(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Codes of rules; of several with commas between them the last one."""
    from coscope.cli.rulebook import every_rule

    before, comma, part = incomplete.rpartition(",")
    codes = [(rule.code, rule.title) for rule in every_rule()]
    return [
        CompletionItem(f"{before}{comma}{code}", help=title)
        for code, title in codes
        if code.startswith(part.upper())
    ]


def of_opcode(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Names of opcodes."""
    from coscope.opcodes.sentences import names

    return _items(name for name in names(None) if name.startswith(incomplete.upper()))


def of_version(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Versions of CPython that have a table; a path is completed as a file."""
    from coscope.opcodes import VERSIONS

    found = _items(version for version in VERSIONS if version.startswith(incomplete))
    return found or [CompletionItem(incomplete, type="file")]


def of_question(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Questions about a corpus."""
    from coscope.corpus.ask import questions

    return _items(name for name in questions() if name.startswith(incomplete))


def _items(texts: Iterable[str]) -> Items:
    return [CompletionItem(text) for text in dict.fromkeys(texts)]


def _names_in(file: str) -> Iterator[str]:
    """The names by which code objects of a file are selected, `<module>` last."""
    from coscope.readers.files import read_file
    from coscope.readers.naming import MODULE
    from coscope.readers.selection import plain

    try:
        if os.path.getsize(file) > _MOST_BYTES:
            return
        codes = list(read_file(file).code.walk())
    except (CoscopeError, OSError):
        return
    yield from (plain(code.qualname) for code in codes[1:])
    yield MODULE


def _importable(module: str) -> Iterator[str]:
    """Names of functions and classes' functions that a module's source defines at its top."""
    file = _file_of(module)
    if file is None:
        return
    from coscope.readers.files import read_file

    try:
        codes = list(read_file(file).code.walk())
    except (CoscopeError, OSError):
        return
    for code in codes[1:]:
        if "<" not in code.qualname:
            yield code.qualname


def _file_of(module: str) -> str | None:
    """The source file of a module, without importing it or its packages."""
    from coscope.readers.importing import spec_of

    spec = spec_of(module)
    origin = None if spec is None else spec.origin
    known = origin is not None and origin.endswith(".py") and os.path.isfile(origin)
    return origin if known and os.path.getsize(origin or "") <= _MOST_BYTES else None


def _dotted(incomplete: str) -> Iterator[str]:
    """Modules, and behind the last dot of a module the names in it."""
    import pkgutil
    import sys

    package, dot, part = incomplete.rpartition(".")
    if not dot:
        found = {*sys.stdlib_module_names, *(each.name for each in pkgutil.iter_modules())}
        names = (name for name in found if part or not name.startswith("_"))
        yield from sorted(name for name in names if name.startswith(part))
        return
    from coscope.readers.importing import spec_of

    spec = spec_of(package)
    if spec is not None:
        places = spec.submodule_search_locations or ()
        inside = (each.name for each in pkgutil.iter_modules(list(places)))
        named = (name for name in _importable(package) if "." not in name)
        yield from (f"{package}.{name}" for name in (*inside, *named) if name.startswith(part))
