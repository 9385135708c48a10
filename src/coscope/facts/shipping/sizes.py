"""How much memory objects take, deeply, without running their code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from types import (
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MethodDescriptorType,
    ModuleType,
    NotImplementedType,
)
from typing import Any

from coscope.facts.names.scopes import contents_of
from coscope.facts.shipping.clocks import Clock
from coscope.facts.shipping.references import CLOUDPICKLE, goes_by_name
from coscope.readers.attributes import MISSING, class_attribute, member, mro_of, namespace_of
from coscope.readers.recent_types import frozen_items, is_frozen_dict, is_lazy_import

MOST_OBJECTS = 1_000_000  # counted for one result
SECONDS = 2.0  # for one result, unless the caller says otherwise

_HAVE_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC
_GC_HEAD = 2 * (sys.maxsize.bit_length() + 1) // 8  # bytes in front of a tracked object
_flags_of = type.__dict__["__flags__"].__get__

# By id, because the hash of a class may be its metaclass's own code.
_SHARED = frozenset(map(id, (type(None), bool, type(...), NotImplementedType)))
_FLAT = frozenset(map(id, (int, float, complex, str, bytes, bytearray, range)))


@dataclass(frozen=True, slots=True)
class Size:
    """What an object and all that it holds takes in memory."""

    bytes: int
    added: int  # of these, bytes that no object weighed before had counted
    objects: int
    complete: bool  # False: a limit stopped the count, and there is more

    @property
    def shared(self) -> int:
        """Bytes that were counted already in what was weighed before."""
        return self.bytes - self.added


def size_of(thing: object, *, most: int = MOST_OBJECTS, seconds: float = SECONDS) -> Size:
    """Weigh one object. See `Scale.weigh`.

    >>> size_of([bytearray(1000)] * 2).objects
    2
    """
    return Scale(Clock(seconds), most=most).weigh(thing)


def _goes_by_name(thing: object) -> bool:
    return goes_by_name(thing, CLOUDPICKLE)


class Scale:
    """Weighs objects one after another, and knows what was counted before.

    Args:
        clock: The time for all weighings together.
        most: Objects that are counted in all.
        by_name: Says whether a function, class or module counts nothing at all.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        most: int = MOST_OBJECTS,
        by_name: Callable[[object], bool] = _goes_by_name,
    ) -> None:
        self.clock = clock
        self.left = most
        self.by_name = by_name
        self.counted: set[int] = set()
        self._sorts: dict[int, _Sort] = {}
        self._own: dict[int, int] = {}  # by id: bytes of an object counted already

    def weigh(self, thing: object) -> Size:
        """The deep size: `sys.getsizeof` of the object and of all that it refers to, each once.

        What it refers to is asked of the garbage collector, which runs C code only. An overridden
        `__sizeof__` is not called: the one of the C type below it counts. Not counted are None,
        True, False, Ellipsis and NotImplemented, and functions, classes and modules that travel
        by name. Of a numpy array its `nbytes` count, of an array of objects the objects too.
        """
        seen: set[int] = set()
        pending = [thing]
        total = added = 0
        complete = True
        while pending:
            part = pending.pop()
            key = id(part)
            if key in seen:
                continue
            sort = self._sorts.get(id(type(part))) or self._sort_of(type(part))
            if sort.shared or (sort.named and self.by_name(part)):
                continue
            if self.left <= 0 or (not len(seen) & 255 and self.clock.over()):
                complete = False
                break
            seen.add(key)
            size = self._own.get(key)
            if size is None:
                size = self._own[key] = sort.size(part)
                self.left -= 1
            total += size
            if key not in self.counted:
                added += size
            if not sort.flat:
                pending.extend(_at_most(self.left, part) or sort.parts(part))
        self.counted |= seen
        return Size(total, added, len(seen), complete)

    def _sort_of(self, kind: type) -> _Sort:
        sort = self._sorts[id(kind)] = _sort_of(kind)
        return sort


_CONTAINERS: tuple[type, ...] = (list, tuple, dict, set, frozenset)


def _at_most(count: int, thing: Any) -> list[object]:
    """The first items of a container that holds more than `count`; [] of anything else."""
    for cls in _CONTAINERS:
        if issubclass(type(thing), cls):
            if cls.__len__(thing) <= count:  # type: ignore[attr-defined]
                return []
            items = dict.values(thing) if cls is dict else cls.__iter__(thing)  # type: ignore[attr-defined]
            return list(islice(items, count + 1))
    return []


@dataclass(frozen=True, slots=True, eq=False)
class _Sort:
    """How objects of one type are weighed."""

    kind: type  # kept alive, so that its id stays its own
    shared: bool  # there is one for the whole process
    named: bool  # functions, classes and modules
    flat: bool  # refers to nothing that counts
    size: Callable[[object], int]
    parts: Callable[[object], Any]


def _sort_of(kind: type) -> _Sort:
    named = kind is FunctionType or issubclass(kind, type) or issubclass(kind, ModuleType)
    size, parts = _bytes_of(kind), _parts_of(kind)
    return _Sort(kind, id(kind) in _SHARED, named, id(kind) in _FLAT, size, parts)


def _bytes_of(kind: type) -> Callable[[object], int]:
    """The own bytes of objects of a type, by C code."""
    plain: Callable[[object], int] = sys.getsizeof
    if type(class_attribute(kind, "__sizeof__")) is not MethodDescriptorType:
        plain = _below(kind)
    nbytes = _numpy_member(kind, "nbytes")
    if nbytes is None:
        return plain

    def array(thing: object) -> int:
        # A view does not own its memory, but its elements travel.
        size, elements = plain(thing), nbytes.__get__(thing)
        return int(size if size > elements else size + elements)

    return array


def _below(kind: type) -> Callable[[object], int]:
    """Of a class with a `__sizeof__` of its own: what the C type below it takes."""
    head = _GC_HEAD if _flags_of(kind) & _HAVE_GC else 0
    for base in mro_of(kind):
        found = namespace_of(base).get("__sizeof__", MISSING)
        if type(found) is MethodDescriptorType:
            return lambda thing: int(found(thing)) + head
    return lambda thing: int(object.__sizeof__(thing)) + head


def _parts_of(kind: type) -> Callable[[Any], object]:
    if kind is FunctionType:
        return lambda thing: list(_parts_of_function(thing))
    if issubclass(kind, ModuleType):
        return lambda thing: [member(ModuleType, "__dict__", thing)]
    if issubclass(kind, type):
        return lambda thing: list(namespace_of(thing).values())
    if kind is CodeType:
        return lambda thing: [thing.co_consts, thing.co_names, thing.co_linetable]
    if is_array(kind):
        return elements_of
    if is_lazy_import(kind):
        return lambda thing: ()  # it refers to the namespaces around it, which are not its own
    if is_frozen_dict(kind):
        return lambda thing: [each for pair in frozen_items(thing) for each in pair]
    if issubclass(kind, dict):
        # The collector does not visit keys that are all strings.
        return lambda thing: [*dict.keys(thing), *gc.get_referents(thing)]
    logger = _loggers()
    if logger is not None and issubclass(kind, logger):
        return lambda thing: ()  # travels by name
    return gc.get_referents


def _parts_of_function(function: FunctionType) -> Iterator[Any]:
    """What a function itself holds, without its globals."""
    yield from (function.__code__, function.__defaults__, function.__kwdefaults__)
    yield function.__dict__
    yield from contents_of(function)


def _loggers() -> Any:
    logging = sys.modules.get("logging")
    return None if logging is None else vars(logging).get("Logger")


def _numpy_member(kind: type, name: str) -> Any:
    """A C member of numpy.ndarray, if numpy is loaded and the type is or extends it."""
    numpy = sys.modules.get("numpy")
    ndarray = dict.get(vars(numpy), "ndarray") if type(numpy) is ModuleType else None
    if type(ndarray) is not type or not issubclass(kind, ndarray):
        return None
    found = namespace_of(ndarray).get(name)
    return found if type(found) is GetSetDescriptorType else None


def is_array(kind: type) -> bool:
    """True for numpy's array type and what extends it."""
    return _numpy_member(kind, "nbytes") is not None


def elements_of(array: object) -> list[object]:
    """The objects in a numpy array of objects; [] for any other array."""
    kind = type(array)
    dtype = _numpy_member(kind, "dtype").__get__(array)
    # A dtype's kind is a C member; "O" alone means objects and no fields of a record.
    if class_attribute(type(dtype), "kind").__get__(dtype) != "O":
        return []
    flat = _numpy_member(kind, "flat").__get__(array)
    return list(flat)
