"""A small tree to scan, and the corpus of it."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

# What is not installed is asked for in vain by each test module, which is then skipped.
if find_spec("pyarrow") and find_spec("duckdb"):
    from coscope.corpus import Corpus, open_corpus, scan

ORDERS = '''\
"""Orders."""
import os.path, imp
from .models import Order as O

LIMIT = 60
count = 0
NAMES = frozenset({"b", "a", "c"})
BIG = 0x100000000000000000000
TOKEN = "ghp_" "0123456789abcdefghijABCDEFGHIJ012345"

def total(rows, *, rate=2):
    global count
    count += 1
    try:
        return sum(row.price for row in rows) * rate
    except TypeError:
        return eval("0", {"rows": rows})

def make(limit):
    seen = 0
    def push(x):
        nonlocal seen
        seen += 1
        return os.path.join(str(x), str(limit))
    return push

async def fetch(session):
    async for each in session.pages("https://example.org/a"):
        yield each
'''


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some modules of the library, a package of our own, a copy, and what does not compile."""
    root = tmp_path_factory.mktemp("tree")
    library = Path(sysconfig.get_path("stdlib"))
    for package in ("json", "email", "logging"):
        shutil.copytree(library / package, root / package, ignore=shutil.ignore_patterns("*.pyc"))
    (root / "shop").mkdir()
    (root / "shop" / "orders.py").write_text(ORDERS)
    (root / "shop" / "copy.py").write_text(ORDERS)
    (root / "shop" / "wrong.py").write_text("def f(:\n    pass\n")
    (root / "shop" / "empty.py").write_text("")
    return root


@pytest.fixture(scope="session")
def scanned(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of the tree, with every detail."""
    folder = tmp_path_factory.mktemp("corpora") / "corpus"
    scan([tree], folder, details=("flow", "findings", "fingerprints"))
    return folder


@pytest.fixture
def corpus(scanned: Path) -> Iterator[Corpus]:
    """The corpus of the tree, open."""
    with open_corpus(scanned) as made:
        yield made
