"""coscope shows what a Python function really is: its code object, cells, bytecode and flow.

    import coscope
    function = coscope.read(fn)      # or "pkg.mod:name", "file.py", "file.py::name", "x.pyc"
    function.code.instructions       # decoded, with positions
    coscope.show(fn)                 # the card, in a terminal or a notebook
    coscope.depends(fn)              # and closure, capture, call, signature, fingerprint, diff
    coscope.verify(fn).ok            # can it crash the interpreter?

The names are loaded at their first use, so that `import coscope` is nearly free.
"""

# No `from __future__` here: it is an import too, and nothing may be imported before this.
import sys


def _leave_the_folder() -> None:
    """Take the current folder off sys.path where this is `python -m coscope`.

    Python puts it first, before the standard library, so a `json.py` in it would run. While a
    package is looked for by `-m`, `sys.argv[0]` is "-m".
    """
    words = sys.orig_argv[1:]
    named = any(
        word[:1] == "-" and word[1:2] != "-" and (word + after).endswith("mcoscope")
        for word, after in zip(words, [*words[1:], ""])  # noqa: B905 - they are of one length
    )
    if sys.argv[:1] == ["-m"] and named and not sys.flags.safe_path:
        del sys.path[0]


_leave_the_folder()

from importlib import import_module  # noqa: E402

from coscope.result import bind_renderer  # noqa: E402

TYPE_CHECKING = False  # type checkers take it for typing's, whose import would cost more than ours

if TYPE_CHECKING:
    from coscope.audits.auditing import Audit, audit
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
    from coscope.excepthook import install_excepthook
    from coscope.explanations.explaining import explain
    from coscope.explanations.model import Diagnosis
    from coscope.facts.calls.binding import Binding, call
    from coscope.facts.calls.tracing import Trace, trace
    from coscope.facts.closures.closures import Closure, closure
    from coscope.facts.dependencies.depends import Dependencies, depends
    from coscope.facts.differences.difference import Difference, diff
    from coscope.facts.fingerprints.fingerprints import Fingerprint, fingerprint
    from coscope.facts.shipping.captures import Capture, capture
    from coscope.facts.signatures.signatures import Signatures, signature
    from coscope.flow.graph import Graph
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
    from coscope.opcodes.sentences import Explanation, explain_opcode
    from coscope.patcher.edits.model import (
        AtOnce,
        Do,
        Insert,
        InsertCall,
        Literal,
        Mark,
        Outcome,
        Remove,
        Rename,
        Replace,
        ReplaceConstant,
        SetMetadata,
        Variable,
        Where,
        WrapCall,
        at_line,
        at_offset,
        calls,
        opcode,
        uses,
    )
    from coscope.patcher.files.files import FilePatch, patch_file
    from coscope.patcher.receipts import Receipt, receipt_of
    from coscope.patcher.verbs.editor import Editor, edit
    from coscope.patcher.verbs.freezing import freeze
    from coscope.patcher.verbs.in_place import Patched, patched
    from coscope.patcher.verbs.instrumenting import Instrumented, instrument
    from coscope.patcher.verbs.patching import patch
    from coscope.readers import read, select
    from coscope.render.card import Card
    from coscope.result import Result
    from coscope.trust import FileTrust, TrustReport, trust
    from coscope.tuner.trial import Trial
    from coscope.tuner.tuning import tune
    from coscope.verifier import Contract, Report, Violation, verify

__version__ = "0.1.0"

__all__ = [
    "AmbiguousEdit",
    "Argument",
    "AtOnce",
    "Audit",
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
    "Diagnosis",
    "Difference",
    "Do",
    "Editor",
    "Explanation",
    "FilePatch",
    "FileTrust",
    "Fingerprint",
    "Flags",
    "FrozenSet",
    "Function",
    "ImportFailed",
    "InputError",
    "Insert",
    "InsertCall",
    "Instruction",
    "Instructions",
    "Instrumented",
    "InternalError",
    "InterpreterError",
    "LimitExceeded",
    "Literal",
    "Mark",
    "MarshalError",
    "NoCodeObject",
    "NotVerified",
    "NothingSelected",
    "Opaque",
    "Outcome",
    "PatchError",
    "Patched",
    "PycError",
    "Receipt",
    "Refused",
    "Region",
    "Remove",
    "Rename",
    "Replace",
    "ReplaceConstant",
    "Report",
    "Result",
    "SetMetadata",
    "Signatures",
    "Slice",
    "Source",
    "SourceError",
    "Span",
    "StackError",
    "TargetError",
    "TargetNotFound",
    "Trace",
    "Trial",
    "Truncated",
    "TruncatedTable",
    "TrustReport",
    "UnknownMagic",
    "UnknownVersion",
    "Value",
    "Variable",
    "Violation",
    "Where",
    "WrapCall",
    "WrongClosure",
    "WrongDefaults",
    "WrongKind",
    "WrongVersion",
    "__version__",
    "at_line",
    "at_offset",
    "audit",
    "call",
    "calls",
    "capture",
    "closure",
    "decode",
    "depends",
    "diff",
    "edit",
    "explain",
    "explain_opcode",
    "fingerprint",
    "freeze",
    "graph",
    "install_excepthook",
    "instrument",
    "opcode",
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
    "trust",
    "tune",
    "uses",
    "verify",
]

# Where each name lives. Names that are not listed are in `coscope.errors` or `coscope.model`.
_ROOMS = {
    "Audit": "coscope.audits.auditing",
    "AtOnce": "coscope.patcher.edits.model",
    "Binding": "coscope.facts.calls.binding",
    "Capture": "coscope.facts.shipping.captures",
    "Card": "coscope.render.card",
    "Closure": "coscope.facts.closures.closures",
    "Contract": "coscope.verifier",
    "Dependencies": "coscope.facts.dependencies.depends",
    "Difference": "coscope.facts.differences.difference",
    "Do": "coscope.patcher.edits.model",
    "Editor": "coscope.patcher.verbs.editor",
    "Explanation": "coscope.opcodes.sentences",
    "Diagnosis": "coscope.explanations.model",
    "FilePatch": "coscope.patcher.files.files",
    "FileTrust": "coscope.trust",
    "Fingerprint": "coscope.facts.fingerprints.fingerprints",
    "Insert": "coscope.patcher.edits.model",
    "InsertCall": "coscope.patcher.edits.model",
    "Instrumented": "coscope.patcher.verbs.instrumenting",
    "Literal": "coscope.patcher.edits.model",
    "Mark": "coscope.patcher.edits.model",
    "Outcome": "coscope.patcher.edits.model",
    "Patched": "coscope.patcher.verbs.in_place",
    "Receipt": "coscope.patcher.receipts",
    "Remove": "coscope.patcher.edits.model",
    "Rename": "coscope.patcher.edits.model",
    "Replace": "coscope.patcher.edits.model",
    "ReplaceConstant": "coscope.patcher.edits.model",
    "Report": "coscope.verifier",
    "Result": "coscope.result",
    "SetMetadata": "coscope.patcher.edits.model",
    "Signatures": "coscope.facts.signatures.signatures",
    "Trace": "coscope.facts.calls.tracing",
    "TrustReport": "coscope.trust",
    "Variable": "coscope.patcher.edits.model",
    "Violation": "coscope.verifier",
    "Where": "coscope.patcher.edits.model",
    "WrapCall": "coscope.patcher.edits.model",
    "audit": "coscope.audits.auditing",
    "at_line": "coscope.patcher.edits.model",
    "at_offset": "coscope.patcher.edits.model",
    "call": "coscope.facts.calls.binding",
    "calls": "coscope.patcher.edits.model",
    "capture": "coscope.facts.shipping.captures",
    "closure": "coscope.facts.closures.closures",
    "decode": "coscope.codec",
    "depends": "coscope.facts.dependencies.depends",
    "diff": "coscope.facts.differences.difference",
    "edit": "coscope.patcher.verbs.editor",
    "explain_opcode": "coscope.opcodes.sentences",
    "explain": "coscope.explanations.explaining",
    "fingerprint": "coscope.facts.fingerprints.fingerprints",
    "freeze": "coscope.patcher.verbs.freezing",
    "install_excepthook": "coscope.excepthook",
    "instrument": "coscope.patcher.verbs.instrumenting",
    "opcode": "coscope.patcher.edits.model",
    "patch": "coscope.patcher.verbs.patching",
    "patch_file": "coscope.patcher.files.files",
    "patched": "coscope.patcher.verbs.in_place",
    "read": "coscope.readers",
    "receipt_of": "coscope.patcher.receipts",
    "select": "coscope.readers",
    "signature": "coscope.facts.signatures.signatures",
    "table": "coscope.opcodes",
    "Trial": "coscope.tuner.trial",
    "trace": "coscope.facts.calls.tracing",
    "tune": "coscope.tuner.tuning",
    "trust": "coscope.trust",
    "uses": "coscope.patcher.edits.model",
    "verify": "coscope.verifier",
}

bind_renderer("coscope.render.results")


if not TYPE_CHECKING:  # for a type checker, only what is imported above exists

    def __getattr__(name: str) -> "object":
        """Load a public name at its first use (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if sys.implementation.name != "cpython":
            import_module("coscope.errors").check_implementation()
        for room in (_ROOMS.get(name, "coscope.model"), "coscope.errors"):
            value = getattr(import_module(room), name, None)
            if value is not None:
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def show(target: "object", *, python: "str | None" = None, unwrap: "bool" = False) -> "Card":
    """Show the card of a function.

    It is shown at once, printed or displayed: also in the middle of a cell, in a loop and
    in a function. Where a prompt shows the value of the expression anyway, it is shown once.

    Args:
        target: What `read` takes.
        python: Compile a source file by another interpreter: "3.12", "3.12.1" or a path.
        unwrap: Follow `__wrapped__` of decorated functions.

    Raises:
        InputError: What `read` raises.
    """
    from coscope.readers import locate
    from coscope.render.card import Card
    from coscope.render.displaying import show_now

    card = Card(locate(target, python=python, unwrap=unwrap))
    show_now(card, sys._getframe(1))
    return card


def graph(target: "object", *, python: "str | None" = None, unwrap: "bool" = False) -> "Graph":
    """The control-flow graph of a function, each conditional edge labelled with its condition.

    The "true" and the "false" edge of a block have the same label: the expression that is tested.
    The edge into a loop's body says what it fetches, the edge out of it "exhausted".

    Args:
        target: What `read` takes, and what it returned; or a `Code`.
        python: Compile a source file by another interpreter: "3.12", "3.12.1" or a path.
        unwrap: Follow `__wrapped__` of decorated functions.

    Raises:
        InputError: What `read` raises.
        CodeError: The code is no instruction sequence of its version.
    """
    from coscope.flow.domains.conditions import graph as graph_of
    from coscope.readers import locate

    return graph_of(locate(target, python=python, unwrap=unwrap).code)


def load_ipython_extension(ipython: "object") -> None:
    """Register `%coscope` and `%%coscope`; IPython calls it for `%load_ext coscope`."""
    from coscope.notebook.magics import load

    load(ipython)
