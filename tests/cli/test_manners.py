"""What the command line does for somebody who types: help, hints, several targets, options."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("click")

import click
from click.testing import CliRunner, Result

from coscope.cli.group import COMMANDS, coscope
from coscope.cli.manual import EXAMPLES
from coscope.opcodes import VERSIONS

ORDERS = """
import os

def retry():
    timeout = 30
    return timeout

def load(path):
    return open(path)

def total(rows=(1, 2)):
    return sum(rows)

class Order:
    def total(self, rate):
        return rate
"""
JOBS = """
def make(rate):
    def task():
        return rate
    return task
task = make(2)
handler = task
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with what the examples name."""
    app = tmp_path / "app"
    app.mkdir()
    for name, text in {"orders": ORDERS, "jobs": JOBS, "web": JOBS, "__init__": ""}.items():
        (app / f"{name}.py").write_text(text, encoding="utf-8")
    for name in ("before", "after", "build"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text(ORDERS, encoding="utf-8")
    for compiled in (tmp_path / "x.pyc", tmp_path / "build" / "app.pyc"):
        compiled.write_bytes(_pyc())
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    loaded = {*sys.modules}
    yield tmp_path
    for name in {*sys.modules} - loaded:
        if name.partition(".")[0] == "app":
            del sys.modules[name]


def _pyc() -> bytes:
    import importlib._bootstrap_external as external

    return bytes(external._code_to_timestamp_pyc(compile(ORDERS, "x.py", "exec")))


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, list(words))


def _commands() -> Iterator[tuple[str, click.Command]]:
    """All commands, those of groups too, by their words."""
    context = click.Context(coscope)
    for name in COMMANDS:
        command = coscope.get_command(context, name)
        assert command is not None
        yield name, command
        for word, inner in getattr(command, "commands", {}).items():
            yield f"{name} {word}", inner


NAMES = [name for name, _ in _commands()]


def test_the_bare_name_prints_help() -> None:
    result = run()

    assert (0, "") == (result.exit_code, result.stderr)
    assert run("--help").stdout == result.stdout
    assert "Usage: coscope" in result.stdout


@pytest.mark.parametrize("name", ["", *NAMES])
def test_help_begins_with_two_examples_and_states_the_exit_statuses(name: str) -> None:
    text = run(*name.split(), "-h").stdout
    lines = text[: text.index("Usage:")].splitlines()
    examples = [line.strip() for line in lines if line.strip().startswith("coscope")]

    assert "Examples:" == lines[0]
    assert 2 == len(examples)
    assert all(example.startswith(f"coscope {name}".strip()) for example in examples if name)
    assert "Exit status: " in " ".join(text.split())
    assert max(map(len, lines)) <= 80


def test_no_example_is_of_a_command_that_is_not_there() -> None:
    assert {"", *NAMES} == {*EXAMPLES}


NOT_RUN = {
    "attach",
    "corpus",
    "coverage",
    "explain",
    "mcp",
    "report",
    "serve",
    "tune",
}  # parsed below
EACH = [
    (name, line)
    for name, lines in EXAMPLES.items()
    for line in lines
    if name.partition(" ")[0] not in NOT_RUN
]


@pytest.mark.parametrize(("name", "line"), EACH, ids=[line for _, line in EACH])
def test_every_example_works(folder: Path, name: str, line: str) -> None:
    words = shlex.split(line)[1:]
    if "--python" in words:
        words = [word if word not in VERSIONS else sys.executable for word in words]
    result = run(*words)

    assert result.exit_code in (0, 1), result.stderr
    assert result.stdout.strip()


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_every_example_is_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    context = coscope.make_context("coscope", words)
    name, command, rest = coscope.resolve_command(context, words)

    assert command is not None
    command.make_context(name, rest, parent=context, resilient_parsing=not rest)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("shwo", "show"), ("dsi", "dis"), ("fingerprnt", "fingerprint"), ("verfy", "verify")],
)
def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(word: str, meant: str) -> None:
    result = run(word, "json:dumps")

    assert (2, "") == (result.exit_code, result.stdout)
    assert f"Did you mean {meant}" in result.stderr


def test_a_mistyped_command_imports_nothing(folder: Path) -> None:
    (folder / "shwo.py").write_text("open('ran', 'w')", encoding="utf-8")
    result = run("shwo")

    assert 2 == result.exit_code
    assert "To show the module shwo, write 'coscope show shwo'." in result.stderr
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    "target", ["json.dumps", "json:dumps", "app/orders.py", "app/orders.py::load", "x.pyc"]
)
def test_a_target_alone_is_shown(folder: Path, target: str) -> None:
    result = run(target)

    assert 0 == result.exit_code
    assert run("show", target).stdout == result.stdout


@pytest.mark.parametrize("command", ["show", "dis", "graph", "closure"])
def test_several_targets_are_shown_one_after_the_other(folder: Path, command: str) -> None:
    targets = "app/orders.py::load", "json:dumps"
    result = run(command, *targets)

    assert 0 == result.exit_code
    assert "\n".join(run(command, target).stdout for target in targets) == result.stdout


@pytest.mark.parametrize("command", ["show", "dis", "graph", "closure"])
def test_several_targets_are_one_list_of_documents(folder: Path, command: str) -> None:
    targets = "app/orders.py::load", "nothing.py", "json:dumps"
    result = run(command, *targets, "--json")
    found = json.loads(result.stdout)

    assert 2 == result.exit_code
    assert [None, "TargetNotFound", None] == [
        each["error"] and each["error"]["type"] for each in found
    ]
    assert json.loads(run(command, targets[2], "--json").stdout) == found[2]
    assert "nothing.py" in result.stderr


def test_a_diff_of_several_compares_the_first_with_each(folder: Path) -> None:
    result = run("diff", "before/app.py", "after/app.py", "app/jobs.py")

    assert 1 == result.exit_code
    assert run("diff", "before/app.py", "app/jobs.py").stdout in result.stdout
    assert run("diff", "before/app.py", "after/app.py").stdout in result.stdout


OPTIONS = [
    ["--json"],
    ["--ascii"],
    ["--width", "70"],
    ["--no-color"],
    ["--ascii", "--width=120"],
]


@pytest.mark.parametrize("options", OPTIONS)
def test_an_option_of_all_commands_works_before_the_command(options: list[str]) -> None:
    before = run(*options, "show", "json:dumps")

    assert 0 == before.exit_code
    assert run("show", "json:dumps", *options).stdout == before.stdout
    assert run("show", *options, "json:dumps").stdout == before.stdout


def test_what_is_behind_the_command_takes_precedence() -> None:
    both = run("--width", "70", "show", "json:dumps", "--width", "120")

    assert run("show", "json:dumps", "--width", "120").stdout == both.stdout


def test_debug_before_the_command_shows_the_traceback() -> None:
    assert "Traceback" in run("--debug", "show", "json:nope").stderr
    assert "Traceback" not in run("show", "json:nope").stderr


TWO = "def f(a, b=2): return a\ndef g(): return f"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["show", "-c", TWO, "::f", "::g"], 0, "g"),
        (["verify", "-c", TWO], 0, "no violation"),
        (["verify", "-c", TWO, "::f"], 0, "1 code object: no violation"),
        (["call", "-c", TWO, "::f", "1"], 0, "binds"),
        (["call", "-c", TWO, "::g", "1"], 1, "takes 0 positional arguments but 1 was given"),
        (["diff", "-c", "def f(): return 1", "-c", "def f(): return 2"], 1, "int 2"),
        (["diff", "-c", ORDERS, "app/orders.py"], 0, "same behaviour"),
        (["capture", "-c", TWO, "::f"], 2, "nothing of <string> is live"),
    ],
)
def test_source_on_the_command_line(folder: Path, words: list[str], status: int, said: str) -> None:
    result = run(*words)

    assert status == result.exit_code, result.stderr
    assert said in result.stdout + result.stderr


@pytest.mark.parametrize("command", ["verify", "call", "diff"])
def test_text_of_the_command_line_is_not_executed(folder: Path, command: str) -> None:
    run(command, "-c", "open('ran', 'w')", *(["app/orders.py"] if command == "diff" else []))

    assert not (folder / "ran").exists()


@pytest.mark.parametrize("command", ["depends", "closure", "fingerprint", "show"])
def test_a_code_object_without_a_header_is_that_of_its_file(folder: Path, command: str) -> None:
    (folder / "bare.pyc").write_bytes((folder / "x.pyc").read_bytes()[16:])
    version = "{}.{}".format(*sys.version_info[:2])
    name = "" if command == "fingerprint" else "::load"
    bare = run(command, f"bare.pyc{name}", "--code-version", version)

    assert 0 == bare.exit_code, bare.stderr
    assert 2 == run(command, f"bare.pyc{name}").exit_code
    if command == "fingerprint":
        assert run(command, "x.pyc").stdout.split()[-1] == bare.stdout.split()[-1]


def test_two_files_without_a_header_are_compared(folder: Path) -> None:
    (folder / "bare.pyc").write_bytes((folder / "x.pyc").read_bytes()[16:])
    version = "{}.{}".format(*sys.version_info[:2])
    result = run("diff", "bare.pyc", "bare.pyc", "--code-version", version)

    assert (0, "identical") == (result.exit_code, result.stdout.split()[-1])


BAD = [
    ["show", "nothing.py"],
    ["show", "json:nothing_like_it"],
    ["show", "json:dumsp"],
    ["show", "len"],
    ["show", "app/orders.py::nothing"],
    ["show", "app/orders.py:9999"],
    ["show", "app/orders.py:total"],
    ["show", "no_such_module:f"],
    ["show", "-c", "x ="],
    ["show", "broken.pyc"],
    ["show", "app/orders.py", "--python", "3.77"],
    ["show"],
    ["shwo"],
    ["show", "json:dumps", "--widht", "80"],
    ["call", "json:dumps", "(("],
    ["call", "json:dumps", "name"],
    ["diff", "json:dumps"],
    ["capture", "app/orders.py"],
    ["verify", "nothing/"],
    ["verify", "broken.pyc"],
    ["rule", "VER99"],
    ["explain-opcode", "NOPPE"],
    ["patch", "app/orders.py", "-o", "out.pyc", "--constant", "77=78"],
    ["patch", "app/orders.py", "-o", "app/orders.py", "--constant", "30=31"],
    ["tune", "app.orders:total"],
    ["fingerprint", "app/orders.py", "--since", "nothing.json"],
]
# Words with which a step begins, or which name one.
STEP = re.compile(
    r"(Give|Write|Name|Try|Check|Correct|Compile|Did you mean|lists|coscope [a-z]+|say|These begin"
    r"|--[a-z]+|See|Put)"
)


@pytest.mark.parametrize("words", BAD, ids=" ".join)
def test_an_error_ends_with_the_next_step(folder: Path, words: list[str]) -> None:
    (folder / "broken.pyc").write_bytes(b"no")
    result = run(*words)
    (line, *_) = [line for line in result.stderr.splitlines() if line.startswith("coscope: error:")]
    last = re.split(r"(?<=[.?!]) (?=['A-Z\"])", line)[-1]

    assert 2 == result.exit_code
    assert STEP.search(last), last
    assert line.endswith((".", "?"))
