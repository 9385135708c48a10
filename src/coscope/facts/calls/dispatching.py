"""`partialmethod`, `singledispatch` and `singledispatchmethod`: what their Python code calls.

Their wrappers are code of the standard library, recognised by its code objects; what they call is
computed when they run, from a registry that can be read.
"""

from __future__ import annotations

import functools
from abc import ABCMeta
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType

from coscope.facts.calls.attributes import Accessed, binds_self
from coscope.facts.calls.parameters import Arguments, Given, fill
from coscope.facts.calls.partials import partially_called
from coscope.facts.calls.reached import Reached, Way, before, called
from coscope.facts.calls.receivers import STAND_IN, Receiver
from coscope.facts.dependencies.dispatchers import DISPATCHER, cells_of, registry_of
from coscope.facts.fingerprints.provenance import origin_of_class
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
    mro_of,
    namespace_of,
)
from coscope.readers.from_function import from_function
from coscope.readers.values import name_of_class, type_name_of, value_of

_Follow = Callable[[Way, object, Arguments], "tuple[object, Arguments] | None"]


def _sample(thing: object, *args: object) -> None:
    """What the wrappers below wrap, to know their code."""


class _Samples:
    whole = functools.partialmethod(_sample)
    single = functools.singledispatchmethod(_sample)


_UNBOUND = _Samples.whole  # the function that a partialmethod gives through its class
_METHOD: object = _Samples.single
_code_of_unbound: CodeType = _UNBOUND.__code__
_code_of_method = _METHOD.__code__ if type(_METHOD) is FunctionType else None
_GET = None if _code_of_method is not None else type(_METHOD)  # an object of its own: 3.14
# Whether it says so where there is no argument to choose by, or raises IndexError.
_COUNTS = _code_of_method is None or "funcname" in _code_of_method.co_freevars
_SKIPS_SELF = _GET is not None and "_dispatch_arg_index" in _GET.__init__.__code__.co_names


def _held(function: object) -> dict[str, object]:
    assert type(function) is FunctionType
    return cells_of(function)


def special(function: FunctionType) -> _Follow | None:
    """How to follow a wrapper of the standard library; None for any other function."""
    code = function.__code__
    if code is DISPATCHER:
        return _dispatcher
    if code is _code_of_unbound:
        return _unbound
    return _single_method if code is _code_of_method else None


def _dispatcher(way: Way, wrapper: object, arguments: Arguments) -> tuple[object, Arguments] | None:
    registry = registry_of(wrapper)
    name = _held(wrapper).get("funcname")
    found = _chosen(way.reached, registry, arguments, 0, name)
    if found is None:
        return None
    implementation, cls = found
    way.reached.through(
        f"singledispatch: argument 1 is of type {cls}, so {called(implementation)} is called"
    )
    return implementation, arguments


def _chosen(
    reached: Reached,
    registry: dict[type, object] | None,
    arguments: Arguments,
    at: int,
    name: object,
) -> tuple[object, str] | None:
    """The implementation for the argument at a position, and the name of its type."""
    if not arguments.positional and name is not None:
        reached.fail(f"{name} requires at least 1 positional argument")
        return None
    if len(arguments.positional) <= at:
        reached.unless(f"there is no argument {at + 1} to choose by: IndexError")
        return None
    if registry is None:
        reached.unless("which implementation is called is known only when it runs")
        return None
    value = arguments.positional[at].value
    if value.object is STAND_IN:
        reached.unless(f"which implementation is called depends on the type of {value.text}")
        return None
    cls = type(value.object)
    found = implementation_of(registry, cls)
    if found is MISSING:
        reached.unless(
            f"which implementation takes a {name_of_class(cls)} is up to __subclasshook__ of a "
            "registered class"
        )
        return None
    return found, name_of_class(cls)


def implementation_of(registry: dict[type, object], cls: type) -> object:
    """What `singledispatch` chooses for a class; MISSING if a user's code would decide.

    Source:
        CPython 3.13.0, Lib/functools.py, _find_impl.
    """
    if cls in registry and type(cls) in (type, ABCMeta):
        return registry[cls]
    if any(not _is_plain(each) for each in (*registry, *mro_of(cls))):
        return MISSING
    try:
        return functools._find_impl(cls, registry)  # type: ignore[attr-defined]
    except RuntimeError:  # ambiguous
        return MISSING


def _is_plain(cls: type) -> bool:
    """True if `issubclass` with this class runs the standard library's code alone."""
    if type(cls) is type:
        return True
    if type(cls) is not ABCMeta:
        return origin_of_class(type(cls)).kind == "python"
    hook = class_attribute(cls, "__subclasshook__")
    owner = next(base for base in mro_of(cls) if "__subclasshook__" in namespace_of(base))
    return hook is not MISSING and origin_of_class(owner).kind == "python"


# What __get__ of the two method descriptors gives


def follow_accessed(
    way: Way, thing: object, arguments: Arguments
) -> tuple[object, Arguments] | None:
    """An attribute whose descriptor was not asked."""
    assert type(thing) is Accessed
    descriptor = thing.descriptor
    if type(descriptor) is functools.partialmethod:
        return _partialmethod(way, descriptor, thing.instance, thing.owner, arguments)
    way.reached.unless(
        f"what is called is known only to {type_name_of(descriptor)}.__get__, which is not run"
    )
    return None


def bound(thing: object, instance: object, owner: type) -> object:
    """What `__get__` of a callable gives, as CPython binds it; MISSING if a user's code decides."""
    if type(thing) is staticmethod:
        return member(staticmethod, "__func__", thing)
    if type(thing) is classmethod:
        return MethodType(member(classmethod, "__func__", thing), owner)
    if binds_self(thing):
        return thing if instance is None else MethodType(thing, instance)  # type: ignore[arg-type]
    plain = class_attribute(type(thing), "__get__") is MISSING or is_a(thing, functools.partial)
    return thing if plain else MISSING


def _partialmethod(
    way: Way, method: object, instance: object, owner: type, arguments: Arguments
) -> tuple[object, Arguments] | None:
    """
    Source:
        CPython 3.13.0, Lib/functools.py, partialmethod.__get__.
    """
    function = instance_attribute(method, "func")
    held = instance_attribute(method, "args")
    keywords = instance_attribute(method, "keywords")
    got = bound(function, instance, owner)
    if got is MISSING:
        way.reached.unless(f"what it calls is known only to {type_name_of(function)}.__get__")
        return None
    if got is not function:
        if type(got) is MethodType:
            way.receiver = None
        made = partially_called(
            way.reached, got, held, keywords, arguments, "functools.partialmethod"
        )
        return None if made is None else (got, made)
    if instance is not None:
        arguments = before(arguments, Given(value_of(instance), "the bound object"))
        way.receiver = Receiver(type(instance), instance)
    return _as_method(way, function, held, keywords, arguments)


def _as_method(
    way: Way, function: object, held: object, keywords: object, arguments: Arguments
) -> tuple[object, Arguments] | None:
    """The first argument stays first; what the partialmethod holds goes behind it."""
    if not arguments.positional:
        assert type(_UNBOUND) is FunctionType
        way.reached.enter(fill(from_function(_UNBOUND), arguments))
        return None
    first, rest = arguments.positional[0], arguments.positional[1:]
    made = partially_called(
        way.reached,
        function,
        held,  # type: ignore[arg-type]
        keywords,  # type: ignore[arg-type]
        Arguments(rest, arguments.keywords),
        "functools.partialmethod",
    )
    return None if made is None else (function, before(made, first))


def partialmethod_of(thing: object) -> object:
    """The partialmethod whose function this is, reached through its class; else MISSING."""
    if type(thing) is FunctionType and thing.__code__ is _code_of_unbound:
        return _held(thing).get("self", MISSING)
    return MISSING


def _unbound(way: Way, function: object, arguments: Arguments) -> tuple[object, Arguments] | None:
    """The function that a partialmethod gives through its class."""
    method = _held(function).get("self")
    if not is_a(method, functools.partialmethod):
        way.reached.unless("what the partialmethod holds is not known")
        return None
    return _as_method(
        way,
        instance_attribute(method, "func"),
        instance_attribute(method, "args"),
        instance_attribute(method, "keywords"),
        arguments,
    )


def is_got(thing: object) -> bool:
    """True for what a singledispatchmethod gives if that is not a function (3.14)."""
    return _GET is not None and type(thing) is _GET


def _name_in_error(function: object, owner: type) -> str:
    """What the TypeError for a call without arguments names."""
    plain = bound(function, None, owner)
    plain = member(MethodType, "__func__", plain) if type(plain) is MethodType else plain
    return plain.__name__ if type(plain) is FunctionType else "singledispatchmethod method"


def follow_got(way: Way, thing: object, arguments: Arguments) -> tuple[object, Arguments] | None:
    """
    Source:
        CPython 3.15.0, Lib/functools.py, _singledispatchmethod_get.__call__.
    """
    method = instance_attribute(thing, "_unbound")
    instance, cls = instance_attribute(thing, "_obj"), instance_attribute(thing, "_cls")
    owner: type = cls if is_a(cls, type) else type(instance)
    registry = registry_of(instance_attribute(method, "dispatcher"))
    function = instance_attribute(method, "func")
    shift = _SKIPS_SELF and instance is None and type(function) is FunctionType
    name = _name_in_error(function, owner) if _COUNTS else None
    found = _chosen(way.reached, registry, arguments, int(shift), name)
    if found is None:
        return None
    implementation, cls = found
    way.reached.through(
        f"singledispatchmethod: argument {shift + 1} is of type {cls}, so "
        f"{called(implementation)} is called"
    )
    got = bound(implementation, instance, owner)
    if got is MISSING:
        way.reached.unless(
            f"what is called is known only to {type_name_of(implementation)}.__get__"
        )
        return None
    if shift and (type(implementation) is staticmethod or type(got) is MethodType):
        arguments = Arguments(arguments.positional[1:], arguments.keywords)
    return got, arguments


def _single_method(
    way: Way, function: object, arguments: Arguments
) -> tuple[object, Arguments] | None:
    """The function that a singledispatchmethod gives, to 3.13."""
    held = _held(function)
    dispatch = held.get("dispatch")
    registry = _held(dispatch).get("registry") if type(dispatch) is FunctionType else None
    if "self" in held:  # 3.11
        registry = registry_of(instance_attribute(held["self"], "dispatcher"))
    name = held.get("funcname") if _COUNTS else None
    found = _chosen(way.reached, registry if type(registry) is dict else None, arguments, 0, name)
    owner = held.get("cls")
    if found is None:
        return None
    got = bound(found[0], held.get("obj"), owner if is_a(owner, type) else type(owner))  # type: ignore[arg-type]
    if got is MISSING:
        way.reached.unless("what is called is known only to the implementation's __get__")
        return None
    return got, arguments
