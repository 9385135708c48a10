"""YAML is read by a loader that makes any object.

A tag such as `!!python/object/apply:os.system` names a function, and `yaml.Loader`,
`UnsafeLoader`, older versions' `yaml.load` and `FullLoader` (before PyYAML 5.4) call it. The rule
follows the document back to where it comes from.

    def settings(stream):
        return yaml.load(stream, Loader=yaml.Loader)

It is a warning if the document comes from outside or from the caller, or if they choose the file.
A file whose name is fixed is for your information. `SafeLoader`, `CSafeLoader`, `BaseLoader` and
classes of the same file that extend them are not reported.

Use `yaml.safe_load`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.dynamic.flows.glance import may_find_for, names_for
from coscope.audits.dynamic.flows.report import findings
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "DYN110"
SEVERITY = "warning"
NAMES = names_for(CODE)
ALIASES = True

may_find = may_find_for(CODE)


def check(subject: Subject) -> Iterator[Finding]:
    return findings(subject, CODE)
