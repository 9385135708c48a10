"""Properties of our reader of marshalled bytes, by Hypothesis."""

from __future__ import annotations

import marshal
from typing import Any

import pytest

from coscope.codec.unmarshal import load
from coscope.errors import CoscopeError
from coscope.model import Code
from coscope.opcodes import table
from tests.codec import marshal_builder as build
from tests.codec.marshalled import described

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

TABLE = table("3.13")


def _equals_itself(value: object) -> bool:
    return value == value  # a NaN does not, and has no place of its own in a set


@given(st.integers() | st.integers(-(2**4000), 2**4000))
def test_reads_every_integer(value: int) -> None:
    assert value == load(marshal.dumps(value), TABLE)
    assert value == load(build.long(value), TABLE)


_ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters())
    | st.binary()
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner).map(tuple) | st.frozensets(inner.filter(_equals_itself))


_CONSTANTS = st.recursive(_ATOMS, _containers, max_leaves=20)


@given(_CONSTANTS)
def test_reads_what_marshal_writes(value: Any) -> None:
    for version in range(2, marshal.version + 1):
        assert described(value) == described(load(marshal.dumps(value, version), TABLE))


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_our_error(data: bytes) -> None:
    try:
        value = load(data, TABLE)
    except CoscopeError:
        return

    assert repr(value)


@given(st.data())
def test_a_damaged_code_object_gives_a_code_object_or_our_error(data: st.DataObject) -> None:
    whole = bytearray(build.code_3_13(consts=build.items(build.code_3_13(), build.small(7))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    del whole[len(whole) - data.draw(st.just(0) | st.integers(0, len(whole))) :]
    try:
        value = load(bytes(whole), TABLE)
    except CoscopeError:
        return

    assert not isinstance(value, Code) or len(list(value.walk())) >= 1
