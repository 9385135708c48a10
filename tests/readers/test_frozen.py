"""Programs of PyInstaller: read without running, whatever surrounds their archive."""

from __future__ import annotations

import marshal
import random
import struct
import zlib
from pathlib import Path

import pytest

from coscope import read, verify
from coscope.codec.pyc import known_magics
from coscope.errors import TargetError
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.frozen import COOKIE, read_program
from coscope.trust import trust

SCRIPT = compile("import pk.mod\nprint(eval(input()))\n", "app.py", "exec")
MODULE = compile("def f(x):\n    return x + 1\n", "pk/mod.py", "exec")
PACKAGE = compile("", "pk/__init__.py", "exec")


def pyz(key: bytes | None = None) -> bytes:
    """A PYZ archive as PyInstaller writes it; with a key, its modules are not plain."""
    magic = next(m for m in known_magics() if m.version == HOST_VERSION).releases[-1]
    body = b""
    entries = []
    for name, kind, code in (("pk", 1, PACKAGE), ("pk.mod", 0, MODULE)):
        held = zlib.compress(marshal.dumps(code))
        if key is not None:
            held = bytes(byte ^ key[0] for byte in held)
        entries.append((name, (kind, 17 + len(body), len(held))))
        body += held
    head = b"PYZ\0" + magic.to_bytes(2, "little") + b"\r\n" + struct.pack("!i", 17 + len(body))
    return head + bytes(5) + body + marshal.dumps(entries)


def program(*, key: bytes | None = None, tail: bytes = b"", cookie: bytes = COOKIE) -> bytes:
    """A loader, a CArchive behind it, and what somebody appended."""
    parts = [
        ("app", "s", zlib.compress(marshal.dumps(SCRIPT)), 1),
        ("PYZ.pyz", "z", pyz(key), 0),
        ("data.txt", "x", b"text", 0),
    ]
    if key is not None:
        parts.append(("pyimod00_crypto_key", "m", marshal.dumps(PACKAGE), 0))
    body, table = b"", b""
    for name, kind, data, packed in parts:
        label = name.encode() + b"\0"
        size = 18 + len(label)
        table += struct.pack(
            "!IIIIBc", size, len(body), len(data), len(data), packed, kind.encode()
        )
        table += label
        body += data
    version = int(HOST_VERSION.replace(".", ""))
    length = len(body) + len(table) + 88
    end = struct.pack("!8sIIII64s", cookie, length, len(body), len(table), version, b"libpython")
    return b"\x7fELF" + bytes(8000) + body + table + end + tail


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app"
    path.write_bytes(program())
    return path


NAMES = {"app.pyc", "PYZ.pyz/pk/__init__.pyc", "PYZ.pyz/pk/mod.pyc"}


def test_scripts_and_modules_are_found(file: Path) -> None:
    found = trust(file)

    assert {f"{file}::{name}" for name in NAMES} == {each.file for each in found.files}
    assert {"no source"} == {each.verdict for each in found.files}
    assert 0 == found.status()
    assert 1 == found.status(strict=True)


def test_what_a_script_can_do_is_said(file: Path) -> None:
    script = next(each for each in trust(file).files if each.file.endswith("app.pyc"))

    assert script.abilities is not None
    assert (("pk.mod",), ("eval",)) == (script.abilities.imports, script.abilities.calls)
    assert ["DYN101"] == [each.partition(" ")[0] for each in script.abilities.dynamic]


def test_every_reading_verb_takes_a_module(file: Path) -> None:
    assert "f" == read(f"{file}::PYZ.pyz/pk/mod.pyc::f").qualname
    assert verify(f"{file}::app.pyc").ok


@pytest.mark.parametrize("tail", [b"\0", b"signature" * 999, COOKIE + b"no archive"], ids=len)
def test_a_tail_is_tolerated(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "app"
    path.write_bytes(program(tail=tail))

    assert 3 == len(trust(path).files)


def test_without_its_cookie_the_modules_are_found_all_the_same() -> None:
    found = read_program(program(cookie=b"OTHER\0\0\0"), "app")

    assert {"PYZ/pk/__init__.pyc", "PYZ/pk/mod.pyc"} == {each.name for each in found.parts}
    assert found.warnings


def test_encrypted_modules_are_named(tmp_path: Path) -> None:
    path = tmp_path / "app"
    path.write_bytes(program(key=b"\x55"))
    found = trust(path)

    assert "TRU504" in {each.kind for each in found.signs}
    assert {f"{path}::PYZ.pyz/pk/mod.pyc"} <= {each.file for each in found.signs}
    assert 1 == found.status()


def test_a_program_in_a_folder_is_found(file: Path) -> None:
    file.chmod(0o755)
    (file.parent / "tool").write_bytes(b"\x7fELF" + bytes(9000))
    (file.parent / "tool").chmod(0o755)

    assert 3 == len(trust(file.parent).files)


def test_a_program_without_an_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_bytes(b"\x7fELF" + bytes(9000))
    with pytest.raises(TargetError):
        trust(path)


def test_mutants_raise_nothing_else(tmp_path: Path) -> None:
    from coscope.errors import CoscopeError
    from tools.fuzz_archives import mutants

    path = tmp_path / "mutant"
    for data in mutants(program(), 150, random.Random(3)):
        path.write_bytes(data)
        try:
            assert trust(path).status() in (0, 1, 2)
        except CoscopeError:
            continue
