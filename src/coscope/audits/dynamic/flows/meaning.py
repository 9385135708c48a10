"""What a callee means, through aliases: imports, assignments, getattr, partial, containers."""

from __future__ import annotations

import builtins
from collections.abc import Iterable

from coscope.audits.dynamic.flows.scope import File, Scope
from coscope.audits.subject.calls import Call
from coscope.flow.domains.makers import NOTHING, Makers, slot_of_maker
from coscope.model import Code

_MOST = 8  # meanings of one value
_LONGEST = 120  # characters
_NOTHING: frozenset[str] = frozenset()
_BUILTINS = frozenset(dir(builtins)) | {"raw_input", "execfile", "unicode", "reload"}
_IMPORTERS = frozenset({"importlib.import_module", "builtins.__import__", "importlib.__import__"})
_WRAPPERS = frozenset(
    (
        *("functools.partial", "builtins.staticmethod", "builtins.classmethod"),
        *("functools.lru_cache", "functools.cache", "functools.wraps()"),
    )
)
_CONTAINERS = ("BUILD_MAP", "BUILD_CONST_KEY_MAP", "BUILD_LIST", "BUILD_TUPLE", "BUILD_SET")
_ITEMS = frozenset(
    (
        *("BINARY_SUBSCR", "FOR_ITER", "GET_ITER", "UNPACK_SEQUENCE", "UNPACK_EX", "LIST_EXTEND"),
        *("LIST_TO_TUPLE", "CALL_INTRINSIC_1"),
    )
)


def meanings_of(scope: Scope, makers: Makers) -> frozenset[str]:
    """The dotted names that a value may mean: "pickle.loads", "builtins.eval".

    What a parameter is given begins with "?" and its name, what a call gives ends with "()",
    items end with "[]".
    """
    found: set[str] = set()
    for maker in makers:
        found |= _meanings(scope, maker)
        if len(found) > _MOST:
            break
    return frozenset(found)


def _meanings(scope: Scope, maker: int) -> frozenset[str]:
    key = int(maker)
    known = scope.meanings.get(key)
    if known is None:
        scope.meanings[key] = _NOTHING  # a value that is made of itself
        known = frozenset(each for each in _found(scope, maker) if len(each) <= _LONGEST)
        scope.meanings[key] = known
    return known


def _found(scope: Scope, maker: int) -> Iterable[str]:
    if maker < 0:
        return _at_entry(scope, maker)
    access = scope.access(maker)
    if access in ("read global", "read name", "read name or global"):
        return _of_global(scope, scope.name(maker))
    if access == "read attribute":
        return _of_attribute(scope, maker)
    if access == "import name":
        return _of_import(scope, maker)
    if access == "import attribute":
        return _joined(meanings_of(scope, scope.takers[maker][1][0]), scope.name(maker))
    if access in ("read cell", "read name or cell"):
        return _of_cell(scope, scope.name(maker))
    if maker in scope.calls:
        return _of_call(scope, scope.calls[maker])
    if access.startswith("write"):
        return meanings_of(scope, scope.behind(frozenset([maker])))
    if scope.row_access(maker).startswith("write"):
        return meanings_of(scope, scope.behind(frozenset([maker])))
    if _is_item(scope, maker):
        return _of_item(scope, maker)
    return _NOTHING


def _joined(owners: Iterable[str], name: str) -> set[str]:
    found = set()
    for each in owners:
        if each.endswith(".__dict__"):
            each = each.removesuffix(".__dict__")
        if each.endswith("."):  # from . import x
            found.add(f"{each}{name}")
        else:
            found.add(f"{each}.{name}")
    return found


def _at_entry(scope: Scope, maker: int) -> Iterable[str]:
    slot = slot_of_maker(maker)
    if slot is None:
        return _NOTHING
    name = scope.code.localsplusnames[slot]
    if name in scope.code.freevars:
        return _of_cell(scope, name)
    return {"?self"} if not slot and scope.is_method() else {f"?{name}"}


def _of_cell(scope: Scope, name: str) -> Iterable[str]:
    found: set[str] = set()
    for holder, _, makers in cell_values(scope, name):
        found |= meanings_of(holder, makers)
    return found


def cell_values(scope: Scope, name: str) -> list[tuple[Scope, int, Makers]]:
    """What is assigned to a captured variable, wherever; -1 for what its owner is given."""
    owner = scope
    while name in owner.code.freevars or name not in owner.code.cellvars:
        parent = owner.subject.parent
        if parent is None:
            return []
        owner = owner.file.scope_of(parent)
    found: list[tuple[Scope, int, Makers]] = []
    slot = owner.parameters().get(name)
    if slot is not None:
        found.append((owner, -1, frozenset([-2 - slot])))
    for code in owner.code.walk():
        if code is owner.code or name in code.freevars:
            inside = owner.file.scope_of(code)
            stored = inside.stores(name, "write cell", "write local", "write name")
            found += [(inside, at, makers) for at, makers in stored]
    return found


def _of_global(scope: Scope, name: str) -> Iterable[str]:
    file = scope.file
    if name == "__builtins__":
        return {"builtins"}
    if name in file.defined:
        return _NOTHING
    if name not in file.bindings:
        stored = file.stored(name) if name not in _BUILTINS else ()
        if not stored:
            return {f"builtins.{name}"} if name in _BUILTINS else {name}
    found: set[str] = set()
    imported = file.imported(name)
    if imported is not None:
        found.add(imported)
        if file.bindings[name] == 1:
            return found
    for holder, _, makers in file.stored(name):
        found |= meanings_of(holder, makers)
    return found


def _of_attribute(scope: Scope, index: int) -> Iterable[str]:
    name = scope.name(index)
    owners = meanings_of(scope, scope.owner(index))
    found = _joined(owners, name)
    if "?self" in owners:
        body = scope.file.class_of(scope.code)
        if body is not None and not _may_hold(scope, body, name):
            body = None
        if body is not None:
            for holder, _, makers in scope.file.attribute_stores(body, name, grown=False):
                found |= {each for each in meanings_of(holder, makers) if each[:1] != "?"}
    return found


def _may_hold(scope: Scope, body: Code, name: str) -> bool:
    """True if an attribute may hold a function that is made elsewhere: it is not a method."""
    return not any(isinstance(each, Code) and each.name == name for each in body.consts)


def _of_import(scope: Scope, index: int) -> Iterable[str]:
    level, listed = (scope.constant(each) for each in scope.takers[index][1][:2])
    module = "." * (level if type(level) is int else 0) + scope.name(index)
    return {module if listed is not None else module.partition(".")[0]}


def _of_call(scope: Scope, call: Call) -> Iterable[str]:
    callees = meanings_of(scope, call.callee)
    found: set[str] = set()
    for each in callees:
        made = _of_known(scope, call, each)
        found |= {f"{each}()"} if made is None else made
    for at in call.callee:  # {"add": f}.get(name)
        if at >= 0 and scope.access(at) == "read attribute" and scope.name(at) in ("get", "pop"):
            found |= _of_elements(scope, scope.owner(at))
    return found


def _of_known(scope: Scope, call: Call, callee: str) -> set[str] | None:
    """What a call of some functions gives; None for all others."""
    given = call.positional
    if callee == "builtins.getattr" and len(given) > 1:
        name = scope.constant(given[1])
        return _joined(meanings_of(scope, given[0]), name) if isinstance(name, str) else set()
    if callee in _IMPORTERS and given:
        name = scope.constant(given[0])
        if not isinstance(name, str):
            return None
        top = callee != "importlib.import_module" and len(given) + len(call.keywords) < 2
        return {name.partition(".")[0] if top else name}
    if callee in _WRAPPERS and given:
        return set(meanings_of(scope, given[0]))
    if callee == "builtins.vars" and given:
        return _joined(meanings_of(scope, given[0]), "__dict__")
    if callee.endswith("operator.attrgetter()") and given:
        return _got(scope, call, given[0])
    if callee in ("builtins.globals", "builtins.locals"):
        return {callee}
    return None


def _got(scope: Scope, call: Call, owner: Makers) -> set[str]:
    """What `attrgetter(name)(owner)` gives."""
    found: set[str] = set()
    for at in call.callee:
        inner = scope.calls.get(at)
        name = scope.constant(inner.positional[0]) if inner and inner.positional else None
        if isinstance(name, str):
            found |= _joined(meanings_of(scope, owner), name)
    return found


def _is_item(scope: Scope, index: int) -> bool:
    name = scope.row_name(index)
    return name in _ITEMS or (name == "BINARY_OP" and is_subscript(scope, index))


def is_subscript(scope: Scope, index: int) -> bool:
    """True for an instruction that takes an item."""
    name = scope.row_name(index)
    if name == "BINARY_OP":
        return scope.code.instructions.argrepr(index) == "[]"
    return name in ("BINARY_SUBSCR", "BINARY_SLICE")


def _of_item(scope: Scope, index: int) -> Iterable[str]:
    taken = scope.takers.get(index)
    if taken is None:
        return _NOTHING
    operands = taken[1]
    owner = operands[0]
    found = _of_elements(scope, owner)
    if is_subscript(scope, index):
        key = scope.constant(operands[1])
        for each in meanings_of(scope, owner):
            if isinstance(key, str) and each == "sys.modules":
                found.add(key)
            elif isinstance(key, str) and (each == "builtins" or each.endswith(".__dict__")):
                found |= _joined([each], key)
            elif isinstance(key, str) and each == "builtins.globals":
                found |= set(_of_global(scope, key))
            else:
                found.add(f"{each}[]")
    return found


def _of_elements(scope: Scope, makers: Makers, depth: int = 4) -> set[str]:
    """What the elements of a container mean, if it is made of them in sight."""
    found: set[str] = set()
    for maker in scope.behind(makers):
        if maker < 0 or not depth:
            continue
        name = scope.row_name(maker)
        taken = scope.takers.get(maker)
        if name in _CONTAINERS and taken is not None:
            for operand in taken[1]:
                found |= {each for each in meanings_of(scope, operand) if each[:1] != "?"}
        elif name in _ITEMS and taken is not None:
            found |= _of_elements(scope, taken[1][0], depth - 1)
        elif scope.access(maker) in ("read global", "read name"):
            for holder, _, inner in scope.file.stored(scope.name(maker)):
                found |= _of_elements(holder, inner, depth - 1)
    return found


def definitions_of(scope: Scope, makers: Makers, depth: int = 3) -> list[Code]:
    """The functions of the same file that a callee may be."""
    found: list[Code] = []
    for maker in scope.behind(makers) if depth else NOTHING:
        if maker < 0:
            slot = slot_of_maker(maker)
            if slot is not None and scope.code.localsplusnames[slot] in scope.code.freevars:
                for holder, _, inner in cell_values(scope, scope.code.localsplusnames[slot]):
                    found += definitions_of(holder, inner, depth - 1)
            continue
        made = scope.made_code(maker)
        if made is not None:
            found += [made] if made.kind != "class body" else []
        elif scope.access(maker) in ("read global", "read name"):
            if scope.file.imported(scope.name(maker)) is None:
                for holder, _, inner in scope.file.stored(scope.name(maker)):
                    found += definitions_of(holder, inner, depth - 1)
        elif scope.access(maker) == "read attribute":
            found += _methods(scope, maker)
        elif maker in scope.calls:  # a decorator, or a partial
            for given in scope.calls[maker].positional[:1]:
                found += definitions_of(scope, given, depth - 1)
    return found


def _methods(scope: Scope, index: int) -> list[Code]:
    """The method of the class around that `self.name` is."""
    owners = meanings_of(scope, scope.owner(index))
    if "?self" not in owners and "?cls" not in owners and "builtins.super()" not in owners:
        return []
    body = scope.file.class_of(scope.code)
    if body is None:
        return []
    name = scope.name(index)
    return [each for each in body.consts if isinstance(each, Code) and each.name == name]


def class_bodies(scope: Scope, makers: Makers) -> list[tuple[Code, list[Makers], Scope]]:
    """The classes of the same file that a value may be: body, bases, and where they are made."""
    found = []
    for maker in scope.behind(makers):
        if maker < 0:
            continue
        call = scope.calls.get(maker)
        if call is not None and len(call.positional) > 1:
            made = [each for at in call.positional[0] if at >= 0 for each in [scope.made_code(at)]]
            if any(each is not None and each.kind == "class body" for each in made):
                bodies = [each for each in made if each is not None]
                found += [(each, list(call.positional[2:]), scope) for each in bodies]
        elif scope.access(maker) in ("read global", "read name"):
            name = scope.name(maker)
            for holder, _, inner in scope.file.stored(name) if name in scope.file.classes else ():
                if holder is not scope or inner != makers:
                    found += class_bodies(holder, inner)
    return found


def bases_of(file: File, body: Code, depth: int = 3) -> list[Code]:
    """The bodies of the classes of the same file that a class extends."""
    parent = file.unit.parents.get(id(body))
    if parent is None or not depth:
        return []
    scope = file.scope_of(parent)
    found: list[Code] = []
    for call in scope.calls.values():
        if len(call.positional) > 2 and any(
            at >= 0 and scope.made_code(at) is body for at in call.positional[0]
        ):
            for base in call.positional[2:]:
                for inner, _, _ in class_bodies(scope, base):
                    if inner is not body:
                        found += [inner, *bases_of(file, inner, depth - 1)]
    return found
