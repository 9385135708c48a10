"""Everything that can be read. `locate` is the one door: it says what a target names."""

import coscope.codec  # noqa: F401  so that `Code.instructions` knows its decoder
from coscope.readers.files import Snippet
from coscope.readers.targets import Target, locate, read, select

__all__ = ["Snippet", "Target", "locate", "read", "select"]
