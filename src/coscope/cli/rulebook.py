"""All rules there are: the verifier's and the audit's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coscope.rules import Rule

PACKAGES = (
    "coscope.verifier.checks",
    "coscope.audits.closure",
    "coscope.audits.dynamic",
    "coscope.audits.performance",
    "coscope.audits.signature",
)  # where rules are


def every_rule() -> list[Rule]:
    """The rules of all packages, in their order."""
    from coscope.rules import discover

    return [rule for package in PACKAGES for rule in discover(package)]
