"""`Shape`: the parameters of a callable, where they are read from, and which calls they admit."""

from __future__ import annotations

import ast
import inspect
from ast import parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import CodeType, FunctionType
from typing import Any

from coscope.model import ARGUMENT_KINDS, Function, Value
from coscope.readers.attributes import MISSING
from coscope.readers.from_function import exact_tuple
from coscope.readers.values import exact_text, value_of

POSITIONAL_ONLY, POSITIONAL, REST, KEYWORD_ONLY, KEYWORDS = ARGUMENT_KINDS[:5]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter."""

    name: str
    kind: str  # the first five of `model.ARGUMENT_KINDS`
    default: Value | None = None  # None: it is required

    @property
    def required(self) -> bool:
        """True if a call without it is refused."""
        return self.default is None and self.kind not in (REST, KEYWORDS)


@dataclass(frozen=True, slots=True)
class Shape:
    """Parameters in order."""

    parameters: tuple[Parameter, ...] = ()

    def of_kind(self, *kinds: str) -> tuple[Parameter, ...]:
        """The parameters of some kinds."""
        return tuple(p for p in self.parameters if p.kind in kinds)

    @property
    def text(self) -> str:
        """As in source, without annotations.

        >>> of_text("($self, obj, /, *, key=None)").text
        '(self, obj, /, *, key=None)'
        """
        return f"({', '.join(_words(self.parameters))})"


def _words(parameters: Sequence[Parameter]) -> Iterator[str]:
    starred = False
    for at, parameter in enumerate(parameters):
        default = "" if parameter.default is None else f"={parameter.default.text}"
        if parameter.kind == KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        starred = starred or parameter.kind == REST
        stars = {REST: "*", KEYWORDS: "**"}.get(parameter.kind, "")
        yield f"{stars}{parameter.name}{default}"
        last = at + 1 == len(parameters) or parameters[at + 1].kind != POSITIONAL_ONLY
        if parameter.kind == POSITIONAL_ONLY and last:
            yield "/"


def of_code(co: CodeType, defaults: object, kwdefaults: Any) -> Shape:
    """The parameters that a live code object's counts and flags make, with given defaults.

    Args:
        co: The code.
        defaults: `__defaults__`, a tuple or None. They belong to the last positional parameters.
        kwdefaults: `__kwdefaults__`, a dict or None.
    """
    names = co.co_varnames
    held = exact_tuple(defaults)
    first = co.co_argcount - len(held)
    named = {} if kwdefaults is None else kwdefaults
    found = []
    for slot, name in enumerate(names[: co.co_argcount]):
        kind = POSITIONAL_ONLY if slot < co.co_posonlyargcount else POSITIONAL
        default = value_of(held[slot - first]) if slot >= first else None
        found.append(Parameter(name, kind, default))
    at = co.co_argcount + co.co_kwonlyargcount
    if co.co_flags & 0x4:
        found.append(Parameter(names[at], REST))
    for name in names[co.co_argcount : at]:
        value = dict.get(named, name, MISSING)
        found.append(Parameter(name, KEYWORD_ONLY, None if value is MISSING else value_of(value)))
    if co.co_flags & 0x8:
        found.append(Parameter(names[at + bool(co.co_flags & 0x4)], KEYWORDS))
    return Shape(tuple(found))


def of_live(function: FunctionType) -> Shape:
    """The parameters of a live function."""
    return of_code(function.__code__, function.__defaults__, function.__kwdefaults__)


def of_static(function: Function) -> Shape:
    """The parameters of a function that is known from a file."""
    order = {kind: at for at, kind in enumerate(ARGUMENT_KINDS[:5])}
    made = [Parameter(a.name, a.kind, a.default) for a in function.arguments]
    return Shape(tuple(sorted(made, key=lambda each: order[each.kind])))


def of_text(text: str) -> Shape | None:
    """The parameters of a `__text_signature__`; None if it does not parse.

    Defaults are shown as written there; names in them are not evaluated. A parameter marked by
    `$` is positional-only, as `inspect` has it.
    """
    bound = [piece.strip() for piece in text.split("$")[0].split(",")] if "$" in text else None
    try:
        tree = parse(f"def f{text.replace('$', '')}: pass")
    except (SyntaxError, ValueError):
        return None
    node = tree.body[0]
    if not isinstance(node, ast.FunctionDef):
        return None
    found = list(_parsed(node.args))
    if bound is not None and found:
        found[0] = replace(found[0], kind=POSITIONAL_ONLY)
    return Shape(tuple(found))


def _parsed(args: ast.arguments) -> Iterator[Parameter]:
    plain = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(plain) - len(args.defaults)) + list(args.defaults)
    for at, (argument, default) in enumerate(zip(plain, defaults, strict=True)):
        kind = POSITIONAL_ONLY if at < len(args.posonlyargs) else POSITIONAL
        yield Parameter(argument.arg, kind, _written(default))
    if args.vararg is not None:
        yield Parameter(args.vararg.arg, REST)
    for argument, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield Parameter(argument.arg, KEYWORD_ONLY, _written(default))
    if args.kwarg is not None:
        yield Parameter(args.kwarg.arg, KEYWORDS)


def _written(default: ast.expr | None) -> Value | None:
    """A default as written; a literal also as an object."""
    if default is None:
        return None
    try:
        return value_of(ast.literal_eval(default))
    except ValueError:
        return Value("", ast.unparse(default), 0)


_parameters_in: Any = vars(inspect.Signature)["_parameters"].__get__
_FIELDS: Any = [vars(inspect.Parameter)[name].__get__ for name in ("_name", "_kind", "_default")]
_KINDS = (POSITIONAL_ONLY, POSITIONAL, REST, KEYWORD_ONLY, KEYWORDS)  # by inspect's number


def of_signature(signature: inspect.Signature) -> Shape | None:
    """The parameters of a `Signature`, read from its slots; None if they hold anything odd."""
    found = []
    for parameter in list(_parameters_in(signature).values()):
        if not issubclass(type(parameter), inspect.Parameter):
            return None
        name, kind, default = (field(parameter) for field in _FIELDS)
        if not issubclass(type(name), str) or not issubclass(type(kind), int):
            return None
        value = None if default is inspect.Parameter.empty else value_of(default)
        found.append(Parameter(exact_text(name), _KINDS[int.__index__(kind)], value))
    return Shape(tuple(found))


def without_first(shape: Shape) -> Shape | None:
    """What is left when the first parameter is bound; None if there is none to bind."""
    if not shape.parameters or shape.parameters[0].kind in (KEYWORD_ONLY, KEYWORDS):
        return None
    if shape.parameters[0].kind == REST:
        return shape
    return Shape(shape.parameters[1:])


def refusal(shape: Shape, count: int, names: Sequence[str]) -> str | None:
    """Why the shape does not admit a call; None if it does. As `inspect.Signature.bind` decides.

    Args:
        shape: The parameters.
        count: Positional arguments of the call.
        names: Its keywords, each once.
    """
    positional = shape.of_kind(POSITIONAL_ONLY, POSITIONAL)
    if count > len(positional) and not shape.of_kind(REST):
        return "too many positional arguments"
    taken = _by_name(positional[:count])
    left = (*positional[count:], *shape.of_kind(KEYWORD_ONLY))
    unknown = _without(names, _by_name(left))
    for name in unknown:
        if name in taken:
            return f"multiple values for argument {name!r}"
    missing = _missing(left, names)
    if missing is not None:
        return f"missing a required argument: {missing.name!r}"
    if unknown and not shape.of_kind(KEYWORDS):
        return f"got an unexpected keyword argument {unknown[0]!r}"
    return None


def _by_name(parameters: Sequence[Parameter]) -> set[str]:
    """Names of the parameters that a keyword can give a value."""
    return {p.name for p in parameters if p.kind != POSITIONAL_ONLY}


def _without(names: Sequence[str], known: set[str]) -> list[str]:
    return [name for name in names if name not in known]


def _missing(left: Sequence[Parameter], names: Sequence[str]) -> Parameter | None:
    """The first parameter without a value that needs one, when keywords have been bound."""
    for parameter in left:
        given = parameter.kind != POSITIONAL_ONLY and parameter.name in names
        if parameter.required and not given:
            return parameter
    return None
