"""A pickle is loaded that the same function has read from a file, a socket or a pipe.

A pickle is a program: loading one calls whatever it names. The rule reports `load` and `loads` of
`pickle`, `dill`, `cloudpickle` and `joblib` where the data is read in the same function, so that
nothing can have checked it in between.

    with socket.create_connection(address) as peer:
        job = pickle.loads(peer.recv(65536))       whoever answers runs code here

Data that comes over a network is a warning, data of a file is for your information. A function
that writes pickles itself is left out: what it reads may be its own.

Check a MAC over the bytes before you load them (`hmac.compare_digest`), restrict
`Unpickler.find_class`, or use `json`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.prefilter.glances import Glance
from coscope.audits.subject.calls import Call
from coscope.audits.subject.names import callee_of, imports_of
from coscope.audits.subject.origins import Origin, sources_of
from coscope.audits.subject.subject import Subject
from coscope.flow.domains.origin import Origins
from coscope.model import Finding

CODE = "DYN103"
SEVERITY = "info"
NAMES = frozenset({"load", "loads"})

_MODULES = ("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib")
MODULES = frozenset(_MODULES)
_LOADERS = frozenset(f"{module}.{name}" for module in _MODULES for name in ("load", "loads"))
_DUMPERS = frozenset(f"{module}.{name}" for module in _MODULES for name in ("dump", "dumps"))
_NETWORK = frozenset({"recv", "recvfrom", "recv_bytes", "urlopen", "recv_multipart"})
_FILES = frozenset({"read", "read_bytes", "readline", "readinto"})
_OPENERS = frozenset(
    {"open", "io.open", "gzip.open", "bz2.open", "lzma.open", "builtins.open", "codecs.open"}
)
_READERS = _NETWORK | _FILES | {name.rpartition(".")[2] for name in _OPENERS}
_DECODERS = frozenset(
    (
        *("base64.b64decode", "base64.decodebytes", "base64.urlsafe_b64decode", "bytes"),
        *("zlib.decompress", "bz2.decompress", "lzma.decompress", "gzip.decompress"),
    )
)


def may_find(seen: Glance) -> bool:
    return not _READERS.isdisjoint(seen.names) or not _READERS.isdisjoint(seen.file.names)


def check(subject: Subject) -> Iterator[Finding]:
    if not imports_of(subject, *_MODULES):
        return
    if any(callee_of(subject, call) in _DUMPERS for call in subject.calls):
        return
    for call in subject.calls:
        name = callee_of(subject, call)
        if name not in _LOADERS or not call.positional:
            continue
        for text, network, index in _reads(subject, call.positional[0], 3):
            yield subject.finding(
                CODE,
                f"{name} loads what {text} has read",
                call.index,
                severity="warning" if network else "info",
                evidence=[subject.seen(index, f"{text} reads")],
                why="a pickle is a program: whoever wrote the data chooses what loading it calls",
                instead="check a MAC first, restrict Unpickler.find_class, or use json",
            )
            break


def _reads(subject: Subject, made_by: Origins, depth: int) -> Iterator[tuple[str, bool, int]]:
    """The reading calls from which a value comes: text, whether over a network, instruction."""
    calls = {call.index: call for call in subject.calls}
    for source in sources_of(subject, made_by):
        call = calls.get(source.index) if source.index is not None else None
        if source.kind == "context" and source.index is not None:
            taken = subject.takers.get(source.index)
            if taken is not None and depth:
                yield from _reads(subject, taken[1][-1], depth - 1)
        elif call is not None:
            yield from _of_call(subject, call, source, depth)


def _of_call(
    subject: Subject, call: Call, source: Origin, depth: int
) -> Iterator[tuple[str, bool, int]]:
    meaning = callee_of(subject, call) or ""
    last = (call.path or meaning).rpartition(".")[2]
    text = source.text.removeprefix("the result of ")
    if last in _NETWORK:
        yield text, True, call.index
    elif (meaning in _OPENERS and not _writes(subject, call)) or last in _FILES:
        yield text, False, call.index
    elif meaning in _DECODERS and call.positional and depth:
        yield from _reads(subject, call.positional[0], depth - 1)


def _writes(subject: Subject, call: Call) -> bool:
    """True if a file is opened to be written alone."""
    made_by = call.positional[1] if len(call.positional) > 1 else dict(call.keywords).get("mode")
    modes = [] if made_by is None else [each.text for each in sources_of(subject, made_by)]
    return bool(modes) and all(mode.strip("'")[:1] in "wax" and "+" not in mode for mode in modes)
