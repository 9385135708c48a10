"""`%coscope show f`, `%%coscope` for the code of a cell, and the completion of both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from coscope.errors import CoscopeError
from coscope.explanations import explain
from coscope.readers import Snippet, locate
from coscope.render.card import Card
from coscope.render.document.targets import document_of
from coscope.render.pages.sheet import Sheet
from coscope.render.pages.sheets import card_sheet, graph_sheet, listing_sheet
from coscope.render.text.measured import Pen
from coscope.render.to_html import sheet_to_html

_WIDTH = 100  # cells
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")

# Verb -> module and function, which take one target, or two.
_VERBS = {
    "depends": ("coscope.facts.dependencies.depends", "depends"),
    "closure": ("coscope.facts.closures.closures", "closure"),
    "capture": ("coscope.facts.shipping.captures", "capture"),
    "signature": ("coscope.facts.signatures.signatures", "signature"),
    "fingerprint": ("coscope.facts.fingerprints.fingerprints", "fingerprint"),
    "diff": ("coscope.facts.differences.difference", "diff"),
    "verify": ("coscope.verifier", "verify"),
    "audit": ("coscope.audits.auditing", "audit"),
    "explain-opcode": ("coscope.opcodes.sentences", "explain_opcode"),
}
_LAYOUTS: dict[str, Callable[[Any, Pen], Sheet]] = {
    "dis": listing_sheet,
    "graph": graph_sheet,
}
VERBS = ("show", *_LAYOUTS, *_VERBS)

_USAGE = f"""\
%coscope VERB TARGET   one of {", ".join(VERBS)};
                       TARGET is a name of this notebook, or whatever coscope.read takes
%coscope explain       why the last exception was raised
%%coscope [VERB]       of the code of this cell, which is compiled and not run: show, dis, graph,
                       depends, verify or audit"""


class Page(NamedTuple):
    """A page that displays: the listing or the graph, which have no result of their own."""

    sheet: Sheet

    def __repr__(self) -> str:
        return str(self.sheet)

    def _repr_html_(self) -> str:
        return sheet_to_html(self.sheet)


def load(ipython: Any) -> None:
    """Register the magics; `%load_ext coscope` calls it."""
    ipython.register_magic_function(_line_and_cell(ipython), "line_cell", "coscope")

    def complete(shell: Any, event: Any) -> list[str]:
        return completions(event.line, shell.user_ns)

    for key in ("%coscope", "%%coscope"):
        ipython.set_hook("complete_command", complete, str_key=key)


def _line_and_cell(ipython: Any) -> Callable[..., object]:
    def coscope(line: str, cell: str | None = None) -> object:
        try:
            if cell is None:
                return of_line(line, ipython.user_ns)
            return of_cell(line, cell)
        except CoscopeError as error:
            print(f"coscope: {error}")
            return None

    coscope.__doc__ = _USAGE
    return coscope


def of_line(line: str, names: Mapping[str, object]) -> object:
    """What `%coscope` shows.

    Args:
        line: "show f", "diff f g"; without a verb it is "show".
        names: Of the notebook. They come before files and modules of the same name.

    Raises:
        CoscopeError: A target cannot be read.
    """
    words = line.split()
    if not words:
        print(_USAGE)
        return None
    if words == ["explain"]:  # the last exception; it has no target
        return explain()
    verb = words.pop(0) if words[0] in VERBS else "show"
    if not words or (verb == "diff") != (len(words) == 2):
        print(_USAGE)
        return None
    if verb == "explain-opcode":
        return _verb(verb)(words[0])
    return _shown(verb, [target_of(word, names) for word in words])


def of_cell(line: str, cell: str) -> object:
    """What `%%coscope` shows of the code of a cell, which is not run.

    Raises:
        CoscopeError: The cell does not compile.
    """
    verb = line.strip() or "show"
    if verb not in ("show", "dis", "graph", "depends", "verify", "audit"):
        print(_USAGE)
        return None
    snippet = Snippet(cell, "<cell>", "")
    if verb == "show":
        document = document_of(locate(snippet), detail="all")
        return Page(card_sheet(document, Pen(_WIDTH)))
    return _shown(verb, [snippet])


def target_of(word: str, names: Mapping[str, object]) -> object:
    """An object of the notebook, or the word itself; no property is read, no code runs."""
    first, _, rest = word.partition(".")
    if not _NAME.fullmatch(word) or first not in names:
        return word
    found = names[first]
    for part in rest.split(".") if rest else ():
        there = dict(_members(found))
        if part not in there:
            return word
        found = there[part]
    return found


def completions(line: str, names: Mapping[str, object]) -> list[str]:
    """The words that may stand at the end of a line.

    >>> completions("%coscope si", {})
    ['signature']
    """
    words = line.split()
    last = "" if line.endswith(" ") else words.pop()
    if len(words) == 1:
        found = [*VERBS, *_targets(names)]
    elif words and words[-1] == "explain-opcode":
        from coscope.opcodes.sentences import names as opcodes

        return [name for name in opcodes() if name.startswith(last.upper())]
    elif "." in last:
        owner, _, _ = last.rpartition(".")
        held = target_of(owner, names)
        found = [] if held is owner else [f"{owner}.{name}" for name in _public(_members(held))]
    else:
        found = list(_targets(names))
    return [word for word in found if word.startswith(last)]


def _targets(names: Mapping[str, object]) -> Iterator[str]:
    return _public(names.items())


def _public(items: Iterable[tuple[str, object]]) -> Iterator[str]:
    """Names of functions, classes and modules that are not private."""
    kinds = (FunctionType, MethodType, type, ModuleType)
    for name, value in items:
        if not name.startswith("_") and isinstance(value, kinds):
            yield name


def _members(owner: object) -> Iterator[tuple[str, object]]:
    """What a module or class holds; of an instance the functions of its class, bound to it."""
    from coscope.readers.attributes import mro_of, namespace_of

    if isinstance(owner, ModuleType):
        yield from list(vars(owner).items())
        return
    cls = owner if isinstance(owner, type) else type(owner)
    seen: set[str] = set()
    for base in mro_of(cls):
        for name, value in list(namespace_of(base).items()):
            if name in seen:
                continue
            seen.add(name)
            if isinstance(value, FunctionType) and cls is not owner:
                yield name, MethodType(value, owner)
            else:
                yield name, value


def _shown(verb: str, targets: list[object]) -> object:
    if verb == "show":
        return Card(targets[0])
    if verb in _LAYOUTS:
        target = locate(targets[0])
        detail = "all" if target.whole or target.cls is not None else "first"
        return Page(_LAYOUTS[verb](document_of(target, detail=detail), Pen(_WIDTH)))
    return _verb(verb)(*targets)


def _verb(verb: str) -> Callable[..., object]:
    module, name = _VERBS[verb]
    function: Callable[..., object] = getattr(import_module(module), name)
    return function
