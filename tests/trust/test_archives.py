"""Wheels, sdists, zip applications and archives inside of them: judged in memory."""

from __future__ import annotations

import hashlib
import io
import py_compile
import random
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from coscope.readers import archives, select
from coscope.trust import TrustReport, trust
from tests.trust import poisoner
from tests.trust.words import IDENTICAL

SOURCE = (Path(__file__).with_name("sample.txt")).read_bytes()


def bytecode(tmp_path: Path, text: bytes = SOURCE) -> bytes:
    """A .pyc of a text, of the module pk/sample.py, with a checked hash."""
    source = tmp_path / "compiled" / "pk" / "sample.py"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(text)
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    made = py_compile.compile(str(source), dfile="pk/sample.py", invalidation_mode=mode)
    return Path(str(made)).read_bytes()


def cached_name() -> str:
    import importlib.util

    return importlib.util.cache_from_source("pk/sample.py").replace("\\", "/")


def wheel(path: Path, files: dict[str, bytes], record: str | None = None) -> Path:
    """A wheel with a true RECORD, unless another one is given."""
    rows = "".join(f"{name},{_hash(data)},{len(data)}\n" for name, data in files.items())
    rows += "pk-1.0.dist-info/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("pk-1.0.dist-info/RECORD", rows if record is None else record)
    return path


def _hash(data: bytes) -> str:
    return "sha256=" + urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    return {
        "pk/__init__.py": b"",
        "pk/sample.py": SOURCE,
        cached_name(): bytecode(tmp_path),
        "pk-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: pk\nVersion: 1.0\n",
        "pk-1.0.dist-info/entry_points.txt": b"[console_scripts]\npk = pk.sample:total\n",
    }


def kinds(found: TrustReport) -> set[str]:
    return {each.kind for each in found.signs}


def test_a_clean_wheel(tmp_path: Path, files: dict[str, bytes]) -> None:
    found = trust(wheel(tmp_path / "pk-1.0-py3-none-any.whl", files))

    assert ([IDENTICAL], set()) == ([each.verdict for each in found.files], kinds(found))
    listed = {(each.kind, each.name) for each in found.listed}
    assert {("entry point", "console_scripts: pk"), ("distribution", "pk-1.0")} <= listed


@pytest.mark.parametrize("kind", poisoner.KINDS[::7], ids=lambda kind: kind.name)
def test_poison_in_a_wheel_is_found(
    tmp_path: Path, files: dict[str, bytes], kind: poisoner.Kind
) -> None:
    name = cached_name()
    files[name] = poisoner.poisoned(files[name], kind, 1)
    found = trust(wheel(tmp_path / "pk-1.0-py3-none-any.whl", files))

    assert 0 < found.status()
    assert found.files[0].file.endswith(f"whl::{name}")


def _replaced(files: dict[str, bytes]) -> dict[str, bytes]:
    return {**files, "pk/sample.py": SOURCE + b"# more\n"}


def _added(files: dict[str, bytes]) -> dict[str, bytes]:
    return {**files, "pk/extra.py": b"import os\n"}


def _removed(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name != "pk/__init__.py"}


def _emptied(files: dict[str, bytes]) -> dict[str, bytes]:
    return {**files, "pk-1.0.dist-info/entry_points.txt": b""}


@pytest.mark.parametrize(
    ("change", "rule"),
    [(_replaced, "TRU403"), (_added, "TRU404"), (_removed, "TRU402"), (_emptied, "TRU403")],
    ids=["replaced", "added", "removed", "emptied"],
)
def test_a_changed_wheel_is_not_as_recorded(
    tmp_path: Path, files: dict[str, bytes], change: object, rule: str
) -> None:
    path = wheel(tmp_path / "pk-1.0-py3-none-any.whl", files)
    with zipfile.ZipFile(path) as archive:
        record = archive.read("pk-1.0.dist-info/RECORD").decode()
    assert callable(change)
    found = trust(wheel(path, change(files), record))

    assert rule in kinds(found)
    assert 1 == found.status()


@pytest.mark.parametrize(
    "line",
    [
        "pk/sample.py,md5=AAAA,10",
        "pk/sample.py,,",
        "pk/sample.py",
        "pk/sample.py,sha256=AAAA,ten",
        "pk/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n" * 2,
    ],
    ids=["weak", "none", "short", "not a number", "twice"],
)
def test_an_odd_record_is_reported(tmp_path: Path, files: dict[str, bytes], line: str) -> None:
    found = trust(wheel(tmp_path / "pk-1.0-py3-none-any.whl", files, line + "\n"))

    assert "TRU405" in kinds(found)
    assert 1 == found.status()


def test_a_forged_record_does_not_hide_poison(tmp_path: Path, files: dict[str, bytes]) -> None:
    """RECORD fits the poisoned bytecode, and its own source does not."""
    other = SOURCE.replace(b"return count, label", b"return exec(label), 0")
    name = cached_name()
    header = files[name][:16]
    files[name] = header + bytecode(tmp_path, other)[16:]
    found = trust(wheel(tmp_path / "pk-1.0-py3-none-any.whl", files))

    assert ["differs"] == [each.verdict for each in found.files]
    assert "TRU101" in kinds(found)
    assert found.files[0].abilities is not None
    assert "exec" in found.files[0].abilities.calls


def test_bytecode_alone_in_a_wheel_has_no_source(tmp_path: Path, files: dict[str, bytes]) -> None:
    files["pk/hidden.pyc"] = files[cached_name()]
    found = trust(wheel(tmp_path / "pk-1.0-py3-none-any.whl", files))
    verdicts = {each.file.rpartition("::")[2]: each.verdict for each in found.files}

    assert "no source" == verdicts["pk/hidden.pyc"]
    assert 1 == found.status()


def test_a_path_line_that_executes_is_reported(tmp_path: Path, files: dict[str, bytes]) -> None:
    files["pk_init.pth"] = b"import os, sys; exec('print(1)')\n"
    found = trust(wheel(tmp_path / "pk-1.0-py3-none-any.whl", files))

    assert {"TRU401"} == kinds(found)
    assert 1 == found.status()


def test_an_sdist_and_a_plain_tar(tmp_path: Path, files: dict[str, bytes]) -> None:
    for suffix, mode in ((".tar.gz", "w:gz"), (".tar.bz2", "w:bz2"), (".tar", "w")):
        path = tmp_path / f"pk-1.0{suffix}"
        with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
            for name, data in files.items():
                info = tarfile.TarInfo(f"pk-1.0/{name}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        found = trust(path)

        assert [IDENTICAL] == [each.verdict for each in found.files], suffix
        assert 0 == found.status()


def test_archives_inside_of_archives(tmp_path: Path, files: dict[str, bytes]) -> None:
    inner = wheel(tmp_path / "pk-1.0-py3-none-any.whl", files)
    outer = tmp_path / "all.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, "wheels/pk-1.0-py3-none-any.whl")
        archive.writestr("wheels/none.whl", b"this is none")
    found = trust(outer)

    assert [f"{outer}::wheels/pk-1.0-py3-none-any.whl::{cached_name()}"] == [
        each.file for each in found.files
    ]
    assert {"TRU505"} == kinds(found)
    assert 0 == found.status()


def test_a_zip_application_runs_its_bytecode_before_its_source(tmp_path: Path) -> None:
    path = tmp_path / "app.pyz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__main__.py", "import pk.sample\n")
        archive.writestr("pk/sample.py", SOURCE)
        archive.writestr("pk/sample.pyc", bytecode(tmp_path))
    path.write_bytes(b"#!/usr/bin/env python3\n" + path.read_bytes())
    found = trust(path)

    assert [IDENTICAL] == [each.verdict for each in found.files]
    assert found.files[0].runs.startswith("the file itself, before sample.py")


def test_names_that_occur_twice_lead_out_or_are_links(tmp_path: Path) -> None:
    path = tmp_path / "odd.zip"
    link = zipfile.ZipInfo("etc")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.py", "x = 1\n")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.py", "x = 2\n")
        archive.writestr("../../evil.py", "x = 3\n")
        archive.writestr(link, "../../../etc/passwd")
    found = trust(path)

    assert {"TRU501", "TRU502", "TRU503"} == kinds(found)
    assert 2 == sum(each.kind == "TRU502" for each in found.signs)
    assert 1 == found.status()


def test_a_bomb_costs_one_line_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.pyc", bytes(300 * 2**20))
        archive.writestr("pk/sample.py", SOURCE)
        archive.writestr(cached_name(), bytecode(tmp_path))
    found = trust(path)

    assert [("TRU506", f"{path}::bomb.pyc")] == [(s.kind, s.file) for s in found.signs]
    assert [IDENTICAL] == [each.verdict for each in found.files]
    assert 2 == found.status()


def test_a_lying_size_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = wheel(tmp_path / "pk.zip", files)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (2**31).to_bytes(4, "little")
    path.write_bytes(bytes(data))

    found = trust(path)

    assert "TRU506" in kinds(found)
    assert 2 == found.status()
    assert [IDENTICAL] == [each.verdict for each in found.files]


def test_standard_input(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wheel(tmp_path / "pk-1.0-py3-none-any.whl", files)

    class Input:
        buffer = io.BytesIO(path.read_bytes())

    monkeypatch.setattr("sys.stdin", Input())
    found = trust("-")

    assert [f"<stdin>::{cached_name()}"] == [each.file for each in found.files]
    assert IDENTICAL == found.files[0].verdict


@pytest.mark.parametrize("target", ["pk/sample.py::total", "pk/sample.py:12", cached_name()])
def test_every_reading_verb_takes_a_member(
    tmp_path: Path, files: dict[str, bytes], target: str
) -> None:
    from coscope import diff, read, verify

    path = wheel(tmp_path / "pk-1.0-py3-none-any.whl", files)
    function = read(f"{path}::{target}")

    assert verify(f"{path}::{target}").ok
    assert diff(f"{path}::{target}", f"{path}::{target}").same
    if target == cached_name():
        assert "total" == select(f"{path}::{target}", "total").qualname
    else:
        assert "total" == function.qualname


def test_a_member_that_is_missing_is_named_with_those_that_are_alike(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    from coscope import TargetNotFound, read

    path = wheel(tmp_path / "pk-1.0-py3-none-any.whl", files)
    with pytest.raises(TargetNotFound, match=r"pk/sample\.py"):
        read(f"{path}::pk/sampel.py")


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz"])
def test_mutants_raise_nothing_else(tmp_path: Path, files: dict[str, bytes], form: str) -> None:
    """`tools/fuzz_archives.py` does many more."""
    from tools.fuzz_archives import mutants

    clean = tmp_path / f"clean.{form}"
    if form == "zip":
        wheel(clean, files)
    else:
        with tarfile.open(clean, "w:gz" if form == "tar.gz" else "w") as archive:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    path = tmp_path / f"mutant.{form}"
    for data in mutants(clean.read_bytes(), 60, random.Random(7)):
        path.write_bytes(data)
        assert trust(path).status() in (0, 1, 2)


def test_what_is_no_archive_is_none() -> None:
    assert [None, None, None] == [archives.kind_of(data) for data in (b"", b"text\n", bytes(600))]
