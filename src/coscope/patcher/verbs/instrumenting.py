"""`instrument`: hooks in every function of a module or class, in place, undone as one."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType, ModuleType, TracebackType
from typing import Any

from coscope.errors import CoscopeError, PatchError, hidden_for
from coscope.patcher.edits.checking import check
from coscope.patcher.edits.model import AnyEdit, InsertCall, Literal, Loaded, Outcome
from coscope.patcher.receipts import Receipt, waiting_frames
from coscope.patcher.verbs.in_place import Patched
from coscope.patcher.verbs.reaching import reach
from coscope.patcher.verbs.requests import Request, constant_of
from coscope.readers.attributes import MISSING, instance_attribute, is_a, member
from coscope.readers.values import exact_text, type_name_of

__tracebackhide__ = hidden_for

Hook = Callable[..., object]

_MOMENTS = ("entry", "return", "yield", "exception", "exit")


class Instrumented:
    """Hooks in many functions: a context manager, or `start()` and `stop()`. See `instrument`.

    Attributes:
        functions: Those that get hooks, in the order in which they were found.
        receipts: What was done to each, once it is in place.
        skipped: Qualified name and reason of each function that could not get its hooks.
    """

    def __init__(self, functions: list[FunctionType], hooks: dict[str, Hook], nested: bool) -> None:
        self.functions = functions
        self.receipts: list[Receipt] = []
        self.skipped: list[tuple[str, str]] = []
        self._hooks = hooks
        self._nested = nested
        self._patches: list[Patched] = []

    def __repr__(self) -> str:
        state = "in place" if self._patches else "not in place"
        return f"<hooks for {len(self.functions)} functions, {state}>"

    def start(self) -> Instrumented:
        """Put the hooks in place. If that is interrupted, nothing stays.

        Raises:
            PatchError: They are in place already.
        """
        if self._patches:
            raise PatchError("these hooks are in place already", hint="Undo them first: stop().")
        self.receipts, self.skipped = [], []
        try:
            waiting = waiting_frames()
            for function in self.functions:
                self._put(function, waiting)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Undo all of it, the last function first."""
        while self._patches:
            self._patches.pop().stop()

    def __enter__(self) -> Instrumented:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _put(self, function: FunctionType, waiting: dict[int, int]) -> None:
        patch = Patched(_asked(function, self._hooks, self._nested), reach(function))
        try:
            receipt = patch.start(waiting)
        except CoscopeError as problem:
            self.skipped.append((exact_text(function.__qualname__), str(problem)))
            return
        self._patches.append(patch)
        self.receipts.append(receipt)


def instrument(
    where: object,
    *,
    on_entry: Hook | None = None,
    on_return: Hook | None = None,
    on_yield: Hook | None = None,
    on_exception: Hook | None = None,
    on_exit: Hook | None = None,
    only: Callable[[FunctionType], object] | None = None,
    nested: bool = False,
    submodules: bool = False,
) -> Instrumented:
    """Put hooks into every function of a module or class, in place and undone as one.

    Each hook is called with the function; those on a way out with what leaves too: the value that
    is returned or yielded, or the exception.

    Args:
        where: A module or a class; or an iterable of functions. Functions that a module only
            imports are not among its own. Decorated functions are reached by `__wrapped__`.
        on_entry: Called at the start of each call: `hook(function)`.
        on_return: At each return: `hook(function, value)`.
        on_yield: At each yield: `hook(function, value)`.
        on_exception: When an exception leaves: `hook(function, exception)`.
        on_exit: At each of these three.
        only: Called with each function when they are looked for; those for which it is true get
            hooks.
        nested: In the functions inside them too, with the outermost function as argument.
        submodules: In the loaded submodules of a package too.

    Returns:
        A context manager; `start()` and `stop()` do the same.

    Raises:
        PatchError: No hook is given, or there is no function.

    >>> seen = []
    >>> class Greeter:
    ...     def greet(self): return "hello"
    >>> with instrument(Greeter, on_entry=lambda fn: seen.append(fn.__name__)):  # doctest: +SKIP
    ...     Greeter().greet()
    'hello'
    """
    given = (on_entry, on_return, on_yield, on_exception, on_exit)
    hooks = {at: hook for at, hook in zip(_MOMENTS, given, strict=True) if hook is not None}
    check("nested", nested)
    check("submodules", submodules)
    if not hooks:
        raise PatchError("there is no hook to put in place", hint="Give one: on_entry=hook.")
    for at, hook in hooks.items():
        if not callable(hook):
            raise PatchError(f"on_{at} is something to call", found=type_name_of(hook))
    functions = [each for each in _functions(where, submodules) if only is None or only(each)]
    # A hook that gets hooks itself would never return.
    functions = [each for each in functions if not any(each is hook for hook in given)]
    if not functions:
        raise PatchError("there is no Python function to put hooks into", found=_named(where))
    return Instrumented(functions, hooks, nested)


def _named(where: object) -> str:
    if is_a(where, ModuleType):
        return f"module {dict.get(vars(where), '__name__')}"
    return f"class {where.__qualname__}" if isinstance(where, type) else type_name_of(where)


def _asked(function: FunctionType, hooks: dict[str, Hook], nested: bool) -> Request:
    """The request that puts the hooks into one function."""
    objects: dict[int, object] = {}
    itself = Literal(constant_of(function, objects))
    edits: list[AnyEdit] = []
    for at, hook in hooks.items():
        if at == "yield" and not function.__code__.co_flags & _GENERATORS:
            continue
        args: tuple[Loaded, ...] = (itself,) if at == "entry" else (itself, Outcome())
        call = Literal(constant_of(hook, objects))
        edits.append(InsertCall(call=call, args=args, at=at, nested=nested))
    return Request(tuple(edits), kinds=("instructions",), objects=objects)


_GENERATORS = 0x20 | 0x200  # CO_GENERATOR, CO_ASYNC_GENERATOR


# The functions of a module or class


def _functions(where: object, submodules: bool) -> Iterator[FunctionType]:
    """Each function once."""
    seen: set[int] = set()
    for each in _every(where, submodules):
        if id(each) not in seen:
            seen.add(id(each))
            yield each


def _every(where: object, submodules: bool) -> Iterator[FunctionType]:
    if is_a(where, ModuleType):
        for module in _modules(where, submodules):
            name = dict.get(vars(module), "__name__")
            for value in list(vars(module).values()):
                yield from _in_value(value, name, set())
    elif isinstance(where, type):
        yield from _in_class(where, where.__module__, set())
    elif type(where) is FunctionType:
        yield where
    elif isinstance(where, str | bytes) or not hasattr(type(where), "__iter__"):
        raise PatchError(
            "hooks are put into a module, a class, or functions", found=type_name_of(where)
        )
    else:
        for each in where:  # type: ignore[attr-defined]
            yield reach(each).function


def _modules(where: Any, submodules: bool) -> Iterator[ModuleType]:
    yield where
    name = dict.get(vars(where), "__name__")
    if submodules and type(name) is str:
        for other, module in list(sys.modules.items()):
            if other.startswith(f"{name}.") and is_a(module, ModuleType):
                yield module


def _in_value(value: object, module: object, classes: set[int]) -> Iterator[FunctionType]:
    """The functions of a module in a value that one of its names, or of its classes, has."""
    if isinstance(value, type):
        if type.__getattribute__(value, "__module__") == module:
            yield from _in_class(value, module, classes)
        return
    for inside in _inside(value):
        while inside is not MISSING:
            if type(inside) is FunctionType and _is_of(inside, module):
                yield inside
            inside = instance_attribute(inside, "__wrapped__")


def _is_of(function: FunctionType, module: object) -> bool:
    """True if the function was written in the module, whatever `wraps` made it say."""
    return type(module) is str and dict.get(function.__globals__, "__name__") == module


def _inside(value: object) -> Iterator[object]:
    """What is behind a descriptor, a method or a partial object."""
    kind = type(value)
    if kind in (staticmethod, classmethod) or kind is MethodType:
        yield member(kind, "__func__", value)
    elif kind is property:
        yield from (member(property, name, value) for name in ("fget", "fset", "fdel"))
    elif kind is functools.cached_property:
        yield instance_attribute(value, "func")
    else:
        yield value


def _in_class(owner: type, module: object, classes: set[int]) -> Iterator[FunctionType]:
    if id(owner) in classes:
        return
    classes.add(id(owner))
    for value in list(type.__getattribute__(owner, "__dict__").values()):
        yield from _in_value(value, module, classes)
