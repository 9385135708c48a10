"""Everything that can be read, and how: `read` takes a live object or a static target."""

import coscope.codec  # noqa: F401  so that `Code.instructions` knows its decoder
from coscope.readers.selection import select
from coscope.readers.targets import read

__all__ = ["read", "select"]
