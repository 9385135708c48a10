"""The one door: a name on the command line, the object in the API and CPython's attribute access
are the same thing, and every verb takes every kind of target or refuses it in one sentence.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any

import pytest
from click.testing import CliRunner

import coscope
from coscope.cli.group import coscope as command_line
from coscope.errors import CoscopeError
from coscope.readers import Snippet, locate
from coscope.render.document.targets import document_of
from tests.readers.door import LIVE, MODULE, callables, same, signature_of, write

SEED = 20261129


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("door")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.chdir(folder)
        yield write(folder)


def value_of(module: ModuleType, expression: str) -> Any:
    return eval(expression, vars(module))


def plain(document: Any) -> str:
    """A document without what differs between two accesses of one attribute: names, addresses."""
    text = json.dumps(document, sort_keys=True)
    text = re.sub(
        r'"(target|chain|name|identity|cell)": ("(?:[^"\\]|\\.)*"|\d+|null)', r'"\1": 0', text
    )
    return re.sub(r"0x[0-9a-f]{6,}", "0x", text)


VERBS: dict[str, Callable[[Any], Any]] = {
    "show": lambda target: coscope.show(target).document,
    "depends": lambda target: coscope.depends(target).to_json(),
    "closure": lambda target: coscope.closure(target, seconds=60).to_json(),
    "capture": lambda target: coscope.capture(target, budget=60.0).to_json(),
    "signature": lambda target: coscope.signature(target).to_json(),
    "call": lambda target: coscope.call(target, 1).to_json(),
    "fingerprint": lambda target: coscope.fingerprint(target).to_json(),
    "verify": lambda target: coscope.verify(target).to_json(),
    "diff": lambda target: coscope.diff(target, target).to_json(),
}


def whole(target: Any) -> Any:
    """What `show --json` writes: a card's document, and what no page shows."""
    meant = locate(target)
    return document_of(meant, detail="none" if meant.cls is not None else "first", whole=True)


def answer(verb: str, target: Any) -> str:
    """The document, or the error's type: they must not depend on the way a verb was asked."""
    try:
        return plain(VERBS[verb](target))
    except CoscopeError as error:
        return type(error).__name__


@pytest.mark.parametrize("name", LIVE)
def test_a_name_is_the_object_that_attribute_access_gives(module: ModuleType, name: str) -> None:
    expected = value_of(module, name)
    found = locate(f"sample_door:{name}")

    assert same(expected, found.thing)
    assert signature_of(expected) == signature_of(found.thing)
    assert () == found.warnings


@pytest.mark.parametrize("verb", VERBS)
def test_a_name_and_its_object_have_one_document(module: ModuleType, verb: str) -> None:
    for name in LIVE:  # what looks at a class or a cache for the first time may make it grow
        answer(verb, value_of(module, name))
    differing = [
        name
        for name in LIVE
        if answer(verb, f"sample_door:{name}") != answer(verb, value_of(module, name))
    ]

    assert [] == differing


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("call", "diff", "verify")])
def test_the_command_line_answers_what_the_api_answers(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("instance.method", "Kind.half", "Kind.chosen", "dispatched", "plain.nested", "partial",
             "handlers['get']", "rows[0].inherited", "Kind.of_meta", "Bare", "Kind")  # fmt: skip
    more = {"closure": [], "capture": ["--budget", "60"]}.get(verb, [])
    monkeypatch.setitem(VERBS, "show", whole)
    for name in names:
        target = f"sample_door:{name}"
        answer(verb, target)  # what looks at a class or a cache for the first time makes it grow
        result = CliRunner().invoke(command_line, [verb, target, "--json", *more])
        document = json.loads(result.stdout)
        if document.get("error") is not None:
            assert document["error"]["type"] == answer(verb, target)
        else:
            assert plain(document) == answer(verb, target)


def test_callables_of_installed_packages_are_what_attribute_access_gives() -> None:
    """200 callables of 20 packages; where a user's descriptor decides, that is said."""
    drawn = callables(200, SEED)
    wrong = []
    for each in drawn:
        found = locate(each.text)
        expected = getattr(each.owner, each.name)
        alike = same(expected, found.thing)
        if not alike and not found.warnings:
            wrong.append(each.text)
        if alike:
            assert signature_of(expected) == signature_of(found.thing)

    assert [] == wrong
    assert (200, True) == (len(drawn), len({each.package for each in drawn}) >= 20)


def test_callables_of_installed_packages_have_one_document_by_name_and_by_object() -> None:
    verbs = ("show", "depends", "signature", "verify")
    wrong = [
        (each.text, verb)
        for each in callables(100, SEED + 1)
        if not locate(each.text).warnings
        for verb in verbs
        if answer(verb, each.text) != answer(verb, getattr(each.owner, each.name))
    ]

    assert [] == wrong


# Kinds of targets, beside names of live objects; each is made from the module.
def _frame(module: ModuleType) -> FrameType:
    try:
        raise ValueError
    except ValueError:
        return sys._getframe()


def _traceback(module: ModuleType) -> TracebackType | None:
    try:
        module.plain()
    except TypeError as error:
        return error.__traceback__
    return None


KINDS: dict[str, Callable[[ModuleType], Any]] = {
    "path": lambda module: "sample_door.py",
    "Path": lambda module: Path("sample_door.py"),
    "path::qualname": lambda module: "sample_door.py::plain.nested",
    "path:LINE": lambda module: "sample_door.py:12",
    "module:qualname": lambda module: "sample_door:plain",
    "nested": lambda module: "sample_door:plain.nested",
    "dotted": lambda module: "sample_door.Kind.method",
    "dotted module": lambda module: "sample_door",
    "item": lambda module: "sample_door:handlers['get']",
    "snippet": lambda module: Snippet("def f(x): return x", "<string>", "f"),
    "function": lambda module: module.plain,
    "method": lambda module: module.instance.method,
    "partial": lambda module: module.partial,
    "partialmethod": lambda module: vars(module.Kind)["half"],
    "property": lambda module: module.Kind.prop,
    "class": lambda module: module.Kind,
    "class with a constructor": lambda module: module.Slots,
    "class without functions": lambda module: module.Bare,
    "module": lambda module: module,
    "callable instance": lambda module: module.caller,
    "generator": lambda module: module.generator(1),
    "code object": lambda module: module.plain.__code__,
    "frame": _frame,
    "traceback": _traceback,
    "Function": lambda module: coscope.read(module.plain),
    "Function of a file": lambda module: coscope.read("sample_door.py::plain"),
    "Code": lambda module: coscope.read(module.plain).code,
    "builtin": lambda module: len,
    "number": lambda module: 1,
    "missing": lambda module: "sample_door:nothing",
    "file as a module": lambda module: "sample_door.py:plain",
}
PUBLIC: dict[str, Callable[[Any], Any]] = VERBS | {
    "read": coscope.read,
    "graph": coscope.graph,
    "select": lambda target: coscope.select(target, "nothing of the kind"),
    "trace": lambda target: coscope.trace(target, [1]).to_json(),
    "patch": lambda target: coscope.patch(target, name="other"),
    "edit": lambda target: coscope.edit(target),
    "receipt_of": coscope.receipt_of,
}

_HAVE_CODE = [
    "path",
    "Path",
    "path::qualname",
    "path:LINE",
    "module:qualname",
    "nested",
    "dotted",
    "dotted module",
    "item",
    "snippet",
    "function",
    "method",
    "partial",
    "partialmethod",
    "property",
    "class",
    "class with a constructor",
    "module",
    "callable instance",
    "generator",
    "code object",
    "frame",
    "traceback",
    "Function",
    "Function of a file",
    "Code",
]
_LIVE_ALONE = [
    "module:qualname",
    "dotted",
    "dotted module",
    "item",
    "function",
    "method",
    "partial",
    "partialmethod",
    "property",
    "class",
    "class with a constructor",
    "class without functions",
    "module",
    "callable instance",
    "Function",
    "generator",
    "code object",
    "frame",
    "traceback",
    "builtin",
    "number",
]
ANSWERED: dict[str, list[str]] = {  # verb -> the kinds that it answers; it refuses all others
    "show": [*_HAVE_CODE, "class without functions"],
    "depends": [*_HAVE_CODE, "class without functions"],
    "fingerprint": [*_HAVE_CODE, "class without functions", "builtin", "number"],
    "diff": [*_HAVE_CODE, "class without functions"],
    "verify": _HAVE_CODE,
    # These three need one function: of a class its constructor, which Kind does not define.
    "read": [kind for kind in _HAVE_CODE if kind != "class"],
    "graph": [kind for kind in _HAVE_CODE if kind != "class"],
    "closure": [kind for kind in _HAVE_CODE if kind != "class"],
    "capture": _LIVE_ALONE,
    "signature": [*_HAVE_CODE, "class without functions", "builtin", "number"],
}


@pytest.mark.parametrize("verb", PUBLIC)
@pytest.mark.parametrize("kind", KINDS)
def test_every_verb_takes_every_kind_of_target_or_says_in_one_sentence_why_not(
    module: ModuleType, verb: str, kind: str
) -> None:
    target = KINDS[kind](module)
    refused = None
    try:
        PUBLIC[verb](target)
    except CoscopeError as error:
        refused = str(error)

    assert "\n" not in (refused or "")
    if verb in ANSWERED:
        assert (kind in ANSWERED[verb]) == (refused is None)


@pytest.mark.usefixtures("module")
def test_nothing_that_is_a_file_was_imported_by_its_path() -> None:
    loaded = sys.modules["sample_door"]
    importlib.invalidate_caches()
    for text in ("sample_door.py", "sample_door.py::plain", "sample_door.py:12"):
        locate(text).function  # noqa: B018

    assert loaded is sys.modules["sample_door"]


def test_the_sample_compiles_to_what_it_imports_as(module: ModuleType) -> None:
    assert "plain" in MODULE
    assert coscope.read("sample_door.py::plain").code.code == coscope.read(module.plain).code.code
