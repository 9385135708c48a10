"""How one code object uses names, read from its columns: dotted paths, attributes, constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import compress
from typing import NamedTuple

from coscope.facts.names.names import imports_in
from coscope.facts.names.uses import SlotUse, Use
from coscope.model import Code, Constant
from coscope.opcodes import Opcode, table

# Sorts of instructions. What is of none of them is passed over by a bytes table.
_ROOT, _STEP, _ATTRIBUTE, _IMPORT = range(1, 5)

# Namespaces in which a root is looked up.
GLOBAL, NAME, CELL = "global", "name", "cell"


@dataclass(slots=True)
class Accesses:
    """The uses of names by one code object's own instructions, each with its offsets."""

    # (verb, namespace, dotted path) -> byte offsets. Namespaces: GLOBAL, NAME, CELL.
    variables: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    attributes: dict[str, list[tuple[str, int]]] = field(default_factory=dict)  # verb, offset
    imports: dict[str, list[int]] = field(default_factory=dict)
    lazy: set[str] = field(default_factory=set)  # of the imports: those that are lazy wherever
    modules: set[str] = field(default_factory=set)  # those of `imports` that are not `from` names
    # What is pushed to be called: a dotted path, or ".name" for a method of a value without a
    # name. Byte offset of the instruction that pushes it. To 3.10 methods alone can be seen.
    callees: list[tuple[str, int]] = field(default_factory=list)


class _Meaning(NamedTuple):
    """What an opcode does with its name."""

    verb: str
    space: str
    shift: int  # flag bits below the index
    in_names: bool  # the index is one of `names`, else of the cells


# Slots below or above a callee that a load pushes with it.
_NULLS = ("null", "self_or_null", "method_or_null")


class _Pushing(NamedTuple):
    """How a version shows that what is pushed will be called: a NULL or self is its neighbour."""

    marks: bytes  # by opcode: 1 if it pushes one when bit 0 of its oparg is set, 2 if always
    null: int  # PUSH_NULL, -1 if there is none
    step: int  # 1: it comes after the callee; -1: before it


@cache
def _pushing(version: str) -> _Pushing:
    rules = table(version)
    marks = bytearray(256)
    for number, row in enumerate(rules.by_code):
        if row is None or not row.access or not row.access[0].startswith("read"):
            continue
        for slot in row.pushes:
            if slot.partition(":")[0].partition(" ")[0] in _NULLS:
                marks[number] = 1 if "oparg & 1" in slot else 2
    null = rules.opcodes.get("PUSH_NULL")
    call = rules.opcodes.get("CALL")
    after = call is not None and call.pops[0].startswith("callable")
    return _Pushing(bytes(marks), null.code if null else -1, 1 if after else -1)


@cache
def _meanings(version: str) -> tuple[bytes, tuple[_Meaning | None, ...]]:
    """By opcode: its sort, for bytes.translate; and what it does."""
    rows = table(version).by_code
    return bytes(_sort(row) for row in rows), tuple(_meaning(row) for row in rows)


def _sort(row: Opcode | None) -> int:
    if row is None or not row.access or row.operand == "none":
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


def _meaning(row: Opcode | None) -> _Meaning | None:
    if row is None or not row.access:
        return None
    verb, *words = row.access[0].split()
    space = NAME if words == ["name", "or", "global"] else words[-1]
    shift = int(row.operand.partition(">>")[2] or 0)
    return _Meaning(verb, space, shift, row.operand.startswith("name"))


def accesses_of(code: Code) -> Accesses:
    """Every use of a name that is not a fast local.

    Attributes that are read right after the value before them make a dotted path of it:
    `np.linalg.norm`.

    Raises:
        CodeError: The bytes are not an instruction sequence of their version.
    """
    found = Accesses()
    variables = found.variables
    columns = code.instructions
    offsets, opargs, opcodes = columns.offsets, columns.opargs, bytes(columns.opcodes)
    rules = table(code.version)
    sorts, meanings = _meanings(code.version)
    marks = opcodes.translate(sorts)
    names = code.names
    cells = code.localsplusnames if rules.deref == "localsplus" else code.cellvars + code.freevars
    imports: list[SlotUse] = []
    key: tuple[str, str, str] | None = None  # of the dotted path that may go on
    start = after = first = -1  # offset of its root, index after its last instruction, its index
    is_called = _calling(code.version, opcodes, opargs)
    for at in compress(range(len(opcodes)), marks):
        sort, meaning = marks[at], meanings[opcodes[at]]
        assert meaning is not None
        verb, space, shift, in_names = meaning
        index = opargs[at] >> shift
        pool = names if in_names else cells
        if not 0 <= index < len(pool):
            continue  # no compiler makes such code
        name = pool[index]
        if sort == _STEP and key is not None:
            while after < at and opcodes[after] == rules.extended_arg:
                after += 1
            if after == at:
                key = (key[0], key[1], f"{key[2]}.{name}")
                after = at + 1
                continue
        if key is not None:
            variables.setdefault(key, []).append(start)
            if is_called(first, after - 1):
                found.callees.append((key[2], start))
            key = None
        if sort == _ROOT:
            if verb == "read":
                key, start, after, first = (verb, space, name), offsets[at], at + 1, at
            else:
                variables.setdefault((verb, space, name), []).append(offsets[at])
        elif sort == _IMPORT:
            imports.append(SlotUse(name, index, Use(f"import {space}", offsets[at], None)))
        else:
            found.attributes.setdefault(name, []).append((verb, offsets[at]))
            if sort == _STEP and is_called(at, at):
                found.callees.append((f".{name}", offsets[at]))
    if key is not None:
        variables.setdefault(key, []).append(start)
        if is_called(first, after - 1):
            found.callees.append((key[2], start))
    _note_imports(found, code, imports)
    return found


def _note_imports(found: Accesses, code: Code, imports: list[SlotUse]) -> None:
    lazy: dict[str, bool] = {}
    from_lazy = False
    for name, use in imports_in(code, imports):
        found.imports.setdefault(name, []).append(use.offset)
        if use.access == "import name":
            from_lazy = _is_lazy(code, use.offset)
        if use.access != "import attribute":
            found.modules.add(name)
        lazy[name] = lazy.get(name, True) and from_lazy
    found.lazy.update(name for name, always in lazy.items() if always)


def _calling(version: str, opcodes: bytes, opargs: Sequence[int]) -> Callable[[int, int], bool]:
    """Whether what the instructions from one index to another push is there to be called."""
    marks, null, step = _pushing(version)

    def is_called(first: int, last: int) -> bool:
        mark = marks[opcodes[last]]
        if mark and (mark == 2 or opargs[last] & 1):
            return True
        beside = last + 1 if step > 0 else first - 1
        return 0 <= beside < len(opcodes) and opcodes[beside] == null

    return is_called


def _is_lazy(code: Code, offset: int) -> bool:
    """True for `lazy import` (PEP 810, 3.15), where two flags are below the index of the name."""
    columns = code.instructions
    row = table(code.version).opcodes["IMPORT_NAME"]
    return row.operand == "name>>2" and bool(columns.opargs[columns.at(offset).index] & 1)


@cache
def _loading(version: str) -> bytes:
    """By opcode: 1 if it loads a constant of the table, 2 if its oparg is the number, 3 if its
    oparg chooses one that all code shares."""
    kinds = {"const": 1, "const names": 1, "small int": 2, "common constant": 3}
    return bytes(kinds.get(row.operand, 0) if row else 0 for row in table(version).by_code)


def constants_in(code: Code) -> Iterator[tuple[Constant, tuple[int, ...]]]:
    """The constants that are loaded and the offsets where; nested code does not count.

    In order of their index in `co_consts`, then numbers in opargs (3.14+), then literals that all
    code shares (3.15).
    """
    shared = table(code.version).common_literals
    columns = code.instructions
    marks = bytes(columns.opcodes).translate(_loading(code.version))
    found: dict[tuple[int, int], list[int]] = {}
    for at in compress(range(len(marks)), marks):
        found.setdefault((marks[at], columns.opargs[at]), []).append(columns.offsets[at])
    for (kind, number), offsets in sorted(found.items()):
        if kind == 2:
            yield number, tuple(offsets)
        elif kind == 3:
            if number in shared:
                yield shared[number], tuple(offsets)
        elif 0 <= number < len(code.consts) and not isinstance(code.consts[number], Code):
            yield code.consts[number], tuple(offsets)
