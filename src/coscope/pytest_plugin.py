"""For pytest: the fixtures `patch_code`, and `--coscope`, which explains a test that fails.

pytest loads this file by the entry point `pytest11`; coscope itself is loaded at the first use.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from coscope.patcher.receipts import Receipt

# A failure in a test shows the test and the message, not this plugin.
__tracebackhide__ = True


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("coscope").addoption(
        "--coscope",
        action="store_true",
        dest="coscope_explains",
        help="explain each failure: the expression, the values in it, where they came from",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the page of `coscope explain` to the report of a test that fails."""
    report = yield
    if report.failed and call.excinfo is not None and item.config.getoption("coscope_explains"):
        report.sections.append(("coscope explain", _page(call.excinfo.value)))
    return report


def _page(error: BaseException) -> str:
    """The explanation, without the frames of pytest that called the test."""
    from coscope.explanations.explaining import explain

    found = explain(error)
    own = (at for at, stop in enumerate(found.stops) if not stop.library)
    return str(replace(found, stops=found.stops[next(own, 0) :]))


PatchCode = Callable[..., "Receipt"]


def _patching() -> Iterator[PatchCode]:
    from coscope.patcher.verbs.in_place import patched

    with ExitStack() as stack:

        def patch_code(fn: Any, **changes: Any) -> Receipt:
            change = patched(fn, **changes)
            receipt = change.start()
            stack.callback(change.stop)
            return receipt

        yield patch_code


@pytest.fixture
def patch_code() -> Iterator[PatchCode]:
    """Change a function in place until the test ends: `patch_code(fn, constants={30: 0.1})`.

    It takes what `coscope.patched` takes and returns the receipt. Several patches are undone in
    the reverse order, also if the test fails. `patch_code_class`, `patch_code_module` and
    `patch_code_session` undo them when the class, the module or the whole run ends.
    """
    yield from _patching()


@pytest.fixture(scope="class")
def patch_code_class() -> Iterator[PatchCode]:
    """As `patch_code`, until the last test of the class ends."""
    yield from _patching()


@pytest.fixture(scope="module")
def patch_code_module() -> Iterator[PatchCode]:
    """As `patch_code`, until the last test of the module ends."""
    yield from _patching()


@pytest.fixture(scope="session")
def patch_code_session() -> Iterator[PatchCode]:
    """As `patch_code`, until the whole run ends."""
    yield from _patching()
