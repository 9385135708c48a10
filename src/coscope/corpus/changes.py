"""What changed between two scans: files, code objects, opcodes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from coscope.corpus.ask import MEMORY, add_views, connected
from coscope.corpus.catalog import complete_manifest

MOST = 200  # rows of each list

# A place is known by what follows its input, so that two checkouts compare.
_PLACES = """
create view {0}where_it_is as
select case when starts_with(path, input || '/') then substr(path, length(input) + 2) else path end
       || case when member = '' then '' else '::' || member end as place, file
from {0}places
"""

_FILES = """
select coalesce(a.place, b.place) as place,
       case when a.place is null then 'added' when b.place is null then 'removed' else 'changed' end
           as change
from a_where_it_is a full join b_where_it_is b using (place)
where a.place is null or b.place is null
   or (select sha256 from a_files where file = a.file limit 1)
      is distinct from (select sha256 from b_files where file = b.file limit 1)
order by place
"""

# Two code objects of one name in one file differ by their order.
_NUMBERED = """
create view {0}numbered as
select w.place, c.qualname, c.body, c.instructions, c.stacksize,
       row_number() over (partition by w.place, c.python, c.qualname order by c.code) as ordinal
from {0}codes c join {0}where_it_is w using (file)
"""

_CODES = """
select coalesce(a.place, b.place) as place, coalesce(a.qualname, b.qualname) as qualname,
       case when a.place is null then 'added' when b.place is null then 'removed' else 'changed' end
           as change,
       a.instructions as before, b.instructions as after
from a_numbered a full join b_numbered b using (place, qualname, ordinal)
where a.body is distinct from b.body
order by place, qualname, change
"""

_OPCODES = """
with counts as (
    select opname, sum(n) filter (where side = 'a')::bigint as before,
           sum(n) filter (where side = 'b')::bigint as after
    from (
        select 'a' as side, opname, count(*) as n from a_instructions group by opname
        union all
        select 'b' as side, opname, count(*) as n from b_instructions group by opname
    )
    group by opname
)
select opname, coalesce(before, 0) as before, coalesce(after, 0) as after,
       coalesce(after, 0) - coalesce(before, 0) as difference
from counts
where coalesce(before, 0) <> coalesce(after, 0)
order by abs(coalesce(after, 0) - coalesce(before, 0)) desc, opname
"""


Change = Literal["added", "removed", "changed"]


class FileChange(NamedTuple):
    """A file that is not the same in both."""

    place: str  # path below its input, `archive::member`
    change: Change


class CodeChange(NamedTuple):
    """A code object that is not the same in both."""

    place: str
    qualname: str
    change: Change
    before: int | None  # instructions
    after: int | None


class OpcodeChange(NamedTuple):
    """An opcode that occurs more or less often."""

    opname: str
    before: int
    after: int
    difference: int


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences between two corpora."""

    before: str  # folder
    after: str
    python: tuple[str, str]  # releases that compiled
    files: tuple[FileChange, ...]
    codes: tuple[CodeChange, ...]
    opcodes: tuple[OpcodeChange, ...]
    totals: tuple[tuple[str, int, int], ...]  # table, rows before and after

    @property
    def any(self) -> bool:
        """True if anything differs."""
        return bool(self.files or self.codes or self.opcodes)


def diff(before: str | os.PathLike[str], after: str | os.PathLike[str]) -> Changes:
    """Compare two corpora: of two days, two releases of a package, or two CPythons.

    Args:
        before: Folder of one corpus.
        after: Folder of the other.

    Raises:
        TargetNotFound: One is no corpus.
        CoscopeError: The scan of one did not end.
    """
    first, second = complete_manifest(before), complete_manifest(after)
    connection = connected(MEMORY)
    try:
        add_views(connection, Path(before).resolve(), "a_")
        add_views(connection, Path(after).resolve(), "b_")
        for prefix in ("a_", "b_"):
            connection.execute(_PLACES.format(prefix))
            connection.execute(_NUMBERED.format(prefix))
        totals = []
        for name in ("files", "codes", "names", "calls", "constants"):
            counts = [
                connection.execute(f"select count(*) from {prefix}{name}").fetchall()[0][0]
                for prefix in ("a_", "b_")
            ]
            totals.append((name, counts[0], counts[1]))
        return Changes(
            before=os.fspath(before),
            after=os.fspath(after),
            python=(first.python, second.python),
            files=tuple(FileChange(*row) for row in connection.execute(_FILES).fetchall()),
            codes=tuple(CodeChange(*row) for row in connection.execute(_CODES).fetchall()),
            opcodes=tuple(OpcodeChange(*row) for row in connection.execute(_OPCODES).fetchall()),
            totals=tuple(totals),
        )
    finally:
        connection.close()
