"""The rules of the house: which room may import which, and what may stand in a file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parent.parent / "src" / "coscope"

FLOORS = {
    "errors": 0,
    "flags": -1,  # below the model, which gives its names on
    "span": -2,
    "findings": -1,
    "model": 0,
    "result": 0,
    "opcodes": 1,
    "rules": 1,
    "codec": 2,
    "readers": 3,
    "flow": 3,
    "facts": 4,
    "verifier": 4,
    "inside": 4,
    "audits": 5,
    "coverage": 5,
    "explanations": 5,
    "patcher": 5,
    "corpus": 6,
    "trust": 6,
    "tuner": 6,
    "attachment": 6,
    "render": 7,
    "cli": 8,
    "notebook": 8,
    "server": 7,
    "web": 8,
    "pytest_plugin": 8,
    "excepthook": 8,
    "__main__": 9,
    "": 9,  # coscope/__init__.py
}

# Packages that are not of the standard library, and the only places that may import them.
OUTSIDE = {
    "rich": ("render/to_terminal", "cli/"),
    "click": ("cli/",),
    "mcp": ("cli/mcp",),
    "pytest": ("pytest_plugin",),
    "IPython": (),  # found in sys.modules by who runs inside of it
    "pyarrow": ("corpus/",),
    "duckdb": ("corpus/",),
    "distributed": ("corpus/on_dask",),
    "altair": ("corpus/pictures",),
    "pandas": ("corpus/ask",),  # both for the types of what is returned
    "polars": ("corpus/ask",),
    "starlette": ("server/",),
    "uvicorn": ("server/",),
}

ASKS_THE_HOST = {"readers/from_function.py", "patcher/rebuild.py"}

FILE_LINES = 500
FUNCTION_LINES = 60


def _files() -> list[str]:
    return sorted(path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py"))


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((SOURCES / file).read_text(encoding="utf-8"), file)


def _module(file: str) -> str:
    return ".".join(["coscope", *file.removesuffix(".py").removesuffix("__init__").split("/")])


def _room(file: str) -> str:
    return file.split("/")[0].removesuffix(".py").removesuffix("__init__")


def _room_of_module(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _imports(file: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of whatever is imported, TYPE_CHECKING imports included."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")
            if node.module == "coscope":
                for alias in node.names:
                    yield node.lineno, f"coscope.{alias.name}"


def _own(name: str) -> bool:
    return name.split(".")[0] == "coscope"


def test_every_room_has_a_floor() -> None:
    rooms = {_room(file) for file in _files()}

    assert set() == rooms - set(FLOORS)


def test_imports_are_absolute() -> None:
    relative = [
        f"{file}:{line}" for file in _files() for line, name in _imports(file) if name[0] == "."
    ]

    assert [] == relative


def test_imports_point_down_or_into_the_own_room() -> None:
    wrong = []
    for file in _files():
        room = _room(file)
        for line, name in _imports(file):
            if not _own(name) or name == "coscope":
                continue
            other = _room_of_module(name)
            if other != room and FLOORS[other] >= FLOORS[room]:
                wrong.append(f"{file}:{line} imports {name}")

    assert [] == wrong


def test_nobody_inside_imports_the_public_api() -> None:
    wrong = [
        f"{file}:{line}"
        for file in _files()
        for node in ast.walk(_tree(file))
        for line, name in [(getattr(node, "lineno", 0), node)]
        if (isinstance(name, ast.Import) and any(a.name == "coscope" for a in name.names))
        or (
            isinstance(name, ast.ImportFrom)
            and name.module == "coscope"
            and any(not _is_module(f"coscope.{a.name}") for a in name.names)
        )
    ]

    assert [] == wrong


def _is_module(name: str) -> bool:
    return name in _modules()


@cache
def _modules() -> dict[str, str]:
    """File of every module by dotted name."""
    return {_module(file).rstrip("."): file for file in _files()}


def test_there_are_no_import_cycles() -> None:
    modules = _modules()
    graph: dict[str, set[str]] = {}
    for name, file in modules.items():
        graph[name] = {
            other
            for node in _tree(file).body  # what is imported inside a function is no cycle
            for other in _top_level_imports(node)
            if other in modules and other != name
        }

    assert [] == _cycle(graph)


def _units() -> dict[str, dict[str, set[str]]]:
    """By folder: what stands in it (files and folders), and which of these each imports.

    Imports inside functions count too: they would not fail, but they tie the folders together.
    """
    modules = _modules()
    units: dict[str, dict[str, set[str]]] = {}
    for file in _files():
        for _line, name in _imported_names(file):
            if name not in modules or modules[name] == file:
                continue
            here, there = Path(file).parts, Path(modules[name]).parts
            depth = next(
                i for i, pair in enumerate(zip(here, there, strict=False)) if len({*pair}) > 1
            )
            inside = units.setdefault("/".join(here[:depth]), {})
            inside.setdefault(here[depth], set()).add(there[depth])
            inside.setdefault(there[depth], set())
    return units


def _imported_names(file: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each module that a file imports anywhere."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in _top_level_imports(node):
                yield node.lineno, name


def test_there_are_no_cycles_between_folders_at_any_depth() -> None:
    assert [] == [
        f"{folder or 'coscope'}: {' -> '.join(cycle)}"
        for folder, graph in _units().items()
        if (cycle := _cycle(graph))
    ]


def _top_level_imports(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        inside = [f"{node.module}.{alias.name}" for alias in node.names]
        submodules = [name for name in inside if _is_module(name)]
        yield from submodules
        if len(submodules) < len(inside):
            yield node.module
    elif isinstance(node, ast.If):
        for part in node.body + node.orelse:
            yield from _top_level_imports(part)


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one cycle, or none."""
    left = {name: set(others) for name, others in graph.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    path: list[str] = []
    name = min(left, default=None)
    while name is not None and name not in path:
        path.append(name)
        name = min(left[name] & left.keys())
    return path


def test_only_the_terminal_and_the_command_line_import_what_is_not_in_the_library() -> None:
    wrong = []
    for file in _files():
        for line, name in _imports(file):
            top = name.split(".")[0]
            if _own(name) or top in sys.stdlib_module_names:
                continue
            if not file.startswith(OUTSIDE.get(top, ())):
                wrong.append(f"{file}:{line} imports {name}")

    assert [] == wrong


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
def test_importing_coscope_loads_the_standard_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules); import coscope; coscope.read(lambda: 0).code\n"
        "tops = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(tops - sys.stdlib_module_names - {'coscope'}))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ("[]\n", "") == (run.stdout, run.stderr)


def test_only_two_files_ask_for_the_version_of_the_host() -> None:
    asking = {
        file
        for file in _files()
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Attribute) and node.attr in ("version_info", "hexversion")
    }

    assert set() == asking - ASKS_THE_HOST


def test_no_version_is_compared_by_order() -> None:
    compared = [
        f"{file}:{node.lineno}"
        for file in _files()
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Compare)
        and any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
        and re.search(r"\bversion", ast.unparse(node))
        and file not in ASKS_THE_HOST
    ]

    assert [] == compared


@pytest.mark.parametrize("file", _files())
def test_a_file_says_first_what_lives_there(file: str) -> None:
    docstring = ast.get_docstring(_tree(file)) or ""

    assert docstring.split("\n")[0].strip()


@pytest.mark.parametrize("file", _files())
def test_files_and_functions_are_short(file: str) -> None:
    tree = _tree(file)
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]

    assert [] == long
    assert FILE_LINES > len((SOURCES / file).read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("file", _files())
def test_names_say_something(file: str) -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}

    assert set() == vague & set(file.removesuffix(".py").split("/"))


@pytest.mark.parametrize("file", _files())
def test_nothing_is_left_to_do(file: str) -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "for " + "now")
    text = (SOURCES / file).read_text(encoding="utf-8")

    assert [] == [mark for mark in marks if mark in text]


MOST_ANY = 6.0  # a thousand lines of src
MOST_POSITIONAL = 6  # arguments of one call


def _any_in(tree: ast.AST) -> int:
    """How often `Any` is written in annotations, also in those that are strings."""
    named = sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree))
    quoted = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    texts = (text for text in quoted if isinstance(text, str) and "\n" not in text)
    return named + sum(len(re.findall(r"(?<![ \w])Any[\],]", text)) for text in texts)


def test_any_is_rare() -> None:
    lines = sum(len((SOURCES / file).read_text(encoding="utf-8").splitlines()) for file in _files())
    count = sum(_any_in(_tree(file)) for file in _files())

    assert MOST_ANY > 1000 * count / lines, f"{count} in {lines} lines"


@pytest.mark.parametrize("file", _files())
def test_long_calls_name_their_arguments(file: str) -> None:
    # `CodeType` takes no keywords.
    long = [
        f"line {node.lineno}: {ast.unparse(node.func)} with {len(node.args)}"
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Call)
        and len(node.args) > MOST_POSITIONAL
        and ast.unparse(node.func) != "CodeType"
    ]

    assert [] == long
