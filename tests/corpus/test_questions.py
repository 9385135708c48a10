"""The built-in questions, each answered on a small corpus that a person can check."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="coscope[corpus] is not installed")
pytest.importorskip("duckdb", reason="coscope[corpus] is not installed")

from coscope.corpus import Corpus, diff, open_corpus, scan
from coscope.corpus.ask import questions
from coscope.corpus.schema import EVERY
from coscope.errors import InputError, TargetNotFound


@pytest.mark.parametrize("name", sorted(questions()))
def test_a_question_has_words_and_an_answer(name: str, corpus: Corpus) -> None:
    question = questions()[name]
    answer = corpus.ask(name)
    columns = answer.relation.columns
    answer.relation.rows()

    assert question.title.endswith("?")
    assert len(columns) >= 2
    assert set(question.picture[1:]) <= set(columns)


def test_there_are_at_least_twenty_questions() -> None:
    assert 20 <= len(questions())


# What the tree of conftest.py has, found by reading it.
@pytest.mark.parametrize(
    ("name", "columns", "expected"),
    [
        ("dynamic-code-sites", ("line", "qualname", "callee"), (17, "total", "eval")),
        ("global-updates", ("package", "functions", "globals"), ("shop", 1, "count")),
        ("cell-updates", ("package", "functions"), ("shop", 1)),
        ("coroutines", ("package", "coroutines", "async_generators"), ("shop", 2, 2)),
        ("urls", ("qualname", "url"), ("fetch", "https://example.org/a")),
        ("secrets", ("begins", "length"), ("ghp_01234567...", 40)),
        ("removed-modules", ("module", "who"), ("imp", "shop")),
        ("unread-files", ("status",), ("does not compile",)),
        ("most-captured", ("qualname", "freevars"), ("make.<locals>.push", 2)),
        ("imports", ("module",), ("re",)),
        ("callees", ("callee",), ("len",)),
        ("packages", ("package",), ("shop",)),
        ("code-kinds", ("kind",), ("async generator",)),
        ("constant-types", ("type",), ("frozenset",)),
        ("opcode-frequency", ("opname",), ("LOAD_CONST",)),
    ],
)
def test_an_answer(
    name: str, columns: tuple[str, ...], expected: tuple[object, ...], corpus: Corpus
) -> None:
    relation = corpus.ask(name).relation
    wanted = [relation.columns.index(column) for column in columns]

    assert expected in [tuple(row[at] for at in wanted) for row in relation.rows()]


def test_copied_code_needs_two_packages(tmp_path: Path) -> None:
    body = "def f(a):\n" + "".join(f"    a = a + {at}\n" for at in range(40)) + "    return a\n"
    for package in ("one", "two"):
        (tmp_path / "t" / package).mkdir(parents=True)
        (tmp_path / "t" / package / "m.py").write_text(f"# {package}\n{body}")
    scan([tmp_path / "t"], tmp_path / "c")
    with open_corpus(tmp_path / "c") as corpus:
        (row,) = corpus.ask("copied-code").relation.rows()

    assert ("f", "one, two") == (row[3], row[4])


def test_an_unknown_question_lists_those_that_there_are(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="opcode-pairs"):
        corpus.ask("nothing")


def test_sql_that_is_wrong_is_an_input_error(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="DuckDB refuses"):
        corpus.sql("select nothing from nowhere")


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "copy codes to '{}/x.csv'",
        "attach '{}/x.db'",
        "install httpfs",
        "set enable_external_access = true",
    ],
)
def test_a_query_reaches_nothing_beyond_the_corpus(
    query: str, corpus: Corpus, tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        corpus.sql(query.format(tmp_path)).rows()

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*EVERY, "opcodes", "located_instructions"])
def test_every_table_can_be_read(name: str, corpus: Corpus) -> None:
    assert corpus.table(name).columns


def test_a_relation_becomes_arrow(corpus: Corpus) -> None:
    made = corpus.sql("select count(*) as n from codes").to_arrow()

    assert corpus.sql("select count(*) from codes").rows() == [(made["n"][0].as_py(),)]


@pytest.mark.skipif(not find_spec("polars"), reason="Polars is not installed")
def test_polars_reads_the_files_without_us(corpus: Corpus) -> None:
    import polars

    frame = polars.read_parquet(
        f"{corpus.folder}/instructions/**/*.parquet", hive_partitioning=True
    )
    count = frame.select(polars.col("opcodes").list.len().sum()).item()

    assert [(count,)] == corpus.sql("select count(*) from instructions").rows()


@pytest.mark.parametrize("name", ["co[r]pus", "it's", "a*b", "with space"])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("x = 1\n")
    scan([tmp_path / "m.py"], tmp_path / name)
    with open_corpus(tmp_path / name) as corpus:
        assert [(1,)] == corpus.sql("select count(*) from codes").rows()


def test_what_is_no_corpus_is_said(tmp_path: Path) -> None:
    with pytest.raises(TargetNotFound, match="not a corpus"):
        open_corpus(tmp_path)


def test_diff_names_what_changed(tmp_path: Path) -> None:
    for side, text in (("a", "def f(): return 1\ndef g(): pass\n"), ("b", "def f(): return 2\n")):
        (tmp_path / side).mkdir()
        (tmp_path / side / "m.py").write_text(text)
        (tmp_path / side / "same.py").write_text("x = 1\n")
        scan([tmp_path / side], tmp_path / f"c{side}")
    changes = diff(tmp_path / "ca", tmp_path / "cb")

    assert (("m.py", "changed"),) == changes.files
    assert [
        ("<module>", "changed"),
        ("f", "changed"),
        ("g", "removed"),
    ] == [(row[1], row[2]) for row in changes.codes]


def test_equal_corpora_do_not_differ(scanned: Path) -> None:
    assert not diff(scanned, scanned).any
