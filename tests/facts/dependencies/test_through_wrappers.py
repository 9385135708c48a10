"""`depends` through wrappers of every sort: what the innermost function reads is found, no more.

Each of 100 functions is wrapped by up to three decorators, drawn by a seed, and reads a global of
its own. That it really does, CPython says: without the global the call raises NameError.
"""

from __future__ import annotations

import asyncio
import importlib.util
import random
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from coscope.facts.dependencies.depends import depends
from coscope.facts.dependencies.following import is_of_a_library

SOURCE = """
import contextlib, functools
try:
    import wrapt
    @wrapt.decorator
    def by_wrapt(wrapped, instance, args, kwargs):
        return wrapped(*args, **kwargs)
except ImportError:
    pass
try:
    import tenacity
    by_tenacity = tenacity.retry(stop=tenacity.stop_after_attempt(1), reraise=True)
except ImportError:
    pass
try:
    import decorator
    @decorator.decorator
    def by_decorator(fn, *args, **kwargs):
        return fn(*args, **kwargs)
except ImportError:
    pass

def by_plain(fn):
    def inner(*args, **kwargs):
        return fn(*args, **kwargs)
    return inner
def by_wraps(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        return fn(*args, **kwargs)
    return inner
def by_partial(fn):
    return functools.partial(fn)
def by_keyword(fn):
    return functools.partial(lambda *args, inner: inner(*args), inner=fn)
def by_dispatch(fn):
    @functools.singledispatch
    def chosen(x): raise AssertionError
    chosen.register(int, fn)
    return chosen
by_cache = functools.lru_cache
by_manager = lambda fn: (lambda x, made=contextlib.contextmanager(by_generator(fn)): use(made, x))
def by_generator(fn):
    def inner(x):
        yield fn(x)
    return inner
def use(made, x):
    with made(x) as value:
        return value
class by_class:
    def __init__(self, fn):
        self.fn = fn
    def __call__(self, x):
        return self.fn(x)
class by_wrapped_class:
    def __init__(self, fn):
        functools.update_wrapper(self, fn)
    def __call__(self, x):
        return self.__wrapped__(x)
def by_method(fn):
    class Owner:
        def run(self, x): return fn(x)
    return Owner().run
def by_partialmethod(fn):
    class Owner:
        def run(self, extra, x): return fn(x)
        whole = functools.partialmethod(run, None)
    return Owner().whole
def by_static(fn):
    class Owner:
        run = staticmethod(fn)
    return lambda x: Owner.run(x)
def by_property(fn):
    class Owner:
        @property
        def run(self): return fn
    return lambda x: Owner().run(x)
def by_cached_property(fn):
    class Owner:
        @functools.cached_property
        def run(self): return fn
    return lambda x: Owner().run(x)
def by_stack(fn):
    def inner(x):
        with contextlib.ExitStack() as stack:
            stack.callback(fn, x)
        return x
    return inner
"""

COUNT = 100


def module() -> ModuleType:
    made = ModuleType("decorated")
    made.__file__ = "/somewhere/decorated.py"
    sys.modules["decorated"] = made
    exec(compile(SOURCE, "/somewhere/decorated.py", "exec"), vars(made))
    return made


def decorated() -> Iterator[tuple[str, str, Any, dict[str, Any]]]:
    """A name, the global, the outermost function, its globals."""
    random_ = random.Random(11)
    space = vars(module())
    names = sorted(name for name in space if name.startswith("by_") and name != "by_generator")
    for at in range(COUNT):
        stack = random_.choices(names, k=random_.randint(1, 3))
        lines = [f"NEEDLE_{at} = {at}", *(f"@{name}" for name in stack)]
        lines += [f"def inner_{at}(x):", f"    return x + NEEDLE_{at}"]
        lines += [f"def outer_{at}(x):", f"    return inner_{at}(x)", ""]
        exec(compile("\n".join(lines), "/somewhere/decorated.py", "exec"), space)
        yield "-".join(stack), f"NEEDLE_{at}", space[f"outer_{at}"], space


CASES = list(decorated())


def raises_name_error(function: Any, name: str, space: dict[str, Any]) -> bool:
    held = space.pop(name)
    try:
        asyncio.run(_called(function))
    except NameError as error:
        return error.name == name
    finally:
        space[name] = held
    return False


async def _called(function: Any) -> None:
    function(1)


@pytest.mark.parametrize(("name", "needle", "function", "space"), CASES, ids=[c[0] for c in CASES])
def test_what_the_innermost_function_reads_is_found(
    name: str, needle: str, function: Any, space: dict[str, Any]
) -> None:
    assert raises_name_error(function, needle, space)

    found = depends(function, transitive=True)

    assert needle in {row.name for row in found.reads}
    others = {row.name for row in found.reads if row.name.startswith("NEEDLE_")}
    assert {needle} == others


@pytest.mark.parametrize("function", [CASES[at][2] for at in range(0, COUNT, 7)])
def test_the_inside_of_a_library_is_listed_only_on_request(function: Any) -> None:
    found = depends(function, transitive=True)
    whole = depends(function, transitive=True, libraries=True)

    outside = [each.code.filename for each in found.reached]
    assert {"/somewhere/decorated.py"} == set(outside)
    assert len(whole.reached) >= len(found.reached)


def test_the_packages_that_are_drawn_are_those_installed() -> None:
    drawn = {name for case in CASES for name in case[0].split("-")}

    for package in ("wrapt", "tenacity", "decorator"):
        assert (f"by_{package}" in drawn) is (importlib.util.find_spec(package) is not None)
    assert not is_of_a_library(CASES[0][2])
