"""What a corpus holds, independent of order and of how it is divided into files."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from coscope.corpus.schema import EVERY


def contents(folder: Path) -> dict[str, str]:
    """By table: a hash of all rows, sorted."""
    import pyarrow.parquet as pq

    found = {}
    for name in EVERY:
        rows: list[str] = []
        for file in sorted((folder / name).rglob("[!.]*.parquet")):
            table = pq.read_table(file, partitioning=None)
            rows += [repr(tuple(row.values())) for row in table.to_pylist()]
        found[name] = sha256("\n".join(sorted(rows)).encode()).hexdigest()
    return found


def leftovers(folder: Path) -> list[str]:
    """Files that a scan should not leave behind."""
    return sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file()
        and (file.name.startswith(".") or file.suffix not in (".parquet", ".json"))
    )
