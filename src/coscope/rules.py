"""Rules: one file each, found by looking, the docstring its page. Verifier and audits share it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from coscope.errors import InternalError


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what `coscope rule CODE` prints, and the function that looks."""

    code: str  # "VER104"
    title: str  # first line of the page, without a full stop
    page: str  # the rest of the file's docstring
    check: Callable[..., Any]
    module: str  # dotted name of its file
    severity: str = "error"  # of its findings: `SEVERITY` of the file
    behaviour: str = (
        ""  # `BEHAVIOUR`: it holds for versions that behave so, or "not X"; "": for all
    )
    live: bool = False  # it looks at live objects: `LIVE`
    warm: bool = False  # it looks at code that has run: `WARM`
    names: frozenset[str] = frozenset()  # `NAMES`: it looks only at code that uses one of them
    opnames: frozenset[str] = frozenset()  # `OPNAMES`: only at code that has one of these opcodes
    loops: bool = False  # `LOOPS`: only at code with loops, and at its opcodes in them
    tight: bool = False  # `TIGHT`: only at those loops that may be without a call
    modules: frozenset[str] = frozenset()  # `MODULES`: only if it or its file imports one of these
    cells: bool = False  # `CELLS`: only at code with variables that nested code captures
    constants: int = 0  # `CONSTANTS`: only at code with a text or bytes constant of this length
    aliases: bool = False  # `ALIASES`: at code, too, that has one of `NAMES` under another name
    compiled: bool = False  # `COMPILED`: only at code that was read from a compiled file
    may_find: Callable[[object], bool] | None = None
    """`may_find(glance)`: False where it can find nothing, told before anything is decoded. This
    and the fields above save time alone: with or without them the findings are the same."""
    lower_bound: Callable[[str], float | None] | None = None
    """`lower_bound(version)`: nanoseconds that each operation loses at least, measured now in this
    process; None where this process cannot measure it, as for another version."""


def url_of(code: str) -> str:
    """The page of an audit rule on the web.

    >>> url_of("CLO108")
    'https://github.com/coscope/coscope/blob/main/docs/rules/CLO108.md'
    """
    return f"{_PAGES}/{code}.md"


_PAGES = "https://github.com/coscope/coscope/blob/main/docs/rules"


@cache
def discover(package: str) -> tuple[Rule, ...]:
    """Find the rules of a package, by code: each of its modules that has a `CODE`.

    A rule's file has a docstring, `CODE`, and one function `check`; what else it may have stands
    at the fields of `Rule`. Subpackages are searched.

    Raises:
        InternalError: Two files have the same code, or one lacks a part.
    """
    rules: dict[str, Rule] = {}
    root = import_module(package)
    for found in sorted(iter_modules(root.__path__), key=lambda module: module.name):
        name = f"{package}.{found.name}"
        if found.ispkg:
            made = discover(name)
        else:
            rule = _rule(name)
            made = () if rule is None else (rule,)
        for rule in made:
            if rule.code in rules:
                other = rules[rule.code].module
                raise InternalError(f"{rule.module} and {other} are both {rule.code}")
            rules[rule.code] = rule
    return tuple(rules[code] for code in sorted(rules))


def _docstring(module: ModuleType) -> str | None:
    """The docstring of a file; from its source where Python has dropped it (-OO)."""
    if module.__doc__ is not None or module.__spec__ is None:
        return module.__doc__
    read = getattr(module.__spec__.loader, "get_source", None)  # PEP 302
    source = read(module.__name__) if read else None
    if source is None:
        return None
    # Not `ast.parse`: from 3.14 on it drops docstrings, too.
    tree = compile(source, module.__name__, "exec", ast.PyCF_ONLY_AST, True, 0)
    return ast.get_docstring(tree, clean=False) if isinstance(tree, ast.Module) else None


def _rule(name: str) -> Rule | None:
    module = import_module(name)
    code = getattr(module, "CODE", None)
    if code is None:
        return None
    check = getattr(module, "check", None)
    docstring = _docstring(module)
    if not docstring or check is None:
        raise InternalError(f"{name} has no docstring or no function `check`")
    title, _, page = inspect.cleandoc(docstring).partition("\n")
    return Rule(
        code=code,
        title=title.rstrip("."),
        page=page.strip("\n").rstrip(),
        check=check,
        module=name,
        severity=getattr(module, "SEVERITY", "error"),
        behaviour=getattr(module, "BEHAVIOUR", ""),
        live=getattr(module, "LIVE", False),
        warm=getattr(module, "WARM", False),
        names=frozenset(getattr(module, "NAMES", ())),
        opnames=frozenset(getattr(module, "OPNAMES", ())),
        loops=getattr(module, "LOOPS", False),
        tight=getattr(module, "TIGHT", False),
        modules=frozenset(getattr(module, "MODULES", ())),
        cells=getattr(module, "CELLS", False),
        constants=getattr(module, "CONSTANTS", 0),
        aliases=getattr(module, "ALIASES", False),
        compiled=getattr(module, "COMPILED", False),
        may_find=getattr(module, "may_find", None),
        lower_bound=getattr(module, "lower_bound", None),
    )
