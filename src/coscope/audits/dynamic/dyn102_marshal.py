"""`marshal` loads what may be anybody's bytes.

`marshal.loads` believes what it reads: a wrong reference or a code object with wrong indices ends
the process, and a code object that is right runs. The format changes with each version without a
sign in the data: of 150 files that CPython 3.14 had written, 81 crashed 3.13.0 when it loaded
them. The rule follows the bytes back to where they come from.

    code = marshal.loads(file.read()[16:])
    exec(code, namespace)

A file that looks at a magic number first, as whatever reads a .pyc must, is for your information
only. Constants, and what the function itself has dumped, are not reported.

To look at compiled code, `coscope.read("x.pyc")` reads the bytes of every version without
executing or trusting any. To keep data, use `json`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.dynamic.flows.glance import may_find_for, names_for
from coscope.audits.dynamic.flows.report import findings
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "DYN102"
SEVERITY = "warning"
NAMES = names_for(CODE)
ALIASES = True

may_find = may_find_for(CODE)


def check(subject: Subject) -> Iterator[Finding]:
    return findings(subject, CODE)
