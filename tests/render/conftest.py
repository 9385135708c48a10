"""The committed .pyc files name their source `sample.py`: it is found from where they lie."""

from __future__ import annotations

import pytest

from tests.render.documents import DATA


@pytest.fixture(autouse=True)
def _beside_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DATA)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
