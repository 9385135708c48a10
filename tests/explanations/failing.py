"""Programs that raise: 40 kinds of failure, each inside of three of 14 contexts.

The failing expression stands between « and », so that its position in the source is known from
the making. The programs use nothing of coscope.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import product
from textwrap import indent

HEAD = """\
class Box:
    def __init__(self, **held):
        self.__dict__.update(held)

def nothing(*given):
    return None

def pair(a, b, *, c=0):
    return a

"""


@dataclass(frozen=True)
class Kind:
    """One kind of failure."""

    name: str
    raised: str  # type of the exception
    text: str  # the failing expression marked; an expression, or a statement
    before: str = ""  # statements before it
    values: tuple[tuple[str, str], ...] = ()  # what the operands are, by their text
    statement: bool = False


def _kind(name: str, raised: str, text: str, before: str = "", /, **values: str) -> Kind:
    return Kind(name, raised, text, before, tuple(values.items()))


def _statement(name: str, raised: str, text: str, before: str = "", /, **values: str) -> Kind:
    return Kind(name, raised, text, before, tuple(values.items()), statement=True)


KINDS = (
    _kind("none_attribute", "AttributeError", "«order.total»", "order = nothing(1)", order="None"),
    _kind("misspelt_attribute", "AttributeError", "1 + «box.totl»", "box = Box(total=3)"),
    _kind("none_method", "AttributeError", "«order.pay»(1, 2)", "order = None", order="None"),
    _kind("chained_attribute", "AttributeError", "«box.inner.deep».x", "box = Box(inner=None)"),
    _kind("module_attribute", "AttributeError", "«os.pathh»", "import os"),
    _kind("missing_key", "KeyError", "«data['b']»", "data = {'a': 1}", data="{'a': 1}"),
    _kind("missing_nested_key", "KeyError", "«data['a']['y']»", "data = {'a': {'x': 1}}"),
    _kind(
        "key_of_other_type", "KeyError", "«data[key]» + 1", "data = {1: 2}; key = '1'", key="'1'"
    ),
    _kind("index_past_end", "IndexError", "«rows[at]»", "rows = [1, 2]; at = 2", at="2"),
    _kind("index_of_empty", "IndexError", "[«rows[0]», 2]", "rows = []", rows="[]"),
    _kind("tuple_index", "IndexError", "«point[at + 1]»", "point = (1, 2); at = 1", at="1"),
    _kind("string_index", "IndexError", "«word[3]»", "word = 'abc'", word="'abc'"),
    _kind("unknown_name", "NameError", "«unknown_thing» + 1"),
    _kind("divided_by_zero", "ZeroDivisionError", "«3 / count»", "count = 0", count="0"),
    _kind("modulo_zero", "ZeroDivisionError", "1 + «7 % count»", "count = 0", count="0"),
    _kind("str_and_int", "TypeError", "«text + 1»", "text = 'a'", text="'a'"),
    _kind(
        "int_and_str", "TypeError", "2 * («number + text»)", "number = 1; text = 'a'", number="1"
    ),
    _kind(
        "none_operand", "TypeError", "«number + other»", "number = 1; other = None", other="None"
    ),
    _kind("compared_types", "TypeError", "«left < right»", "left = 1; right = 'a'", left="1"),
    _kind("none_subscript", "TypeError", "«rows[0]»", "rows = None", rows="None"),
    _kind("int_subscript", "TypeError", "«rows[0]['x']»", "rows = [5]", rows="[5]"),
    _kind("list_subscript", "TypeError", "«rows['a']»", "rows = [1]", rows="[1]"),
    _kind("none_called", "TypeError", "«callback(1)»", "callback = None", callback="None"),
    _kind("missing_argument", "TypeError", "«pair(1)»"),
    _kind("too_many_arguments", "TypeError", "«pair(1, 2, 3)»"),
    _kind("unexpected_keyword", "TypeError", "«pair(1, b=2, d=3)»"),
    _kind("unhashable", "TypeError", "«data[key]»", "data = {}; key = [1]", key="[1]"),
    _kind("not_iterable", "TypeError", "[x for x in «number»]", "number = 3", number="3"),
    _kind("negated", "TypeError", "«-text»", "text = 'a'", text="'a'"),
    _kind("bad_int", "ValueError", "«int(text)»", "text = 'x3'", text="'x3'"),
    _kind("not_in_list", "ValueError", "«rows.index(5)»", "rows = [1]", rows="[1]"),
    _kind("exhausted", "StopIteration", "«next(items)»", "items = iter(())"),
    _kind("no_contains", "TypeError", "«3 in number»", "number = 4", number="4"),
    _statement("unassigned", "UnboundLocalError", "late = «late» + 1"),
    _statement("too_many_values", "ValueError", "«a, b» = rows", "rows = [1, 2, 3]"),
    _statement("too_few_values", "ValueError", "«a, b, *c» = rows", "rows = [1]", rows="[1]"),
    _statement(
        "failed_assert", "AssertionError", "assert «count == 2», 'x'", "count = 1", count="1"
    ),
    _statement("raised", "LookupError", "«raise LookupError('x')»"),
    _statement("missing_module", "ModuleNotFoundError", "«import no_such_module_here»"),
    _statement("attribute_of_int", "AttributeError", "«number.x» = 1", "number = 3", number="3"),
)

# Where an expression fails: {before} are the statements before it, {text} is the expression.
EXPRESSIONS = {
    "function": "def run():\n{before}\n    return {text}\n",
    "comprehension": "def run():\n{before}\n    return [({text}) for _ in (1, 2)]\n",
    "lambda": "def run():\n{before}\n    return (lambda: {text})()\n",
    "generator": "def run():\n    def items():\n{before2}\n        yield 1\n        yield {text}\n"
    "    found = []\n    for item in items():\n        found.append(item)\n",
    "coroutine": "def run():\n    async def work():\n{before2}\n        return {text}\n"
    "    work().send(None)\n",
    "decorator": "def run():\n    def wrap(function):\n        def inner():\n"
    "            return function()\n        return inner\n    @wrap\n    def work():\n{before2}\n"
    "        return {text}\n    work()\n",
    "with": "def run():\n    import contextlib\n{before}\n"
    "    with contextlib.nullcontext(3) as held:\n        print({text}, held)\n",
    "match": "def run():\n{before}\n    match (1, 2):\n        case (1, second):\n"
    "            return second, {text}\n",
    "callback": "def run():\n    def key(item):\n{before2}\n        return {text}\n"
    "    sorted([1, 2], key=key)\n",
    "finally": "def run():\n{before}\n    try:\n        found = {text}\n    finally:\n"
    "        found = 0\n",
    "loop": "def run():\n{before}\n    for number_of in range(3):\n        while True:\n"
    "            found = (number_of, {text})\n",
    "class": "def run():\n    class Made:\n{before2}\n        held = {text}\n",
    "executed": "def run():\n{before}\n    return {text}\n",
    "module": "{before0}\nfound = ({text})\n",
}
STATEMENTS = {
    "function": "def run():\n{before}\n    {text}\n",
    "with": "def run():\n    import contextlib\n{before}\n    with contextlib.nullcontext(3):\n"
    "        {text}\n",
    "loop": "def run():\n{before}\n    for _ in range(3):\n        {text}\n",
    "generator": "def run():\n    def items():\n{before2}\n        yield 1\n        {text}\n"
    "    list(items())\n",
    "finally": "def run():\n{before}\n    try:\n        {text}\n    finally:\n        done = 1\n",
    "coroutine": "def run():\n    async def work():\n{before2}\n        {text}\n"
    "    work().send(None)\n",
}


@dataclass(frozen=True)
class Program:
    """One program: run it, call `run()` if it defines it."""

    name: str
    kind: Kind
    context: str
    source: str
    start: tuple[int, int]  # of the failing expression: line, column in bytes
    stop: tuple[int, int]

    @property
    def executed(self) -> bool:
        """True if it is made by exec: its source is known to nobody."""
        return self.context == "executed"


def _program(kind: Kind, context: str) -> Program:
    template = (STATEMENTS if kind.statement else EXPRESSIONS)[context]
    before = "\n".join(part.strip() for part in kind.before.split(";")) or "pass"
    made = HEAD + template.format(
        before=indent(before, " " * 4),
        before0=before,
        before2=indent(before, " " * 8),
        text=kind.text,
    )
    start = made.index("«")
    stop = made.index("»") - 1
    source = made.replace("«", "").replace("»", "")
    ast.parse(source)
    return Program(
        f"{kind.name}-{context}", kind, context, source, _at(source, start), _at(source, stop)
    )


def _at(source: str, offset: int) -> tuple[int, int]:
    before = source[:offset]
    return before.count("\n") + 1, len(before.rpartition("\n")[2].encode())


def programs(every: bool = False) -> list[Program]:
    """120 programs: each kind in three contexts, so that each context comes about equally often.

    Args:
        every: Each kind in each context instead.
    """
    found = []
    at = 0
    for kind in KINDS:
        contexts = list(STATEMENTS if kind.statement else EXPRESSIONS)
        chosen = contexts if every else [contexts[(at + step) % len(contexts)] for step in range(3)]
        found += [_program(kind, context) for _, context in product((0,), chosen)]
        at += 3
    return found
