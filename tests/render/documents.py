"""Documents of many kinds of targets, and a validator for them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from coscope.readers import read
from coscope.render.document import report as report_module
from coscope.render.document.report import report

DATA = Path(__file__).parent / "data"
SCHEMA = Path(report_module.__file__).parents[1] / "schema.json"


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema that the package carries."""
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return loaded


def document(name: str, **options: Any) -> dict[str, Any]:
    """The document of a committed file, such as `sample-3.13.pyc::load`."""
    return report(read(str(DATA / name)), target=name, **options)


def code_of(found: dict[str, Any], qualname: str) -> dict[str, Any]:
    """The entry of one code object."""
    return next(code for code in found["codes"] if code["qualname"] == qualname)
