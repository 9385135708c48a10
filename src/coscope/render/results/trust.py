"""Verdicts on bytecode files as a document and as a page: a tree of what is to be looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from coscope.render.document.report import header
from coscope.render.pages.sheet import Sheet
from coscope.render.pages.wording import wrapped
from coscope.render.results.diff import add_pair, code_entry
from coscope.render.text.measured import Pen
from coscope.render.text.measured import without_surrogates as clean
from coscope.trust.kinds import KINDS
from coscope.trust.model import Abilities, FileTrust, Sign, TrustReport

if TYPE_CHECKING:
    from coscope.render.schemas import trust as schema

ROLES = {
    "identical": "mark",
    "same": "mark",
    "same behaviour": "value",
    "known drift": "value",
    "differs": "error",
    "no source": "warning",
    "unreadable": "error",
}
SEVERITIES = {"error": "error", "warning": "warning", "info": "faint"}
_MOST = 60  # files on the page; the document has all
_PLACES = 8  # places of one file on the page
_CODES = 3  # aligned code objects of one file on the page


def document(result: TrustReport) -> schema.TrustDocument:
    """The document of docs/schema.md, "trust"."""
    signs = list(result.signs)
    return {
        **header(),
        "command": "trust",
        "target": clean(result.target),
        "ok": result.ok,
        "totals": {
            "files": len(result.files),
            "read": result.read,
            "signs": len(signs),
            "errors": sum(each.severity == "error" for each in signs),
            "warnings": sum(each.severity == "warning" for each in signs),
            "infos": sum(each.severity == "info" for each in signs),
            "unread": result.unread,
            "known": result.known,
        },
        "verdicts": [
            {"verdict": verdict, "files": count} for verdict, count in result.totals.items()
        ],
        "files": [_file(each) for each in result.files],
        "others": [_sign(each) for each in result.others],
        "listed": [
            {"kind": each.kind, "name": clean(each.name), "what": clean(each.what)}
            for each in result.listed
        ],
        "error": None,
    }


def _file(each: FileTrust) -> schema.TrustFile:
    return {
        "file": clean(each.file),
        "verdict": each.verdict,
        "details": [clean(text) for text in each.details],
        "source": None if each.source is None else clean(each.source),
        "version": each.version,
        "release": each.release,
        "level": each.level,
        "invalidation": each.invalidation,
        "runs": clean(each.runs),
        "places": [
            {
                "code": clean(place.code),
                "what": place.what,
                "left": clean(place.left),
                "right": clean(place.right),
                "line": place.line,
                "offset": place.offset,
            }
            for place in each.places
        ],
        "codes": [code_entry(pair) for pair in each.codes],
        "signs": [_sign(one) for one in each.signs],
        "abilities": None if each.abilities is None else _abilities(each.abilities),
    }


def _sign(each: Sign) -> schema.TrustSign:
    return {
        "rule": each.kind,
        "title": KINDS[each.kind].title,
        "message": clean(each.message),
        "severity": each.severity,
        "file": clean(each.file),
        "code": None if each.code is None else clean(each.code),
        "line": each.line,
        "offset": each.offset,
    }


def _abilities(each: Abilities) -> schema.TrustAbilities:
    return {
        "verified": each.verified,
        "violations": [clean(text) for text in each.violations],
        "dynamic": [clean(text) for text in each.dynamic],
        "imports": [clean(text) for text in each.imports],
        "calls": [clean(text) for text in each.calls],
        "urls": [clean(text) for text in each.urls],
        "keys": [clean(text) for text in each.keys],
    }


def sheet(found: schema.TrustDocument, pen: Pen) -> Sheet:
    """The page: what is to be looked at, folder by folder, then the totals."""
    page = Sheet(pen)
    page.add((found["target"], "title"))
    shown = [each for each in found["files"] if _speaks(each)]
    for folder, files in _by_folder(shown[:_MOST]):
        page.blank()
        page.add((folder or ".", "heading"))
        for each in files:
            _add_file(page, each, folder)
    if len(shown) > _MOST:
        page.add((f"  and {len(shown) - _MOST:,} more files; --json lists all", "warning"))
    _add_others(page, found["others"])
    _add_known(page, found)
    _add_totals(page, found)
    return page


def _speaks(each: schema.TrustFile) -> bool:
    """True for a file that has more to say than that it is what its source says."""
    return any(sign["severity"] != "info" for sign in each["signs"])


def _by_folder(
    files: Iterable[schema.TrustFile],
) -> Iterator[tuple[str, list[schema.TrustFile]]]:
    groups: dict[str, list[schema.TrustFile]] = defaultdict(list)
    for each in files:
        groups[_folder_of(each["file"])].append(each)
    yield from groups.items()


def _folder_of(file: str) -> str:
    if "::" in file:
        return file.rpartition("::")[0]
    return file.replace("\\", "/").rpartition("/")[0]


def _add_file(page: Sheet, each: schema.TrustFile, folder: str) -> None:
    name = each["file"][len(folder) :].lstrip("/:\\") or each["file"]
    page.add(
        ("  ", "plain"),
        (name, "name"),
        (f"  {each['verdict']}", ROLES[each["verdict"]]),
        (f"  CPython {each['release'] or each['version']}" if each["version"] else "", "faint"),
    )
    if each["runs"]:
        page.extend(wrapped(page.pen, f"runs: {each['runs']}", "    ", "faint"))
    add_signs(page, each["signs"])
    for place in each["places"][:_PLACES]:
        _add_place(page, place)
    left = len(each["places"]) - _PLACES
    if left > 0:
        page.add((f"    and {left} more places; --json lists all", "faint"))
    for pair in each["codes"][:_CODES]:
        add_pair(page, pair)
    if len(each["codes"]) > _CODES:
        page.add((f"    and {len(each['codes']) - _CODES} more code objects", "faint"))
    if each["abilities"] is not None:
        add_abilities(page, each["abilities"])


def add_signs(page: Sheet, signs: Iterable[schema.TrustSign]) -> None:
    """One line or more for each sign."""
    for each in signs:
        role = SEVERITIES[each["severity"]]
        text = f"{each['message']}{where(each)}"
        lines = list(wrapped(page.pen, text, "           ", "plain"))
        if not lines:
            continue
        first = lines[0][0][0].strip()
        page.add(("    ", "plain"), (f"{each['rule']} ", role), (first, "plain"))
        page.extend(lines[1:])


def where(each: schema.TrustSign) -> str:
    """The place of a sign in its file."""
    parts = []
    if each["code"] is not None:
        parts.append(f"in {each['code']}")
    if each["line"] is not None:
        parts.append(f"line {each['line']}")
    if each["offset"] is not None:
        parts.append(f"byte {each['offset']}")
    return f" ({', '.join(parts)})" if parts else ""


def _add_place(page: Sheet, place: schema.TrustPlace) -> None:
    spot = f"line {place['line']}" if place["line"] is not None else ""
    if place["offset"] is not None:
        spot += f"{', ' if spot else ''}byte {place['offset']}"
    page.add(
        ("    ", "plain"), (place["what"], "kind"), (f"  {place['code']}", "name"),
        (f"  {spot}", "faint"),
    )  # fmt: skip
    room = page.pen.width - 8
    for sign, text, role in (("-", place["left"], "error"), ("+", place["right"], "mark")):
        if text:
            page.add((f"      {sign} ", role), (page.pen.fit(text, room), role))


def add_abilities(page: Sheet, able: schema.TrustAbilities) -> None:
    """What a file can do."""
    words = {True: "accepted", False: "refused", None: "not decided"}
    page.add(("    the verifier  ", "kind"), (words[able["verified"]], "plain"))
    for label, texts in (
        ("violations", able["violations"]),
        ("dynamic code", able["dynamic"]),
        ("imports", able["imports"]),
        ("reaches", able["calls"]),
        ("addresses", able["urls"]),
        ("keys", able["keys"]),
    ):
        if not texts:
            continue
        lines = list(wrapped(page.pen, ", ".join(texts), " " * 18, "plain"))
        page.add((f"    {label:<14}", "kind"), (lines[0][0][0].strip(), "plain"))
        page.extend(lines[1:6])


def _add_others(page: Sheet, signs: list[schema.TrustSign]) -> None:
    loud = [each for each in signs if each["severity"] != "info"]
    if not loud:
        return
    page.heading("Beside the bytecode")
    for each in loud[:_MOST]:
        page.add(("  ", "plain"), (each["file"], "name"))
        add_signs(page, [each])
    if len(loud) > _MOST:
        page.add((f"  and {len(loud) - _MOST:,} more; --json lists all", "warning"))


def _add_known(page: Sheet, found: schema.TrustDocument) -> None:
    """What is worth knowing and no reason to worry, counted by kind."""
    counts: dict[str, list[schema.TrustSign]] = defaultdict(list)
    for sign in (*(s for each in found["files"] for s in each["signs"]), *found["others"]):
        if sign["severity"] == "info":
            counts[sign["rule"]].append(sign)
    kinds: dict[str, int] = defaultdict(int)
    for each in found["listed"]:
        kinds[each["kind"]] += 1
    if not counts and not kinds:
        return
    page.heading("For information", "--json lists all, --strict counts the rules")
    for rule, signs in sorted(counts.items()):
        page.add(
            (f"  {rule} ", "faint"), (f"{signs[0]['title']}: {len(signs):,}", "plain"),
            (f", such as {signs[0]['message']}", "faint"),
        )  # fmt: skip
    for kind, count in sorted(kinds.items()):
        page.add((f"  {count:,} {kind}{'' if count == 1 else 's'}", "plain"))


def _add_totals(page: Sheet, found: schema.TrustDocument) -> None:
    page.heading("Verdicts", f"{found['totals']['files']:,} bytecode files")
    for each in found["verdicts"]:
        if each["files"]:
            page.add(
                (f"  {each['files']:>9,}  ", "value"), (each["verdict"], ROLES[each["verdict"]])
            )
    totals = found["totals"]
    if totals["known"]:
        page.add((f"  {totals['known']:,} signs are in the baseline", "faint"))
    page.blank()
    if found["ok"]:
        page.add(("nothing to look at", "mark"))
        return
    parts = []
    for count, word in (
        (totals["errors"], "error"),
        (totals["warnings"], "warning"),
        (totals["unread"], "unreadable file"),
    ):
        if count:
            parts.append(f"{count:,} {word}{'' if count == 1 else 's'}")
    page.add((", ".join(parts), "error"))
