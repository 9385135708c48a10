"""`coscope capture`."""

from __future__ import annotations

import json
from pathlib import Path

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

    assert 0 == result.exit_code
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
