"""Annotations that cannot be evaluated.

`typing.get_type_hints` looks the names of string annotations up in the globals of the function's
module. Where one is missing it raises, and so do the frameworks that read types when the program
runs (pydantic, FastAPI, attrs, injectors). Names of an enclosing function are never found,
whatever the source looks like.

    def make():
        class Key: ...
        def find(key: "Key"): ...         get_type_hints(find): NameError
        return find

Names that are imported only under `if TYPE_CHECKING:` are common, and mostly meant: they are told
once a module, for your information.

Import the name where it is used, define the class on module level, or write `"Key | None"` as one
string instead of `"Key" | None`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.facts import Subject, Unit
from coscope.audits.signature.callables import functions_in, signatures_of, told
from coscope.facts.annotations import Annotation
from coscope.facts.signatures import Signatures
from coscope.model import Finding

CODE = "SIG107"
SEVERITY = "warning"
LIVE = True

_RAISES = ("would raise NameError", "would raise AttributeError", "would raise TypeError")
_CHECKING = "TYPE_CHECKING"


def check(subject: Subject) -> Iterator[Finding]:
    found, live = signatures_of(subject), subject.live
    if found is None or live is None:
        return
    links = functions_in(found)
    if not links or links[0].object is not live.function:
        return
    own = [each for each in found.annotations if each.function == links[-1].qualname]
    wrong = [each for each in own if each.verdict in (*_RAISES, "does not parse")]
    hidden = [each for each in wrong if _CHECKING in (each.reason or "")]
    plain = [each for each in wrong if each not in hidden]
    if plain:
        yield _told(subject, found, plain[0], len(plain), "warning")
    elif hidden and subject.unit.fact(_First).take():
        yield _told(subject, found, hidden[0], len(hidden), "info")


class _First:
    """Gives True once."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.taken = False

    def take(self) -> bool:
        """True at the first call."""
        first, self.taken = not self.taken, True
        return first


def _told(
    subject: Subject, found: Signatures, annotation: Annotation, count: int, severity: str
) -> Finding:
    more = f", and of {count - 1} more" if count > 1 else ""
    told_why = annotation.reason or annotation.verdict
    return told(
        subject,
        found,
        CODE,
        f"the annotation of {annotation.name}{more} does not evaluate: {told_why}",
        severity=severity,
        confidence="proved",
        evidence=[f"it {annotation.verdict}"],
        why="typing.get_type_hints raises, and so does what reads types while the program runs",
        instead="import the name, define it on module level, or quote the whole annotation",
    )
