"""What a user names -> what is read."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

from coscope.errors import NoCodeObject, TargetError, TargetNotFound
from coscope.model import Function
from coscope.readers.attributes import is_a
from coscope.readers.from_object import from_object, module_file
from coscope.readers.from_source import from_source, read_bytes, static_function
from coscope.readers.importing import dotted_suggestion, resolve
from coscope.readers.selection import select
from coscope.readers.sources import source_from
from coscope.readers.values import text_of

_SOURCE = (".py", ".pyw", ".pyi")
_COMPILED = (".pyc", ".pyo")
_NATIVE = (".so", ".pyd", ".dll", ".dylib")


def read(target: Any, *, python: str | None = None, unwrap: bool = False) -> Function:
    """Read a function, or anything else that has Python code.

    Args:
        target: A live object: function, method, lambda, partial, property, class (its
            constructor), generator, coroutine, frame, code object, module, callable instance.
            Or a name as text: a file ("app/orders.py", "x.pyc"; a `Path` too), one code object
            of a file ("app/orders.py::Order.total"), or a live function ("json:dumps"). Only the
            last form imports and so runs the module; a file is compiled, never executed.
        python: Compile a source file by another interpreter: "3.12", "3.12.1" or a path.
        unwrap: Follow `__wrapped__` of decorated functions.

    Returns:
        A frozen snapshot. For a file it is the module's code.

    Raises:
        TargetNotFound: There is no such file, module, attribute or code object.
        ImportFailed: Importing the module raised.
        NoCodeObject: A C function or another object without bytecode.
        SourceError: The source does not decode or compile.
        InterpreterError: The other interpreter is missing, or failed.
        PycError: The .pyc file cannot be read.

    >>> read("json:dumps").arguments[0].name
    'obj'
    """
    if is_a(target, str):
        return _read_text(str.__str__(target), python, unwrap)
    if is_a(target, PurePath):
        return read_file(os.fspath(target), python=python)
    if python is not None:
        raise _not_a_source(text_of(target), "a live object")
    if is_a(target, ModuleType):
        return _read_module(target)
    return from_object(target, unwrap=unwrap)


def _read_text(target: str, python: str | None, unwrap: bool) -> Function:
    path, separator, qualname = target.partition("::")
    if separator:
        if not path:
            raise TargetNotFound(
                f"{target!r} names no file", hint="Give a file before the '::': file.py::name."
            )
        module = read_file(path, python=python)
        return select(module, qualname) if qualname else module
    if _looks_like_a_file(target):
        return read_file(target, python=python)
    module_name, separator, qualname = target.partition(":")
    if separator and python is not None:
        raise _not_a_source(repr(target), "a live function")
    if separator:
        return resolve(module_name, qualname, unwrap=unwrap)
    raise TargetNotFound(
        f"{target!r} is no file, and not of the form module:name", hint=dotted_suggestion(target)
    )


def is_live_name(target: str) -> bool:
    """True for "module:name", which imports; false for what is read as a file."""
    return "::" not in target and not _looks_like_a_file(target) and ":" in target


def _looks_like_a_file(target: str) -> bool:
    suffix = os.path.splitext(target)[1].lower()
    separators = [os.sep, *([os.altsep] if os.altsep else [])]
    return (
        suffix in (*_SOURCE, *_COMPILED, *_NATIVE)
        or any(separator in target for separator in separators)
        or _exists(target)
    )


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:
        return False


def is_source(path: str) -> bool:
    """True for what `read_file` takes as source text."""
    return not path.lower().endswith((*_NATIVE, *_COMPILED))


def read_file(path: str, *, python: str | None = None, optimize: int = 0) -> Function:
    """The module code of a source file or a .pyc.

    Raises:
        TargetError, SourceError, InterpreterError, PycError: See `read`.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix in _NATIVE:
        raise NoCodeObject("an extension module has no code objects", file=path)
    if suffix in _COMPILED:
        if python is not None:
            raise _not_a_source(path, "compiled already")
        from coscope.readers.from_pyc import from_pyc

        read_bytes(path)
        return from_pyc(Path(path))
    data = read_bytes(path)
    if python is None:
        return from_source(data, path, optimize=optimize)
    from coscope.readers import from_interpreter  # only here, because subprocess loads slowly

    source = source_from(data, path)
    interpreter = from_interpreter.find(python)
    code = from_interpreter.compile_source(interpreter, data, path, optimize=optimize)
    return static_function(code, "interpreter", source)


def _read_module(module: ModuleType) -> Function:
    return read_file(module_file(module))


def _not_a_source(target: str, found: str) -> TargetError:
    return TargetError(
        f"{target} cannot be compiled by another interpreter",
        expected="a source file",
        found=found,
    )
