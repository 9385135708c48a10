"""What pickle and cloudpickle will probably do with an object, judged by types alone."""

from __future__ import annotations

import copyreg
import functools
import io
import sys
from types import (
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, NamedTuple

from coscope.facts.shipping.cargo import ATOMS, Step, Walk, class_name, is_plain_container, parts_of
from coscope.facts.shipping.clocks import Clock
from coscope.facts.shipping.references import CLOUDPICKLE, found_at, goes_by_name, name_of
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
    mro_of,
    namespace_of,
)
from coscope.readers.recent_types import lazily_imported
from coscope.readers.values import exact_text, type_name_of

MOST_OBJECTS = 200_000  # looked at for one opinion
DEEPEST = 300  # objects inside one another; pickle needs the interpreter's stack for each

TAKES, REFUSES, PARTS, UNKNOWN = "takes", "refuses", "parts", "unknown"


class Opinion(NamedTuple):
    """What is to be expected of one object, without its parts."""

    answer: str  # TAKES, REFUSES, PARTS (as its parts do) or UNKNOWN
    reason: str = ""


class Expectation(NamedTuple):
    """What is to be expected of an object with all its parts."""

    takes: bool | None  # None: only trying can show it
    path: tuple[Step, ...] = ()  # to the first culprit, or to what only trying can show
    culprit: object = MISSING
    reason: str | None = None


def expect(thing: object, tool: str, path: tuple[Step, ...], clock: Clock) -> Expectation:
    """Look through an object's parts, nearest first, for one that a tool refuses by its type.

    Args:
        thing: Any object. None of its code runs.
        tool: "pickle" or "cloudpickle".
        path: The steps to the object.
        clock: The time for it.
    """
    walk = Walk(thing, path)
    unknown: Expectation | None = None
    for at, part in walk:
        if not at & 63 and clock.over():
            return Expectation(None, reason="the time given was over before all was looked at")
        if walk.depths[at] > DEEPEST:
            unknown = unknown or Expectation(None, path, thing, "nested so deeply that it may fail")
            continue
        opinion = opinion_of(part, tool)
        if opinion.answer == REFUSES:
            return Expectation(False, walk.path(at), part, opinion.reason)
        if opinion.answer == UNKNOWN and unknown is None:
            unknown = Expectation(None, walk.path(at), part, opinion.reason)
        if opinion.answer != PARTS:
            continue
        for step, inner in parts_of(part, tool):
            walk.meet(at, step, inner)
            if len(walk.seen) > MOST_OBJECTS or (not walk.count & 15 and clock.over()):
                return Expectation(None, reason=f"only {len(walk.seen):,} objects were looked at")
    return unknown or Expectation(True)


def opinion_of(thing: object, tool: str) -> Opinion:
    """What a tool does with one object, by its type and by whether its name finds it."""
    kind = type(thing)
    if id(kind) in ATOMS:
        return Opinion(TAKES)
    if kind is FunctionType or is_a(thing, type):
        return _of_named(thing, tool)
    if is_a(thing, ModuleType):
        return _of_module(thing, tool)
    lazy = lazily_imported(thing)
    if lazy is not None:
        return Opinion(REFUSES, f"the lazy import of {lazy} has to be used once before")
    if _is_its_parts(kind):
        return Opinion(PARTS)
    special = _by_cloudpickle(thing) if tool == CLOUDPICKLE else None
    return special or _of_known_type(thing, tool) or _by_hook(thing)


def _is_its_parts(kind: type) -> bool:
    """True for types that every tool writes as their parts and nothing else."""
    return is_plain_container(kind) or kind is MethodType or kind is functools.partial


def _of_module(thing: object, tool: str) -> Opinion:
    if tool == CLOUDPICKLE:
        return Opinion(TAKES if goes_by_name(thing, tool) else PARTS)
    return Opinion(REFUSES, "pickle takes no modules")


def _of_named(thing: object, tool: str) -> Opinion:
    if any(thing is single for single in _SINGLE_TYPES) or goes_by_name(thing, tool):
        return Opinion(TAKES)
    if tool == CLOUDPICKLE:
        return Opinion(PARTS)
    module, qualname = name_of(thing)
    if "<locals>" in qualname:
        return Opinion(REFUSES, f"pickle takes it by name, and {qualname} is local to a call")
    return Opinion(
        REFUSES, f"pickle takes it by name, and {module or '__main__'}.{qualname} is another object"
    )


_SINGLE_TYPES = (type(None), type(...), type(NotImplemented))

# Types for which cloudpickle has its own reducers. cloudpickle 3.1.2, cloudpickle.py, Pickler.
_CLOUDPICKLE_TAKES = (
    CodeType,
    MemberDescriptorType,
    GetSetDescriptorType,
    MethodDescriptorType,
    WrapperDescriptorType,
    memoryview,
)
_CLOUDPICKLE_OPENS: tuple[type, ...] = (
    CellType,
    MappingProxyType,
    classmethod,
    staticmethod,
    property,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)


def _by_cloudpickle(thing: object) -> Opinion | None:
    """What cloudpickle's own reducers do; None for a type that has none of them."""
    kind = type(thing)
    if kind is io.TextIOWrapper:
        return _of_text_file(thing)
    if any(kind is taken for taken in _CLOUDPICKLE_TAKES):
        return Opinion(TAKES)
    if any(kind is wrapper for wrapper in _CLOUDPICKLE_OPENS):
        return Opinion(PARTS)
    return None


def _of_text_file(thing: object) -> Opinion:
    """cloudpickle names the standard output, and copies a text file that is open for reading."""
    if thing is sys.stdout or thing is sys.stderr:
        return Opinion(TAKES)
    mode = instance_attribute(thing, "mode")
    if type(mode) is not str or ("r" not in mode and "+" not in mode):
        return Opinion(REFUSES, "cloudpickle takes files that are open for reading only")
    return Opinion(UNKNOWN, "cloudpickle reads the file to its end to take it")


# Types of the standard library that refuse by their own code: name -> what it is.
_REFUSED = {
    "_io.BufferedRandom": "an open file",
    "_io.BufferedReader": "an open file",
    "_io.BufferedRWPair": "an open file",
    "_io.BufferedWriter": "an open file",
    "_io.FileIO": "an open file",
    "_io.TextIOWrapper": "an open file",
    "codecs.StreamReaderWriter": "an open file",
    "mmap.mmap": "mapped memory",
    "multiprocessing.queues.JoinableQueue": "a queue between processes",
    "multiprocessing.queues.Queue": "a queue between processes",
    "multiprocessing.queues.SimpleQueue": "a queue between processes",
    "socket.socket": "a socket",
    "ssl.SSLSocket": "a socket",
}
# What pickle does with these depends on what they hold, each in its own way.
_UNCLEAR = ("_weakrefset.WeakSet", "weakref.WeakSet")
_TYPE_PARAMETERS = ("typing.TypeVar", "typing.ParamSpec", "typing.TypeVarTuple")
_HOOKS = ("__reduce_ex__", "__reduce__", "__getstate__")
_C_METHODS = (MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)


def _of_known_type(thing: object, tool: str) -> Opinion | None:
    """By a rule for exactly its type; None if there is no such rule."""
    kind = type(thing)
    name = type_name_of(thing)
    if name in _REFUSED:
        return Opinion(REFUSES, _REFUSED[name])
    registered = _by_copyreg(kind)
    if registered is not None:
        return registered
    if kind is BuiltinFunctionType:
        return _of_builtin(thing)
    if kind is _LRU_WRAPPER and not _found_by_name(thing):
        return Opinion(REFUSES, "an lru_cache goes by its name, and its name does not find it")
    if name in _TYPE_PARAMETERS and found_at("typing", class_name(kind)) is kind:
        found = tool == CLOUDPICKLE or _is_known_parameter(thing)
        return Opinion(TAKES) if found else Opinion(REFUSES, "its name does not find it")
    return None


def _by_copyreg(kind: type) -> Opinion | None:
    """By the function that copyreg has for a type; None if it has none."""
    # Compared by identity: a lookup would run the hash of a user's metaclass.
    for registered, reduce in list(copyreg.dispatch_table.items()):
        if registered is kind:
            known = type(reduce) is FunctionType and _is_standard(reduce)
            return Opinion(TAKES) if known else Opinion(UNKNOWN, "copyreg has code for its type")
    return None


def _by_hook(thing: object) -> Opinion:
    """By the first pickling method that its type does not take over from `object`."""
    kind = type(thing)
    for name in _HOOKS:
        hook = class_attribute(kind, name)
        if hook is not MISSING and not _is_objects(hook):
            return _of_hook(thing, name, hook)
    refusal = _refusal_by_default(kind)
    return Opinion(REFUSES, refusal) if refusal else Opinion(PARTS)


def _of_hook(thing: object, name: str, hook: object) -> Opinion:
    """What a type's own pickling method does, as far as that is known without running it."""
    if any(type(hook) is method for method in _C_METHODS):
        return Opinion(TAKES if _found_by_name(thing) else PARTS)
    is_clear = type_name_of(thing) not in _UNCLEAR
    if type(hook) is FunctionType and _is_standard(hook) and is_clear:
        words = exact_text(hook.__qualname__)
        by_parts = words.endswith("GenericAlias.__reduce__") or words.startswith("_dataclass_")
        return Opinion(PARTS if by_parts else TAKES)
    return Opinion(UNKNOWN, f"its own {name} decides")


_LRU_WRAPPER = type(functools.lru_cache(len))


def _is_standard(function: FunctionType) -> bool:
    module = function.__module__
    return type(module) is str and module.partition(".")[0] in sys.stdlib_module_names


def _is_objects(hook: object) -> bool:
    return any(namespace_of(object).get(name) is hook for name in _HOOKS)


def _of_builtin(thing: Any) -> Opinion:
    """A C function goes by its name; a method of a C type as getattr(self, name)."""
    held = member(BuiltinFunctionType, "__self__", thing)
    if held is not None and not is_a(held, ModuleType):
        return Opinion(PARTS)
    module = "builtins" if thing.__module__ is None else thing.__module__
    if type(module) is not str or found_at(module, thing.__qualname__) is not thing:
        return Opinion(REFUSES, "its module does not have it under its name")
    return Opinion(TAKES)


def _is_known_parameter(thing: object) -> bool:
    """True if the module of a type parameter has it by its name, and so pickle takes it."""
    # Its exact class is typing's, whose attributes are read by C code alone.
    module = object.__getattribute__(thing, "__module__")
    name = object.__getattribute__(thing, "__name__")
    return type(module) is str and type(name) is str and found_at(module, name) is thing


def _found_by_name(thing: object) -> bool:
    """True for what keeps a module and a qualified name that lead to it."""
    module = instance_attribute(thing, "__module__")
    qualname = instance_attribute(thing, "__qualname__")
    named = type(module) is str and type(qualname) is str
    return named and found_at(module, qualname) is thing


_DISALLOW_INSTANTIATION = 1 << 7  # Py_TPFLAGS_*, Include/object.h of CPython 3.11 to 3.14
_MANAGED_DICT = 1 << 4
_field = {
    name: type.__dict__[name].__get__
    for name in ("__flags__", "__basicsize__", "__itemsize__", "__dictoffset__")
}
_POINTER = (sys.maxsize.bit_length() + 1) // 8
_weakref_offset_of = type.__dict__["__weakrefoffset__"].__get__


def _refusal_by_default(kind: type) -> str | None:
    """Why `object.__reduce_ex__` refuses a type that has no code of its own for pickling.

    Source:
        CPython 3.13.0, Objects/typeobject.c, reduce_newobj and object_getstate_default.
    """
    text = "an object of a C type with a state that pickle does not see"
    if _field["__flags__"](kind) & _DISALLOW_INSTANTIATION:
        return text
    arguments = ("__getnewargs__", "__getnewargs_ex__")
    if any(class_attribute(kind, name) is not MISSING for name in arguments):
        return None
    if issubclass(kind, list) or issubclass(kind, dict):
        return None
    seen = _visible_size(kind)
    if _field["__itemsize__"](kind) or _field["__basicsize__"](kind) > seen:
        return text
    return None


def _visible_size(kind: type) -> int:
    """Bytes of an object head with the dictionary, weak references and slots that pickle sees."""
    size: int = _field["__basicsize__"](object)
    if _field["__dictoffset__"](kind) and not _field["__flags__"](kind) & _MANAGED_DICT:
        size += _POINTER
    if _weakref_offset_of(kind) > 0:
        size += _POINTER
    for base in mro_of(kind):
        space = namespace_of(base)
        if "__slots__" in space:
            slots = [each for each in space.values() if type(each) is MemberDescriptorType]
            size += _POINTER * len(slots)
    return size
