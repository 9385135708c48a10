"""`coscope verify` as a user meets it: folders, bad files, exit statuses, several processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

import coscope as public
from coscope.cli.files import items_of
from coscope.cli.group import coscope
from coscope.cli.processes import in_order
from coscope.errors import CoscopeError
from coscope.readers import read
from coscope.verifier import verify
from tests.render.documents import DATA, schema

SAMPLE = DATA / "sample-3.13.pyc"
OLD = DATA / "sample-3.8.pyc"

needs_processes = pytest.mark.skipif(sys.platform == "emscripten", reason="starts processes")
unix = pytest.mark.skipif(sys.platform in ("emscripten", "win32"), reason="signals, terminals")

# Would delete the file "kept" if it were executed; the last lines would be reached by a call only.
HARMFUL = "import os\nos.unlink('kept')\ndef total(x):\n    return x\n"


def run(*words: object) -> Result:
    return CliRunner().invoke(coscope, ["verify", *map(str, words)])


def damaged(folder: Path, *changes: tuple[str, int, int], of: Path = SAMPLE) -> Path:
    """A copy of a committed .pyc with bytes of some code objects changed: name, offset, byte."""
    data = of.read_bytes()
    for code in read(of).code.walk():
        changed = bytearray(code.code)
        for name, offset, value in changes:
            if name == code.qualname:
                changed[offset] = value
        data = data.replace(code.code, bytes(changed))
    assert data != of.read_bytes()
    path = folder / f"bad-{of.name}"
    path.write_bytes(data)
    return path


NO_SUCH_CONSTANT = ("load", 3, 200)  # of LOAD_CONST
NO_LIST = ("load", 153, 1)  # LIST_APPEND reaches an iterator


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources that are harmful when they are executed."""
    monkeypatch.chdir(tmp_path)
    Path("kept").touch()
    for name in ("b.py", "a.py", "deep/c.py", "deep/__pycache__/d.py", ".git/e.py", "deep/.f.py"):
        path = tmp_path / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HARMFUL)
    (tmp_path / "app" / "notes.txt").write_text("no Python")
    (tmp_path / "app" / "deep" / "__pycache__" / "b.pyc").write_bytes(SAMPLE.read_bytes())
    return tmp_path


# Verdicts


def test_a_clean_target_is_0_with_its_contract() -> None:
    result = run(SAMPLE, "--width", "100")

    assert (0, "") == (result.exit_code, result.stderr)
    assert "CPython 3.13.x, 11 code objects" in result.stdout
    assert "entered  run with a namespace" in result.stdout
    assert "11 code objects: no violation" == result.stdout.splitlines()[-1]


def test_a_violation_is_1_with_place_and_instructions(tmp_path: Path) -> None:
    result = run(damaged(tmp_path, NO_SUCH_CONSTANT), "--width", "100")
    lines = result.stdout.splitlines()

    assert 1 == result.exit_code
    assert "    load at sample.py:23, byte 2" in lines
    assert "    →  2  LOAD_CONST   200  <const 200: out of range>" in lines
    assert any(line.startswith("    expected  ") for line in lines)
    assert lines[-1].startswith("1 violation in 1 of 11 code objects; coscope rule VER201 explains")


@pytest.mark.parametrize(
    ("change", "rule", "stack"),
    [(NO_LIST, "VER403", "deepest first"), (NO_SUCH_CONSTANT, "VER201", "empty")],
)
def test_a_violation_shows_the_kinds_on_the_stack(
    change: tuple[str, int, int], rule: str, stack: str, tmp_path: Path
) -> None:
    text = run(damaged(tmp_path, change), "--width", "100").stdout

    assert rule in text
    assert stack in next(line for line in text.splitlines() if "    stack" in line)


def test_all_violations_are_told_not_only_the_first(tmp_path: Path) -> None:
    bad = damaged(tmp_path, NO_SUCH_CONSTANT, ("choose", 7, 250), ("outer", 5, 99))
    found = json.loads(run(bad, "--json").stdout)["reports"][0]["violations"]

    assert {"load", "choose", "outer"} <= {violation["code"] for violation in found}


def test_versions_of_which_kinds_are_not_known_say_so() -> None:
    alone = " ".join(run(OLD).stdout.split())
    several = run(OLD, SAMPLE).stdout

    assert "structural only: kinds of values are not followed" in alone
    assert "structural only for 1 of CPython 3.8 to 3.10" in several


def test_a_live_function_is_imported_and_verified() -> None:
    result = run("json:dumps")

    assert 0 == result.exit_code
    assert "arguments bound by a call" in result.stdout


def test_what_an_imported_module_prints_is_no_part_of_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prints_on_import.py").write_text("print('hello')\ndef f(): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    result = run("prints_on_import:f", "--json")

    assert json.loads(result.stdout)["ok"]
    assert "hello" in result.stderr


# Targets


def test_nothing_is_executed(tree: Path) -> None:
    result = run("app", "app/a.py", "app/a.py::total")

    assert (0, True) == (result.exit_code, Path("kept").exists())


def test_a_folder_is_walked_in_order_without_what_is_hidden(tree: Path) -> None:
    found = [item.target.replace(os.sep, "/") for item in items_of(["app"])]

    assert [
        "app/a.py",
        "app/b.py",
        "app/deep/c.py",
        "app/deep/__pycache__/b.pyc",
        "app/deep/__pycache__/d.py",
    ] == found


def test_a_target_that_is_named_twice_is_read_once(tree: Path) -> None:
    found = [item.target for item in items_of(["app/b.py", "./app//b.py", "app/", "json:dumps"])]

    assert ["app/b.py", "json:dumps"] == [found[0], found[-1]]
    assert 6 == len(found)


def test_a_named_hidden_folder_is_walked(tree: Path) -> None:
    assert [os.path.join("app/.git", "e.py")] == [each.target for each in items_of(["app/.git"])]


@unix
def test_neither_a_pipe_nor_a_link_that_leads_round_is_waited_for(tree: Path) -> None:
    os.mkfifo("app/pipe.py")
    os.symlink("..", "app/deep/round")
    os.symlink("nowhere", "app/dangling.py")

    found = items_of(["app"])

    assert [os.path.join("app", "dangling.py")] == [each.target for each in found if each.error]
    assert 6 == len(found)


def test_one_code_object_of_a_file_is_a_target(tmp_path: Path) -> None:
    bad = damaged(tmp_path, NO_SUCH_CONSTANT)

    assert [0, 1, 1] == [run(f"{bad}::{name}").exit_code for name in ("choose", "load", "<module>")]


def test_another_interpreter_compiles_sources_and_leaves_compiled_files_out(tree: Path) -> None:
    result = run("app", "--python", sys.executable, "--json")
    found = json.loads(result.stdout)

    assert 0 == result.exit_code
    assert 4 == len(found["reports"])


def test_an_interpreter_that_is_missing_is_one_error(tree: Path) -> None:
    result = run("app", "--python", "3.77")

    assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n"))


# What cannot be read


@pytest.fixture
def broken(tree: Path) -> Path:
    (tree / "app" / "b.py").write_text("def f(:\n")
    (tree / "app" / "bad.pyc").write_bytes(b"\xf3\x0d\x0d\x0a")
    return tree


def test_a_file_that_cannot_be_read_does_not_stop_the_others(broken: Path) -> None:
    result = run("app", "nowhere.py")
    errors = [line for line in result.stderr.splitlines() if line.startswith("coscope: error: ")]

    assert 2 == result.exit_code
    assert ["b.py", "bad.pyc", "nowhere.py"] == [
        name
        for line, name in zip(errors, ("b.py", "bad.pyc", "nowhere.py"), strict=True)
        if name in line
    ]
    assert (
        "17 code objects of 4 files: no violation\n3 targets could not be read\n" == result.stdout
    )


def test_an_error_weighs_more_than_a_violation(broken: Path) -> None:
    assert 2 == run(damaged(broken, NO_SUCH_CONSTANT), "app/b.py").exit_code


def test_a_single_bad_target_is_one_line(tree: Path) -> None:
    result = run("nowhere.py")

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("coscope: error: nowhere.py: there is no such file. Check ")
    assert 1 == result.stderr.count("\n")


def test_a_folder_without_code_is_an_error(tree: Path) -> None:
    (tree / "empty").mkdir()
    result = run("empty")

    assert 2 == result.exit_code
    assert "the folder has no .py and no .pyc file" in result.stderr


def test_a_fault_of_our_own_at_one_file_does_not_stop_the_others(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(target: str, **options: object) -> object:
        if "a.py" in target:
            raise ZeroDivisionError("of our own")
        return verify(target)

    monkeypatch.setattr("coscope.verifier.verify", fails)
    result = run("app")

    assert 2 == result.exit_code
    assert result.stderr.startswith("coscope: internal error: ZeroDivisionError: of our own.")
    assert "of 4 files: no violation" in result.stdout


def test_debug_shows_where_it_happened(tree: Path) -> None:
    result = run("nowhere.py", "--debug")

    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("coscope: error: ")


def test_no_target_is_wrong_use() -> None:
    result = run()

    assert (2, 1) == (result.exit_code, result.stderr.count("\n"))


# The document


def faults(found: Any) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema")
    wanted = {"$ref": "#/$defs/verify_document", "$defs": schema()["$defs"]}
    return [error.message for error in jsonschema.Draft202012Validator(wanted).iter_errors(found)]


def test_the_document_is_as_its_schema_says(broken: Path) -> None:
    bad = damaged(broken, NO_SUCH_CONSTANT, NO_LIST)
    words = (["app", bad, OLD, "json:dumps", "nowhere.py"], [bad], ["nowhere.py"], [SAMPLE])
    found = [json.loads(run(*each, "--json").stdout) for each in words]

    assert [[]] * 4 == [faults(each) for each in found]
    assert [False, False, False, True] == [each["ok"] for each in found]


def test_the_document_counts_and_tells_every_target(broken: Path) -> None:
    found = json.loads(run("app", damaged(broken, NO_SUCH_CONSTANT), "--json").stdout)
    told = [
        (each["target"].replace(os.sep, "/").rpartition("/")[2], each["ok"], bool(each["error"]))
        for each in found["reports"]
    ]

    assert [
        ("a.py", True, False),
        ("b.py", False, True),
        ("bad.pyc", False, True),
        ("c.py", True, False),
        ("b.pyc", True, False),
        ("d.py", True, False),
        ("bad-sample-3.13.pyc", False, False),
    ] == told
    assert (5, 2, 1, 1) == tuple(
        found["totals"][key] for key in ("targets", "errors", "violations", "faulty_codes")
    )


def test_the_file_is_the_one_that_was_read(tmp_path: Path) -> None:
    bad = damaged(tmp_path, NO_SUCH_CONSTANT)
    violation = json.loads(run(bad, "--json").stdout)["reports"][0]["violations"][0]

    assert (str(bad), "sample.py") == (violation["file"], violation["filename"])


def test_a_report_gives_the_same_document(tmp_path: Path) -> None:
    bad = damaged(tmp_path, NO_SUCH_CONSTANT, NO_LIST)
    printed = json.loads(run(bad, "--json").stdout)
    report = public.verify(bad).to_json()

    assert [] == faults(report)
    assert {**printed["reports"][0], "target": "<module>"} == report["reports"][0]


# Output


def test_pages_are_ascii_on_request(tmp_path: Path) -> None:
    bad = damaged(tmp_path, NO_SUCH_CONSTANT, NO_LIST)
    result = run(bad, "nöwhere.py", "--ascii")

    assert result.stdout.isascii()
    assert result.stderr.isascii()
    assert "->" in result.stdout


def test_names_from_files_cannot_command_the_terminal(tmp_path: Path) -> None:
    """Names of the same length as the sample's, so that the file stays well-formed."""
    bad = damaged(tmp_path, NO_SUCH_CONSTANT)
    bad.write_bytes(bad.read_bytes().replace(b"sample.py", b"\x1b]0;t\x07\x1b[K"))
    bad.write_bytes(bad.read_bytes().replace(b"load", b"\x1b[2J"))
    result = run(bad, tmp_path / "\x1b[31m.py")

    assert 2 == result.exit_code
    assert "\\x1b[2J at \\x1b]0;t\\x07\\x1b[K:23" in result.stdout
    assert "\x1b" not in result.stdout + result.stderr


def process(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    deciding = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TERM")
    inherited = {name: value for name, value in os.environ.items() if name not in deciding}
    return subprocess.run(
        [sys.executable, "-m", "coscope", "verify", *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        env={**inherited, "PYTHONIOENCODING": "utf-8", **environment},
    )


@needs_processes
def test_colours_are_for_who_wants_them(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    bad = damaged(tmp_path, NO_SUCH_CONSTANT)
    wanting = {"FORCE_COLOR": "1", "TERM": "xterm"}

    assert ["\x1b" in process(bad, **each).stdout for each in (wanting, {})] == [True, False]
    assert "\x1b" not in process(bad, NO_COLOR="1", **wanting).stdout
    assert "\x1b" not in process(bad, "--no-color", **wanting).stdout


@needs_processes
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_closed_pipe_is_quiet(tree: Path, jobs: str) -> None:
    bad = damaged(tree, NO_SUCH_CONSTANT)
    for number in range(60):
        (tree / "app" / f"{number}.pyc").write_bytes(bad.read_bytes())
    words = [sys.executable, "-m", "coscope", "verify", "app", "--json", "-j", jobs]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.read(100)
    child.stdout.close()
    errors = child.stderr.read() if child.stderr is not None else b""

    assert (b"", 141) == (errors, child.wait())


# Several processes


def many(folder: Path, count: int = 80) -> Path:
    """A folder of files that make several portions, some of them bad."""
    for number in range(count):
        bad = number % 7 == 0
        text = "def f(:\n" if bad else f"x = {number}\n" + "# padding\n" * 1000
        (folder / f"{number:03}.py").write_text(text)
    return folder


@needs_processes
def test_several_processes_give_the_same_answer_in_the_same_order(tmp_path: Path) -> None:
    folder = many(tmp_path)
    words = folder, "json:dumps", damaged(tmp_path, NO_SUCH_CONSTANT), folder / "nowhere.py"
    one, two = ([run(*words, "-j", jobs, *form) for form in ((), ("--json",))] for jobs in (1, 2))

    assert [each.stdout for each in one] == [each.stdout for each in two]
    assert [each.stderr for each in one] == [each.stderr for each in two]
    assert [2] * 4 == [each.exit_code for each in (*one, *two)]


@needs_processes
def test_as_many_processes_as_cores(tmp_path: Path) -> None:
    assert "of 69 files" not in run(many(tmp_path), "-j", "0").stdout
    assert "of 68 files" in run(tmp_path, "-j", "0").stdout


@needs_processes
def test_results_come_in_the_order_of_the_tasks() -> None:
    tasks = [range(2_000_000), [1], [2], [3], [4]]  # the first is done last
    results = in_order(sum, tasks, 2, stays=lambda task: task == [3])

    assert [sum(range(2_000_000)), 1, 2, 3, 4] == list(results)


def _only_here(number: int) -> int:
    return number


@needs_processes
def test_a_task_that_a_process_cannot_load_is_an_error() -> None:
    with pytest.raises(CoscopeError, match="crashed"):
        list(in_order(_only_here, [1, 2, 3], 2))


@needs_processes
def test_what_a_task_raises_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_order(partial(divmod, 1), [1, 0, 2], 2))


@needs_processes
def test_a_process_that_dies_is_an_error() -> None:
    with pytest.raises(CoscopeError, match="crashed"):
        list(in_order(os._exit, [1, 2, 3], 2))  # type: ignore[arg-type]


@needs_processes
def test_a_process_that_dies_leaves_a_whole_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*arguments: object, **options: object) -> Any:
        return in_order(os._exit, [1, 2, 3], 2)

    monkeypatch.setattr("coscope.cli.processes.in_order", dies)
    result = run(many(tmp_path), "--json")
    found = json.loads(result.stdout)

    assert (2, [], False) == (result.exit_code, faults(found), found["ok"])
    assert "crashed" in found["error"]["message"]


def heeds_interrupts() -> None:
    """A shell starts what it runs in the background with SIGINT ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@unix
@pytest.mark.parametrize("whole_group", [True, False])
def test_an_interrupt_ends_at_once_and_leaves_no_process(whole_group: bool) -> None:
    library = Path(os.__file__).parent
    child = subprocess.Popen(
        [sys.executable, "-m", "coscope", "verify", str(library), "-j", "2", "--json"],
        bufsize=0,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heeds_interrupts,
    )
    assert child.stdout is not None
    child.stdout.read(1)  # it has begun
    time.sleep(0.5)
    (os.killpg if whole_group else os.kill)(child.pid, signal.SIGINT)
    _, errors = child.communicate(timeout=120)  # until nobody holds the other ends any more

    assert (130, b"") == (child.returncode, errors.replace(b"\n", b""))


# Progress

PROGRESS = """
import sys
from coscope.cli import progress
from coscope.cli.group import coscope
progress.PATIENCE = float(sys.argv[1])
sys.exit(coscope(["verify", *sys.argv[2:]]))
"""


def on_terminal(patience: float, *words: object) -> tuple[str, str]:
    """What `coscope verify` writes to a pipe, and to a terminal on standard error."""
    import pty

    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRESS, str(patience), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        encoding="utf-8",
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        shown += data
    os.close(ours)
    out = child.stdout.read() if child.stdout is not None else ""
    child.wait()
    return out, shown.decode("utf-8", "replace")


@unix
def test_who_waits_at_a_terminal_sees_a_bar_and_loses_no_output(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    folder = many(tmp_path)
    damaged(tmp_path, NO_SUCH_CONSTANT)
    out, shown = on_terminal(0, folder)

    assert "targets" in shown
    assert "/81" in shown
    assert "VER201" in out
    assert out.endswith("12 targets could not be read\n")
    assert "\x1b" not in out


@unix
def test_who_does_not_wait_sees_no_bar(tmp_path: Path) -> None:
    assert "targets" not in on_terminal(60, many(tmp_path, 3))[1]


@needs_processes
def test_a_pipe_gets_no_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coscope.cli.progress.PATIENCE", 0)
    (tmp_path / "a.py").write_text("")

    assert "" == run(tmp_path).stderr


# The public function


def test_verify_takes_what_read_takes(tmp_path: Path) -> None:
    def plain(x: int) -> int:
        return x + 1

    function = read(plain)
    targets: list[Any] = [plain, plain.__code__, function, function.code, "json:dumps", SAMPLE]

    assert [True] * 6 == [public.verify(target).ok for target in targets]


def test_verify_names_the_file_of_what_it_read(tmp_path: Path) -> None:
    bad = damaged(tmp_path, NO_SUCH_CONSTANT)

    def files(target: Any, **options: Any) -> set[str | None]:
        report = public.verify(target, **options)
        return {report.file, *(violation.file for violation in report.violations)}

    assert {str(bad)} == files(bad) == files(str(bad)) == files(f"{bad}::load")
    assert {"sample.py"} == files(read(bad)) == files(read(bad).code)
    assert {"other"} == files(bad, file="other")
    assert __file__ == public.verify(files).file


def test_code_objects_of_one_name_are_told_apart(tmp_path: Path) -> None:
    bad = damaged(tmp_path, NO_SUCH_CONSTANT, ("choose", 7, 250))
    report = public.verify(bad)
    codes = list(report.code.walk())

    assert {"load", "choose"} == {violation.code for violation in report.violations}
    assert [codes[each.number].qualname for each in report.violations] == [
        each.code for each in report.violations
    ]


def test_a_report_prints_and_displays(tmp_path: Path) -> None:
    report = public.verify(damaged(tmp_path, NO_SUCH_CONSTANT))
    bundle = report._repr_mimebundle_()

    assert "load at sample.py:23, byte 2" in str(report)
    assert "&lt;const 200: out of range&gt;" in bundle["text/html"]
    assert report.to_json() == bundle["application/vnd.coscope+json"]


def test_the_document_names_its_target() -> None:
    document = json.loads(run("json:dumps", "--json").stdout)

    assert document["target"] == "json:dumps"
