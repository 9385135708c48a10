"""The TypedDicts are the one definition: schema.json and docs/schema.md are made from them."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, is_typeddict

import pytest

from coscope.render import schemas
from tests.render.documents import schema

ROOT = Path(__file__).parents[3]


def forms() -> dict[str, Any]:
    """Every TypedDict by the name of its definition, as the typing module sees it."""
    found = {}
    for module in pkgutil.iter_modules(schemas.__path__):
        space = vars(importlib.import_module(f"{schemas.__name__}.{module.name}"))
        for name, thing in space.items():
            if is_typeddict(thing) and thing.__module__ == space["__name__"]:
                found[re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()] = thing
    return found


def test_schema_and_page_are_those_of_the_typed_dicts() -> None:
    tool = ROOT / "tools" / "document_schema.py"
    told = subprocess.run(
        [sys.executable, str(tool), "--check"], capture_output=True, text=True, timeout=60
    )

    assert ("", 0) == (told.stdout + told.stderr, told.returncode)


def test_every_typed_dict_is_defined_once() -> None:
    assert {*schema()["$defs"], "document"} == set(forms())


@pytest.mark.parametrize("name", sorted(forms()))
def test_keys_are_those_that_typing_sees(name: str) -> None:
    form = forms()[name]
    part = schema() if name == "document" else schema()["$defs"][name]

    assert set(form.__annotations__) == set(part["properties"])


@pytest.mark.parametrize("name", sorted(forms()))
def test_keys_that_may_be_absent_say_so(name: str) -> None:
    form = forms()[name]
    part = schema() if name == "document" else schema()["$defs"][name]
    texts = {key: hint.__forward_arg__ for key, hint in form.__annotations__.items()}

    assert set(part["required"]) == {k for k, t in texts.items() if not t.startswith("NotReq")}
