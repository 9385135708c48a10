"""Fingerprints: they change with behaviour and only with it, and are never stale."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from coscope.errors import InputError
from coscope.facts.fingerprints.components import Change
from coscope.facts.fingerprints.fingerprints import (
    KEPT,
    Fingerprint,
    fingerprint,
    forget,
    from_document,
)
from coscope.readers.from_source import from_source
from tests.facts.fingerprints.fingerprint_edits import EVERY, Edit, function_of

ROOT = Path(__file__).parents[3]


def names(found: Fingerprint) -> list[tuple[str, str]]:
    return [(each.path, each.type_name) for each in found.unknown]


@pytest.mark.parametrize("edit", EVERY, ids=lambda edit: edit.name)
def test_changes_with_behaviour_and_only_with_it(edit: Edit) -> None:
    before, after = function_of(edit.before), function_of(edit.after, "/elsewhere/other.py")
    old, new = fingerprint(before), fingerprint(after)

    assert edit.changes == (old.value != new.value), old.explain(new)


@pytest.mark.parametrize("edit", EVERY, ids=lambda edit: edit.name)
def test_the_explanation_says_whether_something_changed(edit: Edit) -> None:
    old = fingerprint(function_of(edit.before))
    kept = json.loads(json.dumps(old.to_json()))
    new = fingerprint(function_of(edit.after))

    assert edit.changes == bool(from_document(kept).explain(new))


@pytest.mark.parametrize("optimize", [1, 2])
def test_taking_docstrings_away_by_the_compiler_changes_nothing(optimize: int) -> None:
    source = 'class K:\n    "Doc."\n    def m(self):\n        "Doc."\n        return 1, "a"\n'
    whole, stripped = (fingerprint_of_source(source, level) for level in (0, optimize))

    assert whole == stripped


def fingerprint_of_source(source: str, optimize: int) -> str:
    from coscope.facts.fingerprints.fingerprints import _of_code

    return _of_code(from_source(source, optimize=optimize).code, False).value


def test_docstrings_count_on_request() -> None:
    source = 'class K:\n    "{}"\n    def m(self):\n        "{}"\nf = K\n'
    texts = ("One.", "One."), ("Two.", "One."), ("One.", "Two.")
    found = [function_of(source.format(*each)) for each in texts]

    assert 1 == len({fingerprint(each).value for each in found})
    assert 3 == len({fingerprint(each, docstrings=True).value for each in found})


PINNED = {
    "3.11": "05c39b94bb231cf1",
    "3.12": "d89db6e092bd4ec7",
    "3.13": "d89db6e092bd4ec7",
    "3.14": "fac717d24a284c59",
    "3.15": "fac717d24a284c59",
}


def test_the_fingerprint_of_a_version_stays() -> None:
    """Of every micro version, as long as the scheme has its number."""
    version = "{}.{}".format(*sys.version_info[:2])
    function = function_of(
        "K = [1, {'a': 2.0}]\ndef f(x, *, y=-0.0): return g(x) + K[0]\ng = len\n"
    )
    if version not in PINNED:
        pytest.skip(f"nothing is pinned for CPython {version}")

    assert PINNED[version] == fingerprint(function).value.rpartition(":")[2][:16]


def test_names_version_and_scheme() -> None:
    version = "{}.{}".format(*sys.version_info[:2])

    assert fingerprint(names).value.startswith(f"coscope:2:cpython-{version}:sha256:")


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from coscope.facts.fingerprints.fingerprints import fingerprint
from tests.facts.fingerprints.fingerprint_edits import EVERY, function_of
import argparse, json, textwrap
for edit in EVERY:
    print(fingerprint(function_of(edit.before)).value)
for target in (json.dumps, textwrap.wrap, argparse.ArgumentParser):
    print(fingerprint(target).value)
"""


def test_twenty_processes_with_different_hash_seeds_agree() -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(ROOT)],
            env={**os.environ, "PYTHONHASHSEED": str(seed * 7919)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(20)
    ]
    answers = {process.communicate()[0] for process in running}

    assert 1 == len(answers)
    assert len(EVERY) + 3 == len(answers.pop().splitlines())


@pytest.fixture
def library() -> Iterator[ModuleType]:
    """An installed package of version 1.0."""
    module = ModuleType("fakelib")
    file = os.path.join(os.sep, "x", "site-packages", "fakelib", "__init__.py")
    module.__file__ = file
    source = "__version__ = '1.0'\ndef norm(x): return x\nclass Array: pass\n"
    exec(compile(source, file, "exec"), vars(module))
    sys.modules["fakelib"] = module
    yield module
    del sys.modules["fakelib"]


def library_code(source: str, library: ModuleType) -> Any:
    return compile(source, str(library.__file__), "exec").co_consts[0]


@pytest.mark.parametrize(
    "source",
    [
        "import fakelib\ndef f(x): return fakelib.norm(x)\n",
        "from fakelib import norm\ndef f(x): return norm(x)\n",
        "from fakelib import Array\ndef f(x): return Array(x)\n",
        "from fakelib import Array\nclass K(Array): pass\ndef f(x): return K(x)\n",
        "import fakelib\ndef f(x): return x(fakelib)\n",
        "def f(x):\n    import fakelib\n    return fakelib.norm(x)\n",
        "def f(x):\n    from fakelib import norm\n    return norm(x)\n",
    ],
)
def test_libraries_count_by_their_version(library: ModuleType, source: str) -> None:
    function = function_of(source)
    old = fingerprint(function)
    library.norm.__code__ = library_code("def norm(x): return x + 1", library)
    same = fingerprint(function)  # the version tells it, not the content
    vars(library)["__version__"] = "1.1"
    new = fingerprint(function)

    assert old.value == same.value
    assert old.value != new.value
    assert ("library fakelib 1.0", "library fakelib 1.1") in {
        (" ".join(str(c.old).split()[:3]), " ".join(str(c.new).split()[:3]))
        for c in old.explain(new)
    }


def test_a_patched_function_of_a_library_counts_by_content(library: ModuleType) -> None:
    function = function_of("from fakelib import norm\ndef f(x): return norm(x)\n")
    old = fingerprint(function)
    library.norm.__code__ = (lambda x: x + 1).__code__

    assert old.value != fingerprint(function).value


def test_a_library_without_a_version_is_listed(library: ModuleType) -> None:
    del vars(library)["__version__"]
    function = function_of("from fakelib import norm\ndef f(x): return norm(x)\n")

    assert [("norm", "function")] == names(fingerprint(function))


@pytest.fixture
def own_module() -> Iterator[ModuleType]:
    module = ModuleType("own_helpers")
    exec("def scale(x): return x * 2\nRATE = 3\n", vars(module))
    sys.modules["own_helpers"] = module
    yield module
    del sys.modules["own_helpers"]


@pytest.mark.parametrize(
    "source",
    [
        "import own_helpers\ndef f(x): return own_helpers.scale(x)\n",
        "from own_helpers import scale\ndef f(x): return scale(x)\n",
        "def f(x):\n    from own_helpers import scale\n    return scale(x)\n",
        "def f(x):\n    import own_helpers\n    return own_helpers.scale(x)\n",
        "import own_helpers\ndef f(x):\n    m = own_helpers\n    return m.scale(x)\n",
        "import own_helpers\ndef f(x):\n    return [own_helpers.scale(y) for y in x]\n",
    ],
)
def test_functions_of_own_modules_count_by_content(own_module: ModuleType, source: str) -> None:
    function = function_of(source)
    old = fingerprint(function)
    own_module.scale.__code__ = (lambda x: x * 3).__code__
    new = fingerprint(function)

    assert old.value != new.value
    assert old.explain(new)[-1].path.endswith("scale")


def test_a_module_as_a_value_is_listed(own_module: ModuleType) -> None:
    function = function_of("import own_helpers\ndef f(x): return x(own_helpers)\n")

    assert [("own_helpers", "module")] == names(fingerprint(function))


@pytest.mark.parametrize(
    ("source", "unknown"),
    [
        ("def f(x): return eval(x)\n", [("eval", "dynamic code")]),
        ("def f(x, y): return getattr(x, y)\n", [("getattr", "dynamic code")]),
        ("def f(x): return getattr(x, 'a')\n", []),
        ("run = exec\ndef f(x): run(x)\n", [("run", "dynamic code")]),
        ("def f(x): return [globals() for _ in x]\n", [("globals", "dynamic code")]),
        ("def f(x): return g(x)\ndef g(x): return vars(x)\n", [("g -> vars", "dynamic code")]),
        (
            "import threading\nLOCK = threading.Lock()\ndef f(x): return LOCK\n",
            [("LOCK", f"{type(threading.Lock()).__module__}.{type(threading.Lock()).__name__}")],
        ),
        ("import sys\ndef f(x): return sys.modules[x]\n", [("sys.modules", "dict")]),
        ("from sys import path\ndef f(x): return path\n", [("path", "list")]),
        ("S = {object()}\ndef f(x): return S\n", [("S", "set")]),
        ("X = {'a': iter(())}\ndef f(x): return X\n", [("X['a']", "tuple_iterator")]),
        ("def f(x):\n    import no_such_module_at_all\n", [("no_such_module_at_all", "module")]),
    ],
)
def test_what_is_opaque_or_dynamic_is_listed(source: str, unknown: list[tuple[str, str]]) -> None:
    own = "<genexpr>", "<listcomp>"
    found = [
        (" -> ".join(step for step in path.split(" -> ") if step not in own), kind)
        for path, kind in names(fingerprint(function_of(source)))
    ]

    assert unknown == found


def test_a_constant_that_no_compiler_makes_is_listed() -> None:
    function = function_of("def f(x): return 1, x\n")
    code = function.__code__
    consts = (*code.co_consts[:-1], object()) if len(code.co_consts) > 1 else (object(),)
    function.__code__ = code.replace(co_consts=consts)

    assert ["object"] == [each.type_name for each in fingerprint(function).unknown]


class Namespace(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        raise AssertionError("the user's code ran")


def test_a_name_that_a_namespace_makes_up_is_listed() -> None:
    code = function_of("def f(x): return made_up\n").__code__
    function = FunctionType(code, Namespace(__builtins__=Namespace()))

    assert [("made_up", "name")] == names(fingerprint(function))


def test_a_file_says_that_its_globals_are_not_known(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("def f(x): return x + LIMIT\n")
    moved = tmp_path / "moved.py"
    moved.write_text("\n# here\ndef f(y, /): return y + LIMIT\n")
    found = fingerprint(f"{file}::f")

    assert not found.live
    assert [("", "function")] == names(found)
    assert found.value == fingerprint(str(file) + "::f").value
    assert found.value != fingerprint(f"{moved}::f").value


class Raises(type):
    """A metaclass, and by `Hostile` a class, of which nothing may run."""

    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError(f"metaclass attribute {name} was read")

    def __eq__(cls, other: object) -> bool:
        raise AssertionError("metaclass compared")

    def __hash__(cls) -> int:
        raise AssertionError("metaclass hashed")


def hostile() -> Any:
    def fails(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the user's code ran")

    dunders = (
        "getattribute getattr format eq hash repr str len iter reduce reduce_ex getstate bool call"
    )
    body: dict[str, Any] = {f"__{name}__": fails for name in dunders.split()}
    body["value"] = property(fails)
    return type.__call__(Raises, "Hostile", (), body)


def test_nothing_of_the_users_runs() -> None:
    cls = hostile()
    instance = object.__new__(cls)
    function = function_of("THING = 0\ndef f(x): return THING.a, KIND.b, TABLE\n")
    space = function.__globals__
    space.update(THING=instance, KIND=cls, TABLE=[instance, {"k": instance}, (cls,)])
    first = fingerprint(function)
    space["TABLE"].append(object.__new__(cls))
    second = fingerprint(function)

    assert first.value != second.value
    assert second is fingerprint(function)


class HostileDict(dict[str, Any]):
    def _fails(self, *args: Any) -> Any:
        raise AssertionError("the user's code ran")

    __len__ = __bool__ = __iter__ = __contains__ = __getitem__ = _fails
    get = items = keys = values = copy = __eq__ = _fails


@pytest.mark.parametrize("name", ["__dict__", "__module__", "__doc__", "__annotations__"])
def test_nothing_of_a_functions_attributes_runs(name: str) -> None:
    function = function_of("def g(x): return x\ndef f(x): return g(x)\n")
    attribute = (
        HostileDict() if name in ("__dict__", "__annotations__") else object.__new__(hostile())
    )
    setattr(function.__globals__["g"], name, attribute)
    found = fingerprint(function)

    assert found is fingerprint(function)


PROGRAM = """
import functools
LIMIT = 10
TABLE = {"a": [1, 2], "b": {"c": 3}}
SEEN = {1, 2}
RAW = bytearray(b"x")
class Base:
    rate = 1
class Rate(Base):
    base = 2
    __slots__ = ("extra",)
    def of(self, x): return x * self.base
class Empty: pass
class Config(Empty):
    def __init__(self): self.rate = 1
CONFIG = Config()
SLOTTED = Rate()
SLOTTED.extra = 1
def helper(x, y=[1], *, z=1): return x + LIMIT
def wrapped(x): return x
part = functools.partial(wrapped, 1, key=2)
def make():
    n = 1
    def inner(x): return x + n
    def assign(value):
        nonlocal n
        n = value
    def clear():
        nonlocal n
        del n
    return inner, assign, clear
inner, assign, clear = make()
def f(x):
    return (helper(x), TABLE, SEEN, RAW, Rate, CONFIG, SLOTTED, part, inner(x), len(x), absent)
"""

MUTATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "global": lambda g: g.update(LIMIT=11),
    "global of another type": lambda g: g.update(LIMIT=10.0),
    "global gone": lambda g: g.pop("LIMIT"),
    "global that was absent": lambda g: g.update(absent=1),
    "builtin shadowed": lambda g: g.update(len=lambda x: 0),
    "code": lambda g: setattr(g["helper"], "__code__", g["wrapped"].__code__),
    "code of the target": lambda g: setattr(g["f"], "__code__", (lambda x: 1).__code__),
    "defaults": lambda g: setattr(g["helper"], "__defaults__", (2,)),
    "no defaults": lambda g: setattr(g["helper"], "__defaults__", None),
    "inside a default": lambda g: g["helper"].__defaults__[0].append(2),
    "keyword default": lambda g: g["helper"].__kwdefaults__.update(z=2),
    "keyword defaults": lambda g: setattr(g["helper"], "__kwdefaults__", {"z": 3}),
    "attribute of a function": lambda g: setattr(g["helper"], "flag", 1),
    "helper": lambda g: g.update(helper=g["wrapped"]),
    "cell": lambda g: g["assign"](2),
    "empty cell": lambda g: g["clear"](),
    "dict": lambda g: g["TABLE"].update(a=1),
    "new key": lambda g: g["TABLE"].update(new=1),
    "inside a dict": lambda g: g["TABLE"]["a"].append(3),
    "deep inside a dict": lambda g: g["TABLE"]["b"].update(c=4),
    "item of a list": lambda g: g["TABLE"]["a"].__setitem__(0, True),
    "set": lambda g: g["SEEN"].add(3),
    "bytearray": lambda g: g["RAW"].__setitem__(0, 1),
    "method": lambda g: setattr(g["Rate"], "of", g["wrapped"]),
    "attribute of a class": lambda g: setattr(g["Rate"], "base", 3),
    "new attribute of a class": lambda g: setattr(g["Rate"], "more", 3),
    "attribute of a base": lambda g: setattr(g["Base"], "rate", 3),
    "bases": lambda g: setattr(g["Config"], "__bases__", (g["Base"],)),
    "attribute of an instance": lambda g: setattr(g["CONFIG"], "rate", 2),
    "slot of an instance": lambda g: setattr(g["SLOTTED"], "extra", 2),
    "class of an instance": lambda g: setattr(
        g["CONFIG"], "__class__", type("C", (g["Empty"],), {})
    ),
    "keyword of a partial": lambda g: g["part"].keywords.update(key=3),
    "function of a partial": lambda g: setattr(g["wrapped"], "__code__", (lambda x: 0).__code__),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_kept_fingerprint_is_never_stale(name: str) -> None:
    namespace = function_of(PROGRAM).__globals__
    function = namespace["f"]
    old = fingerprint(function)
    MUTATIONS[name](namespace)
    now = fingerprint(function)
    forget()

    assert old.value != now.value
    assert now.value == fingerprint(function).value


def test_a_fingerprint_is_kept_while_nothing_changes() -> None:
    function = function_of(PROGRAM.replace("RAW, ", ""))
    found = fingerprint(function)
    function.__globals__["unrelated"] = 1

    assert found is fingerprint(function)


def test_only_some_fingerprints_are_kept() -> None:
    from coscope.facts.fingerprints.fingerprints import _kept

    functions = [function_of(f"def f(x): return {number}\n") for number in range(KEPT + 5)]
    for function in functions:
        fingerprint(function)

    assert len(_kept) == KEPT


def test_explains_with_the_path() -> None:
    function = function_of(
        "LIMIT = 1\ndef helper(x): return x + LIMIT\n"
        "def f(x): return [helper(y) for y in map(lambda z: helper(z), x)]\n"
    )
    old = fingerprint(function)
    function.__globals__["LIMIT"] = True
    changes = old.explain(fingerprint(function))

    assert [("global LIMIT", "int 1", "bool True")] == [(c.label, c.old, c.new) for c in changes]
    assert changes[0].path.endswith("helper")


def test_explains_another_version() -> None:
    old = fingerprint(function_of("def f(x): return x\n"))
    document = {**old.to_json()}
    document["fingerprint"] = {**document["fingerprint"], "version": "3.1"}

    assert Change("", "CPython", "3.1", old.version) in from_document(document).explain(old)


@pytest.mark.parametrize("document", [{}, {"fingerprint": {}}, {"fingerprint": 1, "target": "f"}])
def test_refuses_what_is_no_document(document: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        from_document(document)


def test_follows_methods_partials_classes_and_cached_functions() -> None:
    class K:
        def m(self) -> int:
            return 1

    targets: list[Any] = [K, K.m, K().m, functools.partial(K.m), property(K.m)]
    targets.append(functools.lru_cache(K.m))
    found = [fingerprint(target).value for target in targets]

    assert len(targets) == len(set(found))


def test_a_container_that_holds_itself_ends() -> None:
    function = function_of("LOOP = []\nLOOP.append(LOOP)\ndef f(x): return LOOP\n")

    assert 2 == len(fingerprint(function).parts)
