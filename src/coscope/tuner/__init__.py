"""Try a change of one function, measure it, keep it or drop it."""

from coscope.tuner.trial import Change, Trial, tune

__all__ = ["Change", "Trial", "tune"]
