"""Code is imported or loaded under a name that somebody else may choose.

Importing a module runs it, and loading a shared library runs its initializers. The rule follows
what `__import__`, `importlib.import_module`, `runpy`, `spec_from_file_location`,
`imp.load_source`, `pkgutil.resolve_name` and `ctypes.CDLL` are given back to where it comes from.

    def handler(request):
        return importlib.import_module(request.GET["plugin"]).run()

A name that comes over the network, from a user, a database or a model is a warning. One that the
caller, a file or the environment gives is for your information: that is how plugins work.

Look the name up in a dict of the modules that are meant, or among entry points.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.dynamic.flows.glance import may_find_for, names_for
from coscope.audits.dynamic.flows.report import findings
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "DYN108"
SEVERITY = "info"
NAMES = names_for(CODE)
ALIASES = True

may_find = may_find_for(CODE)


def check(subject: Subject) -> Iterator[Finding]:
    return findings(subject, CODE)
