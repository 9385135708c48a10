"""One reason why a site is not specialised: the kinds there are, and what is known of one."""

from __future__ import annotations

from dataclasses import dataclass

from coscope.audits.warm.specialization import Site

SHADOWED = "shadowed default"
CONSTANT = "class constant through an instance"
METACLASS = "metaclass"
MODULE_GETATTR = "module __getattr__"
CLASS_STORE = "store to a class"
TAGS = "version tags exhausted"
OWN_DICT = "dictionary of its own"
FALLBACK = "__getattr__ of the class"
MIXED = "several types"
UNPACK = "several kinds of sequences"
OTHER = "other"  # a fact of which no rule tells: `coscope show --warm` does


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one site is not specialised."""

    site: Site
    index: int  # of the instruction in the subject's code
    kind: str  # one of the words above
    text: str  # one clause
    proved: bool  # the types were seen, or the object is known; else it is the one candidate
    owner: str = ""  # the expression whose attribute it is, or that is unpacked or called
    attribute: str = ""
    types: tuple[str, ...] = ()  # that were seen there
    lasting: bool = True  # it is so all the time; else it may have been once, as after a first run
