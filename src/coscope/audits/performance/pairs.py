"""What operations cost that two rules tell of: one of files, the other of code that has run."""

from __future__ import annotations

from coscope.audits.calibration import Pair

_SHADOWED_DEFAULT = """\
class Hidden:
    x = 0
    def __init__(self): self.x = 1
class Plain:
    def __init__(self): self.x = 1
hidden, plain = Hidden(), Plain()
"""
SHADOWED_DEFAULT = Pair("o.x", "p.x", _SHADOWED_DEFAULT, "o, p = hidden, plain")
SHADOWED_STORE = Pair("o.x = 1", "p.x = 1", _SHADOWED_DEFAULT, "o, p = hidden, plain")  # loses more
# A load and a store: from CPython 3.14 on the store alone loses anything.
SHADOWED = Pair("o.x = o.x", "p.x = p.x", _SHADOWED_DEFAULT, "o, p = hidden, plain", operations=2)

_METACLASS = """\
class Meta(type): pass
class WithMeta(metaclass=Meta): x = 1
class Plain: x = 1
"""
_ENUM = """\
import enum
class Member(enum.Enum): x = 1
class Plain: x = 1
"""
ENUM = Pair("C.x", "D.x", _ENUM, "C, D = Member, Plain")
METACLASS = Pair("C.x", "D.x", _METACLASS, "C, D = WithMeta, Plain")

_MODULE_GETATTR = """\
from types import ModuleType
lazy, plain = ModuleType("lazy"), ModuleType("plain")
lazy.x = plain.x = 1
lazy.__getattr__ = lambda name: 1
"""
MODULE_GETATTR = Pair("a.x", "b.x", _MODULE_GETATTR, "a, b = lazy, plain")

_CLASS_STORE = """\
class Counter: n = 0
cell = [0]
"""
CLASS_STORE = Pair("C.n += 1", "c[0] += 1", _CLASS_STORE, "C, c = Counter, cell")
