"""`coscope audit --fix`: what is edited, what is left, and that programs do the same afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from coscope.audits.running.engine import audit_unit, read_unit
from coscope.audits.selection import all_rules
from coscope.opcodes import table
from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION
from coscope.tuner.fixes import FIXABLE, fix
from tests import interpreters

RULES = [rule for rule in all_rules() if rule.code in FIXABLE]

PROGRAM = """\
import contextlib
from contextlib import suppress
from enum import Enum


class Kind(Enum):
    A = 1
    B = 2


def shown(rows, sep):
    out = []
    for name, size in rows:
        out.append("{}: {}".format(name, size))  # stays
        out.append("{n} {n!r}".format(n=sep))
    return out


def words(texts: list[str], number):
    n = 0
    for text in texts:
        n += text in ("if", "else", "for", "while", "def", "class", "with", "try")
    return n


def keys(held):
    n = 0
    for key, value in held.items():
        n += key not in (1, 2, 3, 4, 5, 6, 7, 8)
    return n


def prices(names, table):
    total = 0
    for name in names:
        with suppress(KeyError, TypeError):
            # a comment
            total += table[name]
    for name in names:
        with contextlib.suppress(KeyError): total += table[name]
    return total


def kinds(rows):
    n = 0
    for row in rows:
        for kind in row:
            if kind is Kind.A:
                n += 1
    return n


print(shown([("a", 1), ("b", [])], "'"), words(["if", "x"], 1), keys({1: 1, 9: 2}))
print(prices(["a", "b"], {"a": 1}), kinds([[Kind.A, Kind.B, 3], []]))
"""


def fixed(text: str, folder: Path, *, unsafe: bool = False) -> tuple[str, int, int]:
    """The text after the fixes, how many findings they answer, and how many more unsafe ones."""
    path = folder / "made.py"
    path.write_text(text, encoding="utf-8")
    unit = read_unit(str(path))
    made = fix(unit, text, audit_unit(unit, RULES).findings, unsafe=unsafe)
    return made.text, len(made.fixed), made.unsafe


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
@pytest.mark.parametrize("version", ["3.9", "3.11", "3.13", "3.15"])
def test_a_program_does_the_same(version: str, tmp_path: Path) -> None:
    python = str(interpreters.require(version))
    after, count, _ = fixed(PROGRAM, tmp_path)

    def run(text: str) -> str:
        command = [python, "-I", "-c", text]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert count >= 5
    assert run(PROGRAM) == run(after)


def test_what_is_fixed_is_not_found_again(tmp_path: Path) -> None:
    after, _, _ = fixed(PROGRAM, tmp_path)

    assert 'f"{name}: {size}"' in after
    assert "except (KeyError, TypeError):\n            pass\n" in after
    assert '{"if", "else"' in after
    assert (after, 0) == fixed(after, tmp_path)[:2]


def test_comments_and_everything_else_stay(tmp_path: Path) -> None:
    after, _, _ = fixed(PROGRAM, tmp_path)

    assert "  # stays\n" in after
    assert "            # a comment\n" in after


@pytest.mark.parametrize(
    "loop",
    [
        "for word in words:",  # a list may hold lists
        "for word in words.values():",
        "for number, word in words.items():",
    ],
)
def test_what_may_be_unhashable_is_asked_of_a_set_only_on_demand(loop: str, tmp_path: Path) -> None:
    items = ", ".join(repr(f"k{number}") for number in range(9))
    text = (
        f"def f(words, n):\n    for _ in n:\n        {loop}\n            n += word in ({items})\n"
    )
    after, count, unsafe = fixed(text, tmp_path)

    assert (text, 0, 1) == (after, count, unsafe)
    assert f"{{{items}}}" in fixed(text, tmp_path, unsafe=True)[0]


@pytest.mark.parametrize(
    "loop",
    [
        "for word in text.split():",
        "for number, word in enumerate(text.splitlines()):",
        "for word in held.keys():",
        "for word, count in held.items():",
        "for word in range(n):",
        "for word in given:",
    ],
)
def test_what_is_surely_hashable_is_asked_of_a_set(loop: str, tmp_path: Path) -> None:
    items = ", ".join(repr(f"k{number}") for number in range(9))
    text = (
        "def f(text, held, n, given: list[str]):\n    for _ in n:\n"
        f"        {loop}\n            n += word in ({items})\n"
    )

    assert f"{{{items}}}" in fixed(text, tmp_path)[0]


def test_a_name_that_hides_suppress_is_left_alone(tmp_path: Path) -> None:
    text = (
        "from contextlib import suppress\nsuppress = print\n\ndef f(names, held):\n"
        "    for name in names:\n        with suppress(KeyError):\n            held[name] += 1\n"
    )

    assert text == fixed(text, tmp_path)[0]


@pytest.mark.skipif(
    not table(HOST_VERSION).behaves("enum_members_cost", HOST_RELEASE),
    reason="this version specialises members of an enum",
)
def test_a_member_s_new_name_is_no_other_variable_s(tmp_path: Path) -> None:
    text = PROGRAM.replace(
        "    n = 0\n    for row in rows:", "    n = kind_a = 0\n    for row in rows:"
    )
    after, _, _ = fixed(text, tmp_path)

    assert "    kind_a_ = Kind.A\n    for row in rows:" in after
