"""Words that users read: spelled right, and free of the habits that made readers stumble."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FOR_USERS = sorted(
    [
        ROOT / "README.md",
        *DOCS.glob("*.md"),
        *(DOCS / "commands").glob("*.md"),
        *(DOCS / "guide").glob("*.md"),
        *(DOCS / "learn").glob("*.md"),
        *(DOCS / "rules").glob("*.md"),
        *(DOCS / "reference").glob("*.md"),
    ]
)
NAMES = [path.relative_to(ROOT).as_posix() for path in FOR_USERS]
RECORDS = ("measurements.md", "audit-precision.md", "schema.md")  # for those who keep the project

# What not to write -> what to write. Words stand for *reported*, *is*, *is not a*, ...
HABITS = {
    r"\btold\b(?! apart)": "reported, described, inferred",
    r"\btells? (?!(you|apart|them apart|me|which|the call)\b)": "reports, says, shows",
    r"\bstands?\b(?! (for|in for|still|alone|out)\b)": "is",
    r"(?<![Tt]here)(?<![Tt]hat)(?<!what) \bis no (?!longer\b|more\b|such\b|matter\b)\w": "is not a",
    r"\b(is|are) none\b(?<!there is none)(?<!There is none)": "is not one, are not ...",
    r"\bso many (?!that\b)": "this many",
    r"\b[Tt]rue of\b": "true for, true about",
    r"\bof which nothing\b": "about which nothing",
    r"\bby turns\b": "interleaved",
    r"\bwhat is no \w": "what is not a",
    r"\bis given what is\b": "is called with",
    r"\bnobody need\b": "which may be untrusted",
    r"\bless values\b": "fewer values",
}


def _prose(text: str) -> str:
    """Without code and quotations of output."""
    text = re.sub(r"(?ms)^( *)(```+).*?^\1\2 *$", "", text)
    text = re.sub(r"(?m)^(    |\t).*$", "", text)
    return re.sub(r"`[^`\n]*`", "`code`", text)


def _habits(text: str) -> list[str]:
    return [
        f"{found.group()!r}: write {better}"
        for pattern, better in HABITS.items()
        for found in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith(RECORDS)])
def test_a_page_has_none_of_the_habits(name: str) -> None:
    assert [] == _habits(_prose((ROOT / name).read_text(encoding="utf-8")))


def test_the_help_has_none_of_the_habits() -> None:
    pytest.importorskip("click")
    from click.testing import CliRunner

    from coscope.cli.group import COMMANDS, coscope

    for name in COMMANDS:
        text = CliRunner().invoke(coscope, [name, "--help"]).output

        assert [] == _habits(" ".join(text.split())), name


@pytest.mark.parametrize(
    "text",
    [
        "The cause is told below.",
        "It tells what it is.",
        "On the left stands the source.",
        "This is no error.",
        "These are none:",
        "So so many times.",
        "True of all.",
    ],
)
def test_the_list_finds_what_it_is_for(text: str) -> None:
    assert _habits(text)


@pytest.mark.parametrize(
    "text",
    [
        "There is no such file.",
        "It can tell you why.",
        "A part stands for the whole.",
        "It is no longer there.",
        "The two are told apart by name.",
    ],
)
def test_the_list_leaves_idiomatic_english_alone(text: str) -> None:
    assert [] == _habits(text)


def test_every_page_is_spelled_right() -> None:
    """codespell, with its own dictionary and ours; words in code are names, and left alone."""
    program = shutil.which("codespell", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("codespell is not installed; it is of the dev extra")
    own = ROOT / "tests" / "docs" / "words.txt"
    text = "\n".join(f"{name}\n{_prose((ROOT / name).read_text('utf-8'))}" for name in NAMES)
    command = [program, "-D", "-", "-D", str(own), "-L", "master,doub,ot,te,nd,ro", "-"]
    found = subprocess.run(command, input=text, capture_output=True, text=True)

    assert "" == found.stdout


def test_the_readme_is_short_and_begins_with_what_it_is() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    first = "\n".join(lines[:30])

    assert len(lines) <= 150
    assert "![" in first
    assert "pip install" in first
    assert "coscope show json" in first
