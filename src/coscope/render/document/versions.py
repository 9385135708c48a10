"""One source text as several versions compile it: their documents, aligned row by row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from coscope.facts.differences.alignment import aligned
from coscope.opcodes import VERSIONS, table
from coscope.opcodes.sentences import sentence
from coscope.render.document.report import header

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema
    from coscope.render.schemas import versions as versions_schema

Column = Sequence["schema.Instruction"]  # of one version
Places = list[int | None]  # the index in each version's column, None where it has nothing

_NOTES = {
    "code object": "{kind}s run in the frame of the code around them where they have no code object"
    " of their own: no call is made, and their variables are hidden locals there",
    "inlined": "an inlined comprehension needs no function and no call",
    "regions": "regions are kept in a table beside the code: they cost nothing until something is"
    " raised; versions without that table push and pop a block instead",
}


def versions_of(documents: Sequence[schema.Document]) -> versions_schema.VersionsDocument:
    """Align the documents of one source text that different versions compiled.

    Code objects are matched by their keys. Instructions are matched by source line, name and
    argument; what is left between two matches is paired by the piece of source that it belongs to.

    Args:
        documents: At least one, as `report` makes them; those of which `detail` is None have facts
            but no rows.
    """
    keys = list(dict.fromkeys(code["key"] for found in documents for code in found["codes"]))
    places = [{code["key"]: code["index"] for code in found["codes"]} for found in documents]
    return {
        **header(),
        "command": "versions",
        "target": documents[0]["target"] if documents else "",
        "documents": list(documents),
        "codes": [_code(key, documents, [each.get(key) for each in places]) for key in keys],
        "opcodes": list(_opcodes(documents)),
        "error": None,
    }


def _code(
    key: str, documents: Sequence[schema.Document], at: Places
) -> versions_schema.VersionsCode:
    found = [
        None if index is None else each["codes"][index]
        for each, index in zip(documents, at, strict=True)
    ]
    columns = [
        None if code is None or code["detail"] is None else code["detail"]["instructions"]
        for code in found
    ]
    rows = list(_rows(columns))
    facts = list(_facts(found))
    return {
        "key": key,
        "kind": next(code["kind"] for code in found if code is not None),
        "at": at,
        "same": not facts and all(row["kind"] == "same" for row in rows),
        "rows": rows,
        "facts": facts,
    }


def _rows(columns: Sequence[Column | None]) -> Iterator[versions_schema.VersionsRow]:
    known = [index for index, column in enumerate(columns) if column is not None]
    if not known:
        return
    table_of: list[Places] = []
    for index in known:
        column = columns[index] or []
        table_of = _merged(table_of, columns, index, _lone(len(columns), index, len(column)))
    for places in table_of:
        yield {"kind": _kind(places, columns, len(known)), "at": places}


def _lone(versions: int, index: int, count: int) -> list[Places]:
    """The rows of one version alone."""
    return [[at if each == index else None for each in range(versions)] for at in range(count)]


def _merged(
    done: list[Places], columns: Sequence[Column | None], index: int, new: list[Places]
) -> list[Places]:
    """The rows of the versions so far with those of one more version set beside them."""
    if not done:
        return new
    left = [_token(_last(places, columns)) for places in done]
    right = [_token(each) for each in columns[index] or []]
    rows: list[Places] = []
    for tag, i1, i2, j1, j2 in aligned(tuple(left), tuple(right)):
        if tag == "equal":
            pairs = zip(range(i1, i2), range(j1, j2), strict=True)
            rows += [_with(done[one], index, other) for one, other in pairs]
        else:
            rows += _paired(done[i1:i2], columns, index, range(j1, j2))
    return rows


def _paired(
    done: list[Places], columns: Sequence[Column | None], index: int, fresh: range
) -> Iterator[Places]:
    """Rows that are not the same, paired in order where they belong to the same source."""
    column = columns[index] or []
    waiting = list(fresh)
    for places in done:
        span = _span(_last(places, columns))
        partner = next((at for at in waiting if _span(column[at]) == span), None)
        if partner is None:
            yield places
            continue
        ahead = waiting[: waiting.index(partner)]
        yield from (_with([None] * len(columns), index, at) for at in ahead)
        waiting = waiting[len(ahead) + 1 :]
        yield _with(places, index, partner)
    yield from (_with([None] * len(columns), index, at) for at in waiting)


def _with(places: Places, index: int, at: int) -> Places:
    return [at if each == index else old for each, old in enumerate(places)]


def _last(places: Places, columns: Sequence[Column | None]) -> schema.Instruction:
    """The instruction of the newest version in a row."""
    known = [(at, column) for at, column in zip(places, columns, strict=True) if at is not None]
    at, column = known[-1]
    return (column or [])[at]


def _token(instruction: schema.Instruction) -> str:
    """What makes two instructions the same: line, name and argument, but for where it jumps."""
    jumps = instruction["jump"] is not None
    argument = "" if jumps else _argument(instruction)
    return f"{instruction['line']} {instruction['opname']} {argument}"


def _argument(instruction: schema.Instruction) -> str:
    """The argument as text, NULL always behind: versions of dis differ on its side."""
    text = instruction["argrepr"]
    if text.startswith("NULL + "):
        return f"{text.removeprefix('NULL + ')} + NULL"
    return text or str(instruction["arg"] or "")


def _span(instruction: schema.Instruction) -> tuple[int | None, ...]:
    return (instruction["line"], *instruction["positions"][2:])


def _kind(places: Places, columns: Sequence[Column | None], known: int) -> str:
    here = [
        _token(column[at])
        for at, column in zip(places, columns, strict=True)
        if at is not None and column is not None
    ]
    if len(here) < known:
        return "some"
    return "same" if len(set(here)) == 1 else "changed"


def _facts(found: Sequence[schema.Code | None]) -> Iterator[versions_schema.VersionsFact]:
    """The properties of a code object that are not the same in all versions."""
    if None in found:
        kind = next(code["kind"] for code in found if code is not None)
        there = [None if code is None else "has one" for code in found]
        note = _NOTES["code object"] if "comprehension" in kind else None
        yield {"what": "code object", "values": there, "note": note and note.format(kind=kind)}
    told = [None if code is None else _properties(code) for code in found]
    names = dict.fromkeys(name for each in told if each is not None for name in each)
    for name in names:
        values = [None if each is None else each.get(name, "") for each in told]
        if len({value for value in values if value is not None}) > 1:
            yield {"what": name, "values": values, "note": _NOTES.get(name)}


def _properties(code: schema.Code) -> dict[str, str]:
    found = {
        "instructions": str(code["instruction_count"]),
        "bytes": str(code["bytes"]),
        "flags": " ".join(code["flags"]["names"]),
        "cell variables": ", ".join(code["cellvars"]),
        "free variables": ", ".join(code["freevars"]),
    }
    detail = code["detail"]
    if detail is not None:
        found |= {
            "stack": str(detail["stack"]["declared"]),
            "blocks": str(len(detail["blocks"])),
            "regions": str(len(detail["regions"])),
            "inlined": str(len(detail["inlined"])),
            "locals": ", ".join(local["name"] for local in detail["locals"]),
            "constants": ", ".join(_constants(detail["constants"])),
        }
    return found


def _constants(constants: Iterable[schema.ConstantUse]) -> list[str]:
    """The texts of constants, in an order of their own: that of co_consts means nothing."""
    return sorted("code" if each["type"] == "code" else each["text"] for each in constants)


def _opcodes(
    documents: Sequence[schema.Document],
) -> Iterator[versions_schema.VersionsOpcode]:
    counts = [_counted(document) for document in documents]
    versions = [document["codes"][0]["version"] for document in documents if document["codes"]]
    said: dict[str, str] = defaultdict(str)
    for version in sorted(set(versions), key=VERSIONS.index):
        rows = table(version).opcodes
        said |= {name: sentence(row, version) for name, row in rows.items()}
    for name in sorted({name for each in counts for name in each}):
        used = [each[name] for each in counts]
        if len(set(used)) > 1:
            known = [each for each in VERSIONS if name in table(each).opcodes]
            yield {"name": name, "counts": used, "known": known, "sentence": said[name]}


def _counted(document: schema.Document) -> Counter[str]:
    """How often each opcode occurs in what has detail."""
    return Counter(
        each["opname"]
        for code in document["codes"]
        if code["detail"] is not None
        for each in code["detail"]["instructions"]
    )
