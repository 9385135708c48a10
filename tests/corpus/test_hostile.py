"""Hostile contents: every one is a row with a reason, and costs no other file its row."""

from __future__ import annotations

import importlib.util
import io
import marshal
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="coscope[corpus] is not installed")
pytest.importorskip("duckdb", reason="coscope[corpus] is not installed")

from coscope.corpus import open_corpus, scan

GOOD = "def good(x):\n    return x\n"
_MAGIC = importlib.util.MAGIC_NUMBER + bytes(12)


def _sources() -> Iterator[tuple[str, bytes]]:
    for sign in "([{":
        yield f"nested {ord(sign)}", b"x = " + sign.encode() * 5000
    yield "long sum", b"x = " + b"1+" * 20_000 + b"1"
    yield "unary", b"x = " + b"-" * 50_000 + b"1"
    yield "nots", b"x = " + b"not " * 20_000 + b"1"
    yield "lambdas", b"x = " + b"lambda:" * 5000 + b"1"
    yield "attributes", b"x = a" + b".b" * 50_000
    yield "calls", b"x = a" + b"()" * 50_000
    yield "subscripts", b"x = a" + b"[0]" * 30_000
    yield "ternaries", b"x = " + b"1 if a else " * 5000 + b"1"
    yield "blocks", b"".join(b" " * at + b"if x:\n" for at in range(300))
    yield "power", b"x = 9**9**9**9"
    yield "shift", b"x = 1 << 10**9"
    yield "repeat", b"x = 'a' * 10**12"
    yield "many constants", b"x = [" + b",".join(b"%d" % at for at in range(1_000_000)) + b"]"
    yield "many functions", b"".join(b"def f%d(): pass\n" % at for at in range(20_000))
    yield "many names", b"".join(b"n%d = 1\n" % at for at in range(50_000))
    yield "null byte", b"x = 1\0"
    yield "not utf-8", b"x = '\xff'"
    yield "unknown coding", b"# coding: no-such-thing\nx = 1\n"
    yield "dangerous coding", b"# coding: rot13\nk = 1\n"
    yield "surrogates", b"x = '\\udcff'\n'\\ud800'\n"
    yield "surrogate name", b"x = {'\\udcff': 1}['\\udcff']\n"
    yield "big integer", b"x = 0x" + b"f" * 100_000
    yield "decimal digits", b"x = " + b"9" * 10_000
    yield "form feed", b"\x0c\x0cx = 1\n"
    yield "bom", b"\xef\xbb\xbfx = 1\n"
    yield "cr only", b"x = 1\ry = 2\r"
    yield "long line", b"x = '" + b"a" * 2_000_000 + b"'"
    yield "f-strings", b"x = " + b"f'{" * 200
    yield "matches", b"match x:\n" + b"".join(b" case %d: pass\n" % at for at in range(5000))
    yield (
        "deep classes",
        b"".join(b" " * at + b"class A:\n" for at in range(90)) + b" " * 90 + b"pass",
    )
    yield "star arguments", b"f(" + b"*a, " * 20_000 + b")"
    yield "empty", b""
    yield "comment", b"#" * 1_000_000


def _compiled() -> Iterator[tuple[str, bytes]]:
    code = marshal.dumps(compile(GOOD, "x", "exec"))
    yield "cut", _MAGIC + code[:40]
    yield "no code", _MAGIC + marshal.dumps(1)
    yield "header alone", _MAGIC
    yield "two bytes", b"\x0d\x0a"
    yield "unknown magic", b"\x01\x00\r\n" + bytes(12) + code
    yield "cyclic", _MAGIC + b"\xa9\x01r\x00\x00\x00\x00"
    yield "half a gigabyte", _MAGIC + b"(\xff\xff\xff\x1f"
    yield "huge string", _MAGIC + b"s\xff\xff\xff\x7f"
    yield (
        "bomb of tuples",
        _MAGIC + b"\xa9\x01N" + b"\xa9\x02r\x00\x00\x00\x00r\x00\x00\x00\x00" * 40,
    )
    yield "deep tuples", _MAGIC + b"\xa9\x01" * 5000 + b"N"
    yield "flipped", _MAGIC + bytes(each ^ 0x40 for each in code)
    yield "zeros", _MAGIC + bytes(10_000)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    for at, (_name, data) in enumerate(_sources()):
        (root / f"s{at:02}.py").write_bytes(data)
        (root / f"good{at:02}.py").write_text(f"{GOOD}# {at}\n")
    for at, (_name, data) in enumerate(_compiled()):
        (root / f"c{at:02}.pyc").write_bytes(data)
    with zipfile.ZipFile(root / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.py", bytes(300 * 2**20))
        archive.writestr("../outside.py", GOOD)
        archive.writestr("good.py", GOOD + "# in a zip\n")
    with tarfile.open(root / "bomb.tar.gz", "w:gz") as archive:
        for name, size in (("zeros.py", 40 * 2**20), ("good.py", 0)):
            info = tarfile.TarInfo(name)
            data = bytes(size) if size else (GOOD + "# in a tar\n").encode()
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (root / "damaged.whl").write_bytes(b"PK\x03\x04 nothing more")
    return root


@pytest.fixture(scope="module")
def found(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, int]]:
    """By name of the file or member: its status and number of code objects."""
    folder = tmp_path_factory.mktemp("hostile-corpus") / "c"
    archives = [hostile / name for name in ("bomb.zip", "bomb.tar.gz", "damaged.whl")]
    scan([hostile, *archives], folder, processes=2)
    with open_corpus(folder) as corpus:
        rows = corpus.sql(
            "select path, member, status, codes from files join places using (file)"
        ).rows()
    return {
        f"{Path(str(path)).name}{'::' if member else ''}{member}": (str(status), int(str(codes)))
        for path, member, status, codes in rows
    }


def test_there_are_fifty_of_them() -> None:
    assert 45 <= len([*_sources(), *_compiled()])


def test_nothing_is_lost(hostile: Path, found: dict[str, tuple[str, int]]) -> None:
    expected = {file.name for file in hostile.iterdir() if file.suffix in (".py", ".pyc")}

    assert set() == expected - set(found)


def test_good_files_are_read_beside_bad_ones(found: dict[str, tuple[str, int]]) -> None:
    good = {name: row for name, row in found.items() if name.startswith("good")}

    assert {("read", 2)} == set(good.values())
    assert ("read", 2) == found["bomb.zip::good.py"] == found["bomb.tar.gz::good.py"]


def test_every_bad_one_has_a_status_of_the_list(found: dict[str, tuple[str, int]]) -> None:
    allowed = {
        "read", "does not compile", "damaged", "a limit", "too slow", "the process died",
        "unreadable",
    }  # fmt: skip

    assert set() == {status for status, _codes in found.values()} - allowed


def test_damaged_pyc_files_have_no_code_objects(found: dict[str, tuple[str, int]]) -> None:
    compiled = {name: row for name, row in found.items() if name.endswith(".pyc")}

    assert len(list(_compiled())) == len(compiled)
    assert {0} == {codes for status, codes in compiled.values() if status != "read"}
    assert {"damaged", "a limit"} >= {status for status, _codes in compiled.values()}


def test_zeros_in_an_archive_are_a_limit(found: dict[str, tuple[str, int]]) -> None:
    assert ("a limit", 0) == found["bomb.zip::zeros.py"]
    assert ("a limit", 0) == found["bomb.tar.gz::zeros.py"]


def test_a_damaged_archive_is_a_row(found: dict[str, tuple[str, int]]) -> None:
    assert ("unreadable", 0) == found["damaged.whl"]


def test_a_link_is_not_followed(found: dict[str, tuple[str, int]]) -> None:
    assert "bomb.tar.gz::link.py" not in found
