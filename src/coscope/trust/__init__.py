"""Does bytecode come from its source, and what is hidden in it? Nothing of what is read runs."""

from __future__ import annotations

import sys
from inspect import signature
from types import ModuleType

from coscope.trust.kinds import KINDS, Kind
from coscope.trust.model import (
    LADDER,
    Abilities,
    FileTrust,
    Listed,
    Place,
    Sign,
    TrustReport,
)
from coscope.trust.whole import trust

__all__ = [
    "KINDS",
    "LADDER",
    "Abilities",
    "FileTrust",
    "Kind",
    "Listed",
    "Place",
    "Sign",
    "TrustReport",
    "trust",
]


class _Room(ModuleType):
    """This package has the name of its verb: `coscope.trust(path)` works whichever was imported."""

    __call__ = staticmethod(trust)
    __signature__ = signature(trust)  # 3.11 takes the first parameter of a static method away


sys.modules[__name__].__class__ = _Room
