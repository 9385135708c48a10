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

Only parameters that the signature names are used: `**kwargs` handed on to something pickier
misleads nobody. Operators are called with all their arguments, as Python does.

Proved: the witness binds to the reported signature, and the code that the call reaches rejects it.
Assumed: closures, defaults and `__wrapped__` stay as they are now, and the wrappers get as far as
their call.

Give the wrapper the signature that it has: set `__signature__`, or write its parameters out.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.signature.callables import (
    chain_text,
    class_signatures_of,
    declares,
    decorator_of,
    functions_in,
    is_private,
    signatures_of,
    told,
    told_of_wrapper,
)
from coscope.audits.subject.subject import Subject
from coscope.facts.signatures.counterexamples import Witness
from coscope.facts.signatures.links import Link
from coscope.facts.signatures.shapes import (
    KEYWORDS,
    POSITIONAL,
    POSITIONAL_ONLY,
    REST,
    Shape,
    refusal,
)
from coscope.facts.signatures.signatures import Signatures
from coscope.model import Finding
from coscope.readers.values import name_of_class

CODE = "SIG101"
SEVERITY = "error"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    for name, found in asked(subject):
        if not declares(found):
            yield from untrue(subject, name, found, CODE)


def asked(subject: Subject) -> Iterator[tuple[str, Signatures]]:
    """Whose signatures somebody asks for, and by what name: of `__init__`, that of its class."""
    live = subject.live
    if live is None or live.name is None or is_private(live):
        return
    if live.in_class and live.name in ("__init__", "__new__"):
        found = class_signatures_of(subject)
        name = name_of_class(live.owner).rpartition(".")[2]
    else:
        found, name = signatures_of(subject), live.name
    if found is not None:
        yield name, found


def untrue(subject: Subject, name: str, found: Signatures, code: str) -> Iterator[Finding]:
    """A finding about the first witness, if there is one.

    Args:
        subject: The live object.
        name: Of what is called.
        found: Its signatures.
        code: Of the rule.
    """
    shape = found.reported
    if shape is None or _forwards_openly(shape, found.sources):
        return
    fair = (w for w in found.witnesses if w.reported is None and _is_fair(w, shape, name))
    witness = next(fair, None)
    if witness is None:
        return
    call = f"{name}({witness.arguments})"
    report, message = told, f"{call} fits the reported signature, and raises TypeError"
    wrapper = _refusing_wrapper(found, witness)
    if wrapper is not None:  # whatever it wraps: one finding for all of them
        report = told_of_wrapper
        maker = decorator_of(wrapper)
        message = f"what {maker} makes rejects calls that fit the signature that it reports"
    by_name = {p.name for p in shape.of_kind(POSITIONAL)}.issuperset(witness.keywords)
    yield report(
        subject,
        found,
        code,
        message,
        severity="warning" if witness.keywords and by_name else "error",
        confidence="proved",
        evidence=[
            f"the call {call}",
            f"reported: {shape.text}",
            f"from {'; '.join(found.sources)}",
            *chain_text(found),
            f"TypeError when {witness.when}: {witness.code}",
        ],
        why="whoever believes inspect.signature makes or documents calls that fail",
        instead="set __signature__ to what the code accepts, or write the parameters out",
    )


def _refusing_wrapper(found: Signatures, witness: Witness) -> Link | None:
    """The outermost wrapper, if a decorator makes it and its own parameters refuse the call."""
    links = functions_in(found)
    if len(links) < 2 or links[0].accepts is None or not _is_of_decorator(links[0]):
        return None
    refused = refusal(links[0].accepts, witness.positional, witness.keywords)
    return None if refused is None else links[0]


def _is_of_decorator(link: Link) -> bool:
    """True for a wrapper that is written in the decorator which makes it."""
    function = link.function
    if function is None or function.source is None or not link.wraps:
        return False
    return "<locals>" in function.code.qualname


def _forwards_openly(shape: Shape, sources: tuple[str, ...]) -> bool:
    """True for code that takes `*args` or `**kwargs` and says no more: nobody is misled."""
    *through, last = sources or ("",)
    own = last.startswith("code of ") and all(each.startswith(_OF_CLASS) for each in through)
    return own and bool(shape.of_kind(REST) or shape.of_kind(KEYWORDS))


def _is_fair(witness: Witness, shape: Shape, name: str) -> bool:
    """True if the call uses named parameters alone, and is one that Python itself may make."""
    positional = shape.of_kind(POSITIONAL_ONLY, POSITIONAL)
    names = {parameter.name for parameter in shape.parameters}
    if witness.positional > len(positional) or not names.issuperset(witness.keywords):
        return False
    operator = name.startswith("__") and name.endswith("__") and name not in _CALLED
    return not operator or witness.positional == len(positional)


_OF_CLASS = ("__new__ of ", "__init__ of ", "__call__ of ")
_CALLED = ("__call__", "__init_subclass__")  # with any arguments
