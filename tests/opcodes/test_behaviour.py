"""Every version says how it behaves, by the names of `opcodes/behaviour.py`, and by no other."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest

from coscope.errors import InternalError
from coscope.opcodes import VERSIONS, from_toml, table


def parsed(version: str) -> dict[str, Any]:
    """The table of a version as its file has it."""
    file = resources.files("coscope.opcodes").joinpath(f"cpython-{version}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


SECTIONS = [
    (version, section, name)
    for version in VERSIONS
    for section in ("behaviour", "wording", "specialization", "compiler_made")
    for name in parsed(version).get(section, {})
]


@pytest.mark.parametrize(("version", "section", "name"), SECTIONS)
def test_a_table_that_lacks_a_value_is_refused(version: str, section: str, name: str) -> None:
    data = parsed(version)
    del data[section][name]

    with pytest.raises(InternalError, match=section) as caught:
        from_toml(data)
    assert name == caught.value.expected


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("section", ["behaviour", "wording", "compiler_made"])
def test_a_table_without_the_section_is_refused(version: str, section: str) -> None:
    data = parsed(version)
    del data[section]

    with pytest.raises(InternalError, match=section):
        from_toml(data)


def test_a_behaviour_of_some_releases_is_told_by_the_release() -> None:
    data = parsed("3.13")
    data["behaviour"]["own_dicts_cost"] = "3.13.0 to 3.13.3"
    rules = from_toml(data)

    releases = ("3.13.0", "3.13.3", "3.13.5", "3.13.10", "3.13.0rc2", None)
    assert [True, True, False, False, False, True] == [
        rules.behaves("own_dicts_cost", release) for release in releases
    ]


@pytest.mark.parametrize("value", ["3.13.0", "", 1, ["3.13.0", "3.13.3"]])
def test_a_behaviour_with_another_value_is_refused(value: object) -> None:
    data = parsed("3.13")
    data["behaviour"]["monitoring"] = value

    with pytest.raises(InternalError, match="monitoring"):
        from_toml(data)


def test_a_name_that_is_not_known_is_refused() -> None:
    data = parsed("3.13")
    data["specialization"]["bakoff"] = 1

    with pytest.raises(InternalError) as caught:
        from_toml(data)
    assert "bakoff" == caught.value.found


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_with_specialised_forms_says_how_it_counts(version: str) -> None:
    rules = table(version)
    specialises = any(row.form == "specialized" for row in rules.opcodes.values())

    assert specialises == (rules.specialization is not None)
