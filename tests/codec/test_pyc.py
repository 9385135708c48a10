"""The header of a .pyc file, and which CPython a magic number means."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from coscope import opcodes
from coscope.codec.pyc import Header, known_magics, read_header, version_of
from coscope.codec.siphash import has_hash
from coscope.errors import PycError, Truncated, UnknownMagic
from tests import interpreters
from tests.codec.marshal_builder import pyc

RELEASES = {
    "3.8": 3413,
    "3.9": 3425,
    "3.10": 3439,
    "3.11": 3495,
    "3.12": 3531,
    "3.13": 3571,
    "3.14": 3627,
    "3.15": 3666,
}


def test_by_time_and_size() -> None:
    rest = (1_700_000_000).to_bytes(4, "little") + (1234).to_bytes(4, "little")

    expected = Header(3571, "3.13", 0, 1_700_000_000, 1234, None)

    assert expected == read_header(pyc(b"", rest=rest))


@pytest.mark.parametrize(("flags", "checks"), [(1, False), (3, True)])
def test_by_hash(flags: int, checks: bool) -> None:
    header = read_header(pyc(b"", flags=flags, rest=b"12345678"))

    assert b"12345678" == header.source_hash
    assert (True, checks) == (header.is_hash_based, header.checks_source)
    assert (None, None, 16) == (header.mtime, header.source_size, header.payload)


def test_a_check_without_a_hash_is_told() -> None:
    header = read_header(pyc(b"", flags=2))

    assert 0 == header.mtime
    assert ("the header asks to check a source hash that it does not have",) == header.warnings


@pytest.mark.parametrize("version", RELEASES)
def test_the_magic_of_each_release(version: str) -> None:
    assert (version, ()) == version_of(RELEASES[version])


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_the_magic_of_each_interpreter(version: str) -> None:
    python = interpreters.require(version)
    code = "import importlib.util as u, sys; sys.stdout.buffer.write(u.MAGIC_NUMBER)"
    magic = subprocess.run([python, "-c", code], capture_output=True, check=True).stdout

    assert (version, ()) == version_of(int.from_bytes(magic[:2], "little"))


def test_the_magic_of_this_interpreter() -> None:
    magic = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")

    assert f"3.{sys.version_info.minor}" == version_of(magic)[0]


def test_a_pre_release_is_told() -> None:
    version, warnings = version_of(3550)

    assert "3.13" == version
    assert "magic number 3550 is of a pre-release of CPython 3.13" in warnings[0]


def test_a_number_between_two_known_ones_is_read_with_a_warning() -> None:
    gaps = [
        (known.version, magic)
        for known in known_magics()
        for magic in range(known.all[0], known.all[-1])
        if magic not in known.all
    ]

    assert gaps
    for version, magic in gaps:
        found, warnings = version_of(magic)
        assert version == found
        assert f"magic number {magic} is not listed; read as CPython {version}" in warnings[0]


@pytest.mark.parametrize("magic", [0, 62211, 3379, 3394, 3572, 3599, 65535])
def test_an_unknown_magic_lists_the_known_versions(magic: int) -> None:
    with pytest.raises(UnknownMagic) as caught:
        read_header(pyc(b"", magic=magic), "x.pyc")

    message = str(caught.value)
    assert all(f"{version} (" in message for version in opcodes.VERSIONS)
    assert message.startswith("x.pyc, byte 0: ")
    assert "; expected that of CPython 3.8 (3413)" in message
    assert message.endswith(f"found {magic}")


def test_no_magic_means_two_versions() -> None:
    every = [magic for known in known_magics() for magic in known.all]

    assert sorted(set(every)) == every
    assert all(set(known.releases) <= set(known.all) for known in known_magics())


def test_the_heads_of_the_tables_are_the_tables() -> None:
    known = known_magics()[0]
    table = opcodes.table(known.version)

    assert (table.magics, table.release_magics) == (known.all, known.releases)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b"#!", "'#!'"),
        (b"import os\n", "'impo'"),
        (b"\x7fELF" + bytes(99), "'\\x7fELF'"),
        (b"\xf3\r\n\n" + bytes(20), "'\\xf3\\r\\n\\n'"),
    ],
)
def test_another_file(data: bytes, found: str) -> None:
    with pytest.raises(PycError, match=r"x\.pyc, byte 0: not a \.pyc file") as caught:
        read_header(data, "x.pyc")

    assert found == caught.value.found


@pytest.mark.parametrize("length", range(4, 16))
def test_a_header_cut_off(length: int) -> None:
    with pytest.raises(Truncated, match=f"byte {length}: the bytes end inside the header"):
        read_header(pyc(b"")[:length], "x.pyc")


def test_undefined_flags() -> None:
    with pytest.raises(PycError, match="undefined flags") as caught:
        read_header(pyc(b"", flags=0x100))

    assert (4, "0x100") == (caught.value.offset, caught.value.found)


@pytest.mark.parametrize("version", interpreters.VERSIONS)
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 300])
def test_hashes_as_that_interpreter(version: str, size: int) -> None:
    python = interpreters.require(version)
    source = bytes(n * 7 % 256 for n in range(size))
    code = f"import importlib.util as u, sys; sys.stdout.buffer.write(u.source_hash({source!r}))"
    stored = subprocess.run([python, "-c", code], capture_output=True, check=True).stdout
    magic = RELEASES[version]

    assert has_hash(source, stored, magic)
    assert not has_hash(source + b" ", stored, magic)
    assert not has_hash(source, stored, magic + 1)


@pytest.mark.skipif(sys.platform == "emscripten", reason="needs a child process")
def test_reading_a_magic_parses_no_whole_table() -> None:
    script = (
        "from coscope import opcodes; from coscope.codec.pyc import version_of; "
        "version_of(3571); print(opcodes.table.cache_info().currsize)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )

    assert "0" == run.stdout.strip()
