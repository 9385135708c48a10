"""Annotations: their form, where names are looked up, whether they evaluate."""

from __future__ import annotations

from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from coscope.facts.signatures.annotations import Annotation, annotations_of
from coscope.facts.signatures.signatures import signature
from tests.facts.signatures import annotated as a
from tests.facts.signatures import future_annotated as f

LAZY = "__annotate__" in vars(FunctionType)  # 3.14: annotations are made when asked for


def of(target: Any, name: str) -> Annotation:
    found = [each for each in signature(target).annotations if each.name == name]

    assert 1 == len(found)
    return found[0]


FINE = "evaluated" if not LAZY else "would evaluate"
NAME_ERROR = "would raise NameError"


@pytest.mark.parametrize(
    ("target", "name", "verdict", "missing", "reason"),
    [
        (a.plain, "a", FINE, (), None),
        (a.plain, "args", FINE, (), None),
        (a.plain, "return", FINE, (), None),
        (a.quoted, "a", "would evaluate", (), None),
        (a.quoted, "b", "would evaluate", (), None),
        (a.quoted, "return", "would evaluate", (), None),
        (
            a.hidden,
            "a",
            NAME_ERROR,
            ("Decimal",),
            "Decimal is not defined in module tests.facts.signatures.annotated "
            "(imported only under TYPE_CHECKING)",
        ),
        (
            a.unknown,
            "a",
            NAME_ERROR,
            ("Nowhere",),
            "Nowhere is not defined in module tests.facts.signatures.annotated",
        ),
        (a.union, "a", FINE, (), None),
        (a.union, "b", "would evaluate", (), None),
        (a.broken, "a", "does not parse", (), "'not a type at all ]' is no expression"),
        (
            a.no_attribute,
            "a",
            "would raise AttributeError",
            ("collections.Nothing",),
            "collections.Nothing does not exist",
        ),
        (a.no_attribute, "b", "would evaluate", (), None),
        (a.adds_text, "a", "would raise TypeError", (), "| joins a string"),
        (
            a.enclosing(),  # type: ignore[no-untyped-call]
            "a",
            NAME_ERROR,
            ("Local",),
            "Local is not defined in module tests.facts.signatures.annotated; names of an "
            "enclosing function are not looked up",
        ),
        (f.fn, "a", "would evaluate", (), None),
        (f.fn, "b", "would evaluate", (), None),
        (
            f.fn,
            "c",
            NAME_ERROR,
            ("Decimal",),
            "Decimal is not defined in module tests.facts.signatures.future_annotated "
            "(imported only under TYPE_CHECKING)",
        ),
    ],
)
def test_verdict(
    target: Any, name: str, verdict: str, missing: tuple[str, ...], reason: str | None
) -> None:
    found = of(target, name)

    assert (verdict, missing, reason) == (found.verdict, found.missing, found.reason)


@pytest.mark.skipif(LAZY, reason="3.14 has no objects until somebody asks")
def test_strings_inside_of_objects_are_looked_up() -> None:
    assert NAME_ERROR == of(a.nested, "a").verdict
    assert "would evaluate" == of(a.nested, "b").verdict
    assert "evaluated" == of(a.nested, "c").verdict


@pytest.mark.skipif(LAZY, reason="3.14 tells them from the source")
def test_unions_and_generics_are_written_out() -> None:
    assert "int | None" == of(a.union, "a").text
    assert "list[int]" == of(a.union, "c").text


def test_forms() -> None:
    assert ("lazy" if LAZY else "object") == of(a.plain, "a").form
    assert "string" == of(a.quoted, "a").form
    assert "string" == of(f.fn, "a").form


def test_those_that_wraps_copies_are_told_once() -> None:
    assert ["quoted"] * 3 == [each.function for each in signature(a.wrapped).annotations]


def test_a_wrapper_has_annotations_of_its_own() -> None:
    functions = {each.function for each in signature(a.bared).annotations}

    assert {"bare.<locals>.wrapper", "hidden"} == functions


def test_another_meaning_in_the_globals_of_the_wrapper() -> None:
    found = of(f.wrapped_elsewhere, "a")

    assert "would evaluate" == found.verdict
    assert (
        "in module tests.facts.signatures.annotated, where the wrapper is defined, Later is "
        "<class tests.facts.signatures.annotated.Later>" == found.elsewhere
    )


def test_a_file_tells_them_as_written() -> None:
    found = signature(f"{Path(a.__file__)}::hidden").annotations

    assert [("a", "source", "not known")] == [(x.name, x.form, x.verdict) for x in found][:1]


def test_type_parameters_are_in_scope() -> None:
    space: dict[str, Any] = {"__name__": "m"}
    try:
        exec(compile("def fn[T](a: 'T', b: 'U'): ...", "<t>", "exec", dont_inherit=True), space)
    except SyntaxError:
        pytest.skip("PEP 695 begins with 3.12")
    if LAZY:
        pytest.skip("3.14 tells annotations from the source, and there is none")

    assert "would evaluate" == of(space["fn"], "a").verdict
    assert NAME_ERROR == of(space["fn"], "b").verdict


def test_a_lazy_annotation_is_not_run() -> None:
    ran: list[int] = []
    source = "def fn(a: ran.append(1) or int): ..."
    space: dict[str, Any] = {"ran": ran}
    exec(compile(source, "<lazy>", "exec", dont_inherit=True), space)
    before = len(ran)
    told = signature(space["fn"])
    found = list(annotations_of(told.chain))

    assert before == len(ran)
    assert LAZY == ("the annotations of fn are made by code, which is not run" in told.warnings)
    assert LAZY or ["evaluated"] == [each.verdict for each in found]
