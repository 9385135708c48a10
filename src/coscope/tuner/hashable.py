"""Whether an expression surely gives something hashable: what a set can be asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from coscope.tuner.sources import Source

# Methods that give a text, bytes or a number; those that only texts and bytes have show what
# their owner is.
_OF_TEXTS = frozenset(
    (
        *("lower", "upper", "strip", "lstrip", "rstrip", "casefold", "title", "capitalize"),
        *("removeprefix", "removesuffix", "swapcase", "zfill", "decode", "encode", "startswith"),
        *("endswith", "isalpha", "isdigit", "isalnum", "isspace", "isupper", "islower", "split"),
        *("splitlines", "partition", "isidentifier", "isnumeric", "isdecimal", "ljust", "rjust"),
    )
)
_GIVE_ONE = _OF_TEXTS - {"split", "splitlines", "partition"}
_GIVE_ONE_BUILTIN = frozenset(
    {"str", "len", "ord", "chr", "int", "float", "type", "id", "repr", "hash", "bool", "hex"}
)
_GIVE_MANY = frozenset({"split", "splitlines", "rsplit", "keys", "partition", "listdir"})
_TYPES = frozenset({"str", "int", "bytes", "float", "bool"})
_HOLDERS = frozenset(
    (
        *("list", "tuple", "set", "frozenset", "List", "Tuple", "Set", "Sequence", "Iterable"),
        *("Iterator", "Collection", "Generator", "deque", "Container", "AbstractSet"),
    )
)


def is_hashable(source: Source, node: ast.expr) -> bool:
    """True if the function's own text shows that a value is a text, a number or a key."""
    if isinstance(node, ast.Constant | ast.JoinedStr | ast.Compare):
        return True
    if isinstance(node, ast.Call):
        callee = node.func
        if isinstance(callee, ast.Attribute):
            return callee.attr in _GIVE_ONE
        return isinstance(callee, ast.Name) and callee.id in _GIVE_ONE_BUILTIN - source.bound()
    if isinstance(node, ast.Name):
        return _is_used_as_text(source, node.id) or _is_bound_to_hashables(source, node.id)
    return False


def _is_used_as_text(source: Source, name: str) -> bool:
    """True if a method of texts is called on the variable."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in _OF_TEXTS
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        for node in source.nodes()
    )


def _is_bound_to_hashables(source: Source, name: str) -> bool:
    """True if every binding of the variable in the function gives it such a value."""
    annotation = _annotation(source, name)
    if annotation is not None and not _is_stored(source, name):
        return isinstance(annotation, ast.Name) and annotation.id in _TYPES
    bindings = list(_bindings(source, name))
    return bool(bindings) and annotation is None and all(bindings)


def _annotation(source: Source, name: str) -> ast.expr | None:
    arguments = source.function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return next((each.annotation for each in every if each.arg == name), None)


def _is_parameter(source: Source, name: str) -> bool:
    return any(isinstance(each, ast.arg) and each.arg == name for each in ast.walk(source.function))


def _is_stored(source: Source, name: str) -> bool:
    return any(
        isinstance(each, ast.Name) and each.id == name and not isinstance(each.ctx, ast.Load)
        for each in ast.walk(source.function)
    )


def _bindings(source: Source, name: str) -> Iterator[bool]:
    """Of each binding, whether it gives something hashable."""
    if _is_parameter(source, name):
        yield False
    for node in ast.walk(source.function):
        if isinstance(node, ast.For | ast.comprehension):
            if _binds(node.target, name):
                yield _gives(source, node.target, node.iter, name)
        elif isinstance(node, ast.Assign):
            if any(_binds(target, name) for target in node.targets):
                simple = all(isinstance(target, ast.Name) for target in node.targets)
                yield simple and not _is_named(node.value, name) and is_hashable(source, node.value)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
            if _binds(node.target, name):
                yield False
        elif isinstance(node, ast.withitem):
            if node.optional_vars is not None and _binds(node.optional_vars, name):
                yield False
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.MatchMapping):
            yield getattr(node, "name", getattr(node, "rest", None)) != name


def _binds(target: ast.expr, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(target))


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _gives(source: Source, target: ast.expr, iterated: ast.expr, name: str) -> bool:
    """True if a loop's variable is a text, a number or a key of a dictionary."""
    if isinstance(target, ast.Tuple):
        return _gives_in_tuple(source, target, iterated, name)
    if isinstance(iterated, ast.Constant):
        return isinstance(iterated.value, str | bytes)
    if isinstance(iterated, ast.Name):
        return _holds_hashables(_annotation(source, iterated.id))
    if isinstance(iterated, ast.Call):
        callee = iterated.func
        if isinstance(callee, ast.Attribute):
            return callee.attr in _GIVE_MANY
        return isinstance(callee, ast.Name) and callee.id == "range"
    return False


def _gives_in_tuple(source: Source, target: ast.Tuple, iterated: ast.expr, name: str) -> bool:
    """The same of `for key, value in d.items()` and `for number, word in enumerate(words)`."""
    if not isinstance(iterated, ast.Call) or len(target.elts) != 2:
        return False
    first, second = target.elts
    callee = iterated.func
    if isinstance(callee, ast.Attribute) and callee.attr == "items":
        return _is_named(first, name)
    if isinstance(callee, ast.Name) and callee.id == "enumerate" and iterated.args:
        return _is_named(first, name) or _gives(source, second, iterated.args[0], name)
    return False


def _holds_hashables(annotation: ast.expr | None) -> bool:
    """True for `str` and `list[str]`."""
    if isinstance(annotation, ast.Name):
        return annotation.id in ("str", "bytes")
    if not isinstance(annotation, ast.Subscript):
        return False
    held = annotation.value
    name = held.attr if isinstance(held, ast.Attribute) else getattr(held, "id", "")
    item = annotation.slice
    item = item.elts[0] if isinstance(item, ast.Tuple) and item.elts else item
    return name in _HOLDERS and isinstance(item, ast.Name) and item.id in _TYPES
