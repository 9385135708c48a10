"""`coscope mcp`: spoken to by the official client, over standard input and output."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")
if sys.platform == "emscripten":
    pytest.skip("Pyodide starts no process", allow_module_level=True)

from coscope.cli.mcp_tools import LONGEST, Tools
from coscope.errors import CoscopeError

SOURCE = """\
open("ran", "w").close()

def total(rows, *, rate=2):
    return sum(row.price * rate for row in rows)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "shop.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "secret.py").write_text("def hidden(): pass\n", encoding="utf-8")
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    return root


async def _spoken(folder: Path, calls: list[tuple[str, dict[str, Any]]]) -> tuple[list[str], ...]:
    from mcp import Client, StdioServerParameters

    server = StdioServerParameters(
        command=sys.executable, args=["-m", "coscope", "mcp", "--root", str(folder)]
    )
    async with Client(server) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        answers = [
            (await client.call_tool(name, arguments)).content[0].text  # type: ignore[union-attr]
            for name, arguments in calls
        ]
    return names, answers


def test_the_official_client_is_answered(folder: Path) -> None:
    pytest.importorskip("mcp", reason="the mcp extra is installed on 3.13 only")
    traceback = (
        "Traceback (most recent call last):\n"
        f'  File "{folder}/shop.py", line 4, in total\n'
        "    return sum(row.price * rate for row in rows)\n"
        "               ^^^^^^^^^\n"
        "AttributeError: 'NoneType' object has no attribute 'price'\n"
    )
    names, (shown, bound, refused, explained) = asyncio.run(
        _spoken(
            folder,
            [
                ("show", {"target": "shop.py::total"}),
                ("call", {"target": "shop.py::total", "arguments": "[1], 2"}),
                ("show", {"target": "json:dumps"}),
                ("explain_traceback", {"text": traceback}),
            ],
        )
    )

    assert {"show", "disassemble", "call", "audit", "explain_traceback"} <= set(names)
    assert "keyword-only" in shown
    assert "takes 1 positional argument but 2 were given" in " ".join(bound.split())
    assert "would import a module" in refused
    assert "row.price" in explained
    assert not (folder / "ran").exists()


TARGETS = (
    "../secret.py",
    "link.py",
    "/etc/passwd",
    "shop.py/../../secret.py::hidden",
    "--help",
    "-",
    "json:dumps",
    "json.dumps",
    "shop:total",
)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_else_is_read(target: str, folder: Path) -> None:
    tools = Tools([str(folder)], allow_import=False)
    with pytest.raises(CoscopeError):
        tools.show(target)
    with pytest.raises(CoscopeError):
        tools.audit(target)

    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("show", ["shop.py"], "total"),
        ("disassemble", ["shop.py::total"], "LOAD_"),
        ("graph", ["shop.py::total"], "B0"),
        ("depends", ["shop.py::total"], "sum"),
        ("signature", ["shop.py::total"], "rate"),
        ("call", ["shop.py::total", "[]"], "rows"),
        ("diff", ["shop.py::total", "shop.py::total"], "identical"),
        ("verify", ["shop.py"], "shop.py"),
        ("audit", ["."], ""),
        ("rule", ["PERF101"], "PERF101"),
        ("show", ["shop.py::missing"], "missing"),
    ],
)
def test_each_tool_has_a_short_answer(
    name: str, arguments: list[str], said: str, folder: Path
) -> None:
    answer = getattr(Tools([str(folder)], allow_import=False), name)(*arguments)

    assert said in answer
    assert "Traceback" not in answer
    assert 2 * LONGEST > len(answer) > 0
    assert not (folder / "ran").exists()


def test_a_long_answer_is_cut_at_a_line(folder: Path) -> None:
    text = "".join(f"def f{number}(a):\n    return a + {number}\n" for number in range(2000))
    (folder / "long.py").write_text(text, encoding="utf-8")
    answer = Tools([str(folder)], allow_import=False).show("long.py")

    assert LONGEST + 200 > len(answer)
    assert "more lines: name a smaller target" in answer


def test_import_if_it_is_allowed(folder: Path) -> None:
    answer = Tools([str(folder)], allow_import=True).show("shop:total")

    assert "rate" in answer
    assert (folder / "ran").exists()


def test_a_missing_folder_is_one_line() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "coscope", "mcp", "--root", "no-such-folder"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (2, 1) == (run.returncode, len(run.stderr.splitlines()))
