"""Where other readers of bytecode are known to go wrong, and `dis` itself: one test each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from coscope.model import Code
from coscope.readers.from_pyc import from_pyc
from tests import interpreters

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")


def _pyc(version: str, source: str, folder: Path) -> Path:
    """A .pyc that the interpreter of this version writes."""
    (folder / "source.py").write_text(source, encoding="utf-8")
    program = "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], doraise=True)"
    command = [interpreters.require(version), "-I", "-c", program, "source.py", "out.pyc"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "out.pyc"


def _codes(version: str, source: str, folder: Path) -> dict[str, Code]:
    """Every code object by name."""
    return {code.name: code for code in from_pyc(_pyc(version, source, folder)).code.walk()}


def _says(version: str, code: str, folder: Path) -> str:
    """What the interpreter of this version prints."""
    command = [interpreters.require(version), "-I", "-c", code]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.parametrize("version", ["3.11", "3.12"])
def test_keyword_names_of_a_call_are_resolved(version: str, tmp_path: Path) -> None:
    module = _codes(version, "f(1, size=2, mode=3)\n", tmp_path)["<module>"]
    shown = [i.argval for i in module.instructions if i.opname == "KW_NAMES"]

    # dis gives dis.UNKNOWN; xdis resolves them.
    assert [("size", "mode")] == shown


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_send_jumps_over_its_inline_cache(version: str, tmp_path: Path) -> None:
    source = "async def f(x):\n    await x\n"
    code = _codes(version, source, tmp_path)["f"]
    ours = [(i.offset, i.jump_target) for i in code.instructions if i.opname == "SEND"]
    asked = (
        "import dis; n = {}; exec(compile(open('source.py').read(), 's', 'exec'), n); "
        "print([(i.offset, i.argval) for i in dis.get_instructions(n['f']) if i.opname == 'SEND'])"
    )

    # xdis 6.3 is off by 2: it forgets the cache.
    assert _says(version, asked, tmp_path) == str(ours)
    assert 1 == len(ours)


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_cell_variables_come_before_free_variables(version: str, tmp_path: Path) -> None:
    source = (
        "def outer():\n    a = b = 1\n"
        "    def middle():\n        c = 2\n"
        "        def inner(): return a, b, c\n"
        "        return inner, a\n"
        "    return middle\n"
    )
    middle = _codes(version, source, tmp_path)["middle"]
    named = [(i.opname, i.argval) for i in middle.instructions if "DEREF" in i.opname]

    # xdis 6.3 counts the free variables first.
    assert ("c",) == middle.cellvars
    assert ("a", "b") == middle.freevars
    assert [("STORE_DEREF", "c"), ("LOAD_DEREF", "a")] == named


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_big_integers_are_integers(version: str, tmp_path: Path) -> None:
    source = f"a = {10**300}\nb = -{1 << 4000}\nc = 0x7fffffff\nd = 0x80000000\n"
    consts = _codes(version, source, tmp_path)["<module>"].consts

    # xdis 6.3 fails on some and returns a class of its own for others.
    assert {10**300, -(1 << 4000), 0x7FFFFFFF, 0x80000000} <= set(consts)
    assert {int, type(None)} == set(map(type, consts))


@pytest.mark.parametrize("version", ["3.8", "3.11", "3.13"])
def test_surrogates_survive(version: str, tmp_path: Path) -> None:
    source = "a = '\\udc80'\nb = 'x\\ud800\\U0001f600'\n"
    consts = _codes(version, source, tmp_path)["<module>"].consts

    assert ("\udc80", "x\ud800\U0001f600") == consts[:2]


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_a_handler_alone_is_no_jump_target(version: str, tmp_path: Path) -> None:
    source = "def f():\n    try:\n        g()\n    except E:\n        h()\n"
    code = _codes(version, source, tmp_path)["f"]
    asked = (
        "import dis; n = {}; exec(compile(open('source.py').read(), 's', 'exec'), n); "
        "print([i.offset for i in dis.get_instructions(n['f']) if i.is_jump_target])"
    )

    # xdis 6.3 marks handlers as well, unlike dis.get_instructions.
    assert _says(version, asked, tmp_path) == str(
        [i.offset for i in code.instructions if i.is_jump_target]
    )


def test_a_pyc_of_3_12_is_not_taken_for_another_python(tmp_path: Path) -> None:
    assert "3.12" == from_pyc(_pyc("3.12", "x = 1\n", tmp_path)).code.version
