"""What the documentation says to type works, and what it links to exists."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_two_commands_stand_on_the_first_screen() -> None:
    first = "\n".join(README.read_text(encoding="utf-8").splitlines()[:16])
    commands = [line for line in first.splitlines() if line.startswith("python3 -m venv")]

    assert 2 == len(commands)
    assert "coscope show json:dumps" in commands[0]
    assert commands[1].endswith("-m pytest -q -n 2")


def test_the_main_command_shows_the_function(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("click")
    from coscope.cli import main

    monkeypatch.setattr("sys.argv", ["coscope", "show", "json:dumps"])
    with pytest.raises(SystemExit) as stop:
        main()

    assert 0 == stop.value.code
    assert "dumps" in capsys.readouterr().out


def test_the_python_example_runs() -> None:
    pytest.importorskip("rich")
    (example,) = _blocks("python")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, str(README), "exec"), {})

    assert "OPTIMIZED" in printed.getvalue()
    assert "RETURN_VALUE" in printed.getvalue()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]

    assert [] == [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests|tools|docs|bench)/[\w./-]+\.\w+)`", text)

    assert [] == [name for name in named if not (ROOT / name).exists()]
