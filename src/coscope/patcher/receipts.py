"""What a patch did: the receipt that every patched function carries."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, GeneratorType
from typing import Any

from coscope.errors import InputError, hidden_for
from coscope.facts.differences.difference import Difference, diff
from coscope.facts.fingerprints.fingerprints import Fingerprint, fingerprint
from coscope.patcher.edits.model import AnyEdit
from coscope.patcher.snapshots import Snapshot
from coscope.readers import read
from coscope.readers.attributes import MISSING, instance_attribute, is_a
from coscope.result import Result
from coscope.verifier import Report

__tracebackhide__ = hidden_for

ATTRIBUTE = "receipt"
SPARE = "__coscope_receipt__"  # where the function has an attribute `receipt` of its own

_SUSPENDING = 0x20 | 0x80 | 0x200  # generators, coroutines, async generators
_SUSPENDED = (GeneratorType, CoroutineType, AsyncGeneratorType)


@dataclass(frozen=True, slots=True)
class Receipt(Result):
    """What a patch changed, what it left, and what speaks against shipping it.

    `notes`, `before`, `after` and `difference` are worked out when they are first asked for.
    """

    name: str  # qualified name of the function
    module: str | None
    in_place: bool  # the function itself changed; else it is a copy
    via: tuple[str, ...]  # steps from what was given to the function
    edits: tuple[AnyEdit, ...]
    changes: tuple[str, ...]  # all that was asked for, in words
    report: Report  # the verifier's verdict on the new code
    stack: tuple[int, int]  # slots reserved before and after
    shared: tuple[str, ...]  # what the copy has in common with the original
    fresh: tuple[str, ...]  # what is its own
    running_frames: int  # of the old code, which go on with it
    warning: str | None  # why one should not ship it
    _notes: tuple[str, ...] = ()
    _remarks: Callable[[], tuple[str, ...]] | None = field(default=None, compare=False, repr=False)
    _ends: tuple[Snapshot, Snapshot] | None = field(default=None, compare=False, repr=False)
    _worked_out: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    _later: Any = field(default=None, compare=False, repr=False)  # makes it, see `read_later`

    @classmethod
    def read_later(cls, make: Callable[[], Receipt]) -> Receipt:
        """A receipt that is worked out when somebody reads it.

        Args:
            make: Makes the whole one.
        """
        receipt = object.__new__(cls)
        object.__setattr__(receipt, "_later", make)
        return receipt

    def __getattr__(self, name: str) -> Any:
        """Only a receipt that is not worked out lacks a field."""
        if name in self.__slots__ and name != "_later":
            whole = self._later()
            for field_name in self.__slots__:
                if field_name != "_later":
                    object.__setattr__(self, field_name, getattr(whole, field_name))
            return object.__getattribute__(self, name)
        raise AttributeError(f"a receipt has no {name!r}")

    @property
    def notes(self) -> tuple[str, ...]:
        """What one should know besides: what was left, who else is affected."""
        if self._remarks is not None and "remarks" not in self._worked_out:
            self._worked_out["remarks"] = self._remarks()
        remarks: tuple[str, ...] = self._worked_out.get("remarks", ())
        return (*self._notes, *remarks)

    @property
    def before(self) -> Fingerprint | None:
        """Fingerprint of the function as it was; None in a receipt that was unpickled."""
        return self._fingerprint("before", 0)

    @property
    def after(self) -> Fingerprint | None:
        """Fingerprint of the function as it is."""
        return self._fingerprint("after", 1)

    @property
    def difference(self) -> Difference | None:
        """The two, instructions aligned."""
        if self._ends is not None and "difference" not in self._worked_out:
            self._worked_out["difference"] = diff(*(read(each.function()) for each in self._ends))
        found: Difference | None = self._worked_out.get("difference")
        return found

    def _fingerprint(self, key: str, end: int) -> Fingerprint | None:
        if self._ends is not None and key not in self._worked_out:
            # As a `Function`: the fingerprint of a live one is kept, and the function with it.
            self._worked_out[key] = fingerprint(read(self._ends[end].function()))
        found: Fingerprint | None = self._worked_out.get(key)
        return found

    def __reduce__(self) -> Any:
        """A receipt is about this process: a function that is shipped goes without it."""
        return type(None), ()


# Receipts of the patches that are in place, by id() of the function, the first at the bottom.
in_place: dict[int, Callable[[], tuple[Receipt, ...]]] = {}


def receipts_in_place(function: FunctionType) -> tuple[Receipt, ...]:
    """The receipts of the patches that are in place on a function, the first at the bottom."""
    found = in_place.get(id(function))
    return () if found is None else found()


def give(function: FunctionType, receipt: Receipt) -> None:
    """Make the receipt an attribute of the function."""
    own = function.__dict__.get(ATTRIBUTE)
    function.__dict__[ATTRIBUTE if own is None or type(own) is Receipt else SPARE] = receipt


def receipt_of(target: object) -> Receipt:
    """The receipt of a patched function, or of what wraps one; of a patch in place too.

    Raises:
        InputError: It has none.
        TargetError: There is no function in it.
    """
    found = _held(target) or _latest(target)
    if found is None:
        function = read(target).object
        found = None if function is None else _held(function) or _latest(function)
    if found is None:
        raise InputError("this was not patched by coscope: it has no receipt")
    return found


def _latest(thing: object) -> Receipt | None:
    """The receipt of the patch in place that came last."""
    found = receipts_in_place(thing) if type(thing) is FunctionType else ()
    return found[-1] if found else None


def _held(thing: object) -> Receipt | None:
    if is_a(thing, type):
        return None
    for name in (SPARE, ATTRIBUTE):
        value = instance_attribute(thing, name)
        if value is not MISSING and type(value) is Receipt:
            return value
    return None


def running_frames(co: CodeType, *, suspended: bool = False) -> int:
    """How many frames of this process run a code object.

    Args:
        co: Live.
        suspended: Count generators and coroutines that have started and wait too. It looks at
            every object that the garbage collector tracks.
    """
    count = 0
    frame: object
    for frame in list(sys._current_frames().values()):
        while frame is not None:
            count += frame.f_code is co
            frame = frame.f_back
    if suspended and co.co_flags & _SUSPENDING:
        count += sum(_waits(each) for each in gc.get_referrers(co) if type(each) in _SUSPENDED)
    return count


def waiting_frames() -> dict[int, int]:
    """How many generators and coroutines have started and wait, by id() of their code object."""
    found: dict[int, int] = {}
    for each in gc.get_objects():
        if type(each) in _SUSPENDED and _waits(each):
            key = id(_code_of(each))
            found[key] = found.get(key, 0) + 1
    return found


def _code_of(thing: Any) -> CodeType:
    for name in ("gi_code", "cr_code", "ag_code"):
        found = getattr(thing, name, None)
        if found is not None:
            return found  # type: ignore[no-any-return]
    raise InputError("this is no generator")


def _waits(thing: Any) -> bool:
    """True for a generator, coroutine or async generator that has started and does not run now."""
    if type(thing) is GeneratorType:
        return thing.gi_suspended
    if type(thing) is CoroutineType:
        return thing.cr_suspended
    frame = getattr(thing, "ag_frame", None)
    return frame is not None and not thing.ag_running and frame.f_lasti >= 0
