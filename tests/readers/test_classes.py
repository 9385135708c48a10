"""The Python functions of a class, and the text that finds each of them."""

from __future__ import annotations

import argparse
import enum
import inspect
import json
import threading
from pathlib import Path

import pytest

import coscope
from coscope.errors import NoCodeObject, TargetError
from coscope.readers.classes import methods_of, target_of

MODULE = """
import functools

class Base:
    def inherited(self): return 0

class Order(Base):
    rate = 1
    total = property(lambda self: 1)
    @property
    def price(self): return 1
    @price.setter
    def price(self, value): self.p = value
    @staticmethod
    def parse(text): return text
    @classmethod
    def empty(cls): return cls()
    @functools.lru_cache
    def cached(self): return 1
    half = functools.partialmethod(lambda self, x: x, 2)
    class Line:
        def text(self): return ""

class Other(Base):
    rate = 2
    def price(self): return 2

class Bare(Base): pass
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sample_classes.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "sample_classes", raising=False)
    return tmp_path


@pytest.mark.parametrize("cls", [json.JSONEncoder, threading.Thread, argparse.ArgumentParser])
def test_the_functions_are_those_that_inspect_finds(cls: type) -> None:
    expected = {name for name, value in vars(cls).items() if inspect.isfunction(value)}
    found = {
        method.name
        for method in methods_of(cls)
        if method.function.object is vars(cls).get(method.name)
    }

    assert expected == found


@pytest.mark.parametrize("cls", [json.JSONEncoder, threading.Thread, enum.Enum, argparse.Action])
def test_the_target_of_each_finds_it(cls: type) -> None:
    methods = [(method, target_of(cls, method.name)) for method in methods_of(cls)]
    found = [coscope.read(target).code for _, target in methods if target is not None]

    assert [method.function.code for method, _ in methods] == found


@pytest.mark.usefixtures("folder")
def test_a_class_is_shown_as_the_tree_of_its_functions() -> None:
    text = str(coscope.show("sample_classes:Order"))

    assert "sample_classes.Order  class, 8 Python functions" in text
    for name in ("total", "price", "price.fset", "parse", "empty", "cached", "half", "Line.text"):
        assert f"sample_classes:Order.{name}\n" in text
    assert "inherits from sample_classes.Base" in text


@pytest.mark.usefixtures("folder")
def test_a_class_without_functions_of_its_own_is_no_error() -> None:
    assert "It defines no Python function itself." in str(coscope.show("sample_classes:Bare"))
    assert () == coscope.depends("sample_classes:Bare").items
    assert coscope.fingerprint("sample_classes:Bare").value


def test_a_class_inside_of_a_function_has_no_target() -> None:
    class Local:
        def method(self) -> None: ...

    assert None is target_of(Local, "method")


@pytest.mark.usefixtures("folder")
def test_all_functions_of_a_class_are_verified() -> None:
    report = coscope.verify("sample_classes:Order")

    assert (True, 8, "sample_classes.Order") == (report.ok, report.codes, report.name)


def test_a_class_without_python_functions_cannot_be_verified() -> None:
    with pytest.raises(NoCodeObject):
        coscope.verify(dict)


@pytest.mark.usefixtures("folder")
def test_classes_are_compared_by_their_functions_and_values() -> None:
    found = coscope.diff("sample_classes:Order", "sample_classes:Other")

    assert "sample_classes.Order.total" in found.removed
    assert ("attribute rate", "1", "2") in [
        (fact.what, fact.left, fact.right) for fact in found.codes[0].facts
    ]
    assert ["sample_classes.Order", "Order.price"] == [each.left for each in found.codes]
    assert coscope.diff("sample_classes:Order", "sample_classes:Order").same


@pytest.mark.usefixtures("folder")
def test_a_class_is_not_compared_with_a_function() -> None:
    with pytest.raises(TargetError):
        coscope.diff("sample_classes:Order", "sample_classes:Order.parse")


@pytest.mark.usefixtures("folder")
def test_the_bytecode_of_each_function_is_listed_beside_its_own_lines() -> None:
    document = coscope.show("sample_classes:Order").document
    names = [code["target"] for code in document["codes"] if code["parent"] is None]

    assert "sample_classes:Order.price" in names
    assert {"none"} == {"none" if code["detail"] is None else "some" for code in document["codes"]}
