"""What an oparg means: argval and argrepr, driven by the `operand` field of the opcode tables."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from coscope.codec.constants import constant_text
from coscope.errors import InternalError
from coscope.model import Code
from coscope.opcodes import Opcode, Table, table

Value = Callable[[Code, int], Any]
Text = Callable[[Code, int], str]

_CONVERSIONS = (None, str, repr, ascii)
_INVERSIONS = {"IS_OP": ("is", "is not"), "CONTAINS_OP": ("in", "not in")}
_FUNCTION_FLAGS = ("defaults", "kwdefaults", "annotations", "closure", "annotate")
_RESUMES = ("at start", "after yield", "after yield from", "after await")
_LISTED = {
    "binary": "binary",
    "intrinsic 1": "intrinsic_1",
    "intrinsic 2": "intrinsic_2",
    "special": "special",
}


class Operand(NamedTuple):
    """How to read the oparg of one opcode. A jump's meaning is in `jump_sign` and `jump_base`."""

    takes: bool  # the opcode takes an argument
    value: Value  # argval
    text: Text  # argrepr
    # Target of a jump in bytes: jump_base + oparg * jump_unit, the base counted from the
    # instruction's offset, or from 0 for an absolute jump. Unit 0: no jump.
    jump_unit: int = 0
    jump_base: int = 0
    absolute: bool = False
    word: str = "to"  # before the target; "from" where one came from there


@cache
def operands(version: str) -> tuple[Operand, ...]:
    """256 entries by opcode number, for one version.

    Values equal argval in that version's `dis`, save that KW_NAMES is resolved on 3.11 too, where
    `dis` gives its UNKNOWN. An oparg that points outside its list means itself: argval is the
    oparg and argrepr says so, as in `<const 99: out of range>`. So does the oparg of a number that
    the version does not define.
    """
    rules = table(version)
    return tuple(_operand(row, rules) if row else _UNDEFINED for row in rules.by_code)


def _operand(row: Opcode, rules: Table) -> Operand:
    kind = row.operand
    if kind == "none":
        return Operand(False, _nothing, _silent)
    if kind in ("jump", "jump source"):
        return _jump(row, rules)
    if kind in ("const", "const names"):
        return Operand(True, _const, _const_text)
    if kind.startswith("name"):
        return Operand(True, *_names(row))
    if kind in ("local", "local pair", "deref"):
        return Operand(True, *_slots(row, rules))
    return _listed_operand(row, rules)


def _listed_operand(row: Opcode, rules: Table) -> Operand:
    """An operand whose text is from a list, or fixed; the oparg itself is the value of most."""
    kind = row.operand
    if kind == "compare":
        return Operand(True, *_compare(rules))
    if kind in _LISTED:
        return Operand(True, _oparg, _listed(rules.lists[_LISTED[kind]], kind))
    if kind == "common constant":
        return Operand(True, *_common_constants(rules))
    if kind == "invert":
        return Operand(True, _oparg, _inversion(_INVERSIONS[row.base or row.name]))
    plain = _PLAIN.get(kind)
    if plain is None:
        raise InternalError(f"table {rules.version}: {row.name} has operand = {kind!r}")
    return Operand(True, *plain)


def _jump(row: Opcode, rules: Table) -> Operand:
    """From 3.11 the base lies after the inline caches; before, there are none."""
    if row.jump == "absolute":
        return Operand(True, _oparg, _silent, rules.jump_unit, 0, True)
    source = row.operand == "jump source"
    sign = -1 if row.jump == "backward" or source else 1
    base, word = 2 + 2 * row.caches, "from" if source else "to"
    return Operand(True, _oparg, _silent, sign * rules.jump_unit, base, word=word)


def _nothing(code: Code, oparg: int) -> None:
    return None


def _oparg(code: Code, oparg: int) -> int:
    return oparg


def _silent(code: Code, oparg: int) -> str:
    return ""


_UNDEFINED = Operand(True, _oparg, _silent)


def _outside(kind: str, index: int) -> str:
    return f"<{kind} {index}: out of range>"


def _const(code: Code, oparg: int) -> object:
    return code.consts[oparg] if 0 <= oparg < len(code.consts) else oparg


def _const_text(code: Code, oparg: int) -> str:
    if 0 <= oparg < len(code.consts):
        return constant_text(code.consts[oparg])
    return _outside("const", oparg)


def _names(row: Opcode) -> tuple[Value, Text]:
    """Index into `names` above some flag bits; the flags show as in `dis` of 3.13."""
    shift = int(row.operand.partition(">>")[2] or 0)
    flags = [""] * (1 << shift)
    if shift and "import name" in row.access:
        flags = ["", " + lazy", " + eager", " + lazy"]
    elif shift:
        method = any(slot.name.startswith("self_or_") for slot in row.push_slots)
        word = " + NULL|self" if method else " + NULL"
        flags = [word if flag & 1 else "" for flag in range(1 << shift)]

    def value(code: Code, oparg: int) -> Any:
        index = oparg >> shift
        return code.names[index] if 0 <= index < len(code.names) else oparg

    def text(code: Code, oparg: int) -> str:
        index = oparg >> shift
        if 0 <= index < len(code.names):
            shown = code.names[index] + flags[oparg & (1 << shift) - 1]
            return shown.lstrip(" ")  # `from . import x` imports from the name ""
        return _outside("name", index)

    return value, text


def _fast_locals(code: Code) -> tuple[str, ...]:
    return code.localsplusnames


def _varnames(code: Code) -> tuple[str, ...]:
    return code.varnames


def _cells(code: Code) -> tuple[str, ...]:
    return code.cellvars + code.freevars


def _slots(row: Opcode, rules: Table) -> tuple[Value, Text]:
    """Fast locals; to 3.10 locals and cells are counted apart."""
    slots = _fast_locals
    if rules.deref == "cells":
        slots = _cells if row.operand == "deref" else _varnames
    kind = "cell" if row.operand == "deref" else "local"

    def value(code: Code, oparg: int) -> Any:
        names = slots(code)
        return names[oparg] if 0 <= oparg < len(names) else oparg

    def text(code: Code, oparg: int) -> str:
        names = slots(code)
        return names[oparg] if 0 <= oparg < len(names) else _outside(kind, oparg)

    if row.operand != "local pair":
        return value, text
    return (
        lambda code, oparg: (value(code, oparg >> 4), value(code, oparg & 15)),
        lambda code, oparg: f"{text(code, oparg >> 4)}, {text(code, oparg & 15)}",
    )


def _compare(rules: Table) -> tuple[Value, Text]:
    symbols = rules.lists["compare"]
    shift = rules.numbers.get("compare_shift", 0)
    to_bool = 16 if shift > 4 else 0  # 3.13+: the result is made a bool

    def value(code: Code, oparg: int) -> Any:
        index = oparg >> shift
        return symbols[index] if 0 <= index < len(symbols) else oparg

    def text(code: Code, oparg: int) -> str:
        index = oparg >> shift
        if not 0 <= index < len(symbols):
            return _outside("comparison", index)
        return f"bool({symbols[index]})" if oparg & to_bool else symbols[index]

    return value, text


def _listed(items: tuple[str, ...], kind: str) -> Text:
    def text(code: Code, oparg: int) -> str:
        return items[oparg] if 0 <= oparg < len(items) else _outside(kind, oparg)

    return text


def _common_constants(rules: Table) -> tuple[Value, Text]:
    """To 3.14 `dis` gives the index itself, from 3.15 the constant."""
    words = rules.lists["common_constants"]
    text = _listed(words, "common constant")
    if not rules.numbers.get("common_constants_are_values", 0):
        return _oparg, text
    values = [_named(word) for word in words]
    return lambda code, oparg: values[oparg] if 0 <= oparg < len(values) else oparg, text


def _named(word: str) -> Any:
    """A builtin or a literal, from how it is written."""
    return getattr(builtins, word) if hasattr(builtins, word) else ast.literal_eval(word)


def _inversion(words: tuple[str, str]) -> Text:
    return lambda code, oparg: words[bool(oparg)]


def _convert(code: Code, oparg: int) -> object:
    return _CONVERSIONS[oparg] if 0 <= oparg < len(_CONVERSIONS) else oparg


def _convert_text(code: Code, oparg: int) -> str:
    if not 0 <= oparg < len(_CONVERSIONS):
        return _outside("conversion", oparg)
    function = _CONVERSIONS[oparg]
    return function.__name__ if function else ""


def _format(code: Code, oparg: int) -> object:
    return _CONVERSIONS[oparg & 3], bool(oparg & 4)


def _format_text(code: Code, oparg: int) -> str:
    words = [_convert_text(code, oparg & 3), "with format" if oparg & 4 else ""]
    return ", ".join(filter(None, words))


def _flags_text(code: Code, oparg: int) -> str:
    return ", ".join(flag for bit, flag in enumerate(_FUNCTION_FLAGS) if oparg >> bit & 1)


def _resume_text(code: Code, oparg: int) -> str:
    return _RESUMES[oparg & 3]


# Kinds that need neither the row nor the table.
_PLAIN: dict[str, tuple[Value, Text]] = {
    "count": (_oparg, _silent),
    "extended": (_oparg, _silent),
    "small int": (_oparg, lambda code, oparg: str(oparg)),
    "convert": (_convert, _convert_text),
    "format": (_format, _format_text),
    "function flags": (_oparg, _flags_text),
    "resume": (_oparg, _resume_text),
}
