"""A template that somebody else may choose is filled in.

A field of `str.format` reaches attributes and items of whatever is put in:
`"{0.__init__.__globals__[SECRET]}".format(user)`. The templates of Jinja2, Mako, Django and
Tornado run expressions. The rule follows a template that is no constant back to where it comes
from.

    def greet(request, user):
        return request.args["greeting"].format(user=user)

A template from outside is a warning; for Jinja2 and its like one from the caller is, too. A format
that the caller, a file or the environment gives is for your information. What is of unknown origin
is reported with `--strict` alone: it mostly is a translated text.

Use a constant template, `string.Template`, or the sandbox of Jinja2.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.dynamic.flows.glance import may_find_for, names_for
from coscope.audits.dynamic.flows.report import findings
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "DYN111"
SEVERITY = "warning"
NAMES = names_for(CODE)
ALIASES = True

may_find = may_find_for(CODE)


def check(subject: Subject) -> Iterator[Finding]:
    return findings(subject, CODE)
