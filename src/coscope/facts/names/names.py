"""The names and constants of a code object, sorted by the opcode that uses each.

`co_names` alone does not say whether a name is a global, an attribute or an import.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

from coscope.facts.names.uses import SlotUse, Use, uses_of
from coscope.model import Code, Constant, Function, Value
from coscope.opcodes import table
from coscope.readers.docstrings import docstring_of
from coscope.readers.values import value_of

_DISPLAY_HOOK = "_"  # bound in builtins by an interactive prompt, but not a builtin

# Where the lookup of a global or of a class-level name ends.
BINDINGS = (
    "global",  # live: the module's dictionary has it
    "builtin",  # live: the builtins have it; static: it is a builtin's name, unless shadowed
    "unbound",  # live: neither has it now; reading it would raise NameError
    "unknown",  # static, and not a builtin's name
)


@dataclass(frozen=True, slots=True)
class Name:
    """One name and every use of it in a group of `Names`."""

    name: str
    uses: tuple[Use, ...]  # in code order
    binding: str | None = None  # one of BINDINGS, for globals, builtins and names
    value: Value | None = None  # what it is bound to now, in a live function

    @property
    def verbs(self) -> tuple[str, ...]:
        """What is done with it, each once: "read", "write", "delete", "import", "capture"..."""
        return tuple(dict.fromkeys(use.access.split()[0] for use in self.uses))

    @property
    def offsets(self) -> tuple[int, ...]:
        """Byte offsets of the instructions that use it."""
        return tuple(use.offset for use in self.uses)


@dataclass(frozen=True, slots=True)
class LoadedConstant:
    """One entry of `co_consts` and the instructions that load it."""

    index: int
    value: Constant
    offsets: tuple[int, ...]  # bytes; empty if no instruction loads it
    docstring: bool  # the code's docstring

    @property
    def unused(self) -> bool:
        """True if it is neither loaded nor the docstring."""
        return not self.offsets and not self.docstring


@dataclass(frozen=True, slots=True)
class Names:
    """What one code object names, without what is nested in it."""

    constants: tuple[LoadedConstant, ...]  # by index
    globals: tuple[Name, ...]  # read, written or deleted as globals, not found among builtins
    builtins: tuple[Name, ...]  # globals that are only read and are found among builtins
    names: tuple[Name, ...]  # of a module or class body: own namespace first, then global, builtin
    attributes: tuple[Name, ...]
    imports: tuple[Name, ...]  # "json", "..pkg", "os.path.join" (from os.path), "math.*"
    locals: tuple[Name, ...]  # fast locals that are used
    cells: tuple[Name, ...]  # cell and free variables
    unused: tuple[str, ...]  # entries of co_names that no instruction uses


def names_of(function: Function | Code) -> Names:
    """Sort the names of a code object by what its opcodes do with them.

    A name of `co_names` that is used as an attribute only is not a global, whatever else has
    that name. For a live function globals and builtins are looked up in its real `__globals__` and
    `__builtins__`; no descriptor or `__missing__` runs.

    Raises:
        CodeError: The bytes are not an instruction sequence of their version.

    >>> from coscope.readers import read
    >>> names = names_of(read(lambda path: print(path.shape)))
    >>> [name.name for name in names.builtins], [name.name for name in names.attributes]
    (['print'], ['shape'])
    """
    code = function if isinstance(function, Code) else function.code
    named, used = _grouped(code)
    look_up = _lookup(function)
    bound = [_bound(name, look_up) for name in named["global"]]
    return Names(
        constants=tuple(_constants(code)),
        globals=tuple(name for name in bound if not _is_builtin(name)),
        builtins=tuple(name for name in bound if _is_builtin(name)),
        names=tuple(_bound(name, look_up) for name in named["name"]),
        attributes=named["attribute"],
        imports=named["import"],
        locals=named["local"],
        cells=named["cell"],
        unused=tuple(name for name in code.names if name not in used),
    )


def _grouped(code: Code) -> tuple[dict[str, tuple[Name, ...]], set[str]]:
    """The names of each group; and the entries of `co_names` that are used."""
    groups: dict[str, dict[str, list[Use]]] = {group: {} for group in _GROUPS}
    used: set[str] = set()
    imports: list[SlotUse] = []
    for found in uses_of(code):
        group = _group_of(found.use.access)
        if group == "import":
            imports.append(found)
        else:
            groups[group].setdefault(found.name, []).append(found.use)
        if group != "local" and group != "cell":
            used.add(found.name)
    for name, use in imports_in(code, imports):
        groups["import"].setdefault(name, []).append(use)
    named = {
        group: tuple(Name(name, tuple(uses)) for name, uses in members.items())
        for group, members in groups.items()
    }
    return named, used


_GROUPS = ("global", "name", "attribute", "import", "local", "cell")


@cache
def _group_of(access: str) -> str:
    """The group for the table's words: the last of them, but names come before globals."""
    words = access.split()
    if words[0] == "import":
        return "import"
    return "name" if words[1:] == ["name", "or", "global"] else words[-1]


def imports_in(code: Code, found: list[SlotUse]) -> Iterator[tuple[str, Use]]:
    """Imports by what they name: `from ..pkg import x` is "..pkg" and "..pkg.x".

    The level and the list of names are the two constants pushed before. Without a list,
    `import a.b as c` reads b from a by IMPORT_FROM, which imports nothing more.
    """
    module, listed = "", False
    for name, _, use in found:
        if use.access == "import name":
            level, names = _pushed_before(code, use.offset)
            module = "." * level + name
            listed = bool(names)
            yield module, use
            if names == ("*",):
                yield _joined(module, "*"), Use("import star", use.offset, use.line)
        elif listed:
            yield _joined(module, name), use


def _joined(module: str, name: str) -> str:
    return f"{module}{name}" if module.endswith(".") else f"{module}.{name}"


def _pushed_before(code: Code, offset: int) -> tuple[int, object]:
    """Level and names of an IMPORT_NAME; 0 and None if they are not plain constants."""
    columns = code.instructions
    at = columns.at(offset).index - 1
    values: list[object] = []
    while at >= 0 and len(values) < 2:
        if columns.opname(at) != "EXTENDED_ARG":
            values.append(columns.argval(at))
        at -= 1
    if len(values) < 2 or type(values[1]) is not int or not 0 <= values[1] < 100:
        return 0, None
    return values[1], values[0] if type(values[0]) is tuple else None


def _constants(code: Code) -> Iterator[LoadedConstant]:
    loaded: dict[int, list[int]] = {}
    columns = code.instructions
    loads = _constant_opcodes(code.version)
    for at, opcode in enumerate(columns.opcodes):
        if loads[opcode]:
            loaded.setdefault(columns.opargs[at], []).append(columns.offsets[at])
    doc = docstring_of(code)
    for index, value in enumerate(code.consts):
        yield LoadedConstant(index, value, tuple(loaded.get(index, ())), index == doc)


@cache
def _constant_opcodes(version: str) -> tuple[bool, ...]:
    """By opcode number: its oparg is an index into `co_consts`."""
    return tuple(
        row is not None and row.operand in ("const", "const names")
        for row in table(version).by_code
    )


class _Lookup(NamedTuple):
    """Where the globals of a function are looked up."""

    globals: dict[str, object] | None  # None: static, and only the builtins' names are known
    builtins: dict[str, object]


def _lookup(function: Function | Code) -> _Lookup:
    live = function.object if isinstance(function, Function) else None
    if type(live) is not FunctionType:
        return _Lookup(None, vars(builtins))
    known: Any = live  # mypy's stubs do not always know of __builtins__
    held = known.__builtins__
    return _Lookup(live.__globals__, held if issubclass(type(held), dict) else {})


def _bound(name: Name, look_up: _Lookup) -> Name:
    if look_up.globals is None:
        known = name.name in look_up.builtins and name.name != _DISPLAY_HOOK
        return Name(name.name, name.uses, "builtin" if known else "unknown")
    for binding, namespace in (("global", look_up.globals), ("builtin", look_up.builtins)):
        value = dict.get(namespace, name.name, _MISSING)
        if value is not _MISSING:
            return Name(name.name, name.uses, binding, value_of(value))
    return Name(name.name, name.uses, "unbound")


_MISSING: object = object()


def _is_builtin(name: Name) -> bool:
    return name.binding == "builtin" and name.verbs == ("read",)
