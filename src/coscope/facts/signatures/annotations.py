"""Annotations: where their names are looked up, and whether they evaluate. Nothing is evaluated."""

from __future__ import annotations

import ast
import typing
from ast import parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType, GenericAlias, ModuleType, UnionType
from typing import Any

from coscope.facts.names.scopes import builtins_of, static_attribute
from coscope.facts.signatures.links import Link
from coscope.model import Function, Source
from coscope.readers.attributes import MISSING, instance_attribute, is_a, member
from coscope.readers.from_function import annotation_text
from coscope.readers.sources import annotations_in
from coscope.readers.values import exact_text, text_of

_annotate: Any = FunctionType.__dict__.get("__annotate__")  # 3.14
_type_params: Any = FunctionType.__dict__.get("__type_params__")  # 3.12
_FUTURE_ANNOTATIONS = 0x1000000  # in co_flags
_DEEPEST = 8  # generic types in generic types

FORMS = (
    "object",  # evaluated when the function was made
    "string",  # quoted, or of a module with `from __future__ import annotations`
    "lazy",  # 3.14: evaluated when somebody asks for it
    "source",  # of a file, as written
)

VERDICTS = (
    "evaluated",  # it is an object already
    "would evaluate",  # every name is found
    "would raise NameError",
    "would raise AttributeError",
    "would raise TypeError",
    "does not parse",
    "not known",  # of a file, whose module does not run
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation of one function of the chain."""

    function: str  # qualified name
    name: str  # of the parameter, or "return"
    text: str  # as written, or the object as shown
    form: str  # one of FORMS
    verdict: str  # one of VERDICTS
    module: str | None  # in whose globals its names are looked up
    missing: tuple[str, ...] = ()  # names that are not found
    reason: str | None = None  # of the verdict, in words
    elsewhere: str | None = None  # what it means in the globals of a wrapper


def annotations_of(links: Iterable[Link]) -> Iterator[Annotation]:
    """The annotations of every function of a chain, as each holds them.

    functools.wraps gives a wrapper the annotations of what it wraps: those are reported once, for
    the function that they were written for.
    """
    functions = [each for each in links if each.function is not None]
    for at, link in enumerate(functions):
        function = link.object
        if type(function) is not FunctionType or link.function is None:
            continue
        if any(_shares(function, other.object) for other in functions[at + 1 :]):
            continue
        wrappers = [each.object for each in functions[:at]]
        for name, value, text, form in _held(function, link.function):
            yield _judged(
                read=link.function,
                function=function,
                name=name,
                value=value,
                text=text,
                form=form,
                wrappers=wrappers,
            )


def hides_annotations(link: Link) -> bool:
    """True if a function makes its annotations when asked, and no source shows them (3.14)."""
    if _annotate is None or link.function is None or type(link.object) is not FunctionType:
        return False
    if "__wrapped__" in link.object.__dict__ or link.function.annotations:
        return False
    return link.function.source is None and _annotate.__get__(link.object) is not None


def static_annotations(function: Function) -> Iterator[Annotation]:
    """The annotations of a function of a file, as written."""
    if function.source is None:
        return
    hidden = _type_checking_only(function.source)
    for name, text in annotations_in(function.source, function.code):
        only = sorted({each for each in _names(_parsed(text)) if each in hidden})
        reason = f"{', '.join(only)}: imported only under TYPE_CHECKING" if only else None
        yield Annotation(
            function=function.qualname,
            name=name,
            text=text,
            form="source",
            verdict="not known",
            module=function.module,
            missing=(),
            reason=reason,
        )


def _shares(function: FunctionType, other: object) -> bool:
    """True if the wrapper holds the annotations of the function that it wraps."""
    if type(other) is not FunctionType:
        return False
    if _annotate is not None:
        mine, its = _annotate.__get__(function), _annotate.__get__(other)
        if mine is not None or its is not None:
            return mine is its
    return function.__annotations__ is other.__annotations__ or (
        bool(function.__annotations__)
        and "__wrapped__" in function.__dict__
        and _same_items(function.__annotations__, other.__annotations__)
    )


def _same_items(left: dict[str, object], right: dict[str, object]) -> bool:
    """True if two dicts hold the same objects under the same names."""
    pairs = list(dict.items(left)), list(dict.items(right))
    return len(pairs[0]) == len(pairs[1]) and all(
        a[0] is b[0] and a[1] is b[1] for a, b in zip(*pairs, strict=True)
    )


def _held_by_code(read: Function) -> Iterator[tuple[str, object, str, str]]:
    """The same where `__annotate__` makes them (3.14): they are read from its code."""
    form = "string" if read.code.flags & _FUTURE_ANNOTATIONS else "lazy"
    for name, text in read.annotations:
        node = _parsed(text) if form == "lazy" else None
        if isinstance(node, ast.Constant) and type(node.value) is str:
            yield name, MISSING, node.value, "string"
        else:
            yield name, MISSING, text, form


def _held(function: FunctionType, read: Function) -> Iterator[tuple[str, object, str, str]]:
    """Name, object or MISSING, text and form of each annotation."""
    if _annotate is not None and _annotate.__get__(function) is not None:
        yield from _held_by_code(read)
        return
    for name, value in list(dict.items(function.__annotations__)):
        if type(name) is str:
            if is_a(value, str):
                yield name, value, exact_text(value), "string"
            else:
                yield name, value, _shown(value, _DEEPEST), "object"


def _shown(value: object, depth: int) -> str:
    """An annotation object as text; unions and built-in generics by their parts."""
    if depth and type(value) is UnionType:
        return " | ".join(_shown(each, depth - 1) for each in value.__args__)
    if depth and type(value) is GenericAlias:
        parts = ", ".join(_shown(each, depth - 1) for each in value.__args__)
        return f"{annotation_text(value.__origin__)}[{parts}]"
    return "None" if value is type(None) else annotation_text(value)


def _judged(
    read: Function,
    function: FunctionType,
    name: str,
    value: object,
    text: str,
    form: str,
    wrappers: list[object],
) -> Annotation:
    module = dict.get(function.__globals__, "__name__")
    module = module if type(module) is str else None
    texts = list(_strings_in(value, _DEEPEST)) if form == "object" else [text]
    if not texts:
        return Annotation(read.qualname, name, text, form, "evaluated", module)
    scope = _Scope(function, read, module or "?")
    for each in texts:
        verdict, missing, reason = scope.judge(each)
        if verdict != "would evaluate":
            break
    else:
        verdict, missing, reason = "would evaluate", (), None
    # What is evaluated lazily is so where it was written; the strings in it stay strings.
    strings = list(_quoted(_parsed(text))) if form == "lazy" else texts
    elsewhere = _elsewhere(function, strings, wrappers)
    return Annotation(
        function=read.qualname,
        name=name,
        text=text,
        form=form,
        verdict=verdict,
        module=module,
        missing=missing,
        reason=reason,
        elsewhere=elsewhere,
    )


def _quoted(node: ast.AST | None) -> Iterator[str]:
    """The strings that name types inside an annotation as written."""
    if isinstance(node, ast.Constant) and type(node.value) is str:
        yield node.value
    if node is None or (isinstance(node, ast.Subscript) and _last_name(node.value) == "Literal"):
        return
    for each in ast.iter_child_nodes(node):
        yield from _quoted(each)


def _last_name(node: ast.expr) -> str:
    name = node.attr if isinstance(node, ast.Attribute) else node
    return name.id if isinstance(name, ast.Name) else name if isinstance(name, str) else ""


def _strings_in(value: Any, depth: int) -> Iterator[str]:
    """The strings that name types inside an annotation object."""
    if is_a(value, str):
        yield exact_text(value)
        return
    if type(value) is typing.ForwardRef:
        text = instance_attribute(value, "__forward_arg__")
        if type(text) is str:
            yield text
        return
    if not depth or instance_attribute(value, "__origin__") is typing.Literal:
        return
    args = instance_attribute(value, "__args__")
    if type(args) is tuple and not is_a(value, type):
        for each in args:
            yield from _strings_in(each, depth - 1)


class _Scope:
    """Where the names of a function's annotations are looked up."""

    def __init__(self, function: FunctionType, read: Function, module: str) -> None:
        self.function = function
        self.read = read
        self.module = module
        self.parameters = dict(_type_parameters(function))

    def find(self, name: str) -> object:
        """The object that a name refers to; else MISSING."""
        if name in self.parameters:
            return self.parameters[name]
        value = dict.get(self.function.__globals__, name, MISSING)
        return value if value is not MISSING else _builtin(self.function, name)

    def judge(self, text: str) -> tuple[str, tuple[str, ...], str | None]:
        """Verdict, missing names and the reason for the text of an annotation."""
        node = _parsed(text)
        if node is None:
            return "does not parse", (), f"{text_of(text)} is no expression"
        if isinstance(node, ast.Constant) and type(node.value) is str:
            return self.judge(node.value) if node.value != text else ("would evaluate", (), None)
        missing = tuple(n for n in _names(node) if self.find(n) is MISSING)
        if missing:
            return "would raise NameError", missing, self._why(missing[0])
        attribute = next(self._attributes(node), None)
        if attribute is not None:
            return "would raise AttributeError", (attribute,), f"{attribute} does not exist"
        if any(map(_joins_text, ast.walk(node))):
            return "would raise TypeError", (), "| joins a string"
        return "would evaluate", (), None

    def _why(self, name: str) -> str:
        text = f"{name} is not defined in module {self.module}"
        if self.read.source is not None and name in _type_checking_only(self.read.source):
            return f"{text} (imported only under TYPE_CHECKING)"
        if "<locals>" in self.read.qualname:
            return f"{text}; names of an enclosing function are not looked up"
        return text

    def _attributes(self, node: ast.expr) -> Iterator[str]:
        """Dotted names that lead to nothing, as far as modules go."""
        for each in ast.walk(node):
            if not isinstance(each, ast.Attribute) or not isinstance(each.value, ast.Name):
                continue
            owner = self.find(each.value.id)
            if type(owner) is not ModuleType:
                continue
            asks = "__getattr__" in member(ModuleType, "__dict__", owner)
            if not asks and static_attribute(owner, each.attr) is MISSING:
                yield f"{each.value.id}.{each.attr}"


def _type_parameters(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Type parameters of the function (PEP 695), and those its closure holds."""
    if _type_params is not None:
        for each in _type_params.__get__(function):
            name = instance_attribute(each, "__name__")
            if type(name) is str:
                yield name, each


def _builtin(function: FunctionType, name: str) -> object:
    return dict.get(builtins_of(function) or {}, name, MISSING)


def _joins_text(node: ast.AST) -> bool:
    """True for `"Name" | None`: a string has no `|`."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.BitOr):
        return False
    sides = [n.value for n in (node.left, node.right) if isinstance(n, ast.Constant)]
    return len(sides) == 2 and any(type(side) is str for side in sides)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> ast.expr | None:
    try:
        return parse(text.lstrip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _names(node: ast.expr | None) -> tuple[str, ...]:
    """The names that evaluating an expression looks up, each once, in order."""
    if node is None:
        return ()
    loads: dict[str, None] = {}
    bound = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            if isinstance(each.ctx, ast.Load):
                loads.setdefault(each.id)
            else:
                bound.add(each.id)
        elif isinstance(each, ast.arg):
            bound.add(each.arg)
    return tuple(name for name in loads if name not in bound)


def _elsewhere(function: FunctionType, texts: list[str], wrappers: list[Any]) -> str | None:
    """What string annotations mean in the globals of a wrapper, if that is something else."""
    for wrapper in wrappers:
        if wrapper.__globals__ is function.__globals__:
            continue
        own = dict.get(wrapper.__globals__, "__name__")
        for name in [name for text in texts for name in _names(_parsed(text))]:
            means = _other_meaning(function, wrapper, name)
            if means is not None:
                return f"in module {own}, where the wrapper is defined, {name} is {means}"
    return None


def _other_meaning(function: FunctionType, wrapper: FunctionType, name: str) -> str | None:
    """What a global name of a function is in its wrapper's module; None if it is the same."""
    here = dict.get(function.__globals__, name, MISSING)
    there = dict.get(wrapper.__globals__, name, MISSING)
    if here is MISSING or here is there:
        return None
    if there is MISSING:
        there = _builtin(wrapper, name)
    if there is here:
        return None
    return "not defined" if there is MISSING else text_of(there)


@lru_cache(maxsize=64)
def _type_checking_only(source: Source) -> frozenset[str]:
    """Names that a module binds under `if TYPE_CHECKING:`."""
    try:
        tree = parse("\n".join(source.lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and _asks_for_checking(node.test):
            for statement in node.body:
                found.update(_bound(statement))
    return frozenset(found)


def _asks_for_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else test
    name = name.id if isinstance(name, ast.Name) else name
    return name == "TYPE_CHECKING"


def _bound(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
