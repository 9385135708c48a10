"""`ctypes` writes into the memory of an object that `id()` has found.

The interpreter keeps pointers, counts and specialised instructions in its objects, and believes
them. A write into a code object changes code that may be running; a write into an int or a tuple
changes a value that thousands of others share. Layouts differ by version, build and platform.

    address = id(f.__code__) + bytes.__basicsize__
    ctypes.memmove(address, new, len(new))

Make a new object: `coscope.patch` for functions.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.subject.calls import Call
from coscope.audits.subject.names import callee_of
from coscope.audits.subject.origins import sources_of
from coscope.audits.subject.subject import Subject
from coscope.flow.domains.origin import Origins
from coscope.model import Finding

CODE = "DYN106"
SEVERITY = "warning"
NAMES = frozenset({"memmove", "memset", "from_address"})

_OF_CODE = (
    "__code__",
    "co_code",
    "co_consts",
    "co_names",
    "_co_code_adaptive",
    "f_code",
    "gi_code",
)


def check(subject: Subject) -> Iterator[Finding]:
    for call in subject.calls:
        last = _writer(subject, call)
        if last is None or not call.positional:
            continue
        objects = list(_objects(subject, call.positional[0]))
        if not objects:
            continue
        text, index = objects[0]
        code = any(part in text for part in _OF_CODE)
        verb = "maps" if last == "from_address" else "writes into"
        yield subject.finding(
            CODE,
            f"{last} {verb} the memory of {'a code object' if code else 'an object'}",
            call.index,
            evidence=[subject.seen(index, f"the address comes from {text}")],
            why="the interpreter believes what it finds there, and its layout differs by version",
            instead="make a new object; for functions, coscope.patch",
        )


def _writer(subject: Subject, call: Call) -> str | None:
    """Which function of ctypes a call calls, of those that write to an address."""
    name = callee_of(subject, call) or call.path or ""
    last = name.rpartition(".")[2]
    if last == "from_address":  # of any ctypes type
        return last
    return last if last in NAMES and name == f"ctypes.{last}" else None


def _objects(subject: Subject, made_by: Origins) -> Iterator[tuple[str, int]]:
    """Calls of `id` from which an address comes."""
    calls = {call.index: call for call in subject.calls}
    for source in sources_of(subject, made_by):
        call = calls.get(source.index) if source.index is not None else None
        if call is not None and callee_of(subject, call) == "id":
            yield source.text.removeprefix("the result of "), call.index
