"""`coscope audit` in CI: excluded files that are named, notebooks, links, fingerprints, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from coscope.errors import SourceError
from coscope.readers.notebooks import read_notebook

SOURCE = "def total(formula):\n    return eval(formula)\n"


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("app.py", "gen/made.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SOURCE, encoding="utf-8")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["audit", *words])


def files(*words: str) -> set[str]:
    found = json.loads(run("--json", *words).stdout)["findings"]
    return {each["file"].removeprefix("./") for each in found}


def configure(text: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.coscope]\n{text}\n", encoding="utf-8")


@pytest.mark.parametrize("named", [["gen/made.py"], ["./gen/made.py", "app.py"]])
def test_a_named_file_is_left_out_only_by_force(named: list[str]) -> None:
    configure('exclude = ["*/gen/*"]')
    without = files(*named)
    configure('exclude = ["*/gen/*"]\nforce-exclude = true')
    config = files(*named)
    configure('exclude = ["*/gen/*"]')

    assert {"gen/made.py"} == without - {"app.py"}
    assert set() == config - {"app.py"}
    assert config == files("--force-exclude", *named)


def test_nothing_is_left_when_all_are_excluded() -> None:
    result = run("--force-exclude", "--exclude", "*.py", "app.py")

    assert (0, "0 files: no finding\n") == (result.exit_code, result.output)


@pytest.mark.parametrize(
    "text",
    [
        'select = ["QQQ"]',
        'ignore = ["PERF", "NO1"]',
        'force-exclude = "yes"',
        'fail-on = "always"',
        "capture-limit = -1",
        "unknown = 1",
    ],
)
def test_an_error_in_a_configuration_names_its_file(text: str) -> None:
    configure(text)
    result = run("app.py")

    assert 2 == result.exit_code
    assert "pyproject.toml" in result.stderr


def notebook(*cells: str, language: str = "python") -> dict[str, Any]:
    made: list[dict[str, Any]] = [{"cell_type": "markdown", "source": ["# Title"], "metadata": {}}]
    for source in cells:
        lines = source.splitlines(keepends=True)
        made.append({"cell_type": "code", "source": lines, "metadata": {}, "outputs": []})
    metadata = {"kernelspec": {"language": language, "name": "x", "display_name": "x"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}


def write(name: str, *cells: str, language: str = "python") -> None:
    Path(name).write_text(json.dumps(notebook(*cells, language=language)), encoding="utf-8")


def test_a_notebook_is_read_by_cell_and_line() -> None:
    write("book.ipynb", "%matplotlib inline\nx = !ls\n", "%%bash\nls |\n", "\n" + SOURCE)
    result = run("book.ipynb")
    (found,) = json.loads(run("--json", "book.ipynb").stdout)["findings"]

    assert "book.ipynb:cell 4:3:12  DYN101" in result.output
    assert "3 │ return eval(formula)" in result.output
    assert (4, 3, 3) == (found["cell"], found["line"], found["end_line"])


def test_formats_say_the_cell_and_no_line_of_another_text() -> None:
    write("book.ipynb", SOURCE)
    (result,) = json.loads(run("--format", "sarif", "book.ipynb").stdout)["runs"][0]["results"]
    line = run("--format", "github", "book.ipynb").stdout

    assert result["message"]["text"].startswith("cell 2, line 2: eval runs")
    assert "region" not in result["locations"][0]["physicalLocation"]
    assert ",file=book.ipynb::cell 2, line 2: eval runs" in line


def test_a_folder_s_notebooks_are_read_and_comments_ignore() -> None:
    write("gen/book.ipynb", SOURCE.replace("formula)\n", "formula)  # coscope: ignore\n"))
    write("gen/other.ipynb", SOURCE)

    assert {"gen/made.py", "gen/other.ipynb"} == files("gen")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("json", "{"),
        ("list", "[]"),
        ("old", '{"worksheets": []}'),
        ("language", json.dumps(notebook("x <- 1", language="R"))),
        ("syntax", json.dumps(notebook("x = 1", "def f(:\n"))),
        ("empty", ""),
        ("bytes", "\udcff"),
    ],
)
def test_what_cannot_be_read_is_refused_and_is_no_all_clear(name: str, text: str) -> None:
    Path(f"{name}.ipynb").write_bytes(text.encode("utf-8", "surrogateescape"))
    result = run(f"{name}.ipynb")

    assert 2 == result.exit_code
    assert f"{name}.ipynb" in result.stderr
    assert "1 target could not be read" in result.stdout


def test_the_fault_of_a_cell_is_placed_in_the_cell() -> None:
    with pytest.raises(SourceError, match="syntax error in cell 3") as raised:
        read_notebook(json.dumps(notebook("x = 1\n" * 9, "y = 1\ndef f(:\n")).encode(), "x.ipynb")

    assert 2 == raised.value.line


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("%time f()\n", "pass  # %time f()\n"),
        ("if x:\n    !ls\n", "if x:\n    pass  # !ls\n"),
        ("f?\n", "pass  # f?\n"),
        ("a = %time f()\n", "a = None  # %time f()\n"),
        ("a = b % c\n", "a = b % c\n"),
        ('a = """\n%d\n"""\n', 'a = """\n%d\n"""\n'),
        ("%%time\nf()\n", "# %%time\nf()\n"),
        ("%%html\n<b>\n", "# %%html\n# <b>\n"),
        ("!ls \\\n -l\nx = 1\n", "pass  # !ls \\\n#  -l\nx = 1\n"),
        ("await f()\n", "await f()\n"),
        ("x = 1", "x = 1\n"),
        ("", ""),
    ],
)
def test_what_ipython_alone_understands_keeps_its_line(cell: str, text: str) -> None:
    assert text == read_notebook(json.dumps(notebook(cell)).encode(), "x.ipynb").text


def test_a_future_import_of_a_later_cell_is_no_fault() -> None:
    write("book.ipynb", "x = 1\n", "from __future__ import annotations\n" + SOURCE)

    assert {"book.ipynb"} == files("book.ipynb")


def test_every_format_links_the_page_of_the_rule() -> None:
    url = "https://github.com/coscope/coscope/blob/main/docs/rules/DYN101.md"
    sarif = json.loads(run("--format", "sarif", "app.py").stdout)
    rules = {each["id"]: each for each in sarif["runs"][0]["tool"]["driver"]["rules"]}

    assert url == rules["DYN101"]["helpUri"]
    assert url in run("--format", "github", "app.py").stdout
    assert url == json.loads(run("--json", "app.py").stdout)["findings"][0]["url"]
    assert url in run("app.py").stdout
    assert (Path(__file__).parents[2] / "docs" / "rules" / "DYN101.md").exists()


def test_fingerprints_survive_moves() -> None:
    def prints(file: str, text: str) -> list[str]:
        Path(file).write_text(text, encoding="utf-8")
        log = json.loads(run("--format", "sarif", file).stdout)
        return [each["partialFingerprints"]["coscope/v2"] for each in log["runs"][0]["results"]]

    before = prints("app.py", SOURCE)
    inside = "class Shop:\n" + "".join(f"    {line}\n" for line in SOURCE.splitlines())

    assert len(before) == 1
    assert before == prints("elsewhere.py", "\n\n" + SOURCE)
    assert before == prints("app.py", inside)
    assert before != prints("app.py", SOURCE.replace("formula", "text"))
    assert (
        len(
            set(
                prints(
                    "app.py", SOURCE + SOURCE.replace("    return", "    eval(formula)\n    return")
                )
            )
        )
        == 3
    )


FIXABLE = 'def f(rows):\n    return ["{}: {}".format(row, 1) for row in rows]\n'


def test_diff_writes_nothing_and_fix_does() -> None:
    Path("app.py").write_text(FIXABLE, encoding="utf-8")
    diff = run("--diff", "app.py")
    kept = Path("app.py").read_text(encoding="utf-8")
    document = json.loads(run("--json", "--fix", "app.py").stdout)
    after = Path("app.py").read_text(encoding="utf-8")

    assert FIXABLE == kept
    assert '+    return [f"{row}: {1}" for row in rows]' in diff.stdout
    assert '    return [f"{row}: {1}" for row in rows]\n' in after
    assert ([], 1, True) == (
        document["findings"],
        document["fixes"][0]["fixed"],
        document["fixes"][0]["written"],
    )
    assert "no finding" in run("--fix", "app.py").stdout


def test_line_ends_stay_and_links_lead_to_the_file() -> None:
    Path("app.py").write_bytes(FIXABLE.replace("\n", "\r\n").encode())
    Path("link.py").symlink_to("app.py")
    run("--fix", "link.py")

    assert Path("link.py").is_symlink()
    assert b'    return [f"{row}: {1}" for row in rows]\r\n' in Path("app.py").read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"# -*- coding: latin-1 -*-\n# \xe9\n" + FIXABLE.encode(),
        b"\xef\xbb\xbf" + FIXABLE.encode(),
        FIXABLE.encode().replace(b"\n", b"\r\n", 1),
    ],
)
def test_a_file_whose_other_bytes_would_change_is_left_alone(data: bytes) -> None:
    Path("app.py").write_bytes(data)
    result = run("--fix", "app.py")

    assert data == Path("app.py").read_bytes()
    assert "PERF308" in result.stdout


def test_what_a_comment_ignores_is_not_fixed() -> None:
    text = FIXABLE.replace("rows]\n", "rows]  # coscope: ignore\n")
    Path("app.py").write_text(text, encoding="utf-8")
    run("--fix", "app.py")

    assert text == Path("app.py").read_text(encoding="utf-8")


def test_fix_goes_with_files() -> None:
    result = run("--fix", "--live", "json")

    assert 2 == result.exit_code
    assert "--fix" in result.stderr
