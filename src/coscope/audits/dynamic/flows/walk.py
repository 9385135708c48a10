"""From a value back to where it comes from, step by step: through calls, containers and functions.

Nothing ends the way back but a source: what a call gives is made of its receiver and its arguments
unless the tables in `sources.py` know better.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from coscope.audits.dynamic.flows import sources as words
from coscope.audits.dynamic.flows.meaning import (
    bases_of,
    cell_values,
    class_bodies,
    definitions_of,
    is_subscript,
    meanings_of,
)
from coscope.audits.dynamic.flows.places import (
    Place,
    Source,
    arguments,
    is_arithmetic,
    is_given,
    is_made,
    is_module,
    is_template_of_numbers,
    method_of,
    others,
    owners_of,
    picked,
    plain,
    starred,
    takes_numbers,
    text_of,
)
from coscope.audits.dynamic.flows.scope import Scope
from coscope.audits.dynamic.flows.sources import kind_of_path
from coscope.audits.subject.calls import Call
from coscope.flow.domains.makers import Makers, slot_of_maker
from coscope.model import Code

_TEXT_RULES = frozenset({"DYN101", "DYN111", "DYN108"})  # a literal is harmless there
_NUMBERS = frozenset(
    (
        *("COMPARE_OP", "CONTAINS_OP", "IS_OP", "UNARY_NOT", "TO_BOOL", "GET_LEN", "MATCH_CLASS"),
        *("MATCH_SEQUENCE", "MATCH_MAPPING", "CHECK_EXC_MATCH", "CHECK_EG_MATCH"),
    )
)
_CONTAINERS = frozenset({"BUILD_LIST", "BUILD_SET", "BUILD_MAP", "BUILD_TUPLE", "BUILD_STRING"})
_FUNCTIONS = frozenset({"MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE", "LOAD_BUILD_CLASS"})


_MOST = 400  # values that one argument is followed through
_DEEPEST = 4  # functions of the same file that are entered on one way
_CALLERS = 12  # calls of one function that are looked at


class Walk:
    """One way back from an argument of a sink.

    Args:
        rule: Of the sink: what is harmless differs by it.
    """

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.found: list[Source] = []
        self._waiting: deque[Place] = deque()
        self._seen: set[tuple[int, int, int, int, bool]] = set()
        self._constants: set[tuple[int, int, int, int, bool]] = set()  # these cost nothing

    def run(self, scope: Scope, makers: Makers) -> list[Source]:
        """The sources of a value, those on the shortest ways first."""
        self._add(scope, makers, None)
        while self._waiting:
            place = self._waiting.popleft()
            if len(self._seen) > _MOST:
                self._source(words.UNKNOWN, "more than can be followed", place)
                break
            self._expand(place)
        return self.found

    def _add(
        self, scope: Scope, makers: Makers, above: Place | None, at: int | None = None
    ) -> None:
        for maker in sorted(makers):
            if above is None:
                self._put(Place(scope, maker, None, at=at))
            else:
                self._put(replace(above, scope=scope, maker=maker, above=above, at=at))

    def _put(self, place: Place) -> None:
        slot = getattr(place.maker, "slot", 0)
        inside = id(place.entered[-1][1]) if place.entered else 0
        key = id(place.scope), int(place.maker), slot, inside, place.path
        if key in self._seen or key in self._constants:
            return
        if place.maker >= 0 and place.scope.is_constant(place.maker):
            self._constants.add(key)
            self._expand(place)
        else:
            self._seen.add(key)
            self._waiting.append(place)

    def _source(self, kind: str, text: str, place: Place, reason: str = "", name: str = "") -> None:
        self.found.append(Source(kind, text, place, reason, name))

    def _expand(self, place: Place) -> None:
        """Go on from one value: to what it is made of, or to a source."""
        scope, maker = place.scope, place.maker
        if maker == -1:
            self._source(words.UNKNOWN, "more than can be followed", place)
        elif maker < 0:
            self._at_entry(place)
        elif scope.is_constant(maker):
            self._source(words.CONSTANT, scope.code.instructions.argrepr(maker), place)
        elif maker in scope.calls:
            self._call(place, scope.calls[maker])
        else:
            self._by_access(place, scope.access(maker))

    def _by_access(self, place: Place, access: str) -> None:
        scope, maker = place.scope, place.maker
        if scope.row_access(maker).startswith("write"):  # a copy of another variable
            if maker in scope.takers:
                self._add(scope, scope.takers[maker][1][-1], place)
            return
        if access in ("read global", "read name", "read name or global"):
            self._global(place, scope.name(maker))
        elif access == "read attribute":
            self._attribute(place)
        elif access in ("read cell", "read name or cell"):
            self._cell(place, scope.name(maker))
        elif access.startswith("import"):
            self._source(words.UNKNOWN, f"the import {scope.name(maker)}", place)
        elif access != "read local":  # one that has no value on the way here
            self._operation(place)

    # What a function is given

    def _at_entry(self, place: Place) -> None:
        scope = place.scope
        slot = slot_of_maker(place.maker)
        assert slot is not None
        name = scope.code.localsplusnames[slot]
        if name in scope.code.freevars:
            self._cell(place, name)
        elif place.entered:
            self._argument(place, slot)
        elif not slot and scope.is_method() and name in ("self", "cls", "mcs"):
            self._source(words.UNKNOWN, f"the object {name}", place)
        elif not self._of_nested(place) and not self._of_callers(place, slot):
            self._source(
                words.PARAMETER, f"the parameter {name.removeprefix('.')}", place, "", name
            )

    def _cell(self, place: Place, name: str) -> None:
        held = cell_values(place.scope, name)
        for holder, _, makers in held:
            self._add(holder, makers, replace(place, entered=()))
        if not held:
            self._source(words.UNKNOWN, f"the captured variable {name}", place)

    def _argument(self, place: Place, slot: int) -> None:
        """What the call through which the function was entered gives for a parameter."""
        caller, call = place.entered[-1]
        outer = replace(place, entered=place.entered[:-1])
        given = arguments(place.scope, call, caller).get(slot)
        if given is not None:
            for makers in given:
                self._add(caller, makers, outer)
        else:
            name = place.scope.code.localsplusnames[slot]
            self._source(words.CONSTANT, f"the default of {name}", place)

    def _of_nested(self, place: Place) -> bool:
        """Follow the parameter of a function that is made and used in one piece of code."""
        scope = place.scope
        parent = scope.subject.parent
        if parent is None or parent.kind == "class body":
            return False
        if parent.kind == "module" and scope.code.name[:1] != "<":
            return False
        outer = scope.file.scope_of(parent)
        slot = slot_of_maker(place.maker)
        found = False
        for call in outer.calls.values():
            if any(each is scope.code for each in definitions_of(outer, call.callee)):
                for makers in arguments(scope, call, outer).get(slot or 0, ()):
                    found = True
                    self._add(outer, makers, place, call.index)
            elif is_given(outer, call, scope.code):
                for makers in others(outer, call, scope.code):
                    found = True
                    self._add(outer, makers, place, call.index)
        return found

    def _of_callers(self, place: Place, slot: int) -> bool:
        """Follow a parameter to the calls in the file; True if there are no other calls."""
        scope = place.scope
        if scope.code.kind == "module" or place.callers > 2:
            return False
        name = scope.code.name
        private = name[:1] == "_" and not name.endswith("__")
        calls, closed = scope.file.calls_of(scope.code, _CALLERS, everywhere=private)
        for caller, call in calls:
            if caller is scope:
                continue
            for makers in arguments(scope, call, caller).get(slot, ()):
                outer = replace(place, callers=place.callers + 1)
                self._add(caller, makers, outer, call.index)
        return private and closed and bool(calls)

    # Names and attributes

    def _global(self, place: Place, name: str) -> None:
        scope = place.scope
        for each in meanings_of(scope, frozenset([place.maker])):
            kind = kind_of_path(plain(each))
            if kind is not None:
                self._source(kind, text_of(place), place)
                return
            if each.startswith("builtins.") or words.keeps(each):
                self._source(words.CONSTANT, f"the function {name}", place)
                return
        stored = scope.file.stored(name) if scope.file.imported(name) is None else []
        for holder, _, makers in stored:
            self._add(holder, makers, replace(place, entered=()))
        if not stored and name not in ("__name__", "__file__", "__doc__", "__package__"):
            self._source(words.UNKNOWN, f"the global {name}", place)

    def _attribute(self, place: Place) -> None:
        scope, index = place.scope, place.maker
        name = scope.name(index)
        owner = scope.owner(index)
        paths = meanings_of(scope, frozenset([index]))
        for each in paths:
            kind = kind_of_path(plain(each))
            if kind is not None and not is_made(scope, owner, kind):
                self._source(kind, text_of(place), place)
                return
            if words.keeps(each):
                self._source(words.CONSTANT, each, place)
                return
        if name in words.NAMES_OF_OBJECTS:
            self._source(words.UNKNOWN, text_of(place), place, "it is the name of an object")
        elif "?self" in meanings_of(scope, owner):
            self._of_self(place, name)
        else:
            self._add(scope, owner, place)

    def _of_self(self, place: Place, name: str) -> None:
        scope = place.scope
        body = scope.file.class_of(scope.code)
        bodies = [] if body is None else [body, *bases_of(scope.file, body)]
        stored = [each for b in bodies for each in scope.file.attribute_stores(b, name)]
        outer = replace(place, entered=())
        for holder, _, makers in stored:
            self._add(holder, makers, outer)
        getters = [c for b in bodies for c in b.consts if isinstance(c, Code)]
        if (
            not stored
            and name in words.OF_HANDLERS
            and any(words.HANDLING.match(c.name) for c in getters)
        ):
            self._source(words.NETWORK, text_of(place), place)
            return
        for code in getters:
            if code.name == name and code.kind != "class body":
                for at, makers in scope.file.scope_of(code).results:
                    self._add(scope.file.scope_of(code), makers, outer, at)
                    stored = stored or [(scope, 0, makers)]
        if not stored:
            self._source(words.UNKNOWN, f"the attribute {text_of(place)}", place)

    # Operations

    def _operation(self, place: Place) -> None:
        scope, index = place.scope, place.maker
        row = scope.row(index)
        taken = scope.takers.get(index)
        name = "" if row is None else row.name
        if taken is None or name in _NUMBERS:
            if name in _CONTAINERS or name in _NUMBERS or name in _FUNCTIONS:
                self._source(words.CONSTANT, name, place)
            else:
                self._source(words.UNKNOWN, text_of(place), place)
            self._grown(place)
            return
        operands = taken[1]
        if name == "MAKE_FUNCTION" or name in _FUNCTIONS:
            self._source(words.CONSTANT, "a function", place)
            return
        if is_subscript(scope, index):
            operands = self._item(place, operands)
        elif name == "IMPORT_NAME":
            operands = ()
        elif is_arithmetic(scope, index, operands) and not place.chars:
            self._source(words.SAFE, text_of(place), place, "it is a number")
            return
        elif name.startswith("BINARY_MODULO") or scope.code.instructions.argrepr(index) == "%":
            if is_template_of_numbers(scope, operands):
                self._source(words.SAFE, text_of(place), place, "the template takes numbers alone")
                return
        elif scope.code.instructions.argrepr(index) in ("*", "*=") or name == "BINARY_MULTIPLY":
            texts = [each for each in operands if isinstance(scope.constant(each), str | bytes)]
            operands = tuple(texts[:1]) or operands  # the other one is a count
        reason = self._formatted(place, name, operands)
        if reason:
            self._source(words.SAFE, text_of(place), place, reason)
            return
        for makers in picked(operands, index, name, place):
            self._add(scope, makers, place)
        self._grown(place)

    def _item(self, place: Place, operands: tuple[Makers, ...]) -> tuple[Makers, ...]:
        """An item comes from the container, not from the key."""
        for each in meanings_of(place.scope, frozenset([place.maker])):
            kind = kind_of_path(plain(each))
            if kind is not None:
                self._source(kind, text_of(place), place)
                return ()
        return operands[:1]

    def _formatted(self, place: Place, name: str, operands: tuple[Makers, ...]) -> str:
        """Why a formatted part is harmless; "" if it is not."""
        scope = place.scope
        if name == "FORMAT_WITH_SPEC" or (name == "FORMAT_VALUE" and len(operands) > 1):
            spec = scope.constant(operands[1])
            if isinstance(spec, str) and spec[-1:] in tuple("dxXobeEfFgGn%"):
                return "its format takes numbers alone"
        if self.rule in _TEXT_RULES and scope.code.instructions.argrepr(place.maker) in (
            "repr",
            "ascii",
        ):
            return "!r makes a literal of it"
        return ""

    def _grown(self, place: Place) -> None:
        """Follow what is put into a container or an object elsewhere in the function."""
        for index, makers in place.scope.growth.get(place.maker, ()):
            if index != place.maker:
                self._add(place.scope, makers, place)

    # Calls

    def _call(self, place: Place, call: Call) -> None:
        scope = place.scope
        entered = scope.entered(call.index)
        if entered is not None:
            self._add(scope, scope.takers[entered][1][-1], place)
            return
        callees = meanings_of(scope, call.callee)
        for callee in callees:
            if self._known(place, call, callee):
                return
        self._grown(place)
        code = definitions_of(scope, call.callee)
        if code and len(place.entered) < _DEEPEST and self._enter(place, call, code):
            return
        method = method_of(scope, call)
        if self._maps(place, call, callees):
            return
        if method is None:
            self._function(place, call, callees)
        elif method in words.NUMBER_METHODS:
            self._source(words.SAFE, text_of(place), place, "it is a number or a truth value")
        elif words.METHODS.get(method) == words.FILE:
            self._file(place, call)
        elif method in words.METHODS:
            self._source(words.METHODS[method], text_of(place), place)
        else:
            self._of_method(place, call, method)

    def _known(self, place: Place, call: Call, callee: str) -> bool:
        """Handle a call that the tables know."""
        name = plain(callee)
        kind = kind_of_path(name)
        if kind == words.FILE:
            self._file(place, call)
            return True
        if kind is not None:
            owners = owners_of(place.scope, call)
            if any(is_made(place.scope, owner, kind) for owner in owners):
                for owner in owners:
                    self._add(place.scope, owner, place)
            else:
                self._source(kind, text_of(place), place)
            return True
        if name in words.NUMBERS and not place.chars:
            reason = f"{name.removeprefix('builtins.')}() gives a number or the like"
            self._source(words.SAFE, text_of(place), place, reason)
            return True
        reason = self._quoted(name)
        if reason:
            self._source(words.SAFE, text_of(place), place, reason)
        return bool(reason)

    def _quoted(self, callee: str) -> str:
        """Why the result of a call is harmless for the sinks of this rule; "" if it is not."""
        if callee in words.OWN_PICKLE and self.rule not in _TEXT_RULES:
            return "this process has made it itself"
        if self.rule == "DYN109":
            return words.QUOTED.get(callee, "")
        if self.rule in _TEXT_RULES:
            return words.LITERAL.get(callee, "")
        return ""

    def _file(self, place: Place, call: Call) -> None:
        """What is read from a file; who chooses the file is followed, too."""
        self._source(words.FILE, text_of(place), place)
        for makers in (*owners_of(place.scope, call), *call.positional[:1]):
            self._add(place.scope, makers, replace(place, path=True))

    def _enter(self, place: Place, call: Call, codes: Iterable[Code]) -> bool:
        """Go on in the functions of the file that a call calls."""
        done = False
        for code in codes:
            inside = place.scope.file.scope_of(code)
            if any(each is call for _, each in place.entered) or not inside.results:
                continue
            done = True
            entered = (*place.entered, (place.scope, call))
            for at, makers in inside.results:
                self._add(inside, makers, replace(place, entered=entered), at)
        return done

    def _of_method(self, place: Place, call: Call, method: str) -> None:
        """What a method gives is made of its receiver and its arguments."""
        scope = place.scope
        owners = owners_of(scope, call)
        modules = {m for owner in owners for m in meanings_of(scope, owner)}
        if modules and modules <= set(scope.file.imports.values()):  # a function of a module
            self._function(place, call, meanings_of(scope, call.callee))
            return
        if any(words.keeps(f"{each}.{method}") for each in modules):
            owners = []
        given = [*call.positional, *(value for _, value in call.keywords)]
        if method in words.KEYED and not is_module(modules):
            given = given[1:] if method in ("get", "pop") else []
        if method == "format" and takes_numbers(scope, owners):
            given = []
        for makers in (*owners, *given, *starred(scope, call)):
            self._add(scope, makers, place)
            self._called_back(place, makers)

    def _called_back(self, place: Place, makers: Makers) -> None:
        """Follow what a function gives that a call is handed: `map(lambda row: row[0], rows)`."""
        for maker in makers:
            code = place.scope.made_code(maker) if maker >= 0 else None
            if code is not None and code.kind != "class body":
                inside = place.scope.file.scope_of(code)
                for at, given in inside.results:
                    self._add(inside, given, replace(place, entered=()), at)

    def _maps(self, place: Place, call: Call, callees: frozenset[str]) -> bool:
        """True for `map(shlex.quote, parts)`: what the function gives is harmless."""
        if "builtins.map" not in callees or not call.positional:
            return False
        for name in meanings_of(place.scope, call.positional[0]):
            reason = self._quoted(name)
            if name in words.NUMBERS and not place.chars:
                reason = f"{name.removeprefix('builtins.')}() gives a number or the like"
            if reason:
                self._source(words.SAFE, text_of(place), place, reason)
                return True
        return False

    def _function(self, place: Place, call: Call, callees: frozenset[str]) -> None:
        """What an unknown function gives may be anything; most of it is made of the arguments."""
        scope = place.scope
        known = any(words.keeps(each) for each in callees)
        classes = class_bodies(scope, call.callee)
        bases = {m for _, held, at in classes for base in held for m in meanings_of(at, base)}
        if any(each.startswith("enum.") for each in bases):
            self._source(words.SAFE, text_of(place), place, "it is a member of an enumeration")
            return
        if not known and not classes and not definitions_of(scope, call.callee):
            self._source(words.UNKNOWN, f"the result of {text_of(place)}", place)
        given = [*call.positional, *(value for _, value in call.keywords)]
        if "builtins.getattr" in callees:
            given = given[:1] + given[2:]
        if not callees.isdisjoint(words.OF_CODE_POINTS):
            place = replace(place, chars=True)
        for makers in (*given, *starred(scope, call)):
            self._add(scope, makers, place)
            self._called_back(place, makers)
