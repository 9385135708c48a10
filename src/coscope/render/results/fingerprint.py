"""A fingerprint as a document and as a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from coscope.facts.fingerprints.components import ARROW, Change
from coscope.facts.fingerprints.fingerprints import Fingerprint
from coscope.render.document.report import header
from coscope.render.pages.sheet import Line, Piece, Sheet, columns, measure
from coscope.render.text.measured import Pen
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import fingerprint as schema


_VALUE = 60  # cells of a component's value


def document(result: Fingerprint) -> schema.FingerprintDocument:
    """The document of docs/schema.md, "fingerprint"."""
    return {
        **header(),
        "command": "fingerprint",
        "target": clean(result.name),
        "live": result.live,
        "fingerprint": {
            "value": result.value,
            "version": result.version,
            "scheme": result.scheme,
            "docstrings": result.docstrings,
            "parts": [
                {
                    "path": clean(part.path),
                    "kind": clean(part.kind),
                    "owner": clean(part.owner),
                    "components": [
                        {"label": clean(label), "value": clean(value)}
                        for label, value in part.components
                    ],
                }
                for part in result.parts
            ],
            "unknown": [
                {"path": clean(u.path), "type_name": clean(u.type_name), "reason": clean(u.reason)}
                for u in result.unknown
            ],
        },
        "changes": None,
        "error": None,
    }


def with_changes(
    found: schema.FingerprintDocument, changes: Iterable[Change]
) -> schema.FingerprintDocument:
    """The document with what changed since an older fingerprint."""
    listed: list[schema.FingerprintChange] = [
        {
            "path": clean(change.path),
            "label": clean(change.label),
            "old": change.old and clean(change.old),
            "new": change.new and clean(change.new),
        }
        for change in changes
    ]
    return {**found, "changes": listed}


def sheet(found: schema.FingerprintDocument, pen: Pen, *, explain: bool = False) -> Sheet:
    """The page; `explain` adds everything that went into the fingerprint."""
    page = Sheet(pen)
    kept = found["fingerprint"]
    name = _last_name(found["target"])
    page.add((found["target"], "title"), (f"  {_summary(found)}", "faint"))
    tag, _, digest = kept["value"].rpartition(":")
    if len(kept["value"]) <= pen.width:
        page.add((kept["value"], "value"))
    else:  # on a narrow page in two lines, but whole
        page.add((f"{tag}:", "value"))
        page.add((digest, "value"))
    if found["changes"] is not None:
        _add_changes(page, found["changes"], name)
    if explain:
        for part in kept["parts"]:
            page.heading(_path(part["path"], name), part["kind"])
            rows = [_component(each, name) for each in part["components"] if each["value"]]
            page.extend(_table(pen, rows))
    if kept["unknown"]:
        page.heading("Not told by content", "these count by their type or name alone")
        rows = [
            ((_path(u["path"], name), "name"), (u["type_name"], "type"), (u["reason"], "warning"))
            for u in kept["unknown"]
        ]
        page.extend(_table(pen, rows))
    return page


def explained(found: schema.FingerprintDocument, pen: Pen) -> Sheet:
    """The page with everything that went into the fingerprint."""
    return sheet(found, pen, explain=True)


def _summary(found: schema.FingerprintDocument) -> str:
    parts = found["fingerprint"]["parts"]
    sorts: dict[str, int] = {}
    for part in parts:
        sort = part["kind"].partition(" of ")[0]
        sorts[sort] = sorts.get(sort, 0) + 1
    listed = [f"{count} {_plural(sort, count)}" for sort, count in sorts.items()]
    return f"CPython {found['fingerprint']['version']}, {', '.join(listed)}"


def _plural(sort: str, count: int) -> str:
    if count == 1:
        return sort
    return f"{sort}es" if sort.endswith("s") else f"{sort}s"


def _last_name(qualname: str) -> str:
    return qualname.rpartition("<locals>.")[2]


def _path(path: str, name: str) -> str:
    return f"{name}{ARROW}{path}" if path else name


def _component(component: schema.FingerprintComponent, name: str) -> tuple[Piece, ...]:
    value = component["value"]
    if value.startswith("-> "):
        return (component["label"], "name"), (f"-> {_path(value[3:], name)}", "faint")
    return (component["label"], "name"), (value, "value")


def _add_changes(page: Sheet, changes: list[schema.FingerprintChange], name: str) -> None:
    if not changes:
        page.add(("Nothing has changed.", "plain"))
        return
    page.heading("Changed")
    rows: list[tuple[Piece, ...]] = []
    for change in changes:
        old, new = _short(change["old"]), _short(change["new"])
        what = " ".join(filter(None, [_path(change["path"], name), change["label"]]))
        rows.append(((what, "name"), (f"{old} {page.pen.arrow} {new}", "value")))
    page.extend(_table(page.pen, rows))


def _short(value: str | None) -> str:
    """A value as it is shown: of a digest the first digits."""
    if value is None:
        return "nothing"
    if value.startswith("sha256:"):
        return value[:15]
    return value or "none"


def _table(pen: Pen, rows: list[tuple[Piece, ...]]) -> list[Line]:
    shown = [tuple((pen.fit(text, _VALUE, "both"), role) for text, role in row) for row in rows]
    return columns(pen, shown, measure(pen, shown, pen.width - 2))
