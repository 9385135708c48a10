"""Where live functions, classes and modules come from: the user, a library, Python itself."""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import cache
from types import FunctionType, ModuleType
from typing import NamedTuple

from coscope.readers.attributes import MISSING, is_a, member, namespace_of
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.values import exact_text

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_INSTALLED = ("site-packages", "dist-packages")

_flags_of = type.__dict__["__flags__"].__get__


class Origin(NamedTuple):
    """Who wrote something."""

    kind: str  # "user", "library" or "python"
    package: str  # top package
    version: str | None = None  # of a library; None if it is not known

    @property
    def text(self) -> str:
        """The text used for the content: `library numpy 2.1.0`, `python`."""
        return f"library {self.package} {self.version}" if self.kind == "library" else self.kind


PYTHON = Origin("python", "")


def module_namespace(module: ModuleType) -> dict[str, object]:
    """A module's dictionary; its `__getattr__` does not run."""
    namespace: dict[str, object] = member(ModuleType, "__dict__", module)
    return namespace


def origin_of_function(function: FunctionType) -> Origin:
    """By the file of its code; code that was made from text is the user's."""
    name = dict.get(function.__globals__, "__name__")
    file = exact_text(function.__code__.co_filename)
    if file.startswith("<frozen "):
        return PYTHON
    return _origin(name if type(name) is str else "", file)


def origin_of_class(cls: type) -> Origin:
    """By the file of its module; a class of C code without a module is Python's."""
    name = namespace_of(cls).get("__module__")
    if type(name) is not str:
        return Origin("user", "") if _flags_of(cls) & _HEAP_TYPE else PYTHON
    return origin_of_module_name(name)


def origin_of_module_name(name: str) -> Origin:
    """By the file that the loaded module has."""
    module = dict.get(sys.modules, name, MISSING)
    file = None
    if is_a(module, ModuleType):
        file = dict.get(module_namespace(module), "__file__")
    if type(file) is str:
        return _origin(name, file)
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top == "builtins":
        return PYTHON
    if module is MISSING and _installed_version(top) is not None:
        return Origin("library", top, version_of(top))
    return Origin("user", top)


def _origin(name: str, file: str) -> Origin:
    kind = _kind_of_file(file)
    top = name.partition(".")[0]
    if kind == "library":
        return Origin(kind, top, version_of(top))
    return PYTHON if kind == "python" else Origin(kind, top)


@cache
def _folders() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders of installed packages, and of the standard library."""
    paths = [
        {path.rstrip(os.sep) + os.sep for path in map(sysconfig.get_path, names) if path}
        for names in (("purelib", "platlib"), ("stdlib", "platstdlib"))
    ]
    return tuple(paths[0]), tuple(paths[1])


@cache
def _kind_of_file(file: str) -> str:
    installed, standard = _folders()
    if file.startswith(installed) or any(f"{os.sep}{name}{os.sep}" in file for name in _INSTALLED):
        return "library"
    archive = f"{os.sep}python{HOST_VERSION.replace('.', '')}.zip{os.sep}"
    return "python" if file.startswith(standard) or archive in file else "user"


def version_of(package: str) -> str | None:
    """The version of an installed top package: what it says itself, else what its metadata say."""
    module = dict.get(sys.modules, package, MISSING)
    if is_a(module, ModuleType):
        said = dict.get(module_namespace(module), "__version__")
        if type(said) is str:
            return said
    return _installed_version(package)


@cache
def _installed_version(package: str) -> str | None:
    from importlib import metadata  # it loads slowly

    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):
        names = sorted(set(metadata.packages_distributions().get(package, ())))
    return ", ".join(f"{name} {metadata.version(name)}" for name in names) or None
