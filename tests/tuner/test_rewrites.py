"""Rewrites: what they change, what they leave alone, and that all else stays as it is."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from coscope.tuner.rewrites import rewrites_for, rewritten
from coscope.tuner.sources import Known, difference, source_of

KEYWORDS = "('if', 'else', 'for', 'while', 'def', 'class', 'with', 'try')"
KNOWN = Known(
    frozenset({"cell"}),
    frozenset({"math", "contextlib"}),
    frozenset({"quiet"}),
    {"Point": ("x", "y")},
)


def _changed(text: str, rule: str, version: str = "3.13") -> str | None:
    """The text after the change of the function f in it."""
    (rewrite,) = [each for each in rewrites_for(version) if each.rule == rule]
    (line,) = [
        number
        for number, each in enumerate(text.splitlines(), 1)
        if each.lstrip().startswith(("def f", "async def f", "@"))
    ]
    source = source_of(text, "f", line, KNOWN)
    assert source is not None
    changed = rewritten(source, rewrite)
    if changed is not None:
        ast.parse(changed)
    return changed


CHANGED = {
    "set": (
        "PERF311",
        f"""\
        # a comment, und ein Umlaut: ä
        def f(x):
            return 'ä' and x in {KEYWORDS}  # stays
        """,
        f"""\
        # a comment, und ein Umlaut: ä
        def f(x):
            return 'ä' and x in {KEYWORDS.replace("(", "{").replace(")", "}")}  # stays
        """,
    ),
    "f-string": (
        "PERF308",
        """\
        def f(x, y):
            return "{}: {:>4} {{}}'".format(x, y)
        """,
        """\
        def f(x, y):
            return f"{x}: {y:>4} {{}}'"
        """,
    ),
    "import": (
        "PERF306",
        '''\
        def f(x):
            """Text."""
            for _ in x:
                import json
                json.dumps(_)
        ''',
        '''\
        def f(x):
            """Text."""
            import json
            for _ in x:
                json.dumps(_)
        ''',
    ),
    "suppress": (
        "PERF307",
        """\
        def f(x):
            for _ in x:
                with quiet(KeyError, ValueError):  # why
                    x.pop()
                    x.pop()
            return x
        """,
        """\
        def f(x):
            for _ in x:
                try:  # why
                    x.pop()
                    x.pop()
                except (KeyError, ValueError):
                    pass
            return x
        """,
    ),
    "positions": (
        "PERF305",
        """\
        def f(x):
            for _ in x:
                Point(_, y=2)
                Point(x = _, y =(2))
        """,
        """\
        def f(x):
            for _ in x:
                Point(_, 2)
                Point(_, (2))
        """,
    ),
    "append": (
        "PERF201",
        """\
        def f(x):
            out = []
            a = out.append
            for _ in x:
                a(_)
            return out
        """,
        """\
        def f(x):
            out = []
            for _ in x:
                out.append(_)
            return out
        """,
    ),
}


@pytest.mark.parametrize(("rule", "before", "after"), CHANGED.values(), ids=CHANGED)
def test_a_rewrite_changes_the_text_and_nothing_else(rule: str, before: str, after: str) -> None:
    assert dedent(after) == _changed(dedent(before), rule)


def test_to_3_10_names_are_hoisted_and_no_name_is_taken_twice() -> None:
    before = """\
        def f(x):
            _abs = 1
            for _ in x:
                _abs += math.sqrt(abs(_)) + [len(y) for y in _]
        """
    after = """\
        def f(x):
            _math_sqrt = math.sqrt
            __abs = abs
            _abs = 1
            for _ in x:
                _abs += _math_sqrt(__abs(_)) + [len(y) for y in _]
        """

    assert dedent(after) == _changed(dedent(before), "PERF101", "3.10")


LEFT = [
    ("PERF311", "3.13", "def f(x):\n    return x in ('if', 'else')"),
    ("PERF311", "3.13", f"def f(x, y):\n    return x in (y, *{KEYWORDS})"),
    ("PERF311", "3.13", f"def f(x='if' in {KEYWORDS}):\n    return x"),
    ("PERF311", "3.13", f"def f(x):\n    def g(): return x in {KEYWORDS}"),
    ("PERF308", "3.13", "def f(x):\n    return '{[a]}'.format(x)"),
    ("PERF308", "3.13", "def f(x):\n    return '{}'.format(*x)"),
    ("PERF308", "3.13", "def f(x, y):\n    return '{0} {0}'.format(x())"),
    ("PERF308", "3.13", "def f(x, y):\n    return '{:{}}'.format(x, y)"),
    ("PERF306", "3.13", "def f(x):\n    for _ in x:\n        import json; json.dumps(_)"),
    ("PERF306", "3.13", "def f(x):\n    for _ in x:\n        import json"),
    ("PERF306", "3.13", "def f(x): \n    import json\n    return json"),
    (
        "PERF307",
        "3.13",
        "def f(x):\n    for _ in x:\n        with quiet(KeyError) as y:\n            x",
    ),
    ("PERF307", "3.13", "def f(x):\n    for _ in x:\n        with other(KeyError):\n            x"),
    (
        "PERF307",
        "3.13",
        "def f(x, quiet):\n    for _ in x:\n        with quiet(KeyError):\n            x",
    ),
    ("PERF307", "3.13", "def f(x):\n    for _ in x:\n        with quiet(*x):\n            x"),
    ("PERF305", "3.13", "def f(x):\n    for _ in x:\n        Point(y=1, x=2)"),
    ("PERF305", "3.13", "def f(x):\n    for _ in x:\n        Point(1, **_)"),
    ("PERF305", "3.13", "def f(x, Point):\n    for _ in x:\n        Point(x=1)"),
    ("PERF201", "3.13", "def f(x):\n    a = x.append\n    return a"),
    ("PERF201", "3.13", "def f(x):\n    a = x.append\n    x = []\n    a(1)"),
    ("PERF201", "3.13", "def f(x):\n    a = x.append\n    a(1)\n    return lambda: a"),
    ("PERF101", "3.10", "def f(abs, x):\n    for _ in x:\n        abs(_)"),
    ("PERF101", "3.10", "def f(x):\n    for _ in x:\n        locals()"),
    ("PERF101", "3.10", "def f(x):\n    for _ in x:\n        cell.get(_)"),
    ("PERF101", "3.10", "def f(x):\n    for _ in x:\n        other.get(_)"),
    ("PERF101", "3.10", "def f(x):\n    for _ in x:\n        (lambda: abs(_))"),
    ("PERF101", "3.10", "def f(x):\n    from m import abs\n    for _ in x:\n        abs(_)"),
    ("PERF101", "3.10", "def f(x):\n    def abs(y): pass\n    for _ in x:\n        abs(_)"),
]


@pytest.mark.parametrize(("rule", "version", "text"), LEFT)
def test_a_rewrite_leaves_alone(rule: str, version: str, text: str) -> None:
    assert _changed(text, rule, version) is None


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14", "3.15"])
def test_no_hoist_is_tried_from_3_11_on(version: str) -> None:
    assert "PERF101" not in {each.rule for each in rewrites_for(version)}


def test_no_unhoisting_is_tried_to_3_10() -> None:
    assert "PERF201" not in {each.rule for each in rewrites_for("3.10")}


def test_a_decorated_function_begins_with_its_decorator() -> None:
    text = "@cache\ndef f(x):\n    return x\n"

    assert source_of(text, "f", 1) is not None
    assert source_of(text, "f", 2) is None


def test_two_lambdas_of_one_line_are_not_told_apart() -> None:
    assert source_of("f = lambda x: x, lambda x: -x\n", "<lambda>", 1) is None


def test_source_of_another_version_is_none() -> None:
    assert source_of("def f(x):\n    print x\n", "f", 1) is None


def test_a_difference_is_what_patch_takes() -> None:
    assert "--- shop.py\n+++ shop.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n" == difference(
        "a\nb\n", "a\nc\n", "shop.py"
    )
