"""The document: valid by its schema, strict JSON, complete, and right where it is checked."""

from __future__ import annotations

import dis
import functools
import json
import random
import sysconfig
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coscope.errors import CoscopeError, SourceError
from coscope.model import FrozenSet, Opaque, Slice
from coscope.readers import read
from coscope.render.document.classes import class_report
from coscope.render.document.report import error_document, report
from coscope.render.to_json import to_json
from tests.render.documents import document, schema

jsonschema = pytest.importorskip("jsonschema")


def faults(found: dict[str, Any]) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema())
    return [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(found)]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_key_of_the_schema_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "schema.md").read_text(encoding="utf-8")
    keys: set[str] = set()

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            keys.update(part.get("properties", ()))
            for inner in part.values():
                collect(inner)

    collect(schema())

    assert set() == {key for key in keys if f"{key}`" not in text}


@pytest.mark.parametrize("name", ["sample-3.8.pyc", "sample-3.12.pyc", "sample-3.13.pyc"])
@pytest.mark.parametrize("detail", ["first", "all", "none"])
def test_documents_of_other_versions_are_valid(name: str, detail: str) -> None:
    found = document(name, detail=detail, fields=True)

    assert [] == faults(json.loads(to_json(found)))


def library_sample() -> list[Path]:
    folder = Path(sysconfig.get_path("stdlib"))
    found = (path for path in folder.glob("*.py") if path.is_file())  # no dangling link
    files = sorted(path for path in found if path.stat().st_size < 60_000)
    return random.Random(7).sample(files, min(4, len(files)))


@pytest.mark.parametrize("path", library_sample(), ids=lambda path: path.name)
def test_documents_of_the_standard_library_are_valid(path: Path) -> None:
    found = json.loads(to_json(report(read(path), detail="all")))

    assert [] == faults(found)


def make(n: int = 3) -> Any:
    kept = [n]

    def inner(x: int, /, *rest: int, key: float = float("nan"), **more: int) -> list[int]:
        return [x, key, *kept, *rest, *more]  # type: ignore[list-item]

    return inner


LIVE = {
    "closure": make(),
    "partial": functools.partial(make(), 1),
    "generator": (x for x in ()),
    "method": Path.exists,
    "code": make.__code__,
    "lambda": lambda: 0,
}


@pytest.mark.parametrize("name", LIVE)
def test_documents_of_live_objects_are_valid(name: str) -> None:
    found = report(read(LIVE[name]), detail="all", fields=True)

    assert [] == faults(json.loads(to_json(found)))


@pytest.mark.parametrize("target", ["nowhere.py", "builtins:len", "nowhere:x", "json:nope"])
def test_documents_of_errors_are_valid(target: str) -> None:
    with pytest.raises(CoscopeError) as caught:
        read(target)
    found = json.loads(to_json(error_document(caught.value, target)))

    assert [] == faults(found)
    assert type(caught.value).__name__ == found["error"]["type"]


def test_a_syntax_error_keeps_its_place() -> None:
    from coscope.readers.from_source import from_source

    with pytest.raises(SourceError) as caught:
        from_source("x = = 1\n", "bad.py")
    error = error_document(caught.value)["error"]

    assert ("bad.py", 1, 5) == (error["file"], error["line"], error["column"])
    assert "x = = 1" == error["text"].rstrip()


def test_json_is_strict_whatever_the_constants() -> None:
    constants = (
        float("nan"),
        float("-inf"),
        complex("nan"),
        10**5000,
        "\ud800\x1b",
        b"\xff",
        ...,
        StopIteration,
        FrozenSet((1, "\udc00")),
        Slice(1, None, 2),
        Opaque("evil\ud800", 1),
        "x" * 10_000,
        ((((1,),),),),
    )
    function = read(lambda: None)
    code = replace(function.code, consts=(*function.code.consts, *constants), name="\ud800\x1b[0m")
    text = to_json(report(replace(function, code=code), fields=True))

    def refuse(token: str) -> None:
        raise AssertionError(f"not strict JSON: {token}")

    found = json.loads(text, parse_constant=refuse)

    assert text.isascii()
    assert [] == faults(found)
    assert "\ud800" not in json.dumps(found, ensure_ascii=False)
    shown = {entry["text"] for entry in found["codes"][0]["detail"]["constants"]}
    assert {"nan", "-inf", "b'\\xff'", "Ellipsis", "slice(1, None, 2)"} <= shown


def test_a_nested_code_object_names_its_parent() -> None:
    codes = document("sample-3.13.pyc", detail="none")["codes"]
    parents = {
        code["qualname"]: None if code["parent"] is None else codes[code["parent"]]["qualname"]
        for code in codes
    }

    assert "outer" == parents["outer.<locals>.inner"]
    assert "Order" == parents["Order.total"]
    assert parents["<module>"] is None


def test_instructions_are_those_of_dis() -> None:
    entry = report(read(json.dumps))["codes"][0]["detail"]["instructions"]
    expected = [(i.offset, i.opname, i.arg) for i in dis.get_instructions(json.dumps)]

    assert expected == [(i["offset"], i["opname"], i["arg"]) for i in entry]


def test_an_instruction_shows_the_source_under_it_and_the_stack_before_it() -> None:
    detail = document("sample-3.13.pyc::outer.inner")["codes"][0]["detail"]
    shown = [(i["opname"], i["source"], i["stack"]) for i in detail["instructions"][2:]]

    assert [
        ("LOAD_DEREF", "x", []),
        ("LOAD_FAST", "z", ["x"]),
        ("BINARY_OP", "x * z", ["x", "z"]),
        ("LOAD_DEREF", "y", ["x * z"]),
        ("BINARY_OP", "x * z + y", ["x * z", "y"]),
        ("RETURN_VALUE", "return x * z + y", ["x * z + y"]),
    ] == shown


def test_a_jump_names_its_block() -> None:
    for version in ("3.8", "3.12", "3.13"):
        detail = document(f"sample-{version}.pyc::choose")["codes"][0]["detail"]
        jumps = [i["jump"] for i in detail["instructions"] if i["jump"]]

        assert ["B2", "B3", "B4"] == jumps


def test_cells_name_owner_writer_reader_and_holder() -> None:
    keep = shared()
    free = report(read(keep[0]))["codes"][0]["detail"]["cells"]["free"][0]

    assert ("total", "int", "7") == (free["name"], free["value"]["type"], free["value"]["text"])
    assert "shared" == free["owner"]
    assert {"shared", "shared.<locals>.add"} == {user["code"] for user in free["writers"]}
    assert ["shared.<locals>.add"] == [sharer["qualname"] for sharer in free["sharers"]]


def shared() -> tuple[Any, Any]:
    total = 7

    def get() -> int:
        return total

    def add(n: int) -> None:
        nonlocal total
        total += n

    return get, add


def test_inlined_comprehensions_are_noted() -> None:
    inlined = document("sample-3.12.pyc::load")["codes"][0]["detail"]["inlined"]

    assert [("list comprehension", ["item"], "[item * total for item in items]")] == [
        (i["kind"], i["names"], i["source"]) for i in inlined
    ]


def test_the_source_holds_just_the_lines_that_instructions_name() -> None:
    source = document("sample-3.13.pyc::choose")["source"]

    assert ["16", "17", "18", "19"] == list(source["lines"])


class Nesting:
    """Two methods, each with code nested in it."""

    def first(self) -> object:
        return lambda: lambda: self

    def second(self) -> object:
        return [lambda at=each: at for each in range(2)]


def test_the_code_objects_of_a_class_are_numbered_as_they_come() -> None:
    codes = class_report(Nesting)["codes"]
    parents = {each["index"]: each["parent"] for each in codes}

    assert [each["index"] for each in codes] == list(range(len(codes)))
    names = {each["index"]: each["qualname"] for each in codes}
    for index, parent in parents.items():
        if parent is not None:
            assert names[index].startswith(names[parent] + ".")
    assert sum(parent is None for parent in parents.values()) == 2
