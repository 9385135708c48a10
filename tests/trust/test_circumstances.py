"""What changes bytecode without harm is recognised, by the right word; nothing hides behind it."""

from __future__ import annotations

import importlib.util
import marshal
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from coscope.codec.unmarshal import load
from coscope.model import Code
from coscope.opcodes import table
from coscope.readers.from_interpreter import Interpreter, marshalled
from coscope.trust import TrustReport, trust
from coscope.trust.drift import drifts_of, explained
from coscope.trust.places import same_constant
from coscope.trust.recompile import installed
from tests.interpreters import require
from tests.trust.words import EITHER

HERE = Path(__file__).parent
SAMPLE = (HERE / "sample.txt").read_bytes()
DRIFTING = (HERE / "drift_sample.txt").read_bytes()
OTHERS = sorted((HERE / "data").glob("cpython-*.hex"))  # by tools/drift_samples.mjs


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "pk"
    folder.mkdir()
    for name in ("one", "two", "three"):
        (folder / f"{name}.py").write_bytes(SAMPLE)
    return folder


def compiled(folder: Path, *options: str, seed: str = "0", also: tuple[str, ...] = ()) -> None:
    command = [sys.executable, *options, "-m", "compileall", "-q", *also, str(folder)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})


def clean(found: TrustReport, *words: str) -> bool:
    return {each.verdict for each in found.files} <= set(words) and not found.status()


@pytest.mark.parametrize("options", [("-O",), ("-OO",), ("-W", "error"), ("-B",)], ids=" ".join)
def test_levels_and_options_of_python(package: Path, options: tuple[str, ...]) -> None:
    compiled(package, *options)
    found = trust(package)

    assert clean(found, *EITHER)
    assert 3 == len(found.files)


@pytest.mark.parametrize("seed", ["1", "7", "1234"])
def test_hash_seeds(package: Path, seed: str) -> None:
    compiled(package, seed=seed)

    assert clean(trust(package), "identical", "same")


def test_no_debug_ranges(package: Path) -> None:
    compiled(package, "-X", "no_debug_ranges")
    found = trust(package)

    assert clean(found, "identical", "same")
    assert {"compiled with -X no_debug_ranges"} <= {
        text for each in found.files for text in each.details
    }


@pytest.mark.parametrize("level", [(), ("-O",), ("-OO",)], ids=["0", "1", "2"])
def test_beside_the_source_the_name_does_not_say_the_level(
    package: Path, level: tuple[str, ...]
) -> None:
    compiled(package, *level, also=("-b",))
    found = trust(package)

    assert clean(found, *EITHER)
    assert {len(level[0]) - 1 if level else 0} == {each.level for each in found.files}


def test_a_level_that_the_name_denies_is_reported(package: Path) -> None:
    compiled(package, "-OO")
    for each in list((package / "__pycache__").iterdir()):
        each.rename(each.with_name(each.name.replace(".opt-2", "")))
    found = trust(package)

    assert {"TRU107"} == {each.kind for each in found.signs}


def test_relocated_paths(package: Path, tmp_path: Path) -> None:
    """As Debian and conda do: compiled elsewhere, under the name that it will have."""
    compiled(package, also=("-d", "/usr/lib/python3/dist-packages/pk"))

    assert clean(trust(package), *EITHER)


def test_a_copied_tree_has_new_times_and_that_is_information(package: Path, tmp_path: Path) -> None:
    compiled(package)
    copy = tmp_path / "copy"
    shutil.copytree(package, copy)
    for each in copy.glob("*.py"):
        os.utime(each, (1, 1))
    found = trust(copy)

    assert clean(found, *EITHER)
    assert {("TRU301", "info")} == {(each.kind, each.severity) for each in found.signs}


def test_one_stale_file_of_many_stands_out(tmp_path: Path) -> None:
    folder = tmp_path / "pk"
    folder.mkdir()
    for number in range(12):
        (folder / f"m{number}.py").write_text(f"x = {number}\n")
    compiled(folder)
    os.utime(folder / "m3.py", (1, 1))
    found = trust(folder)

    assert [("TRU301", "warning")] == [(each.kind, each.severity) for each in found.signs]


def _pytest_package(folder: Path) -> list[Path]:
    (folder / "test_one.py").write_text(
        '"""Doc."""\nimport os\n\n\ndef helper(x):\n    return x + 1\n\n\n'
        "def test_a():\n    values = [1, 2]\n    for each in values:\n"
        "        assert helper(each) == each + 1, 'no'\n"
        "    assert not os.path.exists('/gone') and values\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, cwd=folder)
    return list((folder / "__pycache__").glob("*-pytest-*.pyc"))


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
def test_what_pytest_rewrote(tmp_path: Path) -> None:
    (cached,) = _pytest_package(tmp_path)
    found = trust(cached)

    assert clean(found, "same behaviour")
    assert {"TRU108"} == {each.kind for each in found.signs}
    assert "by pytest" in found.files[0].runs


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
@pytest.mark.parametrize(
    ("old", "new"),
    [(b"exists", b"unlink"), (b"helper", b"system"), (b"/gone", b"/etc/")],
    ids=["a name", "a function", "a text"],
)
def test_poison_under_pytests_name_is_found(tmp_path: Path, old: bytes, new: bytes) -> None:
    """A text of an assert statement is the one thing that cannot be told."""
    (cached,) = _pytest_package(tmp_path)
    data = cached.read_bytes()
    cached.write_bytes(data[:16] + data[16:].replace(old, new[: len(old)].ljust(len(old), b"x")))
    found = trust(cached)

    assert ("differs" == found.files[0].verdict) or old == b"/gone"


def _nearest(version: str) -> Interpreter:
    """An interpreter of a version that is here."""
    for each in installed():
        if each.version == version:
            return each
    pytest.skip(f"no CPython {version} is here")


@pytest.mark.parametrize("file", OTHERS, ids=lambda file: file.stem)
def test_another_release_is_recognised(file: Path) -> None:
    """Bytecode of other releases, kept here, against the releases that are here."""
    release = file.stem.partition("-")[2]
    version = ".".join(release.split(".")[:2])
    near = _nearest(version)
    theirs = load(bytes.fromhex(file.read_text()), table(version))
    ours = load(marshalled(near, DRIFTING, "drift_sample.py"), table(version))
    assert isinstance(theirs, Code)
    assert isinstance(ours, Code)
    if same_constant(theirs, ours):
        return  # it compiles no part of the sample otherwise
    names = {each.name for each in explained(theirs, ours)}
    assert names
    assert names <= {each.name for each in drifts_of(version)}
    for change in (
        replace(theirs, stacksize=theirs.stacksize + 1),
        replace(theirs, names=(*theirs.names, "payload")),
        replace(theirs, consts=(*theirs.consts, "payload")),
        replace(theirs, exceptiontable=theirs.exceptiontable + bytes([0x80, 0, 0, 0])),
        replace(theirs, code=theirs.code + theirs.code[-2:]),
    ):
        assert [] == explained(change, ours)


def test_two_releases_of_one_version_that_are_here(tmp_path: Path) -> None:
    """Bytecode of one release, judged where that release is: identical, whoever judges."""
    hosts = [each for each in installed() if each.version in ("3.11", "3.13")]
    releases = {each.release: each for each in hosts}
    if len(releases) < 2:
        pytest.skip("no two releases of one version are here")
    for each in releases.values():
        folder = tmp_path / each.release
        folder.mkdir()
        source = folder / "drifting.py"
        source.write_bytes(DRIFTING)
        command = [each.path, "-I", "-S", "-m", "py_compile", str(source)]
        subprocess.run(command, check=True)
        found = trust(folder)

        assert clean(found, "identical", "same"), found.files
        assert 1 == len(found.files)


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"])
def test_files_of_every_version(tmp_path: Path, version: str) -> None:
    python = str(require(version))
    source = tmp_path / "drifting.py"
    source.write_bytes(SAMPLE)
    subprocess.run([python, "-I", "-S", "-m", "py_compile", str(source)], check=True)
    found = trust(tmp_path)

    assert clean(found, "identical", "same"), found.files
    (cached,) = (tmp_path / "__pycache__").iterdir()
    data = cached.read_bytes()
    cached.write_bytes(data.replace(b"no such amount", b"no such sum ok"))
    assert "differs" == trust(tmp_path).files[0].verdict


def test_without_an_interpreter_of_its_version_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "x.py"
    source.write_text("x = 1\n")
    cached = Path(importlib.util.cache_from_source(str(source), optimization=""))
    cached.parent.mkdir()
    code = compile("x = 1\n", str(source), "exec")
    other = cached.with_name("x.cpython-38.pyc")
    other.write_bytes((3413).to_bytes(2, "little") + b"\r\n" + bytes(12) + marshal.dumps(code))
    monkeypatch.setattr("coscope.trust.recompile.installed", tuple)
    found = trust(tmp_path)

    assert ["unreadable"] == [each.verdict for each in found.files]
    assert 2 == found.status()
