"""The reported signature admits a call that the code rejects.

`inspect.signature` answers from `__wrapped__`, a partial or the code; the interpreter binds a call
by the counts and flags of the code that really runs, through each wrapper. Where they differ,
tools that believe the answer (FastAPI, click, pytest, Sphinx, editors) call or describe what
cannot be called. The rule constructs such a call, the witness, and follows it through the
wrappers' code without running any of it.

    def inject(fn):
        @functools.wraps(fn)
        def wrapper(*args, **kwargs):
            return fn("connection", *args, **kwargs)
        return wrapper

    @inject
    def load(connection, key): ...        inspect.signature says (connection, key)
                                          load(1, 2) raises TypeError

Only parameters that the signature names are used: that `**kwargs` is handed to something pickier
is no untruth. Operators are called with all their arguments, as Python does.

Give the wrapper the signature that it has: set `__signature__`, or write its parameters out.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.facts import Subject
from coscope.audits.signature.callables import chain_text, declares, signatures_of, told
from coscope.facts.shapes import KEYWORDS, POSITIONAL, POSITIONAL_ONLY, REST, Shape
from coscope.facts.signatures import Signatures
from coscope.facts.witnesses import Witness
from coscope.model import Finding

CODE = "SIG101"
SEVERITY = "error"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    found = signatures_of(subject)
    if found is not None and not declares(found):
        yield from untrue(subject, found, CODE)


def untrue(subject: Subject, found: Signatures, code: str) -> Iterator[Finding]:
    """A finding about the first witness, if there is one.

    Args:
        subject: The live object.
        found: Its signatures.
        code: Of the rule.
    """
    live = subject.live
    if live is None or live.name is None or found.reported is None:
        return
    shape = found.reported
    if _forwards_openly(shape, found.sources):
        return
    witnesses = [
        each
        for each in found.witnesses
        if each.reported is None and _is_fair(each, shape, live.name)
    ]
    if not witnesses:
        return
    witness = witnesses[0]
    yield told(
        subject,
        found,
        code,
        f"{live.name}({witness.arguments}) fits the reported signature, and raises TypeError",
        confidence="proved",
        evidence=[
            f"reported: {found.reported.text}",
            f"from {'; '.join(found.sources)}",
            *chain_text(found),
            f"TypeError when {witness.when}: {witness.code}",
        ],
        why="whoever believes inspect.signature makes or documents calls that fail",
        instead="set __signature__ to what the code accepts, or write the parameters out",
    )


def _forwards_openly(shape: Shape, sources: tuple[str, ...]) -> bool:
    """True of code that takes `*args` or `**kwargs` and says no more: nobody is misled."""
    own = len(sources) == 1 and sources[0].startswith("code of ")
    return own and bool(shape.of_kind(REST) or shape.of_kind(KEYWORDS))


def _is_fair(witness: Witness, shape: Shape, name: str) -> bool:
    """True if the call uses named parameters alone, and is one that Python itself may make."""
    positional = shape.of_kind(POSITIONAL_ONLY, POSITIONAL)
    names = {parameter.name for parameter in shape.parameters}
    if witness.positional > len(positional) or not names.issuperset(witness.keywords):
        return False
    operator = name.startswith("__") and name.endswith("__") and name not in _CALLED
    return not operator or witness.positional == len(positional)


_CALLED = ("__init__", "__new__", "__call__", "__init_subclass__")  # with any arguments
