"""What a patch did, to a live function or to a file, as a document and as a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from coscope.errors import PatchError
from coscope.facts.differences.difference import Difference
from coscope.patcher.edits.documents import to_json
from coscope.patcher.edits.model import AnyEdit
from coscope.patcher.files.files import FilePatch
from coscope.patcher.receipts import Receipt
from coscope.render.document.report import header
from coscope.render.pages.sheet import Sheet
from coscope.render.pages.wording import wrapped
from coscope.render.results import diff as diff_page
from coscope.render.text.measured import Pen
from coscope.render.text.measured import without_surrogates as clean
from coscope.verifier import Report

if TYPE_CHECKING:
    from coscope.render.schemas import patch as schema


def document(result: Receipt | FilePatch) -> schema.PatchDocument:
    """The document of docs/schema.md, "patch"."""
    done = _of_file(result) if isinstance(result, FilePatch) else _of_function(result)
    return {
        **header(),
        "command": "patch",
        **done,
        "edits": [_edit(edit) for edit in result.edits],
        "changes": _texts(result.changes),
        "verified": _verdict(result.report),
        "difference": _difference(result.difference),
        "warning": result.warning,
        "notes": _texts(result.notes),
        "error": None,
    }


def _of_file(result: FilePatch) -> schema.PatchDone:
    return {
        "target": clean(result.file),
        "module": None,
        "live": False,
        "in_place": False,
        "via": [],
        "output": {
            "file": clean(result.output),
            "bytes": result.size,
            "recognised": result.recognised,
        },
        "stack": None,
        "shared": [],
        "fresh": [],
        "running_frames": 0,
        "before": result.before,
        "after": result.after,
    }


def _of_function(result: Receipt) -> schema.PatchDone:
    before, after = result.before, result.after
    return {
        "target": clean(result.name),
        "module": result.module and clean(result.module),
        "live": True,
        "in_place": result.in_place,
        "via": _texts(result.via),
        "output": None,
        "stack": {"before": result.stack[0], "after": result.stack[1]},
        "shared": _texts(result.shared),
        "fresh": _texts(result.fresh),
        "running_frames": result.running_frames,
        "before": None if before is None else before.value,
        "after": None if after is None else after.value,
    }


def _texts(texts: Iterable[str]) -> list[str]:
    return [clean(text) for text in texts]


def _edit(edit: AnyEdit) -> dict[str, object]:
    try:
        return {key: _cleaned(value) for key, value in to_json(edit).items()}
    except PatchError:  # a constant that JSON cannot carry
        return {"edit": type(edit).__name__}


def _cleaned(value: object) -> object:
    if isinstance(value, dict):
        return {key: _cleaned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return clean(value) if isinstance(value, str) else value


def _verdict(report: Report) -> schema.PatchVerified:
    return {
        "ok": report.ok,
        "version": report.version,
        "codes": report.codes,
        "structural": report.structural,
    }


def _difference(found: Difference | None) -> schema.PatchDifference | None:
    if found is None:
        return None
    whole = diff_page.document(found)
    return {
        "verdict": whole["verdict"],
        "text": whole["text"],
        "codes": whole["codes"],
        "removed": whole["removed"],
        "added": whole["added"],
        "harmless": whole["harmless"],
        "unknown": whole["unknown"],
    }


def sheet(found: schema.PatchDocument, pen: Pen) -> Sheet:
    """The page."""
    page = Sheet(pen)
    _add_title(page, found)
    page.blank()
    _add_facts(page, found)
    _add_fingerprints(page, found)
    if found["difference"]:
        for pair in found["difference"]["codes"]:
            diff_page.add_pair(page, pair)
    return page


def _add_title(page: Sheet, found: schema.PatchDocument) -> None:
    """What was patched, how it was reached, and the changes."""
    module = f"{found['module']}." if found["module"] else ""
    what = "changed in place" if found["in_place"] else "a changed copy"
    if found["output"]:
        what = f"{page.pen.arrow} {found['output']['file']}, {found['output']['bytes']} bytes"
    page.add((f"{module}{found['target']}", "title"), (f"  {what}", "faint"))
    for step in found["via"]:
        page.add((f"  through {step}", "faint"))
    for change in found["changes"]:
        page.add(("  ", "plain"), (change, "mark"))


def _add_facts(page: Sheet, found: schema.PatchDocument) -> None:
    """The labelled lines: what holds for the result, and what to look out for."""
    _add(page, "verified", _verified(found["verified"]), "plain")
    if found["output"]:
        _add(page, "recognised by", found["output"]["recognised"], "plain")
    if found["stack"]:
        before, after = found["stack"]["before"], found["stack"]["after"]
        now = "as before" if before == after else f"now {after}"
        _add(page, "stack", f"{before} slot{'s' * (before != 1)}, {now}", "plain")
    for label, parts in (("shared", found["shared"]), ("its own", found["fresh"])):
        if parts:
            _add(page, label, ", ".join(parts), "plain")
    if found["running_frames"]:
        _add(page, "running", f"{found['running_frames']} frames of the old code", "warning")
    for note in found["notes"]:
        _add(page, "note", note, "plain")
    if found["warning"]:
        _add(page, "warning", found["warning"], "warning")


def _add_fingerprints(page: Sheet, found: schema.PatchDocument) -> None:
    for label, fingerprint in (("before", found["before"]), ("after", found["after"])):
        if fingerprint:
            page.add((f"  fingerprint {label}", "faint"))
            _add_fingerprint(page, fingerprint)


def _verified(verdict: schema.PatchVerified) -> str:
    count = verdict["codes"]
    codes = "1 code object" if count == 1 else f"{count} code objects"
    if not verdict["ok"]:
        return f"NOT safe, {codes}"
    if verdict["structural"]:
        return f"the structure of {codes} of CPython {verdict['version']} is sound"
    return f"{codes} of CPython {verdict['version']} cannot crash the interpreter"


def _add_fingerprint(page: Sheet, value: str) -> None:
    """Whole, on two lines if one is too short for it."""
    tag, _, digest = value.rpartition(":")
    if len(value) + 4 <= page.pen.width:
        page.add((f"    {value}", "value"))
    else:
        page.add((f"    {tag}:", "value"))
        page.add((f"{digest:>{min(68, page.pen.width)}}", "value"))


def _add(page: Sheet, label: str, text: str, role: str) -> None:
    for at, (line,) in enumerate(wrapped(page.pen, text, " " * 16, role)):
        page.add((f"  {'' if at else label:<14}", "faint"), (line[0][16:], role))
