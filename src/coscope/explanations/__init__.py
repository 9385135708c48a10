"""Why an exception was raised: in which expression, on which values, in plain words."""

from coscope.explanations.explaining import explain
from coscope.explanations.model import Diagnosis

__all__ = ["Diagnosis", "explain"]
