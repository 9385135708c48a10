"""The source that is shown is the source that ran: it is compiled and compared first."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import linecache
import marshal
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest

import coscope
from coscope.errors import SourceError
from coscope.model import Function
from coscope.readers import read
from coscope.readers.comparing import ANOTHER, UNPROVED
from coscope.readers.from_interpreter import compile_source, find
from tests.interpreters import require
from tests.render.documents import DATA

BEFORE = '''"""A module."""
LIMIT = 10


def outer(v):
    n = v
    def inner(a, b=3):
        """What it does."""
        if a > b:
            return a - b, n, [each for each in a]
        return LIMIT
    return inner


class Order:
    def total(self, x: int = 1) -> int:
        assert x
        return x + 1.0


made = outer(3)
'''


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module that was imported from a file."""
    (tmp_path / "compared.py").write_text(BEFORE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield importlib.import_module("compared")
    del sys.modules["compared"]


def write(file: Path, text: str) -> None:
    """Write a file later than it was written before: the clock of files may be coarse."""
    before = file.stat().st_mtime_ns
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    os.utime(file, ns=(before + 10**9, before + 10**9))


def squeezed(page: object) -> str:
    """A page without the breaks of its lines."""
    return "".join(str(page).replace("│", "").split())


def warned(function: Function) -> bool:
    return any(ANOTHER in each for each in function.warnings)


def test_a_source_that_ran_is_shown(loaded: ModuleType) -> None:
    found = [read(each) for each in (loaded.outer, loaded.made, loaded.Order.total)]

    assert [()] * 3 == [each.warnings for each in found]
    assert all(each.source is not None for each in found)


EDITS = {
    "lines above": ("LIMIT = 10", "LIMIT = 10\n"),
    "another constant": ("b=3", "b=3, c=4"),
    "another number": ("x + 1.0", "x + 1"),
    "another operator": ("a - b", "a + b"),
    "operands swapped": ("a - b", "b - a"),
    "another comparison": ("a > b", "a < b"),
    "another docstring": ("What it does", "What it did"),
    "another name": ("return LIMIT", "return limit"),
    "a space": ("a - b", "a  - b"),
    "no assertion": ("assert x", "x"),
    "does not compile": ("class Order", "class class"),
    "is empty": (BEFORE, ""),
    "is not text": (BEFORE, "\udcff"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_file_that_was_edited_after_the_import_is_not_shown(
    loaded: ModuleType, tmp_path: Path, name: str
) -> None:
    text = BEFORE.replace(*EDITS[name])
    write(tmp_path / "compared.py", text)
    found = [read(loaded.made), read(loaded.Order.total), read(loaded.outer)]

    hidden = [each.source is None for each in found]

    assert any(hidden)
    if name not in ("is empty", "is not text"):  # there is nothing that might be taken for it
        assert hidden == [warned(each) for each in found]


@pytest.mark.parametrize("verb", ["show", "closure", "graph", "depends", "signature", "call"])
def test_no_page_takes_a_text_from_an_edited_file(
    loaded: ModuleType, tmp_path: Path, verb: str
) -> None:
    text = BEFORE.replace("n = v", "for n in v: 'elsewhere'").replace("return LIMIT", "elsewhere()")
    write(tmp_path / "compared.py", text)
    arguments = (2,) if verb == "call" else ()
    page = squeezed(getattr(coscope, verb)(loaded.made, *arguments))

    assert "elsewhere" not in page
    if verb in ("show", "closure"):
        assert squeezed(ANOTHER) in page


@pytest.mark.parametrize("name", ["json", "typing", "collections", "os", "enum", "dataclasses"])
def test_the_library_is_what_was_compiled(name: str) -> None:
    module = importlib.import_module(name)
    functions = [each for each in vars(module).values() if type(each) is FunctionType]
    own = [each for each in functions if each.__module__ == name]

    assert own
    assert [] == [each.__qualname__ for each in own if read(each).source is None]


def with_assertion(a: int, b: int = 2) -> int:
    assert a != b, f"{a} is {b}"
    total = [each + 1 for each in (a, b)]
    return sum(total)


def test_an_assertion_that_pytest_rewrote_hides_nothing() -> None:
    found = read(with_assertion)

    assert ((), True) == (found.warnings, found.source is not None)
    assert any(name.startswith("@py_") for name in found.code.varnames)


@pytest.mark.parametrize("optimize", [0, 1, 2])
def test_every_optimisation_level_is_tried(tmp_path: Path, optimize: int) -> None:
    file = tmp_path / "x.py"
    file.write_text(BEFORE)
    module = compile(BEFORE, str(file), "exec", optimize=optimize, dont_inherit=True)
    found = [read(each) for each in module.co_consts if isinstance(each, CodeType)]

    assert [((), True)] * 2 == [(each.warnings, each.source is not None) for each in found]


def test_another_release_is_possible_and_is_said(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(BEFORE)
    module = compile(BEFORE, str(file), "exec", dont_inherit=True)
    code = next(each for each in module.co_consts if isinstance(each, CodeType))
    found = read(code.replace(co_stacksize=code.co_stacksize + 1))

    assert (f"{UNPROVED}: {file}",) == found.warnings
    assert found.source is not None


# .pyc files


def poisoned(folder: Path, how: str, text: str, source: str, path: str | None = None) -> Path:
    """A .pyc of one text beside a source with another, under a header that fits the source."""
    file = folder / "x.py"
    file.write_text(source)
    code = compile(text, path or str(file), "exec", dont_inherit=True)
    status, data = file.stat(), file.read_bytes()
    head = {
        "mtime": struct.pack("<III", 0, int(status.st_mtime), len(data)),
        "checked": struct.pack("<I", 3) + importlib.util.source_hash(data),
        "unchecked": struct.pack("<I", 1) + importlib.util.source_hash(data),
    }[how]
    cached = Path(importlib.util.cache_from_source(str(file)))
    cached.parent.mkdir(exist_ok=True)
    cached.write_bytes(importlib.util.MAGIC_NUMBER + head + marshal.dumps(code))
    return cached


BENIGN = "def f(a, b):\n    return a - b\n"
POISON = {
    "calls eval": "def f(a, b):\n    return eval('a - b')\n",
    "a constant": "def f(a, b):\n    return a - 77\n",
    "operands swapped": "def f(a, b):\n    return b - a\n",
    "beside it": BENIGN + "import os\n",
    "one line lower": "\n" + BENIGN,
    "a default": "def f(a, b=77):\n    return a - b\n",
}


@pytest.mark.parametrize("how", ["mtime", "checked", "unchecked"])
@pytest.mark.parametrize("name", POISON)
def test_bytecode_that_is_not_of_the_source_beside_it(tmp_path: Path, how: str, name: str) -> None:
    file = poisoned(tmp_path, how, POISON[name], BENIGN)
    found = read(str(file))
    page = squeezed(coscope.show(str(file)))

    assert (None, True) == (found.source, warned(found))
    assert squeezed(ANOTHER) in page
    assert "returna-b" not in page


@pytest.mark.parametrize("how", ["mtime", "checked", "unchecked"])
def test_bytecode_of_the_source_beside_it(tmp_path: Path, how: str) -> None:
    found = read(str(poisoned(tmp_path, how, BENIGN, BENIGN)))

    assert ((), True) == (found.warnings, found.source is not None)


@pytest.mark.parametrize("version", ["3.8", "3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize("name", [None, *POISON])
def test_bytecode_of_another_version(tmp_path: Path, version: str, name: str | None) -> None:
    if name == "operands swapped" and version != "{}.{}".format(*sys.version_info[:2]):
        pytest.skip("order is not compared between versions: SECURITY.md says so")
    python = find(str(require(version)))
    text = BENIGN if name is None else POISON[name]
    file = poisoned(tmp_path, "mtime", BENIGN, BENIGN)
    script = (
        "import sys, marshal, importlib.util\n"
        "old = open(sys.argv[1], 'rb').read()\n"
        "code = marshal.dumps(compile(sys.argv[2], sys.argv[3], 'exec'))\n"
        "open(sys.argv[1], 'wb').write(importlib.util.MAGIC_NUMBER + old[4:16] + code)\n"
    )
    words = [python.path, "-c", script, str(file), text, str(tmp_path / "x.py")]
    subprocess.run(words, check=True)
    found = read(str(file))

    assert (name is not None) == warned(found)
    assert (name is None) == (found.source is not None)


@pytest.mark.parametrize("version", ["3.8", "3.12", "3.13", "3.14"])
def test_private_names_of_another_version_fit(version: str) -> None:
    from coscope.readers.comparing import verdict_on_another
    from coscope.readers.from_function import from_code_object
    from coscope.readers.sources import source_from

    data = b"class C:\n    def f(self):\n        self.__hidden = self.shown = 1\n"
    code = compile_source(find(str(require(version))), data, "private.py")

    assert verdict_on_another(code, source_from(data, "private.py"), from_code_object).fits


@pytest.mark.parametrize("version", ["3.8", "3.12", "3.13"])
def test_the_library_of_another_version_fits(version: str) -> None:
    from coscope.readers.comparing import verdict_on_another
    from coscope.readers.from_function import from_code_object
    from coscope.readers.sources import source_from

    python = find(str(require(version)))
    library = Path(os.__file__).parent
    files = [library / name for name in ("json/encoder.py", "types.py", "doctest.py", "pdb.py")]
    for file in (*files, DATA / "sample.py"):
        data = file.read_bytes()
        try:
            code = compile_source(python, data, str(file))
        except SourceError:  # it has syntax of later versions
            continue

        assert verdict_on_another(code, source_from(data, str(file)), from_code_object).fits


# Sources that are not files


def test_a_source_in_a_zip_archive_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped/__init__.py", "")
        file.writestr("zipped/inside.py", BEFORE)
    monkeypatch.syspath_prepend(archive)
    module = importlib.import_module("zipped.inside")
    found = read(module.made)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped/inside.py", BEFORE.replace("a - b", "b - a"))
    later = read(module.made)

    assert ((), tuple(BEFORE.splitlines())) == (found.warnings, found.source and found.source.lines)
    assert (None, True) == (later.source, warned(later))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 damaged", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_archive_has_no_source(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.zip").write_bytes(data)
    code = compile(BEFORE, str(tmp_path / "bad.zip" / "x.py"), "exec")

    assert None is read(code).source


def entered(name: str, text: str, flags: int = 0) -> dict[str, object]:
    """Run a text as a prompt or a notebook does, which leaves it in `linecache`."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space: dict[str, object] = {}
    exec(compile(text, name, "exec", flags=flags, dont_inherit=True), space)
    return space


@pytest.mark.parametrize(
    "name", ["<ipython-input-3-abc>", "/tmp/ipykernel_1/77.py", "<attrs generated init x.Y>"]
)
def test_a_text_in_linecache_is_shown(name: str) -> None:
    future = 0x1000000  # an earlier cell said `from __future__ import annotations`
    function = entered(name, "def f(a: Unknown):\n    return a\n", future)["f"]
    found = read(function)
    del linecache.cache[name]

    assert ((), True) == (found.warnings, found.source is not None)


def test_another_text_of_the_same_name_is_not_shown() -> None:
    function = entered("<cell>", "def f(a):\n    return a\n")["f"]
    entered("<cell>", "def f(a):\n    return -a\n")
    found = read(function)
    del linecache.cache["<cell>"]

    assert (None, ()) == (found.source, found.warnings)


def test_the_code_of_the_command_line_and_generated_code_of_the_same_name() -> None:
    """From 3.13 on `-c` leaves its text in `linecache` as <string>, as dataclasses name theirs."""
    text = (
        "import dataclasses, coscope\n"
        "def f(a): return a\n"
        "@dataclasses.dataclass\n"
        "class Point:\n"
        "    x: int = 1\n"
        "print(coscope.read(Point.__init__).source, coscope.read(f).source is not None)\n"
    )
    words = [sys.executable, "-c", text]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    kept = sys.version_info >= (3, 13)

    assert f"None {kept}\n" == done.stdout


def test_a_doctest_is_shown() -> None:
    text = ">>> def twice(a):\n...     return 2 * a\n>>> from coscope.readers import read\n"
    text += ">>> read(twice).source.lines[1], read(twice).warnings\n('    return 2 * a', ())\n"
    test = doctest.DocTestParser().get_doctest(text, {}, "shown", None, 0)
    results = doctest.DocTestRunner(verbose=False).run(test)

    assert 0 == results.failed
