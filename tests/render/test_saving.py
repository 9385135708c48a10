"""Answers as files: what the ending asks for, whole, well formed, and asking for nothing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from coscope.render.document.report import report
from coscope.render.drawings.graph_svg import code_svg
from coscope.render.pages.sheets import card_sheet
from coscope.render.saving import ENDINGS, saved
from coscope.render.text.measured import Pen
from tests.render.documents import DATA, document
from tests.render.test_hostile import evil

SAMPLE = f"{DATA / 'sample-3.13.pyc'}::load"
SVG = "{http://www.w3.org/2000/svg}"
DRAWING = ("show", "dis", "graph", "depends", "closure", "signature")


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, list(words))


def written(folder: Path, command: str, ending: str) -> str:
    path = folder / f"answer{ending}"
    result = run(command, SAMPLE, "-o", str(path))

    assert (0, "") == (result.exit_code, result.stdout)
    assert f"written: {path}\n" == result.stderr
    return path.read_text(encoding="utf-8")


class Texts(HTMLParser):
    """The text of a page, its tags, and whatever it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.refers: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.inside.append(tag)
        self.refers += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href")]
        self.refers += [tag] if tag in ("script", "link", "iframe", "object") else []

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.inside.pop()

    def handle_data(self, data: str) -> None:
        if "pre" in self.inside:
            self.texts.append(data)


@pytest.mark.parametrize("command", DRAWING)
def test_html_has_the_lines_of_the_terminal(tmp_path: Path, command: str) -> None:
    page = Texts()
    page.feed(written(tmp_path, command, ".html"))
    shown = run(command, SAMPLE, "--width", "100").stdout

    assert shown.rstrip("\n") == "".join(page.texts)
    assert ([], []) == (page.refers, page.inside)


@pytest.mark.parametrize("command", DRAWING)
def test_svg_is_well_formed_and_refers_to_nothing(tmp_path: Path, command: str) -> None:
    text = written(tmp_path, command, ".svg")
    root = ElementTree.fromstring(text)

    assert f"{SVG}svg" == root.tag
    assert not re.search(r"href|url\((?!#)|<script|@import", text)
    assert "load" in "".join(root.itertext())


def test_a_page_as_svg_has_all_its_words(tmp_path: Path) -> None:
    root = ElementTree.fromstring(written(tmp_path, "show", ".svg"))
    words = "".join(root.itertext()).split("}}")[-1].split()
    shown = run("show", SAMPLE, "--width", "100").stdout.split()

    assert "".join(shown) == "".join(words)


@pytest.mark.parametrize("command", DRAWING)
def test_json_is_what_json_prints(tmp_path: Path, command: str) -> None:
    told = json.loads(run(command, SAMPLE, "--json").stdout)

    assert told == json.loads(written(tmp_path, command, ".json"))


def test_markdown_shows_the_page_and_draws_the_graph(tmp_path: Path) -> None:
    text = written(tmp_path, "graph", ".md")
    shown = run("graph", SAMPLE, "--width", "100").stdout
    drawn = run("graph", SAMPLE, "--format", "mermaid").stdout

    assert f"```mermaid\n{drawn.rstrip()}\n```\n" in text
    assert f"```text\n{shown.rstrip()}\n```\n" in text


def test_a_fence_is_longer_than_what_is_inside() -> None:
    function = report(evil())
    function["target"] = "``` # <b>"
    text = saved("show", "markdown", function, card_sheet, Pen(100))
    fences = re.findall(r"(?m)^`+", text)

    assert 2 == len(fences)
    assert "\\`\\`\\` \\# \\<b\\>" in text.splitlines()[0]


@pytest.mark.parametrize("form", ["html", "svg"])
def test_no_markup_of_a_hostile_function_gets_through(form: str) -> None:
    text = saved("graph", form, report(evil(), detail="all"), card_sheet, Pen(100))

    assert "<script" not in text
    assert not re.search(r"<(?!/?(svg|g|rect|path|text|tspan|defs|marker|style|html|head|meta|"
                         r"title|body|main|pre|span|b)\b|!doctype)", text)  # fmt: skip


def blocks_of(code: Any) -> list[Any]:
    found: list[Any] = code["detail"]["blocks"]
    return found


@pytest.mark.parametrize("name", ["sample-3.8.pyc", "sample-3.12.pyc", "sample-3.13.pyc"])
def test_a_graph_has_every_block_and_every_edge(name: str) -> None:
    for code in document(name, detail="all")["codes"]:
        root = ElementTree.fromstring(code_svg(code))
        groups = [each.get("id") for each in root.iter(f"{SVG}g")]
        paths = [each.get("class") for each in root.iter(f"{SVG}path") if each.get("class")]
        blocks = blocks_of(code)

        assert [block["name"] for block in blocks] == groups
        assert sorted(e["kind"] for b in blocks for e in b["edges"]) == sorted(map(str, paths))


def test_lines_beside_the_blocks_never_lie_on_one_another() -> None:
    for code in document("sample-3.13.pyc", detail="all")["codes"]:
        root = ElementTree.fromstring(code_svg(code))
        spans: dict[float, list[tuple[float, float]]] = {}
        for path in root.iter(f"{SVG}path"):
            found = re.fullmatch(r"M\S+ (\S+)H(\S+)V(\S+)H\S+", path.get("d") or "")
            if found:
                low, high = sorted((float(found[1]), float(found[3])))
                spans.setdefault(float(found[2]), []).append((low, high))
        for lane in spans.values():
            ordered = sorted(lane)

            assert all(a[1] < b[0] for a, b in pairwise(ordered))


@pytest.mark.parametrize("name", ["card.pdf", "card", ".html.", "card.mmd"])
def test_an_unknown_ending_is_one_error(tmp_path: Path, name: str) -> None:
    result = run("show", SAMPLE, "-o", str(tmp_path / name))

    assert 2 == result.exit_code
    assert "Endings: .html" in result.output
    assert [] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    result = run("show", SAMPLE, "-o", str(tmp_path / "no" / "card.html"))

    assert 2 == result.exit_code
    assert "cannot write the file" in result.output


def test_one_file_takes_one_answer(tmp_path: Path) -> None:
    result = run("show", SAMPLE, SAMPLE, "-o", str(tmp_path / "card.html"))

    assert 2 == result.exit_code


def test_open_shows_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "card.svg"
    run("show", SAMPLE, "-o", str(path), "--open")
    run("show", SAMPLE, "--open")

    assert path.as_uri() == opened[0]
    assert opened[1].endswith(".html")
    assert 2 == len(list(tmp_path.iterdir()))


def test_every_ending_is_known() -> None:
    assert {"html", "svg", "markdown", "json", "text", "mermaid", "dot"} == set(ENDINGS.values())
