"""`coscope.patch`: what the copy does, what the original keeps, and what is refused."""

from __future__ import annotations

import functools
import pickle
from types import CellType, FunctionType
from typing import Any

import pytest

import coscope
from coscope.patcher.edits.model import Do, Insert, Remove, Replace, Where
from tests.patcher.verbs import closures
from tests.patcher.verbs.closures import counting, factorial, outer, waiting


def state(function: Any) -> tuple[Any, ...]:
    """All that a patch must leave as it is."""
    cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    return (
        function.__code__,
        function.__defaults__,
        function.__kwdefaults__,
        function.__closure__,
        cells,
        dict(function.__dict__),
        function.__name__,
        function.__qualname__,
    )


def refused(kind: type[Exception], function: Any, **changes: Any) -> str:
    """The message of a refusal, which left the original as it was."""
    before = state(function)
    with pytest.raises(kind) as caught:
        coscope.patch(function, **changes)

    assert before == state(function)
    assert before[0] is function.__code__
    return str(caught.value)


def test_the_demo_says_where_the_value_comes_from() -> None:
    inner = outer(2, 3)
    line = outer.__code__.co_firstlineno + 2
    said = refused(coscope.ConstantNotFound, inner, constants={42: 99})

    expected = (
        "no instruction of `inner` loads 42; the free variable `y` holds 42 in its cell, set at "
        f'line {line} of `outer`; use `cells={{"y": 99}}` for this closure, or patch `outer` for '
        "later ones"
    )
    assert f"code 'outer.<locals>.inner': {expected}" == said


def test_a_fresh_cell_is_the_copys_own() -> None:
    inner = outer(2, 3)
    patched = coscope.patch(inner, cells={"y": 99})

    assert (149, 92) == (patched(10), inner(10))
    assert patched.__closure__[0] is inner.__closure__[0]
    assert ("code", "cell y") == patched.receipt.fresh
    assert "cell x" in patched.receipt.shared


def test_a_live_cell_is_written_if_that_is_asked_for() -> None:
    step, now = counting()
    copy = coscope.patch(step, cells={"count": 10}, share_cells=True)

    assert (10, 11, 11, 12) == (now(), copy(), now(), step())
    assert any("counting.<locals>.now" in note for note in copy.receipt.notes)


def test_the_maker_of_later_closures_is_patched() -> None:
    assert 149 == coscope.patch(outer, constants={42: 99})(2, 3)(10)
    assert 92 == outer(2, 3)(10)


def test_nested_code_is_patched_on_request() -> None:
    def maker() -> Any:
        return lambda: 41

    assert "nested=True" in refused(coscope.ConstantNotFound, maker, constants={41: 1})
    assert 1 == coscope.patch(maker, constants={41: 1}, nested=True)()()


def test_one_matches_neither_true_nor_a_float() -> None:
    def mixed() -> tuple[Any, ...]:
        return [1][0], [True][0], [1.0][0], [0.0][0], [-0.0][0]

    once = coscope.patch(mixed, constants=[(1.0, 5), (0.0, 7)], folded="leave")

    assert repr((1, True, 5, 7, -0.0)) == repr(once())
    loose = coscope.patch(mixed, constants=[(1.0, 5)], loose=True)
    assert (5, 5, 5) == loose()[:3] or (5, True, 5) == loose()[:3]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"defaults": {"seconds": 5}}, (5, 3, 30)),
        ({"defaults": {"tries": 5}}, (60, 5, 30)),
        ({"kwdefaults": {"tries": 5}}, (60, 5, 30)),
        ({"globals": {"TIMEOUT": "t"}}, (60, 3, "t")),
        ({"names": {"TIMEOUT": "TYPES"}}, (60, 3, "types")),
    ],
)
def test_defaults_globals_and_names(
    changes: dict[str, Any], expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closures, "TYPES", "types", raising=False)

    assert expected == coscope.patch(waiting, **changes)()
    assert (60, 3, 30) == waiting()


def test_any_object_can_become_a_constant() -> None:
    marker = ["live"]

    def answer() -> Any:
        return "x"

    assert coscope.patch(answer, constants={"x": marker})() is marker
    again = coscope.patch(coscope.patch(answer, constants={"x": marker}), name="again")
    assert again() is marker


def test_everything_around_the_code_is_kept() -> None:
    def full(a: int, /, b: str = "b", *c: Any, d: float = 1.5, **e: Any) -> bool:
        "Documented."
        return [a, b, c, d, e, 77]  # type: ignore[return-value]

    full.attribute = {}  # type: ignore[attr-defined]
    copy = coscope.patch(full, constants={77: 78})

    assert [1, "b", (), 1.5, {"z": 2}, 78] == copy(1, z=2)
    for name in ("__doc__", "__module__", "__name__", "__qualname__", "__annotations__"):
        assert getattr(full, name) == getattr(copy, name)
    assert (full.__defaults__, full.__kwdefaults__) == (copy.__defaults__, copy.__kwdefaults__)
    assert copy.attribute is full.attribute  # type: ignore[attr-defined]
    assert copy.__globals__ is full.__globals__
    assert not hasattr(full, "receipt")


def test_names_and_lines_for_tracebacks() -> None:
    def failing() -> None:
        raise ValueError

    copy = coscope.patch(failing, name="made", filename="<made>", firstlineno=100)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        copy()
    entry = caught.traceback[-1].frame.code.raw

    assert ("made", "<made>", 100) == (entry.co_name, entry.co_filename, entry.co_firstlineno)
    assert 101 == caught.tb.tb_next.tb_lineno  # type: ignore[union-attr]
    assert "made" == copy.__name__
    assert copy.__qualname__.endswith("<locals>.made")
    assert copy.__qualname__ == copy.__code__.co_qualname


def test_where_a_constant_may_come_from_besides_cells() -> None:
    assert 'defaults={"seconds": 5}' in refused(
        coscope.ConstantNotFound, waiting, constants={60: 5}
    )
    assert 'globals={"TIMEOUT": 5}' in refused(coscope.ConstantNotFound, waiting, constants={30: 5})

    @functools.wraps(waiting)
    def wrapper() -> Any:
        return waiting()

    wrapper.__wrapped__ = coscope.patch(factorial, constants={2: 8})  # type: ignore[attr-defined]
    assert "unwrap=True" in refused(coscope.ConstantNotFound, wrapper, constants={8: 5})


def test_what_does_not_exist_is_told_apart() -> None:
    inner = outer(2, 3)
    for changes, kind, words in (
        ({"cells": {"w": 1}}, coscope.NothingSelected, "Its free variables are x, y"),
        ({"defaults": {"w": 1}}, coscope.WrongDefaults, "no parameter that takes a default 'w'"),
        ({"kwdefaults": {"z": 1}}, coscope.WrongDefaults, "no keyword-only parameter 'z'"),
        ({"names": {"w": "v"}}, coscope.NothingSelected, "'w'"),
        ({"globals": {"w": 1}}, coscope.NothingSelected, "nothing in 'inner' reads 'w'"),
        ({"constant": {1: 2}}, coscope.PatchError, "no argument 'constant'"),
        ({"constants": 5}, coscope.PatchError, "pairs"),
        ({"cells": 5}, coscope.PatchError, "dict by name"),
        ({"where": 5}, coscope.PatchError, "at_line"),
        ({"edits": [5]}, coscope.PatchError, "not an edit"),
    ):
        assert words in refused(kind, inner, **changes)
    assert "Each call" in refused(coscope.NothingSelected, outer, cells={"y": 1})


def test_a_default_before_a_parameter_without_one() -> None:
    def two(a: int, b: int) -> int:
        return a + b

    said = refused(coscope.WrongDefaults, two, defaults={"a": 1})

    assert "the parameter 'b' has no default, and follows 'a'" in said
    assert 3 == coscope.patch(two, defaults={"a": 1, "b": 2})()


def test_code_that_the_verifier_rejects_is_refused_with_its_findings() -> None:
    underflow = Insert(where=Where(nth=1), instructions=(Do("POP_TOP"),))
    before = state(factorial)
    with pytest.raises(coscope.Refused):
        coscope.patch(factorial, edits=[underflow])
    unsafe = Insert(
        where=Where(opname="RETURN_VALUE"),
        instructions=(Do("LOAD_CONST", 1), Do("LIST_APPEND", 1)),
    )
    with pytest.raises(coscope.NotVerified) as caught:
        coscope.patch(outer(1, 2), edits=[unsafe])

    assert before == state(factorial)
    assert "the verifier refuses it: VER" in str(caught.value)
    assert not caught.value.report.ok  # type: ignore[attr-defined]


def test_a_function_stays_a_function() -> None:
    from coscope.patcher.rebuild import rebuild

    generator = coscope.read(closures.stepping).code
    with pytest.raises(coscope.WrongKind) as caught:
        rebuild(generator, factorial)  # type: ignore[arg-type]

    assert "GENERATOR" in str(caught.value)


def test_a_closure_of_the_wrong_length() -> None:
    from coscope.patcher.rebuild import rebuild

    inner: Any = outer(1, 2)
    code = coscope.read(inner).code
    with pytest.raises(coscope.WrongClosure, match="2 free variables, the closure has 1 cells"):
        rebuild(code, inner, closure=(CellType(1),))
    with pytest.raises(coscope.WrongClosure, match="not a cell"):
        rebuild(code, inner, closure=(CellType(1), 5))  # type: ignore[arg-type]
    with pytest.raises(coscope.WrongDefaults, match="more defaults than"):
        rebuild(code, inner, defaults=(1, 2))


def test_code_of_another_version() -> None:
    from dataclasses import replace

    from coscope.patcher.rebuild import rebuild

    code = replace(coscope.read(factorial).code, version="3.8")
    with pytest.raises(coscope.WrongVersion, match=r"3\.8"):
        rebuild(code, factorial)  # type: ignore[arg-type]


class Holder:
    """Functions in wrappers."""

    factor = 3

    def __init__(self, start: int = 11) -> None:
        self.start = start

    def method(self, x: int) -> int:
        return self.factor * x + 100

    @staticmethod
    def static(x: int) -> int:
        return x + 100

    @classmethod
    def made(cls, x: int) -> int:
        return cls.factor + x + 100

    @property
    def prop(self) -> int:
        return self.factor + 100


def test_the_function_inside_of_a_wrapper_is_patched_and_wrapped_again() -> None:
    new = {"constants": {100: 1000}}
    holder = Holder()
    method = coscope.patch(holder.method, **new)
    static = coscope.patch(vars(Holder)["static"], **new)
    made = coscope.patch(Holder.made, **new)
    prop = coscope.patch(vars(Holder)["prop"], **new)
    partial = coscope.patch(functools.partial(Holder.static, 1), **new)
    cached = coscope.patch(functools.lru_cache(maxsize=3)(Holder.static), **new)

    assert (1015, 1005, 1008) == (method(5), static(5), made(5))
    assert (1003, 1001, 1005) == (prop.__get__(holder), partial(), cached(5))
    assert ("bound method.__func__",) == method.receipt.via
    assert (3, 1) == (cached.cache_parameters()["maxsize"], cached.cache_info().misses)
    for thing in (method, made, prop, partial, cached):
        assert coscope.receipt_of(thing).via
    assert (115, 103) == (holder.method(5), holder.prop)


class Called:
    """What a function of its class lets call, compute once and fill in."""

    def __call__(self, x: int) -> int:
        return x + 100

    @functools.cached_property
    def once(self) -> int:
        return 100

    half = functools.partialmethod(__call__, 7)


def test_further_wrappers_are_made_again() -> None:
    class Patched:
        once = coscope.patch(vars(Called)["once"], constants={100: 1000})
        half = coscope.patch(vars(Called)["half"], constants={100: 1000})

    called = Called()
    copy = coscope.patch(called, constants={100: 1000})

    assert (1005, 105) == (copy(5), called(5))
    assert copy.__self__ is called
    assert (1000, 1007) == (Patched().once, Patched().half())
    assert (100, 107) == (called.once, called.half())


def test_the_constructor_stands_for_its_class() -> None:
    built = coscope.patch(Holder, defaults={"start": 12})

    assert type(built) is FunctionType
    assert any("__init__" in step for step in built.receipt.via)
    assert any("comes as a function alone" in note for note in built.receipt.notes)


class Bare:
    """No constructor in Python."""


@pytest.mark.parametrize("thing", [len, Bare, int, 5, None, "".join, functools.partial(len)])
def test_what_has_no_python_function_is_an_error(thing: Any) -> None:
    with pytest.raises(coscope.NoCodeObject):
        coscope.patch(thing, constants={1: 2})


def test_code_without_a_function_is_an_error() -> None:
    for thing in (factorial.__code__, closures.stepping(2), coscope.read(factorial).code):
        with pytest.raises(coscope.CoscopeError):
            coscope.patch(thing, constants={1: 2})


def test_recursion_goes_to_the_original_and_that_is_said() -> None:
    copy = coscope.patch(factorial, constants={2: 3})

    assert any("factorial is the original" in note for note in copy.receipt.notes)


def test_the_receipt() -> None:
    copy = coscope.patch(outer, constants={42: 99})
    receipt = copy.receipt

    assert receipt is coscope.receipt_of(copy)
    assert receipt.report.ok
    assert receipt.before.value != receipt.after.value
    assert "int 99" in [fact.right for fact in receipt.difference.codes[0].facts]
    assert receipt.warning.startswith("not to be shipped: a literal")
    assert (False, 0) == (receipt.in_place, receipt.running_frames)
    assert ("constant 42 -> 99",) == receipt.changes
    assert pickle.loads(pickle.dumps(receipt)) is None
    with pytest.raises(coscope.InputError, match="no receipt"):
        coscope.receipt_of(outer)


def test_a_receipt_is_no_sharer_of_cells() -> None:
    inner = outer(2, 3)
    kept = coscope.patch(inner, cells={"y": 1})
    sharers = {each.name: each.sharers for each in coscope.closure(inner).free}

    assert kept(1) == 6
    assert ((), 1) == (sharers["y"], len(sharers["x"]))


def test_a_function_with_a_receipt_of_its_own_keeps_it() -> None:
    def paying() -> int:
        return 5

    paying.receipt = "mine"  # type: ignore[attr-defined]
    copy = coscope.patch(paying, constants={5: 6})

    assert "mine" == copy.receipt
    assert ("constant 5 -> 6",) == coscope.receipt_of(copy).changes


def test_instructions_that_are_removed_and_replaced() -> None:
    def noisy(log: list[int]) -> int:
        log.append(1)
        return 5

    code = coscope.read(noisy).code
    call = next(each for each in code.instructions if each.opname == "CALL")
    dropped = Replace(where=Where(opname="POP_TOP"), instructions=(Do("NOP"), Do("POP_TOP")))
    quiet = coscope.patch(noisy, edits=[dropped])
    log: list[int] = []

    assert (5, [1]) == (quiet(log), log)
    assert call.positions in [each.positions for each in coscope.read(quiet).code.instructions]
    last = code.instructions[len(code.instructions) - 1].opname
    with pytest.raises(coscope.Refused):
        coscope.patch(noisy, edits=[Remove(where=Where(opname=last))])
