"""From any callable to the Python function that its call reaches, and what is added on the way.

Nothing is called: wrappers, bound objects and constructors are followed by their C-level members,
as CPython's own call does.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import (
    BuiltinFunctionType,
    FunctionType,
    GenericAlias,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)

from coscope.errors import TargetError
from coscope.facts.calls.attributes import LRU_WRAPPER, Accessed, binds_self
from coscope.facts.calls.construction import construct, is_exception_init
from coscope.facts.calls.dispatching import follow_accessed, follow_got, is_got, special
from coscope.facts.calls.parameters import Arguments, Given, fill
from coscope.facts.calls.partials import partially_called
from coscope.facts.calls.reached import Reached, Way, before, called
from coscope.facts.calls.receivers import OBJECT_INIT, OBJECT_NEW, STAND_IN, TYPE_CALL, Receiver
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
    namespace_of,
)
from coscope.readers.from_function import from_function
from coscope.readers.values import exact_text, text_of, type_name_of, value_of

_LONGEST_CHAIN = 1000  # wrappers; CPython's recursion limit would stop a call earlier
_C_CALLABLES = (BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType)

# Text signatures of every __new__ and __init__ of C code, whatever they take.
_SAYS_NOTHING = ("($self, /, *args, **kwargs)", "($type, *args, **kwargs)")

_name_of = type.__dict__["__name__"].__get__


def reach(
    thing: object,
    arguments: Arguments,
    reached: Reached | None = None,
    receiver: Receiver | None = None,
) -> Reached:
    """Follow a call of an object to the functions that it reaches.

    Args:
        thing: Any object.
        arguments: Of the call.
        reached: What is found is added here; it says whether the code of functions is looked into.
        receiver: What `self` is, if `thing` is a method that was found by `super()`.

    Raises:
        TargetError: Wrappers form a circle.
    """
    way = Way(Reached() if reached is None else reached, receiver)
    start = thing
    for _ in range(_LONGEST_CHAIN):
        follow = _follower(thing)
        if follow is None:
            return way.reached
        followed = follow(way, thing, arguments)
        if followed is None:
            return way.reached
        thing, arguments = followed
    raise TargetError(f"the wrappers of {text_of(start)} form a circle")


# How a call goes on: the object that is called next and its arguments; None: the call ends here.
_Follow = Callable[[Way, object, Arguments], "tuple[object, Arguments] | None"]


def _follower(thing: object) -> _Follow:
    """How a call of this object goes on."""
    if type(thing) is FunctionType:
        return special(thing) or _function
    if type(thing) is Accessed:
        return follow_accessed
    if is_got(thing):
        return follow_got
    if thing is OBJECT_INIT or thing is OBJECT_NEW:
        return _at_object
    call = class_attribute(type(thing), "__call__")
    if call is MISSING:
        return _refused
    if thing is TYPE_CALL:
        return _type_call
    if is_exception_init(thing):
        return _exception_init
    if call is TYPE_CALL and is_a(thing, type):
        return _class
    return _by_call(call)


def _by_call(call: object) -> _Follow:
    """How a call of an instance goes on, by the `__call__` of its class."""
    for cls, follow in _FOLLOWED:
        if namespace_of(cls).get("__call__") is call:
            return follow
    return _instance


def _function(way: Way, function: object, arguments: Arguments) -> None:
    assert type(function) is FunctionType
    way.reached.enter(fill(from_function(function), arguments), way.receiver)


def _refused(way: Way, thing: object, arguments: Arguments) -> None:
    way.reached.fail(_not_callable(thing))


def _class(way: Way, cls: object, arguments: Arguments) -> None:
    assert is_a(cls, type)
    construct(way.reached, cls, arguments)  # type: ignore[arg-type]


def _not_callable(thing: object) -> str:
    """CPython's own words. To call what has no `tp_call` runs nothing, but raises them.

    A module is asked for the function that may have been meant, so one with a `__getattr__` is
    left alone.
    """
    asks = type(thing) is ModuleType and "__getattr__" in member(ModuleType, "__dict__", thing)
    if not callable(thing) and not asks:
        try:
            thing()  # type: ignore[operator]
        except TypeError as error:
            return str(error)
    return f"'{_name_of(type(thing))}' object is not callable"


def _at_object(way: Way, thing: object, arguments: Arguments) -> None:
    """`object.__init__` and `object.__new__`, reached from a class's own: they take nothing more.

    Source:
        CPython 3.13.0, Objects/typeobject.c, object_init, object_new.
    """
    own, name, one = 1, "__new__", "the type to instantiate"
    if thing is OBJECT_INIT:
        name, one = "__init__", "the instance to initialize"
        own = 1 if way.receiver is None else 0  # super().__init__ is bound already
    if len(arguments.positional) <= own and not arguments.keywords:
        return
    text = f"object.{name}() takes exactly one argument ({one})"
    way.reached.fail(text, f"object.{name}")


def _type_call(way: Way, thing: object, arguments: Arguments) -> None:
    """`type.__call__` of a class, asked for by its metaclass."""
    cls = way.receiver.instance if way.receiver is not None else MISSING
    given = arguments.positional
    if not is_a(cls, type) and given and is_a(given[0].value.object, type):
        cls, arguments = given[0].value.object, Arguments(given[1:], arguments.keywords)
    if is_a(cls, type):
        construct(way.reached, cls, arguments)
    else:
        way.reached.unless("type.__call__ makes an instance of a class that is not known")


def _exception_init(way: Way, thing: object, arguments: Arguments) -> None:
    """`BaseException.__init__`, which keeps positional arguments and takes no keywords."""
    cls = BaseException if way.receiver is None else way.receiver.cls
    if arguments.keywords:
        way.reached.fail(f"{_name_of(cls)}() takes no keyword arguments")
    else:
        way.reached.note("BaseException keeps the arguments, whatever they are")


def _bound(way: Way, method: object, arguments: Arguments) -> tuple[object, Arguments]:
    function = member(MethodType, "__func__", method)
    held = member(MethodType, "__self__", method)
    if held is not STAND_IN:
        way.receiver = Receiver(held if is_a(held, type) else type(held), held)
    way.reached.through(
        f"bound method: {_shown(held)} goes before the arguments of {called(function)}"
    )
    return function, before(arguments, Given(value_of(held), "the bound object"))


def _shown(thing: object) -> str:
    return "the instance" if thing is STAND_IN else text_of(thing)


def _partial(way: Way, partial: object, arguments: Arguments) -> tuple[object, Arguments] | None:
    function = member(functools.partial, "func", partial)
    held = member(functools.partial, "args", partial)
    keywords = member(functools.partial, "keywords", partial)
    made = partially_called(way.reached, function, held, keywords, arguments)
    return None if made is None else (function, made)


def _cached(way: Way, wrapper: object, arguments: Arguments) -> tuple[object, Arguments]:
    function = instance_attribute(wrapper, "__wrapped__")
    way.reached.through(
        f"functools.lru_cache hashes the arguments and, if it holds no result, calls "
        f"{called(function)} with them"
    )
    return function, arguments


def _static(way: Way, thing: object, arguments: Arguments) -> tuple[object, Arguments]:
    function = member(staticmethod, "__func__", thing)
    way.reached.through(f"staticmethod: the call goes to {called(function)} as it is")
    return function, arguments


def _alias(way: Way, alias: object, arguments: Arguments) -> tuple[object, Arguments]:
    """`Box[int](1)`: the class is called, then its `__orig_class__` is set.

    Source:
        CPython 3.13.0, Objects/genericaliasobject.c, ga_call.
    """
    origin = member(GenericAlias, "__origin__", alias)
    way.reached.through(f"a generic alias: the call goes to {called(origin)} as it is")
    return origin, arguments


_FOLLOWED: tuple[tuple[type, _Follow], ...] = (
    (MethodType, _bound),
    (functools.partial, _partial),
    (LRU_WRAPPER, _cached),
    (staticmethod, _static),
    (GenericAlias, _alias),
)


def _adds_no_self(call: object) -> bool:
    """True if reading it through an instance gives the object itself, or what is bound already."""
    if type(call) is MethodType or class_attribute(type(call), "__get__") is MISSING:
        return True
    return is_a(call, type) or is_a(call, functools.partial)


def _instance(way: Way, thing: object, arguments: Arguments) -> tuple[object, Arguments] | None:
    """An instance whose class, or a class whose metaclass, defines `__call__`."""
    name = type_name_of(thing)
    call = class_attribute(type(thing), "__call__")
    if binds_self(call):
        if is_a(thing, type):
            way.reached.through(f"{called(call)} of the metaclass is called with the class")
        else:
            way.reached.through(
                f"calling an instance of {name} calls {called(call)} with it as self"
            )
        way.receiver = Receiver(type(thing), thing)
        return call, before(arguments, Given(value_of(thing), "the called object"))
    if type(call) is staticmethod:
        way.reached.through(f"{name}.__call__ is a staticmethod: no self goes before the arguments")
        return member(staticmethod, "__func__", call), arguments
    if type(call) is classmethod:
        way.reached.through(
            f"{name}.__call__ is a classmethod: the class goes before the arguments"
        )
        function = member(classmethod, "__func__", call)
        way.receiver = Receiver(type(thing), type(thing))
        return function, before(arguments, Given(value_of(type(thing)), "the class"))
    if any(type(call) is kind for kind in _C_CALLABLES):
        _in_c(way, thing, arguments)
        return None
    if _adds_no_self(call):
        way.reached.through(f"{name}.__call__ is {text_of(call)}: no self is added")
        return call, arguments
    way.reached.through(f"{name}.__call__ is asked of a descriptor")
    return Accessed(call, thing, type(thing)), arguments


def _in_c(way: Way, thing: object, arguments: Arguments) -> None:
    """C code, which may refuse any call; what it says about itself is not a promise."""
    text = thing.__text_signature__ if _is_c(thing) else None  # type: ignore[attr-defined]
    if type(text) is not str or text in _SAYS_NOTHING:
        way.reached.unless(f"{_c_name(thing)} is written in C: what it takes is up to its code")
        return
    admitted = _admits(thing, arguments)
    said = f"{_c_name(thing)} is written in C; its text signature {text}"
    if admitted and way.reached.path:
        way.reached.note(f"{said} admits the call")
    else:
        way.reached.unless(f"{said} {'admits' if admitted else 'does not admit'} the call")


def _admits(thing: object, arguments: Arguments) -> bool:
    """Whether the text signature of a C function admits a call."""
    names = [str.__str__(name) for name, _ in arguments.keywords if isinstance(name, str)]
    try:
        signature = inspect.signature(thing)  # type: ignore[arg-type]
        signature.bind(*(None for _ in arguments.positional), **dict.fromkeys(names))
    except (TypeError, ValueError):
        return False
    return True


def _is_c(thing: object) -> bool:
    return any(type(thing) is kind for kind in _C_CALLABLES)


def _c_name(thing: object) -> str:
    if _is_c(thing):
        return exact_text(thing.__qualname__)  # type: ignore[attr-defined]
    return f"__call__ of {type_name_of(thing)}"


def function_text(thing: object) -> str:
    """A callable as CPython names it in an error that comes before the call.

    Source:
        CPython 3.13.0, Objects/object.c, _PyObject_FunctionStr.
    """
    function = thing
    if type(function) is MethodType:
        function = member(MethodType, "__func__", function)
    module: object
    if type(function) is FunctionType:
        name, module = exact_text(function.__qualname__), function.__module__
    elif is_a(function, type):
        name = type.__dict__["__qualname__"].__get__(function)
        module = namespace_of(function).get("__module__", "builtins")  # type: ignore[arg-type]
    else:
        return f"{type_name_of(thing)} object"
    return f"{module}.{name}()" if type(module) is str and module != "builtins" else f"{name}()"
