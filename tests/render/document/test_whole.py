"""The whole document: findings, source text, producers and kinds, one chosen code object, keys."""

from __future__ import annotations

import dis
import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from coscope.audits.running.engine import audit_file
from coscope.audits.selection import all_rules
from coscope.errors import TargetNotFound
from coscope.opcodes import table
from coscope.opcodes.sentences import sentence
from coscope.readers import locate, read
from coscope.readers.from_function import HOST_VERSION
from coscope.render.document.report import report
from coscope.render.document.targets import document_of
from coscope.render.to_json import to_json
from tests.render.document.test_report import faults
from tests.render.documents import DATA

LIBRARY = Path(sysconfig.get_path("stdlib"))


def whole(target: object, **options: Any) -> Any:
    return document_of(locate(target), **{"detail": "all", **options}, whole=True)


def cards(document: Any) -> list[Any]:
    return [code["detail"] for code in document["codes"] if code["detail"] is not None]


@pytest.mark.parametrize("name", ["sample-3.8.pyc", "sample-3.12.pyc", "sample-3.13.pyc"])
def test_whole_documents_are_valid(name: str) -> None:
    found = whole(str(DATA / name))

    assert [] == faults(json.loads(to_json(found)))


@pytest.mark.parametrize("name", ["textwrap", "shlex", "contextlib"])
def test_findings_are_those_of_the_audit(name: str) -> None:
    path = str(LIBRARY / f"{name}.py")
    wanted = [(f.rule, f.message, f.code, f.offset) for f in audit_file(path, all_rules()).findings]

    assert wanted == [
        (f["rule"], f["message"], f["code"], f["offset"]) for f in whole(path)["findings"]
    ]


def test_a_live_function_has_the_findings_of_its_code() -> None:
    def told(data: bytes) -> object:
        import pickle

        return [pickle.loads(data) for _ in range(3)] if eval(input()) else None

    assert {"DYN101"} <= {found["rule"] for found in whole(told)["findings"]}


def test_findings_are_null_where_nobody_looked() -> None:
    assert report(read(cards))["findings"] is None


def test_the_source_is_whole() -> None:
    path = LIBRARY / "bisect.py"

    assert path.read_text(encoding="utf-8") == whole(str(path))["source"]["text"]


def test_pops_and_pushes_are_those_of_dis() -> None:
    rows = table(HOST_VERSION).opcodes
    wrong = [
        (i["opname"], i["arg"], i["pushes"] - i["pops"])
        for name in ("bisect", "shlex", "contextlib", "enum")
        for card in cards(report(read(str(LIBRARY / f"{name}.py")), detail="all"))
        for i in card["instructions"]
        if i["opname"] not in ("EXTENDED_ARG", "CACHE")
        and rows[i["opname"]].dis_effect is None  # `dis` counts it at another instruction
        and i["pushes"] - i["pops"] != dis.stack_effect(i["opcode"], i["arg"], jump=False)
    ]

    assert [] == wrong


def sample(a: Any, b: Any, f: Any) -> Any:
    x = a + b
    value = f(x, (a, 1) if b else [b])
    for each in value:
        f(each, x)
    return value


def test_a_producer_pushes_and_its_value_is_then_on_the_stack() -> None:
    (card,) = cards(whole(sample))
    by_offset = {i["offset"]: i for i in card["instructions"]}
    wrong = [
        (i["offset"], text)
        for i in card["instructions"]
        for text, made in zip(i["stack"] or (), i["producers"] or (), strict=True)
        if not all(by_offset[offset]["pushes"] and offset < i["offset"] for offset in made)
    ]

    assert [] == wrong


def test_a_value_that_two_branches_make_has_two_producers() -> None:
    (card,) = cards(whole(sample))
    call = next(i for i in card["instructions"] if i["opname"].startswith("CALL"))
    names = {i["offset"]: i["opname"] for i in card["instructions"]}

    assert ["BUILD_LIST", "BUILD_TUPLE"] == sorted(names[at] for at in call["producers"][-1])
    assert call["kinds"][-1] != "object"


def test_sorts_say_what_instructions_do() -> None:
    (card,) = cards(report(read(sample)))
    sorts = {i["opname"].split("_")[0]: i["sort"] for i in card["instructions"]}
    wanted = {"STORE": "store", "CALL": "call", "BUILD": "build", "RETURN": "return"}

    assert wanted == {name: sorts[name] for name in wanted}
    assert "compute" == sorts["BINARY"]


TWICE = "f = [lambda: 1, lambda: 2]\nclass A:\n    def g(self): return lambda: 3\n"


def keys(tmp_path: Path, source: str) -> dict[str, tuple[str, int]]:
    path = tmp_path / "a.py"
    path.write_text(source, encoding="utf-8")
    codes = report(read(str(path)), detail="none")["codes"]
    return {code["key"]: (code["qualname"], code["instruction_count"]) for code in codes}


def test_keys_are_different_and_survive_edits_elsewhere(tmp_path: Path) -> None:
    before = keys(tmp_path, TWICE)
    after = keys(tmp_path, "import json\n\ndef added(x):\n    return x\n\n" + TWICE)

    assert {"<module>", "<lambda>", "<lambda>#2", "A", "A.g", "A.g.<locals>.<lambda>"} == set(
        before
    )
    assert {k: v for k, v in before.items() if k != "<module>"} == {
        k: v for k, v in after.items() if k not in ("<module>", "added")
    }


def test_one_chosen_code_object_gets_its_card(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(TWICE, encoding="utf-8")
    found = report(read(str(path)), only="<lambda>#2")

    assert ["<lambda>#2"] == [c["key"] for c in found["codes"] if c["detail"] is not None]


def test_a_key_that_no_code_object_has_is_an_error() -> None:
    with pytest.raises(TargetNotFound):
        report(read(sample), only="other")


SEEDED = """
import sys
from coscope.readers import locate
from coscope.render.document.targets import document_of
from coscope.render.to_json import to_json
def live(names=frozenset({"one", "two", "three"}), more={"x", "y", "z", ("p", "q")}):
    return [n in {"alpha", "beta", "gamma", ("delta",)} for n in names | more]
for target in (*sys.argv[1:], live):
    print(to_json(document_of(locate(target), detail="all", fields=True, whole=True)))
"""


def test_no_document_depends_on_the_hash_seed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(SEEDED, encoding="utf-8")
    modules = [str(LIBRARY / f"{name}.py") for name in ("shlex", "contextlib", "tokenize", "token")]
    told = [
        subprocess.run(
            [sys.executable, str(program), *modules],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2", "3")
    ]

    assert told[0] == told[1] == told[2]


def test_the_rules_load_without_compression_libraries() -> None:
    program = (
        "import sys\nfor name in ('lzma', '_lzma', 'bz2', '_bz2'): sys.modules[name] = None\n"
        "from coscope.audits.selection import all_rules\nprint(len(all_rules()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )

    assert (f"{len(all_rules())}\n", "") == (told.stdout, told.stderr)


@pytest.mark.parametrize("name", ["sample-3.8.pyc", "sample-3.12.pyc", "sample-3.13.pyc"])
def test_each_opcode_that_occurs_has_its_sentence_once(name: str) -> None:
    found = whole(str(DATA / name))
    shown = {each["opname"] for card in cards(found) for each in card["instructions"]}
    rows = table(found["codes"][0]["version"]).opcodes

    assert sorted(shown & rows.keys()) == list(found["opcodes"])
    assert {sentence(rows[each], found["codes"][0]["version"]) for each in shown} == {
        *found["opcodes"].values()
    }
