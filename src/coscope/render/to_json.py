"""The document as strict JSON."""

from __future__ import annotations

import json
from typing import Any


def to_json(document: dict[str, Any], *, indent: int | None = 2) -> str:
    """Strict JSON in ASCII, ended by a line feed: no NaN, no lone surrogates, no raw controls."""
    return json.dumps(document, allow_nan=False, ensure_ascii=True, indent=indent) + "\n"
