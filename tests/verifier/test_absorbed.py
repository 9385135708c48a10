"""Five ways in which a verifier that looks at instructions alone would be fooled."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from coscope.codec import decode_regions, encode_regions
from coscope.codec.unmarshal import load
from coscope.model import FAST_FREE, Code
from coscope.opcodes import table
from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION, from_code_object
from coscope.verifier import verify
from tests.verifier.building import FREE, built, changed, edited

forks = pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")


def _rules(code: Any) -> set[str]:
    return {violation.rule for violation in verify(code).violations}


def _module(source: str) -> Code:
    return from_code_object(compile(source, "module.py", "exec", dont_inherit=True))


@forks
def test_co_code_lies_so_raw_bytes_are_looked_at() -> None:
    from mutation.live import to_live

    rows = table(HOST_VERSION).opcodes
    hidden = next(
        row for row in rows.values() if row.form == "specialized" and row.base == "BINARY_OP"
    )
    load_const = ("LOAD_CONST", 0)
    code = built(HOST_VERSION, ("RESUME", 0), load_const, load_const, (hidden.name, 0),
                 ("RETURN_VALUE", 0), consts=("text",))  # fmt: skip
    live = to_live(code)

    assert hidden.code not in live.co_code[::2]  # the getter shows the base opcode
    assert _rules(live) == set()  # and a copy made of what it shows is harmless
    assert _rules(code) == {"VER101"}


@forks
@pytest.mark.skipif("INSTRUMENTED_LINE" not in table(HOST_VERSION).opcodes, reason="3.12 and later")
def test_building_can_kill_so_nothing_is_built_before_the_verdict() -> None:
    from mutation.live import marshalled
    from tests.verifier.children import FINE, ending_of

    code = built(HOST_VERSION, ("RESUME", 0), "INSTRUMENTED_LINE", ("LOAD_CONST", 0),
                 ("RETURN_VALUE", 0))  # fmt: skip
    payload = marshalled(code)
    read = load(payload, table(HOST_VERSION))  # our own reader takes it

    assert len(payload) < 200
    assert "VER101" in _rules(read)
    assert (HOST_VERSION in ("3.14", "3.15")) == (ending_of(payload) == FINE)


def test_genuine_code_is_safe_only_as_its_contract_says() -> None:
    def outer(items: list[int]) -> Any:
        return (item for item in items)

    code = from_code_object(outer.__code__)
    inner = next(constant for constant in code.consts if isinstance(constant, Code))

    assert verify(code).ok  # calls it with an iterator
    assert verify(inner).ok
    wanted = table(HOST_VERSION).contract
    assert verify(inner).contract.arguments == ((".0", wanted[".0"]),) if ".0" in wanted else True


def _generator_expression() -> tuple[Code, Code]:
    """A function that gives one, and its code."""
    module = _module("def f(a): return (x for x in a)")
    function = next(constant for constant in module.consts if isinstance(constant, Code))
    return function, next(constant for constant in function.consts if isinstance(constant, Code))


@forks
def test_a_generator_expression_of_a_number_kills_the_releases_that_do_not_look() -> None:
    from tests.verifier.children import FINE, HANGS, ending

    _, inner = _generator_expression()
    kills = table(HOST_VERSION).behaves("unchecked_iterators_crash", HOST_RELEASE)

    assert kills == (ending(inner, arguments=(5,)) not in (FINE, HANGS))


@pytest.mark.skipif(
    table(HOST_VERSION).contract.get(".0") != "iterator", reason="FOR_ITER looks from 3.14 on"
)
def test_a_generator_expression_of_what_is_not_an_iterator_is_refused() -> None:
    function, _ = _generator_expression()

    assert "VER408" in _rules(edited(function, "GET_ITER", opname="NOP"))


@forks
def test_closures_cross_functions() -> None:
    from tests.verifier.children import FINE, HANGS, ending

    inner = built(HOST_VERSION, ("COPY_FREE_VARS", 1), ("RESUME", 0), ("LOAD_DEREF", 0),
                  ("RETURN_VALUE", 0), slots=(("f", FREE),), flags=0x13)  # fmt: skip
    outer = built(HOST_VERSION, ("RESUME", 0), ("LOAD_CONST", 1), ("MAKE_FUNCTION", 0),
                  ("RETURN_VALUE", 0), consts=(None, inner))  # fmt: skip

    assert inner.localspluskinds[0] & FAST_FREE
    assert verify(inner).ok
    assert _rules(outer) & {"VER407", "VER408"}
    assert ending(outer) not in (FINE, HANGS)


@pytest.mark.parametrize("version", ["3.14", "3.15"])
def test_a_borrowed_value_is_not_kept(version: str) -> None:
    code = built(version, ("RESUME", 0), ("LOAD_FAST_BORROW", 0), ("STORE_FAST", 1),
                 ("LOAD_CONST", 0), ("RETURN_VALUE", 0))  # fmt: skip

    assert _rules(code) == {"VER952"}


@pytest.mark.parametrize("version", ["3.14", "3.15"])
def test_a_local_is_not_overwritten_while_it_is_borrowed(version: str) -> None:
    code = built(version, ("RESUME", 0), ("LOAD_FAST_BORROW", 0), ("LOAD_CONST", 0),
                 ("STORE_FAST", 0), ("RETURN_VALUE", 0))  # fmt: skip

    assert _rules(code) == {"VER951"}


def k(n: int) -> list[int]:
    out = []
    for i in range(n):
        try:
            try:
                raise KeyError(i)
            except KeyError as e:  # noqa: F841
                raise ValueError  # noqa: B904
        except ValueError:
            out.append(i)
    return out


def test_what_bytecode_makes_of_k_is_refused() -> None:
    """It raises the depth of a handler by 2: here by hand.

    Below the handler's are the values of the loop: the iterator, and on 3.15 its index.
    """
    code = from_code_object(k.__code__)
    regions = decode_regions(code.exceptiontable)
    loop = min(region.depth for region in regions)
    raised = [
        region._replace(depth=loop + 2) if region.depth == loop else region for region in regions
    ]
    damaged = changed(code, exceptiontable=encode_regions(raised), stacksize=code.stacksize + 4)

    assert verify(code).ok
    assert "VER504" in _rules(damaged)


def test_what_bytecode_itself_makes_of_k_is_refused() -> None:
    bytecode = pytest.importorskip("bytecode")

    made = bytecode.Bytecode.from_code(k.__code__).to_code()

    assert isinstance(made, types.CodeType)
    assert verify(k.__code__).ok
    assert _rules(made) & {"VER302", "VER504"}  # the depth of its handlers
