"""Built-in types that only recent interpreters have: frozendict, what a lazy import leaves.

Both are exact types of C code that nobody can derive from a lazy import or, with other behaviour,
from frozendict unnoticed: only the type itself is recognised here.
"""

from __future__ import annotations

import builtins
import gc
import sys
import types
from collections.abc import Iterable
from types import ModuleType
from typing import Any

_FROZEN_DICT: type | None = vars(builtins).get("frozendict")  # PEP 814
_LAZY_IMPORT: type | None = vars(types).get("LazyImportType")  # PEP 810


def is_frozen_dict(kind: type) -> bool:
    """True for the built-in frozendict, not for what derives from it."""
    return kind is _FROZEN_DICT


def frozen_items(thing: Any) -> Iterable[tuple[object, object]]:
    """Keys and values of a frozendict, in its order."""
    found: Iterable[tuple[object, object]] = vars(type(thing))["items"](thing)
    return found


def is_lazy_import(kind: type) -> bool:
    """True of the type of what a lazy import leaves until somebody uses it."""
    return kind is _LAZY_IMPORT


def lazily_imported(thing: object) -> str | None:
    """What a lazy import names that nobody has used yet, such as "json"; else None.

    Using it would import the module, which is the user's code: it is never done here.
    """
    if _LAZY_IMPORT is None or type(thing) is not _LAZY_IMPORT:
        return None
    return repr(thing).removeprefix("<lazy_import '").removesuffix("'>")  # by C code alone


def settled(thing: object) -> object:
    """The object that a lazy import would give, if its module is loaded already; else the thing.

    The name of `lazy import a.b` is bound to `a`; that of `lazy from a import b` to `b`, which is
    known by the lazy import of `a` that it holds.
    """
    full = lazily_imported(thing)
    if full is None:
        return thing
    module: Any = sys.modules.get(full)
    parent, _, name = full.rpartition(".")
    if not any(type(each) is _LAZY_IMPORT for each in gc.get_referents(thing)):
        module = sys.modules.get(full.partition(".")[0]) if module is not None else None
    elif module is None:
        around = sys.modules.get(parent)
        if type(around) is ModuleType:
            return dict.get(vars(around), name, thing)
    return thing if module is None else module
