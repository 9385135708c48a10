"""The search for everything that a function's behaviour depends on, as parts with texts."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

from coscope.facts.dependencies.dispatchers import registered, registry_of
from coscope.facts.dependencies.following import package_of, wrapt_parts
from coscope.facts.fingerprints import contents
from coscope.facts.fingerprints.canonical import digested, opaque_constants
from coscope.facts.fingerprints.components import ARROW, Component, Part, Unknown, kept
from coscope.facts.fingerprints.everyday import (
    everyday_contents,
    everyday_parts,
    is_mutable,
    member_text,
)
from coscope.facts.fingerprints.globals import Reading
from coscope.facts.fingerprints.literals import atom_key, digest
from coscope.facts.fingerprints.ordering import constant_text, order_of
from coscope.facts.fingerprints.provenance import (
    Origin,
    module_namespace,
    origin_of_class,
    origin_of_function,
    origin_of_module_name,
    version_of,
)
from coscope.facts.fingerprints.unchanged import Witness, contents_of_cell
from coscope.model import Code
from coscope.readers.attributes import MISSING, instance_attribute, is_a, mro_of, namespace_of
from coscope.readers.from_function import from_code_object
from coscope.readers.recent_types import is_frozen_dict, lazily_imported
from coscope.readers.values import exact_text, name_of_class, type_name_of

MOST_PARTS = 5_000  # functions, classes and containers in one fingerprint
MOST_ITEMS = 100_000  # of one container
_DEEPEST = 40  # tuples in tuples
_MOST_ENTRIES = 64  # of a dict that become one component each

_CONTAINERS: tuple[type, ...] = (list, dict, set, bytearray)


def _is_container(kind: type) -> bool:
    return any(kind is each for each in _CONTAINERS) or is_frozen_dict(kind)


def _is_entered(kind: type) -> bool:
    return any(kind is each for each in (FunctionType, CodeType, object, BuiltinFunctionType))


class Inputs:
    """The search in progress, breadth first. The witness keeps alive what it has seen."""

    def __init__(self, docstrings: bool) -> None:
        self.docstrings = docstrings
        self.parts: list[Part] = []
        self.texts: list[str] = []  # of the parts, whole
        self.unknown: list[Unknown] = []
        self.witness = Witness()
        self.packages: set[str] = set()  # entered although they may be installed
        self.paths: dict[int, str] = {}
        self.seen: list[object] = []  # keeps every id in `paths` true
        self.used: set[str] = set()
        self.waiting: deque[tuple[object, str, str]] = deque()
        self.bindings: dict[tuple[int, int, str], tuple[str, str]] = {}  # noted by `Reading`
        own = list(vars(sys).values())
        self.state = {id(each) for each in own if type(each) is dict or type(each) is list}

    def start(self, target: Any) -> str:
        """Search everything behind a live object; its own text."""
        function = target
        if type(function) is FunctionType:
            self.packages.add(package_of(function))
        elif is_a(target, type):
            self.packages.add(_package_of_class(target))
        text = self._register(target, "", "") if self._is_own_part(target) else ""
        text = text or self.key(target, "", "")
        while self.waiting:
            thing, path, owner = self.waiting.popleft()
            if len(self.parts) >= MOST_PARTS:
                self.ignore(path, thing, f"the limit of {MOST_PARTS:,} parts is reached")
                break
            kind, components = self._parts_of(thing, path)
            self._add(path, owner, kind, components)
        return text

    def _is_own_part(self, target: object) -> bool:
        """True for what is entered as a target although it may be a library's."""
        return type(target) is FunctionType or is_a(target, type)

    def _add(self, path: str, owner: str, kind: str, components: list[tuple[str, str]]) -> None:
        lines = [f"{label}: {text}" for label, text in components]
        self.texts.append("\n".join([f"part {path}", kind, *lines]))
        short = [Component(label, kept(text)) for label, text in components]
        self.parts.append(Part(path, kind, tuple(short), owner))

    def add_code(self, code: Code) -> None:
        """The part of a code object that comes from a file: nothing live is known."""
        self._add("", "", "code", list(self.code_components(code, False)))
        self._note_constants(code, "")
        reason = "read without running it: its globals, defaults and cells are not known"
        self.unknown.append(Unknown("", code.kind, reason))

    def ignore(self, path: str, thing: object, reason: str) -> str:
        """List what its content does not identify; the text used in its place."""
        name = type_name_of(thing)
        self.unknown.append(Unknown(path, name, reason))
        self.witness.has_type(thing)
        return f"unknown {name}"

    def _register(self, thing: object, path: str, owner: str) -> str:
        number, unique = 1, path
        while unique in self.used:
            number += 1
            unique = f"{path}~{number}"
        self.used.add(unique)
        self.paths[id(thing)] = unique
        self.seen.append(thing)
        self.waiting.append((thing, unique, owner))
        return f"-> {unique}"

    def key(self, thing: object, path: str, owner: str, depth: int = 0) -> str:
        """The text of an object: itself if it is constant, else a reference to its part.

        Args:
            thing: The object.
            path: How the target comes to it.
            owner: Path of the part that holds it.
            depth: Of tuples around it.
        """
        text = atom_key(thing)
        if text is not None:
            return text
        known = self.paths.get(id(thing))
        if known is not None:
            return f"-> {known}"
        if type(thing) is tuple:
            return self._tuple(thing, path, owner, depth)
        if type(thing) is frozenset:
            return self._set(thing, path)
        lazy = lazily_imported(thing)
        if lazy is not None:
            return self.unloaded(lazy, path)
        text = self._stand_in(thing, path)
        if text is not None:
            return text
        if id(thing) in self.state:
            return self.ignore(path, thing, "state of the process: modules, paths, arguments")
        if self._has_parts(thing):
            return self._register(thing, path, owner)
        return self.ignore(path, thing, "its state is not plain data of Python")

    def _tuple(self, items: tuple[object, ...], path: str, owner: str, depth: int) -> str:
        if depth > _DEEPEST or len(items) > MOST_ITEMS:
            return self.ignore(path, items, "too large or too deeply nested")
        texts = [self.key(item, f"{path}[{at}]", owner, depth + 1) for at, item in enumerate(items)]
        text = f"({', '.join(texts)})"
        return text if len(text) <= 2_000 else f"tuple sha256:{digest(text)}"

    def _set(self, items: Any, path: str) -> str:
        """A set, in the order of what its items are or are called.

        Objects without a name of their own have no order that two processes share.
        """
        named = [(order_of(item), item) for item in items]
        orders = {order for order, _ in named}
        if len(named) > MOST_ITEMS or None in orders or len(orders) < len(named):
            return self.ignore(path, items, "a set of objects that have no order of their own")
        named.sort(key=lambda entry: entry[0] or "")
        texts = [
            constant_text(item) or self.key(item, f"{path}{{{order}}}", path)
            for order, item in named
        ]
        return f"{type(items).__name__}({', '.join(texts)})"

    def _has_parts(self, thing: Any) -> bool:
        kind = type(thing)
        return (
            is_a(thing, type)
            or _is_container(kind)
            or _is_entered(kind)
            or contents.is_wrapper(thing)
            or contents.alias_parts(thing) is not None
            or (kind is MappingProxyType and contents.proxied(thing) is not MISSING)
            or everyday_parts(thing) is not None
            or contents.is_transparent(thing)
        )

    def _stand_in(self, thing: Any, path: str) -> str | None:
        """The text for what is identified by its name: libraries, builtins, modules."""
        kind = type(thing)
        if kind is FunctionType:
            return self._library_function(thing, path)
        if is_a(thing, type):
            origin = origin_of_class(thing)
            if origin.kind == "user" or self._is_own(thing):
                return None
            return self._by_name(origin, name_of_class(thing), thing, path)
        if kind is BuiltinFunctionType:
            return self._builtin(thing, path)
        if is_a(thing, ModuleType):
            return self.module(thing, path, ())[0]
        return self._c_function(thing, path) or (
            contents.c_descriptor_text(thing) or contents.plain_text(thing) or member_text(thing)
        )

    def _library_function(self, thing: FunctionType, path: str) -> str | None:
        if _is_seeded(thing):
            self.witness.function(thing, thing.__code__)
            return f"library attr {version_of('attr')} __hash__"
        if thing.__closure__ or dict.__contains__(thing.__dict__, "__wrapped__"):
            return None  # made at run time: what it holds may be the user's
        origin = origin_of_function(thing)
        if origin.kind == "user" or package_of(thing) in self.packages:
            return None
        self.witness.function(thing, thing.__code__)
        name = _dotted(thing, exact_text(thing.__qualname__))
        return self._by_name(origin, name, thing, path)

    def _builtin(self, thing: Any, path: str) -> str | None:
        """A C function of a module; a method of an object is followed as an object."""
        holder = thing.__self__
        if holder is not None and not is_a(holder, ModuleType):
            return None
        module = thing.__module__
        if type(module) is not str:
            return f"builtin {thing.__name__}"
        name = f"{module}.{thing.__qualname__}"
        return self._by_name(origin_of_module_name(module), name, thing, path)

    def _c_function(self, thing: Any, path: str) -> str | None:
        """A function that Cython compiled: by name, and never by what its C fields hold."""
        kind = type(thing)
        if name_of_class(kind).rpartition(".")[2] not in _COMPILED:
            return None
        name, module = (instance_attribute(thing, each) for each in ("__qualname__", "__module__"))
        named = f"{exact_text(name)}" if is_a(name, str) else "?"
        module = exact_text(module) if is_a(module, str) else ""
        return self._by_name(origin_of_module_name(module), f"{module}.{named}", thing, path)

    def _is_own(self, cls: type) -> bool:
        return _package_of_class(cls) in self.packages

    def _by_name(self, origin: Origin, name: str, thing: Any, path: str) -> str:
        if origin.kind == "library":
            self.witness.version(origin.package)
            if origin.version is None:
                self.ignore(path, thing, f"the version of {origin.package} is not known")
        elif origin.kind == "user":
            self.ignore(path, thing, "C code of no known version")
        return f"{origin.text} {name}"

    def module(
        self, module: ModuleType, path: str, names: tuple[str, ...]
    ) -> tuple[str, list[tuple[str, object]]]:
        """The text of a module as a value, and its attributes of some names if it is the user's."""
        space = module_namespace(module)
        name = dict.get(space, "__name__")
        named = name if type(name) is str else ""
        origin = origin_of_module_name(named)
        if origin.kind != "user" and named.partition(".")[0] not in self.packages:
            return self._by_name(origin, f"module {named}", module, path), []
        reason = "a module as a value: only attributes that the code names are followed"
        self.ignore(path, module, reason)
        found = []
        for each in names:
            value = dict.get(space, each, MISSING)
            self.witness.lookup(space, each, value)
            if value is not MISSING:
                found.append((each, value))
        return f"module {named}", found

    def unloaded(self, name: str, path: str) -> str:
        """The text of an import of what is not loaded now."""
        top = name.lstrip(".").partition(".")[0]
        origin = Origin("user", "") if name.startswith(".") else origin_of_module_name(top)
        if origin.kind == "user":
            self.unknown.append(Unknown(path, "module", "it is not imported yet"))
        return f"{origin.text} {name}"

    def _parts_of(self, thing: Any, path: str) -> tuple[str, list[tuple[str, str]]]:
        """The kind and the components of what is a part of its own."""
        kind = type(thing)
        if kind is FunctionType:
            registry = registry_of(thing)
            if registry is not None:
                return "singledispatch", list(self._dispatcher(thing, registry, path))
            return "function", list(self._function(thing, path))
        if kind is CodeType:
            code = from_code_object(thing)
            self._note_constants(code, path)
            return "code", list(self.code_components(code, False))
        if is_a(thing, type):
            return "class", list(self._class(thing, path))
        if kind is bytearray:
            self.witness.holds(lambda array: [bytes(array)], thing)
            return "bytearray", [("items", f"bytes {bytes(thing)!r}")]
        if _is_container(kind):
            return kind.__name__, list(self._container(thing, path))
        if kind is object:
            return "object", []
        return self._other(thing, path)

    def _dispatcher(
        self, function: FunctionType, registry: dict[type, object], path: str
    ) -> Iterator[tuple[str, str]]:
        """A `singledispatch` function: every implementation, and the class it is registered for."""
        self.witness.function(function, function.__code__)
        self.witness.holds(lambda held: [*held.keys(), *held.values()], registry)
        for name, cls, implementation in registered(registry):
            where = joined(path, f"registry[{name}]")
            yield f"class {name}", self.key(cls, f"{where} class", path)
            yield f"registry[{name}]", self.key(implementation, where, path)

    def _everyday(self, thing: Any, path: str) -> tuple[str, list[tuple[str, str]]]:
        """A value of C code that is identified by its content."""
        parts = everyday_parts(thing) or []
        if is_mutable(thing) and any(label == "bytes" for label, _ in parts):
            self.witness.never()
        elif is_mutable(thing):
            self.witness.holds(everyday_contents, thing)
        return type_name_of(thing), self._keys(parts, path)

    def _other(self, thing: object, path: str) -> tuple[str, list[tuple[str, str]]]:
        """Wrappers, aliases, bound builtins and instances."""
        if everyday_parts(thing) is not None:
            return self._everyday(thing, path)
        parts = contents.alias_parts(thing)
        if type(thing) is BuiltinFunctionType:
            name = f"method {thing.__name__} of C code"
            return name, self._keys([("__self__", thing.__self__)], path)
        if type(thing) is MappingProxyType:
            return "mapping proxy", self._keys([("mapping", contents.proxied(thing))], path)
        if parts is None and contents.is_wrapper(thing):
            self.witness.holds(_held, thing)
            parts = contents.wrapper_parts(thing)
            return type_name_of(thing), self._keys([("class", type(thing)), *parts], path)
        if parts is not None:
            return type_name_of(thing), self._keys(parts, path)
        return f"instance of {type_name_of(thing)}", self._instance(thing, path)

    def _keys(self, parts: list[tuple[str, object]], path: str) -> list[tuple[str, str]]:
        return [(label, self.key(value, joined(path, label), path)) for label, value in parts]

    def _instance(self, thing: object, path: str) -> list[tuple[str, str]]:
        self.witness.has_type(thing)
        self.witness.holds(contents.instance_contents, thing)
        parts: list[tuple[str, Any]] = [("class", type(thing))]
        base = contents.base_value(thing)
        if base is not MISSING:
            parts.append(("value", base))
        for hidden in contents.hidden_bases(type(thing)):
            reason = f"what its base {name_of_class(hidden)} keeps in C code is not read"
            self.ignore(path, thing, reason)
        parts += wrapt_parts(thing)
        attributes = [
            (f"attribute {name}", value) for name, value in contents.instance_parts(thing)
        ]
        return self._keys([*parts, *attributes], path)

    def _container(self, thing: Any, path: str) -> Iterator[tuple[str, str]]:
        if len(thing) > MOST_ITEMS:
            yield "items", self.ignore(path, thing, f"more than {MOST_ITEMS:,} items")
            self.witness.never()
            return
        self.witness.holds(contents.container_items, thing)
        if type(thing) is set:
            yield "items", self._set(thing, path)
            return
        if type(thing) is list:
            keys = [self.key(item, f"{path}[{at}]", path) for at, item in enumerate(thing)]
            yield "items", f"[{', '.join(keys)}]"
            return
        yield from self._entries(thing, path)

    def _entries(self, thing: Any, path: str) -> Iterator[tuple[str, str]]:
        """Those of a dictionary: one component each if they are few, else one for all."""
        entries = list(thing.items())
        texts = []
        for at, (name, value) in enumerate(entries):
            label = atom_key(name) or self.key(name, f"{path} key {at}", path)
            shown = f"[{name!a}]" if type(name) is str and len(name) < 60 else f"[{label[:60]}]"
            texts.append((label, self.key(value, f"{path}{shown}", path)))
        if len(texts) <= _MOST_ENTRIES and len(dict(texts)) == len(texts):
            yield "order", ", ".join(label for label, _ in texts)
            yield from ((f"[{label}]", text) for label, text in texts)
        else:
            yield "items", ", ".join(f"{label}: {text}" for label, text in texts)

    def _class(self, cls: type, path: str) -> Iterator[tuple[str, str]]:
        self.witness.holds(contents.class_contents, cls)
        yield "name", name_of_class(cls).rpartition(".")[2]
        bases = mro_of(cls)[1:]
        yield from self._keys(
            [(f"base {name_of_class(base).rpartition('.')[2]}", base) for base in bases], path
        )
        if type(cls) is not type:
            yield from self._keys([("metaclass", type(cls))], path)
        for name, each in contents.virtual_subclasses(cls):
            self.witness.never()
            yield f"registered {name}", self.key(each, joined(path, name), path)
        for name, value in contents.class_parts(cls, self.docstrings):
            yield name, self.key(value, joined(path, name), path)

    def _function(self, function: FunctionType, path: str) -> Iterator[tuple[str, str]]:
        co = function.__code__
        self.witness.function(function, co)
        origin = origin_of_function(function)
        cells = list(zip(co.co_freevars, function.__closure__ or (), strict=False))
        if origin.kind == "user" or package_of(function) in self.packages or path == "":
            code = from_code_object(co)
            reading = Reading(self, function, code, path)
            globals_read = list(reading.components())
            yield from self.code_components(code, reading.dynamic)
            self._note_constants(code, path)
        else:
            name = _dotted(function, exact_text(co.co_qualname))
            globals_read = []
            yield "code", self._by_name(origin, name, function, path)
        for name, cell in cells:
            held = contents_of_cell(cell)
            self.witness.cell(cell, held)
            text = "empty" if held is MISSING else self.key(held, joined(path, name), path)
            yield f"cell {name}", text
        for label, value in contents.wrapper_parts(function):
            if label.startswith("default of "):
                yield label, self.key(value, joined(path, label), path)
        yield from globals_read
        for name, value in entries_of_attributes(function):
            yield f"attribute {name}", self.key(value, joined(path, name), path)

    def code_components(self, code: Code, local_names: bool) -> Iterator[tuple[str, str]]:
        """The digest of the code; its parameters, constants and names, which show a change."""
        found = digested(code, docstrings=self.docstrings, local_names=local_names)
        root = found[-1]
        yield "code", f"sha256:{root.digest}"
        yield "parameters", root.canonical.head[0].removeprefix("parameters ")
        for each in reversed(found):
            inner = "" if each is root else f" of {each.code.name}"
            yield f"constants{inner}", ", ".join(each.canonical.constants)
            yield f"names{inner}", ", ".join(map(str, each.canonical.names))

    def _note_constants(self, code: Code, path: str) -> None:
        for inner, constant in opaque_constants(code):
            reason = f"a constant of {inner.qualname} that no compiler makes"
            self.unknown.append(Unknown(path, constant.type_name, reason))


def _package_of_class(cls: type) -> str:
    """Top package of the module that a class names; "" if it names none."""
    name: Any = namespace_of(cls).get("__module__")
    return exact_text(name).partition(".")[0] if is_a(name, str) else ""


def _is_seeded(function: FunctionType) -> bool:
    """True for a `__hash__` that attrs made: a hash of this process is a constant of its code."""
    co = function.__code__
    return co.co_name == "__hash__" and co.co_filename.startswith("<attrs generated ")


# Names of the types of functions that Cython compiles.
_COMPILED = ("cython_function_or_method", "fused_cython_function")


def _dotted(function: FunctionType, qualname: str) -> str:
    module: object = function.__module__
    return f"{module}.{qualname}" if type(module) is str else qualname


def joined(path: str, name: str) -> str:
    """A path one step longer."""
    return f"{path}{ARROW}{name}" if path else name


def _held(thing: object) -> list[object]:
    return [value for _, value in contents.wrapper_parts(thing)]


def entries_of_attributes(function: FunctionType) -> list[tuple[str, object]]:
    """What a function's dictionary holds, in order of names."""
    entries = [
        (name, value)
        for name, value in list(dict.items(function.__dict__))
        if type(name) is str and name != "__wrapped__"
    ]
    return sorted(entries, key=lambda entry: entry[0])
