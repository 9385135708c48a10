"""Whether a code object may have a sink: told from its names and bytes, before it is decoded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from coscope.audits.dynamic.flows.sinks import FUNCTIONS, METHODS, SHELL, TEMPLATE
from coscope.audits.prefilter.glances import (
    BRANCH,
    END,
    Glance,
    first_pair,
    first_parts,
    lookups,
    names_of,
    uses,
)
from coscope.opcodes import table

# Names by which a function is had whose own name is then in a constant: getattr(builtins, "eval").
_INDIRECT = frozenset(
    ("getattr", "attrgetter", "methodcaller", "__dict__", "vars", "__builtins__", "globals")
)
_BUILTINS = "builtins"
_TEMPLATES = frozenset({"format", "format_map"})


def names_for(rule: str) -> frozenset[str]:
    """The names of which code with a sink of a rule has one, unless its file has an alias."""
    return _INDIRECT | frozenset(_modules_of(rule))


def _modules_of(rule: str) -> dict[str, frozenset[str]]:
    """The last name of each sink of a rule, and the modules of which the code needs one."""
    found: dict[str, set[str]] = {}
    for name, sink in FUNCTIONS.items():
        if sink.rule == rule:
            parts = name.split(".")
            found.setdefault(parts[-1], set()).update(parts[:-1])
    for name, method in METHODS.items():
        if method.sink.rule == rule:
            found.setdefault(name, set()).update(method.modules)
    return {word: frozenset(modules) for word, modules in found.items()}


def may_find_for(rule: str) -> Callable[[object], bool]:
    """`may_find` of a rule about flows."""
    modules = _modules_of(rule)
    words = frozenset(modules) - _TEMPLATES  # of these the bytes tell more
    plain = frozenset(word for word in words if _BUILTINS in modules[word])
    templates, shells = rule == TEMPLATE, rule == SHELL

    def may_find(seen: object) -> bool:
        assert isinstance(seen, Glance)
        held = words.intersection(seen.names)
        if held and not any(_is_had(seen, word) for word in held):
            held = frozenset()
        if templates and not _TEMPLATES.isdisjoint(seen.names) and _has_template(seen):
            return True
        if not held and _INDIRECT.isdisjoint(seen.names):
            return False
        if held & plain and uses(seen, lookups(seen.file.version), plain, seen.whole()):
            return True
        if shells and any(type(each) is tuple and "shell" in each for each in seen.consts):
            return True
        near = _near(seen)
        if any(not modules[word].isdisjoint(near) for word in held):
            return True
        return not _INDIRECT.isdisjoint(seen.names) and _names_one(seen, words)

    return may_find


def _is_had(seen: Glance, word: str) -> bool:
    """False if a name is only asked for attributes, as `S` in `S.One`."""
    at = seen.names.index(word)
    if len(seen.names) > _BYTE:
        return True
    pairs, attributes, stores = _reads(seen.file.version)
    for opcode, bits, units in pairs:
        for flag in range(1 << bits):
            found = first_pair(seen.bytecode, opcode, (at << bits & 0xFF) | flag)
            while found >= 0:
                after = found + units
                if seen.units[after : after + 1] not in attributes:
                    return True
                found = first_pair(seen.bytecode, opcode, (at << bits & 0xFF) | flag, found + 1)
    others = (opcode for opcode in stores if opcode in seen.units)
    return any(_has_name(seen, opcode, at) for opcode in others)


def _has_name(seen: Glance, opcode: int, at: int) -> bool:
    """True if an instruction of a kind that is no lookup may use a name."""
    rows = table(seen.file.version)
    row = rows.by_code[opcode]
    bits = int(row.operand.partition(">>")[2] or 0) if row is not None else 0
    return any(
        first_pair(seen.bytecode, opcode, (at << bits & 0xFF) | flag) >= 0
        for flag in range(1 << bits)
    )


_BYTE = 128  # of more names only the low byte of an index is looked at


@cache
def _reads(
    version: str,
) -> tuple[tuple[tuple[int, int, int], ...], frozenset[bytes], tuple[int, ...]]:
    """Of a version: the lookups of names, with flag bits and code units; the opcodes that ask for
    an attribute, as bytes; and the other opcodes that use a name."""
    rows = table(version)
    looked = frozenset(lookups(version))
    pairs, others = [], []
    for row in rows.by_code:
        if row is None or not row.operand.startswith("name"):
            continue
        if row.name in looked:
            bits = int(row.operand.partition(">>")[2] or 0)
            pairs.append((row.code, bits, 1 + row.caches))
        else:
            others.append(row.code)
    names = [name for name in ("LOAD_ATTR", "LOAD_METHOD") if name in rows.opcodes]
    attributes = frozenset(bytes([rows.opcodes[name].code]) for name in names)
    return tuple(pairs), attributes, tuple(others)


def _near(seen: Glance) -> frozenset[str]:
    """The names of the code, of the one around it and of its file, with first parts of dotted."""
    if _asked and _asked[0][0] is seen:  # several rules ask about the same code
        return _asked[0][1]
    around = () if seen.parent is None else names_of(seen.parent)
    found = seen.file.roots | first_parts(seen.names) | first_parts(around)
    _asked[:] = [(seen, found)]
    return found


_asked: list[tuple[Glance, frozenset[str]]] = []  # the last code object, and its names


def _names_one(seen: Glance, words: frozenset[str]) -> bool:
    """True if a constant is the name of a sink."""
    return any(type(each) is str and each in words for each in seen.consts)


def _has_template(seen: Glance) -> bool:
    """True if `format` may be called of anything but a constant."""
    rules = table(seen.file.version)
    rows = rules.opcodes
    for word in ("format", "format_map"):
        if word not in seen.names:
            continue
        low = seen.names.index(word)
        for name in ("LOAD_ATTR", "LOAD_METHOD"):
            if name not in rows:
                continue
            bits = int(rows[name].operand.partition(">>")[2] or 0)
            for flags in range(1 << bits):
                oparg = (low << bits | flags) & 0xFF
                at = first_pair(seen.bytecode, rows[name].code, oparg)
                while at >= 0:
                    if not _takes_constant(seen, at, rules.constants):
                        return True
                    at = first_pair(seen.bytecode, rows[name].code, oparg, at + 1)
    return False


def _takes_constant(seen: Glance, at: int, constants: frozenset[int]) -> bool:
    """True if what an instruction takes is surely loaded as a constant just before it."""
    units, shape = seen.units, seen.file.shape
    while at and units[at - 1] == shape.extended_arg:
        at -= 1
    if not at or units[at - 1] not in constants:
        return False
    marks = units.translate(shape.marks)
    for mark in (BRANCH, END):  # another value may come over a jump
        branch = marks.find(mark, 0, at)
        while branch >= 0:
            if units[branch] in shape.jumps and seen.target_of(branch) == at:
                return False
            branch = marks.find(mark, branch + 1, at)
    return True
