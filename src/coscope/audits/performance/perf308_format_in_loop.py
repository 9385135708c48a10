"""A loop calls `format` of a constant string

    for name, size in files:
        lines.append("{}: {}".format(name, size))   # 73 to 93 ns more than f"{name}: {size}"

The string is parsed at each call; an f-string is parsed by the compiler.

The rule finds constant strings whose fields are numbered or named by the arguments of the call.

Proved: the text is a constant, its fields are arguments of the call, and each complete round calls
it. That an f-string does the same depends on the arguments: see `coscope audit --diff`.

Instead: an f-string.

Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it.

    CPython     3.8    3.9   3.10   3.11   3.12   3.13   3.14   3.15
    ns         87.3   84.9  100.1   88.1  100.7   86.1   56.5   71.2
"""

from __future__ import annotations

import string
from collections.abc import Iterator

from coscope.audits.calibration import Pair
from coscope.audits.performance.many import many_rounds
from coscope.audits.performance.rounds import light_loop
from coscope.audits.prefilter.glances import Glance, uses
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "PERF308"
SEVERITY = "info"
LOOPS = True
NAMES = frozenset({"format"})
PAIR = Pair('"{}: {}".format(a, b)', 'f"{a}: {b}"', begin="a, b = 'x', 'y'")
lower_bound = PAIR.lower_bound

_GAIN = 70.0  # nanoseconds: a loop is told only if that is a share of its round


def may_find(seen: Glance) -> bool:
    return uses(seen, ("LOAD_ATTR", "LOAD_METHOD"), NAMES, seen.spans(tight=False))


def check(subject: Subject) -> Iterator[Finding]:
    columns, opnames = subject.instructions, subject.opnames
    sites = [
        index
        for index in subject.where("LOAD_ATTR", "LOAD_METHOD")
        if columns.argval(index) == "format" and opnames[index - 1] == "LOAD_CONST"
    ]
    for index in sites:
        text = columns.argval(index - 1)
        loop = light_loop(subject, index, _GAIN) if type(text) is str else None
        if loop is None or not _is_simple(text):
            continue
        call = next((call for call in subject.calls if call.callee == {index}), None)
        many = None if call is None or call.starred else many_rounds(subject, loop)
        if call is None or many is None:
            continue
        yield subject.finding(
            CODE,
            "format of a constant string is called in each round of a loop",
            call.index,
            confidence="proved",
            evidence=[subject.seen(index - 1), subject.seen(call.index), many],
            why="the string is parsed at each call; an f-string is parsed by the compiler",
            instead="an f-string",
        )


def _is_simple(text: str) -> bool:
    """True if every field is an argument itself, and there is one."""
    try:
        fields = [
            (name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name is not None
        ]
    except ValueError:
        return False
    return bool(fields) and all(
        (not name or name.isdigit() or name.isidentifier()) and "{" not in (spec or "")
        for name, spec in fields
    )
