"""A default value has grown since the function was made.

A default is made once, with the function. Where it is a list, dict or set, what a call puts into
it is there in the next call. Linters report every such default; this rule reports those that have
changed: the live object holds more items than the source writes.

    def visit(node, seen=[]):
        seen.append(node)           the second call finds the first one's node
        return seen

A name that says that it is meant (`_cache={}`, `memo`) is not reported.

Proved: the live default holds more items than the source writes. Assumed: calls have put them
there; whatever else holds the object can have done so.

Make it in the body: `seen=None`, then `if seen is None: seen = []`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from coscope.audits.subject.subject import Subject
from coscope.model import Finding, Function
from coscope.readers.sources import defaults_in

CODE = "CLO102"
SEVERITY = "warning"
LIVE = True

_EMPTY = {"list()": 0, "dict()": 0, "set()": 0}
_MEANT = ("cache", "memo", "registry")


def check(subject: Subject) -> Iterator[Finding]:
    live = subject.live
    if live is None or live.function is None or live.read is None:
        return
    for name, thing, text in _defaults(live.function, live.read):
        now, written = _length(thing), _written(text)
        if now is None or written is None or now - written < subject.options.grown_limit:
            continue
        if _is_meant(name):
            continue
        yield subject.finding(
            CODE,
            f"the default of {name} has grown: it holds {_items(now)}",
            confidence="proved",
            evidence=[f"the source writes {text}", f"the {type(thing).__name__} holds {now} now"],
            why="all calls without this argument share the one object",
            instead=f"{name}=None, and make it in the body",
        )


def _is_meant(name: str) -> bool:
    """True for the name of a parameter that is not for callers, or says that it is a store."""
    return name.startswith("_") or any(word in name.lower() for word in _MEANT)


def _defaults(function: FunctionType, read: Function) -> Iterator[tuple[str, object, str]]:
    """Name, object and written text of each default."""
    written = None if read.source is None else defaults_in(read.source, read.code)
    if written is None:
        return
    held = function.__defaults__ or ()
    code = function.__code__
    names = code.co_varnames[code.co_argcount - len(held) : code.co_argcount]
    if len(held) == len(written.positional) == len(names):
        yield from zip(names, held, written.positional, strict=True)
    named = function.__kwdefaults__ or {}
    for name, text in written.keyword_only:
        if name in named:
            yield name, named[name], text


def _length(thing: Any) -> int | None:
    """Items of a built-in container that can grow; None for anything else."""
    return len(thing) if type(thing) in (list, dict, set, bytearray) else None


def _written(text: str) -> int | None:
    """Items that the source writes; None if that is not known."""
    if text in _EMPTY:
        return _EMPTY[text]
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return None
    if isinstance(node, ast.List | ast.Set) and not any(
        isinstance(each, ast.Starred) for each in node.elts
    ):
        return len(node.elts)
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        return len(node.keys)
    return None


def _items(count: int) -> str:
    return f"{count} item{'' if count == 1 else 's'}"
