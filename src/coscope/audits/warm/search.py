"""The search for the reason why one site is not specialised. Runs nobody's code."""

from __future__ import annotations

import sys
from types import GetSetDescriptorType, ModuleType

from coscope.audits.warm.class_tags import tags_used, version_tag
from coscope.audits.warm.live_classes import (
    classes,
    codes,
    has_own_getattribute,
    is_descriptor,
    keeps_values_inline,
    package_of,
    stored_by,
    stores,
)
from coscope.audits.warm.place import Place
from coscope.audits.warm.reason import (
    CLASS_STORE,
    CONSTANT,
    FALLBACK,
    METACLASS,
    MIXED,
    MODULE_GETATTR,
    OTHER,
    OWN_DICT,
    SHADOWED,
    TAGS,
    UNPACK,
    Reason,
)
from coscope.audits.warm.samples import seen_of
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

_CALLS = frozenset({"CALL", "PRECALL", "CALL_KW"})
# What a site of a family meets that is generic still, as the beginning of a clause.
_NOT_MET = {
    "FOR_ITER": "it iterates over something, no list, tuple, range or generator, that",
    "GET_ITER": "it makes an iterator of something that",
    "CONTAINS_OP": "it searches something, no set or dict, that",
    "LOAD_GLOBAL": "it looks into namespaces that change, which",
}
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"})
_MOST_TAGS = 1000  # that one class gets (3.13: MAX_VERSIONS_PER_CLASS)


class Search(Place):
    """The search for one site's reason."""

    def reason(self) -> Reason:
        if self.site.family in _ATTRIBUTES:
            self.attribute = str(self.subject.instructions.argval(self.index))
            return self._of_attribute()
        if self.site.family == "UNPACK_SEQUENCE":
            self.types = self.local_types(self.owner)
            if not self.site.generic:
                return self._made(UNPACK, f"what is unpacked is {self.kinds('sometimes another')}")
            return self._made(OTHER, f"it unpacks {self.kinds('neither a list nor a tuple')}")
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
        thing = MISSING if path is None else self.resolved(path)
        if path is None or thing is MISSING:
            return "it calls what"
        if is_a(thing, type):
            return f"it calls {path}, a class, which"
        kind = name_of_class(type(thing)).replace("builtin_function_or_method", "builtin function")
        return f"it calls {path}, a {kind}, in a way that"

    def _of_attribute(self) -> Reason:
        thing = self.object_of_owner()
        if thing is MISSING:
            self.types = self.owner_types()
        elif is_a(thing, ModuleType):
            return self._of_module(thing)
        elif is_a(thing, type):
            return self._of_class(thing)
        else:
            self.types = [type(thing)]
        if any(issubclass(each, ModuleType) for each in self.types):
            seen = seen_of(self.co)
            held = list(seen.modules.get(self.owner, {}).values()) if seen else []
            return self._of_module(held[0]) if len(held) == 1 else self._unknown()
        return self._of_types()

    def _of_types(self) -> Reason:
        """Of the classes whose instances, or which themselves, were seen here."""
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
        sampled = self.local_types(self.owner) if self.owner in self.co.co_varnames else []
        types = {id(cls): cls for cls in sampled if cls is not type(None)}
        raw = self.co._co_code_adaptive  # type: ignore[attr-defined]
        version = int.from_bytes(raw[self.site.offset + 4 : self.site.offset + 8], sys.byteorder)
        every = self.subject.unit.fact(classes)
        made_for = next((cls for cls in every if version and version_tag(cls) == version), None)
        if made_for is not None:
            types[id(made_for)] = made_for
        self.types = list(types.values())
        if len(self.types) > 1:
            text = f"{self.owner} was of {self.kinds('')}"
            kind = MIXED if self.is_item() and self.is_mixed() else OTHER
            return self._made(kind, text, True)
        if not self.is_sampled() or not sampled:
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
        falls = _behaves("module_getattr_stays_generic") and "__getattr__" in namespace
        if self.site.generic and falls:
            return self._made(MODULE_GETATTR, f"the module {name} has a __getattr__", True)
        return self._made(OTHER, f"the dictionary of the module {name} changes", True)

    def _only_class(self) -> type | None:
        """The class that the owner's name was each time it was looked at."""
        seen = seen_of(self.co)
        held = {} if seen is None else seen.classes.get(self.owner, {})
        return next(iter(held.values())) if len(held) == 1 and self.is_sampled() else None

    def _of_class(self, cls: type | None, metaclass: type | None = None) -> Reason:
        if cls is None:
            cls = self._only_class()
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
            known = _behaves(
                "enum_members_stay_generic"
            )  # where no class with a metaclass fits, too
            return self._made(METACLASS if known and not method else OTHER, text, True)
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
                return self._of_own_attribute(cls)
            if _behaves("fallback_classes_stay_generic"):
                return self._made(OTHER, f"the class {name} has a __getattr__", True)
            if stores(cls, self.attribute) or has_own_getattribute(cls):
                return None
            if not self.is_sampled():
                return self._made(OTHER, f"the class {name} has a __getattr__")
            return self._made(FALLBACK, f"{name}.__getattr__ gives {self.attribute}", True)
        if is_descriptor(value):
            text = f"{name}.{self.attribute} is a {type(value).__name__}"
            return self._made(OTHER, text, True)
        stored = self.site.family == "STORE_ATTR"
        if _behaves("hidden_stores_cost" if stored else "hidden_defaults_cost"):
            if stored or stores(cls, self.attribute):
                return self._shadowed(cls, True)
            if self._is_stored_nearby():
                return self._shadowed(cls, False)
        if _behaves("instance_constants_stay_generic"):
            text = f"{self.attribute} is an attribute of the class {name}, read through an instance"
            return self._made(CONSTANT, text, True)
        return self._of_own_attribute(cls)

    def _of_own_attribute(self, cls: type) -> Reason | None:
        """An attribute that the methods of the class give to its instances."""
        stored = self.site.family == "STORE_ATTR"
        opened = "opened_stores_stay_generic" if stored else "opened_loads_stay_generic"
        if not (_behaves(opened) and keeps_values_inline(cls) and stores(cls, self.attribute)):
            return None
        text = f"instances of {name_of_class(cls)} were asked for their __dict__"
        return self._made(OWN_DICT, text)

    def _is_stored_nearby(self) -> bool:
        """True if some function of the package stores an attribute of that name, in any object."""
        package = package_of(self.function)
        return any(
            self.attribute in co.co_names and self.attribute in stored_by(co)
            for name, co in self.subject.unit.fact(codes)
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
        stored = self.site.family == "STORE_ATTR"
        hiding = _behaves("hidden_stores_cost" if stored else "hidden_defaults_cost")
        every = self.subject.unit.fact(classes)
        held = (namespace_of(cls).get(self.attribute) for cls in every)
        if any(type(value) is GetSetDescriptorType for value in held):
            return self._unknown()  # an attribute of C, which is never specialised, fits too
        for cls in every:
            if package_of(cls) != package_of(self.function):
                continue
            value = class_attribute(cls, self.attribute)
            worn = tags_used(cls) >= _MOST_TAGS
            hides = hiding and not (value is MISSING or is_descriptor(value))
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
        return Reason(
            site=self.site,
            index=self.index,
            kind=kind,
            text=text,
            proved=proved,
            owner=self.owner,
            attribute=self.attribute,
            types=names,
        )


def _behaves(name: str) -> bool:
    return table(HOST_VERSION).behaves(name, HOST_RELEASE)
