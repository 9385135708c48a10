"""`depends` of whole packages, against `dis` and against `symtable`."""

from __future__ import annotations

import json
import os
import random
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.facts.dependencies.dependency_differential import compare, functions_of, load

INSTALLED = ("rich", "click", "pytest", "hypothesis")
SAMPLE = 250  # functions of each

# The packages of the whole run; COSCOPE_PACKAGES_PYTHON names a Python that has them.
PACKAGES = (
    "requests",
    "click",
    "rich",
    "attr",
    "jinja2",
    "flask",
    "networkx",
    "urllib3",
    "werkzeug",
    "sqlalchemy",
    "dask",
    "pydantic",
    "pygments",
    "sympy",
    "numpy",
    "pandas",
)


def faults(found: dict[str, Any]) -> dict[str, Any]:
    keys = ("different from dis", "unexplained", "wrong")
    return {key: found[key] for key in keys if found.get(key)}


@pytest.mark.parametrize("package", [name for name in INSTALLED if find_spec(name)])
def test_sample(package: str) -> None:
    load(package)
    functions = functions_of([package, f"_{package}"])
    found = compare(random.Random(3).sample(functions, min(SAMPLE, len(functions))))

    assert found["functions"] > 0
    assert {} == faults(found)


@pytest.mark.exhaustive
@pytest.mark.parametrize("package", PACKAGES)
def test_whole_package(package: str) -> None:
    python = os.environ.get("COSCOPE_PACKAGES_PYTHON")
    if python is None:
        pytest.skip("COSCOPE_PACKAGES_PYTHON names no Python that has the packages")
    run = subprocess.run(
        [python, "-m", "tests.facts.dependencies.dependency_differential", package],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=True,
        text=True,
    )
    found = json.loads(run.stdout.splitlines()[-1])
    print(found)

    assert {} == faults(found)
