"""What a user may name, and what is said of a bad name: always one clear error."""

from __future__ import annotations

import compileall
import sys
from pathlib import Path
from typing import Any

import pytest

import coscope
from coscope.errors import (
    CoscopeError,
    ImportFailed,
    InterpreterError,
    NoCodeObject,
    PycError,
    SourceError,
    TargetError,
    TargetNotFound,
    Truncated,
    UnknownMagic,
)
from coscope.readers import read

MODULE = '''
"""A module to read."""
import functools

class Order:
    @property
    def total(self): return 1

    @staticmethod
    def of(x): return lambda: x

    @functools.lru_cache
    def cached(self): pass

def wrapped():
    def inner():
        def innermost(): pass
    return inner

partial = functools.partial(wrapped)
order = Order()
number = 3
class Counted(list): pass
counted = Counted([wrapped])
handlers = {"get": [wrapped, order], "pop": wrapped, "a:b]c": wrapped, 1: wrapped}
rows = (wrapped, {None: wrapped})

def __getattr__(name):
    if name == "lazy":
        return wrapped
    raise AttributeError(name)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with modules of every sort."""
    for name, text in {
        "sample_orders": MODULE,
        "sample_raises": "def fail():\n    raise ValueError('no\\nway')\nfail()\n",
        "sample_exits": "raise SystemExit(3)",
        "sample_imports": "import sample_missing",
        "sample_syntax": "def f(:\n",
        "sample_strange": "class E(Exception):\n    def __str__(self): raise E\nraise E",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("target", "qualname"),
    [
        ("sample_orders:wrapped", "wrapped"),
        ("sample_orders:Order.total", "Order.total"),
        ("sample_orders:Order.of", "Order.of"),
        ("sample_orders:Order.of.<lambda>", "Order.of.<locals>.<lambda>"),
        ("sample_orders:Order.cached", "Order.cached"),
        ("sample_orders:wrapped.inner", "wrapped.<locals>.inner"),
        (
            "sample_orders:wrapped.<locals>.inner.innermost",
            "wrapped.<locals>.inner.<locals>.innermost",
        ),
        ("sample_orders:partial", "wrapped"),
        ("sample_orders:partial.func", "wrapped"),
        ("sample_orders:order.of", "Order.of"),
        ("sample_orders:lazy", "wrapped"),
        ("sample_orders.Order.total", "Order.total"),
        ('sample_orders:handlers["get"][0].inner', "wrapped.<locals>.inner"),
        ("sample_orders:handlers['get'][-1].of", "Order.of"),
        ('sample_orders:handlers["a:b]c"]', "wrapped"),
        ("sample_orders:handlers[1]", "wrapped"),
        ("sample_orders.rows[1][None]", "wrapped"),
        ("sample_orders.wrapped.inner", "wrapped.<locals>.inner"),
        ("sample_orders", "<module>"),
        ("sample_orders.py::<module>", "<module>"),
        ("sample_orders.py:7", "Order.total"),
        ("sample_orders.py:10", "Order.of.<locals>.<lambda>"),
        ("sample_orders.py:9", "Order.of"),
        ("sample_orders.py:1", "<module>"),
        ("sample_orders.py", "<module>"),
        ("sample_orders.py::Order.total", "Order.total"),
        ("./sample_orders.py::wrapped.inner", "wrapped.<locals>.inner"),
    ],
)
def test_a_name_is_read(target: str, qualname: str) -> None:
    assert qualname == read(target).qualname


def test_a_path_object_is_a_file(folder: Path) -> None:
    assert "source" == read(folder / "sample_orders.py").origin


def test_a_pyc_is_read_by_its_suffix_and_by_name(folder: Path) -> None:
    compileall.compile_file(folder / "sample_orders.py", quiet=2, legacy=True)

    assert "pyc" == read("sample_orders.pyc").origin
    assert "Order.total" == read("sample_orders.pyc::Order.total").qualname


def test_a_live_module_is_read_from_its_file() -> None:
    function = read(coscope)

    assert (coscope.__file__, "<module>", "source") == (
        function.code.filename,
        function.qualname,
        function.origin,
    )


@pytest.mark.usefixtures("folder")
def test_reading_a_file_does_not_import_it() -> None:
    read("sample_exits.py")
    read("sample_orders.py::Order.total")

    assert not {"sample_exits", "sample_orders"} & set(sys.modules)


@pytest.mark.usefixtures("folder")
def test_the_path_is_left_as_it_was() -> None:
    before = list(sys.path)
    read("sample_orders:wrapped")

    assert before == sys.path


BAD: list[tuple[str, type[CoscopeError], str, object]] = [
    # target, type, field, what the field holds
    ("", TargetNotFound, "what", "no file"),
    (":", TargetNotFound, "hint", "json:dumps"),
    ("::f", TargetNotFound, "hint", "file.py::name"),
    ("no such thing", TargetNotFound, "hint", "module:name"),
    ("x\0y", TargetNotFound, "what", "no file"),
    (".", TargetNotFound, "what", "directory"),
    ("missing.py", TargetNotFound, "file", "missing.py"),
    ("folder/missing", TargetNotFound, "file", "folder/missing"),
    ("missing.py::f", TargetNotFound, "file", "missing.py"),
    ("missing.pyc", TargetNotFound, "file", "missing.pyc"),
    ("json.dumpz", TargetNotFound, "hint", "json:dumps"),
    ("json.dumps.", TargetNotFound, "hint", "module:name"),
    ("sys", NoCodeObject, "hint", "It was not loaded from a file."),
    ("sample_orders.py:wrapped", TargetNotFound, "hint", "Write sample_orders.py::wrapped"),
    ("sample_orders.py.wrapped", TargetNotFound, "hint", "Write sample_orders.py::wrapped"),
    ("sample_missing.pyc:f", TargetNotFound, "hint", "Write sample_missing.pyc::f"),
    ("./sample_orders:wrapped", TargetNotFound, "what", "a file is never imported"),
    ("sample_orders.py:99", TargetNotFound, "what", "no line 99"),
    ("sample_orders.py:3:x", TargetNotFound, "what", "a file is never imported"),
    ("sample_orders:handlers['put']", TargetNotFound, "hint", "It has 'get', 'pop'"),
    ("sample_orders:handlers['gett']", TargetNotFound, "hint", "handlers['get']?"),
    ("sample_orders:handlers[0]", TargetNotFound, "what", "no key 0"),
    ("sample_orders:rows[2]", TargetNotFound, "found", "2 items"),
    ("sample_orders:rows['a']", TargetNotFound, "found", "['a']"),
    ("sample_orders:rows[x]", TargetNotFound, "what", "no literal"),
    ("sample_orders:rows[", TargetNotFound, "what", "no literal"),
    ("sample_orders:counted[0]", TargetError, "found", "sample_orders.Counted"),
    ("nojson", TargetNotFound, "hint", "no module 'nojson'"),
    ("nojson:dumps", TargetNotFound, "what", "no module 'nojson'"),
    ("jsom:dumps", TargetNotFound, "hint", "json"),
    ("json.nothing:dumps", TargetNotFound, "found", "json, which has no 'nothing'"),
    ("json:dumpz", TargetNotFound, "hint", "json:dumps"),
    ("json:JSONEncoder.encod", TargetNotFound, "hint", "json:JSONEncoder.encode"),
    ("json:dumps.inner", TargetNotFound, "what", "'inner'"),
    ("sample_orders.py::Order.tota", TargetNotFound, "hint", "Order.total"),
    ("sample_raises:f", ImportFailed, "what", "ValueError: no way"),
    ("sample_raises:f", ImportFailed, "line", 2),
    ("sample_exits:f", ImportFailed, "what", "SystemExit: 3"),
    ("sample_imports:f", ImportFailed, "what", "'sample_missing'"),
    ("sample_syntax:f", ImportFailed, "line", 1),
    ("sample_strange:f", ImportFailed, "what", "raised E"),
    ("builtins:len", NoCodeObject, "signature", "len(obj, /)"),
    ("math:sin", NoCodeObject, "doc", "sine"),
    ("sample_orders:number", NoCodeObject, "found", "int"),
    ("native.so", NoCodeObject, "file", "native.so"),
    ("sample_syntax.py", SourceError, "column", 7),
    ("sample_syntax.py::f", SourceError, "text", "def f(:"),
    ("latin.py", SourceError, "found", "0xe9"),
    ("null.py", SourceError, "line", 2),
    ("empty.pyc", PycError, "file", "empty.pyc"),
    ("short.pyc", Truncated, "file", "short.pyc"),
    ("junk.pyc", PycError, "file", "junk.pyc"),
    ("magic.pyc", UnknownMagic, "file", "magic.pyc"),
]


@pytest.mark.parametrize(("target", "error", "field", "holds"), BAD)
def test_a_bad_target_is_one_clear_error(
    folder: Path, target: str, error: type[CoscopeError], field: str, holds: object
) -> None:
    (folder / "latin.py").write_bytes(b"x = '\xe9'\n")
    (folder / "null.py").write_bytes(b"x = 1\n\0\n")
    (folder / "empty.pyc").write_bytes(b"")
    (folder / "short.pyc").write_bytes(b"\xa7\r\r\n" + bytes(5))
    (folder / "magic.pyc").write_bytes(b"\xff\xff\r\n" + bytes(40))
    (folder / "junk.pyc").write_bytes(b"junk" * 20)

    with pytest.raises(CoscopeError) as raised:
        read(target)
    value: Any = getattr(raised.value, field)

    assert error is type(raised.value)
    assert holds == value or (isinstance(value, str) and str(holds) in value)
    assert "\n" not in str(raised.value)


def test_an_interrupt_is_not_taken_for_a_fault_of_the_module(folder: Path) -> None:
    (folder / "sample_interrupted.py").write_text("raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        read("sample_interrupted:f")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("target", ["json:dumps", len, "sample_orders.pyc"])
def test_only_source_files_are_compiled_by_another_interpreter(target: object) -> None:
    with pytest.raises(TargetError) as raised:
        read(target, python="3.8")

    assert "a source file" == raised.value.expected


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide cannot start a process")
def test_a_missing_interpreter_is_one_clear_error() -> None:
    with pytest.raises(InterpreterError):
        read("sample_orders.py", python="3.99")


def test_a_built_in_module_has_no_code_object() -> None:
    with pytest.raises(NoCodeObject) as raised:
        read(sys)

    assert "It was not loaded from a file." == raised.value.hint


def test_a_module_in_an_archive_shows_its_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as file:
        file.writestr("sample_packed.py", "def f(): return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "packed.zip"))

    assert ["<module>", "f"] == [code.qualname for code in read("sample_packed").code.walk()]


@pytest.mark.usefixtures("folder")
def test_an_attribute_of_what_has_no_code_is_an_attribute_that_is_missing() -> None:
    with pytest.raises(TargetNotFound, match="sample_orders:number has no attribute 'x'"):
        read("sample_orders:number.x")


@pytest.mark.usefixtures("folder")
def test_a_descriptor_that_was_not_asked_is_said(folder: Path) -> None:
    (folder / "sample_asked.py").write_text(
        "class Asked:\n    def __get__(self, thing, cls=None): raise SystemExit\n"
        "class K:\n    asked = Asked()\n"
    )
    with pytest.raises(NoCodeObject, match=r"sample_asked\.Asked\.__get__ is not run"):
        read("sample_asked:K.asked")
