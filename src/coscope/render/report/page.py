"""The file of the report: an index, and every file of it compressed, in one page of HTML."""

from __future__ import annotations

import json
import string
import zlib
from base64 import b85encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape as quoted
from importlib import resources
from typing import TYPE_CHECKING, Any

from coscope.render.document.report import header
from coscope.render.report.packing import PackedFile

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


@dataclass
class Entry:
    """One file of the report."""

    path: str  # as it is shown
    codes: list[schema.Code] = field(default_factory=list)
    findings: list[schema.Finding] = field(default_factory=list)
    error: str | None = None  # why there is nothing to show
    packed: bytes = b""  # JSON, deflated


def deflated(document: object) -> bytes:
    """JSON without spaces, compressed as `DecompressionStream("deflate")` reads it."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return zlib.compress(text.encode("utf-8"), 9)


def entry_of(path: str, document: schema.Document, packed: PackedFile) -> Entry:
    """A file that was read."""
    return Entry(path, document["codes"], document["findings"] or [], None, deflated(packed))


def page(title: str, entries: Sequence[Entry], sentences: dict[str, str]) -> Iterator[str]:
    """The whole page, piece by piece.

    Args:
        title: What it is a report of.
        entries: Its files, in the order in which they are listed.
        sentences: What each opcode that occurs does.
    """
    made = header()["producer"]
    index = {
        "title": title,
        "producer": f"coscope {made['version']}, CPython {made['python']}",
        "files": [_listed(each) for each in entries],
        "opcodes": sentences,
    }
    shown = quoted(title)
    codes, findings = (
        sum(len(each.codes) for each in entries),
        sum(len(each.findings) for each in entries),
    )
    yield _HEAD.format(title=shown, style=_asset("report.css"))
    yield _BODY.format(title=shown, files=len(entries), codes=codes, findings=findings)
    yield _chunk("index", deflated(index))
    for number, each in enumerate(entries):
        if each.packed:
            yield _chunk(f"file-{number}", each.packed)
    yield f"<script>{_asset('report.js')}</script>\n</body>\n</html>\n"


def _listed(entry: Entry) -> dict[str, Any]:
    """A file in the index: what the tree, the search and the list of findings need."""
    return {
        "path": entry.path,
        "error": entry.error,
        "codes": list(map(_identity, entry.codes)),
        "findings": list(map(_finding, entry.findings)),
    }


def _finding(found: schema.Finding) -> list[object]:
    line = found["positions"][0] if found["positions"] else None
    told = (found["rule"], found["severity"], found["message"], found["code"])
    return [*told, line, found["instead"]]


def _identity(code: schema.Code) -> list[object]:
    return [
        code["key"],
        -1 if code["parent"] is None else code["parent"],
        code["kind"],
        code["first_line"],
        code["last_line"],
        code["instruction_count"],
        code["bytes"],
        code["release"] or f"{code['version']}.x",
        " ".join(code["flags"]["names"]),
    ]


# Without `<`, `&` and quotes: nothing of it ends a script or is a comment there.
_LETTERS = (string.digits + string.ascii_uppercase + string.ascii_lowercase).encode()
_DIGITS = b"".join((_LETTERS, b"!#$%()*", b"+-;=>?@^_`{|}~,."))
_TO_DIGITS = bytes.maketrans(b"".join((_LETTERS, b"!#$%&()*", b"+-;<=>?@^_`{|}~")), _DIGITS)


def _chunk(name: str, data: bytes) -> str:
    """Bytes in base 85, four in five characters, the last group filled up with zeros.

    What is behind the end of a compressed stream would be an error, so the length goes with it.
    """
    text = b85encode(data, pad=True).translate(_TO_DIGITS).decode("ascii")
    return f'<script type="text/plain" id="{name}" data-bytes="{len(data)}">{text}</script>\n'


def _asset(name: str) -> str:
    folder = resources.files("coscope.render.report")
    return folder.joinpath(name).read_text(encoding="utf-8")


# The policy allows nothing from anywhere: scripts and styles are those of this file.
_HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<title>{title} - coscope report</title>
<style>{style}</style>
</head>
"""
_BODY = """\
<body>
<a class="skip" href="#main">Skip to the card</a>
<header>
<h1>{title}</h1>
<p id="sum">{files} files, {codes} code objects, {findings} findings</p>
<label class="search">Search <input id="search" type="search" autocomplete="off" \
placeholder="a name, a rule, a file" aria-controls="tree"></label>
</header>
<nav aria-label="Files and code objects"><ul id="tree" role="tree" aria-label="Files"></ul>
</nav>
<main id="main" tabindex="-1"><noscript>This report unpacks itself with JavaScript, which is \
off in this browser.</noscript></main>
"""
