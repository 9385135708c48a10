"""A corpus as SQL sees it: a view for each table, and the built-in questions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from coscope.corpus import store
from coscope.corpus.catalog import Manifest, complete_manifest
from coscope.corpus.schema import EVERY, TABLES
from coscope.errors import CoscopeError, InputError, MissingExtra
from coscope.opcodes import VERSIONS, table

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars
    import pyarrow as pa

MEMORY = "2GB"  # that DuckDB may use; beyond it, it writes to a temporary folder

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A built-in question: one file in `questions/`."""

    name: str  # "opcode-pairs"
    title: str
    doc: str
    sql: str
    picture: tuple[str, ...]  # kind, column of the labels, column of the lengths; () without


class Relation:
    """The answer to a query, read when it is asked for."""

    def __init__(self, made: duckdb.DuckDBPyRelation, sql: str) -> None:
        self._made = made
        self.sql = sql

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._made.columns)

    def rows(self, most: int | None = None) -> list[Row]:
        """The rows, or the first of them.

        Raises:
            CoscopeError: The query fails while it runs.
        """
        with _reported(self.sql):
            if most is None:
                return list(self._made.fetchall())
            return list(self._made.limit(most).fetchall())

    def to_arrow(self) -> pa.Table:
        """As a PyArrow table."""
        with _reported(self.sql):
            return self._made.to_arrow_table()

    def to_polars(self) -> polars.DataFrame:
        """As a Polars frame; needs Polars."""
        with _reported(self.sql):
            return self._made.pl()

    def to_pandas(self) -> pandas.DataFrame:
        """As a pandas frame; needs pandas."""
        with _reported(self.sql):
            return self._made.df()


@dataclass(frozen=True, slots=True)
class Answer:
    """A question with its answer."""

    question: Question
    relation: Relation


class Corpus:
    """An open corpus. Close it, or use it in a `with` statement."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self._connection = connection

    def __enter__(self) -> Corpus:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    @property
    def tables(self) -> tuple[str, ...]:
        """The names that SQL can use."""
        return (*EVERY, "opcodes", "located_instructions", "places_of_codes")

    def table(self, name: str) -> Relation:
        """One table.

        Raises:
            InputError: There is no such table.
        """
        if name not in self.tables:
            raise InputError(
                f"there is no table {name!r}", hint=f"Tables: {', '.join(self.tables)}."
            )
        return self.sql(f"select * from {name}")

    def sql(self, text: str) -> Relation:
        """The answer to a query.

        Raises:
            InputError: It is no query that DuckDB understands.
        """
        import duckdb

        try:
            made = self._connection.sql(text)
        except duckdb.Error as error:
            raise InputError(f"DuckDB refuses the query: {_first_line(error)}") from error
        if made is None:
            raise InputError("the text is not a query that gives rows")
        return Relation(made, text)

    def ask(self, name: str) -> Answer:
        """The answer to a built-in question.

        Raises:
            InputError: There is no such question.
        """
        question = questions().get(name)
        if question is None:
            raise InputError(
                f"there is no question {name!r}", hint=f"Questions: {', '.join(questions())}."
            )
        return Answer(question, self.sql(question.sql))


class _reported:  # noqa: N801 - used like a function
    def __init__(self, sql: str) -> None:
        self.sql = sql

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        import duckdb

        if isinstance(error, duckdb.Error):
            raise CoscopeError(f"the query failed: {_first_line(error)}") from error
        if isinstance(error, ImportError):
            raise MissingExtra("corpus", str(error)) from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0]


def open_corpus(folder: str | os.PathLike[str], *, memory: str = MEMORY) -> Corpus:
    """Open a corpus for queries.

    Args:
        folder: What `scan` wrote.
        memory: How much DuckDB may use: "2GB".

    Raises:
        TargetNotFound: It is no corpus.
        CoscopeError: Its scan did not end.
        MissingExtra: DuckDB is not installed.
    """
    manifest = complete_manifest(folder)
    connection = connected(memory)
    place = Path(folder).resolve()
    add_views(connection, place)
    # From here on a query reads this folder and nothing else of the machine.
    # (DuckDB compares the glob as it is written, so that spelling of the folder is allowed too.)
    plain = place.as_posix().replace("'", "''")
    connection.execute(f"set allowed_directories = ['{plain}', '{_globbed(place)}']")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return Corpus(place, manifest, connection)


def connected(memory: str) -> duckdb.DuckDBPyConnection:
    """A connection that knows the opcode tables and nothing else.

    Raises:
        InputError: `memory` is no size.
        MissingExtra: DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtra("corpus", str(error)) from error
    connection = duckdb.connect()
    try:
        connection.execute("set memory_limit = ?", [memory])
    except duckdb.Error as error:
        raise InputError(f"{memory!r} is not a size of memory", hint="Write 2GB.") from error
    # Neither order nor progress: both hold back rows that could be given away.
    connection.execute("set preserve_insertion_order = false")
    connection.execute("set enable_progress_bar = false")
    connection.execute(
        "create table opcodes (version varchar, opcode utinyint, opname varchar, units utinyint, "
        "specialises boolean)"
    )
    connection.executemany("insert into opcodes values (?, ?, ?, ?, ?)", list(_opcode_rows()))
    return connection


def add_views(connection: duckdb.DuckDBPyConnection, folder: Path, prefix: str = "") -> None:
    """Create the views of a corpus; `prefix` goes before their names."""
    for name in EVERY:
        shown = f"{prefix}stored_instructions" if name == "instructions" else prefix + name
        connection.execute(f"create view {shown} as {_reading(folder, name)}")
    connection.execute(
        f"create view {prefix}instructions as select i.file, i.code, i.python, i.index, i.opcode, "
        f"o.opname, i.oparg from (select file, code, python, "
        f"regexp_extract(python, '^[0-9]+[.][0-9]+') as version, "
        f"cast(generate_subscripts(opcodes, 1) - 1 as integer) as index, "
        f"unnest(opcodes) as opcode, unnest(opargs) as oparg from {prefix}stored_instructions) i "
        f"left join opcodes o on o.version = i.version and o.opcode = i.opcode"
    )
    connection.execute(
        f"create view {prefix}located_instructions as select i.*, cast(2 * coalesce("
        f"sum(coalesce(o.units, 1)) over (partition by i.file, i.code, i.python order by i.index "
        f'rows between unbounded preceding and 1 preceding), 0) as integer) as "offset" '
        f"from {prefix}instructions i left join opcodes o "
        f"on o.version = regexp_extract(i.python, '^[0-9]+[.][0-9]+') and o.opcode = i.opcode"
    )
    connection.execute(
        f"create view {prefix}places_of_codes as select p.path, p.member, p.package, "
        f"p.distribution, c.* from {prefix}codes c join {prefix}places p using (file)"
    )


def _reading(folder: Path, name: str) -> str:
    """A query over the Parquet files of a table; an empty one if it has none."""
    schema = EVERY[name]
    inside = folder / name
    if not any(inside.rglob("[!.]*.parquet")):
        types = {"int32": "integer", "int64": "bigint", "bool": "boolean", "string": "varchar",
                 "list<uint8>": "utinyint[]", "list<int32>": "integer[]"}  # fmt: skip
        columns = [f"cast(null as {types[column.type]}) as {_quoted(column.name)}"
                   for column in schema.columns]  # fmt: skip
        if name in TABLES:
            columns.append(f"cast(null as varchar) as {store.PARTITION}")
        return f"select {', '.join(columns)} where false"
    if name in TABLES:
        where = f"{_globbed(inside)}/{store.PARTITION}=*/[!.]*.parquet"
        options = f", hive_partitioning = true, hive_types = {{'{store.PARTITION}': varchar}}"
    else:
        where, options = f"{_globbed(inside)}/[!.]*.parquet", ""
    return f"select * from read_parquet('{where}'{options})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _globbed(path: Path) -> str:
    """A path in a glob in an SQL string: its own special characters mean themselves."""
    return re.sub(r"[\[*?]", lambda found: f"[{found[0]}]", path.as_posix()).replace("'", "''")


def _opcode_rows() -> Iterator[Row]:
    for version in VERSIONS:
        rules = table(version)
        special = {row.base for row in rules.opcodes.values() if row.form == "specialized"}
        for number, row in enumerate(rules.by_code):
            if row is not None:
                yield version, number, row.name, rules.steps[number], row.name in special


@cache
def questions() -> dict[str, Question]:
    """Every built-in question by name: the files of `questions/`."""
    found = {}
    folder = resources.files("coscope.corpus").joinpath("questions")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".sql"):
            name = file.name.removesuffix(".sql")
            found[name] = _question(name, file.read_text(encoding="utf-8"))
    return found


def _question(name: str, text: str) -> Question:
    """A file: comment lines, the first of which is the title; `picture:` says what to draw."""
    head: list[str] = []
    picture: tuple[str, ...] = ()
    lines = text.splitlines()
    while lines and lines[0].startswith("--"):
        line = lines.pop(0).removeprefix("--").strip()
        if line.startswith("picture:"):
            picture = tuple(line.removeprefix("picture:").split())
        else:
            head.append(line)
    return Question(name, head[0], " ".join(head[1:]).strip(), "\n".join(lines).strip(), picture)
