"""The pytest fixture `patch_code`: functions changed in place, undone when the test ends.

pytest loads this file by the entry point `pytest11`; coscope itself is loaded at the first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from coscope.patcher.receipts import Receipt


@pytest.fixture
def patch_code() -> Iterator[Callable[..., Receipt]]:
    """Change a function in place until the test ends: `patch_code(fn, constants={30: 0.1})`.

    It takes what `coscope.patched` takes and returns the receipt. Several patches are undone in
    the reverse order, also if the test fails.
    """
    from coscope.patcher.verbs.in_place import patched

    with ExitStack() as stack:

        def apply(fn: Any, **changes: Any) -> Receipt:
            return stack.enter_context(patched(fn, **changes))

        yield apply
