"""Version knowledge is data: no version of CPython is named in src outside the tables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import coscope
from coscope.opcodes import VERSIONS

ROOT = Path(coscope.__file__).parent
# In these two the interpreter that runs them is the subject.
HOSTS = {"readers/from_function.py", "patcher/rebuild.py"}
# These ask an interpreter which one it is, to report it; they name no version.
ASK = {
    "inside.py",
    "readers/from_interpreter.py",
    "tuner/inside/measuring.py",
    "audits/warm/command.py",
}

_VERSION = re.compile(r"(?<![\w.])3\.(?:[6-9]|[12]\d)(?!\d)")
_ASKING = re.compile(r"\b(?:version_info|hexversion|python_version_tuple|api_version)\b")


def _documentation(tree: ast.AST) -> set[int]:
    """Constants that are statements of their own: docstrings."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def named(source: str) -> Iterator[str]:
    """The line and text of each version that is named, docstrings left out."""
    tree = ast.parse(source)
    documentation = _documentation(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in documentation:
            continue
        if isinstance(node.value, str | float) and _VERSION.search(str(node.value)):
            yield f"{node.lineno}: {str(node.value).strip()[:60]}"


def asked(source: str) -> Iterator[str]:
    """The line and text of each question for the version of the interpreter that runs it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name | ast.alias | ast.Attribute):
            text = _name(node)
        else:
            text = node.value if isinstance(node, ast.Constant) else ""
        if isinstance(text, str) and _ASKING.search(text):
            yield f"{getattr(node, 'lineno', 0)}: {text.strip()[:60]}"


def _name(node: ast.Name | ast.alias | ast.Attribute) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else node.name


def files(apart: set[str]) -> dict[str, str]:
    """The text of each source file, by its path, but for some."""
    paths = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
    assert apart <= paths.keys()
    return {name: p.read_text(encoding="utf-8") for name, p in paths.items() if name not in apart}


def test_no_version_is_named_outside_the_tables() -> None:
    found = [f"{name}:{each}" for name, text in files(HOSTS).items() for each in named(text)]

    assert [] == found


def test_nobody_else_asks_which_interpreter_runs() -> None:
    found = [f"{name}:{each}" for name, text in files(HOSTS | ASK).items() for each in asked(text)]

    assert [] == found


@pytest.mark.parametrize(
    "source",
    [
        'if version == "3.13": pass',
        'OLD = {"3.8", "3.9"}',
        'why = "to CPython 3.10 that is slow"',
        'why = f"from {x} to 3.16"',
        "version = 3.13",
        'held = "3.13.0 to 3.13.3"',
    ],
)
def test_a_version_is_noticed(source: str) -> None:
    assert list(named(source))


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nif sys.version_info >= (3, 14): pass",
        "from sys import hexversion",
        "PROGRAM = 'import sys; print(sys.version_info)'",
    ],
)
def test_a_question_is_noticed(source: str) -> None:
    assert list(asked(source))


@pytest.mark.parametrize("source", ['"""As on 3.13."""', "x = 3.14159", 'y = "13.13"', "# 3.13"])
def test_documentation_and_other_numbers_are_not_versions(source: str) -> None:
    assert [] == list(named(source))


def test_the_pattern_fits_every_version() -> None:
    assert all(_VERSION.fullmatch(version) for version in VERSIONS)
