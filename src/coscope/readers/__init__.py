"""Everything that can be read, and how: `read` takes a live object or a static target."""

from __future__ import annotations

from coscope.readers.selection import select
from coscope.readers.targets import read

__all__ = ["read", "select"]
