"""Differences: true ones are found and named, reformats are none."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import Any

import pytest

from coscope.errors import CoscopeError, InputError
from coscope.facts.differences.alignment import aligned
from coscope.facts.differences.difference import Difference, diff
from coscope.readers.from_source import from_source
from tests import interpreters
from tests.facts.differences.reformat import with_lines_moved, written_anew
from tests.facts.fingerprints.fingerprint_edits import EVERY, Edit

DATA = Path(__file__).parents[2] / "render" / "data"

SOURCE = '''
import os
LIMIT = 10

class Order:
    """Doc."""
    def total(self, rate=1, *, tax=0.2):
        amount = 0
        for price in self.prices:
            if price > LIMIT and not tax:
                continue
            try:
                amount += price
            except TypeError:
                return None
        return [amount, lambda x: x + rate]
'''


def compared(before: str, after: str) -> Difference:
    return diff(from_source(before, "before.py"), from_source(after, "after.py"))


def changed(old: str, new: str) -> Difference:
    assert SOURCE != SOURCE.replace(old, new)
    return compared(SOURCE, SOURCE.replace(old, new))


def test_a_file_is_identical_to_itself() -> None:
    found = diff(from_source(SOURCE), from_source(SOURCE))

    assert ("identical", "identical", True) == (found.verdict, found.text, found.same)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("LIMIT = 10\n", "# here\n\nLIMIT = 10\n", "lines moved, file name changed"),
        ('"""Doc."""', '"""Text."""', "lines moved, file name changed, docstrings changed"),
        ("amount", "sum_", "lines moved, file name changed, local names changed"),
    ],
)
def test_says_what_has_no_effect(old: str, new: str, text: str) -> None:
    found = changed(old, new)

    # Where lines move, 3.15 may write the same instructions with other bytes.
    said = found.text.removesuffix(", bytes differ without effect")

    assert (f"same behaviour, {text}", True) == (said, found.same)


@pytest.mark.parametrize(
    ("old", "new", "name", "what"),
    [
        ("LIMIT = 10", "LIMIT = 10.0", "<module>", ["constants"]),
        ("> LIMIT", "> BOUND", "Order.total", ["names"]),
        ("> LIMIT", ">= LIMIT", "Order.total", []),
        ("rate=1", "rate=True", "Order", ["constants"]),
        ("rate=1, *,", "rate=1,", "Order.total", ["parameters"]),
        ("TypeError", "ValueError", "Order.total", ["names"]),
        ("x + rate", "x - rate", "Order.total.<locals>.<lambda>", []),
        ("self.prices", "(yield)", "Order.total", ["flags", "names"]),
    ],
)
def test_names_the_code_and_what_differs(old: str, new: str, name: str, what: list[str]) -> None:
    found = changed(old, new)
    facts = {code.left: [fact.what for fact in code.facts] for code in found.codes}

    assert not found.same
    assert set(what) <= set(facts[name])


def test_aligns_instructions_and_names_their_lines() -> None:
    found = changed("amount += price", "amount -= price")
    rows = [
        (row.kind, side.text, side.line)
        for row in found.codes[0].rows
        if row.kind in ("removed", "added") and (side := row.left or row.right)
    ]

    assert [("removed", 13), ("added", 13)] == [(kind, line) for kind, _, line in rows]
    assert ["+", "-"] == [text.split()[-1].rstrip("=") for _, text, _ in rows]


def test_two_locals_of_one_instruction_are_named_one_by_one() -> None:
    found = compared(
        "def f(alpha, beta): return alpha, beta, 1", "def f(alpha, beta): return beta, alpha, 2"
    )
    sides = [side for row in found.codes[0].rows for side in (row.left, row.right) if side]
    names = [word for side in sides for word in side.text.split() if word in ("alpha", "beta")]

    assert {"alpha", "beta"} == set(names)
    assert not any("(" in side.text and "alpha" in side.text for side in sides)


def test_a_jump_that_leads_elsewhere_differs() -> None:
    found = compared(
        "def f(x):\n    while x:\n        if a: continue\n        b\n    c\n",
        "def f(x):\n    while x:\n        if a: break\n        b\n    c\n",
    )

    assert ["f"] == [code.left for code in found.codes]


def test_tells_code_that_only_one_side_has() -> None:
    found = changed("import os\n", "import os\ndef new(): return 1\n")

    assert (("new",), ()) == (found.added, found.removed)


def test_of_several_of_one_name_the_like_are_paired() -> None:
    found = compared(
        "a = [lambda: 1, lambda: 2, lambda: 3]\n", "a = [lambda: 1, lambda: 3, lambda: 4]\n"
    )
    gone = compared("a = [lambda: 1, lambda: 2, lambda: 3]\n", "a = [lambda: 1, lambda: 3]\n")

    assert not found.same
    assert (("<lambda>",), ()) == (gone.removed, gone.added)
    assert ["<module>"] == [code.left for code in gone.codes]


@pytest.mark.parametrize("edit", EVERY, ids=lambda edit: edit.name)
def test_finds_a_difference_where_behaviour_changes(edit: Edit) -> None:
    """Of a file everything counts: what is not used, and in which order it is defined."""
    outside = "moved", "unused", "annotation", "name of the function", "docstring taken"
    found = compared(edit.before, edit.after)

    if edit.changes or not edit.name.startswith((*outside, "helper moved")):
        assert edit.changes == (not found.same), found.text


def made(number: object, items: list[int]) -> Any:
    def function(x: int, y: list[int] = items, *, key: object = number) -> object:
        return x, y, key, number

    return function


def test_compares_defaults_and_cells_of_live_functions() -> None:
    found = diff(made(1, [1]), made(True, [1, 2]))

    assert diff(made(1, [1]), made(1, [1])).same
    assert [
        ("default of y", "[1]", "[1, 2]"),
        ("default of key", "1", "True"),
        ("cell number", "1", "True"),
    ] == [(fact.what, fact.left, fact.right) for fact in found.codes[0].facts]


def test_lists_what_cannot_be_compared() -> None:
    one, other = iter(()), iter(())

    assert ("default of key", "cell number") == diff(made(one, []), made(other, [])).unknown


def test_compares_two_interpreters(tmp_path: Path) -> None:
    for version in ("3.12", "3.13"):
        interpreters.require(version)
    file = tmp_path / "app.py"
    file.write_text(SOURCE)
    found = diff(file, file, python="3.12,3.13")

    assert ("3.12", "3.13") == (found.left.version, found.right.version)
    assert not found.same
    assert diff(file, file, python="3.12").verdict == "identical"


def test_compares_compiled_files() -> None:
    found = diff(DATA / "sample-3.12.pyc", DATA / "sample-3.13.pyc")

    assert diff(DATA / "sample-3.8.pyc", DATA / "sample-3.8.pyc").verdict == "identical"
    assert ("3.12", "3.13") == (found.left.version, found.right.version)


@pytest.mark.parametrize("python", ["3.11,3.12,3.13", ",", "3.12,"])
def test_refuses_other_numbers_of_interpreters(python: str) -> None:
    with pytest.raises(InputError):
        diff("a.py", "b.py", python=python)


def library_sample(step: int) -> list[Path]:
    folder = Path(sysconfig.get_path("stdlib"))
    files = [path for path in folder.glob("*.py") if path.is_file()]  # Debian's may lead nowhere
    return sorted(path for path in files if path.stat().st_size < 40_000)[::step]


@pytest.mark.parametrize("path", library_sample(8), ids=lambda path: path.stem)
def test_a_reformat_of_the_library_is_no_difference(path: Path) -> None:
    source = path.read_bytes()
    before = from_source(source, str(path))
    found = [diff(before, from_source(with_lines_moved(source), str(path))).same]
    try:
        found.append(diff(before, from_source(written_anew(source), str(path))).same)
    except CoscopeError:  # ast.unparse writes some texts that do not compile
        found.append(True)

    assert [True, True] == found


def test_long_lists_align() -> None:
    left = tuple(str(number % 7) for number in range(9_000))
    right = (*left[:4_000], "new", *left[4_000:])

    assert [("equal", 0, 4000, 0, 4000), ("insert", 4000, 4000, 4000, 4001)] == aligned(
        left, right
    )[:2]
