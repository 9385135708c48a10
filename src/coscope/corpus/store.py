"""Rows -> Parquet files, which appear under their names only when they are whole."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from coscope.corpus.rows import Column, Rows, lengths_of
from coscope.corpus.schema import EVERY, TableSchema
from coscope.errors import CoscopeError, MissingExtra

if TYPE_CHECKING:
    import pyarrow as pa

COMPRESSION = "zstd"
LEVEL = 6  # measured: 3 is 5% larger, 9 is 1% smaller and takes twice the time
PARTITION = "python"  # name of the partition's folder: python=3.13.0
LAST = "files"  # a part counts as stored when its file of this table is there

# Columns whose values repeat; the others are encoded by their differences.
_REPEATING = frozenset(
    [
        "file",
        "qualname",
        "name",
        "kind",
        "version",
        "status",
        "verb",
        "space",
        "count",
        "callee",
        "type",
        "text",
        "rule",
        "severity",
        "confidence",
        "message",
        "flags",
        "argcount",
        "posonlyargcount",
        "kwonlyargcount",
        "nlocals",
        "stacksize",
        "cellvars",
        "freevars",
        "regions",
        "depth",
        "lasti",
        "distribution",
        "package",
        "input",
        "path",
        "owner",
        "length",
        "index",
    ]
)


def arrow() -> tuple[object, object]:
    """PyArrow and its Parquet module.

    Raises:
        MissingExtra: They are not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("corpus", str(error)) from error
    return pyarrow, pyarrow.parquet


def arrow_schema(table: TableSchema) -> pa.Schema:
    """The Arrow schema of a table, with the meaning of each column as metadata."""
    arrow()
    import pyarrow as pa

    types = {
        "int32": pa.int32(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
        "string": pa.string(),
        "list<uint8>": pa.list_(pa.field("element", pa.uint8(), nullable=False)),
        "list<int32>": pa.list_(pa.field("element", pa.int32(), nullable=False)),
    }
    return pa.schema(
        [
            pa.field(column.name, types[column.type], metadata={"doc": column.doc.encode()})
            for column in table.columns
        ],
        metadata={"doc": table.doc.encode()},
    )


def to_arrow(rows: Rows, name: str) -> pa.Table:
    """The rows of one table."""
    arrow()
    import pyarrow as pa

    table = EVERY[name]
    schema = arrow_schema(table)
    columns = rows.columns[name].values()
    arrays = [
        _arrow_array(column, field.type) for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _arrow_array(column: Column, kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if isinstance(column, array):
        if pa.types.is_boolean(kind):
            return pa.array(map(bool, column), kind, size=len(column))
        return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(column)])
    if pa.types.is_list(kind):
        return _list_array(column, kind)  # type: ignore[arg-type]
    return pa.array(column, kind)


def _list_array(lists: Sequence[Sequence[int]], kind: pa.DataType) -> pa.Array:
    """Lists of small numbers, without a Python object for each of them."""
    import pyarrow as pa

    if pa.types.is_uint8(kind.value_type):
        values: object = b"".join(map(bytes, lists))
    else:
        flat = array("i")
        for each in lists:
            flat.extend(each)
        values = flat
    offsets = pa.Array.from_buffers(
        pa.int32(), len(lists) + 1, [None, pa.py_buffer(lengths_of(lists))]
    )
    total = offsets[-1].as_py()
    items = pa.Array.from_buffers(kind.value_type, total, [None, pa.py_buffer(values)])
    return pa.ListArray.from_arrays(offsets, items, type=kind)


def _encodings(schema: TableSchema) -> tuple[list[str], dict[str, str]]:
    """Columns stored by a dictionary, and those whose differences are stored."""
    dictionary = [column for column in schema.names if column in _REPEATING]
    dictionary += [
        f"{column.name}.list.element" for column in schema.columns if column.type.startswith("list")
    ]
    delta = {
        column.name: "DELTA_BINARY_PACKED"
        for column in schema.columns
        if column.name not in _REPEATING and column.type in ("int32", "int64")
    }
    return dictionary, delta


def write_table(path: Path, made: pa.Table, name: str) -> int:
    """Write a table to a file that appears when it is whole; returns its size in bytes.

    Raises:
        CoscopeError: It cannot be written, as on a full disk; nothing is left behind.
    """
    arrow()
    import pyarrow.parquet as pq

    schema = EVERY[name]
    dictionary, delta = _encodings(schema)
    with _appearing(path) as draft:
        pq.write_table(
            made,
            draft,
            compression=COMPRESSION,
            compression_level=LEVEL,
            use_dictionary=dictionary,
            column_encoding=delta or None,
            write_statistics=[column for column in schema.names if not column.startswith("op")],
            store_schema=True,
        )
    return path.stat().st_size


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """A name to write under; it becomes `path` when the block ends well, and nothing if not."""
    # The process is in the name: a task that runs twice at the same time does no harm.
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        os.replace(draft, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CoscopeError(f"cannot write the corpus: {reason}", file=str(path)) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a small text file that appears when it is whole.

    Raises:
        CoscopeError: It cannot be written.
    """
    with _appearing(path) as draft:
        draft.write_text(text, encoding="utf-8")


def part_path(folder: Path, table: str, python: str, part: str) -> Path:
    """Where the rows of a table that belong to one part are."""
    return folder / table / f"{PARTITION}={python}" / f"{part}.parquet"


def write_part(folder: Path, python: str, part: str, rows: Rows) -> dict[str, int]:
    """Write the rows of a part; returns how many each table has.

    The table `files` is written last: without it, a part does not count.
    """
    names = sorted(rows.columns, key=lambda name: name == LAST)
    for name in names:
        write_table(part_path(folder, name, python, part), to_arrow(rows, name), name)
    return {name: rows.count(name) for name in names}
