"""Edits of a small program, and whether each may change what its function `f` does.

Every case holds the program before and after. `f` is the function that is asked. The first sixteen
are the kinds of the evidence table: nine that change behaviour, seven that do not.
"""

from __future__ import annotations

from textwrap import dedent
from typing import Any, NamedTuple


class Edit(NamedTuple):
    name: str
    before: str
    after: str
    changes: bool


def _edit(name: str, before: str, after: str, changes: bool) -> Edit:
    return Edit(name, dedent(before).lstrip("\n"), dedent(after).lstrip("\n"), changes)


def _body(name: str, before: str, after: str, changes: bool) -> Edit:
    """Two bodies of one line each."""
    return Edit(name, f"def f(x):\n    {before}\n", f"def f(x):\n    {after}\n", changes)


_HELPER = "def helper(x): return x + LIMIT\nLIMIT = 10\ndef f(x): return helper(x) * 2\n"
_CLASS = (
    "class Rate:\n    base = 2\n    def of(self, x): return x * self.base\n"
    "def f(x): return Rate().of(x)\n"
)
_MADE = "def make(n):\n    def f(x): return x + n\n    return f\nf = make({})\n"
_DOC = 'def f(x):\n    "{}"\n    return (x, "text", 3.5)\n'

SIXTEEN = (
    _body("constant", "return x + 1", "return x + 2", True),
    _body("operator", "return x + 1", "return x - 1", True),
    Edit("body of a helper", _HELPER, _HELPER.replace("x + LIMIT", "x - LIMIT"), True),
    Edit("value of a global", _HELPER, _HELPER.replace("= 10", "= 11"), True),
    Edit("default", "def f(x, y=1): return x + y\n", "def f(x, y=2): return x + y\n", True),
    Edit("value of a cell", _MADE.format(1), _MADE.format(2), True),
    Edit("method of a class", _CLASS, _CLASS.replace("x * self", "x + self"), True),
    Edit("attribute of a class", _CLASS, _CLASS.replace("base = 2", "base = 3"), True),
    _body("1 becomes True", "return x + 1", "return x + True", True),
    _edit(
        "comment",
        "def f(x):\n    return x\n",
        "# why\ndef f(x):  # this\n    # and that\n    return x\n",
        False,
    ),
    Edit("moved down", "def f(x): return x\n", "\n\n\nimport os\ndef f(x): return x\n", False),
    Edit("docstring", _DOC.format("One."), _DOC.format("Two."), False),
    Edit("docstring taken away", _DOC.format("One."), _DOC.replace('    "{}"\n', ""), False),
    _edit(
        "reformat",
        "def f(x):\n    return [a for a in x if a and not a.b], {'k': (x, 1)}\n",
        """
        def f(
            x,
        ):
            return [
                a
                for a in x
                if (a and
                    not a.b)
            ], {
                "k": (x, 1),
            }
        """,
        False,
    ),
    _body("name of a local", "y = x + 1; return y * y", "z = x + 1; return z * z", False),
    _edit(
        "annotation",
        "def f(x): y = x; return y\n",
        "def f(x: int) -> int: y: int = x; return y\n",
        False,
    ),
)  # fmt: skip

_TRY = """
def f(x):
    try:
        return g(x)
    except {}:
        return {}
"""
_LOOP = "def f(x):\n    for a in x:\n        if a {} 3: continue\n        print(a)\n    {}\n"
_NESTED = "def f(x):\n    def inner(y):\n        return y {} 2\n    return inner(x)\n"
_TWO = "def one(x): return x and two(x - 1)\ndef two(x): return x and one(x {} 1)\nf = one\n"
_DECORATED = (
    "def plus(n):\n    def deco(fn):\n        def run(x): return fn(x) + n\n        return run\n"
    "    return deco\n@plus({})\ndef f(x): return x {} 2\n"
)
_TABLE = "TABLE = {}\ndef f(x): return TABLE[x]\n"
_PARTIAL = "import functools\ndef g(x, y): return x {} y\nf = functools.partial(g, {})\n"
_BASES = "class A:\n    def m(self): return {}\nclass B(A): pass\ndef f(x): return B().m()\n"
_CACHED = "import functools\n@functools.lru_cache\ndef g(x): return x + {}\ndef f(x): return g(x)\n"
_INSTANCE = (
    "class Config:\n    def __init__(self, rate): self.rate = rate\nCONFIG = Config({})\n"
    "def f(x): return x * CONFIG.rate\n"
)
_CONTEXT = (
    "import contextlib\n@contextlib.contextmanager\ndef g():\n    yield {}\n"
    "def f(x):\n    with g() as y: return y\n"
)

FORTY = (
    # Constants are typed.
    _body("1 becomes 1.0", "return x + 1", "return x + 1.0", True),
    _body("0.0 becomes -0.0", "return x * 0.0", "return x * -0.0", True),
    _body("text becomes bytes", "return 'a'", "return b'a'", True),
    _body("a tuple's item", "return (1, 2)", "return (1, True)", True),
    _body("a set's item", "return x in {1, 2}", "return x in {1, 3}", True),
    _body("order of a set", "return x in {'a', 'b', 'c'}", "return x in {'c', 'b', 'a'}", False),
    _body("way to write a number", "return 1000 + x", "return 1_000 + x", False),
    _body("way to write a text", "return 'a\\x62'", 'return "ab"', False),
    _body("folded constant", "return x * 86400", "return x * (24 * 60 * 60)", False),
    _body("complex", "return x + 1j", "return x + 2j", True),
    # Code.
    _body("attribute", "return x.a", "return x.b", True),
    _body("method or attribute", "return x.a()", "return x.a", True),
    _body("global name", "return abs(x)", "return len(x)", True),
    _body("unpacked", "a, b = x; return a", "a, b = x; return b", True),
    _body("keyword of a call", "return x(a=1)", "return x(b=1)", True),
    _body("pass added", "return x", "pass; return x", False),
    _body("parentheses", "return (x + 1)", "return ((x) + (1))", False),
    _edit("exception caught", _TRY.format("KeyError", 1), _TRY.format("IndexError", 1), True),
    _edit("handler's answer", _TRY.format("KeyError", 1), _TRY.format("KeyError", 2), True),
    Edit("comparison", _LOOP.format("<", "return x"), _LOOP.format("<=", "return x"), True),
    Edit("implicit return", _LOOP.format("<", "pass"), _LOOP.format("<", "return None"), False),
    Edit("nested function", _NESTED.format("+"), _NESTED.format("-"), True),
    Edit(
        "async",
        "async def f(x): return x\n",
        "def f(x): return x\n",
        True,
    ),
    Edit("generator", "def f(x): yield x\n", "def f(x): return [x]\n", True),
    # Parameters.
    Edit("name of a parameter", "def f(x): return x\n", "def f(y): return y\n", True),
    Edit("positional-only", "def f(x): return x\n", "def f(x, /): return x\n", True),
    Edit("keyword default", "def f(*, x=1): return x\n", "def f(*, x=1.0): return x\n", True),
    Edit("mutable default", "def f(x=[]): return x\n", "def f(x=[0]): return x\n", True),
    # What is behind the function.
    Edit("a circle of helpers", _TWO.format("-"), _TWO.format("+"), True),
    Edit("argument of a decorator", _DECORATED.format(1, "+"), _DECORATED.format(2, "+"), True),
    Edit("behind a decorator", _DECORATED.format(1, "+"), _DECORATED.format(1, "*"), True),
    Edit("entry of a dict", _TABLE.format("{'a': 1}"), _TABLE.format("{'a': 2}"), True),
    Edit("order of a dict", _TABLE.format("{1: 1, 2: 2}"), _TABLE.format("{2: 2, 1: 1}"), True),
    Edit("nested list", _TABLE.format("[[1], [2]]"), _TABLE.format("[[1], [2.0]]"), True),
    Edit("not a number", _TABLE.format("[1.0]"), _TABLE.format("[float('nan')]"), True),
    Edit("argument of a partial", _PARTIAL.format("+", 1), _PARTIAL.format("+", 2), True),
    Edit("function of a partial", _PARTIAL.format("+", 1), _PARTIAL.format("-", 1), True),
    Edit("base class", _BASES.format(1), _BASES.format(2), True),
    Edit("cached helper", _CACHED.format(1), _CACHED.format(2), True),
    Edit("attribute of an instance", _INSTANCE.format(1), _INSTANCE.format(2), True),
    Edit("wrapped by the library", _CONTEXT.format(1), _CONTEXT.format(2), True),
    Edit("unused global", "A = 1\ndef f(x): return x\n", "A = 2\ndef f(x): return x\n", False),
    Edit("unused helper", _HELPER + "def g(): 1\n", _HELPER + "def g(): return 2\n", False),
    Edit(
        "helper moved above",
        _HELPER,
        "def f(x): return helper(x) * 2\n\n\nLIMIT = 5 + 5\ndef helper(x): return x + LIMIT\n",
        False,
    ),
    Edit("class moved", _CLASS, "\n\n# here\n" + _CLASS, False),
    Edit("docstring of a class", _CLASS, _CLASS.replace("Rate:\n", "Rate:\n    'D.'\n"), False),
    Edit("docstring of a helper", _HELPER, _HELPER.replace("return x", "'D.'; return x"), False),
    Edit(
        "attributes that a class sets",
        "class K:\n    def m(self): self.a = self.b = self.c = 1\ndef f(x): return K().m()\n",
        "\n\nclass K:\n    def m(self): self.a = self.b = self.c = 1\ndef f(x): return K().m()\n",
        False,
    ),
    _body("a local that is seen", "y = 1; return locals()", "z = 1; return locals()", True),
    Edit(
        "shadowed builtin",
        "def f(x): return len(x)\n",
        "def len(x): return 0\ndef f(x): return len(x)\n",
        True,
    ),
    Edit("name of the function", "def f(x): return x\n", "def g(x): return x\nf = g\n", False),
)  # fmt: skip

EVERY = (*SIXTEEN, *FORTY)


def function_of(source: str, filename: str = "app.py") -> Any:
    """The function `f` of a program, which is run as a module `app` of its own."""
    namespace: dict[str, Any] = {"__name__": "app"}
    exec(compile(source, filename, "exec", dont_inherit=True), namespace)
    return namespace["f"]
