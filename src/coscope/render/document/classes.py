"""The document of a class: the tree of its Python functions, each with the text that names it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from coscope.model import Function
from coscope.readers.attributes import mro_of, namespace_of
from coscope.readers.classes import methods_of, target_of
from coscope.readers.values import name_of_class
from coscope.render.document.codes import identity
from coscope.render.document.report import Progress, card_of, frame, number_keys, source_of, tree_of
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def class_report(
    cls: type,
    *,
    target: str | None = None,
    detail: str = "none",
    fields: bool = False,
    values: bool = False,
    progress: Progress | None = None,
) -> schema.Document:
    """Say which Python functions a class defines itself.

    Args:
        cls: A live class.
        target: What the user named; the class's own name if not given.
        detail: "none", "first" (the functions' own code) or "all" (what is nested in it too).
        fields: Add the raw fields of code objects and functions.
        values: Add the producers and the kinds of the values on the stack.
        progress: Called after each function.

    Raises:
        CodeError: A code object contradicts itself.
    """
    document = _opening(cls, target)
    methods = list(methods_of(cls))
    file = _main_file([method.function for method in methods])
    entries = document["codes"]
    for done, (part, function) in enumerate(methods, 1):
        shown = function if _file_of(function) == file else _without_source(function)
        entries += _entries(shown, target_of(cls, part), len(entries), detail, fields, values)
        if progress is not None:
            progress(done, len(methods))
    number_keys(entries)
    main = next((m.function for m in methods if _file_of(m.function) == file), None)
    if main is not None and file is not None:
        own = [entry for entry in entries if entry["file"] == main.code.filename]
        document["source"] = source_of(main, own)
    return document


def _opening(cls: type, target: str | None) -> schema.Document:
    """The document without code objects: what the class says of itself."""
    namespace = namespace_of(cls)
    module, doc = namespace.get("__module__"), namespace.get("__doc__")
    name = name_of_class(cls)
    document = frame(target or name)
    document["origin"], document["live"] = "live", True
    document["module"] = clean(module) if type(module) is str else None
    document["doc"] = clean(doc) if type(doc) is str else None
    document["class_shown"] = {
        "name": clean(name),
        "bases": [clean(name_of_class(base)) for base in mro_of(cls)[1:-1]],
        "target": target_of(cls),
    }
    return document


def _entries(
    function: Function, target: str | None, start: int, detail: str, fields: bool, values: bool
) -> list[schema.Code]:
    """The entries of one function and of the code nested in it, numbered from `start`."""
    entries: list[schema.Code] = []
    for index, (code, parent) in enumerate(tree_of(function.code)):
        entry = identity(code, start + index, None if parent is None else start + parent)
        entry["target"] = None if index or target is None else clean(target)
        if detail == "all" or (detail == "first" and index == 0):
            entry["detail"] = card_of(function, code, fields=fields, values=values)
        entries.append(entry)
    return entries


def _file_of(function: Function) -> str | None:
    return None if function.source is None else function.source.file


def _main_file(functions: list[Function]) -> str | None:
    """The file from which most of the functions come: a document shows lines of one file."""
    files = Counter(file for each in functions if (file := _file_of(each)) is not None)
    return files.most_common(1)[0][0] if files else None


def _without_source(function: Function) -> Function:
    return replace(function, source=None)
