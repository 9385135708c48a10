"""The commands as a user meets them: pages, errors, exit statuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import COMMANDS, coscope

SHOWING = ("show", "dis", "graph")  # their document is the report; see docs/schema.md

WITHOUT = {
    ("capture", "--python"),
    ("rule", "--python"),
    ("attach", "--python"),
    ("coverage", "--python"),
    ("explain", "--python"),
    ("mcp", "--python"),
    ("explain-opcode", "--python"),
}  # live only; reads no code

DATA = Path(__file__).parents[1] / "render" / "data"
SAMPLE = str(DATA / "sample-3.13.pyc")


def run(*words: str, **options: object) -> Result:
    return CliRunner().invoke(coscope, list(words), **options)  # type: ignore[arg-type]


def process(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coscope", *words],
        capture_output=True,
        encoding="utf-8",
        env={**_environment(), "PYTHONIOENCODING": "utf-8", **environment},
    )


def _environment() -> dict[str, str]:
    """The environment, without what decides about width and colours."""
    deciding = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TERM")
    return {name: value for name, value in os.environ.items() if name not in deciding}


needs_processes = pytest.mark.skipif(sys.platform == "emscripten", reason="starts a process")


@pytest.mark.parametrize("command", sorted({*COMMANDS} - {"corpus", "completion"}))  # not pages
def test_every_command_has_the_common_options(command: str) -> None:
    text = run(command, "--help").output

    assert [] == [
        option
        for option in ("--json", "--no-color", "--width", "--ascii", "--debug", "--python")
        if option not in text and (command, option) not in WITHOUT
    ]


def test_show_says_what_is_imported_and_what_is_not_executed() -> None:
    text = " ".join(run("show", "--help").output.split())

    assert "this imports json, and so runs it" in text
    assert "compiled, never executed" in text


@pytest.mark.parametrize("command", SHOWING)
@pytest.mark.parametrize("target", ["json:dumps", SAMPLE, f"{SAMPLE}::load"])
def test_every_command_takes_every_kind_of_target(command: str, target: str) -> None:
    result = run(command, target)

    assert (0, "") == (result.exit_code, result.stderr)
    assert result.stdout


@pytest.mark.parametrize("command", SHOWING)
def test_json_is_the_document(command: str) -> None:
    found = json.loads(run(command, f"{SAMPLE}::choose", "--json").stdout)

    assert "choose" == found["codes"][0]["qualname"]
    assert found["error"] is None


def test_a_file_is_a_tree_and_all_adds_the_cards() -> None:
    tree = run("show", SAMPLE).output
    cards = run("show", SAMPLE, "--all").output

    assert "Bytecode" not in tree
    assert tree.count("\n") - 2 == cards.count("CPython 3.13.x  ") + cards.count("CPython 3.13.x │")


def test_module_names_the_own_code_of_a_file() -> None:
    assert "─ module ─╮" in run("show", f"{SAMPLE}::<module>").output


ERRORS = {
    "missing file": (["show", "nowhere.py"], "there is no such file"),
    "missing module": (["show", "nowhere_at_all:x"], "there is no module"),
    "missing name": (["show", "json:nope"], "has no attribute 'nope'"),
    "missing code": (["show", f"{SAMPLE}::nope"], "no code object is named 'nope'"),
    "no target": (["show"], "Missing argument 'TARGET'"),
    "no command": (["shw", "x"], "There is no command 'shw'. Did you mean show?"),
    "bad option": (["show", "x", "--colour"], "--colour"),
    "narrow": (["show", "json:dumps", "--width", "10"], "10"),
    "interpreter": (["show", __file__, "--python", "3.77"], "3.77"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_one_clear_line(case: str) -> None:
    words, expected = ERRORS[case]
    result = run(*words)

    assert (2, "") == (result.exit_code, result.stdout)
    assert 1 == result.stderr.count("\n")
    assert result.stderr.startswith("coscope: error: ")
    assert expected in result.stderr


def test_a_c_function_shows_signature_and_doc() -> None:
    result = run("show", "builtins:len")

    assert 2 == result.exit_code
    assert "<built-in function len> has no code object" in result.stderr
    assert "  signature  len(obj, /)\n" in result.stderr
    assert "  doc        Return the number of items in a container.\n" in result.stderr


def test_a_syntax_error_has_a_caret(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("def f():\n    return 2 + = 1\n", encoding="utf-8")
    result = run("show", str(bad))
    head, line, caret = result.stderr.splitlines()

    assert 2 == result.exit_code
    assert head.startswith(f"coscope: error: {bad}, line 2: ")
    assert "    return 2 + = 1" == line
    assert line.index("=") == caret.index("^")


def test_an_import_that_raises_is_told_safely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raises_on_import.py").write_text('raise ValueError("a\\x1b[31m\\nb")\n')
    monkeypatch.syspath_prepend(tmp_path)
    result = run("show", "raises_on_import:x")

    assert 2 == result.exit_code
    assert 1 == result.stderr.count("\n")
    assert "ValueError: a\\x1b[31m" in result.stderr


@pytest.mark.parametrize("data", [b"", b"abc", b"\xf3\x0d\x0d\x0a" + b"\0" * 12, b"\0" * 64])
def test_a_corrupt_pyc_is_one_line(data: bytes, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pyc"
    bad.write_bytes(data)
    result = run("show", str(bad))

    assert (2, 1) == (result.exit_code, result.stderr.count("\n"))


def test_an_error_has_a_document_too() -> None:
    result = run("show", "builtins:len", "--json")
    found = json.loads(result.stdout)

    assert 2 == result.exit_code
    assert "builtins:len" == found["target"]
    assert "len(obj, /)" == found["error"]["signature"]


def test_debug_shows_where_it_happened() -> None:
    result = run("show", "nowhere.py", "--debug")

    assert "Traceback" in result.stderr
    assert "coscope: error: " in result.stderr.splitlines()[-1]


def broken(*arguments: object, **options: object) -> None:
    raise ZeroDivisionError("of our own")


def interrupted(*arguments: object, **options: object) -> None:
    raise KeyboardInterrupt


def test_a_fault_of_our_own_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coscope.render.document.targets.report", broken)
    result = run("show", "json:dumps")

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("coscope: internal error: ZeroDivisionError: of our own.")
    assert "report" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coscope.render.document.targets.report", interrupted)

    assert 130 == run("show", "json:dumps").exit_code


@needs_processes
def test_a_pipe_has_no_colours_and_a_hundred_cells() -> None:
    text = process("show", "json:dumps").stdout

    assert "\x1b" not in text
    assert 100 == max(map(len, text.splitlines()[:5]))


@needs_processes
@pytest.mark.parametrize(("words", "environment"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"})])
def test_colours_can_be_refused(words: list[str], environment: dict[str, str]) -> None:
    pytest.importorskip("rich")
    environment = {"FORCE_COLOR": "1", "TERM": "xterm", **environment}

    assert "\x1b" not in process("show", "json:dumps", *words, **environment).stdout


@needs_processes
def test_colours_do_not_change_the_text() -> None:
    pytest.importorskip("rich")
    plain = process("show", "json:dumps").stdout
    coloured = process("show", "json:dumps", FORCE_COLOR="1", TERM="xterm-256color").stdout
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)

    assert "\x1b[" in coloured
    assert plain == "".join(line.rstrip() + "\n" for line in bare.splitlines())


@needs_processes
def test_columns_give_the_width() -> None:
    text = process("show", "json:dumps", COLUMNS="72").stdout

    assert 72 == len(text.splitlines()[0])


@needs_processes
def test_an_output_that_is_no_unicode_gets_ascii() -> None:
    text = process("show", "json:dumps", PYTHONIOENCODING="ascii").stdout

    assert text.isascii()
    assert "+- json.dumps -" in text


@needs_processes
def test_a_closed_pipe_is_quiet() -> None:
    program = (
        "import subprocess, sys\n"
        "command = [sys.executable, '-m', 'coscope', 'dis', sys.argv[1]]\n"
        "p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)\n"
        "p.stdout.readline(); p.stdout.close(); error = p.stderr.read(); p.wait()\n"
        "print(p.returncode, error)"
    )
    import argparse

    found = subprocess.run(
        [sys.executable, "-c", program, argparse.__file__], capture_output=True, encoding="utf-8"
    )

    assert "0 b''\n" == found.stdout


@needs_processes
def test_help_loads_neither_rich_nor_the_readers() -> None:
    program = (
        "import sys\n"
        "from coscope.cli.group import coscope\n"
        "try: coscope(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = ('rich', 'coscope.readers', 'coscope.codec', 'coscope.opcodes', 'tomllib')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8")

    assert "[]\n" == found.stderr


@needs_processes
def test_a_page_without_colours_does_not_load_rich() -> None:
    program = (
        "import sys\n"
        "from coscope.cli.group import coscope\n"
        "try: coscope(['show', 'json:dumps'])\n"
        "except SystemExit: pass\n"
        "print('rich' in sys.modules, file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8")

    assert "False\n" == found.stderr


@needs_processes
def test_version() -> None:
    from importlib.metadata import version

    assert f"coscope {version('coscope')}\n" == process("--version").stdout


def test_optimize_compiles_without_asserts(tmp_path: Path) -> None:
    file = tmp_path / "checked.py"
    file.write_text("def f(x):\n    assert x\n    return x\n")

    assert "raise" in run("graph", f"{file}::f").stdout
    assert "raise" not in run("graph", f"{file}::f", "--optimize", "1").stdout


def test_optimize_is_for_source_files() -> None:
    result = run("show", SAMPLE, "--optimize", "1")

    assert 2 == result.exit_code
    assert "expected a source file" in result.stderr


@needs_processes
def test_versions_are_set_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "source.py"
    path.write_text("def f(x):\n    return [y for y in x]\n")
    pythons = f"{sys.executable},{sys.executable}"
    result = run("dis", f"{path}::f", "--versions", pythons)
    document = json.loads(run("dis", str(path), "--versions", pythons, "--json").stdout)

    assert 0 == result.exit_code
    assert "the same in all of them" in result.stdout
    assert "versions" == document["command"]
    assert 2 == len(document["documents"])


@pytest.mark.parametrize("words", [["--versions", "3.13"], ["--versions", "a,b", "--python", "c"]])
def test_versions_are_two_or_more(words: list[str]) -> None:
    assert 2 == run("dis", SAMPLE, *words).exit_code


@needs_processes
def test_versions_need_a_source_file() -> None:
    result = run("dis", "json:dumps", "--versions", f"{sys.executable},{sys.executable}")

    assert 2 == result.exit_code
    assert 1 == result.output.count("\n")
