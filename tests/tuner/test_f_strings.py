"""f-strings for calls of `format`: the same text, by every interpreter, or none."""

from __future__ import annotations

import ast
import random

import pytest

from coscope.tuner.f_strings import f_string
from coscope.tuner.sources import Source

NAMES = {"a": 12, "b": 3.5, "c": "xyz", "d": {"k": "v", "n": 7}, "len": len, "f": lambda: "made"}


def made(call: str, *, strictly: bool = False) -> str | None:
    tree = ast.parse(f"def g(a, b, c, d):\n    return {call}\n")
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    (statement,) = function.body
    assert isinstance(statement, ast.Return)
    assert isinstance(statement.value, ast.Call)
    source = Source(f"def g(a, b, c, d):\n    return {call}\n", function)
    return f_string(source, statement.value, strictly=strictly)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ('"{}: {}".format(a, b)', 'f"{a}: {b}"'),
        ('"{0} {1} {0}".format(a, b)', 'f"{a} {b} {a}"'),
        ('"{x} {y!r:>5}".format(x=a, y=c)', 'f"{a} {c!r:>5}"'),
        ('"{}".format(d["k"])', "f'{d[\"k\"]}'"),
        ('"{{}} {} é\\n\\\\".format(a + 1)', 'f"{{}} {a + 1} é\\n\\\\"'),
        ('"{}".format({1: 2})', 'f"{({1: 2})}"'),
        ('"{}".format(a if b else c)', 'f"{(a if b else c)}"'),
        ('"{}".format(lambda: 1)', 'f"{(lambda: 1)}"'),
        ('"{0.real}".format(a)', 'f"{a.real}"'),
        ('"{0.real}".format(1)', 'f"{(1).real}"'),
        ('"it\'s \\"{}\\"".format(d["k"])', 'f\'it\\\'s "{d["k"]}"\''),
    ],
)
def test_the_f_string_of_a_format(call: str, text: str) -> None:
    assert text == made(call)


@pytest.mark.parametrize(
    "call",
    [
        '"{:{}}".format(a, b)',  # a field in a field
        '"{}".format(*a)',
        '"{x}".format(**d)',
        '"{}".format(a, b)',  # b is evaluated, and not shown
        '"{[k]}".format(d)',  # a text in format, a name in an f-string
        '"{} {}".format(d["k"], c.replace(\'x\', ""))',  # both quotes
        '"{}".format(c + "\\n")',
        '"{1} {0}".format(f(), f())',
        '"{0} {0}".format(f())',
        '"{".format(a)',
        '"{} {0}".format(a)',
        "a.format(b)",
        'b"{}".format(a)',
        '"{}".join(c)',
        '"{}".format(  # a comment\n        a)',
    ],
)
def test_no_f_string_does_the_same(call: str) -> None:
    assert made(call) is None


@pytest.mark.parametrize(
    ("call", "safe"),
    [
        ('"{} {}".format(f(), a)', True),
        ('"{} {}".format(a, f())', False),
        ('"{} {}".format(a, len(c))', True),
        ('"{} {}".format(d, d.pop("k"))', False),
        ('"{} {}".format(a, (b := 3))', False),
        ('"{} {}".format(a, b.c["k"])', True),
    ],
)
def test_the_order_of_evaluation_must_not_show(call: str, safe: bool) -> None:
    assert made(call) is not None
    assert safe == (made(call, strictly=True) is not None)


def _drawn(draw: random.Random) -> str:
    values = ["a", "b", "c", 'd["k"]', "d['n']", "a + 1", "(a, b)", "len(c)", "-a", "f()", "{a: 1}"]
    values += ["a if b else c", "[1, 2]", "a == 12", "not a", "c[0]", "1.5", '"q"', "c.upper()"]
    count = draw.randint(1, 4)
    fields, given = [], []
    for number in range(count):
        name = draw.choice(("", "", str(number), f"n{number}"))
        if given and name.isdigit() != fields[0][1:2].isdigit() and not name.startswith("n"):
            name = f"n{number}"
        value = draw.choice(values)
        given.append(f"{name}={value}" if name.startswith("n") else value)
        fields.append("{" + name + draw.choice(("", "", "!r", "!s", ":>12", "!s:<9")) + "}")
    given.sort(key=lambda each: each[:1] == "n" and "=" in each[:3])
    texts = ["", " ", "{{", "}}", "'", '\\"', "\\n", "é", "%", "\\\\", "\\t{{}}"]
    parts = [draw.choice(texts)]
    for field in fields:
        parts += [field, draw.choice(texts)]
    return f'"{"".join(parts)}".format({", ".join(given)})'


def test_drawn_formats_give_the_same_text() -> None:
    draw, count = random.Random(1), 0
    for _ in range(2000):
        call = _drawn(draw)
        text = made(call)
        if text is None:
            continue
        try:
            expected = eval(call, dict(NAMES))
        except (ValueError, TypeError, IndexError, KeyError):
            continue  # such as a width for a dict
        count += 1

        assert expected == eval(text, dict(NAMES)), call
    assert count > 500
