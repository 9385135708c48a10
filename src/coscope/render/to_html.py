"""The document as HTML for a notebook: self-contained, light and dark, nothing to load.

Every text goes through `html.escape`; there is no script.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as quoted
from typing import TYPE_CHECKING

from coscope.render.document.shared import detail_of, name_groups
from coscope.render.pages.listing import operand
from coscope.render.pages.wording import user_text
from coscope.render.text.measured import escape, shorten

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema
    from coscope.render.schemas import shared


_MARK = 40  # cells for the expression that an instruction covers

# One class scopes every rule to this card. Colours follow the page's or the system's theme.
_STYLE = """
.coscope{--ink:#1f2328;--soft:#656d76;--line:#d0d7de;--paper:#f6f8fa;--name:#0550ae;--mark:#116329;
--block:#953800;--kind:#8250df;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;color:var(--ink);
max-width:72em}
@media(prefers-color-scheme:dark){.coscope{--ink:#e6edf3;--soft:#8d96a0;--line:#3d444d;
--paper:#151b23;--name:#79c0ff;--mark:#7ee787;--block:#ffa657;--kind:#d2a8ff}}
[data-jp-theme-light=false] .coscope{--ink:#e6edf3;--soft:#8d96a0;--line:#3d444d;
--paper:#151b23;--name:#79c0ff;--mark:#7ee787;--block:#ffa657;--kind:#d2a8ff}
.coscope header{border:1px solid var(--line);border-radius:6px;background:var(--paper);
padding:.5em 1em}
.coscope h3{font:inherit;font-weight:600;margin:0;display:flex;justify-content:space-between}
.coscope h4{font:inherit;font-weight:600;margin:1em 0 .2em}
.coscope table{border-collapse:collapse;font:inherit;color:inherit}
.coscope td{padding:0 1em 0 0;border:0;text-align:left;vertical-align:top;background:none;
white-space:pre;color:inherit;max-width:46em;overflow:hidden;text-overflow:ellipsis}
.coscope tr{background:none}
.coscope tr.s td{font-weight:600;padding-top:.3em}
.coscope .soft{color:var(--soft)}.coscope .name{color:var(--name)}.coscope .mark{color:var(--mark)}
.coscope .block{color:var(--block)}.coscope .kind{color:var(--kind)}
.coscope ul{list-style:none;margin:0;padding-left:1.5em}.coscope details{margin-top:.3em}
"""


def to_html(document: schema.Document) -> str:
    """A self-contained fragment for one function, or for a file's tree."""
    codes = document["codes"]
    parts = [f'<div class="coscope"><style>{_STYLE}</style>']
    detailed = [code for code in codes if code["detail"] is not None]
    if not detailed and codes:
        parts.append(f"<header><h3>{_text(codes[0]['file'])}</h3></header>{_tree(codes, None)}")
    parts += [_card(document, code) for code in detailed]
    return "".join([*parts, "</div>"])


def _count(items: Sequence[object], noun: str) -> str:
    return f"{len(items)} {noun}" + ("" if len(items) == 1 else "s")


def _text(text: object, role: str = "") -> str:
    shown = quoted(escape(str(text)))
    return f'<span class="{role}">{shown}</span>' if role else shown


def _card(document: schema.Document, entry: schema.Code) -> str:
    detail = detail_of(entry)
    sections = [
        ("Fast locals", _locals(detail["locals"])),
        ("Cells", _cells(detail["cells"])),
        ("Names", _names(detail["names"])),
        ("Constants", _constants(detail["constants"])),
        ("Bytecode", _listing(document, entry)),
        ("Exception regions", _regions(detail["regions"])),
        ("Nested code", _tree(document["codes"], entry["index"])),
    ]
    body = "".join(f"<h4>{title}</h4>{content}" for title, content in sections if content)
    return _header(document, entry) + body


def _header(document: schema.Document, entry: schema.Code) -> str:
    detail = detail_of(entry)
    release = entry["release"] or entry["version"] + ".x"
    facts = (
        f"{entry['bytes']} bytes · {entry['instruction_count']} instructions · "
        f"{_count(detail['blocks'], 'block')} · stack {detail['stack']['needed']} needed of "
        f"{detail['stack']['declared']} declared"
    )
    lines = f"lines {entry['first_line']} to {entry['last_line']}"
    place = f"{entry['file']}, {lines}, CPython {release}"
    warnings = "".join(
        f'<div class="block">warning: {_text(warning)}</div>'
        for warning in [*document["warnings"], *detail["warnings"]]
    )
    return (
        f"<header><h3>{_text(entry['qualname'])}{_text(entry['kind'], 'kind')}</h3>"
        f"<div>{_text(place)}</div><div>{_text(facts)}</div>"
        f"<div>{_text(' '.join(entry['flags']['names']), 'soft')}</div>{warnings}</header>"
    )


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def _locals(found: list[schema.Local]) -> str:
    return _table(
        [
            (
                _text(entry["slot"], "soft"),
                _text(entry["name"], "name"),
                _text(entry["kind"], "kind"),
                _text(f"= {entry['default']['text']}", "mark") if entry["default"] else "",
            )
            for entry in found
        ]
    )


def _cells(cells: schema.DetailCells) -> str:
    rows = []
    for cell in cells["free"]:
        value = cell["value"]
        holds = "empty" if cell["empty"] else f"{value['type']} {value['text']}" if value else ""
        owner = cell["owner"] or "an enclosing function"
        rows.append(
            (
                _text(owner, "soft"),
                "→",
                _text(cell["name"], "name"),
                _text(holds, "mark"),
                _text(_users("written by", cell["writers"]), "soft"),
                _text(_users("read by", cell["readers"]), "soft"),
                _text(_shared(cell["sharers"]), "soft"),
            )
        )
    for own in cells["own"]:
        takers = ", ".join(own["captured_by"])
        rows.append(("own", "→", _text(own["name"], "name"), _text(takers, "soft"), "", "", ""))
    return _table(rows)


def _names(names: schema.DetailNames) -> str:
    return _table(
        [
            (_text(group, "kind"), ", ".join(_text(entry["name"], "name") for entry in found))
            for group, found in name_groups(names)
            if found
        ]
    )


def _users(how: str, users: list[shared.User]) -> str:
    """Such as `written by outer (line 4)`; empty if there are none."""
    return f"{how} {', '.join(map(user_text, users))}" if users else ""


def _shared(sharers: list[schema.FreeCellSharer]) -> str:
    names = ", ".join(sharer["qualname"] for sharer in sharers)
    return f"also in {names}" if names else ""


def _constants(constants: list[schema.ConstantUse]) -> str:
    return _table(
        [
            (_text(c["index"], "soft"), _text(c["type"], "kind"), _text(c["text"][:200], "mark"))
            for c in constants
        ]
    )


def _listing(document: schema.Document, entry: schema.Code) -> str:
    lines = document["source"]["lines"] if document["source"] else {}
    rows = []
    line = block = None
    for instruction in detail_of(entry)["instructions"]:
        if instruction["line"] != line:
            line = instruction["line"]
            text = _text(lines.get(str(line), ""))
            number = "" if line is None else line
            rows.append(
                f'<tr class="s"><td class="soft">{number}</td><td colspan="7">{text}</td></tr>'
            )
        label = instruction["block"] if instruction["block"] != block else ""
        block = instruction["block"]
        rows.append(_row(instruction, label))
    return f"<table>{''.join(rows)}</table>"


def _row(instruction: schema.Instruction, label: str) -> str:
    stack = instruction["stack"]
    shown = "unreachable" if stack is None else " │ ".join(stack[-4:])
    arg = "" if instruction["arg"] is None else instruction["arg"]
    cells = (
        ("", ""),
        ("block", label),
        ("soft", instruction["offset"]),
        ("", instruction["opname"]),
        ("soft", arg),
        ("name", operand(instruction)[0]),
        ("mark", shorten(" ".join((instruction["source"] or "").split()), _MARK)),
        ("soft", shown),
    )
    return "<tr>" + "".join(f"<td>{_text(text, role)}</td>" for role, text in cells) + "</tr>"


def _regions(regions: list[schema.Region]) -> str:
    return _table(
        [
            (
                _text(f"{region['first_block']}..{region['last_block']}", "block"),
                f"→ handler {_text(region['handler'], 'block')}",
                _text(f"keeps {region['depth']}", "soft"),
            )
            for region in regions
        ]
    )


def _tree(codes: list[schema.Code], top: int | None) -> str:
    """The code objects under one, or all of them; nesting shown by indentation."""
    depths: dict[int | None, int] = {} if top is None else {top: -1}
    rows = []
    for code in codes:
        if top is None or code["parent"] in depths:
            depths[code["index"]] = depths.get(code["parent"], -1) + 1
            indent = "  " * depths[code["index"]]
            name = _text(indent + code["name"], "name")
            lines = _text(f"{code['first_line']}-{code['last_line']}", "soft")
            rows.append((name, _text(code["kind"], "kind"), lines))
    return _table(rows)
