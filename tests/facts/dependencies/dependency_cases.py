"""Small functions and what each depends on, written by hand.

A row is `access kind chain`; `[part]` follows where only part of a dotted path is resolved, and
`<empty>` for an empty cell.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from textwrap import dedent
from typing import Any, NamedTuple

INLINED = sys.version_info >= (3, 12)  # PEP 709
TYPE_PARAMETERS = sys.version_info >= (3, 12)  # PEP 695
TYPE_DEFAULTS = sys.version_info >= (3, 13)  # PEP 696
LAZY_ANNOTATIONS = sys.version_info >= (3, 14)  # PEP 649

_LIST = "f" if INLINED else "f -> <listcomp>"
_SET = "f" if INLINED else "f -> <setcomp>"
_DICT = "f" if INLINED else "f -> <dictcomp>"


class Case(NamedTuple):
    """One function, and what is expected of `depends`."""

    source: str
    rows: Sequence[str]
    failures: Sequence[str] = ()
    dynamic: Sequence[str] = ()
    attributes: Sequence[str] | None = None  # None: not looked at
    target: str = "f"
    transitive: bool = False
    here: bool = True  # the running version has the syntax


def built(case: Case) -> Any:
    """The live target of a case, in a namespace of its own."""
    namespace: dict[str, Any] = {"__name__": "case"}
    exec(compile(dedent(case.source), "<case>", "exec", dont_inherit=True), namespace)
    return eval(case.target, namespace)


def class_rows(*path: str) -> str:
    """Every class body reads the name of its module."""
    return f"read class-local-or-global {' -> '.join((*path, '__name__'))}"


EVIDENCE = {
    "an attribute is no name": Case(
        "def f(x): return x.shape",
        [],
        attributes=["shape"],
    ),
    "an attribute is not the global of its name": Case(
        "path = 1\ndef f(x): return x.path",
        [],
        attributes=["path"],
    ),
    "an attribute is not the builtin of its name": Case(
        "def f(x): return x.filter",
        [],
        attributes=["filter"],
    ),
    "a lambda inside": Case(
        "path = 1\ndef f(): return lambda: path",
        ["read global f -> <lambda> -> path"],
    ),
    "a class body inside": Case(
        """
        path = 1
        def f():
            class K:
                y = path
            return K
        """,
        [class_rows("f", "K"), "read class-local-or-global f -> K -> path"],
    ),
    "a generator expression": Case(
        "path = 1\ndef f(): return (path for _ in ())",
        ["read global f -> <genexpr> -> path"],
    ),
    "a list comprehension": Case(
        "path = 1\ndef f(): return [path for _ in ()]",
        [f"read global {_LIST} -> path"],
    ),
    "an empty cell": Case(
        """
        def outer():
            def f(): return late
            return f
            late = 1
        """,
        ["read cell f -> late <empty>"],
        failures=["NameError late"],
        target="outer()",
    ),
    "an import inside": Case(
        "def f():\n    import json\n    return json",
        ["import import f -> json"],
    ),
    "a global that is written": Case(
        "def f():\n    global g\n    g = 1",
        ["write global f -> g"],
    ),
    "builtins replaced": Case(
        """
        import types
        def own(): pass
        code = compile("def f(): return len, own, print", "<case>", "exec").co_consts[0]
        f = types.FunctionType(code, {"__builtins__": {"len": own}, "own": own})
        """,
        ["read builtin f -> len", "read global f -> own", "read unbound f -> print"],
        failures=["NameError print"],
    ),
    "a partial": Case(
        "import functools\npath = 1\ndef f(x): return path\np = functools.partial(f, 1)",
        ["read global f -> path"],
        target="p",
    ),
}

NAMES = {
    "a builtin": Case("def f(x): return len(x)", ["read builtin f -> len"]),
    "a global hides a builtin": Case("len = 1\ndef f(x): return len", ["read global f -> len"]),
    "a name that is bound nowhere": Case(
        "def f(): return nothing",
        ["read unbound f -> nothing"],
        failures=["NameError nothing"],
    ),
    "a name that is written before": Case(
        "def f():\n    global g\n    g = 1\n    return g",
        ["write global f -> g", "read unbound f -> g"],
    ),
    "globals that look names up by themselves": Case(
        """
        import types
        class Names(dict):
            def __missing__(self, name): return 1
        code = compile("def f(): return nothing", "<case>", "exec").co_consts[0]
        f = types.FunctionType(code, Names())
        """,
        ["read builtin f -> nothing"],
    ),
    "a global that is deleted": Case(
        "g = 1\ndef f():\n    global g\n    del g",
        ["delete global f -> g"],
    ),
    "a global that is deleted and bound nowhere": Case(
        "def f():\n    global g\n    del g",
        ["delete unbound f -> g"],
        failures=["NameError g"],
    ),
    "a builtin cannot be deleted": Case(
        "def f():\n    global len\n    del len",
        ["delete unbound f -> len"],
        failures=["NameError len"],
    ),
    "one global, many verbs": Case(
        "g = 1\ndef f():\n    global g\n    g += g\n    del g",
        ["read global f -> g", "write global f -> g", "delete global f -> g"],
    ),
    "a global statement in an inner function": Case(
        "g = 1\ndef f():\n    def inner():\n        global g\n        g = 2\n    return inner",
        ["write global f -> inner -> g"],
    ),
    "a walrus in a comprehension of a global": Case(
        "def f(xs):\n    global last\n    return [last := x for x in xs]",
        [f"write global {_LIST} -> last"],
    ),
    "a walrus in a comprehension is the function's own": Case(
        "def f(xs):\n    [last := x for x in xs]\n    return last",
        [],
    ),
    "a walrus in a generator expression": Case(
        "def f(xs): return any((hit := x) for x in xs) and hit",
        ["read builtin f -> any"],
    ),
    "the variable of a comprehension is none of the function": Case(
        "x = 1\ndef f(xs): return [x for x in xs], x",
        ["read global f -> x"],
    ),
    "a set comprehension": Case(
        "path = 1\ndef f(): return {path for _ in ()}",
        [f"read global {_SET} -> path"],
    ),
    "a dict comprehension": Case(
        "path = 1\ndef f(): return {path: 1 for _ in ()}",
        [f"read global {_DICT} -> path"],
    ),
    "the first iterable of a generator expression": Case(
        "path = ()\ndef f(): return (x for x in path)",
        ["read global f -> path"],
    ),
    "locals and parameters": Case("def f(a, *b, c=1, **d):\n    e = a\n    return e, b, c, d", []),
    "a default": Case("path = 1\ndef f(x=path): return x", []),
    "a decorator inside": Case(
        "def deco(g): return g\ndef f():\n    @deco\n    def inner(): pass\n    return inner",
        ["read global f -> deco"],
    ),
    "an assert": Case("def f(x): assert x", []),
    "an except clause": Case(
        "def f():\n    try: f()\n    except ValueError as e: return e",
        ["read global f -> f", "read builtin f -> ValueError"],
    ),
    "a coroutine": Case(
        "path = 1\nasync def f():\n    async for x in path: yield x",
        ["read global f -> path"],
    ),
    "a mangled name": Case(
        "_K__x = 1\nclass K:\n    def m(self): return __x",
        ["read global K.m -> _K__x"],
        target="K.m",
    ),
    "a match statement": Case(
        "class P: pass\ndef f(x):\n    match x:\n        case P(): return 1",
        ["read global f -> P"],
    ),
}

PATHS = {
    "a dotted path of modules": Case(
        "import os.path\ndef f(): return os.path.join",
        ["read global f -> os.path.join"],
    ),
    "a call at the end of a dotted path": Case(
        "import os.path\ndef f(x): return os.path.join(x)",
        ["read global f -> os.path.join"],
    ),
    "a dotted path ends at an instance": Case(
        "class C:\n    @property\n    def here(self): 1 / 0\nconfig = C()\n"
        "def f(): return config.here.there",
        ["read global f -> config.here.there [config]"],
    ),
    "a dotted path through a class": Case(
        "class C:\n    limit = 3\n    @staticmethod\n    def make(): pass\n"
        "def f(): return C.limit, C.make()",
        ["read global f -> C.limit", "read global f -> C.make"],
    ),
    "no descriptor of a class runs": Case(
        "class C:\n    @classmethod\n    def make(cls): pass\ndef f(): return C.make()",
        ["read global f -> C.make [C]"],
    ),
    "an attribute that the module lacks": Case(
        "import os\ndef f(): return os.nothing_there.x",
        ["read global f -> os.nothing_there.x [os]"],
    ),
    "the same name with and without attributes": Case(
        "import os\ndef f(): return os, os.path, os.sep",
        ["read global f -> os", "read global f -> os.path", "read global f -> os.sep"],
    ),
    "an attribute of a call": Case(
        "def g(): pass\ndef f(): return g().path",
        ["read global f -> g"],
        attributes=["path"],
    ),
    "an attribute that is written": Case(
        "class C: pass\nc = C()\ndef f():\n    c.x = 1\n    del c.y",
        ["read global f -> c"],
        attributes=["x", "y"],
    ),
    "a dotted path from a cell": Case(
        "def outer():\n    import os\n    def f(): return os.path.sep\n    return f",
        ["read cell f -> os.path.sep"],
        target="outer()",
    ),
    "many names, some beyond a byte": Case(
        f"def f(): return [{', '.join(f'n{n}' for n in range(300))}]",
        [f"read unbound f -> n{n}" for n in range(300)],
        failures=[f"NameError n{n}" for n in range(300)],
    ),
}

CELLS = {
    "a free variable": Case(
        "def outer(c):\n    def f(): return c\n    return f",
        ["read cell f -> c"],
        target="outer(1)",
    ),
    "a nonlocal that is written": Case(
        "def outer(c):\n    def f():\n        nonlocal c\n        c = 1\n    return f",
        ["write cell f -> c"],
        target="outer(1)",
    ),
    "a nonlocal that is deleted": Case(
        "def outer(c):\n    def f():\n        nonlocal c\n        del c\n    return f",
        ["delete cell f -> c"],
        target="outer(1)",
    ),
    "a cell that is passed through": Case(
        "def outer(c):\n    def f(): return lambda: c\n    return f",
        ["pass through cell f -> c", "read cell f -> <lambda> -> c"],
        target="outer(1)",
    ),
    "a cell of its own": Case("def f(c): return lambda: c", []),
    "its own cell hides one outside": Case(
        "def outer(c):\n    def f():\n        def g(c): return lambda: c\n        return g, c\n"
        "    return f",
        ["read cell f -> c"],
        target="outer(1)",
    ),
    "an empty cell that it fills": Case(
        "def outer():\n    def f():\n        nonlocal late\n        late = 1\n        return late\n"
        "    return f\n    late = 0",
        ["write cell f -> late <empty>", "read cell f -> late <empty>"],
        target="outer()",
    ),
    "super": Case(
        "class K:\n    def m(self): return super().m()",
        ["read builtin K.m -> super", "read cell K.m -> __class__"],
        attributes=["m"],
        target="K.m",
    ),
    "__class__": Case(
        "class K:\n    def m(self): return __class__",
        ["read cell K.m -> __class__"],
        target="K.m",
    ),
    "super in a class inside": Case(
        "def f():\n    class K:\n        def m(self): return super().m()\n    return K",
        [class_rows("f", "K"), "read builtin f -> K -> m -> super"],
    ),
    "a class body that reads a cell": Case(
        "def outer(c):\n    def f():\n        class K:\n            y = c\n        return K\n"
        "    return f",
        ["pass through cell f -> c", class_rows("f", "K"), "read cell f -> K -> c"],
        target="outer(1)",
    ),
    "a function that holds itself": Case(
        "def outer():\n    def f(): return f\n    return f",
        ["read cell f -> f"],
        target="outer()",
    ),
}

CLASSES = {
    "a class body that binds what it reads": Case(
        "x = 1\ndef f():\n    class K:\n        x = x\n    return K",
        [class_rows("f", "K"), "read class-local-or-global f -> K -> x"],
    ),
    "a class body with a global statement": Case(
        "def f():\n    class K:\n        global g\n        g = 1\n    return K",
        [class_rows("f", "K"), "write global f -> K -> g"],
    ),
    "a class in a class": Case(
        "x = 1\ndef f():\n    class A:\n        class B:\n            y = x\n    return A",
        [
            class_rows("f", "A"),
            class_rows("f", "A", "B"),
            "read class-local-or-global f -> A -> B -> x",
        ],
    ),
    "bases and a metaclass": Case(
        "class M(type): pass\nclass B: pass\ndef f():\n    class K(B, metaclass=M): pass\n"
        "    return K",
        ["read global f -> B", "read global f -> M", class_rows("f", "K")],
    ),
    "a name that a class body lacks": Case(
        "def f():\n    class K:\n        y = nothing\n    return K",
        [class_rows("f", "K"), "read class-local-or-global f -> K -> nothing"],
    ),
    "the functions of a class": Case(
        "a = b = c = 1\nclass K:\n    def m(self): return a\n    @property\n"
        "    def p(self): return b\n    @staticmethod\n    def s(): return c",
        [
            "read global K -> m -> a",
            "read global K -> p -> fget -> b",
            "read global K -> s -> __func__ -> c",
        ],
        target="K",
    ),
    "type parameters of a function": Case(
        "class Base: pass\ndef f():\n    def inner[T: Base](x): return Later\n    return inner",
        [
            "read global f -> <generic parameters of inner> -> T -> Base",
            "read unbound f -> <generic parameters of inner> -> inner -> Later",
        ],
        failures=["NameError Later"],
        here=TYPE_PARAMETERS,
    ),
    "type parameters of a class": Case(
        "class Base: pass\ndef f():\n    class K[T](Base): pass\n    return K",
        [
            "read global f -> <generic parameters of K> -> Base",
            class_rows("f", "<generic parameters of K>", "K"),
        ],
        here=TYPE_PARAMETERS,
    ),
    "a type alias": Case(
        "class Base: pass\ndef f():\n    type A = list[Base]\n    return A",
        ["read builtin f -> A -> list", "read global f -> A -> Base"],
        here=TYPE_PARAMETERS,
    ),
    "a type alias in a class body": Case(
        "class Base: pass\ndef f():\n    class K:\n        type A = Base\n    return K",
        [class_rows("f", "K"), "read class-local-or-global f -> K -> A -> Base"],
        here=TYPE_PARAMETERS,
    ),
    "a default of a type parameter": Case(
        "class Base: pass\ndef f():\n    type A[T = Base] = T\n    return A",
        ["read global f -> <generic parameters of A> -> T -> Base"],
        here=TYPE_DEFAULTS,
    ),
    "annotations of a function inside": Case(
        "class Base: pass\ndef f():\n    def inner(x: Base): pass\n    return inner",
        [f"read global {'f -> __annotate__' if LAZY_ANNOTATIONS else 'f'} -> Base"],
    ),
    "an annotated local": Case("def f():\n    x: Nowhere = 1\n    return x", []),
}

IMPORTS = {
    "from a package": Case(
        "def f():\n    from os.path import join, split as s\n    return join, s",
        [
            "import import f -> os.path",
            "import import f -> os.path.join",
            "import import f -> os.path.split",
        ],
    ),
    "with a name of its own": Case(
        "def f():\n    import os.path as p\n    return p",
        ["import import f -> os.path"],
    ),
    "relative": Case(
        "def f():\n    from . import x\n    from ..pkg import y\n    return x, y",
        [
            "import import f -> .",
            "import import f -> .x",
            "import import f -> ..pkg",
            "import import f -> ..pkg.y",
        ],
    ),
    "into a global": Case(
        "def f():\n    global json\n    import json",
        ["write global f -> json", "import import f -> json"],
    ),
    "a star import of the module": Case(
        "from os.path import *\ndef f(x): return join(x)",
        ["read global f -> join"],
    ),
}

DYNAMIC = {
    "eval, exec, compile": Case(
        "def f(x): return eval(x), exec(x), compile(x, x, x)",
        ["read builtin f -> eval", "read builtin f -> exec", "read builtin f -> compile"],
        dynamic=["eval", "exec", "compile"],
    ),
    "globals, locals, vars": Case(
        "def f(x): return globals(), locals(), vars(x)",
        ["read builtin f -> globals", "read builtin f -> locals", "read builtin f -> vars"],
        dynamic=["globals", "locals", "vars"],
    ),
    "getattr with a literal name": Case(
        "def f(x): return getattr(x, 'a'), getattr(x, 'b', None)",
        ["read builtin f -> getattr"],
    ),
    "getattr with a computed name": Case(
        "def f(x, n): return getattr(x, n)",
        ["read builtin f -> getattr"],
        dynamic=["getattr"],
    ),
    "setattr, delattr, hasattr": Case(
        "def f(x, n):\n    setattr(x, n, 1)\n    delattr(x, n + '')\n    return hasattr(x, f'{n}')",
        ["read builtin f -> setattr", "read builtin f -> delattr", "read builtin f -> hasattr"],
        dynamic=["setattr", "delattr", "hasattr"],
    ),
    "setattr and hasattr with literal names": Case(
        "def f(x):\n    setattr(x, 'a', 1)\n    return hasattr(x, 'a')",
        ["read builtin f -> setattr", "read builtin f -> hasattr"],
    ),
    "a literal name that a condition chooses": Case(
        "def f(x, c): return getattr(x, 'a' if c else 'b')",
        ["read builtin f -> getattr"],
    ),
    "a name that may be computed": Case(
        "def f(x, c, n): return getattr(x, 'a' if c else n)",
        ["read builtin f -> getattr"],
        dynamic=["getattr"],
    ),
    "getattr handed on": Case(
        "def f(xs): return map(getattr, xs)",
        ["read builtin f -> map", "read builtin f -> getattr"],
        dynamic=["getattr"],
    ),
    "getattr with starred arguments": Case(
        "def f(xs): return getattr(*xs)",
        ["read builtin f -> getattr"],
        dynamic=["getattr"],
    ),
    "__import__": Case(
        "def f(n): return __import__(n)",
        ["read builtin f -> __import__"],
        dynamic=["__import__"],
    ),
    "import_module": Case(
        "import importlib\ndef f(n): return importlib.import_module(n)",
        ["read global f -> importlib.import_module"],
        dynamic=["importlib.import_module"],
    ),
    "import_module by another name": Case(
        "from importlib import import_module as load\ndef f(n): return load(n)",
        ["read global f -> load"],
        dynamic=["importlib.import_module"],
    ),
    "a builtin by another name": Case(
        "run = eval\ndef f(x): return run(x)",
        ["read global f -> run"],
        dynamic=["eval"],
    ),
    "another function by a builtin's name": Case(
        "def eval(x): pass\ndef f(x): return eval(x)",
        ["read global f -> eval"],
    ),
    "a method of such a name": Case("def f(x): return x.eval()", [], attributes=["eval"]),
}

UNASSIGNED = {
    "before it is assigned": Case(
        "def f():\n    print(x)\n    x = 1",
        ["read builtin f -> print"],
        failures=["UnboundLocalError x"],
    ),
    "assigned on some path": Case("def f(c):\n    if c: x = 1\n    return x", []),
    "assigned in a loop": Case("def f(xs):\n    for x in xs: pass\n    return x", []),
    "after del": Case(
        "def f():\n    x = 1\n    del x\n    return x",
        [],
        failures=["UnboundLocalError x"],
    ),
    "deleted twice": Case(
        "def f(x):\n    del x\n    del x",
        [],
        failures=["UnboundLocalError x"],
    ),
    "the variable of an except clause": Case(
        "def f():\n    try: pass\n    except ValueError as e: pass\n    return e",
        ["read builtin f -> ValueError"],
        failures=["UnboundLocalError e"],
    ),
    "in an except clause": Case(
        "def f(g):\n    try: g()\n    except ValueError as e: return e",
        ["read builtin f -> ValueError"],
    ),
    "an own cell before it is assigned": Case(
        "def f():\n    print(x)\n    x = 1\n    return lambda: x",
        ["read builtin f -> print"],
        failures=["UnboundLocalError x"],
    ),
    "an own cell that nested code fills": Case(
        "def f():\n    def fill():\n        nonlocal x\n        x = 1\n    fill()\n    y = x\n"
        "    x = y\n    return y",
        [],
    ),
    "a variable that a comprehension hides": Case(
        "def f(xs):\n    [x for x in xs]\n    print(x)\n    x = 1",
        ["read builtin f -> print"],
        failures=["UnboundLocalError x"],
    ),
    "a parameter that a comprehension hides": Case(
        "def f(xs, x):\n    [x for x in xs]\n    return x",
        [],
    ),
    "told once on a path": Case(
        "def f():\n    print(x, x)\n    x = 1",
        ["read builtin f -> print"],
        failures=["UnboundLocalError x"],
    ),
    "an end of the function that the compiler copies": Case(
        "def f(a, g):\n    if a: x = 1\n    else: g()\n    return x",
        [],
    ),
    "two names at such an end": Case(
        "def f(a, g):\n    if a: x = 1\n    else: g()\n    return a, x",
        [],
    ),
    "a local of the global's name": Case(
        "x = 1\ndef f():\n    x += 1",
        [],
        failures=["UnboundLocalError x"],
    ),
}

HELPERS = {
    "a helper, and what it uses": Case(
        "LOCK = 1\ndef helper(): return LOCK\ndef f(): return lambda: helper()",
        ["read global f -> <lambda> -> helper", "read global f -> <lambda> -> helper -> LOCK"],
        transitive=True,
    ),
    "helpers that call each other": Case(
        "def g(): return f\ndef f(): return g",
        ["read global f -> g", "read global f -> g -> f"],
        transitive=True,
    ),
    "a helper in a cell": Case(
        "LOCK = 1\ndef outer():\n    def helper(): return LOCK\n    def f(): return helper()\n"
        "    return f",
        ["read cell f -> helper", "read global f -> helper -> LOCK"],
        target="outer()",
        transitive=True,
    ),
    "a partial as global": Case(
        "import functools\nLOCK = 1\ndef helper(x): return LOCK\np = functools.partial(helper, 1)\n"
        "def f(): return p()",
        ["read global f -> p", "read global f -> p -> partial.func -> LOCK"],
        transitive=True,
    ),
    "a bound method as global": Case(
        "LOCK = 1\nclass K:\n    def m(self): return LOCK\nm = K().m\ndef f(): return m()",
        ["read global f -> m", "read global f -> m -> __func__ -> LOCK"],
        transitive=True,
    ),
    "a wrapper": Case(
        "import functools\nLOCK = 1\ndef deco(g):\n    @functools.wraps(g)\n"
        "    def wrapper(*a): return 1\n    return wrapper\n@deco\ndef g(): return LOCK\n"
        "def f(): return g()",
        ["read global f -> g", "read global f -> g -> __wrapped__ -> LOCK"],
        transitive=True,
    ),
    "a cached function": Case(
        "import functools\nLOCK = 1\n@functools.lru_cache\ndef g(): return LOCK\n"
        "def f(): return g()",
        ["read global f -> g", "read global f -> g -> __wrapped__ -> LOCK"],
        transitive=True,
    ),
    "a class as global": Case(
        "a = b = 1\nclass Base:\n    def n(self): return b\nclass K(Base):\n"
        "    def m(self): return a\ndef f(): return K()",
        [
            "read global f -> K",
            "read global f -> K -> m -> a",
            "read global f -> K -> Base -> n -> b",
        ],
        transitive=True,
    ),
    "a callable instance": Case(
        "LOCK = 1\nclass K:\n    def __call__(self): return LOCK\nk = K()\ndef f(): return k()",
        ["read global f -> k", "read global f -> k -> __call__ -> LOCK"],
        transitive=True,
    ),
    "a default that is a function": Case(
        "LOCK = 1\ndef helper(): return LOCK\ndef f(go=helper): return go()",
        ["read global f -> default of go -> LOCK"],
        transitive=True,
    ),
    "a method through its class": Case(
        "LOCK = 1\nclass K:\n    @staticmethod\n    def make(): return LOCK\n"
        "def f(): return K.make()",
        ["read global f -> K.make", "read global f -> K.make -> LOCK"],
        transitive=True,
    ),
    "no helper without being asked": Case(
        "LOCK = 1\ndef helper(): return LOCK\ndef f(): return helper()",
        ["read global f -> helper"],
    ),
    "functions of libraries are not entered": Case(
        "import json\ndef f(x): return json.dumps(x)",
        ["read global f -> json.dumps"],
        transitive=True,
    ),
    "arguments of a partial": Case(
        "import functools\nLOCK = 1\ndef helper(): return LOCK\ndef f(x): return x()\n"
        "p = functools.partial(f, helper)",
        ["read global partial -> partial.args[0] -> LOCK"],
        target="p",
        transitive=True,
    ),
    "annotations of the target": Case(
        "class Base: pass\ndef f(x: Base): pass",
        ["read global f -> __annotate__ -> Base"],
        transitive=True,
        here=LAZY_ANNOTATIONS,
    ),
    "a failure in a helper": Case(
        "def helper(): return nothing\ndef f(): return helper()",
        ["read global f -> helper", "read unbound f -> helper -> nothing"],
        failures=["NameError nothing"],
        transitive=True,
    ),
    "a helper that binds the name": Case(
        "def fill():\n    global g\n    g = 1\ndef f():\n    fill()\n    return g",
        ["read global f -> fill", "read unbound f -> g", "write global f -> fill -> g"],
        transitive=True,
    ),
}

GROUPS = (
    EVIDENCE,
    NAMES,
    PATHS,
    CELLS,
    CLASSES,
    IMPORTS,
    DYNAMIC,
    UNASSIGNED,
    HELPERS,
)
CASES = {name: case for group in GROUPS for name, case in group.items()}
