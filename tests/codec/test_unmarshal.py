"""Our reader of marshalled bytes against CPython's own, and against crafted ones."""

from __future__ import annotations

import marshal
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from coscope.codec.limits import Limits
from coscope.codec.marshal_forms import forms
from coscope.codec.marshalling import dump
from coscope.codec.unmarshal import load, read
from coscope.errors import CoscopeError, LimitExceeded, MarshalError, Truncated
from coscope.model import Collection, Constant, FrozenSet, Slice
from coscope.opcodes import table
from tests import interpreters
from tests.codec import marshal_builder as build
from tests.codec.marshalled import compiled, described, library, sample

TABLE = table("3.13")


def written_again(value: Constant, data: bytes, version: str) -> bytes:
    """What the writer makes of a value in the form of the bytes that it was read from."""
    return dump(value, version, like=forms(data, table(version)))


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_reads_what_that_interpreter_reads(version: str) -> None:
    python = interpreters.require(version)

    for genuine in compiled(python, sample(python, 12)):
        ours = load(genuine.data, table(version))

        assert genuine.description == described(ours), genuine.path
        assert genuine.data == written_again(ours, genuine.data, version), genuine.path


@pytest.mark.exhaustive
@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_reads_the_whole_library(version: str) -> None:
    python = interpreters.require(version)
    read_files = differing = changed = 0
    for genuine in compiled(python, library(python)):
        read_files += 1
        ours = load(genuine.data, table(version))
        differing += genuine.description != described(ours)
        changed += genuine.data != written_again(ours, genuine.data, version)
    print(f"{version}: {read_files} files, {differing} differ, {changed} are written differently")

    assert (differing, changed) == (0, 0)
    assert read_files > 1000


# Values and what marshal of each interpreter makes of them.

VALUES = [
    None,
    True,
    False,
    ...,
    StopIteration,
    0,
    -1,
    2**31 - 1,
    -(2**31),
    2**31,
    2**63,
    -(2**15),
    10**30,
    -(10**300),
    0.0,
    -0.0,
    0.1,
    math.inf,
    -math.inf,
    1j,
    -0.0 - 0.0j,
    b"",
    b"\x00\xff",
    "",
    "abc",
    "x" * 255,
    "x" * 256,
    "é",
    "\ud800",
    "\udcff and \U0001f600",
    (),
    (1, (2, (3,))),
    tuple(range(300)),
    (1, True, 1.0),
]


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_reads_every_constant(value: Any, version: int) -> None:
    actual = load(marshal.dumps(value, version), TABLE)

    assert described(value) == described(actual)


def test_nan_keeps_its_bits() -> None:
    actual = load(b"g\x01\x00\x00\x00\x00\x00\xf8\xff", TABLE)

    assert ["float", "010000000000f8ff"] == described(actual)


@pytest.mark.parametrize("version", [0, 1])
def test_reads_decimal_floats(version: int) -> None:
    value = (0.1, -1e300, math.inf, complex(1.5, -0.0))

    assert described(value) == described(load(marshal.dumps(value, version), TABLE))


def test_a_huge_integer_is_not_quadratic() -> None:
    digits = 90_000
    value = (1 << 15 * digits) - 12345

    assert value == load(marshal.dumps(value), TABLE)


def test_int64() -> None:
    assert -2 == load(b"I\xfe\xff\xff\xff\xff\xff\xff\xff", TABLE)


def test_sets_keep_the_order_of_the_file() -> None:
    data = build.frozenset_of(build.small(3), build.small(1), build.small(2), build.small(1))

    assert FrozenSet((3, 1, 2, 1)) == load(data, TABLE)


def test_a_slice() -> None:
    data = build.items(b":" + build.small(1) + build.NONE + build.text("x"))

    assert (Slice(1, None, "x"),) == load(data, table("3.14"))


def test_lists_sets_and_dicts_are_data() -> None:
    a_list = build.sized(b"[", build.small(1))
    a_set = build.sized(b"<", a_list)
    a_dict = b"{" + a_set + build.NONE + build.TRUE + build.FALSE + build.NULL

    expected = Collection(
        "dict", ((Collection("set", (Collection("list", (1,)),)), None), (True, False))
    )

    assert expected == load(a_dict, TABLE)


def test_a_frozendict_takes_its_slot_before_its_items() -> None:
    a_dict = b"}" + build.flagged(build.text("a")) + build.small(1) + build.NULL
    data = build.items(build.flagged(a_dict), build.ref(0), build.ref(1))

    expected = Collection("frozendict", (("a", 1),))

    assert (expected, expected, "a") == load(data, table("3.15"))


@pytest.mark.parametrize("kind", ["[", "<", ">"])
def test_an_empty_container(kind: str) -> None:
    assert () == load(build.sized(kind.encode()), TABLE).items


def test_references_number_containers_before_their_items() -> None:
    # Slots: 0 the tuple, 1 the frozenset, 2 "a", 3 "b".
    inner = build.flagged(build.frozenset_of(build.flagged(build.text("a"))))
    data = build.flagged(
        build.items(
            inner,
            build.flagged(build.text("b")),
            build.ref(1),
            build.ref(2),
            build.ref(3),
        )
    )

    assert (FrozenSet(("a",)), "b", FrozenSet(("a",)), "a", "b") == load(data, TABLE)


def test_singletons_take_no_slot() -> None:
    data = build.items(
        build.flagged(build.TRUE), build.flagged(build.NONE), build.flagged(build.text("a")),
        build.ref(0),
    )  # fmt: skip

    assert (True, None, "a", "a") == load(data, TABLE)


def test_ascii_strings_are_latin_1_as_in_cpython() -> None:
    data = b"z\x01\xe9"

    assert marshal.loads(data) == load(data, TABLE)


def test_tells_where_the_value_ends() -> None:
    assert ("ab", 7) == read(b"\0\0\0" + build.text("ab") + b"rest", TABLE, start=3)


# Code objects


def test_a_code_object() -> None:
    data = build.code_3_13(
        counts=(1, 0, 0, 2, 3),
        localsplusnames=build.items(build.text("x"), build.text("y"), build.text("z")),
        localspluskinds=build.string(bytes([0x60, 0x20, 0x80])),
        firstlineno=-3,
    )

    code = load(data, TABLE)

    assert ("x", "y") == code.varnames
    assert ("x",) == code.cellvars
    assert ("z",) == code.freevars
    assert (1, 2, 2, -3) == (code.argcount, code.nlocals, code.stacksize, code.firstlineno)
    assert ("OPTIMIZED", "NEWLOCALS") == code.flags.names
    assert code.release is None


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "co_code is not a byte string": {"code": build.text("ab")},
    "co_code ends inside a code unit": {"code": build.string(b"\x95")},
    "co_consts is not a tuple": {"consts": build.NONE},
    "co_names is not a tuple": {"names": build.sized(b"[")},
    "co_names holds something else": {"names": build.items(build.text("a"), build.small(1))},
    "co_localsplusnames holds something": {
        "localsplusnames": build.items(build.NONE),
        "localspluskinds": build.string(b"\x20"),
    },
    "co_localspluskinds is not as long": {"localspluskinds": build.string(b"\x20")},
    "co_localspluskinds or co_exc": {"localspluskinds": build.text("")},
    "co_filename or co_name is not a string": {"filename": build.NONE},
    "co_filename or co_name is no": {"name": build.string(b"f")},
    "co_qualname is not a string": {"qualname": build.NONE},
    "the line table is not a byte string": {"linetable": build.text("")},
    "co_localspluskinds or co_exceptiontable is no": {"exceptiontable": build.NONE},
    "more arguments than locals": {"counts": (1, 0, 0, 0, 0)},
    "the argument counts contradict": {"counts": (0, 1, 0, 0, 0)},
    "co_stacksize or co_flags is negative": {"counts": (0, 0, 0, -1, 0)},
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_refuses_a_code_object_that_contradicts_itself(what: str) -> None:
    data = build.items(build.code_3_13(**CONTRADICTIONS[what]))

    with pytest.raises(MarshalError, match=what) as caught:
        load(data, TABLE, file="x.pyc")

    assert ("x.pyc", 2) == (caught.value.file, caught.value.offset)


# Attacks: see the sizes and times of native marshal in SECURITY.md.


def nested(levels: int, kind: Callable[[bytes], bytes] = build.items) -> bytes:
    value = build.NONE
    for _ in range(levels):
        value = kind(value)
    return value


def doubling(levels: int) -> bytes:
    """A frozenset of tuples that hold the one before twice: 2**levels items when written out."""
    steps = [build.flagged(build.items(build.small(1)))]
    steps += [build.flagged(build.items(build.ref(n), build.ref(n))) for n in range(levels)]
    return build.frozenset_of(*steps)


def repeated_string(times: int) -> bytes:
    long_string = build.flagged(build.string(bytes(2**20)))
    return build.sized(b"(", long_string, *[build.ref(0)] * times)


def names_shared(times: int) -> bytes:
    """Checking the names of each code object would cost times squared."""
    names = build.flagged(build.sized(b"(", *[build.text("ab")] * (20 * times)))
    code = build.code_3_13(names=build.ref(0))
    return build.sized(b"(", names, *[code] * times)


def colliding(count: int) -> bytes:
    """Integers with one hash, in a set that CPython fills in quadratic time."""
    return build.frozenset_of(*[build.long(k * (2**61 - 1)) for k in range(1, count)])


ATTACKS: dict[str, tuple[bytes, type[CoscopeError]]] = {
    "five bytes ask for a tuple of 512 MiB": (build.sized(b"(", count=2**26), Truncated),
    "five bytes ask for a list of 16 GiB": (build.sized(b"[", count=2**31 - 1), Truncated),
    "nested tuples that each ask for much": (
        nested(150, lambda value: b"(\xff\xff\xff\x07" + value),
        Truncated,
    ),
    "a set of a negative size": (build.sized(b"<", count=2**32 - 1), Truncated),
    "a string of a negative size": (b"s\xff\xff\xff\xffab", Truncated),
    "a long with the smallest size": (b"l\x00\x00\x00\x80", LimitExceeded),
    "a tuple that contains itself": (build.flagged(build.items(build.ref(0))), MarshalError),
    "a frozenset that contains itself": (
        build.flagged(build.frozenset_of(build.ref(0))),
        MarshalError,
    ),
    "a list that contains itself": (build.flagged(build.sized(b"[", build.ref(0))), MarshalError),
    "a code object among its own constants": (
        build.flagged(build.code_3_13(consts=build.items(build.ref(0)))),
        MarshalError,
    ),
    "a reference to nothing": (build.ref(0), MarshalError),
    "a reference below zero": (
        build.items(build.flagged(build.text("a")), build.ref(2**32 - 1)),
        MarshalError,
    ),
    "a graph of shared tuples in a frozenset": (doubling(40), LimitExceeded),
    "a graph so deep that sizes have many digits": (doubling(3000), LimitExceeded),
    "a long string, shared often": (repeated_string(1000), LimitExceeded),
    "long names, shared by many code objects": (names_shared(3000), LimitExceeded),
    "tuples nested beyond the stack": (nested(100_000), LimitExceeded),
    "frozensets nested": (nested(100, build.frozenset_of), LimitExceeded),
    "dicts nested": (b"{N" * 100, LimitExceeded),
    "code nested beyond the stack": (b"c" + bytes(20) + b"c" + bytes(20) * 1000, MarshalError),
    "an integer of too many digits": (build.long(1 << 15 * 100_001), LimitExceeded),
    "a digit of 16 bits": (b"l\x01\x00\x00\x00\xff\xff", MarshalError),
    "a highest digit of zero": (b"l\x02\x00\x00\x00\x01\x00\x00\x00", MarshalError),
    "an unknown type": (b"?", MarshalError),
    "NULL alone": (build.NULL, MarshalError),
    "NULL in a tuple": (build.items(build.NULL), MarshalError),
    "NULL as the value of a dict": (b"{" + build.TRUE + build.NULL, MarshalError),
    "a string that is not UTF-8": (build.unicode(b"a\xff"), MarshalError),
    "a float that is a name": (b"f\x03abc", MarshalError),
    "a float with underscores": (b"f\x031_0", MarshalError),
    "no bytes": (b"", Truncated),
    "a dict without an end": (b"{", Truncated),
    "a string cut off": (b"z\x05ab", Truncated),
    "bytes cut off": (b"s\x05\x00\x00\x00ab", Truncated),
    "text cut off": (b"u\x05\x00\x00\x00ab", Truncated),
    "an integer cut off": (b"i\x05\x00", Truncated),
    "a float cut off": (b"g\x05\x00", Truncated),
    "a code object cut off": (build.code_3_13()[:-1], Truncated),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_refuses(attack: str) -> None:
    data, kind = ATTACKS[attack]

    tracemalloc.start()
    with pytest.raises(kind) as caught:
        load(data, TABLE, file="x.pyc")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert caught.value.file == "x.pyc"
    assert caught.value.offset is not None
    assert peak < 2**20 + 10 * len(data)


def test_colliding_hashes_cost_nothing() -> None:
    assert 4999 == len(load(colliding(5000), TABLE).items)


@pytest.mark.parametrize(
    ("limits", "data"),
    [
        (Limits(file_bytes=3), build.text("ab")),
        (Limits(nesting=2), nested(3)),
        (Limits(collections=2), nested(3, build.frozenset_of)),
        (Limits(integer_digits=2), build.long(1 << 40)),
        (Limits(expanded_bytes=30, expansion=1), doubling(3)),
    ],
    ids=["file_bytes", "nesting", "collections", "integer_digits", "expanded_bytes"],
)
def test_every_limit_is_named_by_its_error(
    request: pytest.FixtureRequest, limits: Limits, data: bytes
) -> None:
    name = request.node.callspec.id
    assert load(data, TABLE) is not None

    with pytest.raises(LimitExceeded, match=f"the limit {name} is reached"):
        load(data, TABLE, limits=limits)


@pytest.mark.parametrize("kind", [build.items, build.frozenset_of], ids=["tuples", "frozensets"])
def test_what_is_read_can_be_printed_compared_and_hashed(kind: Callable[[bytes], bytes]) -> None:
    """At the deepest nesting that the limits allow, by recursive code."""
    limit = Limits().nesting if kind is build.items else Limits().collections
    one, two = (load(nested(limit, kind), TABLE) for _ in range(2))

    assert one == two
    assert hash(one) == hash(two)
    assert repr(one) == repr(two)
