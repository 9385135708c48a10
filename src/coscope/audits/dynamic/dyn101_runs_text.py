"""`eval`, `exec` or `compile` runs text that somebody else may choose.

Whoever chooses the text chooses what the process does. The rule follows the value back to where
it comes from and reports the way with every finding: through variables, string methods,
formatting, containers, closures, attributes of `self` and functions of the same file. It knows
`eval`, `exec` and `compile` under any name (an alias, `getattr(builtins, "eval")`, `partial`,
`map(eval, lines)`), and `pandas.eval`, `DataFrame.query`, `numexpr.evaluate`, `sympy.sympify`,
`timeit`, `profile.run`.

    def total(rows, formula):
        return eval(formula.strip(), {"__builtins__": {}})      the parameter formula becomes code

An empty `__builtins__` protects from nothing: `().__class__.__base__` leads back to everything.

It is a warning if the text comes over the network, from a user, a database, a model, the
environment or a file, or if the caller gives it. For your information only is

- text about which nothing is known: a global, an attribute, the result of an unknown function;
- what is plainly meant: a parameter called `code` or `source`, a console, the namespace of a
  frame, a file that `exec` runs, a constant template that begins as a definition does;
- what was checked on every path before: by `ast.literal_eval`, a regular expression, a lookup.

Not reported are constants, also through a dict of constants or `if x in ("a", "b")`, numbers, and
what `repr` makes; `--strict` reports them with the reason, but for constants.

Write what you mean as code: a dict of functions instead of names in text, `getattr` instead of
`eval("x." + name)`, `ast.literal_eval` for literals, `operator` for operations.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.dynamic.flows.glance import may_find_for, names_for
from coscope.audits.dynamic.flows.report import findings
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "DYN101"
SEVERITY = "warning"
NAMES = names_for(CODE)
ALIASES = True

may_find = may_find_for(CODE)


def check(subject: Subject) -> Iterator[Finding]:
    return findings(subject, CODE)
