"""Graphs as text, Mermaid and DOT: the shape, and the syntax as far as a small check sees it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from coscope.readers import read
from coscope.readers.from_source import from_source
from coscope.render.document.report import report
from coscope.render.drawings.to_dot import to_dot
from coscope.render.drawings.to_mermaid import to_mermaid
from coscope.render.pages.sheets import graph_sheet
from coscope.render.text.measured import Pen
from tests.render.documents import document

NAMES = ["sample-3.8.pyc", "sample-3.12.pyc", "sample-3.13.pyc"]


@pytest.mark.parametrize("name", NAMES)
def test_a_short_circuit_can_be_read_at_a_glance(name: str) -> None:
    text = str(graph_sheet(document(f"{name}::choose"), Pen(100)))

    assert [
        "B0 17 if a true → B1 false → B2",
        "B1 17 if b true → B3 false → B2",
        "B2 17 if c true → B3 false → B4",
        "B3 18 return 1",
        "B4 19 return 2",
    ] == [" ".join(line.split()) for line in text.splitlines()[1:]]


_MERMAID = re.compile(
    r"flowchart TD"
    r"|  classDef \w+ [\w:,-]+"
    r'|  subgraph \w+\["[^"]*"\]|  end'
    r'|\s+(c\d+)?B\d+\["[^"]*"\]'
    r'|\s+(c\d+)?B\d+ -\.?->(\|"[^"]+"\|)? (c\d+)?B\d+'
    r"|\s+class (c?\d*B\d+,?)+ \w+"
)


@pytest.mark.parametrize("name", NAMES)
def test_mermaid_has_no_line_that_is_no_mermaid(name: str) -> None:
    text = to_mermaid(document(name, detail="all"))

    assert [] == [line for line in text.splitlines() if not _MERMAID.fullmatch(line)]


_STRING = r'"(?:[^"\\]|\\.)*"'
_DOT = re.compile(
    rf"digraph coscope \{{|\}}|\s+\}}|\s+subgraph cluster_\d+ \{{"
    rf"|\s+label={_STRING};|\s+labelloc=t;"
    rf"|\s+(node|edge) \[.*\];"
    rf"|\s+\w+( -> \w+)? \[(\w+=({_STRING}|[\w.]+)(, )?)+\];"
)


@pytest.mark.parametrize("name", NAMES)
def test_dot_has_no_line_that_is_no_dot(name: str) -> None:
    text = to_dot(document(name, detail="all"))

    assert [] == [line for line in text.splitlines() if not _DOT.fullmatch(line)]
    assert text.count("{\n") == text.count("}\n")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_graphviz_reads_it(name: str) -> None:
    text = to_dot(document(name, detail="all"))
    run = subprocess.run(["dot", "-Tdot"], input=text, capture_output=True, encoding="utf-8")

    assert (0, "") == (run.returncode, run.stderr)


def test_every_edge_of_the_document_is_drawn_once() -> None:
    found = document("sample-3.13.pyc::load")
    edges = sum(len(block["edges"]) for block in found["codes"][0]["detail"]["blocks"])

    assert edges == to_dot(found).count(" -> ")
    assert edges == len(re.findall(r"-\.?->", to_mermaid(found)))


def test_an_augmented_assignment_is_said_once() -> None:
    text = str(graph_sheet(document("sample-3.13.pyc::load"), Pen(100)))

    assert "total += int(line)" in text
    assert "total = total" not in text


def test_statements_are_told_by_what_they_do() -> None:
    source = (
        "def f(a, b):\n"
        "    a.x = b[0] = c = 1\n"
        "    del a.x, b[0]\n"
        "    print(a)\n"
        "    b[1:2] = yield a\n"
        "    global g\n"
        "    g = 2\n"
        "    del g\n"
    )
    code = next(c for c in from_source(source).code.walk() if c.name == "f")
    function = replace(from_source(source), code=code)
    blocks = report(function)["codes"][0]["detail"]["blocks"]
    texts = [step["text"] for block in blocks for step in block["steps"]]

    assert [
        "a.x = 1",
        "b[0] = 1",
        "c = 1",
        "del a.x",
        "del b[0]",
        "print(a)",
        "yield a",
    ] == texts[:7]
    assert ["g = 2", "del g"] == [text for text in texts if "g" in text.split()]


def test_an_unreachable_block_says_so() -> None:
    found = report(read(lambda: 0))
    found["codes"][0]["detail"]["blocks"][0]["reachable"] = False

    assert "unreachable" in str(graph_sheet(found, Pen(100)))
