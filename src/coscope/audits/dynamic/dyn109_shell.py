"""A shell reads a command that somebody else may choose.

The shell takes `;`, `|`, `$()` and backquotes in a value for further commands. The rule follows
what `os.system`, `os.popen`, `subprocess` with `shell=True`, `subprocess.getoutput`,
`asyncio.create_subprocess_shell` and lists such as `["sh", "-c", command]` are given back to
where it comes from.

    def resize(name):
        subprocess.run(f"convert {name} small.png", shell=True)     name may be "; rm -r ~"

It is a warning if the text comes from outside or from the caller; a parameter called `command` or
`cmd` is for your information, and so is text of unknown origin. Numbers and what `shlex.quote` has
quoted are not reported. `--strict` also names the programs that start without a shell.

Give a list of arguments without a shell, or quote each part with `shlex.quote`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.dynamic.flows.glance import may_find_for, names_for
from coscope.audits.dynamic.flows.report import findings
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "DYN109"
SEVERITY = "warning"
NAMES = names_for(CODE)
ALIASES = True

may_find = may_find_for(CODE)


def check(subject: Subject) -> Iterator[Finding]:
    return findings(subject, CODE)
