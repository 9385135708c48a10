"""The verdict on a file that this interpreter has just written from the source beside it."""

from __future__ import annotations

import sys

# `py_compile` of 3.15 writes the outermost code object as one that nothing else refers to, which
# depends on how it was called; a recompilation differs from it in references alone.
IDENTICAL = "same" if sys.version_info >= (3, 15) else "identical"
EITHER = ("same", "identical") if sys.version_info >= (3, 15) else ("identical",)
