"""`type.__call__`: `__new__`, then `__init__` of what it made."""

from __future__ import annotations

import ast
import builtins
from collections import OrderedDict, deque
from types import BuiltinFunctionType, FunctionType, WrapperDescriptorType

from coscope.facts.calls.expressions import parsed
from coscope.facts.calls.parameters import Arguments, Given, fill
from coscope.facts.calls.reached import Reached, before
from coscope.facts.calls.receivers import OBJECT_INIT, OBJECT_NEW, Receiver, resolve
from coscope.facts.calls.results import results_of
from coscope.facts.calls.wording import abstract
from coscope.model import Value
from coscope.opcodes import table
from coscope.readers.attributes import class_attribute, member
from coscope.readers.from_function import HOST_VERSION, from_function
from coscope.readers.values import name_of_class, value_of

_IS_ABSTRACT = 1 << 20  # Py_TPFLAGS_IS_ABSTRACT
_IS_NEVER_MADE = 1 << 7  # Py_TPFLAGS_DISALLOW_INSTANTIATION
_flags_of = type.__dict__["__flags__"].__get__
_abstract_methods_of = type.__dict__["__abstractmethods__"].__get__
_name_of = type.__dict__["__name__"].__get__

# C constructors that take any arguments and leave them to `__init__`: PyType_GenericNew and its
# like. Those of exceptions look at them only where no Python `__init__` does.
_OPEN = (list, dict, set, bytearray, deque, OrderedDict, property, BaseException)

# Exceptions whose own `__new__` or `__init__` looks at the arguments.
# Source: CPython 3.14.2, Objects/exceptions.c.
_PARTICULAR = (
    *(OSError, ImportError, SystemExit, StopIteration, AttributeError, NameError, SyntaxError),
    *(UnicodeEncodeError, UnicodeDecodeError, UnicodeTranslateError, BaseExceptionGroup),
)
_SIMPLE = frozenset(
    each
    for each in vars(builtins).values()
    if isinstance(each, type)
    and issubclass(each, BaseException)
    and not issubclass(each, _PARTICULAR)
)


def is_abstract(cls: type) -> bool:
    """True for a class that `object.__new__` does not instantiate."""
    return bool(_flags_of(cls) & _IS_ABSTRACT)


def construct(reached: Reached, cls: type, arguments: Arguments) -> None:
    """Follow `type.__call__` of a class.

    Source:
        CPython 3.13.0, Objects/typeobject.c, type_call, object_new, object_init.
    """
    new, init = class_attribute(cls, "__new__"), class_attribute(cls, "__init__")
    new = member(staticmethod, "__func__", new) if type(new) is staticmethod else new
    _Construction(reached, cls, arguments, new, init).run()


def _takes_anything(new: object) -> bool:
    """True for a `__new__` of C code that takes any arguments."""
    cls = new.__self__ if type(new) is BuiltinFunctionType else None
    if not isinstance(cls, type):
        return False
    return issubclass(cls, OSError) or cls in _SIMPLE or any(cls is each for each in _OPEN)


def is_exception_init(init: object) -> bool:
    """True for `BaseException.__init__`, under whichever exception it is found."""
    return type(init) is WrapperDescriptorType and init.__objclass__ in _SIMPLE


class _Construction:
    """One call of a class."""

    def __init__(
        self, reached: Reached, cls: type, arguments: Arguments, new: object, init: object
    ) -> None:
        self.reached = reached
        self.cls = cls
        self.name = name_of_class(cls)
        self.arguments = arguments
        self.new = new
        self.init = init
        self.python_init = type(init) is FunctionType

    def run(self) -> None:
        self._make()
        if self.reached.error is not None:
            return
        if self.init is OBJECT_INIT:
            return
        if self.python_init:
            self._initialize()
        elif is_exception_init(self.init):
            self._exception_init()
        else:
            self.reached.unless(f"{self.name}.__init__ is not a Python function")

    def _make(self) -> None:
        """`__new__`."""
        reached = self.reached
        if type(self.new) is FunctionType:
            reached.through(
                f"calling {self.name} calls its __new__ with the class before the arguments"
            )
            given = before(self.arguments, Given(value_of(self.cls), "the class"))
            reached.enter(fill(from_function(self.new), given), Receiver(self.cls))
        elif self.new is OBJECT_NEW:
            self._object_new()
        elif self._is_open(self.new):
            reached.through(f"calling {self.name} makes an instance by the __new__ of C code")
        else:
            reached.unless(f"{self.name}.__new__ is written in C: it may refuse the arguments")

    def _is_open(self, new: object) -> bool:
        """True for a C constructor that leaves every argument to `__init__`."""
        return _takes_anything(new) and (self.python_init or issubclass(self.cls, BaseException))

    def _object_new(self) -> None:
        """It refuses arguments that no method takes, and abstract classes."""
        reached, plain_init = self.reached, self.init is OBJECT_INIT
        if _flags_of(self.cls) & _IS_NEVER_MADE:
            reached.fail(f"cannot create '{self.name}' instances")
            return
        if plain_init and (self.arguments.positional or self.arguments.keywords):
            reached.fail(f"{_name_of(self.cls)}() takes no arguments")
            return
        reached.through(f"calling {self.name} makes an instance by object.__new__")
        if not is_abstract(self.cls):
            return
        methods = _abstract_methods_of(self.cls)
        if type(methods) is frozenset and all(type(method) is str for method in methods):
            names = sorted(methods)
            reached.fail(abstract(_name_of(self.cls), names, table(HOST_VERSION).wording))
        else:
            reached.unless(f"{self.name} is abstract: its __abstractmethods__ are not names")

    def _initialize(self) -> None:
        """A Python `__init__`, called if `__new__` made an instance of the class."""
        reached = self.reached
        sure = type(self.new) is not FunctionType or self._makes_own(self.new)
        when = "" if sure else ", if __new__ returned an instance of the class"
        reached.through(f"then its __init__ with the new instance before the arguments{when}")
        instance = Given(Value(self.name, f"<new {self.name}>", 0), "the new instance")
        assert type(self.init) is FunctionType
        inner = reached.inside()
        stage = fill(from_function(self.init), before(self.arguments, instance))
        inner.enter(stage, Receiver(self.cls))
        text = f"{self.name}.__new__ may return something else than an instance of the class"
        reached.add(inner, None if sure else text)

    def _makes_own(self, function: FunctionType) -> bool:
        """True if every return of a Python `__new__` gives what `object.__new__(cls)` made."""
        texts = results_of(from_function(function).code)
        return bool(texts) and all(self._is_made(text, function) for text in texts)

    def _is_made(self, text: str, function: FunctionType) -> bool:
        node = parsed(text)
        if not isinstance(node, ast.Call) or not node.args:
            return False
        first = node.args[0]
        if not isinstance(first, ast.Name) or first.id != function.__code__.co_varnames[0]:
            return False
        callee = resolve(ast.unparse(node.func), function, Receiver(self.cls))
        if callee is None:
            return False
        made = callee.thing
        if type(made) is FunctionType and made is not function:
            return self._makes_own(made)
        return made is OBJECT_NEW or (
            type(made) is BuiltinFunctionType and made.__name__ == "__new__"
        )

    def _exception_init(self) -> None:
        """`BaseException.__init__`: any positional arguments, no keywords."""
        if self.arguments.keywords:
            self.reached.fail(f"{_name_of(self.cls)}() takes no keyword arguments")
        else:
            self.reached.through("BaseException keeps the arguments, whatever they are")
