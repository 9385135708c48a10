"""`signature` against `inspect.signature` and real calls of stubs, over installed packages."""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from types import FunctionType

import pytest

from coscope.facts.signatures.signatures import signature
from tests.facts.signatures.comparing_signatures import callables_of, compare, unconfirmed

STANDARD = ("argparse", "asyncio", "collections", "contextlib", "functools", "json", "typing")
INSTALLED = ("rich.console", "click", "pytest", "hypothesis.strategies")
PACKAGES = STANDARD if sys.platform == "emscripten" else (*STANDARD, *INSTALLED)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reported_signature_is_that_of_inspect(package: str) -> None:
    module = importlib.import_module(package)
    counts = Counter(compare(thing) for thing in callables_of(module))

    assert {} == {
        sort: counts[sort] for sort in ("different", "missing", "inspect has none") if counts[sort]
    }
    assert counts["equal"] > 10


@pytest.mark.parametrize("package", PACKAGES)
def test_every_witness_is_confirmed_by_really_binding(package: str) -> None:
    module = importlib.import_module(package)
    functions = [each for each in callables_of(module) if isinstance(each, FunctionType | type)]
    wrong = []
    for thing in functions[:400]:
        wrong += unconfirmed(signature(thing))

    assert [] == wrong
