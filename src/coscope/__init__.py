"""coscope shows what a Python function really is: its code object, cells, bytecode and flow.

    import coscope
    function = coscope.read(fn)      # or "pkg.mod:name", "file.py", "file.py::name", "x.pyc"
    function.code.instructions       # decoded, with positions
    coscope.show(fn)                 # the card, in a terminal or a notebook
    coscope.depends(fn)              # and closure, capture, call, signature, fingerprint, diff
    coscope.verify(fn).ok            # can it crash the interpreter?

The names are loaded at their first use, so that `import coscope` is nearly free.
"""

from __future__ import annotations

from importlib import import_module

from coscope.result import bind_renderer

TYPE_CHECKING = False  # type checkers take it for typing's, whose import would cost more than ours

if TYPE_CHECKING:
    from typing import Any

    from coscope.codec import decode
    from coscope.errors import (
        AmbiguousEdit,
        CodeError,
        ConstantNotFound,
        CoscopeError,
        ImportFailed,
        InputError,
        InternalError,
        InterpreterError,
        LimitExceeded,
        MarshalError,
        NoCodeObject,
        NothingSelected,
        NotVerified,
        PatchError,
        PycError,
        Refused,
        SourceError,
        StackError,
        TargetError,
        TargetNotFound,
        Truncated,
        TruncatedTable,
        UnknownMagic,
        UnknownVersion,
        WrongClosure,
        WrongDefaults,
        WrongKind,
        WrongVersion,
    )
    from coscope.facts.binding import Binding, call
    from coscope.facts.captures import Capture, capture
    from coscope.facts.closures import Closure, closure
    from coscope.facts.dependencies import Dependencies, depends
    from coscope.facts.difference import Difference, diff
    from coscope.facts.fingerprints import Fingerprint, fingerprint
    from coscope.facts.signatures import Signatures, signature
    from coscope.facts.tracing import Trace, trace
    from coscope.flow.conditions import graph
    from coscope.model import (
        Argument,
        Cell,
        Code,
        Flags,
        FrozenSet,
        Function,
        Instruction,
        Instructions,
        Opaque,
        Region,
        Slice,
        Source,
        Span,
        Value,
    )
    from coscope.opcodes import table
    from coscope.patcher.editor import Editor, edit
    from coscope.patcher.edits import Where, at_line, at_offset
    from coscope.patcher.files import FilePatch, patch_file
    from coscope.patcher.freezing import freeze
    from coscope.patcher.in_place import Patched, patched
    from coscope.patcher.live import patch
    from coscope.patcher.receipts import Receipt, receipt_of
    from coscope.readers import read, select
    from coscope.render.card import Card
    from coscope.result import Result
    from coscope.verifier import Contract, Report, Violation, verify

__version__ = "0.1.0"

__all__ = [
    "AmbiguousEdit",
    "Argument",
    "Binding",
    "Capture",
    "Card",
    "Cell",
    "Closure",
    "Code",
    "CodeError",
    "ConstantNotFound",
    "Contract",
    "CoscopeError",
    "Dependencies",
    "Difference",
    "Editor",
    "FilePatch",
    "Fingerprint",
    "Flags",
    "FrozenSet",
    "Function",
    "ImportFailed",
    "InputError",
    "Instruction",
    "Instructions",
    "InternalError",
    "InterpreterError",
    "LimitExceeded",
    "MarshalError",
    "NoCodeObject",
    "NotVerified",
    "NothingSelected",
    "Opaque",
    "PatchError",
    "Patched",
    "PycError",
    "Receipt",
    "Refused",
    "Region",
    "Report",
    "Result",
    "Signatures",
    "Slice",
    "Source",
    "SourceError",
    "Span",
    "StackError",
    "TargetError",
    "TargetNotFound",
    "Trace",
    "Truncated",
    "TruncatedTable",
    "UnknownMagic",
    "UnknownVersion",
    "Value",
    "Violation",
    "Where",
    "WrongClosure",
    "WrongDefaults",
    "WrongKind",
    "WrongVersion",
    "__version__",
    "at_line",
    "at_offset",
    "call",
    "capture",
    "closure",
    "decode",
    "depends",
    "diff",
    "edit",
    "fingerprint",
    "freeze",
    "graph",
    "patch",
    "patch_file",
    "patched",
    "read",
    "receipt_of",
    "select",
    "show",
    "signature",
    "table",
    "trace",
    "verify",
]

# Where each name lives. Names that are not listed are in `coscope.errors` or `coscope.model`.
_ROOMS = {
    "Binding": "coscope.facts.binding",
    "Capture": "coscope.facts.captures",
    "Card": "coscope.render.card",
    "Closure": "coscope.facts.closures",
    "Contract": "coscope.verifier",
    "Dependencies": "coscope.facts.dependencies",
    "Difference": "coscope.facts.difference",
    "Editor": "coscope.patcher.editor",
    "FilePatch": "coscope.patcher.files",
    "Fingerprint": "coscope.facts.fingerprints",
    "Patched": "coscope.patcher.in_place",
    "Receipt": "coscope.patcher.receipts",
    "Report": "coscope.verifier",
    "Result": "coscope.result",
    "Signatures": "coscope.facts.signatures",
    "Trace": "coscope.facts.tracing",
    "Violation": "coscope.verifier",
    "Where": "coscope.patcher.edits",
    "at_line": "coscope.patcher.edits",
    "at_offset": "coscope.patcher.edits",
    "call": "coscope.facts.binding",
    "capture": "coscope.facts.captures",
    "closure": "coscope.facts.closures",
    "decode": "coscope.codec",
    "depends": "coscope.facts.dependencies",
    "diff": "coscope.facts.difference",
    "edit": "coscope.patcher.editor",
    "fingerprint": "coscope.facts.fingerprints",
    "freeze": "coscope.patcher.freezing",
    "graph": "coscope.flow.conditions",
    "patch": "coscope.patcher.live",
    "patch_file": "coscope.patcher.files",
    "patched": "coscope.patcher.in_place",
    "read": "coscope.readers",
    "receipt_of": "coscope.patcher.receipts",
    "select": "coscope.readers",
    "signature": "coscope.facts.signatures",
    "table": "coscope.opcodes",
    "trace": "coscope.facts.tracing",
    "verify": "coscope.verifier",
}

bind_renderer("coscope.render.results")


def __getattr__(name: str) -> Any:
    """Load a public name at its first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for room in (_ROOMS.get(name, "coscope.model"), "coscope.errors"):
        value = getattr(import_module(room), name, None)
        if value is not None:
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def show(target: Any, *, python: str | None = None, unwrap: bool = False) -> Card:
    """Show the card of a function.

    In a script the card is printed. At an interactive prompt and in a notebook it is only
    returned, because they display what the last expression gives.

    Args:
        target: What `read` takes.
        python: Compile a source file by another interpreter: "3.12", "3.12.1" or a path.
        unwrap: Follow `__wrapped__` of decorated functions.

    Raises:
        InputError: What `read` raises.
    """
    from coscope.readers import read
    from coscope.render.card import Card

    named = target if type(target) is str else None
    card = Card(read(target, python=python, unwrap=unwrap), target=named)
    if not _echoes():
        card.print()
    return card


def _echoes() -> bool:
    """True where the value of the last expression is displayed: a prompt, a notebook."""
    import builtins
    import sys

    return hasattr(sys, "ps1") or hasattr(builtins, "__IPYTHON__")
