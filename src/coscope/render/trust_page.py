"""The document of `trust` as one self-contained HTML page: nothing to load, no script."""

from __future__ import annotations

from html import escape as quoted
from typing import TYPE_CHECKING

from coscope.render.text.measured import escape

if TYPE_CHECKING:
    from coscope.render.schemas import diff
    from coscope.render.schemas import trust as schema

_MOST = 2_000  # files in the list
_ROLES = {
    "identical": "mark",
    "same": "mark",
    "same behaviour": "value",
    "known drift": "value",
    "differs": "error",
    "no source": "warning",
    "unreadable": "error",
}
_STYLE = (
    ".coscope-result{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;white-space:pre;"
    "overflow-x:auto;color:inherit}"
    ".coscope-result .heading,.coscope-result .title{font-weight:600}"
    ".coscope-result .faint,.coscope-result .frame,.coscope-result .offset{opacity:.65}"
    ".coscope-result .name,.coscope-result .operand{color:#0969da}"
    ".coscope-result .value,.coscope-result .mark{color:#1a7f37}"
    ".coscope-result .kind,.coscope-result .type{color:#8250df}"
    ".coscope-result .warning{color:#9a6700}.coscope-result .error{color:#cf222e}"
)
_PAGE_STYLE = """
:root{color-scheme:light dark;--ink:#1f2328;--soft:#656d76;--line:#d0d7de;--paper:#f6f8fa;
--back:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#8d96a0;--line:#3d444d;
--paper:#151b23;--back:#0d1117}}
body{margin:0 auto;max-width:78em;padding:1.5em;background:var(--back);color:var(--ink)}
.coscope-result{white-space:normal}
h1{font-size:1.35em;margin:0}h2{font-size:1.1em;margin:1.6em 0 .4em}
p{margin:.2em 0}table{border-collapse:collapse}
td,th{padding:.1em 1.2em .1em 0;text-align:left;vertical-align:top}
details{border:1px solid var(--line);border-radius:6px;background:var(--paper);margin:.4em 0;
padding:.4em .8em}
summary{cursor:pointer}pre{margin:.4em 0;overflow-x:auto;font:inherit}
.removed{color:#cf222e}.added{color:#1a7f37}.changed{color:#9a6700}
@media(prefers-color-scheme:dark){.coscope-result .name{color:#79c0ff}
.coscope-result .mark,.coscope-result .value,.added{color:#7ee787}
.coscope-result .error,.removed{color:#ff7b72}.coscope-result .warning,.changed{color:#d29922}
.coscope-result .kind{color:#d2a8ff}}
"""


def to_page(document: schema.TrustDocument) -> str:
    """The whole page."""
    loud = [each for each in document["files"] if each["signs"]]
    totals = document["totals"]
    verdicts = "".join(
        f"<tr><td>{each['files']:,}</td>"
        f"<td>{_span(each['verdict'], _ROLES[each['verdict']])}</td></tr>"
        for each in document["verdicts"]
        if each["files"]
    )
    conclusion = (
        _span("nothing to look at", "mark")
        if document["ok"]
        else _span(f"{totals['errors']:,} errors, {totals['warnings']:,} warnings", "error")
    )
    parts = [
        f"<h1>{_text(document['target'])}</h1><p>{conclusion}, {totals['infos']:,} for information;"
        f" {totals['files']:,} bytecode files, {totals['read']:,} files read</p>",
        f"<h2>Verdicts</h2><table>{verdicts}</table>",
        _others(document),
        "<h2>Files to look at</h2>" if loud else "",
        *(_file(each) for each in loud[:_MOST]),
        f"<p>and {len(loud) - _MOST:,} more</p>" if len(loud) > _MOST else "",
        _listed(document),
        _all(document),
    ]
    title = _text(f"coscope trust {document['target']}")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta http-equiv='
        "\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}{_PAGE_STYLE}</style></head>"
        f'<body class="coscope-result">{"".join(parts)}</body></html>\n'
    )


def _text(text: object) -> str:
    return quoted(escape(str(text)))


def _span(text: object, role: str) -> str:
    return f'<span class="{role}">{_text(text)}</span>'


def _signs(signs: list[schema.TrustSign]) -> str:
    rows = []
    for each in signs:
        role = {"error": "error", "warning": "warning", "info": "faint"}[each["severity"]]
        spot = [f"in {each['code']}" if each["code"] is not None else ""]
        spot.append(f"line {each['line']}" if each["line"] is not None else "")
        spot.append(f"byte {each['offset']}" if each["offset"] is not None else "")
        place = ", ".join(part for part in spot if part)
        rows.append(
            f'<tr><td title="{_text(each["title"])}">{_span(each["rule"], role)}</td>'
            f"<td>{_text(each['message'])}</td><td>{_span(place, 'faint')}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _others(document: schema.TrustDocument) -> str:
    if not document["others"]:
        return ""
    rows = "".join(
        f"<p>{_span(each['file'], 'name')}</p>{_signs([each])}" for each in document["others"]
    )
    return f"<h2>Beside the bytecode</h2>{rows}"


def _file(each: schema.TrustFile) -> str:
    role = _ROLES[each["verdict"]]
    is_open = " open" if any(sign["severity"] == "error" for sign in each["signs"]) else ""
    release = f" CPython {each['release'] or each['version']}" if each["version"] else ""
    places = "".join(
        f"<tr><td>{_span(place['what'], 'kind')}</td><td>{_span(place['code'], 'name')}</td>"
        f"<td>{_span(_spot(place), 'faint')}</td>"
        f'<td><span class="removed">{_text(place["left"])}</span></td>'
        f'<td><span class="added">{_text(place["right"])}</span></td></tr>'
        for place in each["places"]
    )
    table = (
        "<table><tr><th>differs in</th><th>code</th><th></th><th>bytecode</th><th>source</th></tr>"
        f"{places}</table>"
    )
    return (
        f"<details{is_open}><summary>{_span(each['file'], 'name')} {_span(each['verdict'], role)}"
        f"{_span(release, 'faint')}</summary>"
        f"<p>{_span('runs: ' + each['runs'], 'faint') if each['runs'] else ''}</p>"
        f"{_signs(each['signs'])}{table if places else ''}"
        f"{''.join(_pair(pair) for pair in each['codes'])}{_abilities(each)}</details>"
    )


def _spot(place: schema.TrustPlace) -> str:
    parts = [f"line {place['line']}" if place["line"] is not None else ""]
    parts.append(f"byte {place['offset']}" if place["offset"] is not None else "")
    return ", ".join(part for part in parts if part)


def _pair(pair: diff.DiffCode) -> str:
    lines = []
    for row in pair["rows"]:
        side = row["left"] or row["right"]
        if side is None:
            lines.append(_span("...", "faint"))
            continue
        sign = {"removed": "-", "added": "+", "changed": "~"}.get(row["kind"], " ")
        line = f"line {side['line']}" if side["line"] else ""
        lines.append(_span(f"{sign} {side['block']:<5}{line:<11}{side['text']}", row["kind"]))
    return f"<p>{_span(pair['left'], 'title')}</p><pre>{chr(10).join(lines)}</pre>"


def _abilities(each: schema.TrustFile) -> str:
    able = each["abilities"]
    if able is None:
        return ""
    words = {True: "accepted", False: "refused", None: "not decided"}
    rows = [("the verifier", [words[able["verified"]]])]
    rows += [
        ("violations", able["violations"]),
        ("dynamic code", able["dynamic"]),
        ("imports", able["imports"]),
        ("reaches", able["calls"]),
        ("addresses", able["urls"]),
        ("keys", able["keys"]),
    ]
    body = "".join(
        f"<tr><td>{_span(label, 'kind')}</td><td>{_text(', '.join(texts))}</td></tr>"
        for label, texts in rows
        if texts
    )
    return f"<table>{body}</table>"


def _listed(document: schema.TrustDocument) -> str:
    if not document["listed"]:
        return ""
    rows = "".join(
        f"<tr><td>{_span(each['kind'], 'kind')}</td><td>{_text(each['name'])}</td>"
        f"<td>{_span(each['what'], 'faint')}</td></tr>"
        for each in document["listed"]
    )
    return (
        f"<h2>What else can run</h2><details><summary>{len(document['listed']):,} entries</summary>"
        f"<table>{rows}</table></details>"
    )


def _all(document: schema.TrustDocument) -> str:
    rows = "".join(
        f"<tr><td>{_span(each['verdict'], _ROLES[each['verdict']])}</td>"
        f"<td>{_span(each['file'], 'name')}</td><td>{_span(each['runs'], 'faint')}</td></tr>"
        for each in document["files"][:_MOST]
    )
    return (
        f"<h2>All files</h2><details><summary>{len(document['files']):,} files</summary>"
        f"<table>{rows}</table></details>"
    )
