"""Everything that can be read, and how: `read` takes a live object or a static target."""

from __future__ import annotations

from coscope.readers.targets import read, select

__all__ = ["read", "select"]
