"""Audits: rules that read code objects and live objects, and say what is true of them.

One rule is one file, found by looking. `engine` runs them; `facts` is what they look at.
"""

PACKAGES = (
    "coscope.audits.closure",
    "coscope.audits.dynamic",
    "coscope.audits.performance",
    "coscope.audits.signature",
)  # where rules are
