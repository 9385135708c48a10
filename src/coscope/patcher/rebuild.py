"""A code object of the model -> a live function: the only place where live code is made.

Nothing that the verifier rejects leaves this file. A live code object is always made from the bytes
that were verified, nested ones too, never taken over from the original.
"""

from __future__ import annotations

import marshal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import CellType, CodeType, FunctionType
from typing import Any

from coscope.codec.assembly import Operation, encode_instructions
from coscope.codec.locations import Location, encode_locations
from coscope.codec.marshalling import dump
from coscope.errors import (
    CoscopeError,
    NotVerified,
    Refused,
    WrongClosure,
    WrongDefaults,
    WrongKind,
    WrongVersion,
    hidden_for,
)
from coscope.flags import FAST_HIDDEN, Flags
from coscope.model import NOWHERE, Code, Constant, FrozenSet, Opaque, Slice
from coscope.opcodes import table
from coscope.patcher.verdicts import is_good, now_good, verdict
from coscope.readers.attributes import is_a
from coscope.readers.from_function import HOST_VERSION, exact_tuple, from_code_object
from coscope.verifier import Report

__tracebackhide__ = hidden_for

# What a call does before the first instruction: these flags cannot change under the callers.
_KIND = 0x3 | 0x20 | 0x80 | 0x100 | 0x200

# Attributes of a function, as MAKE_FUNCTION (to 3.12) and SET_FUNCTION_ATTRIBUTE number them.
_DEFAULTS, _KWDEFAULTS, _ANNOTATIONS, _CLOSURE, _ANNOTATE = 1, 2, 4, 8, 16

_LAZY_ANNOTATIONS = sys.version_info >= (3, 14)  # reading __annotations__ would run code


@dataclass(frozen=True, slots=True)
class Admitted:
    """A live code object, and the verdict on the code that it was made from."""

    code: Code
    co: CodeType
    report: Report


def rebuild(
    code: Code,
    like: FunctionType,
    *,
    closure: Sequence[CellType] | None = None,
    namespace: dict[str, object] | None = None,
    defaults: tuple[object, ...] | None = None,
    kwdefaults: Mapping[str, object] | None = None,
    original: Code | None = None,
    objects: Mapping[int, object] | None = None,
) -> FunctionType:
    """Make a function of a code object, in everything else like another function.

    Args:
        code: Verified first; of this interpreter's version.
        like: The function from which everything comes that is not given.
        closure: Cells for the free variables.
        namespace: Its globals.
        defaults: Of the last positional parameters.
        kwdefaults: Of keyword-only parameters.
        original: The model's form of `like.__code__`; constants that `code` has in common with it
            stay the same live objects.
        objects: Live constants by their identity, for `Opaque` ones that `like` does not have.

    Raises:
        NotVerified: The code could crash the interpreter.
        WrongVersion, WrongKind, WrongClosure, WrongDefaults: It does not fit.
        Refused: It has constants that cannot be made.
    """
    cells = exact_tuple(like.__closure__) if closure is None else tuple(closure)
    found = exact_tuple(like.__defaults__) if defaults is None else defaults
    keywords = exact_dict(like.__kwdefaults__) if kwdefaults is None else dict(kwdefaults)
    admitted = admit(
        code,
        like.__code__,
        closure=cells,
        defaults=found,
        original=original,
        objects=objects,
    )
    return make_function(
        admitted.co, like, closure=cells, namespace=namespace, defaults=found, kwdefaults=keywords
    )


def admit(
    code: Code,
    like: CodeType,
    *,
    closure: tuple[object, ...],
    defaults: tuple[object, ...],
    original: Code | None = None,
    objects: Mapping[int, object] | None = None,
) -> Admitted:
    """Verify a code object and make it live.

    Args:
        code: Of this interpreter's version.
        like: The code object in whose place it will run.
        closure: The cells that it will run with.
        defaults: The positional defaults that it will run with.
        original: The model's form of `like`.
        objects: Live constants by their identity.

    Raises:
        NotVerified, WrongVersion, WrongKind, WrongClosure, WrongDefaults, Refused: See `rebuild`.
    """
    if code.version != HOST_VERSION:
        raise WrongVersion(
            "code of another version of CPython cannot run here",
            code=code.qualname,
            expected=HOST_VERSION,
            found=code.version,
            hint="Write it to a .pyc instead: coscope patch FILE -o out.pyc.",
        )
    _check_kind(code, like)
    report = verdict(code)
    if not report.ok:
        raise _unsafe(code, report)
    _check_entry(code, report, closure, defaults)
    live = _Constants(from_code_object(like) if original is None else original, like, objects or {})
    return Admitted(code, live.code_of(code), report)


def inherited(
    function: FunctionType, bytecode: bytes, consts: tuple[object, ...]
) -> FunctionType | None:
    """A copy that differs in numbers and strings alone, which inherits its original's verdict.

    The lemma: see `docs/internals/patcher.md`. The caller says that each entry of `consts` is of
    the type of the original's, and that only opargs of LOAD_SMALL_INT differ in `bytecode`.

    Args:
        function: Live, of a code object that is not a module's or a class's.
        bytecode: As long as that of the original.
        consts: As many as the original has.

    Returns:
        None if the original is not known to be good.
    """
    co = function.__code__
    if not is_good(co):
        closure, defaults = exact_tuple(function.__closure__), exact_tuple(function.__defaults__)
        admit(from_code_object(co), co, closure=closure, defaults=defaults)
        now_good(co)
    if bytecode == co.co_code:
        new = co.replace(co_consts=consts)
    else:
        new = co.replace(co_code=bytecode, co_consts=consts)
    return make_function(
        new,
        function,
        closure=exact_tuple(function.__closure__),
        defaults=exact_tuple(function.__defaults__),
        kwdefaults=exact_dict(function.__kwdefaults__),
    )


def _check_kind(code: Code, like: CodeType) -> None:
    changed = (code.flags ^ like.co_flags) & _KIND
    if changed:
        raise WrongKind(
            "the edited code would be called in another way",
            code=code.qualname,
            expected=" ".join(Flags(like.co_flags & _KIND).names) or "none of these flags",
            found=" ".join(Flags(code.flags & _KIND).names) or "none",
            hint="A patch cannot make a generator or a coroutine of a function, nor the reverse.",
        )


def _unsafe(code: Code, report: Report) -> NotVerified:
    first = (report.violations or report.undecided)[0]
    more = len(report.violations) - 1
    problem = NotVerified(
        report.refusal or "",
        code=first.code,
        offset=first.offset,
        line=first.line,
        expected=first.expected,
        found=first.found,
        hint=f"There are {more} more violations: see the error's report." if more > 0 else None,
    )
    problem.report = report
    return problem


def _check_entry(
    code: Code, report: Report, closure: tuple[object, ...], defaults: tuple[object, ...]
) -> None:
    """That it is entered as the verdict takes for granted."""
    contract = report.contract
    unmet = contract.unmet(closure)
    if unmet is not None:
        raise WrongClosure(unmet, code=code.qualname)
    if contract.arguments:
        names = ", ".join(name for name, _ in contract.arguments)
        raise WrongKind(
            f"only the interpreter itself may call this code: it vouches for the argument {names}",
            code=code.qualname,
            hint="Patch the function around it, with nested=True.",
        )
    if len(defaults) > code.argcount:
        raise WrongDefaults(
            "there are more defaults than positional parameters",
            code=code.qualname,
            expected=f"at most {code.argcount}",
            found=len(defaults),
        )


# Live constants and code objects


class _Constants:
    """Constants of the model -> live ones; those of the original stay the same objects."""

    def __init__(self, original: Code, co: CodeType, objects: Mapping[int, object]) -> None:
        self.original = original  # keeps alive what `known` identifies by its id
        self.objects = dict(objects)
        self.known: dict[int, object] = {}  # id() of a constant of the model -> the live one
        self.made: dict[int, CodeType] = {}
        self._learn(original, co)

    def _learn(self, original: Code, co: CodeType) -> None:
        pending: list[tuple[Constant, Any]] = [(original, co)]
        seen: set[int] = set()
        while pending:
            constant, live = pending.pop()
            parts: tuple[Constant, ...] = ()
            if isinstance(constant, Code):
                parts, lives = constant.consts, exact_tuple(live.co_consts)
            elif type(constant) is tuple:
                parts, lives = constant, live
            elif isinstance(constant, FrozenSet):
                parts, lives = constant.items, tuple(live)
            elif isinstance(constant, Slice):
                parts = (constant.start, constant.stop, constant.step)
                lives = (live.start, live.stop, live.step)
            elif isinstance(constant, Opaque):
                self.objects[constant.identity] = live
            if not parts or id(constant) in seen:
                continue
            seen.add(id(constant))
            if not isinstance(constant, Code):
                self.known[id(constant)] = live
            pending += zip(parts, lives, strict=True)

    def code_of(self, code: Code) -> CodeType:
        """The live code object, made from the inside out."""
        inner = list(code.walk())
        for each in reversed(inner):
            if id(each) not in self.made:
                self.made[id(each)] = self._make(each)
        return self.made[id(code)]

    def _make(self, code: Code) -> CodeType:
        try:
            return _code_object(code, tuple(map(self._of, code.consts)))
        except (ValueError, TypeError, OverflowError, RecursionError) as problem:
            raise Refused(
                f"CPython makes no code object of it: {problem}", code=code.qualname
            ) from problem

    def _of(self, constant: Constant) -> object:
        if isinstance(constant, Code):
            return self.made[id(constant)]
        if isinstance(constant, Opaque):
            return self._object(constant)
        return self._container(constant)

    def _object(self, constant: Opaque) -> object:
        if constant.identity not in self.objects:
            raise Refused(
                "a constant is a live object that the original does not have",
                found=constant.type_name,
            )
        return self.objects[constant.identity]

    def _container(self, constant: Constant) -> object:
        if id(constant) in self.known and not _holds_code(constant):
            return self.known[id(constant)]
        if type(constant) is tuple:
            return tuple(map(self._item, constant))
        if isinstance(constant, FrozenSet):
            return frozenset(map(self._item, constant.items))
        if isinstance(constant, Slice):
            return slice(*map(self._item, (constant.start, constant.stop, constant.step)))
        return constant

    def _item(self, constant: Constant) -> object:
        if isinstance(constant, Code):
            # The verifier looks at code objects that are constants, not at those inside one.
            raise Refused("a constant tuple holds a code object", found=constant.name)
        return self._of(constant)


def _holds_code(constant: Constant) -> bool:
    parts = constant if type(constant) is tuple else ()
    return any(isinstance(part, Code) or _holds_code(part) for part in parts)


def _code_object(code: Code, consts: tuple[object, ...]) -> CodeType:
    """A live code object of exactly these fields.

    The constructor knows no hidden locals (those of comprehensions in class bodies, 3.12+), and
    would let them into `locals()`. Only `marshal` keeps them; the bytes that it reads here were
    written from fields that the verifier has seen.
    """
    if any(kind & FAST_HIDDEN for kind in code.localspluskinds):
        co = _marshalled(code)
        if co is not None:
            return co
    return CodeType(
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        code.nlocals,
        code.stacksize,
        int(code.flags),
        code.code,
        consts,
        code.names,
        code.varnames,
        code.filename,
        code.name,
        code.qualname,
        code.firstlineno,
        code.linetable,
        code.exceptiontable,
        code.freevars,
        code.cellvars,
    )


def _marshalled(code: Code) -> CodeType | None:
    """None if a constant is a live object, which marshal cannot write."""
    try:
        data = dump(code, HOST_VERSION)
    except CoscopeError:
        return None
    co: CodeType = marshal.loads(data)
    return co


# Functions


def make_function(
    co: CodeType,
    like: FunctionType,
    *,
    closure: tuple[CellType, ...],
    namespace: dict[str, object] | None = None,
    defaults: tuple[object, ...] = (),
    kwdefaults: Mapping[str, object] | None = None,
) -> FunctionType:
    """A new function of a live code object that was admitted, in everything else like another one.

    It is made by MAKE_FUNCTION. `types.FunctionType`, and every assignment of `__code__`,
    `__defaults__` or `__kwdefaults__`, leaves a function of 3.13 without a version, and calls of it
    are then never specialised (gh-117045).
    """
    given: dict[int, object] = {}
    if defaults:
        given[_DEFAULTS] = defaults
    if kwdefaults:
        given[_KWDEFAULTS] = dict(kwdefaults)
    _add_annotations(given, like)
    if closure:
        given[_CLOSURE] = closure
    attributes = tuple(sorted(given))
    stub = FunctionType(
        _stub(attributes), like.__globals__ if namespace is None else namespace, "coscope"
    )
    new: FunctionType = stub(co, *(given[attribute] for attribute in attributes))
    _complete(new, like)
    return new


def _add_annotations(given: dict[int, object], like: FunctionType) -> None:
    annotate = like.__annotate__ if _LAZY_ANNOTATIONS else None  # type: ignore[attr-defined]
    if annotate is not None:
        given[_ANNOTATE] = annotate
        return
    annotations = like.__annotations__
    if annotations:
        # The form in which the compiler hands them over: names and values in turns.
        pairs = list(dict.items(annotations))
        given[_ANNOTATIONS] = tuple(part for pair in pairs for part in pair)


def _complete(new: FunctionType, like: FunctionType) -> None:
    """What MAKE_FUNCTION does not set; none of it costs the function its version."""
    new.__name__ = like.__name__
    new.__qualname__ = like.__qualname__
    new.__module__ = like.__module__
    new.__doc__ = like.__doc__
    parameters = getattr(like, "__type_params__", ())  # 3.12+
    if parameters:
        new.__type_params__ = parameters  # type: ignore[attr-defined]
    if like.__dict__:
        dict.update(new.__dict__, dict(dict.items(like.__dict__)))


@cache
def _stub(attributes: tuple[int, ...]) -> CodeType:
    """`def stub(code, *values)` that makes a function with these attributes and returns it.

    The one code object that is written here by hand. It is not verified: that a parameter holds a
    code object is what `Admitted` says. It takes as many parameters as it uses.
    """
    rules = table(HOST_VERSION)
    number = {name: row.code for name, row in rules.opcodes.items()}
    count = len(attributes)
    apart = "SET_FUNCTION_ATTRIBUTE" in number
    order = range(count, 0, -1) if apart else range(1, count + 1)
    operations = [Operation(number["RESUME"])]
    operations += [Operation(number["LOAD_FAST"], slot) for slot in order]
    operations.append(Operation(number["LOAD_FAST"], 0))
    operations.append(Operation(number["MAKE_FUNCTION"], 0 if apart else sum(attributes)))
    if apart:
        operations += [Operation(number["SET_FUNCTION_ATTRIBUTE"], bit) for bit in attributes]
    operations.append(Operation(number["RETURN_VALUE"]))
    places = [Location(operation.units(rules), NOWHERE) for operation in operations]
    return CodeType(
        1 + count,
        1 + count,
        0,
        1 + count,
        2 + count,
        0x3,  # CO_OPTIMIZED | CO_NEWLOCALS
        encode_instructions(operations, rules),
        (None,),
        (),
        ("code", *(f"attribute_{bit}" for bit in attributes)),
        "<coscope>",
        "make_function",
        "make_function",
        1,
        encode_locations(places, 1),
        b"",
        (),
        (),
    )


def exact_dict(namespace: Any) -> dict[str, object]:
    """A plain dict of what a dict or its subclass holds; empty for None."""
    return dict(dict.items(namespace)) if is_a(namespace, dict) else {}
