"""The analyst: coscope in a worker of the page. It reads what any CPython compiled.

A slot is one version of the text that the page shows. Every function returns JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from coscope.codec.pyc import read_header
from coscope.codec.unmarshal import load
from coscope.errors import CoscopeError, InternalError, SourceError, TargetNotFound
from coscope.facts.differences.difference import diff
from coscope.model import Code, Function
from coscope.opcodes import table
from coscope.opcodes.sentences import explain_opcode
from coscope.opcodes.slots import Slot
from coscope.readers.from_interpreter import with_release
from coscope.readers.from_pyc import from_pyc
from coscope.readers.from_source import from_source, static_function, syntax_fault
from coscope.readers.sources import source_from
from coscope.render.document.findings import findings_in
from coscope.render.document.report import error_document, report
from coscope.render.document.targets import sentences_of
from coscope.render.report.packing import packed
from coscope.render.report.page import entry_of, page
from coscope.render.text.measured import without_surrogates

_SLOTS: dict[str, Function] = {}
_encode = json.JSONEncoder(separators=(",", ":")).encode

Answer = Callable[..., object]


def _answers(function: Answer) -> Callable[..., str]:
    """Give an error as the document of an error; the name of the text is the second argument."""

    @wraps(function)
    def answer(slot: str, *rest: object) -> str:
        try:
            return _encode(function(slot, *rest))
        except CoscopeError as error:
            return _encode(error_document(error, slot))
        except RecursionError:
            deep = SourceError("the source is nested too deeply for the page")
            return _encode(error_document(deep, slot))

    return answer


def _keep(slot: str, function: Function) -> object:
    _SLOTS[slot] = function
    return {"version": function.code.version, "release": function.code.release}


@_answers
def open_text(slot: str, text: str, name: str) -> object:
    """Compile a text by the CPython in which this runs."""
    _SLOTS.pop(slot, None)
    return _keep(slot, from_source(text, name))


@_answers
def open_marshalled(
    slot: str, text: str, name: str, data: object, version: str, release: str
) -> object:
    """Take a code object that another CPython compiled from the text."""
    _SLOTS.pop(slot, None)
    code = load(_bytes(data), table(version), file=name)
    if not isinstance(code, Code):
        raise InternalError("the compiler answered without a code object")
    made = static_function(with_release(code, release), "interpreter", source_from(text, name))
    return _keep(slot, made)


@_answers
def refuse(slot: str, name: str, reason: str, detail: str) -> object:
    """The document of a text that another CPython did not compile."""
    _SLOTS.pop(slot, None)
    if reason == "syntax":
        raise syntax_fault(name, *json.loads(detail))
    raise SourceError(
        "the source is nested too deeply for the compiler", file=name, found=json.loads(detail)
    )


@_answers
def open_pyc(slot: str, data: object, name: str, text: str | None, mtime: int) -> object:
    """Read a .pyc; the text is its source if its header says so."""
    _SLOTS.pop(slot, None)
    held = _bytes(data)
    function = from_pyc(held, file=name)
    header = read_header(held, name)
    kept = False
    if text is not None and header.source_hash is None:
        size = len(text.encode("utf-8", "surrogatepass"))
        kept = (header.mtime, header.source_size) == (mtime & 0xFFFFFFFF, size & 0xFFFFFFFF)
    if kept and text is not None:
        function = replace(function, source=source_from(text, function.code.filename))
    _keep(slot, function)
    return {"version": function.code.version, "release": None, "source": kept}


def _bytes(data: object) -> bytes:
    return bytes(getattr(data, "to_bytes", lambda: data)())  # type: ignore[call-overload, no-any-return]


@_answers
def view(slot: str, key: str | None) -> object:
    """The document with the card of one code object: that with the key, or the first function."""
    function = _SLOTS[slot]
    if key is not None:
        try:
            return report(function, target=slot, only=key, values=True)
        except TargetNotFound:
            pass  # an edit took it away
    return report(function, target=slot, detail="first", values=True)


@_answers
def findings(slot: str) -> object:
    """What the static rules find, of the whole text."""
    return findings_in(_SLOTS[slot])


@_answers
def differences(left: str, right: str) -> object:
    """What differs between two slots in what their code does."""
    found = diff(_SLOTS[left], _SLOTS[right])
    return {
        "text": found.text,
        "facts": {
            each.left: [[fact.what, fact.left, fact.right] for fact in each.facts]
            for each in found.codes
        },
        "added": list(found.added),
        "removed": list(found.removed),
    }


@_answers
def whole(slot: str, form: str) -> object:
    """Everything about the text: the document of `coscope show --all --json`, or one HTML file."""
    function = _SLOTS[slot]
    source = function.source
    name = function.code.filename if source is None else source.file
    document = report(function, target=name, detail="all", values=form == "json")
    document["findings"] = findings_in(function)
    text = "" if source is None else without_surrogates("\n".join(source.lines))
    if form == "html":
        made = entry_of(name, document, packed(document, text))
        return "".join(page(name, [made], sentences_of(document["codes"])))
    if document["source"] is not None:
        document["source"]["text"] = text + "\n"
    return document


@_answers
def explain(name: str, version: str) -> object:
    """What an opcode does in one version, in plain words."""
    found = explain_opcode(name, version)
    meaning = found.meanings[-1]
    return {
        "sentence": meaning.sentence,
        "argument": meaning.argument,
        "takes": [_slot(slot) for slot in meaning.takes],
        "leaves": [_slot(slot) for slot in meaning.leaves],
        "since": found.versions[0],
        "until": found.versions[-1],
        "forms": [[form.name, form.sentence] for form in found.forms if form.form == "specialized"],
    }


def _slot(slot: Slot) -> str:
    count = "" if slot.count == "1" else f" × ({slot.count})"
    return slot.name + count + (f" if {slot.condition}" if slot.condition else "")


def _warm_up() -> None:
    """Import and compute what the first view needs, before the snapshot of memory is taken."""
    sample = "def f(a, n):\n    for i in range(n):\n        try:\n            a += i\n"
    sample += "        except E as e:\n            print(e)\n    return lambda: a\n"
    open_text("warm", sample, "warm.py")
    for key in (None, "f", "f.<locals>.<lambda>"):
        view("warm", key)
    findings("warm")
    differences("warm", "warm")
    whole("warm", "html")
    explain("LOAD_ATTR", "3.14")
    _SLOTS.clear()


_warm_up()
