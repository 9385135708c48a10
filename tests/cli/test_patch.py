"""`coscope patch`: a source or a .pyc in, a verified .pyc out."""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

import coscope
from coscope.cli import main
from coscope.codec.pyc import read_header
from coscope.patcher.edits.documents import to_json
from coscope.patcher.edits.model import Do, Insert, ReplaceConstant, Where
from tests import interpreters
from tests.flow.building import DATA
from tests.render.documents import schema

SOURCE = """\
import sys
sys.stdout.write("ran: ")
def outer(a):
    y = 42
    def inner(z):
        return a * z + y
    return inner
print(outer(5)(10))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["coscope", "patch", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return command


def ran(python: str | Path = sys.executable, file: str = "out.pyc") -> str:
    """What the file writes, in a process of its own; inside Pyodide there is none."""
    if sys.platform == "emscripten":
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            runpy.run_path(file)
        return out.getvalue()
    done = subprocess.run([str(python), file], capture_output=True, text=True)
    return done.stdout + done.stderr


FIRST = ("app.py", "--at", "outer", "--constant", "42=99", "-o", "out.pyc")


def test_a_source_is_patched_and_not_run(run: Any) -> None:
    status, out, err = run(*FIRST)

    assert (0, "") == (status, err)
    assert "ran:" not in out
    assert "constant 42 -> 99 in outer" in out
    assert "3 code objects" in out
    assert "ran: 149\n" == ran()


def test_the_header_is_kept_or_unchecked(run: Any, folder: Path) -> None:
    run(*FIRST)
    first = read_header((folder / "out.pyc").read_bytes())
    assert first.is_hash_based
    assert not first.checks_source
    assert ("the source on disk is not what was compiled: app.py",) == (
        coscope.read(str(folder / "out.pyc")).warnings
    )
    import py_compile

    py_compile.compile("app.py", cfile="timed.pyc")
    status, _, _ = run("timed.pyc", "--at", "outer.inner", "--name", "y=z", "-o", "o.pyc")
    assert 2 == status
    assert 0 == run("timed.pyc", "--at", "outer", "--constant", "42=1", "-o", "again.pyc")[0]
    old, new = (folder / name for name in ("timed.pyc", "again.pyc"))

    assert old.read_bytes()[:16] == new.read_bytes()[:16]
    assert "ran: 51\n" == ran(file="again.pyc")


def test_a_file_is_replaced_only_if_that_is_asked_for(run: Any, folder: Path) -> None:
    output = folder / "out.pyc"
    output.write_bytes(b"old")
    output.chmod(0o640)
    status, _, err = run(*FIRST)
    assert (2, b"old") == (status, output.read_bytes())
    assert "the file exists. Say --force" in err
    assert 0 == run(*FIRST, "--force")[0]

    assert "ran: 149\n" == ran()
    assert sorted(["app.py", "out.pyc"]) == sorted(os.listdir(folder))
    assert 0o640 == output.stat().st_mode & 0o777


def test_nothing_is_written_after_a_refusal(run: Any, folder: Path) -> None:
    for words, said in (
        (("--constant", "43=1"), "no instruction"),
        (("--at", "nothing", "--constant", "42=1"), "there is no code object 'nothing'"),
        (("--constant", "42=1"), "name it with --at, or say --nested"),
        (("--at", "outer.inner", "--constant", "42=1"), "gets it from `outer`, at line"),
        (("--constant", "42"), "OLD=NEW"),
        (("--constant", "42=open"), "OLD=NEW"),
        (("--name", "print=1+1"), "two names"),
        ((), "there is no edit"),
        (("--cell", "y=3"), "a file has no cells"),
        (("--edits", "app.py"), "not JSON"),
    ):
        status, out, err = run("app.py", *words, "-o", "out.pyc")
        assert (2, "") == (status, out)
        assert said in err
    assert 2 == run("missing.py", "--constant", "1=2", "-o", "out.pyc")[0]
    assert 2 == run(*FIRST[:-1], "other.py")[0]
    assert 2 == run(*FIRST[:-1], "no/such/folder.pyc")[0]
    assert ["app.py"] == os.listdir(folder)


def test_unsafe_code_is_not_written(run: Any, folder: Path) -> None:
    unsafe = Insert(
        code="outer.inner",
        where=Where(nth=-1),
        instructions=(Do("LOAD_CONST", 1), Do("LIST_APPEND", 1)),
    )
    (folder / "edits.json").write_text(json.dumps([to_json(unsafe)]), encoding="utf-8")
    status, _, err = run("app.py", "--edits", "edits.json", "-o", "out.pyc")

    assert 2 == status
    assert "the verifier refuses it: VER" in err
    assert not (folder / "out.pyc").exists()


def test_edits_from_a_file_and_constants_with_signs(run: Any, folder: Path) -> None:
    edit = ReplaceConstant(old="ran: ", new="a=b ", where=Where(line=2))
    (folder / "edits.json").write_text(json.dumps([to_json(edit)]), encoding="utf-8")
    words = ("app.py", "--edits", "edits.json", "--constant", "42=-1.5", "--nested")
    assert 0 == run(*words, "-o", "out.pyc")[0]
    assert "a=b 48.5\n" == ran()
    assert 0 == run("out.pyc", "--constant", "'a=b '='c='", "-o", "two.pyc")[0]
    assert "c=48.5\n" == ran(file="two.pyc")


def test_a_pyc_says_the_rest_in_the_same_bytes(run: Any, folder: Path) -> None:
    import py_compile

    py_compile.compile("app.py", cfile="app.pyc")
    same = ("app.pyc", "--at", "outer", "--constant", "42=42", "-o", "same.pyc")
    assert 0 == run(*same)[0]
    assert 0 == run("app.pyc", "--at", "outer", "--constant", "42=99", "-o", "out.pyc")[0]
    old, same_, new = ((folder / name).read_bytes() for name in ("app.pyc", "same.pyc", "out.pyc"))

    assert old == same_
    assert [(42, 99)] == [pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]]
    assert "ran: 149\n" == ran()


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_code_of_other_versions(run: Any, version: str) -> None:
    python = interpreters.require(version)
    status, out, _ = run(*FIRST, "--python", version)

    assert 0 == status
    assert ("the structure of" in out) == (version in ("3.8", "3.9", "3.10"))
    assert "ran: 149\n" == ran(python)


@pytest.mark.parametrize("version", ["3.14", "3.15"])
def test_small_ints_of_other_versions(run: Any, folder: Path, version: str) -> None:
    known = coscope.read(str(DATA / version / "loops.pyc")).code
    name, value = next(
        (code.qualname, code.instructions.opargs[at])
        for code in known.walk()
        for at in range(len(code.instructions))
        if code.instructions.opname(at) == "LOAD_SMALL_INT"
    )
    words = ("--at", name, "--constant", f"{value}={value + 1}", "--folded", "leave")
    assert 0 == run(str(DATA / version / "loops.pyc"), *words, "-o", "out.pyc")[0]
    changed = coscope.read(str(folder / "out.pyc")).code
    old, new = (
        next(
            [(each.opname, each.arg) for each in code.instructions]
            for code in root.walk()
            if code.qualname == name
        )
        for root in (known, changed)
    )
    pairs = {(a, b) for a, b in zip(old, new, strict=True) if a != b}

    assert {(("LOAD_SMALL_INT", value), ("LOAD_SMALL_INT", value + 1))} == pairs
    assert [code.qualname for code in known.walk()] == [code.qualname for code in changed.walk()]


def test_the_document_follows_the_schema(run: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    status, out, _ = run(*FIRST, "--json")
    found = json.loads(out)
    whole = {**schema()["$defs"]["patch_document"], "$defs": schema()["$defs"]}
    validator = jsonschema.Draft202012Validator(whole)

    assert 0 == status
    assert [] == [error.message for error in validator.iter_errors(found)]
    assert ("patch", True) == (found["command"], found["verified"]["ok"])
    receipt = coscope.patch(lambda: 5, constants={5: 6}).receipt
    assert [] == [error.message for error in validator.iter_errors(receipt.to_json())]
    assert "not to be shipped" in str(receipt)
    assert "fingerprint before" in receipt._repr_mimebundle_()["text/html"]
