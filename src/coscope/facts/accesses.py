"""How one code object uses names, told from its columns: dotted paths, attributes, constants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import compress

from coscope.facts.names import names_of
from coscope.model import Code, Constant
from coscope.opcodes import Opcode, table

# Sorts of instructions. What is of none of them is passed over by a bytes table.
_ROOT, _STEP, _ATTRIBUTE, _IMPORT, _CONSTANT, _NUMBER = range(1, 7)

# Namespaces in which a root is looked up.
GLOBAL, NAME, CELL = "global", "name", "cell"


@dataclass(slots=True)
class Accesses:
    """The uses of names by one code object's own instructions, each with its offsets."""

    # (verb, namespace, dotted path) -> byte offsets. Namespaces: GLOBAL, NAME, CELL.
    variables: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    attributes: dict[str, list[tuple[str, int]]] = field(default_factory=dict)  # verb, offset
    imports: dict[str, list[int]] = field(default_factory=dict)
    constants: dict[int, list[int]] = field(default_factory=dict)  # index in consts -> offsets
    numbers: dict[int, list[int]] = field(default_factory=dict)  # small ints in opargs


@cache
def _sorts(version: str) -> tuple[bytes, tuple[tuple[str, str] | None, ...]]:
    """By opcode: its sort, for bytes.translate; and the verb and namespace of its access."""
    rows = table(version).by_code
    return bytes(_sort(row) for row in rows), tuple(_words(row) for row in rows)


def _sort(row: Opcode | None) -> int:
    if row is None:
        return 0
    if row.operand in ("const", "const names"):
        return _CONSTANT
    if row.operand == "small int":
        return _NUMBER
    if not row.access or row.operand == "none":
        return 0
    access = row.access[0]
    if access.startswith("import"):
        return _IMPORT
    if access.endswith("attribute"):
        # One value in, its attribute out: what continues a dotted path.
        return _STEP if access.startswith("read") and len(row.pop_slots) == 1 else _ATTRIBUTE
    verb, _, kind = access.partition(" ")
    if verb in ("read", "write", "delete") and "local" not in kind:
        return _ROOT
    return 0


def _words(row: Opcode | None) -> tuple[str, str] | None:
    if row is None or not row.access:
        return None
    words = row.access[0].split()
    if words[1:] == ["name", "or", "global"]:
        return words[0], NAME
    return words[0], words[-1]


def accesses_of(code: Code) -> Accesses:
    """Every use of a name that is no fast local, and of a constant.

    Attributes that are read right after the value before them make a dotted path of it:
    `np.linalg.norm`.

    Raises:
        CodeError: The bytes are no instruction sequence of their version.
    """
    found = Accesses()
    columns = code.instructions
    offsets, opargs, argval = columns.offsets, columns.opargs, columns.argval
    opcodes = bytes(columns.opcodes)
    sorts, words = _sorts(code.version)
    marks = opcodes.translate(sorts)
    extended_arg = table(code.version).extended_arg
    key: tuple[str, str, str] | None = None  # of the dotted path that may go on
    start = after = -1  # offset of its root, index after its last instruction
    for at in compress(range(len(opcodes)), marks):
        sort = marks[at]
        if sort == _STEP and key is not None:
            while after < at and opcodes[after] == extended_arg:
                after += 1
            if after == at:
                key = (key[0], key[1], f"{key[2]}.{argval(at)}")
                after = at + 1
                continue
        if key is not None:
            found.variables.setdefault(key, []).append(start)
            key = None
        if sort == _CONSTANT:
            found.constants.setdefault(opargs[at], []).append(offsets[at])
        elif sort == _NUMBER:
            found.numbers.setdefault(opargs[at], []).append(offsets[at])
        elif sort != _IMPORT:
            name, meaning = argval(at), words[opcodes[at]]
            if type(name) is not str or meaning is None:
                continue  # an index that lies outside of the names
            verb, kind = meaning
            if sort != _ROOT:
                found.attributes.setdefault(name, []).append((verb, offsets[at]))
            elif verb == "read":
                key, start, after = (verb, kind, name), offsets[at], at + 1
            else:
                found.variables.setdefault((verb, kind, name), []).append(offsets[at])
    if key is not None:
        found.variables.setdefault(key, []).append(start)
    if bytes([_IMPORT]) in marks:
        for imported in names_of(code).imports:
            found.imports[imported.name] = list(imported.offsets)
    return found


def constants_in(code: Code, found: Accesses) -> Iterator[tuple[Constant, list[int]]]:
    """The constants that are loaded, without nested code; in order of their index."""
    for index, offsets in sorted(found.constants.items()):
        if 0 <= index < len(code.consts) and not isinstance(code.consts[index], Code):
            yield code.consts[index], offsets
    yield from sorted(found.numbers.items())
