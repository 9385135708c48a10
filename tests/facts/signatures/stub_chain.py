"""A chain of wrappers rebuilt from stubs with the same parameters, which a test may really call."""

from __future__ import annotations

from typing import Any

from coscope.facts.calls.forwarding import forwards
from coscope.facts.signatures.links import Link
from coscope.facts.signatures.shapes import KEYWORD_ONLY, POSITIONAL_ONLY, REST, Shape
from coscope.facts.signatures.signatures import Signatures


def real_error(found: Signatures, positional: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """What CPython says when the stubs are called; None: accepted; ...: there are no stubs."""
    stub = stub_of(list(found.chain))
    if stub is None:
        return ...
    try:
        stub(*positional, **keywords)
    except TypeError as error:
        return str(error)
    return None


def stub_of(links: list[Link], at: int = 0) -> Any:
    """A callable that binds and hands on as the chain from `at` does, and does nothing else."""
    if at >= len(links):
        return lambda *args, **kwargs: None
    link = links[at]
    if link.kind == "bound method":
        inner = stub_of(links, at + 1)
        return inner and (lambda *args, **kwargs: inner(None, *args, **kwargs))
    if link.kind == "class":
        constructors = sum(other.how.startswith("calls its __") for other in links)
        inner = stub_of(links, at + 1) if constructors == 1 else None
        return inner and (lambda *args, **kwargs: inner(None, *args, **kwargs))
    if link.kind == "functools.lru_cache":
        return stub_of(links, at + 1)
    if link.qualname == "object.__init__":
        return lambda: None
    if link.kind != "function" or link.accepts is None or link.function is None:
        return None
    return _function(links, at, link)


def _function(links: list[Link], at: int, link: Link) -> Any:
    assert link.accepts is not None
    assert link.function is not None
    body = "None"
    space: dict[str, Any] = {}
    how = links[at + 1].how if at + 1 < len(links) else ""
    forward = next((f for f in forwards(link.function.code) if how == f"calls {f.text}"), None)
    if forward is not None:
        space["inner"] = stub_of(links, at + 1)
        if space["inner"] is None:
            return None
        words = []
        for each in forward.passed:
            stars = each.kind if each.kind in ("*", "**") else ""
            name = f"{each.name}=" if each.name is not None else ""
            words.append(f"{stars}{name}{each.parameter}")
        body = f"inner({', '.join(words)})"
    exec(f"def stub{_parameters(link.accepts)}: return {body}", space)
    space["stub"].__qualname__ = link.qualname
    return space["stub"]


def _parameters(shape: Shape) -> str:
    words = []
    starred = False
    for at, each in enumerate(shape.parameters):
        if each.kind == KEYWORD_ONLY and not starred:
            words.append("*")
        starred = starred or each.kind in (KEYWORD_ONLY, REST)
        stars = {REST: "*", "**kwargs": "**"}.get(each.kind, "")
        words.append(stars + each.name + ("" if each.default is None else "=None"))
        following = shape.parameters[at + 1].kind if at + 1 < len(shape.parameters) else ""
        if each.kind == POSITIONAL_ONLY != following:
            words.append("/")
    return f"({', '.join(words)})"
