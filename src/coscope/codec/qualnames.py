"""Qualified names of code objects that do not store them (to CPython 3.10)."""

from __future__ import annotations

from dataclasses import replace

from coscope.codec.limits import DEFAULT, Limits
from coscope.errors import LimitExceeded
from coscope.model import Code, Constant

_FUNCTION = 0x3  # OPTIMIZED and NEWLOCALS: a function, lambda or comprehension; no class has them
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


def _children(code: Code, prefix: str) -> list[tuple[Code, str]]:
    """The code objects right inside one, each with its qualified name."""
    stored = _strings(code)
    return [
        (child, _qualname(prefix, child, stored))
        for child in code.consts
        if isinstance(child, Code)
    ]


def with_qualnames(root: Code, *, file: str | None = None, limits: Limits = DEFAULT) -> Code:
    """Name every nested code object as the compiler would.

    A function's inner scopes are `outer.<locals>.inner`, a class's `C.method`; what is declared
    `global` keeps its bare name.

    Args:
        root: The outermost code object; its own qualname is its name.
        file: For errors.

    Returns:
        New code objects, made from the innermost outwards. One that several parents share is
        named for each of them.

    Raises:
        LimitExceeded: Long names are nested so often that the limit derived_names is reached.

    Source:
        CPython 3.10, Python/compile.c, `compiler_set_qualname`.
    """
    named: dict[tuple[int, str], Code] = {}  # by id of the original, which `root` keeps alive
    pending = [(root, root.name)]
    characters = 0
    while pending:
        original, qualname = pending[-1]
        prefix = "" if original is root and _is_module(root) else _prefix(original, qualname)
        children = _children(original, prefix)
        characters += sum(len(name) for _, name in children)
        if characters > limits.derived_names:
            raise _too_many(characters, root, file, limits)
        missing = [(child, name) for child, name in children if (id(child), name) not in named]
        if missing:
            pending += missing
            continue
        pending.pop()
        consts = _renamed(original.consts, [named[id(child), name] for child, name in children])
        named[id(original), qualname] = replace(original, qualname=qualname, consts=consts)
    return named[id(root), root.name]


def _renamed(consts: tuple[Constant, ...], children: list[Code]) -> tuple[Constant, ...]:
    """The constants with other code objects in the place of theirs, in the same order."""
    if not children:
        return consts  # the same tuple: a file may share one among many code objects
    renamed = iter(children)
    return tuple(next(renamed) if isinstance(const, Code) else const for const in consts)


def _too_many(characters: int, root: Code, file: str | None, limits: Limits) -> LimitExceeded:
    return LimitExceeded(
        "the limit derived_names is reached",
        file=file,
        code=root.name,
        expected=f"at most {limits.derived_names} characters of qualified names",
        found=characters,
    )


def _is_module(code: Code) -> bool:
    return code.name == "<module>" and not code.flags & _FUNCTION


def _prefix(parent: Code, qualname: str) -> str:
    is_function = parent.flags & _FUNCTION == _FUNCTION
    # The compiler does not count a comprehension as a function here.
    if is_function and parent.name not in _COMPREHENSIONS:
        return f"{qualname}.<locals>."
    return f"{qualname}."


def _qualname(prefix: str, child: Code, stored: set[str]) -> str:
    """The compiler stores the name among the parent's constants, that of a class in its own."""
    nested = prefix + child.name
    if prefix and nested not in stored:
        own = _strings(child)
        if nested not in own and (child.name in stored or child.name in own):
            return child.name
    return nested


def _strings(code: Code) -> set[str]:
    return {const for const in code.consts if type(const) is str}
