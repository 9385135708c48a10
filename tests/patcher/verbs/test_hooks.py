"""Hooks in place: with live objects, in nested code, with a result that replaces what leaves."""

from __future__ import annotations

import asyncio
import functools
import json
import json.encoder
import textwrap
from collections.abc import AsyncIterator, Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

import coscope
from coscope import Do, Insert, InsertCall, Literal, Outcome, Variable
from coscope.patcher.applying.apply import apply
from coscope.readers.from_function import from_code_object
from coscope.verifier import verify

pytestmark = pytest.mark.filterwarnings("ignore:CPython .* edited in place:RuntimeWarning")


def outer(x: int) -> int:
    def inner(y: int) -> int:
        return x + y

    return inner(x)


def fails(x: int) -> int:
    if x:
        return 5
    raise ValueError(x)


def test_a_live_hook_in_place() -> None:
    seen: list[int] = []
    with coscope.edit(outer).on_entry(seen.append, ("x",)).in_place() as receipt:
        assert 6 == outer(3)
    outer(4)

    assert [3] == seen
    assert receipt.in_place


def test_edits_of_an_editor_are_taken_in_place() -> None:
    seen: list[int] = []
    editor = coscope.edit(outer).on_entry(seen.append, ("x",))
    for edits in (editor.edits, list(editor.edits), tuple(editor.edits)):
        with coscope.patched(outer, edits=edits):
            outer(3)

    assert [3, 3, 3] == seen


def test_an_edit_may_hold_the_hook_itself() -> None:
    seen: list[int] = []
    call = InsertCall(call=Literal(seen.append), args=(Variable("x"),))  # type: ignore[arg-type]
    with coscope.patched(outer, edits=[call]):
        outer(3)
    copied = coscope.edit(outer).apply(call).build()
    copied(4)

    assert [3, 4] == seen


def test_instructions_may_load_a_live_object() -> None:
    seen: list[int] = []
    load = Insert(
        where=coscope.opcode("RETURN_VALUE") & coscope.Where(nth=-1),
        instructions=(Do("POP_TOP"), Do("LOAD_CONST", seen)),
    )

    assert seen is coscope.patch(outer, edits=[load])(3)


def test_hooks_in_nested_code() -> None:
    seen: list[int] = []
    with coscope.edit(outer).on_entry(seen.append, ("x",), nested=True).in_place():
        outer(3)
    with coscope.edit(outer).on_return(seen.append, (Outcome(),), code="inner").in_place():
        outer(4)

    assert [3, 3, 8] == seen


def test_start_and_stop() -> None:
    seen: list[int] = []
    patch = coscope.edit(outer).on_entry(seen.append, ("x",)).in_place()
    assert patch.start().in_place
    outer(1)
    patch.stop()
    outer(2)

    assert [1] == seen
    with pytest.raises(coscope.PatchError, match="not in place"):
        patch.stop()


def test_as_a_decorator() -> None:
    seen: list[int] = []

    @coscope.edit(outer).on_entry(seen.append, ("x",)).in_place()
    def test() -> int:
        return outer(7)

    assert (14, [7]) == (test(), seen)
    outer(8)
    assert [7] == seen


@pytest.mark.parametrize(("given", "expected"), [(1, 10), (0, ("caught", "0"))])
def test_a_hook_replaces_the_result_and_the_exception(given: int, expected: object) -> None:
    editor = coscope.edit(fails).on_return(lambda value: value * 2, (Outcome(),), replace=True)
    editor.on_exception(lambda error: ("caught", str(error)), (Outcome(),), replace=True)

    assert expected == editor.build()(given)


def test_what_a_hook_raises_replaces_the_exception() -> None:
    def hook(error: BaseException) -> None:
        raise KeyError("another") from error

    hooked = coscope.edit(fails).on_exception(hook, (Outcome(),)).build()

    with pytest.raises(KeyError, match="another") as caught:
        hooked(0)
    assert isinstance(caught.value.__cause__, ValueError)


def test_the_exception_that_was_handled_is_handled_again_afterwards() -> None:
    import sys

    def swallow(error: BaseException) -> None:
        return None

    hooked = coscope.edit(fails).on_exception(swallow, (Outcome(),), replace=True).build()
    try:
        raise OSError("outside")
    except OSError:
        assert hooked(0) is None
        assert isinstance(sys.exc_info()[1], OSError)
    assert sys.exc_info()[1] is None


def test_a_constant_result_is_replaced() -> None:
    def seven() -> int:
        return 7

    hook = lambda value: value + 1  # noqa: E731

    assert 8 == coscope.edit(seven).on_return(hook, (Outcome(),), replace=True).build()()


def test_what_is_yielded_is_replaced() -> None:
    def generator() -> Iterator[int]:
        yield 1
        yield 2

    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def collected(items: AsyncIterator[int]) -> list[int]:
        return [each async for each in items]

    def plus(value: int) -> int:
        return value + 10

    hooked = coscope.edit(generator).on_yield(plus, (Outcome(),), replace=True).build()
    asynchronous = coscope.edit(source).on_yield(plus, (Outcome(),), replace=True).build()

    assert [11, 12] == list(hooked())
    assert [11, 12] == asyncio.run(collected(asynchronous()))


@pytest.mark.parametrize("at", ["entry", "instruction"])
def test_an_entry_replaces_nothing(at: str) -> None:
    edit = InsertCall(call=Literal(None), at=at, where=coscope.opcode("CALL"), replace=True)
    with pytest.raises(coscope.Refused, match="replaces nothing"):
        apply(from_code_object(outer.__code__), [edit])


@pytest.mark.parametrize("module", [textwrap, json.encoder, functools, asyncio.queues])
def test_replacing_hooks_are_verified_everywhere(module: ModuleType) -> None:
    edit = InsertCall(call=Literal(None), args=(Outcome(),), at="exit", replace=True)
    for function in [each for each in vars(module).values() if isinstance(each, FunctionType)]:
        code = from_code_object(function.__code__)

        assert verify(apply(code, [edit])).ok, function


def test_a_wrong_name_is_an_error_when_it_is_built() -> None:
    with pytest.raises(coscope.NothingSelected, match=r"the variable 'xs'.*Did you mean 'x'"):
        coscope.edit(outer).on_entry(print, ("xs",))
    edit = InsertCall(call=Variable("nowhere"))
    with pytest.raises(coscope.NothingSelected, match="the variable 'nowhere'"):
        coscope.patch(outer, edits=[edit])


def measured(x: list[int]) -> int:
    return len(x) + max(len(x), x.index(1)) + x.count(len(x))


def test_calls_are_chosen_by_what_they_call() -> None:
    def hundred(called: object, *args: object) -> int:
        return 100

    every = coscope.edit(measured).wrap_calls(coscope.calls("len"), hundred).build()
    method = coscope.edit(measured).wrap_calls(coscope.calls("x.index"), hundred).build()

    assert 200 == every([1])
    assert 1 + 100 + 1 == method([1])
    with pytest.raises(coscope.NothingSelected):
        coscope.edit(measured).wrap_calls(coscope.calls("index"), hundred)


def test_a_callee_that_is_not_proved_is_not_chosen() -> None:
    def either(x: list[int], flag: bool) -> int:
        chosen = len if flag else max
        return chosen(x)

    with pytest.raises(coscope.NothingSelected):
        coscope.edit(either).wrap_calls(coscope.calls("len"), print)


# Module- and class-wide


class Greeter:
    def greet(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return "hello"

    @staticmethod
    def made() -> Greeter:
        return Greeter()

    @classmethod
    def of(cls) -> Greeter:
        return cls()

    @functools.cached_property
    def kept(self) -> int:
        return 1

    class Inner:
        def run(self) -> None:
            """Nothing."""


def test_every_function_of_a_class() -> None:
    seen: list[str] = []
    hooks = coscope.instrument(Greeter, on_entry=lambda fn: seen.append(fn.__name__))
    with hooks:
        Greeter.made().greet()
        assert 1 == Greeter.of().kept
        Greeter.Inner().run()
    Greeter().greet()

    assert ["made", "greet", "name", "of", "kept", "run"] == seen
    assert ([], 6, 6) == (hooks.skipped, len(hooks.receipts), len(hooks.functions))


def test_every_function_of_a_module_and_a_filter() -> None:
    left: list[tuple[str, object]] = []
    codes = {id(fn): fn.__code__ for fn in vars(textwrap).values() if isinstance(fn, FunctionType)}
    hooks = coscope.instrument(
        textwrap,
        on_exit=lambda fn, value: left.append((fn.__name__, value)),
        only=lambda fn: fn.__name__ in ("dedent", "fill"),
    )
    hooks.start()
    try:
        textwrap.dedent("  a")
        textwrap.indent("a", " ")
    finally:
        hooks.stop()

    assert [("dedent", "a")] == left
    assert codes == {
        id(fn): fn.__code__ for fn in vars(textwrap).values() if isinstance(fn, FunctionType)
    }


def test_submodules_of_a_package() -> None:
    seen: set[str] = set()
    with coscope.instrument(json, on_entry=lambda fn: seen.add(fn.__module__), submodules=True):
        json.dumps([1], indent=1)

    assert {"json", "json.encoder"} == seen


@pytest.mark.parametrize(
    ("where", "hooks", "found"),
    [
        (Greeter, {}, "no hook"),
        (Greeter, {"on_entry": 3}, "on_entry is something to call"),
        (7, {"on_entry": print}, "a module, a class, or functions"),
        (Greeter, {"on_entry": print, "only": lambda fn: False}, "no Python function"),
    ],
)
def test_what_cannot_be_instrumented(where: object, hooks: Any, found: str) -> None:
    with pytest.raises(coscope.PatchError, match=found):
        coscope.instrument(where, **hooks)


# Undoing


def test_what_others_set_meanwhile_stays_if_the_patch_did_not_set_it() -> None:
    def thirty(a: int = 1) -> tuple[int, int]:
        return 30, a

    with coscope.patched(thirty, constants={30: 5}):
        thirty.__defaults__ = (2,)
        thirty.__name__ = "renamed"

    assert ((30, 2), "renamed") == (thirty(), thirty.__name__)


def test_it_is_said_if_others_changed_what_the_patch_set() -> None:
    def thirty(a: int = 1) -> int:
        return a

    with (
        pytest.warns(RuntimeWarning, match="somebody else changed __defaults__"),
        coscope.patched(thirty, defaults={"a": 3}),
    ):
        thirty.__defaults__ = (9,)

    assert 1 == thirty()


@functools.lru_cache
def cached(x: int) -> int:
    return 30


def test_a_cache_is_cleared_when_the_patch_comes_and_goes() -> None:
    cached(1)
    with coscope.patched(cached, constants={30: 5}) as receipt:
        assert 5 == cached(1)

    assert 30 == cached(1)
    assert any("lru_cache is cleared" in note for note in receipt.notes)
    with coscope.patched(cached.__wrapped__, constants={30: 5}):
        assert 5 == cached(1)
    assert 30 == cached(1)


def test_a_cached_property_is_named() -> None:
    with coscope.patched(Greeter.__dict__["kept"], constants={1: 2}) as receipt:
        pass

    assert any("stays in their __dict__, under 'kept'" in note for note in receipt.notes)


def test_the_receipt_of_a_patch_in_place_is_found() -> None:
    with coscope.patched(outer, name="other") as receipt:
        assert receipt is coscope.receipt_of(outer)
    with pytest.raises(coscope.InputError):
        coscope.receipt_of(outer)


# Decorators


def doubling(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return 2 * function(*args)

    return wrapper


@doubling
@doubling
def decorated() -> int:
    return 30


def test_decorators_are_kept() -> None:
    patched = coscope.patch(decorated, unwrap=True, constants={30: 5})

    assert (20, 120) == (patched(), decorated())
    assert any("the decorator is kept" in note for note in coscope.receipt_of(patched).notes)


def test_a_decorator_that_cannot_be_kept_is_named() -> None:
    registry = {}

    def registered(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper() -> Any:
            return registry["it"]()

        registry["it"] = function
        return wrapper

    patched = coscope.patch(registered(lambda: 30), unwrap=True, constants={30: 5})

    assert 5 == patched()
    assert any("the decorator is not kept" in note for note in patched.receipt.notes)


def test_what_pickle_will_say_is_noted() -> None:
    import pickle

    patched = coscope.patch(outer, names={}, defaults={"x": 1})

    assert any("pickle refuses the copy" in note for note in patched.receipt.notes)  # type: ignore[attr-defined]
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(patched)
