"""No compiler has written this bytecode.

The verifier finds that the code object breaks what the interpreter relies on. A compiler's output
never does: the file is damaged, made for another version, or edited by hand, and running it can
crash the interpreter or read memory that is not its own. Only compiled files are looked at.

    $ coscope verify vendored/x.pyc      shows every violation with its instructions

Proved: the bytecode breaks a rule that the interpreter relies on; a bound of work that was reached
is no proof, and no finding. Not proved is that a run gets there: that the process crashes is
possible, not certain.

Compile the file again from its source; without one, do not import it.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.subject.subject import Subject, Unit
from coscope.model import Finding
from coscope.verifier import Violation, verify

CODE = "DYN201"
SEVERITY = "error"
COMPILED = True

_SHOWN = 3


def check(subject: Subject) -> Iterator[Finding]:
    found = subject.unit.fact(_violations).get(id(subject.code), [])
    if not found:
        return
    rules = sorted({each.rule for each in found})
    yield subject.finding(
        CODE,
        f"this bytecode breaks {', '.join(rules)} of the verifier",
        found[0].span if found[0].line is not None else None,
        confidence="proved",
        evidence=[str(each) for each in found[:_SHOWN]],
        why="running it can crash the interpreter",
        instead="compile it again from its source",
    )


def _violations(unit: Unit) -> dict[int, list[Violation]]:
    """The violations of a file by the `id()` of the code object."""
    if unit.code is None:
        return {}
    codes = list(unit.code.walk())
    found: dict[int, list[Violation]] = {}
    for violation in verify(unit.code, file=unit.file).violations:
        found.setdefault(id(codes[violation.number]), []).append(violation)
    return found
