"""Rules: one file each, found by looking, the docstring its page. Verifier and audits share it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
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


@cache
def discover(package: str) -> tuple[Rule, ...]:
    """Find the rules of a package, by code: each of its modules that has a `CODE`.

    A rule's file has a docstring, `CODE`, and one function `check`. Subpackages are searched.

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


def _rule(name: str) -> Rule | None:
    module = import_module(name)
    code = getattr(module, "CODE", None)
    if code is None:
        return None
    check = getattr(module, "check", None)
    if not module.__doc__ or check is None:
        raise InternalError(f"{name} has no docstring or no function `check`")
    title, _, page = inspect.cleandoc(module.__doc__).partition("\n")
    return Rule(code, title.rstrip("."), page.strip(), check, name)
