"""The chain of wrappers of a callable: what each link accepts, passes on, loses and changes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FunctionType, MethodType
from typing import Any

from coscope.facts.calls.attributes import Accessed
from coscope.facts.calls.dispatching import is_got, partialmethod_of
from coscope.facts.calls.forwarding import Forward, read_stars, starred_of
from coscope.facts.calls.receivers import (
    OBJECT_INIT,
    OBJECT_NEW,
    TYPE_CALL,
    Callee,
    Receiver,
    receiver_of,
)
from coscope.facts.signatures.admission import followed_calls
from coscope.facts.signatures.links import Link, changes_of, flavour_of
from coscope.facts.signatures.reported import (
    C_CALLABLES,
    UnreportedError,
    name_of,
    partially,
    reported,
)
from coscope.facts.signatures.shapes import (
    KEYWORD_ONLY,
    KEYWORDS,
    POSITIONAL,
    POSITIONAL_ONLY,
    REST,
    Parameter,
    Shape,
    of_live,
    refusal,
    without_first,
)
from coscope.model import Code
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    instance_attribute,
    is_a,
    member,
)
from coscope.readers.from_function import from_function
from coscope.readers.values import exact_text, name_of_class, text_of, type_name_of

_LONGEST = 50  # links
_LRU_WRAPPER = type(functools.lru_cache(len))


@dataclass(slots=True)
class Chain:
    """The links from a callable to what its wrappers call, and what the whole accepts."""

    links: list[Link] = field(default_factory=list)
    shape: Shape | None = None  # what the outermost code accepts, through the wrappers
    exact: bool = True  # every wrapper was followed as far as it passes arguments on


def chain_of(thing: object) -> Chain:
    """Follow a callable through its wrappers by what their code calls, and by `__wrapped__`."""
    chain = Chain()
    walk = _Walk(chain)
    chain.shape = walk.follow(thing, None, "")
    return chain


class _Walk:
    """One walk along a chain."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.seen: set[int] = set()

    def follow(self, thing: Any, receiver: Receiver | None, how: str) -> Shape | None:
        """Add the links from an object on; what it accepts, or None if that is not known."""
        receiver = receiver_of(thing) or receiver
        if id(thing) in self.seen or len(self.chain.links) >= _LONGEST:
            self.chain.exact = False
            return None
        self.seen.add(id(thing))
        return self._followed(thing, receiver, how)

    def _followed(self, thing: Any, receiver: Receiver | None, how: str) -> Shape | None:
        """Go on from an object that is met for the first time."""
        if type(thing) is FunctionType and partialmethod_of(thing) is MISSING:
            return self._function(thing, receiver, how)
        if is_a(thing, MethodType):
            return self._method(thing, receiver, how)
        if is_a(thing, functools.partial):
            return self._partial(thing, receiver, how)
        if _is_special(thing):
            return self._special(thing, how)
        if type(thing) is _LRU_WRAPPER:
            self._link(thing, "functools.lru_cache", how)
            return self.follow(instance_attribute(thing, "__wrapped__"), receiver, "caches")
        if is_a(thing, type):
            return self._class(thing, how)
        if any(is_a(thing, kind) for kind in (staticmethod, classmethod, property)):
            return self._descriptor(thing, how)
        return self._instance(thing, receiver, how)

    def _method(self, thing: object, receiver: Receiver | None, how: str) -> Shape | None:
        function = member(MethodType, "__func__", thing)
        self._link(thing, "bound method", how)
        inner = self.follow(function, receiver, "is bound to")
        return None if inner is None else without_first(inner)

    def _descriptor(self, thing: object, how: str) -> Shape | None:
        """What a class body holds in place of a function."""
        for kind in (staticmethod, classmethod):
            if is_a(thing, kind):
                self._link(thing, kind.__name__, how)
                return self.follow(member(kind, "__func__", thing), None, "holds")
        self._link(thing, "property", how)
        return self.follow(member(property, "fget", thing), None, "reads by")

    def _link(self, thing: object, kind: str, how: str, shape: Shape | None = None) -> Link:
        function = from_function(thing) if type(thing) is FunctionType else None
        link = Link(
            kind=kind,
            name=_name(thing),
            qualname=name_of(thing),
            module=_module(thing),
            how=how,
            accepts=shape,
            flavour=None if function is None else flavour_of(function.code),
            function=function,
            wraps=_wraps(thing),
            object=thing,
        )
        self.chain.links.append(link)
        return link

    def _function(
        self, function: FunctionType, receiver: Receiver | None, how: str
    ) -> Shape | None:
        own = of_live(function)
        at = len(self.chain.links)
        link = self._link(function, "function", how, own)
        assert link.function is not None
        code = link.function.code
        wrapped = dict.get(function.__dict__, "__wrapped__", MISSING)
        calls = followed_calls(function, code, receiver)
        chosen = _followable(calls, wrapped)
        forward: Forward | None = None
        shape: Shape | None = own
        inner: Shape | None = None
        if chosen is not None:
            forward, callee = chosen
            self.chain.exact = self.chain.exact and not callee.assumed
            inner = self.follow(callee.thing, callee.receiver, f"calls {forward.text}")
            shape = self._composed(own, forward, inner)
        elif wrapped is not MISSING:
            self.follow(wrapped, None, "names in __wrapped__")
        if _keeps_arguments(code, forward):
            self.chain.exact = False
        follower = next((x for x in self.chain.links[at + 1 :] if x.function is not None), None)
        if follower is not None:
            changes = changes_of(link, follower, forward, calls, wrapped)
            changes += _refusals(forward, inner)
            self.chain.links[at] = link.with_changes(changes)
        return shape

    def _composed(self, own: Shape, forward: Forward, inner: Shape | None) -> Shape | None:
        if not forward.always or not forward.exact:
            self.chain.exact = False
        if not forward.stars:
            if inner is not None and refused(forward, inner) is not None:
                self.chain.exact = False
            return own
        made = None if inner is None else composed(own, forward, inner)
        if made is None:
            self.chain.exact = False
            return own
        return made

    def _partial(self, thing: object, receiver: Receiver | None, how: str) -> Shape | None:
        self._link(thing, "functools.partial", how)
        held = member(functools.partial, "args", thing)
        keywords = member(functools.partial, "keywords", thing)
        words = [text_of(value) for value in held]
        words += [f"{key}={text_of(value)}" for key, value in dict.items(keywords)]
        function = member(functools.partial, "func", thing)
        inner = self.follow(function, receiver, f"adds {', '.join(words) or 'nothing'}")
        if inner is None:
            return None
        try:
            return partially(inner, held, keywords)
        except UnreportedError:
            self.chain.exact = False
            return None

    def _special(self, thing: object, how: str) -> Shape | None:
        """What a method descriptor of functools gives: more arguments, or one of several."""
        answer = reported(thing)
        method = partialmethod_of(thing)
        if method is not MISSING:
            self._link(thing, "functools.partialmethod", how)
            self.follow(instance_attribute(method, "func"), None, "adds arguments to")
            return answer.shape
        self.chain.exact = False
        self._link(thing, "functools.singledispatchmethod", how)
        if is_got(thing):
            function = instance_attribute(instance_attribute(thing, "_unbound"), "func")
            self.follow(function, None, "calls, unless another one is registered,")
        return answer.shape

    def _class(self, cls: type, how: str) -> Shape | None:
        self._link(cls, "class", how)
        call = class_attribute(type(cls), "__call__")
        if type(call) is FunctionType:
            inner = self.follow(call, Receiver(type(cls), cls), "calls __call__ of its metaclass")
            return None if inner is None else without_first(inner)
        return self._constructor(cls)

    def _constructor(self, cls: type) -> Shape | None:
        """`type.__call__`: what `__new__` and `__init__` both accept."""
        shapes = []
        new, init = class_attribute(cls, "__new__"), class_attribute(cls, "__init__")
        new = member(staticmethod, "__func__", new) if type(new) is staticmethod else new
        for name, function in (("__new__", new), ("__init__", init)):
            if type(function) is FunctionType:
                inner = self.follow(function, Receiver(cls), f"calls its {name}")
                shapes.append(None if inner is None else without_first(inner))
        if len(shapes) == 2:
            return self._of_both(*shapes)
        if shapes:
            return shapes[0]
        answer = reported(cls)
        self.chain.exact = answer.shape is not None and not answer.shape.parameters
        return answer.shape

    def _of_both(self, new: Shape | None, init: Shape | None) -> Shape | None:
        """The narrower of two shapes, if the other one takes anything."""
        if new is not None and _takes_anything(new):
            return init
        if init is None or not _takes_anything(init):
            self.chain.exact = False
        return new

    def _of_object(self, thing: object, receiver: Receiver | None, how: str) -> Shape | None:
        """What ends most chains of `super()`: the C functions of `object` and `type`."""
        if thing is OBJECT_INIT or thing is OBJECT_NEW:
            shape = Shape((Parameter("cls", POSITIONAL_ONLY),) * (thing is OBJECT_NEW))
            self._link(thing, "builtin", how, shape)
            return shape
        if thing is TYPE_CALL and receiver is not None and is_a(receiver.instance, type):
            self._link(thing, "builtin", how)
            return self._constructor(receiver.instance)
        return None

    def _instance(self, thing: object, receiver: Receiver | None, how: str) -> Shape | None:
        if any(type(thing) is kind for kind in C_CALLABLES):
            known = self._of_object(thing, receiver, how)
            if known is not None:
                return known
            answer = reported(thing)
            self._link(thing, "builtin", how, answer.shape)
            self.chain.exact = False
            return answer.shape
        call = class_attribute(type(thing), "__call__")
        self._link(thing, f"instance of {type_name_of(thing)}", how)
        if type(call) is FunctionType:
            inner = self.follow(call, Receiver(type(thing), thing), "calls its __call__")
            return None if inner is None else without_first(inner)
        self.chain.exact = False
        return None


def _followable(
    calls: Sequence[tuple[Forward, Callee | None]], wrapped: object
) -> tuple[Forward, Callee] | None:
    """The first call of what `__wrapped__` names, else the first call whose callee is known."""
    known = [(forward, callee) for forward, callee in calls if callee is not None]
    of_wrapped = [call for call in known if call[1].thing is wrapped]
    return next(iter([*of_wrapped, *known]), None)


def _keeps_arguments(code: Code, forward: Forward | None) -> bool:
    """True if the code reads `*args` or `**kwargs` and the call does not pass them on."""
    passed = set(forward.stars) if forward is not None else set()
    stars = starred_of(code)
    return any(stars[name] not in passed for name in read_stars(code))


def _refusals(forward: Forward | None, inner: Shape | None) -> list[str]:
    """That the callee refuses the call, whatever the wrapper itself is called with."""
    if forward is None or inner is None or forward.stars:
        return []
    why = refused(forward, inner)
    return [] if why is None else [f"{forward.text} is refused: {why}"]


def _is_special(thing: object) -> bool:
    """True for what a method descriptor gives in place of a function or a bound method."""
    return is_got(thing) or type(thing) is Accessed or partialmethod_of(thing) is not MISSING


def _takes_anything(shape: Shape) -> bool:
    return tuple(p.kind for p in shape.parameters) == (REST, KEYWORDS)


def _name(thing: object) -> str:
    return exact_text(thing.__name__) if type(thing) is FunctionType else name_of(thing)


def _module(thing: Any) -> str | None:
    if type(thing) is FunctionType:
        module = thing.__module__
        return module if type(module) is str else None
    if is_a(thing, type):
        return name_of_class(thing).rpartition(".")[0] or "builtins"
    return None


def _wraps(thing: object) -> bool:
    if type(thing) is FunctionType:
        return "__wrapped__" in thing.__dict__
    return type(thing) is _LRU_WRAPPER or instance_attribute(thing, "__wrapped__") is not MISSING


def composed(own: Shape, forward: Forward, inner: Shape) -> Shape | None:
    """What a wrapper accepts if its code passes its arguments on to a callee.

    Args:
        own: The wrapper's own parameters.
        forward: The call.
        inner: The callee's parameters.

    Returns:
        None if no list of parameters describes it: other arguments follow `*args`, or no call
        gets through.
    """
    kinds = [each.kind for each in forward.passed]
    if "*" in kinds and "positional" in kinds[kinds.index("*") :]:
        return None
    merge = _Merge(own, forward)
    positional = inner.of_kind(POSITIONAL_ONLY, POSITIONAL)[kinds.count("positional") :]
    get_through = all(merge.positional(each) for each in positional) and all(
        merge.keyword(each) for each in inner.of_kind(KEYWORD_ONLY)
    )
    return merge.shape(inner) if get_through else None


class _Merge:
    """A wrapper's own parameters, to which those of its callee are added one by one."""

    def __init__(self, own: Shape, forward: Forward) -> None:
        self.own = own
        self.by_position = self.takes_rest = "*" in forward.stars
        self.by_name = "**" in forward.stars
        self.named = {each.name for each in forward.passed if each.name is not None}
        self.taken = {p.name for p in own.parameters if p.kind in (POSITIONAL, KEYWORD_ONLY)}
        self.first = list(own.of_kind(POSITIONAL_ONLY, POSITIONAL))
        self.last = list(own.of_kind(KEYWORD_ONLY))

    def positional(self, parameter: Parameter) -> bool:
        """Add a positional parameter of the callee; False if no call can give it its value."""
        named = parameter.kind == POSITIONAL
        if named and parameter.name in self.named:
            self.by_position = False  # an argument in its place would be its second value
            return True
        by_name = self.by_name and named and parameter.name not in self.taken
        if self.by_position:
            self.first.append(_as(parameter, POSITIONAL if by_name else POSITIONAL_ONLY))
        elif by_name:
            self.last.append(_as(parameter, KEYWORD_ONLY))
        return self.by_position or by_name or not parameter.required

    def keyword(self, parameter: Parameter) -> bool:
        """Add a keyword-only parameter of the callee; False if no call can give it its value."""
        if parameter.name in self.named or parameter.name in self.taken:
            return True
        if self.by_name:
            self.last.append(parameter)
        return self.by_name or not parameter.required

    def shape(self, inner: Shape) -> Shape:
        """All parameters, with the callee's `*args` and `**kwargs` where the call passes them."""
        rest = self.own.of_kind(REST)
        if self.takes_rest:
            rest = inner.of_kind(REST) if self.by_position else ()
        keywords = (inner if self.by_name else self.own).of_kind(KEYWORDS)
        return Shape((*self.first, *rest, *self.last, *keywords))


def refused(forward: Forward, inner: Shape) -> str | None:
    """Why a callee refuses a call that passes on neither `*args` nor `**kwargs`, if it does."""
    kinds = [each.kind for each in forward.passed]
    names = [each.name for each in forward.passed if each.name is not None]
    if "*" in kinds or "**" in kinds:
        return None
    return refusal(inner, kinds.count("positional"), names)


def _as(parameter: Parameter, kind: str) -> Parameter:
    return Parameter(parameter.name, kind, parameter.default)
