"""The writer of marshalled code: what CPython reads of it is what was written."""

from __future__ import annotations

import json
import marshal
import random
import subprocess
import sysconfig
from dataclasses import replace
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from coscope.codec.marshal_forms import forms
from coscope.codec.marshalling import dump
from coscope.codec.unmarshal import load
from coscope.errors import LimitExceeded, MarshalError, PatchError
from coscope.model import Code, Collection, FrozenSet, Opaque, Slice
from coscope.opcodes import VERSIONS, table
from coscope.readers.from_function import HOST_VERSION, from_code_object
from tests import interpreters
from tests.codec.marshalled import sample
from tests.flow.building import DATA, HEADER

VALUES: list[Any] = [
    None, True, False, ..., StopIteration, 0, -1, 1 << 31, -(1 << 31), (1 << 31) - 1, 1 << 100,
    -(1 << 61) + 1, 0.5, -0.0, 1e300, 2j, b"", b"bytes", "", "ascii", "a" * 300, "grün", "\ud800",
    (), (1, (2, "x")), tuple(range(300)), FrozenSet((1, "a")), Collection("list", (1, 2)),
    Collection("set", (1,)), Collection("dict", ((1, 2), ("a", None))),
]  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_a_value_is_read_as_it_was_written(value: Any, version: str) -> None:
    found = load(dump(value, version), table(version))

    assert repr(value) == repr(found)


def test_a_slice_is_read_as_it_was_written() -> None:
    assert Slice(1, None, (2,)) == load(dump(Slice(1, None, (2,)), "3.14"), table("3.14"))


def plain(value: Any) -> Any:
    """A live constant without code objects, so that types count."""
    if type(value) is CodeType:
        names = [name for name in dir(value) if name.startswith("co_") and name != "co_lnotab"]
        parts = {name: getattr(value, name) for name in names}
        return {name: plain(part) for name, part in parts.items() if not callable(part)}
    if type(value) is tuple:
        return [plain(item) for item in value]
    if type(value) is frozenset:
        return sorted(map(repr, value))
    return repr(value)


def test_the_host_reads_its_whole_code_objects() -> None:
    library = Path(sysconfig.get_path("stdlib"))
    known = sorted(file for file in library.glob("*.py") if file.is_file())
    if not known:
        pytest.skip("this standard library is an archive")
    files = random.Random(4).sample(known, 12)
    for file in files:
        co = compile(file.read_bytes(), file.name, "exec", dont_inherit=True)
        again = marshal.loads(dump(from_code_object(co), HOST_VERSION))

        assert plain(co) == plain(again)
        assert from_code_object(co).localspluskinds == from_code_object(again).localspluskinds


READS = """
import json, marshal, sys
def same(a, b):
    if type(a) is not type(b):
        return False
    if hasattr(a, "co_code"):
        names = [n for n in dir(a) if n.startswith("co_") and n not in ("co_consts", "co_lnotab")]
        return all(
            getattr(a, n) == getattr(b, n) for n in names if not callable(getattr(a, n))
        ) and len(a.co_consts) == len(b.co_consts) and all(map(same, a.co_consts, b.co_consts))
    return repr(a) == repr(b) or a == b
for path, data in json.load(sys.stdin):
    with open(path, "rb") as file:
        co = compile(file.read(), path, "exec", dont_inherit=True)
    assert same(co, marshal.loads(bytes.fromhex(data))), path
print("same")
"""


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_other_interpreters_read_what_is_written_for_them(version: str) -> None:
    python = interpreters.require(version)
    compiled = "import marshal, sys; p = sys.argv[1]; sys.stdout.write(marshal.dumps(compile("
    compiled += "open(p, 'rb').read(), p, 'exec', dont_inherit=True)).hex())"
    written = []
    for path in sample(python, 6, seed=9):
        run = subprocess.run(
            [str(python), "-I", "-W", "ignore", "-c", compiled, str(path)],
            capture_output=True,
            text=True,
        )
        if run.returncode:  # test data that is not meant to compile
            continue
        code = load(bytes.fromhex(run.stdout), table(version))
        assert isinstance(code, Code)
        written.append((str(path), dump(code, version).hex()))
    done = subprocess.run(
        [str(python), "-I", "-W", "ignore", "-c", READS],
        input=json.dumps(written),
        capture_output=True,
        text=True,
    )

    assert ("same\n", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_is_written_as_it_was_read(version: str) -> None:
    for file in sorted((DATA / version).glob("*.pyc")):
        data = file.read_bytes()
        form = forms(data, table(version), start=HEADER)
        code = load(data, table(version), start=HEADER)

        assert data[HEADER:] == dump(code, version, like=form)
        assert code == without_columns(load(dump(code, version), table(version)))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_edited_file_keeps_the_form_of_the_rest(version: str) -> None:
    for file in sorted((DATA / version).glob("*.pyc")):
        data = file.read_bytes()
        form = forms(data, table(version), start=HEADER)
        code = load(data, table(version), start=HEADER)
        assert isinstance(code, Code)
        names = tuple(f"{name}_" if name.islower() else name for name in code.names)
        consts = tuple(0 if type(each) is str else each for each in code.consts)
        other = replace(code, names=names, consts=(*consts, "more", (1, "a")))
        written = dump(other, version, like=form)

        assert other == without_columns(load(written, table(version)))
        assert written != data[HEADER:]


def without_columns(code: Any) -> Any:
    return replace(code)


def test_what_a_reference_named_may_be_gone() -> None:
    text = "shared text"
    data = marshal.dumps((text, text, (text, 5)))
    found = load(data, table(HOST_VERSION))
    form = forms(data, table(HOST_VERSION))

    assert data == dump(found, HOST_VERSION, like=form)
    for other in (
        ("a", text, (text, 5)),
        (None, text, (text, text)),
        (text, "b", (7, text)),
        ((), "b"),
        ((text, text), text, (("a", text), 5), text),
    ):
        assert other == load(dump(other, HOST_VERSION, like=form), table(HOST_VERSION))


def test_the_form_of_bytes_that_end_is_refused() -> None:
    data = marshal.dumps(("a", 5, (1.5, b"bytes")))
    for stop in range(len(data)):
        with pytest.raises(MarshalError):
            forms(data[:stop], table(HOST_VERSION))
    with pytest.raises(MarshalError, match="unknown type byte"):
        forms(b"?", table(HOST_VERSION))


@pytest.mark.parametrize("value", [{}, {1: 2}, {"a": (1, 2), "b": {3: 4}}])
def test_the_form_of_a_dict_has_its_keys_and_values(value: dict[object, object]) -> None:
    data = marshal.dumps(value, 0)
    form = forms(data + marshal.dumps(("behind",), 0), table(HOST_VERSION))

    assert len(form.root.parts) == 2 * len(value)
    assert [len(each.parts) for each in form.root.parts[1::2]] == [
        2 * len(each) if type(each) is dict else len(each) if type(each) is tuple else 0
        for each in value.values()
    ]


def test_what_no_file_can_hold() -> None:
    with pytest.raises(PatchError, match="live object"):
        dump((Opaque("list", 5),), "3.13")
    with pytest.raises(PatchError, match="two versions"):
        dump(from_code_object((lambda: 0).__code__), "3.8")
    deep: Any = ()
    for _ in range(300):
        deep = (deep,)
    with pytest.raises(LimitExceeded):
        dump(deep, "3.13")


def test_the_same_object_gives_the_same_bytes() -> None:
    text = "x" * 5
    assert dump((text, text), "3.13") == dump((text, "".join(["xx", "xxx"])), "3.13")
