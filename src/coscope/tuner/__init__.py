"""Try changes of one function, measure them, keep what wins."""

from coscope.tuner.processes import Clocks
from coscope.tuner.trial import Change, Trial
from coscope.tuner.tuning import tune

__all__ = ["Change", "Clocks", "Trial", "tune"]
