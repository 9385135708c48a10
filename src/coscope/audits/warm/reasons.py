"""Why a site is not specialised, where live objects can tell it. Runs nobody's code."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import CodeType, FunctionType, GetSetDescriptorType, ModuleType
from typing import Any

from coscope.audits.subject.subject import Subject
from coscope.audits.warm.class_tags import tags_used, version_tag
from coscope.audits.warm.samples import recorder, seen_of
from coscope.audits.warm.specialization import LEAST_MISSES, Site, read_sites, specializes
from coscope.opcodes import table
from coscope.readers.attributes import (
    MISSING,
    class_attribute,
    is_a,
    member,
    mro_of,
    namespace_of,
)
from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION
from coscope.readers.values import name_of_class

SHADOWED = "shadowed default"
CONSTANT = "class constant through an instance"
METACLASS = "metaclass"
MODULE_GETATTR = "module __getattr__"
CLASS_STORE = "store to a class"
TAGS = "version tags exhausted"
OWN_DICT = "dictionary of its own"
FALLBACK = "__getattr__ of the class"
MIXED = "several types"
UNPACK = "several kinds of sequences"
OTHER = "other"  # a fact of which no rule tells: `coscope show --warm` does

_CALLS = frozenset({"CALL", "PRECALL", "CALL_KW"})
# What a site of a family meets that is generic still, as the beginning of a clause.
_NOT_MET = {
    "FOR_ITER": "it iterates over something, no list, tuple, range or generator, that",
    "CONTAINS_OP": "it searches something, no set or dict, that",
    "LOAD_GLOBAL": "it looks into namespaces that change, which",
}
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"})
_STORES = ("STORE_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST")
_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_MOST_TAGS = 1000  # that one class gets (3.13: MAX_VERSIONS_PER_CLASS)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one site is not specialised."""

    site: Site
    index: int  # of the instruction in the subject's code
    kind: str  # one of the words above
    text: str  # one clause
    proved: bool  # the types were seen, or the object is known; else it is the one candidate
    owner: str = ""  # the expression whose attribute it is, or that is unpacked or called
    attribute: str = ""
    types: tuple[str, ...] = ()  # that were seen there
    lasting: bool = True  # it is so all the time; else it may have been once, as after a first run


def reasons_of(subject: Subject) -> tuple[Reason, ...]:
    """The sites of a live function that are not specialised, each with its reason."""
    live = subject.live
    if live is None or live.function is None or not specializes():
        return ()
    co = code_of(subject)
    if co is None or co.co_code != subject.code.code:
        return ()
    return tuple(_reasons(subject, co, live.function, live.owner if live.in_class else None))


def code_of(subject: Subject) -> CodeType | None:
    """The live code object of a subject; None if it is not live."""
    # Code that is nested in a function has no function of its own after it has run.
    co: CodeType | None = getattr(subject, "co", None)
    live = subject.live
    if co is None and live is not None and live.function is not None:
        return live.function.__code__
    return co


def _reasons(
    subject: Subject, co: CodeType, function: FunctionType, cls: type | None
) -> Iterator[Reason]:
    watcher = recorder()
    place = {offset: index for index, offset in enumerate(subject.instructions.offsets)}
    seen = seen_of(co)
    read = {} if seen is None else dict(seen.misses)
    sites = read_sites(co, misses=1)
    called = {site.offset for site in sites if site.family == "CALL"}
    for site in sites:
        if site.family == "PRECALL" and site.offset + _PRECALL in called:
            continue  # 3.11: its CALL tells the same
        keeps = None if watcher is None else watcher.keeps_missing(co, site.offset)
        read.pop(site.offset, None)
        if site.generic or keeps or (keeps is None and site.misses >= LEAST_MISSES):
            found = _Search(subject, co, function, cls, site, place[site.offset]).reason()
            yield replace(found, lasting=site.generic or keeps is True)
    for offset, misses in sorted(read.items()):
        # At its end the program may have left it just after it was specialised anew.
        if watcher is not None and watcher.keeps_missing(co, offset):
            opname = subject.instructions.opname(place[offset])
            site = Site(offset, opname, misses.executed, 0, 0, misses.count)
            yield _Search(subject, co, function, cls, site, place[offset]).reason()


_LEAST_MIX = 0.1  # of the samples, that are of another type than the most frequent one
_ENOUGH = 10  # samples, from which a type that was not seen is held for one that does not come
_PRECALL = 4  # bytes that PRECALL and its cache take


class _Search:
    """The search for one site's reason."""

    def __init__(
        self,
        subject: Subject,
        co: CodeType,
        function: FunctionType,
        cls: type | None,
        site: Site,
        index: int,
    ) -> None:
        self.subject, self.co, self.function, self.cls = subject, co, function, cls
        self.site, self.index = site, index
        stack = subject.stack(index)
        self.owner = str(stack[-1]) if stack else ""
        self.attribute = ""
        self.types: list[type] = []

    def reason(self) -> Reason:
        if self.site.family in _ATTRIBUTES:
            self.attribute = str(self.subject.instructions.argval(self.index))
            return self._of_attribute()
        if self.site.family == "UNPACK_SEQUENCE":
            self.types = self._local_types(self.owner)
            if not self.site.generic:
                return self._made(UNPACK, f"what is unpacked is {self._kinds('sometimes another')}")
            return self._made(OTHER, f"it unpacks {self._kinds('neither a list nor a tuple')}")
        if not self.site.generic:
            what = "what is called" if self.site.family in _CALLS else "the type of an operand"
            return self._made(OTHER, f"{what} changes from time to time")
        what = _NOT_MET.get(self.site.family, "it meets what")
        if self.site.family in _CALLS:
            what = self._callee()
        elif self.site.family == "BINARY_OP":
            what = f"it does {self.subject.instructions.argrepr(self.index)} to what"
        # No attempt to specialise it succeeded: that is what being generic means.
        return self._made(OTHER, f"{what} this CPython has no specialised form for", True)

    def _callee(self) -> str:
        path = next((c.path for c in self.subject.calls if c.index == self.index), None)
        thing = MISSING if path is None else self._resolved(path)
        if path is None or thing is MISSING:
            return "it calls what"
        if is_a(thing, type):
            return f"it calls {path}, a class, which"
        kind = name_of_class(type(thing)).replace("builtin_function_or_method", "builtin function")
        return f"it calls {path}, a {kind}, in a way that"

    def _of_attribute(self) -> Reason:
        thing = self._object()
        if thing is not MISSING and is_a(thing, ModuleType):
            return self._of_module(thing)
        if thing is not MISSING and is_a(thing, type):
            return self._of_class(thing)
        if thing is not MISSING:
            self.types = [type(thing)]
        else:
            self.types = self._owner_types()
        modules = [each for each in self.types if issubclass(each, ModuleType)]
        if modules:
            seen = seen_of(self.co)
            held = list(seen.modules.get(self.owner, {}).values()) if seen else []
            return self._of_module(held[0]) if len(held) == 1 else self._unknown()
        if not self.site.generic and not any(issubclass(cls, type) for cls in self.types):
            return self._missing()
        if not self.types:
            return self._candidates()
        found = [
            self._of_class(None, cls) if issubclass(cls, type) else self._of_instance(cls)
            for cls in self.types
        ]
        # Where types of which not the same is true were seen, which of them come here is not known.
        if found[0] is None or any(each is None or each.kind != found[0].kind for each in found):
            return self._unknown()
        return found[0]

    def _missing(self) -> Reason:
        """A specialised instruction that does not fit: it was made for one type as it was."""
        sampled = self._local_types(self.owner) if self.owner in self.co.co_varnames else []
        types = {id(cls): cls for cls in sampled if cls is not type(None)}
        raw = self.co._co_code_adaptive  # type: ignore[attr-defined]
        version = int.from_bytes(raw[self.site.offset + 4 : self.site.offset + 8], sys.byteorder)
        every = self.subject.unit.fact(_classes)
        made_for = next((cls for cls in every if version and version_tag(cls) == version), None)
        if made_for is not None:
            types[id(made_for)] = made_for
        self.types = list(types.values())
        if len(self.types) > 1:
            text = f"{self.owner} was of {self._kinds('')}"
            kind = MIXED if self._is_item() and self._is_mixed() else OTHER
            return self._made(kind, text, True)
        if not self._is_sampled() or not sampled:
            return self._unsampled(version != 0 and made_for is None)
        name = name_of_class(self.types[0])
        if tags_used(self.types[0]) >= _MOST_TAGS:
            return self._exhausted(self.types[0])
        if made_for is None and version:
            return self._made(CLASS_STORE, f"the class {name} changes between accesses", True)
        if class_attribute(self.types[0], self.attribute) is not MISSING:
            text = f"instances of {name} do not all keep the same attributes in the same way"
            return self._made(OTHER, text)
        text = f"instances of {name} do not have {self.attribute} where the first one had it"
        return self._made(OWN_DICT, text)

    def _is_sampled(self) -> bool:
        """True if a type of a local that was not seen hardly comes."""
        seen = seen_of(self.co)
        return seen is not None and seen.samples >= _ENOUGH

    def _is_mixed(self) -> bool:
        """True if the owner was not of one and the same type nearly always."""
        seen = seen_of(self.co)
        times = list(seen.times.get(self.owner, {}).values()) if seen is not None else []
        return sum(times) - max(times, default=0) >= _LEAST_MIX * sum(times)

    def _is_item(self) -> bool:
        """True if the owner is what the loop around the site goes through, and nothing else."""
        loop = self.subject.loop_at(self.index)
        if loop is None or loop.iterates is None:
            return False
        columns = self.subject.instructions
        stored = [
            index
            for index in self.subject.where(*_STORES)
            # Of two names in one instruction the second may be loaded: then it counts too much.
            if self.owner in columns.argrepr(index).split(", ")
        ]
        return len(stored) == 1 and stored[0] in loop.every_round

    def _unsampled(self, stale: bool) -> Reason:
        """What misses, of which types are not known enough; `stale`: the class for which it was
        specialised has another version by now, or is gone."""
        if not stale:
            return self._made(OTHER, f"{self.owner} is not always of one type and one layout")
        if self.cls is not None and self.owner in self.co.co_varnames[:1]:
            name = name_of_class(self.cls)
            return self._made(CLASS_STORE, f"the class {name} changes between accesses")
        return self._made(OTHER, f"the class of {self.owner} changes, or there are several")

    def _of_module(self, module: ModuleType) -> Reason:
        namespace = member(ModuleType, "__dict__", module)
        name = dict.get(namespace, "__name__")
        if self.site.generic and "__getattr__" in namespace:
            return self._made(MODULE_GETATTR, f"the module {name} has a __getattr__", True)
        return self._made(OTHER, f"the dictionary of the module {name} changes", True)

    def _of_class(self, cls: type | None, metaclass: type | None = None) -> Reason:
        seen = seen_of(self.co)
        held = {} if seen is None else seen.classes.get(self.owner, {})
        if cls is None and len(held) == 1 and self._is_sampled():
            cls = next(iter(held.values()))
        metaclass = type(cls) if cls is not None else metaclass
        assert metaclass is not None
        name = self.owner if cls is None else name_of_class(cls)
        if self.site.family == "STORE_ATTR":
            text = f"{self.owner} is a class: a store to it undoes what is specialised for it"
            return self._made(CLASS_STORE, text, True)
        if cls is not None and tags_used(cls) >= _MOST_TAGS:
            return self._exhausted(cls)
        if metaclass is not type:
            text = f"the class of {name} is {name_of_class(metaclass)}, not type"
            method = "NULL|self" in self.subject.instructions.argrepr(self.index)
            return self._made(OTHER if method else METACLASS, text, True)
        if not self.site.generic and cls is None:
            return self._made(
                OTHER, f"the class in {self.owner} changes, or is not always the same"
            )
        if not self.site.generic:
            return self._made(CLASS_STORE, f"the class {name} changes between reads", True)
        if _behaves("class_attributes_stay_generic"):
            return self._made(OTHER, "this CPython has no form for an attribute of a class", True)
        return self._unknown()

    def _of_instance(self, cls: type) -> Reason | None:
        value = class_attribute(cls, self.attribute)
        name = name_of_class(cls)
        if tags_used(cls) >= _MOST_TAGS:
            return self._exhausted(cls)
        if value is MISSING:
            if class_attribute(cls, "__getattr__") is MISSING or self.site.family == "STORE_ATTR":
                return None
            if _behaves("fallback_classes_stay_generic"):
                return self._made(OTHER, f"the class {name} has a __getattr__", True)
            if stores(cls, self.attribute) or _has_own_getattribute(cls):
                return None
            if not self._is_sampled():
                return self._made(OTHER, f"the class {name} has a __getattr__")
            return self._made(FALLBACK, f"{name}.__getattr__ gives {self.attribute}", True)
        if _is_descriptor(value):
            text = f"{name}.{self.attribute} is a {type(value).__name__}"
            return self._made(OTHER, text, True)
        if _behaves("hidden_defaults_cost"):
            if self.site.family == "STORE_ATTR" or stores(cls, self.attribute):
                return self._shadowed(cls, True)
            if self._is_stored_nearby():
                return self._shadowed(cls, False)
        if _behaves("instance_constants_stay_generic"):
            text = f"{self.attribute} is an attribute of the class {name}, read through an instance"
            return self._made(CONSTANT, text, True)
        return None

    def _is_stored_nearby(self) -> bool:
        """True if some function of the package stores an attribute of that name, in any object."""
        package = _package_of(self.function)
        return any(
            self.attribute in co.co_names and self.attribute in _stored_by(co)
            for name, co in self.subject.unit.fact(_codes)
            if name == package
        )

    def _shadowed(self, cls: type, proved: bool) -> Reason:
        owner = next(
            each
            for each in mro_of(cls)
            if namespace_of(each).get(self.attribute, MISSING) is not MISSING
        )
        text = f"instances hide the default {name_of_class(owner)}.{self.attribute} by their own"
        return self._made(SHADOWED, text, proved)

    def _exhausted(self, cls: type) -> Reason:
        text = f"{name_of_class(cls)} was changed {_MOST_TAGS} times or more"
        return self._made(TAGS, text, True)

    def _candidates(self) -> Reason:
        """Without a type seen: the one class of the package whose instances have the attribute,
        and for which this could not be specialised. For the others it would have been."""
        if not self.site.generic:
            return self._made(OTHER, f"{self.owner} is not always of one type and one layout")
        found: list[Reason] = []
        hiding = _behaves("hidden_defaults_cost")
        every = self.subject.unit.fact(_classes)
        held = (namespace_of(cls).get(self.attribute) for cls in every)
        if any(type(value) is GetSetDescriptorType for value in held):
            return self._unknown()  # an attribute of C, which is never specialised, fits too
        for cls in every:
            if _package_of(cls) != _package_of(self.function):
                continue
            value = class_attribute(cls, self.attribute)
            worn = tags_used(cls) >= _MOST_TAGS
            hides = hiding and not (value is MISSING or _is_descriptor(value))
            if not (worn or hides) or not stores(cls, self.attribute):
                continue
            found.append(
                self._made(TAGS, self._exhausted(cls).text) if worn else self._shadowed(cls, False)
            )
        if len(found) == 1:
            return found[0]
        return self._unknown()

    def _unknown(self) -> Reason:
        return self._made(OTHER, "the reason is not known")

    def _made(self, kind: str, text: str, proved: bool = False) -> Reason:
        names = tuple(name_of_class(cls) for cls in self.types)
        return Reason(self.site, self.index, kind, text, proved, self.owner, self.attribute, names)

    def _kinds(self, otherwise: str) -> str:
        names = [name_of_class(cls) for cls in self.types]
        return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else otherwise

    def _local_types(self, name: str) -> list[type]:
        seen = seen_of(self.co)
        return list(seen.types.get(name, {}).values()) if seen is not None else []

    def _owner_types(self) -> list[type]:
        found = self._local_types(self.owner) if self.owner in self.co.co_varnames else []
        first = self.co.co_varnames[:1] if self.co.co_argcount else ()
        if not found and self.cls is not None and self.owner in first:
            found = [self.cls]
        return [cls for cls in found if cls is not type(None)] or found

    def _object(self) -> Any:
        """The module or class that the owner's path leads to from a global name; else MISSING."""
        return self._resolved(self.owner) if _PATH.fullmatch(self.owner) else MISSING

    def _resolved(self, path: str) -> object:
        first, *rest = path.split(".")
        co = self.co
        if first in co.co_varnames or first in co.co_cellvars:
            return MISSING
        thing: Any = MISSING
        if first in co.co_freevars:
            index = co.co_freevars.index(first)
            if co is self.function.__code__ and self.function.__closure__ is not None:
                try:
                    thing = self.function.__closure__[index].cell_contents
                except ValueError:  # the cell is empty
                    return MISSING
        else:
            live: Any = self.function  # mypy's stubs do not always know of __builtins__
            found = dict.get(self.function.__globals__, first, MISSING)
            thing = dict.get(live.__builtins__, first, MISSING) if found is MISSING else found
        for name in rest:
            if thing is MISSING:
                return MISSING
            if is_a(thing, ModuleType):
                thing = dict.get(member(ModuleType, "__dict__", thing), name, MISSING)
            elif is_a(thing, type):
                thing = class_attribute(thing, name)
            else:
                return MISSING
        return thing


def _behaves(name: str) -> bool:
    return table(HOST_VERSION).behaves(name, HOST_RELEASE)


def _codes(unit: object) -> tuple[tuple[str, CodeType], ...]:
    """The package and the code of each function."""
    functions = [thing for thing in gc.get_objects() if type(thing) is FunctionType]
    return tuple((_package_of(function), function.__code__) for function in functions)


def _classes(unit: object) -> tuple[type, ...]:
    return tuple(thing for thing in gc.get_objects() if is_a(thing, type))


def _package_of(thing: object) -> str:
    if type(thing) is FunctionType:
        name = dict.get(thing.__globals__, "__name__")
    else:
        name = type.__dict__["__module__"].__get__(thing)
    return name.partition(".")[0] if type(name) is str else ""


def _is_descriptor(value: object) -> bool:
    found = (class_attribute(type(value), name) for name in ("__get__", "__set__", "__delete__"))
    return any(each is not MISSING for each in found)


def _has_own_getattribute(cls: type) -> bool:
    return class_attribute(cls, "__getattribute__") is not object.__dict__["__getattribute__"]


def stores(cls: type, attribute: str) -> bool:
    """True if methods of a class, or its dataclass fields, give its instances an attribute."""
    for base in mro_of(cls):
        namespace = namespace_of(base)
        fields = namespace.get("__dataclass_fields__")
        if type(fields) is dict and attribute in fields:
            return True
        if any(
            attribute in co.co_names and attribute in _stored_by(co)
            for co in _functions(namespace.values())
        ):
            return True
    return False


def _functions(values: Iterable[object]) -> Iterator[CodeType]:
    for value in list(values):
        if type(value) is FunctionType:
            yield value.__code__


def _stored_by(co: CodeType) -> frozenset[str]:
    """Names of attributes that a method stores, to whatever object."""
    rows = table(HOST_VERSION)
    code, store = co.co_code, rows.opcodes["STORE_ATTR"].code
    found = set()
    at = oparg = 0
    while at < len(code):
        opcode = code[at]
        oparg = oparg << 8 | code[at + 1]
        if opcode == store:
            found.add(co.co_names[oparg])
        if opcode != rows.extended_arg:
            oparg = 0
        at += 2 * rows.steps[opcode]
    return frozenset(found)
