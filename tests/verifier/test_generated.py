"""Large and deep code that the compiler writes from generated source is accepted, and decided."""

from __future__ import annotations

import pytest

from coscope.readers.from_function import from_code_object
from coscope.verifier import verify


def _nested(depth: int) -> str:
    text = "0"
    for level in range(depth):
        text = f"[{text} for v{level} in r\n if v{level}]"
    return f"def f(r):\n return {text}\n"


def _names(count: int) -> str:
    return ", ".join(f"x{n}" for n in range(count))


FORMS = {
    "139 names": f"def f(t):\n {_names(139)} = t\n return x0\n",
    "5,000 names": f"def f(t):\n {_names(5000)} = t\n return x0\n",
    "names and a rest": f"def f(t):\n {_names(200)}, *r = t\n return x0\n",
    "comprehensions 15 deep": _nested(15),
    "comprehensions 19 deep": _nested(19),
    "a call of 3,000 arguments": f"def f(g, a):\n return g({', '.join(['a'] * 3000)})\n",
    "3,000 keywords": f"def f(g):\n return g({', '.join(f'k{n}=g' for n in range(3000))})\n",
    "400 walruses in a call": f"def f(g):\n g({', '.join(f'(x{n} := g)' for n in range(400))})\n",
    "a chain of comparisons": f"def f(a):\n return {' < '.join(['a'] * 500)}\n",
    "10,000 constants": f"def f():\n return [{', '.join(f'{n}.5' for n in range(10000))}, f]\n",
    "500 patterns": "def f(a):\n match a:\n"
    + "".join(f"  case [{n}, *r, {{'x': C(y={n})}}] if r: return {n}\n" for n in range(500)),
    "300 cells": f"def f(t):\n {_names(300)} = t\n return lambda: ({_names(300)})\n",
    "a name of the compiler's": "__conditional_annotations__ = 5\nif f:\n  x: int = 1\n",
    "cells in comprehensions": "class A:\n def m(self):\n  lambda: self\n"
    "  return [[self for self in self] for self in [super() for x in 'a']]\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_it_is_accepted(name: str) -> None:
    report = verify(from_code_object(compile(FORMS[name], "generated.py", "exec")))

    assert ("accepted", (), ()) == (report.verdict, report.violations, report.undecided)
