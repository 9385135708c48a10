"""Whole libraries, environments and archives as tables: bytecode that SQL can be asked about."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coscope.corpus.ask import Answer, Corpus, open_corpus
    from coscope.corpus.catalog import Report
    from coscope.corpus.changes import diff
    from coscope.corpus.part import scan_part
    from coscope.corpus.scanning import scan
    from coscope.corpus.tasks import Part

__all__ = ["Answer", "Corpus", "Part", "Report", "diff", "open_corpus", "scan", "scan_part"]

_PLACES = {
    "Answer": "ask",
    "Corpus": "ask",
    "Part": "tasks",
    "Report": "catalog",
    "diff": "changes",
    "open_corpus": "ask",
    "scan": "scanning",
    "scan_part": "part",
}


def __getattr__(name: str) -> object:
    """Load what needs DuckDB or PyArrow when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
