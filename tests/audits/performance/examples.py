"""The example of each static performance rule's page as a program, and the same with its cure.

A program is the page's own example inside a context that makes it whole: `{head}` stands for its
lines before the first loop, `{loop}` for those from there on, each as deep as it stands there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from coscope.rules import Rule


@dataclass(frozen=True)
class Example:
    """What is around an example, and what the page says instead."""

    context: str
    cure: tuple[tuple[str, str], ...]  # text of the program -> what stands there instead


EXAMPLES = {
    "PERF101": Example(
        "def f(rows):\n    total = 0\n    {loop}\n    return total\n",
        (("abs(value)", "absolute(value)"), ("total = 0", "total, absolute = 0, abs")),
    ),
    "PERF102": Example(
        "import math\ndef f(values):\n    total = 0\n    {loop}\n    return total\n",
        (("import math", "from math import sqrt"), ("math.sqrt", "sqrt")),
    ),
    "PERF103": Example(
        "class C:\n    def f(self, orders):\n        total = fee = 0\n        {loop}\n"
        "        return total\n",
        (("self.rate", "rate"), ("total = fee = 0", "total = fee = 0; rate = self.rate")),
    ),
    "PERF104": Example(
        "def f(values):\n    {head}\n    {loop}\n    return out\n",
        (("out.append(", "append("), ("out = []", "out = []; append = out.append")),
    ),
    "PERF105": Example(
        "def f(rows):\n    total = skipped = 0\n    {loop}\n    return total\n",
        (
            ("        try: ", "        if True: "),
            ("        except TypeError:\n                skipped += 1\n", "\n"),
        ),
    ),
    "PERF201": Example(
        "def f(values):\n    out = []\n    {head}\n    {loop}\n    return out\n",
        (("append = out.append", "pass"), ("        append(", "        out.append(")),
    ),
    "PERF202": Example(
        "def f(tables):\n    total = 0\n    {loop}\n    return total\n",
        (("max([abs(value) for value in row])", "max(map(abs, row))"),),
    ),
    "PERF203": Example(
        "{head}\n{loop}\n",
        (
            ("t += self.size", "t += size"),
            ("        for _", "        t = 0; size = self.size\n        for _"),
        ),
    ),
    "PERF204": Example(
        "{head}\n{loop}\n",
        (
            (
                "self.__dict__.update(fields)",
                "[setattr(self, name, value) for name, value in fields.items()]",
            ),
        ),
    ),
    "PERF205": Example(
        "{head}\n{loop}\n",
        (
            ("self.WIDTH", "width"),
            ("        for row", "        width = self.WIDTH\n        for row"),
        ),
    ),
    "PERF206": Example(
        "{head}\ndef f(values):\n    total = 0\n    {loop}\n    return total\n",
        (("import lazy", "from lazy import STEP"), ("lazy.STEP", "STEP")),
    ),
    "PERF207": Example(
        "{head}\ndef f(values):\n    total = 0\n    {loop}\n    return total\n",
        (("a.b.c.SCALE", "scale"), ("total = 0", "total, scale = 0, a.b.c.SCALE")),
    ),
    "PERF208": Example(
        "from dataclasses import dataclass\n{head}\n{loop}\n",
        (("@dataclass", "@dataclass(slots=True)"),),
    ),
    "PERF209": Example(
        "from abc import ABC\n{head}\ndef f(shapes):\n    total = 0\n    {loop}\n"
        "    return total\n",
        (
            ("total += Shape.SIDES", "total += sides"),
            ("total = 0", "total, sides = 0, Shape.SIDES"),
        ),
    ),
    "PERF210": Example(
        "def edit(f):\n    {head}\n",
        (("f.__defaults__ = (1,)", "def f(a=1): return a"),),
    ),
    "PERF301": Example(
        "class Order:\n    seen = 0\n    def __init__(self, price):\n        self.price = price\n"
        "def f(orders):\n    total = 0\n    {loop}\n    return total\n",
        (("Order.seen +=", "seen[0] +="), ("total = 0", "total, seen = 0, [0]")),
    ),
    "PERF302": Example(
        "import enum\nclass Kind(enum.Enum):\n    NAME = 1\ndef f(tokens):\n    {loop}\n",
        (("is Kind.NAME", "is name"), ("def f(tokens):", "def f(tokens, name=Kind.NAME):")),
    ),
    "PERF303": Example(
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\n"
        "def f(values):\n    total = 0\n    {head}\n    {loop}\n    return total\n",
        (("point.x", "x"), ("point = Point(1, 2)", "x = Point(1, 2).x")),
    ),
    "PERF304": Example(
        "from collections.abc import Mapping\ndef f(items):\n    {loop}\n",
        (("isinstance(item, Mapping)", "isinstance(item, dict)"),),
    ),
    "PERF305": Example(
        "class Point:\n    def __init__(self, x, y):\n        self.x, self.y = x, y\n"
        "def f(pairs):\n    points = []\n    {loop}\n    return points\n",
        (("Point(x=x, y=y)", "Point(x, y)"),),
    ),
    "PERF306": Example(
        "def f(paths):\n    {loop}\n    return json, loads\n",
        (
            ("import json ", "pass "),
            ("from json import loads", "pass"),
            ("def f(", "import json\nfrom json import loads\ndef f("),
        ),
    ),
    "PERF307": Example(
        "from contextlib import suppress\ndef f(names, prices):\n    total = 0\n    {loop}\n"
        "    return total\n",
        (
            ("with suppress(KeyError):", "try:"),
            ("total += prices[name]", "total += prices[name]\n        except KeyError: pass"),
        ),
    ),
    "PERF308": Example(
        "def f(files):\n    lines = []\n    {loop}\n    return lines\n",
        (('"{}: {}".format(name, size)', 'f"{name}: {size}"'),),
    ),
    "PERF309": Example(
        "class Page:\n    def __init__(self):\n        self.text = ''\n"
        "    def f(self, lines):\n        found = []\n        {loop}\n"
        "        self.text = ''.join(found)\n",
        (('self.text += line + "\\n"', 'found.append(line + "\\n")'),),
    ),
    "PERF310": Example(
        "count = 0\ndef f(values):\n    own = 0\n    {head}\n    {loop}\n    count = own\n",
        (("count += 1", "own += 1"),),
    ),
    "PERF311": Example(
        "def f(words):\n    {loop}\n",
        (('in ("if"', 'in {"if"'), ('"try")', '"try"}')),
    ),
}


def example_of(rule: Rule) -> list[str]:
    """The lines of a page's first example, as written."""
    block = re.search(r"(?:^    .*\n|^\n(?=    ))+", rule.page + "\n", re.MULTILINE)
    assert block is not None
    return [line.removeprefix("    ") for line in block[0].splitlines()]


def program(rule: Rule, *, cured: bool = False) -> str:
    """The example as a program.

    Args:
        rule: One of `EXAMPLES`.
        cured: With what the page says instead.
    """
    lines = example_of(rule)
    at = next((n for n, line in enumerate(lines) if line.startswith("for ")), len(lines))
    example = EXAMPLES[rule.code]
    text = "\n".join(
        line
        for row in example.context.splitlines()
        for line in _filled(row, {"{head}": lines[:at], "{loop}": lines[at:]})
    )
    for old, new in example.cure if cured else ():
        assert old in text, f"{rule.code}: {old!r} is not in the example"
        text = text.replace(old, new)
    return text + "\n"


def _filled(row: str, parts: dict[str, list[str]]) -> list[str]:
    depth = len(row) - len(row.lstrip())
    lines = parts.get(row.strip())
    return [row] if lines is None else [" " * depth + line if line else "" for line in lines]
