"""What is new in the language of 3.14 and 3.15, read right by every verb.

The code is compiled by native interpreters; what needs live objects runs where they exist.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import coscope
from coscope.facts.fingerprints.fingerprints import digest_of
from coscope.flow import build
from coscope.flow.domains.expression import expressions
from coscope.readers import recent_types
from tests import interpreters

STATIC = """\
lazy import json
lazy from os import path as p
import sys

try:
    import re
except ImportError:
    re = None

def listed(xs): return [*x for x in xs]
def keyed(xs): return {**x for x in xs}
def a_set(xs): return {*x for x in xs if x}
def deep(xs): return {**{k: [*v for v in w] for k, w in x} for x in xs}
def within(xs, y): return [y, *[x for x in xs]]
async def waited(xs): return {**x async for x in xs}
def empty(): return ""
def nothing(): return None
def yes(): return True
def minus_one(): return -1
def one(): return 1
def every(xs): return all(x for x in xs)
def some(xs): return any(x for x in xs)
def told(name): return t"hello {name!r:>9}"
class Marked:
    if len("x"):
        a: int
if len("x"):
    top: int = 1
"""

OLDER = """\
def empty(): return ""
def one(): return 1
def told(name): return t"hello {name!r:>9}"
def later(x: Undefined, y: int = 1) -> "str": return x
class Marked:
    if len("x"):
        a: int
if len("x"):
    top: int = 1
"""


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A file of 3.15's language, and the interpreter that compiles it."""
    path = tmp_path_factory.mktemp("news") / "news.py"
    path.write_text(STATIC)
    return str(path), str(interpreters.require("3.15"))


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The same for 3.14."""
    path = tmp_path_factory.mktemp("news") / "newer.py"
    path.write_text(OLDER)
    return str(path), str(interpreters.require("3.14"))


def returned(file: tuple[str, str], name: str) -> str:
    """The expression that a function returns."""
    code = coscope.read(f"{file[0]}::{name}", python=file[1]).code
    frames = zip(code.instructions, expressions(build(code)), strict=True)
    stack = next(frame for instruction, frame in frames if instruction.opname == "RETURN_VALUE")
    return str((stack or ())[-1])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("listed", "[*x for …]"),
        ("keyed", "{**x for …}"),
        ("a_set", "{*x for …}"),
        ("deep", "{**{k: [*v for …] for …} for …}"),
        ("waited", "{**x for …}"),
        ("within", "[y, *[x for …]]"),
    ],
)
def test_unpacking_in_a_comprehension(newest: tuple[str, str], name: str, expected: str) -> None:
    assert expected == returned(newest, name)


def test_all_of_it_is_accepted(newest: tuple[str, str], newer: tuple[str, str]) -> None:
    assert coscope.verify(newest[0], python=newest[1]).ok
    assert coscope.verify(newer[0], python=newer[1]).ok


def test_lazy_imports_are_apart(newest: tuple[str, str]) -> None:
    rows = coscope.depends(newest[0], python=newest[1]).imports

    assert [("json", "lazy import"), ("os", "lazy import"), ("os.path", "lazy import")] == [
        (row.name, row.kind) for row in rows if row.kind != "import"
    ]
    assert ["sys", "re"] == [row.name for row in rows if row.kind == "import"]


def test_the_compilers_own_set_is_nothing_that_code_depends_on(
    newest: tuple[str, str], newer: tuple[str, str]
) -> None:
    for path, python in (newest, newer):
        found = coscope.depends(path, python=python)
        code = coscope.read(path, python=python).code

        assert "__conditional_annotations__" in code.names
        assert "__conditional_annotations__" not in {row.name for row in found.items}
        assert "len" in {row.name for row in found.items}


@pytest.mark.parametrize(
    ("one", "other", "removed", "added"),
    [
        ("empty", "one", ["str ''"], ["int 1"]),
        ("minus_one", "one", ["int -1"], ["int 1"]),
        ("nothing", "yes", ["None"], ["bool True"]),
        ("empty", "minus_one", ["str ''"], ["int -1"]),
    ],
)
def test_constants_that_all_code_shares_are_constants(
    newest: tuple[str, str], one: str, other: str, removed: list[str], added: list[str]
) -> None:
    path, python = newest
    page = str(coscope.diff(f"{path}::{one}", f"{path}::{other}", python=python))
    lines = page[page.index("constants") : page.index("instructions")].splitlines()

    assert removed == [line.strip()[2:] for line in lines if line.strip().startswith("- ")]
    assert added == [line.strip()[2:] for line in lines if line.strip().startswith("+ ")]


def test_a_builtin_that_the_compiler_loads_is_no_constant(newest: tuple[str, str]) -> None:
    """`all(x for ...)` is compiled to a loop, if `all` is the builtin."""
    path, python = newest
    page = str(coscope.diff(f"{path}::every", f"{path}::some", python=python))

    assert "constants" not in page.splitlines()
    assert "LOAD_COMMON_CONSTANT any" in page


def test_a_constant_of_its_own_and_a_shared_one_are_the_same(
    newest: tuple[str, str], newer: tuple[str, str]
) -> None:
    """3.14 has "" among the constants of the code, 3.15 a number for it."""
    ours = coscope.depends(f"{newest[0]}::empty", python=newest[1]).constants
    older = coscope.depends(f"{newer[0]}::empty", python=newer[1]).constants

    assert [""] == [each.constant for each in ours] == [each.constant for each in older]


@pytest.mark.parametrize("name", ["told"])
def test_t_strings(newest: tuple[str, str], newer: tuple[str, str], name: str) -> None:
    for file in (newest, newer):
        assert "t'hello {name!r:>9}'" == returned(file, name)


def test_annotations_are_code_that_is_not_run(newer: tuple[str, str]) -> None:
    path, python = newer
    names = [code.name for code in coscope.read(path, python=python).code.walk()]
    rows = coscope.depends(f"{path}::later", python=python).items

    assert 3 == names.count("__annotate__")
    assert [] == [row.name for row in rows]


# Live: where the interpreter has the types.


def needs(name: str) -> Any:
    """A mark for tests of a type that only some interpreters have."""
    return pytest.mark.skipif(
        not (hasattr(types, name) or name in vars(__import__("builtins"))),
        reason=f"this interpreter has no {name}",
    )


LIVE = """\
lazy import wave
lazy from xml.dom import minidom as m
lazy import colorsys
def uses(): return wave.open, m.parse, colorsys.rgb_to_hls
def first(d=frozendict(a=1, b=(1, 2))): return d
def second(d=frozendict(a=1, b=(1, 2))): return d
def third(d=frozendict(a=1, b=(1, 3))): return d
def unpicklable(d=frozendict(k=lambda: 1)): return d
"""


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """A module with lazy imports, none of them used."""
    for name in ("wave", "xml.dom.minidom", "colorsys"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "coscope_news.py").write_text(LIVE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib

    yield importlib.import_module("coscope_news")
    del sys.modules["coscope_news"]


@needs("LazyImportType")
def test_no_verb_runs_a_lazy_import(live: types.ModuleType) -> None:
    pages = [
        str(verb(live.uses))
        for verb in (coscope.depends, coscope.capture, coscope.fingerprint, coscope.signature)
    ]
    pages.append(str(coscope.closure(live.uses)))

    assert "<lazy import of wave>" in pages[0]
    assert not {"wave", "colorsys", "xml.dom.minidom"} & sys.modules.keys()


@needs("LazyImportType")
def test_a_lazy_import_of_what_is_loaded_is_its_module(live: types.ModuleType) -> None:
    import colorsys

    rows = {row.name: row for row in coscope.depends(live.uses).items}

    assert rows["colorsys.rgb_to_hls"].object is colorsys.rgb_to_hls
    assert rows["wave.open"].object is not colorsys
    assert recent_types.lazily_imported(vars(live)["m"]) == "xml.dom.minidom"


@needs("LazyImportType")
def test_pickle_refuses_a_lazy_import_as_it_is_said_to(live: types.ModuleType) -> None:
    import pickle

    with pytest.raises(TypeError, match="lazy_import"):
        pickle.dumps(vars(live)["wave"])
    assert "no      no" in next(
        line for line in str(coscope.capture(live.uses)).splitlines() if "'wave'" in line
    )


@needs("frozendict")
def test_a_frozendict_is_told_by_its_content(live: types.ModuleType) -> None:
    held = [function.__defaults__ for function in (live.first, live.second, live.third)]
    (one, whole), (same, _), (other, _) = map(digest_of, held)

    assert whole
    assert one == same != other
    assert "frozendict({'a': 1, 'b': (1, 2)})" in str(coscope.signature(live.first))
    assert coscope.fingerprint(live.first).complete


@needs("frozendict")
def test_what_a_frozendict_holds_travels_with_it(live: types.ModuleType) -> None:
    page = str(coscope.capture(live.unpicklable))

    assert "default 'd' → ['k']: function  pickle" in page
