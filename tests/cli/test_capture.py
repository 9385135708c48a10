"""`coscope capture`."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from tests.render.documents import schema

SOURCE = """
import threading
class Session:
    def __init__(self):
        self.pool = {"lock": threading.Lock()}
    def __reduce__(self):
        open(__file__ + ".ran", "w").close()
        raise TypeError("no")
class Client:
    def __init__(self, session):
        self.session = session
def make(client, data):
    def task():
        return client, data
    return task
task = make(Client(threading.Lock()), bytes(5000))
own = make(Session(), b"")
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["capture", *words])


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / f"capture_of_{tmp_path.name}.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_the_page_names_the_culprit_with_its_path(file: Path) -> None:
    result = run(f"{file.stem}:task")

    assert 1 == result.exit_code
    assert "task → closure 'client' → attribute session: _thread.lock" in result.stdout
    assert "likely refuses it" in result.stdout
    assert "5.0 kB" in result.stdout


def test_own_code_runs_only_with_pickle(file: Path) -> None:
    mark = Path(f"{file}.ran")
    before = run(f"{file.stem}:own", "--json")
    ran_before = mark.exists()
    after = run(f"{file.stem}:own", "--json", "--pickle")

    assert (False, True) == (ran_before, mark.exists() or not _tries_cloudpickle(after))
    assert [False, True] == [json.loads(each.stdout)["pickled"] for each in (before, after)]


def _tries_cloudpickle(result: Result) -> bool:
    return any(verdict["tried"] for verdict in json.loads(result.stdout)["verdicts"][1:])


def test_json_has_path_and_sizes(file: Path) -> None:
    found = json.loads(run(f"{file.stem}:task", "--json").stdout)
    cloudpickle = found["verdicts"][1]

    assert [("target", "task"), ("closure", "client"), ("attribute", "session")] == [
        (step["kind"], step["name"]) for step in cloudpickle["path"]
    ]
    assert ("capture", True, 5.0) == (
        found["command"],
        found["limits"]["complete"],
        found["limits"]["seconds"],
    )
    assert found["travelling_bytes"] > 5000


def test_the_budget_is_an_option(file: Path) -> None:
    found = json.loads(run(f"{file.stem}:task", "--json", "--budget", "2").stdout)

    assert 2.0 == found["limits"]["seconds"]


def test_a_file_captures_nothing(file: Path) -> None:
    result = run(str(file))

    assert (2, "") == (result.exit_code, result.stdout)
    assert "is live" in result.stderr


def test_ascii_is_ascii(file: Path) -> None:
    assert run(f"{file.stem}:task", "--ascii").stdout.isascii()


def test_the_document_is_valid(file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(
        {"$ref": "#/$defs/capture_document", "$defs": schema()["$defs"]}
    )
    names = [f"{file.stem}:task", f"{file.stem}:own", f"{file.stem}:make", "json:dumps"]

    assert [] == [
        error.message
        for name in names
        for error in validator.iter_errors(json.loads(run(name, "--json").stdout))
    ]


CULPRITS = """
import socket, threading
class Client:
    def __init__(self):
        self.guard = threading.Lock()
        self.line = socket.socket()
        self.table = bytearray(3_000_000)
        self.name = "x"
        self.line.close()
def make(client, rows, module=threading):
    def task():
        return client, rows, module
    return task
task = make(Client(), (row for row in ()))
fine = make(1, 2, 3)
"""


def test_every_culprit_has_its_path_and_what_to_do(file: Path) -> None:
    file.write_text(CULPRITS, encoding="utf-8")
    found = json.loads(run(f"{file.stem}:task", "--json").stdout)

    assert {
        "task": ["pickle"],
        "task -> closure 'rows'": ["pickle", "cloudpickle"],
        "task -> closure 'module'": ["pickle"],
        "task -> closure 'client' -> attribute guard": ["pickle", "cloudpickle"],
        "task -> closure 'client' -> attribute line": ["pickle", "cloudpickle"],
    } == {each["chain"]: each["tools"] for each in found["culprits"]}
    assert "connect where the function runs" in found["culprits"][-1]["advice"]
    assert all(each["advice"] and each["reason"] for each in found["culprits"])


@pytest.mark.parametrize("tool", ["pickle", "cloudpickle"])
def test_what_is_in_the_way_is_what_the_tool_itself_refuses(file: Path, tool: str) -> None:
    """Each culprit alone is refused by the tool, and the target without them is taken."""
    pickler = pytest.importorskip(tool)
    file.write_text(CULPRITS, encoding="utf-8")
    module = importlib.import_module(file.stem)
    client = module.task.__closure__[0].cell_contents
    things = {"guard": client.guard, "line": client.line}
    things["rows"] = module.task.__closure__[2].cell_contents
    named = {each["path"][-1]["name"] for each in _culprits(file, tool)}

    assert things.keys() <= named
    for thing in things.values():
        with pytest.raises((TypeError, AttributeError)):
            pickler.dumps(thing)
    assert [] == _culprits(file, "cloudpickle", "fine")


def _culprits(file: Path, tool: str, name: str = "task") -> list[Any]:
    found = json.loads(run(f"{file.stem}:{name}", "--json").stdout)
    return [each for each in found["culprits"] if tool in each["tools"]]


def test_each_attribute_has_its_size(file: Path) -> None:
    file.write_text(CULPRITS, encoding="utf-8")
    page = run(f"{file.stem}:task").stdout
    found = json.loads(run(f"{file.stem}:task", "--json").stdout)
    client = next(each for each in found["items"] if each["name"] == "client")

    assert "table" == client["attributes"][0]["name"]
    assert sys.getsizeof(bytearray(3_000_000)) == client["attributes"][0]["size"]["bytes"]
    assert re.search(r"\.table +bytearray +3\.0 MB", page)


def test_what_one_tool_takes_can_travel(file: Path) -> None:
    file.write_text(CULPRITS, encoding="utf-8")

    assert 0 == run(f"{file.stem}:fine").exit_code  # local, so pickle refuses it
    assert 1 == run(f"{file.stem}:task").exit_code


def test_a_missing_cloudpickle_is_reported(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coscope.facts.shipping.captures.find_spec", lambda name: None)

    assert "cloudpickle is not installed" in " ".join(run(f"{file.stem}:task").stdout.split())
