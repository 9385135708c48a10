"""Is a text the source of a code object? It is compiled and compared, never executed.

A file may have been edited since its module was imported, and a .pyc may lie beside a source that
it was not made from. What fits exactly is the source. Two differences are known to be harmless,
and then all that carries meaning is compared, place by place: pytest rewrites `assert`, and two
releases with one magic number compile some functions differently.
"""

from __future__ import annotations
import __future__

import ast
import warnings
from ast import parse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from types import CodeType
from typing import NamedTuple

from coscope.errors import CoscopeError
from coscope.model import Code, FrozenSet, Instruction, Slice, Source
from coscope.opcodes import Opcode, table

ANOTHER = "the source on disk is not what was compiled"
UNPROVED = (
    "this release compiles the source to other bytecode, with the same names and constants: "
    "another release did, or it is not the source"
)

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag
_TOP_LEVEL_AWAIT = 0x2000  # PyCF_ALLOW_TOP_LEVEL_AWAIT: IPython and asyncio's prompt set it

# Instructions that do something that a text says, whatever their operand means.
_DOING = (
    *("CALL", "RAISE", "LOAD_ASSERTION", "LOAD_COMMON", "YIELD", "IMPORT", "UNARY"),
    *("BUILD", "FORMAT", "CONVERT", "LIST_", "SET_", "DICT_", "MAP_", "STORE_SUB", "DELETE_SUB"),
    *("BINARY_SUB", "BINARY_SLICE", "STORE_SLICE", "LOAD_SUPER", "LOAD_BUILD", "MATCH_"),
)

# Operands that mean the same wherever the compiler puts the instruction.
_TELLING = frozenset(
    ("name", "name>>1", "name>>2", "const", "small int", "binary", "compare", "invert", "special")
)

_compile = compile  # as it is now: a module that is read may put something else in its place

_Key = tuple[str, int]  # qualified name and first line


class Verdict(NamedTuple):
    """Whether a text may be shown as the source, and what to say about it."""

    fits: bool
    warning: str | None


def _unproved(code: Code) -> Verdict:
    return Verdict(True, None if _is_rewritten(code) else UNPROVED)


def verdict_on(
    code: Code,
    source: Source,
    snapshot: Callable[[CodeType], Code],
    *,
    levels: Sequence[int],
    inherits: bool = False,
) -> Verdict:
    """Compare a code object of this version of CPython with what a source compiles to.

    Args:
        code: The code object, of a module or of anything in it.
        source: The whole text that may be its source.
        snapshot: Makes a `Code` of a code object that was compiled here.
        levels: Optimisation levels under which it may have been compiled, the likely ones first.
        inherits: The text may rely on `from __future__` of an earlier text: a prompt, a notebook.
    """
    flags = code.flags & _FUTURE | _TOP_LEVEL_AWAIT if inherits else 0
    near = False
    for level in levels:
        compiled = _compiled(source, level, flags)
        others = [snapshot(each) for each in compiled.get((code.qualname, code.firstlineno), ())]
        if not others:
            break  # another level makes no other functions
        if any(_same(code, other) for other in others):
            return Verdict(True, None)
        near = near or any(_means_the_same(code, other, source) for other in others)
    return _unproved(code) if near else Verdict(False, ANOTHER)


@lru_cache(maxsize=32)
def _compiled(source: Source, optimize: int, flags: int) -> dict[_Key, list[CodeType]]:
    """All code objects of a text; none if it does not compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = "\n".join([*source.lines, ""])
            module: CodeType = _compile(
                text, source.file, "exec", flags=flags, dont_inherit=True, optimize=optimize
            )
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return {}
    return by_place(module)


def by_place(module: CodeType) -> dict[_Key, list[CodeType]]:
    """A code object and all that is nested in it, by qualified name and first line."""
    found: dict[_Key, list[CodeType]] = {}
    pending = [module]
    while pending:
        co = pending.pop()
        found.setdefault((co.co_qualname, co.co_firstlineno), []).append(co)
        pending += [each for each in co.co_consts if type(each) is CodeType]
    return found


_FIELDS = (
    *("name", "qualname", "firstlineno", "argcount", "posonlyargcount", "kwonlyargcount"),
    *("stacksize", "flags", "code", "names", "varnames", "cellvars", "freevars", "linetable"),
    "exceptiontable",
)


def _same(code: Code, other: Code) -> bool:
    """True if all but the file's name is the same, byte by byte."""
    return all(getattr(code, name) == getattr(other, name) for name in _FIELDS) and _same_constants(
        code.consts, other.consts
    )


def _same_constants(mine: Iterable[object], others: Iterable[object]) -> bool:
    mine, others = tuple(mine), tuple(others)
    return len(mine) == len(others) and all(map(_same_constant, mine, others))


def _same_constant(mine: object, other: object) -> bool:
    if type(mine) is not type(other):
        return False
    if isinstance(mine, Code) and isinstance(other, Code):
        return _same(mine, other)
    if isinstance(mine, tuple) and isinstance(other, tuple):
        return _same_constants(mine, other)
    return _text(mine) == _text(other)


def _text(constant: object) -> str:
    """A constant as text: -0.0 is not 0.0, True is not 1, and a set has an order."""
    if isinstance(constant, FrozenSet):
        return f"frozenset({sorted(map(_text, constant.items))})"
    if isinstance(constant, tuple):
        return f"({', '.join(map(_text, constant))})"
    if isinstance(constant, Slice):
        return repr(constant)
    if isinstance(constant, int) and not isinstance(constant, bool):
        return f"{type(constant).__name__} {constant:#x}"  # of any size
    if isinstance(constant, Code):
        return f"<code {constant.qualname} {constant.firstlineno}>"
    return f"{type(constant).__name__} {constant!r}"


def verdict_on_another(code: Code, source: Source, snapshot: Callable[[CodeType], Code]) -> Verdict:
    """Compare a module's code of another version with what this one makes of a source.

    Bytecode differs, so only this is compared: the functions with their lines and parameters, and
    whether the code names anything, or holds any string, that the source does not.
    """
    modules = _compiled(source, 0, 0).get(("<module>", 1), ())
    for module in map(snapshot, modules[:1]):
        known = _words(module) | _written(source) | _OF_THE_COMPILER
        known |= _numbers(module)
        known |= {each.qualname for each in module.walk()} | {each.name for each in module.walk()}
        # `__static_attributes__` of 3.13 has private names as they are written.
        known |= {word[at:] for word in known if word[:1] == "_" and (at := word.find("__", 1)) > 0}
        if _functions(code) == _functions(module) and _words(code) <= known:
            return Verdict(True, None)
    return Verdict(False, ANOTHER)


# Names that a compiler adds by itself, in one version or another.
_OF_THE_COMPILER = frozenset(
    (
        *("AssertionError", ".0", "bool True", "bool False"),
        *("format", ".format", ".type_params", ".generic_base"),
        *("__annotations__", "__annotate__", "__annotate_func__", "__conditional_annotations__"),
        *("__class__", "__classdict__", "__classcell__", "__classdictcell__", "__qualname__"),
        *("__firstlineno__", "__static_attributes__", "__type_params__", "__module__", "__doc__"),
    )
)


def _functions(code: Code) -> set[tuple[str, int, int, int, int]]:
    """Functions and classes that were written with a name."""
    return {
        (each.name, each.firstlineno, each.argcount, each.posonlyargcount, each.kwonlyargcount)
        for each in code.walk()
        if each.name[:1] not in "<_" or (each.name[:2] == "__" and each.name[:11] != "__annotate_")
    }


def _is_made(text: str) -> bool:
    """True for a qualified name that the compiler made up, as up to 3.10 it is a constant."""
    return text.endswith(("<lambda>", "<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>"))


@lru_cache(maxsize=8)
def _written(source: Source) -> frozenset[str]:
    """Every constant of a text, also those that this version folds into others."""
    tree = _tree(source)
    nodes = () if tree is None else ast.walk(tree)
    return frozenset(
        _word(node.value) for node in nodes if isinstance(node, ast.Constant) and node.value
    )


def _word(constant: object) -> str:
    """A constant as text; 3.13 and later cut the indents of docstrings."""
    return " ".join(constant.split()) if isinstance(constant, str) else _text(constant)


def _words(code: Code) -> set[str]:
    """Every name, string and number in a module's code."""
    found: set[str] = set()
    for each in code.walk():
        found.update(each.names, each.varnames, each.cellvars, each.freevars)
        pending = [each.consts]
        while pending:
            for constant in pending.pop():
                if isinstance(constant, tuple):
                    pending.append(constant)
                elif isinstance(constant, FrozenSet):
                    pending.append(constant.items)
                elif isinstance(constant, str | int | float | complex | bytes):
                    found.add(_word(constant))
    return {word for word in found if not _is_made(word)}


def _numbers(code: Code) -> set[str]:
    """Numbers that this version keeps in instructions, and the line numbers of classes."""
    rows = table(code.version).by_code
    found = {f"int {each.firstlineno:#x}" for each in code.walk()}
    for each in code.walk():
        for instruction in each.instructions:
            row = rows[instruction.opcode]
            if row is not None and row.operand == "small int":
                found.add(_word(instruction.argval))
    return found


def _is_rewritten(code: Code) -> bool:
    """True if pytest rewrote an `assert` in the code, or in what is nested in it."""
    return any(
        name.startswith(("@py_", "@pytest_"))
        for each in code.walk()
        for name in (*each.varnames, *each.names)
    )


def _means_the_same(code: Code, other: Code, source: Source) -> bool:
    """True if both use the same names and constants at the same places, in nested code too."""
    rewritten = _is_rewritten(code)
    mine, others = _nested(code), _nested(other)
    if mine.keys() != others.keys():
        return False
    spared = asserted_lines(source) if rewritten else frozenset[int]()
    return all(_alike(mine[key], others[key], spared) for key in mine)


def _nested(code: Code) -> dict[tuple[str, int, int], Code]:
    found: dict[tuple[str, int, int], Code] = {}
    counts: Counter[_Key] = Counter()
    for each in code.walk():
        key = each.qualname, each.firstlineno
        found[*key, counts[key]] = each
        counts[key] += 1
    return found


def _alike(code: Code, other: Code, spared: frozenset[int]) -> bool:
    mine, others = (
        (
            *(each.argcount, each.posonlyargcount, each.kwonlyargcount, each.flags),
            *(tuple(name for name in each.varnames if name[:1] != "@"), set(each.cellvars)),
            *(each.freevars, None if spared else {_text(c) for c in each.consts if type(c) is str}),
        )
        for each in (code, other)
    )
    return (
        mine == others
        and _meanings(code, spared) == _meanings(other, spared)
        and _locals(code, spared) == _locals(other, spared)
    )


def _locals(code: Code, spared: frozenset[int]) -> dict[int, list[str]]:
    """The locals that each line uses, in order; how they are loaded differs between releases."""
    rows = table(code.version).by_code
    found: dict[int, list[str]] = {}
    with suppress(CoscopeError):
        for each in code.instructions:
            row, line = rows[each.opcode], each.line_number
            if row is None or line is None or line in spared or "local" not in row.operand:
                continue
            names = each.argval if isinstance(each.argval, tuple) else (each.argval,)
            found.setdefault(line, []).extend(map(str, names))
    return found


def _meaning(row: Opcode, instruction: Instruction) -> tuple[str, str] | None:
    """What an instruction names; None if any compiler may add it or leave it out."""
    if row.operand in ("const", "small int"):
        held = instruction.argval
        return None if held is None else ("constant", _text(held))
    if row.operand not in _TELLING and not row.name.startswith(_DOING):
        return None
    return row.name, instruction.argrepr


def _meanings(code: Code, spared: frozenset[int]) -> set[tuple[object, ...]]:
    """What the instructions name, and where; those of the spared lines are left out."""
    rows = table(code.version).by_code
    found: set[tuple[object, ...]] = set()
    try:
        for each in code.instructions:
            row, line = rows[each.opcode], each.line_number
            if row is None or line is None or line in spared:
                continue
            what = _meaning(row, each)
            if what is not None:
                found.add((*what, *each.positions))
    except CoscopeError:
        return {(code.code,)}
    return found


@lru_cache(maxsize=8)
def asserted_lines(source: Source) -> frozenset[int]:
    """The lines of `assert` statements."""
    tree = _tree(source)
    return frozenset() if tree is None else frozenset(_lines_of_asserts(tree))


def _tree(source: Source) -> ast.Module | None:
    try:
        return parse("\n".join(source.lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _lines_of_asserts(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)
