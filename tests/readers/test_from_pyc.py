"""From a .pyc file to the function of its module code, with its source if that is known."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from py_compile import PycInvalidationMode
from py_compile import compile as compile_file

import pytest

from coscope.codec.limits import Limits
from coscope.errors import LimitExceeded, MarshalError, PycError, TargetNotFound, UnknownMagic
from coscope.readers.from_pyc import from_pyc
from tests import interpreters
from tests.codec import marshal_builder as build

SOURCE = '''"""A module."""
class Order:
    def total(self):
        return sum(line.price for line in self.lines)

def outer():
    global inner_class
    class inner_class:
        pass
    @property
    def decorated():
        return [lambda: x for x in {1, 2}]
'''

QUALNAMES = {
    "<module>",
    "Order",
    "Order.total",
    "Order.total.<locals>.<genexpr>",
    "outer",
    "inner_class",
    "outer.<locals>.decorated",
}


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "orders.py"
    path.write_text(SOURCE)
    return path


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_every_version(version: str, module: Path) -> None:
    python = interpreters.require(version)
    script = f"import py_compile; print(py_compile.compile({str(module)!r}))"
    run = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)

    function = from_pyc(Path(run.stdout.strip()))

    assert (version, None) == (function.code.version, function.code.release)
    assert ("pyc", False, ()) == (function.origin, function.live, function.warnings)
    assert QUALNAMES <= {code.qualname for code in function.code.walk()}
    assert function.source is not None
    assert (str(module), tuple(SOURCE.splitlines())) == (
        function.source.file,
        function.source.lines,
    )


def make(module: Path, mode: PycInvalidationMode = PycInvalidationMode.TIMESTAMP) -> Path:
    made = compile_file(str(module), doraise=True, invalidation_mode=mode)
    assert made is not None
    return Path(made)


def test_names_and_docstring(module: Path) -> None:
    function = from_pyc(make(module))

    assert ("<module>", "<module>", "A module.") == (
        function.name,
        function.qualname,
        function.doc,
    )
    assert () == function.cells == function.defaults


def test_bytes_find_the_source_by_the_code_object(module: Path) -> None:
    function = from_pyc(make(module).read_bytes())

    assert function.source is not None
    assert str(module) == function.source.file


def test_a_source_beside_the_pyc(module: Path) -> None:
    beside = module.with_suffix(".pyc")
    compile_file(str(module), cfile=str(beside), dfile="elsewhere.py", doraise=True)

    function = from_pyc(beside)

    assert function.source is not None
    assert str(module) == function.source.file


@pytest.mark.parametrize(
    "mode", [PycInvalidationMode.CHECKED_HASH, PycInvalidationMode.UNCHECKED_HASH]
)
def test_a_source_known_by_its_hash(module: Path, mode: PycInvalidationMode) -> None:
    made = make(module, mode)
    os.utime(module, (1, 1))

    function = from_pyc(made)

    assert function.source is not None
    assert () == function.warnings


@pytest.mark.parametrize("mode", PycInvalidationMode)
def test_a_changed_source_is_not_shown(module: Path, mode: PycInvalidationMode) -> None:
    made = make(module, mode)
    module.write_text(SOURCE + "\n")

    function = from_pyc(made)

    timed = mode is PycInvalidationMode.TIMESTAMP
    differ = "time and size differ" if timed else "its hash differs"
    assert function.source is None
    assert (f"{module} is not the source: {differ} from the header",) == function.warnings


def test_a_missing_source_is_no_warning(module: Path) -> None:
    made = make(module)
    module.unlink()

    function = from_pyc(made)

    assert (None, ()) == (function.source, function.warnings)


@pytest.mark.parametrize("name", ["\\\\share\\x.py", "//share/x.py", "\\0", "/", "x" * 200])
def test_a_hostile_file_name_is_not_opened(name: str) -> None:
    function = from_pyc(build.pyc(build.code_3_13(filename=build.text(name))))

    assert (name, None, ()) == (function.code.filename, function.source, function.warnings)


@pytest.mark.parametrize("name", ["/dev/zero", "/proc/kmsg", "/proc/self/mem"])
@pytest.mark.parametrize("flags", [0, 1])
def test_a_file_name_that_would_never_end_is_not_read(name: str, flags: int) -> None:
    data = build.pyc(build.code_3_13(filename=build.text(name)), flags=flags)

    assert from_pyc(data).source is None


def test_a_null_in_the_file_name() -> None:
    function = from_pyc(build.pyc(build.code_3_13(filename=build.text("a\0b"))))

    assert function.source is None


def test_trailing_bytes_are_told() -> None:
    data = build.pyc(build.code_3_13())

    function = from_pyc(data + b"abc")

    assert (f"3 bytes after the code object, at byte {len(data)}, unread",) == function.warnings


def test_the_warnings_of_the_header() -> None:
    function = from_pyc(build.pyc(build.code_3_13(), magic=3560))

    assert "pre-release of CPython 3.13" in function.warnings[0]


def test_a_payload_that_is_no_code() -> None:
    data = build.pyc(build.sized(b"[", build.code_3_13()))

    with pytest.raises(MarshalError) as caught:
        from_pyc(data, file="x.pyc")

    expected = "x.pyc, byte 16: the payload is no code object; expected code, found list"
    assert expected == str(caught.value)


def test_offsets_count_from_the_start_of_the_file() -> None:
    with pytest.raises(MarshalError) as caught:
        from_pyc(build.pyc(build.code_3_13(consts=build.items(b"?"))), file="x.pyc")

    data = build.pyc(build.code_3_13(consts=build.items(b"?")))
    assert (data.index(b"?"), "x.pyc") == (caught.value.offset, caught.value.file)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TargetNotFound):
        from_pyc(tmp_path / "nothing.pyc")


def test_a_text_file(module: Path) -> None:
    with pytest.raises(PycError, match=r"orders\.py, byte 0: not a \.pyc file"):
        from_pyc(module)


def test_a_pyc_of_python_2() -> None:
    with pytest.raises(UnknownMagic):
        from_pyc(build.pyc(b"c", magic=62211))


def test_a_large_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "x.pyc"
    with path.open("wb") as file:
        file.truncate(Limits().file_bytes + 1)  # sparse

    with pytest.raises(LimitExceeded, match="the limit file_bytes is reached"):
        from_pyc(path)


def test_limits_can_be_given(module: Path) -> None:
    with pytest.raises(LimitExceeded, match="nesting"):
        from_pyc(make(module), limits=Limits(nesting=3))
