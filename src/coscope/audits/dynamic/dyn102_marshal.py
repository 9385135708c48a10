"""`marshal` loads what may be anybody's bytes.

`marshal.loads` believes what it reads: a wrong reference or a code object with wrong indices ends
the process, and a code object that is right runs. The format changes with each version without a
sign in the data: of 150 files that CPython 3.14 had written, 81 crashed 3.13.0 when it loaded
them.

    code = marshal.loads(file.read()[16:])
    exec(code, namespace)

Not reported is a file that looks at a magic number first, as whatever reads a .pyc must.

To look at compiled code, `coscope.read("x.pyc")` reads the bytes of every version without
executing or trusting any. To keep data, use `json`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.subject.names import callee_of, imports_of
from coscope.audits.subject.origins import Origin, sources_of
from coscope.audits.subject.subject import Subject, Unit
from coscope.model import Finding

CODE = "DYN102"
SEVERITY = "warning"
MODULES = frozenset({"marshal"})
NAMES = frozenset({"load", "loads"})

_DUMPS = "marshal.dumps"
_WHY = "bytes that this version did not write can crash the interpreter, and code in them runs"


def check(subject: Subject) -> Iterator[Finding]:
    if not imports_of(subject, "marshal") or subject.unit.fact(_knows_magic):
        return
    for call in subject.calls:
        name = callee_of(subject, call)
        if name not in ("marshal.loads", "marshal.load"):
            continue
        given = sources_of(subject, call.positional[0]) if call.positional else ()
        if given and _are_own(subject, given):
            continue
        sources = [source for source in given if source.kind != "constant"]
        yield subject.finding(
            CODE,
            f"{name} trusts the bytes that it is given",
            call.index,
            evidence=[f"the bytes come from {source.text}" for source in sources],
            why=_WHY,
            instead='coscope.read("x.pyc") to look at code, json to keep data',
        )


def _are_own(subject: Subject, sources: tuple[Origin, ...]) -> bool:
    """True for constants of the source, and for what this process has just written."""
    own = {other.index for other in subject.calls if callee_of(subject, other) == _DUMPS}
    return all(source.kind == "constant" or source.index in own for source in sources)


def _knows_magic(unit: Unit) -> bool:
    """True if a name in the file speaks of a magic number."""
    codes = unit.code.walk() if unit.code is not None else ()
    return any("magic" in name.lower() for code in codes for name in (*code.names, *code.varnames))
