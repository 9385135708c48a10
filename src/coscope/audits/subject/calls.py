"""The calls of a code object: which instructions made the callee and each argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coscope.flow.domains.makers import Maker
from coscope.flow.domains.origin import UNKNOWN, Origins
from coscope.flow.effects import Effect
from coscope.model import Code
from coscope.opcodes import Table, table

_ATTRIBUTE = "read attribute"
_LONGEST_PATH = 20  # attributes in a row

# By index: what each instruction does, and for each slot that it takes the makers of its value.
Takers = Mapping[int, tuple[Effect, tuple[Origins, ...]]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    index: int  # of the instruction
    callee: Origins  # indexes of the instructions that may have made the callee
    path: str | None
    """The callee as a dotted path from a name, "marshal.loads", "self.x.append"; None if it is
    computed, or differs by the way that control came."""
    root: str | None
    """How the path's first name is found: "global", "name" (module or class level), "local",
    "cell"; None without a path."""
    positional: tuple[
        Origins, ...
    ]  # of each positional argument; of a starred call () and `starred`
    keywords: tuple[tuple[str, Origins], ...]
    starred: bool  # with `*` or `**`: which arguments there are is not known


def calls_in(code: Code, takers: Takers) -> tuple[Call, ...]:
    """The calls, in code order, but for those of `__enter__` and `__exit__` that `with` makes.

    Args:
        code: The code object.
        takers: Of `flow.domains.origin`.
    """
    rules = table(code.version)
    found = []
    for index in sorted(takers):
        effect, given = takers[index]
        if effect.row.shows == "{call}" and enters(code, rules, index, takers) is None:
            found.append(_call(code, rules, index, effect, given, takers))
    return tuple(found)


def enters(code: Code, rules: Table, index: int, takers: Takers) -> int | None:
    """The instruction that looked up what a call calls, if `with` calls it: from CPython 3.14 on
    `__enter__` is called as anything else is, and to 3.13 by the instruction that looks it up."""
    effect, given = takers[index]
    callee, _ = _callee(code, rules, effect, given)
    opcodes = code.instructions.opcodes
    rows = [rules.by_code[opcodes[at]] if at >= 0 else None for at in callee]
    if len(rows) != 1 or rows[0] is None or rows[0].operand != "special":
        return None
    return int(min(callee))


def _call(
    code: Code,
    rules: Table,
    index: int,
    effect: Effect,
    given: tuple[Origins, ...],
    takers: Takers,
) -> Call:
    callee, first = _callee(code, rules, effect, given)
    args = [*first, *effect.operand(given, "args")]
    names = _keyword_names(code, rules, index, effect, given)
    split = len(args) - len(names)
    root, path = dotted(code, callee, takers)
    return Call(
        index=index,
        callee=callee,
        path=path,
        root=root,
        positional=tuple(args[:split]),
        keywords=tuple(zip(names, args[split:], strict=True)),
        starred=bool(effect.operand(given, "callargs")),
    )


def _callee(
    code: Code, rules: Table, effect: Effect, given: tuple[Origins, ...]
) -> tuple[Origins, tuple[Origins, ...]]:
    """What made the callee, and the first argument where it is in the slot of `self`.

    There are two slots, for a callable and its self. An attribute that is called fills both by one
    instruction. For a plain callable one is NULL. A decorator's argument is in the slot of self.
    """
    for upper, lower in (("callable", "self_or_null"), ("self_or_callable", "method_or_null")):
        held, other = effect.operand(given, upper), effect.operand(given, lower)
        if not held:
            continue
        if not other or other[0] == held[0] or _is_null(code, rules, other[0]):
            return held[0], ()
        if upper == "callable":
            return held[0], (other[0],)
        return other[0], (held[0],)
    return UNKNOWN, ()


def _is_null(code: Code, rules: Table, made_by: Origins) -> bool:
    opcodes = code.instructions.opcodes
    for index in made_by:
        row = rules.by_code[opcodes[index]] if index >= 0 else None
        slots = row.push_slots if row is not None else ()
        at = index.slot if isinstance(index, Maker) else 0
        if at >= len(slots) or slots[at].name != "null":
            return False
    return bool(made_by)


def _keyword_names(
    code: Code, rules: Table, index: int, effect: Effect, given: tuple[Origins, ...]
) -> tuple[str, ...]:
    """Names of the keyword arguments of a call, from the tuple that it takes or KW_NAMES."""
    held = effect.operand(given, "kwnames")
    at = min(held[0]) if held else _kw_names_before(code, rules, index)
    names = code.instructions.argval(at) if at >= 0 else ()
    return names if isinstance(names, tuple) and all(type(each) is str for each in names) else ()


def _kw_names_before(code: Code, rules: Table, index: int) -> int:
    """The KW_NAMES that belongs to a call; -1 without one."""
    if "KW_NAMES" not in rules.opcodes:
        return -1
    opcodes = code.instructions.opcodes
    between = ("PRECALL", "EXTENDED_ARG")
    passed = {rules.opcodes[name].code for name in between if name in rules.opcodes}
    at = index - 1
    while at >= 0 and opcodes[at] in passed:
        at -= 1
    return at if at >= 0 and opcodes[at] == rules.opcodes["KW_NAMES"].code else -1


def dotted(code: Code, made_by: Origins, takers: Takers) -> tuple[str | None, str | None]:
    """How the first name of a dotted path is found, and the path; None where there is none.

    Args:
        code: The code object.
        made_by: What made the value.
        takers: Of `flow.domains.origin`.
    """
    columns = code.instructions
    rows = table(code.version).by_code
    parts: list[str] = []
    for _ in range(_LONGEST_PATH):
        if len(made_by) != 1 or min(made_by) < 0:
            return None, None
        (index,) = made_by
        row = rows[columns.opcodes[index]]
        access = row.access if row is not None else ()
        if len(access) != 1:
            return None, None
        name = columns.argval(index)
        name = name[0] if isinstance(name, tuple) else name
        if type(name) is not str:
            return None, None
        parts.append(name)
        if access[0] != _ATTRIBUTE:
            return _ROOTS.get(access[0]), ".".join(reversed(parts))
        taken = takers.get(index)
        if taken is None:
            return None, None
        made_by = taken[1][0]
    return None, None


_ROOTS = {
    "read global": "global",
    "read name": "name",
    "read name or global": "global",
    "read name or cell": "cell",
    "read local": "local",
    "read cell": "cell",
}
