"""What the documentation says to type works, and what it links to exists."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)


TOUR = ROOT / "docs" / "tour.md"


def _blocks(language: str, page: Path = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_first_screen_has_a_command_and_the_page_two() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line.startswith("python3 -m venv")]

    assert 2 == len(commands)
    assert commands[0] in lines[:16]
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


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the card is one of CPython 3.13")
def test_the_card_is_what_is_printed(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    pytest.importorskip("click")
    from coscope.cli import main

    (tmp_path / "counter.py").write_text(_blocks("python", TOUR)[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = ["coscope", "show", "counter.py::counter", "--width", "100", "--no-color"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit):
        main()
    lines = capsys.readouterr().out.strip().splitlines()
    printed = "".join(line.rstrip() + "\n" for line in lines)
    printed = printed.replace("CPython {}.{}.{}".format(*sys.version_info[:3]), "CPython 3.13.0")
    card = _blocks("text", TOUR)[0]
    if request.config.getoption("--bless"):
        text = TOUR.read_text(encoding="utf-8").replace(card, printed)
        TOUR.write_text(text, encoding="utf-8", newline="\n")
        card = printed

    assert card == printed


def test_the_python_example_runs() -> None:
    pytest.importorskip("rich")
    example = _blocks("python")[0]
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


def test_what_the_tour_says_of_patches() -> None:
    import coscope

    example = next(block for block in _blocks("py", TOUR) if "coscope.patch" in block)
    space: dict[str, Any] = {"coscope": coscope, "connect": lambda timeout: timeout}
    exec(compile(example, str(TOUR), "exec"), space)
    inner, outer = space["inner"], space["outer"]

    assert 149 == coscope.patch(outer, constants={42: 99})(2, 3)(10)
    assert (149, 92) == (coscope.patch(inner, cells={"y": 99})(10), inner(10))
    assert (0.1, 30) == (space["fast"](), space["retry"]())
