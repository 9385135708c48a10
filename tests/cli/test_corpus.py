"""`coscope corpus` as a user meets it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("pyarrow", reason="coscope[corpus] is not installed")
pytest.importorskip("duckdb", reason="coscope[corpus] is not installed")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from tests.render.documents import schema

COMMANDS = ("scan", "sql", "ask", "schema", "diff")


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["corpus", *words])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two corpora of two versions of a file."""
    root = tmp_path_factory.mktemp("corpus")
    for name, text in (("a", "def f(x): return eval(x)\n"), ("b", "def f(x): return x\n")):
        (root / name).mkdir()
        (root / name / "m.py").write_text(text)
        assert 0 == run("scan", str(root / name), "-o", str(root / f"{name}-corpus")).exit_code
    return root / "a-corpus", root / "b-corpus"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_common_options_and_two_examples(command: str) -> None:
    text = run(command, "--help").output

    assert [] == [
        option
        for option in ("--json", "--no-color", "--width", "--ascii", "--debug")
        if option not in text
    ]
    assert 2 <= text.count(f"coscope corpus {command}")


def test_scan_says_what_it_did(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("x = 1\n")
    result = run("scan", str(tmp_path / "m.py"), "-o", str(tmp_path / "c"))

    assert 0 == result.exit_code
    assert "1 code objects" in result.output
    assert "1 files, 1 different contents: 1 read, 0 stored already" in result.output


def test_scan_says_that_it_had_it_already(folders: tuple[Path, Path]) -> None:
    result = run("scan", str(folders[0].parent / "a"), "-o", str(folders[0]))

    assert "0 read, 1 stored already" in result.output


def test_sql_prints_a_table(folders: tuple[Path, Path]) -> None:
    result = run("sql", str(folders[0]), "select qualname from codes order by code")

    assert ["qualname", "<module>", "f", "", "2 rows"] == result.output.splitlines()


def test_ask_lists_the_questions(folders: tuple[Path, Path]) -> None:
    output = run("ask", str(folders[0])).output

    assert "opcode-pairs" in output
    assert "Which opcodes follow one another most often?" in output


def test_ask_answers_and_draws(folders: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("ask", str(folders[0]), "opcode-frequency")

    assert 0 == result.exit_code
    assert "█" in result.output


@pytest.mark.skipif(not find_spec("altair"), reason="Altair is not installed")
@pytest.mark.parametrize("ending", ["svg", "html"])
def test_pictures_need_no_network(ending: str, folders: tuple[Path, Path], tmp_path: Path) -> None:
    picture = tmp_path / f"out.{ending}"
    result = run("ask", str(folders[0]), "opcode-frequency", "--plot", str(picture))
    text = picture.read_text(encoding="utf-8")

    assert 0 == result.exit_code
    assert "LOAD_GLOBAL" in text
    assert "<script src=" not in text


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("schema", ("schema",)),
        ("questions", ("ask", "{a}")),
        ("answer", ("ask", "{a}", "dynamic-code-sites")),
        ("answer", ("sql", "{a}", "select * from codes")),
        ("diff", ("diff", "{a}", "{b}")),
        ("scan", ("scan", "{a}/../a", "-o", "{a}")),
    ],
)
def test_every_document_fits_the_schema(
    kind: str, words: tuple[str, ...], folders: tuple[Path, Path]
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    filled = [word.format(a=folders[0], b=folders[1]) for word in words]
    found = json.loads(run(*filled, "--json").output)
    wanted = {"$ref": f"#/$defs/corpus_{kind}_document", "$defs": schema()["$defs"]}

    assert [] == list(jsonschema.Draft202012Validator(wanted).iter_errors(found))


def test_diff_exits_with_one_if_anything_differs(folders: tuple[Path, Path]) -> None:
    differing, equal = (
        run("diff", *map(str, folders)),
        run("diff", str(folders[0]), str(folders[0])),
    )

    assert (1, 0) == (differing.exit_code, equal.exit_code)
    assert "changed" in differing.output
    assert "no difference" in equal.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("scan", "{a}/nothing", "-o", "{a}"), "there is no such file or folder"),
        (("ask", "{a}/nothing", "packages"), "not a corpus"),
        (("ask", "{a}", "nothing"), "there is no question"),
        (("sql", "{a}", "selec"), "DuckDB refuses the query"),
        (("sql", "{a}", "select 1", "--memory", "much"), "not a size of memory"),
        (("ask", "{a}", "urls", "--plot", "x.svg"), "has no picture"),
        (("ask", "{a}", "packages", "--plot", "x.doc"), "not a picture"),
    ],
)
def test_bad_use_is_one_line_and_status_two(
    words: tuple[str, ...], said: str, folders: tuple[Path, Path]
) -> None:
    result = run(*(word.format(a=folders[0]) for word in words))

    assert 2 == result.exit_code
    assert said in result.stderr
    assert 1 == len(result.stderr.strip().splitlines())
