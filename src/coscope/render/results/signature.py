"""`signature`: the document and the page of what a callable reports and what its code accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.facts.signatures.annotations import Annotation
from coscope.facts.signatures.counterexamples import Witness
from coscope.facts.signatures.links import Link
from coscope.facts.signatures.shapes import Shape
from coscope.facts.signatures.signatures import Signatures
from coscope.render.document.report import header
from coscope.render.document.shared import value_entry
from coscope.render.pages.sheet import Piece, Sheet, columns, measure
from coscope.render.text.measured import Pen, cells
from coscope.render.text.measured import without_surrogates as clean
from coscope.result import Result

if TYPE_CHECKING:
    from coscope.render.schemas import signature as schema


def document(result: Result) -> schema.SignatureDocument:
    """The document of `Signatures`; see docs/schema.md, "signature"."""
    assert isinstance(result, Signatures)
    return {
        **header(),
        "command": "signature",
        "target": clean(result.target),
        "agree": result.agree,
        "reported": {
            "shape": _shape(result.reported),
            "sources": [clean(source) for source in result.sources],
            "problem": None if result.problem is None else clean(result.problem),
        },
        "binding": {"shape": _shape(result.binding), "exact": result.exact},
        "chain": [_link(link) for link in result.chain],
        "witnesses": [_witness(witness) for witness in result.witnesses],
        "annotations": [_annotation(annotation) for annotation in result.annotations],
        "warnings": [clean(warning) for warning in result.warnings],
        "error": None,
    }


def _shape(shape: Shape | None) -> schema.Shape | None:
    if shape is None:
        return None
    return {
        "text": clean(shape.text),
        "parameters": [
            {
                "name": clean(parameter.name),
                "kind": parameter.kind,
                "default": None if parameter.default is None else value_entry(parameter.default),
            }
            for parameter in shape.parameters
        ],
    }


def _link(link: Link) -> schema.SignatureLink:
    code = None if link.function is None else link.function.code
    return {
        "kind": clean(link.kind),
        "name": clean(link.name),
        "qualname": clean(link.qualname),
        "module": None if link.module is None else clean(link.module),
        "file": None if code is None else clean(code.filename),
        "line": None if code is None else code.firstlineno,
        "how": clean(link.how),
        "accepts": _shape(link.accepts),
        "flavour": link.flavour,
        "wraps": link.wraps,
        "changes": [clean(change) for change in link.changes],
    }


def _witness(witness: Witness) -> schema.Witness:
    return {
        "arguments": clean(witness.arguments),
        "positional": witness.positional,
        "keywords": [clean(name) for name in witness.keywords],
        "reported": None if witness.reported is None else clean(witness.reported),
        "code": None if witness.code is None else clean(witness.code),
        "by": None if witness.by is None else clean(witness.by),
        "when": witness.when,
    }


def _annotation(annotation: Annotation) -> schema.Annotation:
    return {
        "function": clean(annotation.function),
        "name": clean(annotation.name),
        "text": clean(annotation.text),
        "form": annotation.form,
        "verdict": annotation.verdict,
        "module": None if annotation.module is None else clean(annotation.module),
        "missing": [clean(name) for name in annotation.missing],
        "reason": None if annotation.reason is None else clean(annotation.reason),
        "elsewhere": None if annotation.elsewhere is None else clean(annotation.elsewhere),
    }


def sheet(document: schema.SignatureDocument, pen: Pen) -> Sheet:
    """Both signatures, calls on which they differ, the chain, the annotations."""
    sheet = Sheet(pen)
    _add_title(sheet, document)
    _add_witnesses(sheet, document)
    _add_chain(sheet, document["chain"])
    _add_annotations(sheet, document["annotations"])
    return sheet


def _add_title(sheet: Sheet, document: schema.SignatureDocument) -> None:
    reported, binding = document["reported"], document["binding"]
    known = reported["shape"] is not None and binding["shape"] is not None
    verdict, role = ("no call is found on which they differ", "value")
    if any(witness["reported"] is None for witness in document["witnesses"]):
        verdict, role = "the code rejects calls that are reported as accepted", "error"
    elif document["witnesses"]:
        verdict, role = "the code accepts more than is reported", "warning"
    elif not known:
        verdict, role = "only one side is known", "warning"
    room = sheet.pen.width - cells(verdict) - 3
    sheet.add((sheet.pen.fit(document["target"], room), "title"), ("   ", "plain"), (verdict, role))
    _add_wrapped(sheet, "  reported  ", _text(reported["shape"], reported["problem"]), "name")
    if reported["sources"]:
        _add_wrapped(sheet, " " * 12, "from " + ", ".join(reported["sources"]), "faint")
    _add_wrapped(sheet, "  binding   ", _text(binding["shape"], "not known"), "name")
    if binding["shape"] is not None and not binding["exact"]:
        text = "what its code does with the arguments further on may refuse more"
        _add_wrapped(sheet, " " * 12, text, "faint")
    for warning in document["warnings"]:
        sheet.add(("  warning: ", "warning"), (warning, "plain"))


def _text(shape: schema.Shape | None, problem: str | None) -> str:
    return f"none: {problem}" if shape is None else shape["text"]


def _add_wrapped(sheet: Sheet, label: str, text: str, role: str) -> None:
    """A text behind a label, on as many lines as it needs."""
    room = sheet.pen.width - len(label)
    lines = [""]
    for word in sheet.pen.clean(text).split(" "):
        if lines[-1] and cells(lines[-1]) + 1 + cells(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    for at, line in enumerate(lines):
        sheet.add((" " * len(label) if at else label, "faint"), (line, role))


def _add_witnesses(sheet: Sheet, document: schema.SignatureDocument) -> None:
    if not document["witnesses"]:
        return
    sheet.heading("Calls that one admits and the other rejects", "decided, not called")
    name = _called(document)
    for witness in document["witnesses"]:
        sheet.add((f"  {name}({witness['arguments']})", "name"))
        for side, error in (("reported", witness["reported"]), ("code", witness["code"])):
            if error is None:
                sheet.add((f"    {side:8}  ", "faint"), ("admits it", "value"))
                continue
            text = error
            if side == "code" and witness["when"] != "called":
                text += f" (when it is {witness['when']})"
            _add_wrapped(sheet, f"    {side:8}  ", text, "error")


def _called(document: schema.SignatureDocument) -> str:
    """What a call names: the target, else the callable's own name, else what it is."""
    name = document["chain"][0]["name"].rpartition(".")[2] if document["chain"] else ""
    target = document["target"].rpartition(":")[2]
    for each in (target, name):
        if each and all(part.isidentifier() for part in each.split(".")):
            return str(each)
    return str(document["chain"][0]["kind"]) if document["chain"] else target


def _add_chain(sheet: Sheet, chain: list[schema.SignatureLink]) -> None:
    if not chain:
        return
    sheet.heading("Chain", "from what is called to what that calls")
    arrow = sheet.pen.arrow
    for at, link in enumerate(chain):
        if at:
            sheet.add((f"    {arrow} ", "frame"), (link["how"], "kind"))
        shape = link["accepts"]
        what = link["flavour"] if link["kind"] == "function" else link["kind"]
        sort = {"function": "", None: ""}.get(what, f"  {what}")
        accepts = "" if shape is None else shape["text"]
        sheet.add((f"  {link['qualname']}", "name"), (accepts, "plain"), (sort, "kind"))
        if link["file"] is not None:
            where = sheet.pen.fit(
                f"{link['file']}, line {link['line']}", sheet.pen.width - 4, "end"
            )
            sheet.add(("    ", "plain"), (where, "faint"))
        for change in link["changes"]:
            _add_wrapped(sheet, "    ", change, "warning")


def _add_annotations(sheet: Sheet, annotations: list[schema.Annotation]) -> None:
    if not annotations:
        return
    sheet.heading("Annotations", "names are looked up, nothing is evaluated")
    rows: list[tuple[Piece, ...]] = []
    for each in annotations:
        good = each["verdict"] in ("evaluated", "would evaluate")
        rows.append(
            (
                (each["name"], "name"),
                (each["text"], "type"),
                (each["form"], "faint"),
                (each["verdict"], "plain" if good else "warning"),
            )
        )
    lines = columns(sheet.pen, rows, measure(sheet.pen, rows, sheet.pen.width - 2))
    for each, line in zip(annotations, lines, strict=True):
        sheet.extend([line])
        for told in filter(None, (each["reason"], each["elsewhere"])):
            _add_wrapped(sheet, "    ", told, "faint")
