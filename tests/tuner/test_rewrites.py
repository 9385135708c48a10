"""Rewrites: what they change, what they leave alone, and that the result stays."""

from __future__ import annotations

import pytest

from coscope.tuner.rewrites import plain, rewrites_for, rewritten

KEYWORDS = "('if', 'else', 'for', 'while', 'def', 'class', 'with', 'try')"


def _changed(source: str, rule: str, version: str) -> str | None:
    (rewrite,) = [each for each in rewrites_for(version) if each.rule == rule]
    return rewritten(plain(source), rewrite)


@pytest.mark.parametrize(
    ("rule", "version", "before", "after"),
    [
        ("PERF311", "3.13", f"def f(x):\n    return x in {KEYWORDS}", "x in {'if',"),
        ("PERF308", "3.13", "def f(x):\n    return '{}: {}'.format(x, x)", "f'{x}: {x}'"),
        (
            "PERF306",
            "3.13",
            "def f(x):\n    for _ in x:\n        import json\n",
            "import json\n    for",
        ),
        (
            "PERF201",
            "3.13",
            "def f(x):\n    out = []\n    a = out.append\n    for _ in x:\n        a(_)",
            "out.append(_)",
        ),
        (
            "PERF101",
            "3.10",
            "def f(x):\n    for _ in x:\n        math.sqrt(abs(_))",
            "_abs = abs\n    _math_sqrt = math.sqrt",
        ),
    ],
)
def test_a_rewrite_changes(rule: str, version: str, before: str, after: str) -> None:
    changed = _changed(before, rule, version)

    assert changed is not None
    assert after in changed


@pytest.mark.parametrize(
    ("rule", "version", "source"),
    [
        ("PERF311", "3.13", "def f(x):\n    return x in ('if', 'else')"),
        ("PERF311", "3.13", f"def f(x, y):\n    return x in (y, *{KEYWORDS})"),
        ("PERF308", "3.13", "def f(x):\n    return '{0.size}'.format(x)"),
        ("PERF308", "3.13", "def f(x):\n    return '{}'.format(x['a'])"),
        ("PERF308", "3.13", "def f(x):\n    return '{:>9}'.format(x)"),
        ("PERF201", "3.13", "def f(x):\n    a = x.append\n    return a"),
        ("PERF101", "3.10", "def f(abs, x):\n    for _ in x:\n        abs(_)"),
        ("PERF101", "3.10", "def f(x):\n    for _ in x:\n        locals()"),
        ("PERF101", "3.10", "def f(x):\n    for _ in x:\n        (lambda: abs(_))"),
    ],
)
def test_a_rewrite_leaves_alone(rule: str, version: str, source: str) -> None:
    assert _changed(source, rule, version) is None


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_no_hoist_is_tried_from_3_11_on(version: str) -> None:
    assert "PERF101" not in {each.rule for each in rewrites_for(version)}


def test_no_unhoisting_is_tried_to_3_10() -> None:
    assert "PERF201" not in {each.rule for each in rewrites_for("3.10")}


def test_decorators_are_left_out() -> None:
    assert plain("@cache\ndef f(x):\n    return x").startswith("def f")
