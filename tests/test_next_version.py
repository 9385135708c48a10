"""A new version needs a table and nothing else: every command works on one that does not exist."""

from __future__ import annotations

import tomllib

import pytest

from coscope.cli import group
from coscope.opcodes import VERSIONS, from_toml, table
from tests import interpreters
from tools.next_version import COMMANDS, Outcome, newest_renamed, outcomes, pretending

UNKNOWN = "3.{}".format(int(VERSIONS[-1].split(".")[1]) + 1)


def test_no_table_has_the_pretended_version() -> None:
    assert UNKNOWN not in VERSIONS


def test_every_command_is_run() -> None:
    assert set(group.COMMANDS) == {words[0] for words, _ in COMMANDS}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Outcome]:
    """How every command ended in an interpreter that calls itself by the next version."""
    python = str(interpreters.require(VERSIONS[-1]))
    folder = tmp_path_factory.mktemp("next")
    site = pretending(folder, UNKNOWN)
    return {each.words: each for each in outcomes(folder, python, site)}


@pytest.mark.parametrize("words", [words for words, _ in COMMANDS], ids=" ".join)
def test_a_command_works(ended: dict[tuple[str, ...], Outcome], words: tuple[str, ...]) -> None:
    assert ended[words].ok, ended[words].text
    assert ended[words].is_of(UNKNOWN), ended[words].text


def test_the_pages_are_about_the_pretended_version(
    ended: dict[tuple[str, ...], Outcome],
) -> None:
    for words in (("show", "sample.pyc::total"), ("show", "sample:total")):
        assert f"CPython {UNKNOWN}" in ended[words].text


def test_a_warm_run_finds_what_was_specialised(
    ended: dict[tuple[str, ...], Outcome],
) -> None:
    """Not an empty answer: the sample's loop ran thousands of times."""
    text = ended["show", "--warm", "warm.py", "sample.py::total"].text

    assert "FOR_ITER_LIST" in text


def test_the_wrong_call_is_refused_in_the_words_of_the_interpreter(
    ended: dict[tuple[str, ...], Outcome],
) -> None:
    text = ended["call", "sample:total", "[1], 2, 3"].text

    assert "takes from 1 to 2 positional arguments but 3 were given" in " ".join(text.split())


def test_the_renamed_table_is_the_newest_but_for_its_name() -> None:
    renamed, own = (from_toml(tomllib.loads(text)) for text in newest_renamed(UNKNOWN))
    newest = table(VERSIONS[-1])

    assert renamed.opcodes == newest.opcodes == own.opcodes
    assert UNKNOWN == renamed.version
    assert newest.release_magics == renamed.release_magics
    assert set(renamed.magics).isdisjoint(own.magics)


def test_a_failure_is_no_success() -> None:
    words = ("show", "sample.py")

    assert not Outcome(words, 2, "coscope: error", (0,)).ok
    assert not Outcome(words, 0, "Traceback (most recent call last)", (0,)).ok
    assert not Outcome(words, 0, "CPython 3.13.0", (0,)).is_of("3.14")
    assert Outcome(words, 0, "CPython 3.14.1", (0,)).is_of("3.14")
