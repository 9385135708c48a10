"""The global names that a live function's code reads, as components of a fingerprint."""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any, Protocol

from coscope.facts.dependencies.dynamic import ALWAYS, BY_NAME, dynamic_uses
from coscope.facts.dependencies.rows import Dependency
from coscope.facts.fingerprints.components import ARROW, Unknown
from coscope.facts.fingerprints.provenance import module_namespace
from coscope.facts.fingerprints.state import STATEFUL_METHODS, state_read_by
from coscope.facts.fingerprints.unchanged import Witness
from coscope.facts.names.accesses import CELL, Accesses, accesses_of
from coscope.facts.names.scopes import Found, Scope, scope_of
from coscope.model import Code
from coscope.readers.attributes import MISSING, is_a


class Search(Protocol):
    """The search for inputs, as far as reading names needs it."""

    witness: Witness
    unknown: list[Unknown]
    bindings: dict[tuple[int, int, str], tuple[str, str]]  # what was reported already

    def key(self, thing: object, path: str, owner: str, depth: int = 0) -> str: ...
    def module(
        self, module: ModuleType, path: str, names: tuple[str, ...]
    ) -> tuple[str, list[tuple[str, object]]]: ...
    def unloaded(self, name: str, path: str) -> str: ...


class Reading:
    """What one function's code, and the code nested in it, reads from globals and builtins."""

    def __init__(self, inputs: Search, function: FunctionType, code: Code, path: str) -> None:
        self.inputs = inputs
        self.code = code
        self.path = path
        self.scope = scope_of(function)
        self.yielded: set[str] = set()
        self.dynamic = False  # something of it makes names out of data

    def components(self) -> Iterator[tuple[str, str]]:
        """One for each name or dotted path, in order of the first use."""
        pending = [(self.code, self.path, self.scope)]
        while pending:
            code, path, scope = pending.pop()
            uses = accesses_of(code)
            yield from self._of(code, path, scope, uses)
            inside = scope.inside(code)
            nested = [const for const in code.consts if isinstance(const, Code)]
            pending.extend((each, _joined(path, each.name), inside) for each in reversed(nested))

    def _of(self, code: Code, path: str, scope: Scope, uses: Accesses) -> Iterator[tuple[str, str]]:
        for (verb, space, name), offsets in uses.variables.items():
            if verb != "read":
                continue
            binding = (id(scope.globals), id(scope.builtins), name)
            known = None if space == CELL else self.inputs.bindings.get(binding)
            if known is not None:
                yield from self._once(*known)
                continue
            root, _, rest = name.partition(".")
            found = scope.find(code, verb, space, root)
            if found is None:
                continue
            self._watch(scope, space, root, found)
            thing, label = self._walk(found.object, root, rest.split(".") if rest else [])
            dynamic = self._note_dynamic(code, path, label, tuple(offsets), found.kind, thing)
            state = self._note_state(path, label, thing)
            keeps = not (dynamic or state or space == CELL or is_a(thing, ModuleType))
            for component in self._components_of(found, label, thing, path, space, uses):
                if keeps:
                    self.inputs.bindings[binding] = component
                yield component
        yield from self._by_attributes_and_imports(code, path, scope, uses)

    def _by_attributes_and_imports(
        self, code: Code, path: str, scope: Scope, uses: Accesses
    ) -> Iterator[tuple[str, str]]:
        for name in uses.attributes:
            if name in STATEFUL_METHODS:
                reason = f"a call of {name} reads state that is not part of any object here"
                self.inputs.unknown.append(Unknown(path, "state of the process", reason))
        for name, offsets in uses.imports.items():
            yield from self._imported(name, tuple(offsets), code, path, scope, uses)

    def _watch(self, scope: Scope, space: str, root: str, found: Found) -> None:
        """Note where the name was found, or that it was not."""
        space_now = scope.globals
        if space == CELL or space_now is None:
            return
        held = dict.get(space_now, root, MISSING)
        self.inputs.witness.lookup(space_now, root, held)
        if held is MISSING and scope.builtins is not None:
            self.inputs.witness.lookup(scope.builtins, root, found.object)

    def _walk(self, thing: Any, label: str, names: list[str]) -> tuple[object, str]:
        """Follow attributes of modules."""
        for name in names:
            if not is_a(thing, ModuleType):
                break
            space = module_namespace(thing)
            value = dict.get(space, name, MISSING)
            self.inputs.witness.lookup(space, name, value)
            if value is MISSING:
                break
            thing, label = value, f"{label}.{name}"
        return thing, label

    def _components_of(
        self, found: Found, label: str, thing: Any, path: str, space: str, uses: Accesses
    ) -> Iterator[tuple[str, str]]:
        if space == CELL and "." not in label:
            return  # the cell is a component of its own
        component = f"{_WORDS.get(found.kind, found.kind)} {label}"
        if component in self.yielded and not is_a(thing, ModuleType):
            return
        if thing is MISSING:
            unknown = found.kind == "builtin"
            if unknown:
                reason = "looked up by the methods of a namespace that is not a plain dict"
                self.inputs.unknown.append(Unknown(_joined(path, label), "name", reason))
            yield from self._once(component, "unknown" if unknown else "unbound")
        elif is_a(thing, ModuleType):
            yield from self._module(component, thing, label, path, uses)
        else:
            where = _joined(path, label)
            yield from self._once(component, self.inputs.key(thing, where, self.path))

    def _module(
        self, component: str, module: ModuleType, label: str, path: str, uses: Accesses
    ) -> Iterator[tuple[str, str]]:
        """A module that is not left by a dotted path: attributes that the code names."""
        where = _joined(path, label)
        text, attributes = self.inputs.module(module, where, tuple(uses.attributes))
        yield from self._once(component, text)
        for name, value in attributes:
            if not is_a(value, ModuleType):
                inner = self.inputs.key(value, f"{where}.{name}", self.path)
                yield from self._once(f"{component}.{name}", inner)

    def _imported(
        self,
        name: str,
        offsets: tuple[int, ...],
        code: Code,
        path: str,
        scope: Scope,
        uses: Accesses,
    ) -> Iterator[tuple[str, str]]:
        self.inputs.witness.holds(lambda asked: [scope.imported(asked).object], name)
        thing = scope.imported(name).object
        self._note_dynamic(code, path, name, offsets, "import", thing)
        self._note_state(path, name, thing)
        component = f"import {name}"
        if thing is MISSING:
            text = self.inputs.unloaded(name, _joined(path, name))
            yield from self._once(component, text)
        elif is_a(thing, ModuleType):
            yield from self._module(component, thing, name, path, uses)
        else:
            yield from self._once(component, self.inputs.key(thing, _joined(path, name), self.path))

    def _once(self, component: str, text: str) -> Iterator[tuple[str, str]]:
        if component not in self.yielded:
            self.yielded.add(component)
            yield component, text

    def _note_dynamic(
        self,
        code: Code,
        path: str,
        name: str,
        offsets: tuple[int, ...],
        kind: str,
        thing: object,
    ) -> bool:
        """List a use of eval, globals, getattr with a computed name; True for what may be one."""
        if not is_dynamic(thing):
            return False
        access = "import" if kind == "import" else "read"
        row = Dependency(
            name=name,
            access=access,
            kind=kind,
            path=(),
            offsets=offsets,
            resolved=name,
            empty=False,
            code=code,
            object=thing,
        )
        for use in dynamic_uses([row]):
            self.dynamic = True
            where = _joined(path, name)
            self.inputs.unknown.append(
                Unknown(where, "dynamic code", f"{use.function}: {use.note}")
            )
        return True

    def _note_state(self, path: str, name: str, thing: object) -> bool:
        """List a function of the standard library that reads what no object here holds."""
        reason = state_read_by(thing)
        if reason is None:
            return False
        self.inputs.unknown.append(Unknown(_joined(path, name), "state of the process", reason))
        return True


_WORDS = {"class-local-or-global": "global", "cell": "attribute of cell"}


_DYNAMIC = frozenset(
    (*(id(getattr(builtins, name)) for name in (*ALWAYS, *BY_NAME)), id(importlib.import_module))
)


def is_dynamic(thing: object) -> bool:
    """True for the functions that may make names out of data; they live as long as Python."""
    return id(thing) in _DYNAMIC


def _joined(path: str, name: str) -> str:
    return f"{path}{ARROW}{name}" if path else name
