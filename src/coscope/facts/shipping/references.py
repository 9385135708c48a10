"""Which functions, classes and modules travel by their name alone when they are pickled."""

from __future__ import annotations

import sys
import types
from functools import lru_cache
from types import FunctionType, MethodDescriptorType, ModuleType, WrapperDescriptorType
from typing import Any

from coscope.readers.attributes import MISSING, class_attribute, is_a, member, namespace_of
from coscope.readers.values import exact_text

PICKLE = "pickle"
CLOUDPICKLE = "cloudpickle"
TOOLS = (PICKLE, CLOUDPICKLE)

_qualname_of_class = type.__dict__["__qualname__"].__get__


def _is_in_types(thing: object) -> bool:
    """True for such as the type of functions, which builtins does not have under its name."""
    return any(thing is known for known in vars(types).values())


def goes_by_name(thing: Any, tool: str) -> bool:
    """True if all that a tool writes for a function, class or module is where to find it.

    Nothing is imported to find out: a module that is not loaded counts as one that is not found.

    Source:
        CPython 3.13.0, Modules/_pickle.c, save_global; cloudpickle 3.1.2, cloudpickle.py,
        _should_pickle_by_reference.
    """
    if is_a(thing, ModuleType):
        return tool == CLOUDPICKLE and _is_importable(thing)
    if tool == CLOUDPICKLE and _is_in_types(thing):
        return True
    module_name, qualname = name_of(thing)
    if module_name is None:
        module_name = _module_that_has(thing, qualname)
    if tool == CLOUDPICKLE and (module_name in (None, "__main__") or _by_value(module_name)):
        return False
    return found_at("__main__" if module_name is None else module_name, qualname) is thing


def name_of(thing: Any) -> tuple[str | None, str]:
    """Module and qualified name of a function or class, as C code keeps them."""
    if type(thing) is FunctionType:
        module, qualname = thing.__module__, exact_text(thing.__qualname__)
    else:
        module, qualname = _module_of_class(thing), exact_text(_qualname_of_class(thing))
    return (module if type(module) is str else None), qualname


def _module_of_class(cls: type) -> Any:
    held = namespace_of(cls).get("__module__", MISSING)
    return type.__dict__["__module__"].__get__(cls) if held is MISSING else held


def found_at(module_name: str, qualname: str) -> object:
    """What a qualified name finds in a loaded module, without running descriptors; or MISSING."""
    thing = dict.get(sys.modules, module_name, MISSING)
    for name in qualname.split("."):
        if thing is MISSING:
            break
        thing = _attribute(thing, name)
    return thing


_DATA = ("__set__", "__delete__")


def _attribute(thing: Any, name: str) -> object:
    """What a module or class gives for a name, where no code has to run to see it; or MISSING."""
    if is_a(thing, ModuleType):
        return dict.get(member(ModuleType, "__dict__", thing), name, MISSING)
    if name == "__annotate__" and (type(thing) is FunctionType or is_a(thing, type)):
        return _annotate_of(thing)
    if type(thing) is FunctionType:
        return dict.get(thing.__dict__, name, MISSING)
    return _attribute_of_class(thing, name) if is_a(thing, type) else MISSING


def _attribute_of_class(thing: type, name: str) -> object:
    above = class_attribute(type(thing), name)
    if any(class_attribute(type(above), hook) is not MISSING for hook in _DATA):
        return MISSING  # a data descriptor of the metaclass comes first
    value = class_attribute(thing, name)
    if type(value) is staticmethod:
        return member(staticmethod, "__func__", value)
    plain = class_attribute(type(value), "__get__") is MISSING
    return value if plain or any(type(value) is kind for kind in _OF_CLASSES) else MISSING


def _annotate_of(thing: Any) -> object:
    """The function that makes the annotations of a function or class (3.14), by C code's getter."""
    getter = namespace_of(FunctionType if type(thing) is FunctionType else type).get("__annotate__")
    value = None if getter is None else getter.__get__(thing)
    return MISSING if value is None else value


# What a class gives as it is, though it has a `__get__`.
_OF_CLASSES = (FunctionType, type(lru_cache(len)), MethodDescriptorType, WrapperDescriptorType)


def _module_that_has(thing: object, qualname: str) -> str | None:
    """The first loaded module in which the qualified name finds the object."""
    if "<locals>" in qualname:
        return None
    for name in list(sys.modules):
        if name not in ("__main__", "__mp_main__") and found_at(name, qualname) is thing:
            return name
    return None


def _is_importable(module: ModuleType) -> bool:
    name = dict.get(member(ModuleType, "__dict__", module), "__name__")
    return type(name) is str and name in sys.modules and not _by_value(name)


def _by_value(module_name: str | None) -> bool:
    """True if `cloudpickle.register_pickle_by_value` was called for the module or its parent."""
    cloudpickle = sys.modules.get("cloudpickle.cloudpickle")
    if type(cloudpickle) is not ModuleType or module_name is None:
        return False
    registered = vars(cloudpickle).get("_PICKLE_BY_VALUE_MODULES")
    if type(registered) is not set:
        return False
    parts = module_name.split(".")
    return any(".".join(parts[:count]) in registered for count in range(1, len(parts) + 1))
