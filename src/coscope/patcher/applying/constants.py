"""Constants: find the instructions that load one, and make them load another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from coscope.errors import AmbiguousEdit, ConstantNotFound, PatchError, Refused
from coscope.model import Code, Constant, FrozenSet, Slice
from coscope.opcodes import table
from coscope.patcher.applying.operands import Change, with_operands
from coscope.patcher.applying.pools import Constants, key, modelled
from coscope.patcher.edits.model import ReplaceConstant
from coscope.patcher.edits.selection import Use, choose, short, shown

# After these, a constant is a tuple of names, which are names in the source too.
_TAKES_NAMES = frozenset({"CALL_KW", "CALL_FUNCTION_KW", "IMPORT_NAME", "MATCH_CLASS"})
_NUMBERS = frozenset({bool, int, float, complex})


@dataclass(frozen=True, slots=True)
class _Load:
    """An instruction that loads a constant."""

    use: Use
    slot: int | None  # index in consts; None: the value is in the instruction itself
    value: Constant


@dataclass(frozen=True, slots=True)
class _Loads:
    """How one version loads constants, by opcode number."""

    pooled: frozenset[int]  # from consts
    named: frozenset[int]  # KW_NAMES
    small: frozenset[int]  # LOAD_SMALL_INT
    fixed: frozenset[int]  # LOAD_COMMON_CONSTANT, where it loads values
    every: frozenset[int]


@cache
def _loads(version: str) -> _Loads:
    rules = table(version)
    by_operand: dict[str, set[int]] = {}
    for row in rules.opcodes.values():
        by_operand.setdefault(row.operand, set()).add(row.code)
    valued = rules.numbers.get("common_constants_are_values", 0)
    pooled, named, small, fixed = (
        frozenset(by_operand.get(operand, ()))
        for operand in ("const", "const names", "small int", "common constant")
    )
    if not valued:
        fixed = frozenset()
    return _Loads(pooled, named, small, fixed, pooled | named | small | fixed)


def loads_of(code: Code) -> Iterator[_Load]:
    """Every instruction that loads a constant."""
    columns = code.instructions
    kinds = _loads(code.version)
    every, consts = kinds.every, code.consts
    prefix, prefixes = table(code.version).extended_arg, 0
    for at, opcode in enumerate(columns.opcodes):
        if opcode == prefix:
            prefixes += 1
            continue
        if opcode not in every:
            continue
        use = Use(at - prefixes, at)
        oparg = columns.opargs[at]
        if opcode in kinds.small:
            yield _Load(use, None, oparg)
        elif opcode in kinds.fixed:
            yield _Load(use, None, columns.argval(at))
        elif 0 <= oparg < len(consts):
            yield _Load(use, oparg, consts[oparg])


def replace_constant(code: Code, edit: ReplaceConstant) -> Code:
    """Apply the edit to one code object.

    Raises:
        ConstantNotFound: No chosen instruction loads it.
        Refused: It is a docstring, a tuple of keyword names or a code object, or the compiler put
            it into another constant too.
    """
    old, new = modelled(edit.old), modelled(edit.new)
    _check(code, edit, old, new)
    loads = list(loads_of(code))
    constants = Constants(code)
    ours = _chosen(code, edit, loads, constants)
    hit = [load for load in ours if _matches(load.value, old, edit.loose)]
    holding = _holding(code, ours, old, loose=edit.loose)
    if not hit and not (holding and edit.folded == "replace"):
        raise _not_found(code, edit, old, ours, constants)
    for load in hit:
        _check_names(code, load)
    if holding and edit.folded == "refuse":
        raise _folded(code, old, holding)
    wanted = _wanted(edit, (old, new), hit, holding)
    return _rewritten(code, loads, wanted, constants)


def _wanted(
    edit: ReplaceConstant,
    change: tuple[Constant, Constant],
    hit: list[_Load],
    holding: list[_Load],
) -> list[tuple[_Load, Constant]]:
    """Each load that changes, with its new value."""
    old, new = change
    wanted = [(load, new) for load in hit]
    if edit.folded == "replace":
        wanted += [(load, _substituted(load.value, old, new, edit.loose)) for load in holding]
    return wanted


def _holding(code: Code, loads: list[_Load], old: Constant, *, loose: bool) -> list[_Load]:
    """The loads of a container that holds the constant; tuples of names are left out."""
    holding = [load for load in loads if _holds(load.value, old, loose)]
    return [load for load in holding if not _is_names(code, load)]


def _check(code: Code, edit: ReplaceConstant, old: Constant, new: Constant) -> None:
    if isinstance(old, Code) or isinstance(new, Code):
        raise Refused(
            "a code object is not a constant to be replaced",
            code=code.qualname,
            hint="Edit the nested code object instead: give its qualified name as `code`.",
        )


def _chosen(
    code: Code, edit: ReplaceConstant, loads: list[_Load], constants: Constants
) -> list[_Load]:
    """The loads that the edit is about; a load that only stores the docstring is left out."""
    within = {use.number for use in choose(code, edit.where, [load.use for load in loads])}
    return [
        load
        for load in loads
        if load.use.number in within
        and (edit.index is None or load.slot == edit.index)
        and not _stores_docstring(code, load, constants)
    ]


def _stores_docstring(code: Code, load: _Load, constants: Constants) -> bool:
    if load.slot is None or load.slot != constants.docstring:
        return False
    return (
        _next_is(code, load, "STORE_NAME")
        and code.instructions.argval(load.use.at + 1) == "__doc__"
    )


def _next_is(code: Code, load: _Load, *opnames: str) -> bool:
    columns = code.instructions
    following = load.use.at + 1
    while following < len(columns) and columns.opname(following) == "EXTENDED_ARG":
        following += 1
    return following < len(columns) and columns.opname(following) in opnames


def _is_names(code: Code, load: _Load) -> bool:
    """True for a tuple of names that the compiler made: of keywords, imports or a pattern."""
    opcode = code.instructions.opcodes[load.use.at]
    return opcode in _loads(code.version).named or _next_is(code, load, *_TAKES_NAMES)


def _check_names(code: Code, load: _Load) -> None:
    if type(load.value) is tuple and _is_names(code, load):
        raise Refused(
            f"{short(load.value)} names the keywords or attributes that the code around it takes",
            code=code.qualname,
            line=code.instructions.positions[load.use.at][0],
            found=shown(code, load.use.at),
            hint="Choose other instructions with `where`.",
        )


def _rewritten(
    code: Code, loads: list[_Load], wanted: list[tuple[_Load, Constant]], constants: Constants
) -> Code:
    """Change entries in their place where nothing else needs them; else add new ones."""
    users = _users(loads)
    by_slot: dict[int | None, list[tuple[_Load, Constant]]] = {}
    for load, value in wanted:
        by_slot.setdefault(load.slot, []).append((load, value))
    changes: list[Change] = []
    for slot, group in by_slot.items():
        value = group[0][1]
        if slot is None:
            changes += (_immediate(code, load, value, constants) for load, value in group)
        elif users[slot] == {load.use.number for load, _ in group} and constants.takes(slot, value):
            constants.put(slot, value)
        else:
            index = constants.add(value)
            opcodes = code.instructions.opcodes
            changes += (Change(load.use, opcodes[load.use.at], index) for load, _ in group)
    changed = replace(code, consts=tuple(constants.items))
    return with_operands(changed, changes) if changes else changed


def _immediate(code: Code, load: _Load, value: Constant, constants: Constants) -> Change:
    """For an instruction that holds its value: another such one, or one that loads a constant."""
    kinds = _loads(code.version)
    opcode = code.instructions.opcodes[load.use.at]
    if opcode in kinds.small and type(value) is int and 0 <= value < 256:
        return Change(load.use, opcode, value)
    rules = table(code.version)
    return Change(load.use, rules.opcodes["LOAD_CONST"].code, constants.add(value))


# Matching


def _matches(value: Constant, old: Constant, loose: bool) -> bool:
    if loose and type(value) in _NUMBERS and type(old) in _NUMBERS:
        return bool(value == old)
    if type(value) is not type(old):
        return False
    if type(value) in (int, str, bytes, bool):
        return bool(value == old)
    return value is old or key(value) == key(old)


def _parts(value: Constant) -> tuple[Constant, ...]:
    if type(value) is tuple:
        return value
    if isinstance(value, FrozenSet):
        return value.items
    if isinstance(value, Slice):
        return (value.start, value.stop, value.step)
    return ()


def _holds(value: Constant, old: Constant, loose: bool) -> bool:
    """True if `old` is somewhere inside a container."""
    pending = list(_parts(value))
    seen: set[int] = set()
    while pending:
        part = pending.pop()
        if _matches(part, old, loose):
            return True
        if id(part) not in seen:
            seen.add(id(part))
            pending += _parts(part)
    return False


def _substituted(value: Constant, old: Constant, new: Constant, loose: bool) -> Constant:
    """A container with `new` in the place of `old`."""
    if _matches(value, old, loose):
        return new
    if not _holds(value, old, loose):
        return value
    parts = tuple(_substituted(part, old, new, loose) for part in _parts(value))
    if isinstance(value, FrozenSet):
        distinct = {key(part): part for part in parts}
        return FrozenSet(tuple(distinct.values()))
    return Slice(*parts) if isinstance(value, Slice) else parts


# Refusals


def _folded(code: Code, old: Constant, holding: list[_Load]) -> AmbiguousEdit:
    first = holding[0]
    return AmbiguousEdit(
        f"{short(old)} is also part of the constant {short(first.value)}, which the compiler made",
        code=code.qualname,
        line=code.instructions.positions[first.use.at][0],
        found=f"{len(holding)} such load{'s' if len(holding) > 1 else ''}",
        hint=(
            "Say folded='replace' to change it there too, folded='leave' to leave it, "
            "or choose instructions with `where`."
        ),
    )


def _nested_with(code: Code, old: Constant, *, loose: bool) -> tuple[str, ...]:
    """Names of the nested code objects that load the constant."""
    return tuple(
        inner.qualname
        for inner in _inside(code)
        if any(_matches(load.value, old, loose) for load in loads_of(inner))
    )


def _users(loads: list[_Load]) -> dict[int, set[int]]:
    """The numbers of the instructions that load each entry of `co_consts`."""
    users: dict[int, set[int]] = {}
    for load in loads:
        if load.slot is not None:
            users.setdefault(load.slot, set()).add(load.use.number)
    return users


def _is_equal(one: Constant, other: Constant) -> bool:
    """True for numbers that are equal, whatever their types."""
    return type(one) in _NUMBERS and type(other) in _NUMBERS and one == other


def _not_found(
    code: Code, edit: ReplaceConstant, old: Constant, ours: list[_Load], constants: Constants
) -> PatchError:
    docstring = constants.docstring
    if docstring is not None and _matches(code.consts[docstring], old, edit.loose):
        return Refused(
            f"{short(old)} is the docstring",
            code=code.qualname,
            found=f"no other use of constant {docstring}",
            hint="Set the function's __doc__ instead.",
        )
    similar = {key(load.value): load.value for load in ours if _is_equal(load.value, old)}
    containers = {
        key(load.value): load.value for load in ours if _holds(load.value, old, edit.loose)
    }
    nested = _nested_with(code, old, loose=edit.loose)
    among = "chosen instruction" if len(ours) < len(list(loads_of(code))) else "instruction"
    problem = ConstantNotFound(
        f"no {among} of {code.name!r} loads {short(old)}",
        code=code.qualname,
        line=edit.where.line,
        hint=_advice(similar, containers, nested),
    )
    problem.value = old
    problem.similar = tuple(similar.values())
    problem.containers = tuple(containers.values())
    problem.nested = nested
    problem.free_variables = code.freevars
    return problem


def _inside(code: Code) -> Iterator[Code]:
    """The code objects nested in a code object, each once."""
    seen = {id(code)}
    pending = [code]
    while pending:
        for constant in pending.pop().consts:
            if isinstance(constant, Code) and id(constant) not in seen:
                seen.add(id(constant))
                pending.append(constant)
                yield constant


def _advice(
    similar: dict[str, Constant], containers: dict[str, Constant], nested: tuple[str, ...]
) -> str | None:
    if similar:
        values = ", ".join(f"{type(value).__name__} {short(value)}" for value in similar.values())
        return f"It loads {values}, which matches with loose=True."
    if containers:
        first = short(next(iter(containers.values())))
        return f"It is part of the constant {first}: replace that, or say folded='replace'."
    if nested:
        return f"{nested[0]!r} does: say nested=True, or give its qualified name as `code`."
    return None
