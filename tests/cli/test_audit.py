"""`coscope audit` as a user meets it: formats, baseline, cache, comments, configuration."""

from __future__ import annotations

import json
import os
import py_compile
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.audits.options import Options
from coscope.audits.running import cache as cache_module
from coscope.audits.running.engine import Audited
from coscope.cli.group import coscope
from tests.render.documents import schema

SARIF = Path(__file__).parent.parent / "audits" / "data" / "sarif-2.1.0-rtm.5.json"

needs_processes = pytest.mark.skipif(sys.platform == "emscripten", reason="starts processes")

# Would delete the file "kept" if it were executed.
SOURCE = "import os\nos.unlink('kept')\n\n\ndef total(formula):\n    return eval(formula)\n"


def run(*words: object) -> Result:
    return CliRunner().invoke(coscope, ["audit", *map(str, words)])


def findings(*words: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*words, "--json").stdout)["findings"]
    return found


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose import would delete a file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("kept").touch()
    package = tmp_path / "app"
    (package / "__pycache__").mkdir(parents=True)
    for name in ("__init__.py", "orders.py", "__pycache__/old.py"):
        (package / name).write_text(SOURCE)
    return tmp_path


def test_files_are_never_executed(tree: Path) -> None:
    result = run("app")

    assert (1, "") == (result.exit_code, result.stderr)
    assert Path("kept").exists()
    assert not list(tree.glob("app/__pycache__/*.pyc"))


def test_a_finding_shows_its_line_with_the_expression_underlined(tree: Path) -> None:
    lines = run("app/orders.py", "--width", "80").stdout.splitlines()

    assert "app/orders.py:6:12  DYN101  warning, likely" == lines[0]
    assert "  eval runs what comes from the parameter formula" == lines[1]
    assert "     6 │ return eval(formula)" == lines[2]
    assert "                ^^^^^^^^^^^^^" == lines[3]
    assert any(line.startswith("  instead   a dict of functions") for line in lines)
    assert max(map(len, lines)) <= 80


def test_hints_are_the_example_of_each_rule_once(tree: Path) -> None:
    text = run("app", "--fix-hints").stdout

    assert 1 == text.count("  example   def total(rows, formula):")
    assert 2 == text.count("DYN101  warning")


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="opcodes are those of CPython 3.13")
def test_the_tour_shows_what_is_printed(tree: Path) -> None:
    tour = (Path(__file__).parents[2] / "docs" / "tour.md").read_text(encoding="utf-8")
    section = tour.partition("## What is worth changing")[2].partition("\n## ")[0]
    blocks = re.findall("```(?:py|text)\\n(.*?)```", section, re.DOTALL)
    source, printed = blocks
    Path("orders.py").write_text(source, encoding="utf-8")
    shown = run("orders.py").stdout

    assert printed.strip() == shown.rpartition("\n\n")[0].strip()


def test_exit_statuses(tree: Path) -> None:
    Path("clean.py").write_text("x = 1\n")
    Path("broken.py").write_text("def\n")

    assert 0 == run("clean.py").exit_code
    assert 1 == run("app").exit_code
    assert 0 == run("app", "--fail-on", "error").exit_code
    assert 0 == run("app", "--ignore", "DYN101").exit_code
    assert 2 == run("app", "broken.py").exit_code
    assert 2 == run("app", "--select", "NONE").exit_code
    assert 2 == run("nowhere.py").exit_code


def test_statistics_count_the_findings_by_rule(tree: Path) -> None:
    shown = run("app", "--statistics").stdout.splitlines()

    assert ["2", "DYN101"] in [line.split()[:2] for line in shown]


def test_select_and_ignore_go_by_the_longest_beginning(tree: Path) -> None:
    assert {"DYN101"} == {each["rule"] for each in findings("app", "--select", "DYN")}
    assert [] == findings("app", "--select", "DYN", "--ignore", "DYN1")
    assert 2 == len(findings("app", "--select", "DYN101", "--ignore", "dyn1"))


def test_the_document_counts_what_it_holds(tree: Path) -> None:
    found = json.loads(run("app", "--json").stdout)

    assert ("audit", "static", None) == (found["command"], found["mode"], found["error"])
    assert (2, 4, 2, 2) == tuple(
        found["totals"][key] for key in ("files", "codes", "findings", "warnings")
    )
    assert [6, 12, 6, 25] == [
        found["findings"][0][key] for key in ("line", "column", "end_line", "end_column")
    ]


def test_sarif_is_as_its_schema_says(tree: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    Path("é 1.py").write_text("def total(é):\n    return 'é', eval(é)\n", encoding="utf-8")
    log = json.loads(run("app", "é 1.py", "--format", "sarif").stdout)
    errors = list(jsonschema.Draft4Validator(json.loads(SARIF.read_text())).iter_errors(log))
    results = log["runs"][0]["results"]
    last = results[-1]["locations"][0]["physicalLocation"]

    assert [] == [error.message for error in errors]
    assert ["DYN101"] * 3 == [each["ruleId"] for each in results]
    assert "DYN101" == log["runs"][0]["tool"]["driver"]["rules"][results[0]["ruleIndex"]]["id"]
    assert "%C3%A9%201.py" == last["artifactLocation"]["uri"]
    assert {"startLine": 2, "startColumn": 17, "endLine": 2, "endColumn": 24} == last["region"]


def test_a_fingerprint_of_sarif_stands_when_lines_move(tree: Path) -> None:
    def prints() -> list[str]:
        log = json.loads(run("app/orders.py", "--format", "sarif").stdout)
        return [each["partialFingerprints"]["coscope/v2"] for each in log["runs"][0]["results"]]

    before = prints()
    Path("app/orders.py").write_text("# one more line\n\n" + SOURCE)

    assert before == prints()


def test_github_shows_annotations(tree: Path) -> None:
    (line,) = run("app/orders.py", "--format", "github").stdout.splitlines()

    assert line.startswith("::warning title=DYN101 ")
    assert ",file=app/orders.py,line=6,endLine=6,col=12,endColumn=25::" in line


def test_a_baseline_stands_when_lines_move_and_not_when_they_change(tree: Path) -> None:
    written = run("app", "--write-baseline", "known.json")
    Path("app/orders.py").write_text("# moved\n\n\n" + SOURCE)
    moved = run("app", "--baseline", "known.json")
    Path("app/orders.py").write_text(SOURCE + "\n\ndef more(formula):\n    return eval(formula)\n")
    more = findings("app", "--baseline", "known.json")

    assert (0, "2 findings written to known.json\n") == (written.exit_code, written.stderr)
    assert 0 == moved.exit_code
    assert "2 findings more in the baseline" in moved.stdout
    assert ["more"] == [each["code"] for each in more]


@pytest.mark.parametrize("text", ["", "[]", '{"version": 9, "findings": []}', '{"version": 1}'])
def test_what_is_no_baseline_is_one_clear_error(tree: Path, text: str) -> None:
    Path("known.json").write_text(text)
    result = run("app", "--baseline", "known.json")

    assert 2 == result.exit_code
    assert 1 == result.stderr.count("\n")
    assert "known.json" in result.stderr


@pytest.mark.parametrize(
    ("comment", "count"),
    [
        ("# coscope: ignore", 0),
        ("# coscope: ignore[DYN101]", 0),
        ("# why  # coscope:ignore[SIG, dyn]", 0),
        ("# coscope: ignore[SIG101]", 1),
        ("# coscope: ignored", 1),
    ],
)
def test_a_comment_takes_a_finding_away(tree: Path, comment: str, count: int) -> None:
    Path("app/orders.py").write_text(f"{SOURCE.rstrip()}  {comment}\n")

    assert count == len(findings("app/orders.py"))


def test_a_comment_in_a_string_is_none(tree: Path) -> None:
    Path("x.py").write_text("def f(a):\n    return eval(a), '# coscope: ignore'\n")

    assert 1 == len(findings("x.py"))


def test_the_project_s_configuration(tree: Path) -> None:
    table = '[tool.coscope]\nselect = ["DYN"]\nignore = ["DYN101"]\n'
    Path("pyproject.toml").write_text(table)

    assert [] == findings("app")
    assert 2 == len(findings("app", "--no-config"))
    assert 2 == len(findings("app", "--ignore", "DYN2"))
    Path("pyproject.toml").write_text('[tool.coscope]\nexclude = ["*/orders.py"]\n')
    assert ["app/__init__.py"] == [each["file"] for each in findings("app")]
    assert 1 == len(findings("app/orders.py"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[tool.coscope]\nselct = []", "Did you mean select?"),
        ("[tool.coscope]\nselect = 1", "select is not a list"),
        ("[tool.coscope]\ncapture-limit = 'x'", "capture-limit is of the wrong type"),
        ("[tool.coscope\n", "this is not TOML"),
    ],
)
def test_a_wrong_configuration_is_one_clear_error(tree: Path, table: str, words: str) -> None:
    Path("pyproject.toml").write_text(table)
    result = run("app")

    assert 2 == result.exit_code
    assert words in result.stderr


def the_cache() -> Path:
    (file,) = Path("cache/coscope/audit").glob("*.json")
    return file


def entries() -> dict[str, Any]:
    held: dict[str, Any] = json.loads(the_cache().read_text())["entries"]
    return held


def test_the_cache_answers_for_what_has_not_changed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run("app").stdout
    monkeypatch.setattr("coscope.cli.audit_work._read", None)  # it would be called for a file
    second = run("app").stdout

    assert 1 == len(entries())  # the two files have the same bytes
    assert first == second
    assert "app/orders.py" in second
    assert "app/__init__.py" in second


def test_the_cache_is_not_written_where_nothing_is_new(tree: Path) -> None:
    run("app")
    before = the_cache().stat().st_ino
    run("app")

    assert before == the_cache().stat().st_ino


def test_the_cache_knows_of_changes_of_files_and_rules(tree: Path) -> None:
    assert 2 == len(findings("app"))
    Path("app/orders.py").write_text("x = 1\n")
    assert 1 == len(findings("app"))
    assert 0 == len(findings("app", "--select", "SIG"))


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"entries": []}',
        '{"entries": {"KEY": 1}}',
        '{"entries": {"KEY": ["x", 1, "[]", ""]}}',
        '{"entries": {"KEY": [99999, 1, "[]", ""]}}',
        '{"entries": {"KEY": [99999, 1, "[]", null]}}',
        '{"entries": {"KEY": [99999, 1, [], "0123456789abcdef0123456789abcdef"]}}',
    ],
)
def test_a_damaged_cache_is_none(tree: Path, damage: str) -> None:
    assert 2 == len(findings("app"))
    (key,) = entries()
    the_cache().write_text(damage.replace("KEY", key))

    assert 2 == len(findings("app"))
    assert [key] == list(entries())


def test_an_entry_of_another_file_or_run_is_dropped(tree: Path) -> None:
    """Its checksum is keyed by the file's bytes, and by version, interpreter, rules and options."""
    run("app", "--select", "SIG")
    (other,) = entries().values()
    the_cache().unlink()
    Path("app/orders.py").write_text("x = 1\n")
    Path("app/__init__.py").write_text("x = 1\n")
    run("app")
    (clean,) = entries().values()
    the_cache().unlink()
    Path("app/orders.py").write_text(SOURCE)
    run("app")
    ours = next(key for key, held in entries().items() if held != clean)
    for foreign in (other, clean):
        the_cache().write_text(json.dumps({"entries": {ours: foreign}}))

        assert 1 == len(findings("app"))


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_changed_entry_does_not_fit_its_checksum(tree: Path, place: int) -> None:
    run("app")
    (key,) = entries()
    entry = entries()[key]
    entry[place] = entry[place] + 1 if place == 1 else "[]"
    the_cache().write_text(json.dumps({"entries": {key: entry}}))

    assert 2 == len(findings("app"))


@pytest.mark.parametrize(
    ("table", "option", "status"),
    [
        ("", (), 1),
        ('fail-on = "error"', (), 0),
        ('fail-on = "never"', (), 0),
        ('fail-on = "error"', ("--fail-on", "warning"), 1),
        ('fail-on = "nothing"', (), 2),
    ],
)
def test_what_fails_is_configured(
    tree: Path, table: str, option: tuple[str, ...], status: int
) -> None:
    Path("pyproject.toml").write_text(f"[tool.coscope]\n{table}\n")

    assert status == run("app", "--select", "DYN", *option).exit_code


def test_no_cache_writes_nothing(tree: Path) -> None:
    run("app", "--no-cache")

    assert not Path("cache").exists()


def test_a_cache_that_cannot_be_written_is_no_error(tree: Path) -> None:
    Path("cache").write_text("in the way")

    assert 2 == len(findings("app"))
    assert "in the way" == Path("cache").read_text()


def test_what_was_not_read_for_a_month_is_swept_away(tree: Path) -> None:
    run("app")
    (key,) = entries()
    _, *held = entries()[key]
    today = int(time.time() // 86_400)
    kept = {"entries": {key: [today - 40, *held], "other": [today - 29, 1, "[]", ""]}}
    the_cache().write_text(json.dumps(kept))
    Path("app/orders.py").write_text("x = 1\n")
    Path("app/__init__.py").write_text("x = 2\n")
    run("app")

    assert key not in entries()
    assert "other" in entries()
    assert 3 == len(entries())
    assert cache_module.default_folder() == Path.cwd() / "cache/coscope/audit"


def test_files_of_other_runs_are_swept_away_when_they_are_old(tree: Path) -> None:
    run("app")
    folder = the_cache().parent
    (folder / "ab").mkdir()
    old = [folder / "old.json", folder / ".new-left", folder / "ab" / "earlier.json"]
    for file in old:
        file.touch()
        os.utime(file, (1, 1))
    os.utime(folder / ".swept", (1, 1))
    Path("app/orders.py").write_text("x = 1\n")
    run("app")

    assert not any(file.exists() for file in old)


def test_an_entry_that_is_used_lives_on(tree: Path) -> None:
    run("app")
    (key,) = entries()
    today, *held = entries()[key]
    the_cache().write_text(json.dumps({"entries": {key: [today - 20, *held]}}))
    run("app")

    assert abs(entries()[key][0] - today) <= 1  # midnight may have passed


def test_two_runs_at_once_keep_what_the_other_has_found(tree: Path) -> None:
    def cache() -> cache_module.Cache:
        return cache_module.Cache(Path("cache"), (), Options(), "python", "1")

    one, other = cache(), cache()
    one.put("a", Audited("a.py", (), 1))
    other.put("b", Audited("b.py", (), 2))
    one.save()
    other.save()

    assert [1, 2] == [getattr(cache().get(key, "x.py"), "codes", None) for key in "ab"]


@needs_processes
def test_two_processes_say_the_same(tree: Path) -> None:
    for number in range(300):
        Path(f"app/more{number}.py").write_text(SOURCE + f"\n\nLONG = '{'x' * 4000}'\n")
    one = run("app", "--no-cache", "-j", "1")
    two = run("app", "--no-cache", "-j", "2")

    assert (1, one.stdout) == (two.exit_code, two.stdout)


def test_live_imports_and_finds_what_files_do_not_tell(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("livepkg.py").write_text(
        "def grow(x, seen=[]):\n    seen.append(x)\n    return eval(x)\n\n\nassert grow('1')\n"
    )
    monkeypatch.syspath_prepend(str(tree))
    found = findings("--live", "livepkg")

    assert ["CLO102", "DYN101"] == [each["rule"] for each in found]
    assert "livepkg:grow" == found[0]["target"]
    assert "static" != json.loads(run("--live", "livepkg", "--json").stdout)["mode"]


def test_live_takes_names_of_packages(tree: Path) -> None:
    result = run("--live", "app/orders.py")

    assert 2 == result.exit_code
    assert "is no name of a package" in result.stderr


def test_the_document_is_as_its_schema_says(tree: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    Path("broken.py").write_text("def\n")
    wanted = {"$ref": "#/$defs/audit_document", "$defs": schema()["$defs"]}
    found = json.loads(run("app", "broken.py", "nowhere.py", "--json").stdout)
    errors = jsonschema.Draft202012Validator(wanted).iter_errors(found)

    assert [] == [error.message for error in errors]
    assert 2 == found["totals"]["unread"]


def test_a_compiled_file_is_audited_as_its_source_is(tmp_path: Path) -> None:
    source, compiled = tmp_path / "a.py", tmp_path / "b.pyc"
    source.write_text("import sys\n\n\ndef f():\n    eval(sys.argv[1])\n", encoding="utf-8")
    py_compile.compile(str(source), str(compiled), doraise=True)

    same = [
        [(each["code"], each["line"]) for each in findings(path)] for path in (source, compiled)
    ]

    assert same[0] == same[1] != []
