"""Documents in columns: the same data, in less than a fifth of the room."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import coscope
from coscope.readers import locate
from coscope.render.document.targets import document_of
from coscope.render.to_columns import from_columns, to_columns
from coscope.render.to_json import to_json
from tests.render.documents import DATA

LIBRARY = Path(sysconfig.get_path("stdlib"))


def rows(document: Any) -> Any:
    return json.loads(to_json(document))


def ordered(document: Any) -> str:
    return json.dumps(document, sort_keys=True)


def unpacked(text: str) -> Any:
    return from_columns(json.loads(text))


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    "target",
    [
        *(str(DATA / f"sample-{version}.pyc") for version in ("3.8", "3.12", "3.13")),
        *(str(LIBRARY / f"{name}.py") for name in ("shlex", "token", "contextlib")),
    ],
    ids=lambda target: Path(target).name if isinstance(target, str) else str(target),
)
def test_columns_give_the_document_back(target: str, whole: bool) -> None:
    document = document_of(locate(target), detail="all", fields=True, whole=whole)

    assert rows(document) == unpacked(to_json(to_columns(document), indent=None))


def test_columns_hold_the_documents_of_other_commands() -> None:
    for made in (coscope.closure(rows), coscope.depends(rows), coscope.verify(rows)):
        document = made.to_json()

        assert rows(document) == unpacked(to_json(to_columns(document), indent=None))


def test_columns_take_less_than_eight_times_the_source() -> None:
    path = LIBRARY / "argparse.py"
    document = document_of(locate(str(path)), detail="all", whole=True)
    text = to_json(to_columns(document), indent=None)

    assert 8 * path.stat().st_size > len(text)


SCALARS = some.none() | some.booleans() | some.integers() | some.text('~ab"\\\u20ac', max_size=4)
JSON = some.recursive(
    SCALARS | some.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        some.lists(inner, max_size=6)
        | some.dictionaries(some.sampled_from(["~", "a", "b", "count"]), inner, max_size=3)
    ),
    max_leaves=40,
)


@given(some.dictionaries(some.sampled_from(["x", "y", "z"]), JSON, max_size=3))
def test_columns_give_any_data_back(document: dict[str, Any]) -> None:
    packed = json.loads(to_json(to_columns(document), indent=None))

    # Compared as text: 1, 1.0, -0.0 and True are not to be mixed up. The order of keys may change.
    assert ordered(document) == ordered(from_columns(packed))


def test_the_command_writes_them() -> None:
    rowwise, columns = (
        subprocess.run(
            [sys.executable, "-m", "coscope", "show", str(DATA / "sample-3.13.pyc"), option],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for option in ("--json", "--columns")
    )

    assert json.loads(rowwise) == unpacked(columns)
