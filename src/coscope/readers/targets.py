"""The one door: what a user names -> a `Target`, which has whatever a verb needs of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    GeneratorType,
    ModuleType,
    TracebackType,
)
from typing import Any, NamedTuple

from coscope.errors import NoCodeObject, TargetError
from coscope.model import Code, Function
from coscope.readers import selection
from coscope.readers.attributes import MISSING, is_a
from coscope.readers.classes import Method, methods_of
from coscope.readers.files import (
    Snippet,
    is_archived,
    not_a_source,
    read_file,
    read_member,
    read_module,
    read_text,
    standard_input,
)
from coscope.readers.from_object import from_object
from coscope.readers.from_source import static_function
from coscope.readers.importing import check_unambiguous, locate_in, split_dotted
from coscope.readers.inside import member_of
from coscope.readers.naming import MODULE, Named, parse
from coscope.readers.values import text_of

# Live objects that hold code and no function around it.
_CARRIERS = (
    CodeType,
    FrameType,
    TracebackType,
    GeneratorType,
    CoroutineType,
    AsyncGeneratorType,
)


class _How(NamedTuple):
    """How a file is to be read: the options of `read_file`."""

    python: str | None
    optimize: int
    code_version: str | None


@dataclass(slots=True)
class Target:
    """What was named, and what a verb needs of it. `locate` makes one."""

    text: str | None  # as the user wrote it; None for an object
    thing: object = MISSING  # the live object, as attribute access gives it; MISSING: none is live
    owner: object = MISSING  # of a name: the module, class or instance whose attribute it is
    whole: bool = False  # a whole file or module: it shows its tree
    warnings: tuple[str, ...] = ()  # what to say of the way to it
    _read: Callable[[], Function] | None = None
    _function: list[Function] = field(default_factory=list)  # one, once it was read

    @property
    def live(self) -> bool:
        """True if there is a live object; false for what is known from a file."""
        return self.thing is not MISSING

    @property
    def carries_code(self) -> bool:
        """True for a live object that is code, or runs it: a code object, frame, generator."""
        return any(is_a(self.thing, kind) for kind in _CARRIERS)

    @property
    def cls(self) -> type | None:
        """The live class that is meant, if it is one."""
        thing: Any = self.thing
        return thing if is_a(thing, type) else None

    @property
    def function(self) -> Function:
        """The one function behind it, read at first use; of a class, its constructor.

        Raises:
            NoCodeObject: Nothing of it is written in Python.
            TargetError, SourceError, PycError: See `read`.
        """
        if not self._function:
            assert self._read is not None
            try:
                found = self._read()
            except NoCodeObject as error:
                error.hint = "; ".join(self.warnings) or error.hint
                raise
            if self.warnings:
                found = replace(found, warnings=(*found.warnings, *self.warnings))
            self._function.append(found)
        return self._function[0]

    @property
    def code(self) -> Code:
        """The code object of `function`."""
        return self.function.code

    @property
    def methods(self) -> tuple[Method, ...]:
        """Of a class, the Python functions that it defines itself; else none."""
        return () if self.cls is None else tuple(methods_of(self.cls))

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions that are meant: those of a class, else the one."""
        if self.cls is None:
            return (self.function,)
        return tuple(method.function for method in self.methods)


def locate(
    target: object,
    *,
    python: str | None = None,
    optimize: int = 0,
    unwrap: bool = False,
    code_version: str | None = None,
) -> Target:
    """Find what a target names. Every public function and every command begins here.

    Args:
        target: Text, in one of these forms:
            "app/orders.py", "x.pyc"        a file, which is compiled or read, never executed
            "app/orders.py::Order.total"    one code object of it, see `select`
            "app/orders.py:12"              the innermost code object that covers the line
            "x.whl::pkg/mod.py::f"          the same of a member of an archive or a program
            "-", "-::name", "-:12"          source on standard input
            "shop:Order.total"              a live object; this imports shop, and so runs it
            'shop:handlers["get"][0]'       an item of an exact list, tuple or dict
            "json.dumps", "json"            the same, where only one reading is possible
            Or a `Path`, a `Snippet`, a live object of any kind, a `Function` or a `Code`.
        python: Compile a source by another interpreter: "3.12", "3.12.1" or a path.
        optimize: Compile a source as python -O (1) or -OO (2) would.
        unwrap: Follow `__wrapped__` to the innermost function.
        code_version: The file is a code object without a header, of this CPython: "3.12".

    Raises:
        TargetNotFound, TargetError: Nothing is named, or it can be taken in several ways.
        ImportFailed: Importing the module raised.
        Further errors come when `function` is first asked for, see `read`.
    """
    how = _How(python, optimize, code_version)
    thing: Any = target  # `isinstance` would ask the object for its class
    if is_a(thing, str):
        return _of_text(str.__str__(thing), how, unwrap)
    if is_a(thing, PurePath):
        return _of_file(Named("file", os.fspath(thing)), how)
    if is_a(thing, Snippet):
        return _of_snippet(thing, how)
    _refuse_compiling(text_of(thing), "a live object", how)
    if is_a(thing, Function):
        return _of_function(thing)
    if is_a(thing, Code):
        return _of_function(static_function(thing, "code", None))
    return _of_object(thing, None, unwrap)


def _of_text(text: str, how: _How, unwrap: bool) -> Target:
    named = parse(text)
    if named.form == "file":
        return replace(_of_file(named, how), text=text)
    if named.form == "stdin":
        snippet = standard_input()
        return replace(_of_snippet(snippet, how, named), text=text)
    _refuse_compiling(repr(text), "a live function", how)
    module, part = named.left, named.part
    if named.form == "dotted":
        module, part = split_dotted(named.left)
    located = locate_in(module, part)
    if named.form == "dotted":
        check_unambiguous(module, part)
    if located.rest:
        outer, rest = located.thing, located.rest
        return Target(
            text,
            warnings=located.warnings,
            _read=lambda: selection.select(from_object(outer, unwrap=unwrap), rest),
        )
    found = _of_object(located.thing, text, unwrap)
    return replace(found, owner=located.owner, warnings=located.warnings)


def _of_file(named: Named, how: _How) -> Target:
    if named.part and is_archived(named.left):
        return _of_member(named, how)

    def read_it() -> Function:
        return _part_of(read_file(named.left, **how._asdict()), named)

    return Target(named.left, whole=_is_whole(named), _read=read_it)


def _of_member(named: Named, how: _How) -> Target:
    """A member of an archive, or one code object of it. Nothing is unpacked to disk."""
    inside = member_of(named.left, named.part)
    part = Named("file", inside.label, inside.rest)
    if inside.rest.startswith(":"):
        line, _, column = inside.rest[1:].partition(":")
        part = Named("file", inside.label, "", int(line), int(column) if column else None)

    def read_it() -> Function:
        return _part_of(read_member(inside.data, inside.label, **how._asdict()), part)

    return Target(inside.label, whole=_is_whole(part), _read=read_it)


def _of_snippet(snippet: Snippet, how: _How, named: Named | None = None) -> Target:
    part = named or Named("stdin", snippet.name, snippet.part)
    if how.code_version is not None:
        raise TargetError(f"{snippet.name} is source", expected="a file with --code-version")

    def read_it() -> Function:
        function = read_text(snippet.text, snippet.name, python=how.python, optimize=how.optimize)
        return _part_of(function, part)

    return Target(snippet.name, whole=_is_whole(part), _read=read_it)


def _of_function(function: Function) -> Target:
    """What `read` returned before; a module's code means its file."""
    if function.object is not None:
        return Target(None, function.object, _function=[function])
    return Target(None, whole=function.code.kind == "module", _function=[function])


def _is_whole(named: Named) -> bool:
    return not named.part and named.line is None


def _part_of(module: Function, named: Named) -> Function:
    if named.line is not None:
        return selection.at_line(module, named.line, named.column)
    return selection.select(module, named.part) if named.part and named.part != MODULE else module


def _of_object(thing: Any, text: str | None, unwrap: bool) -> Target:
    if is_a(thing, ModuleType):
        return Target(text, thing, whole=True, _read=lambda: read_module(thing))
    return Target(text, thing, _read=lambda: from_object(thing, unwrap=unwrap))


def _refuse_compiling(shown: str, found: str, how: _How) -> None:
    if how.python is not None:
        raise not_a_source(shown, found)
    if how.optimize:
        raise TargetError(
            f"{shown} cannot be compiled with --optimize {how.optimize}", expected="a source file"
        )
    if how.code_version is not None:
        raise TargetError(f"{shown} is no file with code", expected="a file with --code-version")


def read(
    target: object,
    *,
    python: str | None = None,
    unwrap: bool = False,
    code_version: str | None = None,
) -> Function:
    """Read a function, or anything else that has Python code.

    Args:
        target: A live object: function, method, lambda, partial, property, class (its
            constructor), generator, coroutine, frame, traceback, code object, module, callable
            instance. Or its name as text, see `locate`: a file ("app/orders.py", "x.pyc"; a `Path`
            too), one code object of a file ("app/orders.py::Order.total", "app/orders.py:12"), or
            a live object ("json:dumps", "json.dumps"). Only the last two import a module, and so
            run it; a file is compiled, never executed. What `read` returned is returned as it is.
        python: Compile a source file by another interpreter: "3.12", "3.12.1" or a path.
        unwrap: Follow `__wrapped__` of decorated functions.
        code_version: The file is a code object without a header, of this CPython: "3.12".

    Returns:
        A frozen snapshot. For a file it is the module's code.

    Raises:
        TargetNotFound: There is no such file, module, attribute or code object.
        TargetError: The name can be taken in several ways.
        ImportFailed: Importing the module raised.
        NoCodeObject: A C function or another object without bytecode.
        SourceError: The source does not decode or compile.
        InterpreterError: The other interpreter is missing, or failed.
        PycError: The .pyc file cannot be read.

    >>> read("json:dumps").arguments[0].name
    'obj'
    """
    return locate(target, python=python, unwrap=unwrap, code_version=code_version).function


def select(target: object, qualname: str) -> Function:
    """The code object of that qualified name, nested in a function or a module.

    Args:
        target: What `read` takes, and what it returned.
        qualname: As CPython writes it, or without `<locals>`: "outer.inner" finds
            "outer.<locals>.inner". Where several have the name, "Order.total@12" is the one whose
            first line is 12, "<lambda>@12:8" the one that begins there in column 8 (from 1, in
            UTF-8 bytes), and "<lambda>#2" the second one in the order of the file.

    Raises:
        TargetNotFound: None matches; the message lists similar names.
        TargetError: Several match; the message lists a spelling for each.
        InputError: What `read` raises.

    >>> select("json:JSONEncoder.iterencode", "floatstr").qualname
    'JSONEncoder.iterencode.<locals>.floatstr'
    """
    return selection.select(locate(target).function, qualname)
