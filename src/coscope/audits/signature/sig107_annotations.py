"""Annotations that cannot be evaluated.

`typing.get_type_hints` looks the names of string annotations up in the globals of the function's
module. Where one is missing it raises, and so do the frameworks that read types when the program
runs (pydantic, FastAPI, attrs, injectors). Names of an enclosing function are never found,
whatever the source looks like, nor those in a quoted alias that another module has made.

    def make():
        class Key: ...
        def find(key: "Key"): ...         get_type_hints(find): NameError
        return find

Each missing name is reported once per module. Names that the module binds under
`if TYPE_CHECKING:`, or under another condition that was not met, are mostly deliberate: they are
reported for your information, and only where `type-checking = true` in `[tool.coscope]` asks for
them. Private functions and generated code are left out.

Proved: the name is in none of the namespaces that `typing.get_type_hints` looks into, now. Assumed:
nothing binds it before the annotations are read.

Import the name where it is used, define the class at module level, or write `"Key | None"` as one
string instead of `"Key" | None`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType

from coscope.audits.signature.callables import functions_in, is_private, signatures_of, told
from coscope.audits.subject.subject import Subject, Unit
from coscope.facts.signatures.annotations import Annotation
from coscope.facts.signatures.links import Link
from coscope.facts.signatures.signatures import Signatures
from coscope.model import Finding, Source
from coscope.readers.attributes import is_a, member
from coscope.readers.sources import source_of

CODE = "SIG107"
SEVERITY = "warning"
LIVE = True

_RAISES = ("would raise NameError", "would raise AttributeError", "would raise TypeError")


def check(subject: Subject) -> Iterator[Finding]:
    found, live = signatures_of(subject), subject.live
    if found is None or live is None or is_private(live):
        return
    links = functions_in(found)
    if not links or links[0].object is not live.function:
        return
    written = _written(links)
    if written is None:
        return
    wrong = _wrong(found, written)
    plain = [each for each in wrong if not _is_conditional(each, written)]
    if plain:
        yield from _once(subject, found, plain[0], "warning")
    elif wrong and subject.options.type_checking:
        yield from _once(subject, found, wrong[0], "info")


def _once(
    subject: Subject, found: Signatures, annotation: Annotation, severity: str
) -> Iterator[Finding]:
    """A finding, unless the same reason was reported for the module already."""
    reported = subject.unit.fact(_Reported).reasons
    reason = annotation.reason or annotation.verdict
    if reason not in reported:
        reported.add(reason)
        yield _finding(subject, found, annotation, severity)


def _written(links: list[Link]) -> Link | None:
    """The function whose source has the annotations; None if that source is not known.

    functools.wraps copies annotations: they are those of the first function that wraps none.
    """
    written = next((link for link in links if not link.wraps), links[-1])
    function = written.function
    if function is None or function.source is None or function.code.filename.startswith("<"):
        return None
    return written


def _wrong(found: Signatures, written: Link) -> list[Annotation]:
    """The function's own annotations that cannot be evaluated."""
    module = dict.get(written.object.__globals__, "__name__")
    return [
        each
        for each in found.annotations
        if each.function == written.qualname
        and each.module == module
        and each.verdict in (*_RAISES, "does not parse")
    ]


class _Reported:
    """What was reported for a module already."""

    def __init__(self, unit: Unit) -> None:
        self.file = unit.file
        self.reasons: set[str] = set()


def _is_conditional(annotation: Annotation, link: Link) -> bool:
    """True if the name is bound by the source of its module, but was not when that ran."""
    source = None if link.function is None else link.function.source
    if source is None or not annotation.missing:
        return False
    name = annotation.missing[0]
    if annotation.verdict != "would raise AttributeError":
        return name in _bound_in(source)
    owner, _, attribute = name.partition(".")
    module = dict.get(link.object.__globals__, owner)
    if not is_a(module, ModuleType):
        return False
    file = dict.get(member(ModuleType, "__dict__", module), "__file__")
    held = source_of(file) if type(file) is str and file.endswith(".py") else None
    # A module in C has no source: its types are those of stub files.
    return held is None or attribute in _bound_in(held)


@lru_cache(maxsize=64)
def _bound_in(source: Source) -> frozenset[str]:
    """The names that a file binds anywhere, but inside of functions and classes."""
    try:
        pending: list[ast.AST] = [ast.parse("\n".join(source.lines))]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found: set[str] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        pending.extend(ast.iter_child_nodes(node))
    return frozenset(found)


def _finding(subject: Subject, found: Signatures, annotation: Annotation, severity: str) -> Finding:
    return told(
        subject,
        found,
        CODE,
        f"the annotation of {annotation.name} does not evaluate: "
        f"{annotation.reason or annotation.verdict}",
        severity=severity,
        confidence="proved",
        evidence=[f"it {annotation.verdict}"],
        why="typing.get_type_hints raises, and so does what reads types while the program runs",
        instead="import the name, define it on module level, or quote the whole annotation",
    )
