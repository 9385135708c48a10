"""Expression coverage: which expressions on executed lines never ran."""

from coscope.coverage.measured import Coverage, FileCoverage, measured
from coscope.coverage.never_ran import Missed

__all__ = ["Coverage", "FileCoverage", "Missed", "measured"]
