"""What travels with an object when it is pickled: its parts, each with the step that leads to it.

The parts are those that pickle and cloudpickle would write, as far as that can be known without
running anybody's `__reduce__` or `__getstate__`.
"""

from __future__ import annotations

import functools
import gc
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, NamedTuple

from coscope.facts.names.accesses import CELL, NAME, accesses_of
from coscope.facts.names.scopes import EMPTY, contents_of
from coscope.facts.shipping.references import CLOUDPICKLE, PICKLE, goes_by_name
from coscope.facts.shipping.sizes import elements_of, is_array
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    is_a,
    member,
    mro_of,
    namespace_of,
)
from coscope.readers.from_function import exact_tuple, from_code_object
from coscope.readers.live_code import by_identity
from coscope.readers.recent_types import frozen_items, is_frozen_dict
from coscope.readers.values import exact_text, text_of

_KEY_WIDTH = 30  # characters of a key in a step
_PAUSE = 1023  # items of a container, about, between two parts


class Step(NamedTuple):
    """One step of a path from a target to an object that travels with it."""

    kind: str  # one of STEP_KINDS
    name: str  # of the variable, parameter, attribute or key; "" where the kind says all


STEP_KINDS = (
    "target",  # the first step: what was asked for
    "closure",  # contents of the cell of a free variable
    "default",
    "keyword default",
    "global",  # that the function or its nested code reads
    "attribute",  # of an instance, in its __dict__ or a slot; of a function, in its __dict__
    "self",  # of a bound method
    "function",  # of a bound method or partial, a staticmethod, a property
    "argument",  # of a partial, an exception
    "keyword",  # of a partial
    "item",  # of a container, by index or key
    "key",  # of a dict
    "class",  # of an instance
    "base",  # of a class
    "member",  # of a class: what its body defined
    "contents",  # of an object of a C type
    "state",  # what its own __reduce__ or __getstate__ gives
)

Part = tuple[Step, object]

# By id, because the hash of a class may be its metaclass's own code.
_ATOMS = (bool, int, float, complex, str, bytes, bytearray, range)
ATOMS = frozenset(map(id, (*_ATOMS, type(None), type(...), type(NotImplemented))))


class Walk:
    """Objects found by following parts, nearest first, each once and with the path to it."""

    def __init__(self, thing: object, path: tuple[Step, ...]) -> None:
        self.start = path
        self.met: list[tuple[object, int, Step | None]] = [(thing, -1, None)]  # with its holder
        self.depths = [0]  # of what was met
        self.seen = {id(thing)}
        self.count = 0  # parts looked at

    def __iter__(self) -> Iterator[tuple[int, object]]:
        at = 0
        while at < len(self.met):
            yield at, self.met[at][0]
            at += 1

    def meet(self, holder: int, step: Step, thing: object) -> bool:
        """Add a part of an object met before; False if it was met itself."""
        self.count += 1
        if id(thing) in self.seen:
            return False
        self.seen.add(id(thing))
        self.met.append((thing, holder, step))
        self.depths.append(self.depths[holder] + 1)
        return True

    def path(self, at: int) -> tuple[Step, ...]:
        """The steps to an object that was met."""
        steps: list[Step] = []
        while at > 0:
            _, at, step = self.met[at]
            if step is not None:
                steps.append(step)
        return (*self.start, *reversed(steps))


def path_text(path: tuple[Step, ...]) -> str:
    """A path as shown: "task -> closure 'client' -> attribute session -> lock".

    >>> path_text((Step("target", "task"), Step("closure", "pool"), Step("attribute", "lock")))
    "task -> closure 'pool' -> attribute lock"
    """
    words = []
    before = ""
    for step in path:
        words.append(_step_text(step, before))
        before = step.kind
    return " -> ".join(words)


def _step_text(step: Step, before: str) -> str:
    kind, name = step
    if kind == "target" or (kind == "attribute" and before == "attribute"):
        return name
    if kind == "item":
        return f"[{name}]"
    if kind in ("closure", "default", "keyword default", "global", "keyword"):
        return f"{kind} '{name}'"
    return f"{kind} {name}" if name else kind


def parts_of(thing: Any, tool: str) -> Iterator[Part]:
    """What a tool writes of an object besides its own name.

    Atoms in containers are left out, except one now and then, so that the caller can look at the
    clock.
    """
    kind = type(thing)
    if id(kind) in ATOMS:
        return
    if kind is MethodType and tool == PICKLE:  # written as getattr(self, name)
        yield Step("self", ""), thing.__self__
    elif kind is FunctionType or is_a(thing, type) or is_a(thing, ModuleType):
        if not goes_by_name(thing, tool):
            yield from _parts_by_value(thing, tool)
    elif is_frozen_dict(kind):
        yield from _parts_of_pairs(frozen_items(thing))
    else:
        known = _CONTAINERS if is_plain_container(kind) else _WRAPPERS
        parts = next((parts for cls, parts in known if is_a(thing, cls)), _parts_of_instance)
        yield from parts(thing)


def _parts_by_value(thing: Any, tool: str) -> Iterator[Part]:
    """What travels with a function, class or module that is sent by value."""
    if type(thing) is FunctionType:
        yield from parts_of_function(thing)
    elif is_a(thing, type):
        yield from _parts_of_class(thing)
    elif tool == CLOUDPICKLE:
        yield from _parts_of_module(thing)


def _parts_of_module(thing: ModuleType) -> Iterator[Part]:
    for name, value in list(dict.items(member(ModuleType, "__dict__", thing))):
        if type(name) is str and name != "__builtins__":
            yield Step("attribute", name), value


def _defaults_of(function: FunctionType) -> Iterator[Part]:
    co = function.__code__
    values = exact_tuple(function.__defaults__)
    names = co.co_varnames[: co.co_argcount]
    for at, value in enumerate(values, len(names) - len(values)):
        yield Step("default", names[at] if at >= 0 else str(at)), value
    kwdefaults = {} if function.__kwdefaults__ is None else function.__kwdefaults__
    for name, value in list(dict.items(kwdefaults)):
        yield Step("keyword default", exact_text(name)), value


def parts_of_function(function: FunctionType) -> Iterator[Part]:
    """What a function takes along when it travels by value."""
    co = function.__code__
    for name, held in zip(co.co_freevars, contents_of(function), strict=False):
        if held is not EMPTY:
            yield Step("closure", name), held
    yield from _defaults_of(function)
    space = function.__globals__
    for name in global_reads(co):
        held = dict.get(space, name, MISSING)
        if held is not MISSING:
            yield Step("global", name), held
    for name, value in list(dict.items(function.__dict__)):
        if type(name) is str:
            yield Step("attribute", name), value


# cloudpickle 3.1.2 sends them with every function, cloudpickle.py, _function_getnewargs.
_OF_EVERY_MODULE = ("__name__", "__package__", "__path__", "__file__")


@by_identity
def global_reads(co: CodeType) -> dict[str, bool]:
    """Names that code and its nested code read as globals, in order of the code.

    The value is False for a name that only class bodies read: cloudpickle does not see it. What
    every module has of its own, such as `__name__`, is left out.
    """
    found: dict[str, bool] = {}
    for code in from_code_object(co).walk():
        for verb, space, path in accesses_of(code).variables:
            if verb == "read" and space != CELL:
                name = path.partition(".")[0]
                if name in _OF_EVERY_MODULE:
                    continue
                found[name] = found.get(name, False) or space != NAME
    return found


def _parts_of_class(cls: type) -> Iterator[Part]:
    for base in _bases_of(cls):
        if base is not object:
            yield Step("base", class_name(base)), base
    if type(cls) is not type:
        yield Step("class", class_name(type(cls))), type(cls)
    for name, value in list(namespace_of(cls).items()):
        plain = type(value) is not MemberDescriptorType and type(value) is not GetSetDescriptorType
        if type(name) is str and name != "_abc_impl" and plain and id(type(value)) not in ATOMS:
            yield Step("member", name), value


_bases_of = type.__dict__["__bases__"].__get__
_name_of = type.__dict__["__name__"].__get__


def class_name(cls: type) -> str:
    """A class's own name, as C code keeps it."""
    return exact_text(_name_of(cls))


def attributes_of(thing: object) -> Iterator[tuple[str, object]]:
    """The attributes that an instance holds, in its dictionary and in slots of Python classes."""
    for base in mro_of(type(thing)):
        space = namespace_of(base)
        if "__slots__" not in space:
            continue
        for name, descriptor in list(space.items()):
            if type(descriptor) is MemberDescriptorType and name not in ("__dict__", "__weakref__"):
                try:
                    yield name, descriptor.__get__(thing)
                except AttributeError:
                    continue  # an empty slot
    for name, value in list(dict.items(_dictionary_of(thing))):
        if type(name) is str:
            yield name, value


def _dictionary_of(thing: object) -> dict[str, object]:
    descriptor = class_attribute(type(thing), "__dict__")
    if (
        type(descriptor) is not GetSetDescriptorType
        and type(descriptor) is not MemberDescriptorType
    ):
        return {}
    held = descriptor.__get__(thing)
    return held if is_a(held, dict) else {}


_HEAPTYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: what a class statement makes
_flags_of = type.__dict__["__flags__"].__get__


def _parts_of_array(thing: object) -> Iterator[Part]:
    """The objects in an array of numpy; nothing for any other object."""
    inside = elements_of(thing) if is_array(type(thing)) else ()
    for at, value in enumerate(inside):
        if id(type(value)) not in ATOMS:
            yield Step("item", str(at)), value


def _parts_of_base(thing: object) -> Iterator[Part]:
    """What an instance of a subclass of a container holds as that container does."""
    for container, parts in _CONTAINERS:
        if is_a(thing, container):
            yield from parts(thing)
            return


def _parts_of_instance(thing: object) -> Iterator[Part]:
    """Its class, what containers below it hold, its attributes, and whatever else it refers to."""
    kind = type(thing)
    if _flags_of(kind) & _HEAPTYPE:
        yield Step("class", class_name(kind)), kind
    known = {id(kind), id(_dictionary_of(thing))}
    yield from _parts_of_array(thing)
    for part in _parts_of_base(thing):
        known.add(id(part[1]))
        yield part
    for name, value in attributes_of(thing):
        known.add(id(value))
        if id(type(value)) not in ATOMS:
            yield Step("attribute", name), value
    for value in gc.get_referents(thing):
        if id(value) not in known and id(type(value)) not in ATOMS:
            yield Step("contents", ""), value


def _parts_of_dict(thing: Any) -> Iterator[Part]:
    yield from _parts_of_pairs(dict.items(thing))


def _parts_of_pairs(pairs: Iterable[tuple[object, object]]) -> Iterator[Part]:
    for at, (key, value) in enumerate(_until_changed(pairs)):
        if id(type(key)) not in ATOMS:
            yield Step("key", text_of(key, _KEY_WIDTH)), key
        if id(type(value)) not in ATOMS or not at & _PAUSE:
            yield Step("item", text_of(key, _KEY_WIDTH)), value


def _until_changed(items: Iterable[object]) -> Iterator[Any]:
    """The items, up to where somebody changes the container."""
    try:
        yield from items
    except RuntimeError:
        return


def _items_by(iterate: Callable[[Any], Iterator[object]]) -> Callable[[object], Iterator[Part]]:
    """Items by their position, through the iterator of the container's C type."""

    def parts(thing: object) -> Iterator[Part]:
        items = islice(_until_changed(iterate(thing)), _length_of(thing))
        for at, value in enumerate(items):
            if id(type(value)) not in ATOMS or not at & _PAUSE:
                yield Step("item", str(at)), value

    return parts


def _length_of(thing: Any) -> int:
    """Items now; without it a list that grows meanwhile would never end."""
    for cls in (list, tuple, set, frozenset, deque):
        if is_a(thing, cls):
            return int(cls.__len__(thing))
    return 0


def _parts_of_default(thing: Any) -> Iterator[Part]:
    factory = member(defaultdict, "default_factory", thing)
    if factory is not None:
        yield Step("attribute", "default_factory"), factory
    yield from _parts_of_dict(thing)


def _parts_of_partial(thing: object) -> Iterator[Part]:
    yield Step("function", ""), member(functools.partial, "func", thing)
    for at, value in enumerate(exact_tuple(member(functools.partial, "args", thing))):
        yield Step("argument", str(at)), value
    for name, value in list(dict.items(member(functools.partial, "keywords", thing))):
        yield Step("keyword", exact_text(name)), value
    for name, value in attributes_of(thing):
        yield Step("attribute", name), value


def _parts_of_method(thing: object) -> Iterator[Part]:
    yield Step("self", ""), member(MethodType, "__self__", thing)
    yield Step("function", ""), member(MethodType, "__func__", thing)


def _parts_of_builtin(thing: object) -> Iterator[Part]:
    held = member(BuiltinFunctionType, "__self__", thing)
    if held is not None and not is_a(held, ModuleType):
        yield Step("self", ""), held


def _parts_of_descriptor(thing: object) -> Iterator[Part]:
    owner = member(type(thing), "__objclass__", thing)
    yield Step("class", class_name(owner)), owner


def _function_in(cls: type, thing: object) -> Iterator[Part]:
    yield Step("function", ""), member(cls, "__func__", thing)


def _parts_of_property(thing: object) -> Iterator[Part]:
    for name in ("fget", "fset", "fdel"):
        value = member(property, name, thing)
        if value is not None and value is not MISSING:
            yield Step("function", name), value


def _parts_of_exception(thing: object) -> Iterator[Part]:
    yield Step("class", class_name(type(thing))), type(thing)
    for at, value in enumerate(exact_tuple(member(BaseException, "args", thing))):
        yield Step("argument", str(at)), value
    for name, value in attributes_of(thing):
        yield Step("attribute", name), value


def _parts_of_cell(thing: Any) -> Iterator[Part]:
    try:
        yield Step("contents", ""), thing.cell_contents
    except ValueError:  # an empty cell
        return


_CONTAINERS: tuple[tuple[type, Callable[[object], Iterator[Part]]], ...] = (
    (defaultdict, _parts_of_default),
    (dict, _parts_of_dict),
    (list, _items_by(list.__iter__)),
    (tuple, _items_by(tuple.__iter__)),
    (set, _items_by(set.__iter__)),
    (frozenset, _items_by(frozenset.__iter__)),
    (deque, _items_by(deque.__iter__)),
)

_WRAPPERS: tuple[tuple[type, Callable[[object], Iterator[Part]]], ...] = (
    (MethodType, _parts_of_method),
    (functools.partial, _parts_of_partial),
    (BuiltinFunctionType, _parts_of_builtin),
    (MethodDescriptorType, _parts_of_descriptor),
    (WrapperDescriptorType, _parts_of_descriptor),
    (staticmethod, lambda thing: _function_in(staticmethod, thing)),
    (classmethod, lambda thing: _function_in(classmethod, thing)),
    (property, _parts_of_property),
    (BaseException, _parts_of_exception),
    (CellType, _parts_of_cell),
)

_PLAIN = (dict, list, tuple, set, frozenset, deque, defaultdict, OrderedDict)


def is_plain_container(kind: type) -> bool:
    """True for the exact built-in containers, which are nothing but their items."""
    return any(kind is plain for plain in _PLAIN) or is_frozen_dict(kind)
