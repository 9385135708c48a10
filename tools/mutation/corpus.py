"""The genuine functions that are mutated: how each is made, called and taken apart."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from coscope.model import Code
from coscope.readers.from_function import HOST_VERSION, from_code_object
from mutation import live, world
from mutation.body import Body, taken_apart

PROGRAMS = Path(__file__).parent / "programs"
_FILES = ("plain.py", "control.py", "python_3_12.py", "python_3_14.py")

# Bodies of modules and classes, run with a namespace.
_BODIES = (
    "import math\nfrom operator import add\nx = [y for y in range(3)]\nx += [add(1, 2)]\n"
    "class A:\n    z: int = 1\n    def f(self): return self.z\n    w = [z for _ in x]\ndel math\n",
    "try:\n    a = undefined\nexcept NameError as e:\n    a = str(e)\nelse:\n    a = 1\n"
    "for i in range(3):\n    b = {i: a for i in range(i)}\ndef f(x, y=a): return x, y\nc = f(1)\n",
    "from math import *\nx: int = 3\ny: str\nwith Manager(True) as m:\n    raise ValueError(pi)\n"
    "g = list(i * x for i in range(3))\nassert g, 'm'\n",
)

# Functions of the standard library that only compute, with arguments.
_LIBRARY = (
    ("textwrap", "dedent", ("'  a\\n  b\\n'", "'x'")),
    ("textwrap", "indent", ("'a\\nb', '> '",)),
    ("bisect", "bisect_left", ("[1, 2, 3], 2",)),
    ("heapq", "merge", ("[1, 4], [2, 3]", "[1], 'a'")),
    ("heapq", "_siftdown", ("[3, 1, 2], 0, 2",)),
    ("statistics", "median", ("[1, 3, 2]", "[]")),
    ("statistics", "mode", ("[1, 1, 2]",)),
    ("string", "capwords", ("'a b'", "'a-b', '-'")),
    ("colorsys", "rgb_to_hsv", ("0.1, 0.2, 0.3",)),
    ("calendar", "monthrange", ("2024, 2", "2024, 13")),
    ("difflib", "_format_range_unified", ("1, 5",)),
    ("shlex", "quote", ("'a b'", "''")),
    ("posixpath", "normpath", ("'a/../b'", "b'/x'")),
    ("posixpath", "commonprefix", ("['abc', 'abd']", "[]")),
    ("json.encoder", "py_encode_basestring_ascii", ("'a\\\\n\"'",)),
    ("keyword", "iskeyword", ()),
    ("copy", "_deepcopy_tuple", ("(1, 2), {}",)),
    ("functools", "cmp_to_key", ("print_to",)),
    ("enum", "bin", ("5", "-3, 7")),
)


@dataclass
class Part:
    """One code object of a unit: where it lies in the tree, and what it is made of."""

    code: Code
    path: tuple[int, ...]  # indexes into consts, from the unit's code

    @cached_property
    def body(self) -> Body:
        return taken_apart(self.code)


@dataclass
class Unit:
    """A genuine function, or the body of a module."""

    name: str
    code: Code
    arguments: tuple[CodeType, ...]  # expressions that give tuples of arguments
    defaults: tuple[Any, ...] | None = None
    kwdefaults: dict[str, Any] | None = None
    names: Callable[[], dict[str, Any]] = world.names
    parts: list[Part] = field(default_factory=list)

    def with_part(self, part: Part, changed: Code) -> Code:
        """The unit's code with one code object of the tree replaced."""
        path = part.path
        parents = [self.code]
        for index in path[:-1]:
            parents.append(parents[-1].consts[index])
        for parent, index in zip(reversed(parents), reversed(path), strict=False):
            consts = parent.consts
            consts = (*consts[:index], changed, *consts[index + 1 :])
            changed = replace(parent, consts=consts)
        return changed


def load() -> list[Unit]:
    """Every unit that this interpreter can run, in a fixed order."""
    units = [*_programs(), *_library(), *_inner_functions(), *_bodies()]
    for unit in units:
        live.keep(unit.code)
        unit.parts = [Part(code, path) for code, path in _tree(unit.code, ())]
    return units


def _tree(code: Code, path: tuple[int, ...]) -> Iterator[tuple[Code, tuple[int, ...]]]:
    yield code, path
    for index, constant in enumerate(code.consts):
        if isinstance(constant, Code):
            yield from _tree(constant, (*path, index))


def _unit(name: str, function: FunctionType, arguments: tuple[str, ...], **more: Any) -> Unit:
    return Unit(
        name,
        from_code_object(function.__code__),
        tuple(_tuple_of(text) for text in arguments),
        function.__defaults__,
        function.__kwdefaults__,
        **more,
    )


def _tuple_of(text: str) -> CodeType:
    return compile(f"({text},)" if text else "()", "<arguments>", "eval", dont_inherit=True)


def _programs() -> Iterator[Unit]:
    for file in _FILES:
        since = file.removeprefix("python_3_").removesuffix(".py")
        if since.isdigit() and sys.version_info < (3, int(since)):
            continue
        found: list[tuple[FunctionType, tuple[str, ...]]] = []

        def runs(
            *arguments: str, found: list[tuple[FunctionType, tuple[str, ...]]] = found
        ) -> Callable[[FunctionType], FunctionType]:
            def note(genuine: FunctionType) -> FunctionType:
                found.append((genuine, arguments))
                return genuine

            return note

        text = (PROGRAMS / file).read_text(encoding="utf-8")
        space = world.names() | {"runs": runs}
        exec(compile(text, f"<{file}>", "exec", dont_inherit=True), space)
        for function, arguments in found:
            yield _unit(function.__name__, function, arguments, names=space.copy)


def _library() -> Iterator[Unit]:
    for module, name, arguments in _LIBRARY:
        target: Any = importlib.import_module(module)
        space = world.names() | {
            key: value
            for key, value in vars(target).items()
            if key not in ("os", "sys", "io", "_sys", "__builtins__", "__loader__", "__spec__")
        }
        space["__builtins__"] = world.names()["__builtins__"]
        target = getattr(target, name, None)
        if isinstance(target, FunctionType) and target.__closure__ is None:
            yield _unit(f"{module}.{name}", target, arguments, names=space.copy)


def _inner_functions() -> Iterator[Unit]:
    """Functions that are entered by a contract of their own: cells, and `.0`."""

    def outer(a: Any, b: Any) -> Any:
        def inner(c: Any, d: Any = 1) -> Any:
            nonlocal b
            b = (c, d)
            return a, b, [lambda: (a, c)]

        return inner, (x for x in a if x is not b), (lambda: (yield b))

    code = from_code_object(outer.__code__)
    given = {"inner": "1, 2", "<genexpr>": "iter([1, 2])", "<lambda>": ""}
    for inner in code.consts:
        if isinstance(inner, Code) and inner.name in given:
            yield Unit(f"inner {inner.name}", inner, (_tuple_of(given[inner.name]),))


def _bodies() -> Iterator[Unit]:
    for number, text in enumerate(_BODIES):
        code = compile(text, f"<body {number}>", "exec", dont_inherit=True)
        yield Unit(f"body {number}", from_code_object(code), ())


VERSION = HOST_VERSION
