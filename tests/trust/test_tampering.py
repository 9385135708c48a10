"""Every kind of tampering with a bytecode file is reported, with its place."""

from __future__ import annotations

import py_compile
from pathlib import Path

import pytest

from coscope.trust import trust
from coscope.trust.model import FileTrust
from tests.trust import poisoner
from tests.trust.words import IDENTICAL

SAMPLE = Path(__file__).with_name("sample.txt")


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    """The bytecode of the sample, in __pycache__ beside its source."""
    source = tmp_path / "pk" / "sample.py"
    source.parent.mkdir()
    source.write_bytes(SAMPLE.read_bytes())
    return Path(py_compile.compile(str(source), doraise=True))


def _judged(cached: Path) -> FileTrust:
    return trust(cached).files[0]


def test_the_sample_is_clean(cached: Path) -> None:
    found = trust(cached.parent.parent)

    assert [IDENTICAL] == [each.verdict for each in found.files]
    assert [] == list(found.signs)
    assert 0 == found.status(strict=True)


def test_there_are_many_kinds() -> None:
    assert 50 < len({kind.name for kind in poisoner.KINDS})


@pytest.mark.parametrize("kind", poisoner.KINDS, ids=lambda kind: kind.name)
def test_a_tampering_is_reported_with_its_place(cached: Path, kind: poisoner.Kind) -> None:
    clean = cached.read_bytes()
    for seed in range(3):
        data = poisoner.poisoned(clean, kind, seed)
        assert data != clean
        cached.write_bytes(data)
        found = trust(cached)

        signs = list(found.signs)
        assert {each.kind for each in signs} & set(kind.rules), signs
        assert 0 < found.status()
        places = {each.code for each in signs} | {each.code for each in found.files[0].places}
        offsets = [each.offset for each in signs if each.code is None]
        assert kind.place in places if kind.place else places - {None} or offsets


def test_rewritten_without_sharing_it_is_the_same(cached: Path) -> None:
    """Not a tampering: references and the order of a set mean nothing."""
    same = poisoner.Kind("nothing", on_code=lambda module, draw: module)
    cached.write_bytes(poisoner.poisoned(cached.read_bytes(), same, 0))
    found = _judged(cached)

    assert ("same", ()) == (found.verdict, found.signs)
