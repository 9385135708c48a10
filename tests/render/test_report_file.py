"""The report: what its page unpacks is what the documents say, and the file needs nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from coscope.readers import locate
from coscope.render.document.targets import document_of
from coscope.render.report.packing import digits, packed
from coscope.render.report.page import Entry, entry_of, page
from tests.render.documents import DATA

LIBRARY = Path(sysconfig.get_path("stdlib"))
SCRIPT = resources.files("coscope.render.report").joinpath("report.js")
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None or sys.platform == "emscripten", reason="runs the page's script in node"
)

# Unpacks every chunk of a report as the page does, and prints rows and sources.
UNPACK = """
const fs = require('fs');
const zlib = require('zlib');
const { unpack, textsOf, from85 } = require(process.argv[2]);
const html = fs.readFileSync(process.argv[3], 'utf-8');
const chunks = {};
const each = /<script type="text\\/plain" id="([\\w-]+)" data-bytes="(\\d+)">([^<]*)</g;
for (const [, id, bytes, text] of html.matchAll(each)) {
  chunks[id] = JSON.parse(zlib.inflateSync(Buffer.from(from85(text, Number(bytes)))));
}
const files = Object.keys(chunks).filter((id) => id !== 'index').map((id) => {
  const words = textsOf(chunks[id]);
  const { source, codes } = chunks[id];
  return { source, words, codes: codes.map((code) => unpack(code, words)) };
});
process.stdout.write(JSON.stringify({ index: chunks.index, files }));
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["report", *words])


def unpacked(folder: Path, report: Path) -> Any:
    program = folder / "unpack.cjs"
    program.write_text(UNPACK, encoding="utf-8")
    script = folder / "report.cjs"
    script.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    words = [str(NODE), str(program), str(script), str(report)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, encoding="utf-8")
    return json.loads(done.stdout)


def row_of(instruction: Any) -> dict[str, Any]:
    """What the page makes of one instruction of a document."""
    jump = instruction["jump"]
    return {
        "offset": instruction["offset"],
        "block": int(instruction["block"][1:]),
        "opname": instruction["opname"],
        "arg": instruction["arg"],
        "argrepr": f"to {jump}" if jump else instruction["argrepr"],
        "jump": int(jump[1:]) if jump else None,
        "stack": instruction["stack"],
        "positions": instruction["positions"],
    }


@needs_node
@pytest.mark.parametrize(
    "path",
    [
        *(LIBRARY / f"{name}.py" for name in ("shlex", "contextlib", "dataclasses", "_strptime")),
        *sorted(DATA.glob("*.pyc")),
    ],
    ids=lambda path: path.name,
)
def test_the_page_unpacks_what_the_document_says(tmp_path: Path, path: Path) -> None:
    target = locate(str(path))
    document = document_of(target, detail="all")
    source = "" if target.function.source is None else "\n".join(target.function.source.lines)
    entry = entry_of("x.py", document, packed(document, source))
    report = tmp_path / "report.html"
    report.write_text("".join(page("x", [entry], {})), encoding="utf-8", newline="\n")
    found = unpacked(tmp_path, report)["files"][0]

    assert source == found["source"]
    for code, rows in zip(document["codes"], found["codes"], strict=True):
        assert code["detail"] is not None
        wanted = [
            {"at": at, **row_of(each)} for at, each in enumerate(code["detail"]["instructions"])
        ]

        assert wanted == rows


@needs_node
def test_characters_of_every_plane_arrive(tmp_path: Path) -> None:
    text = "x = 'ä☃\U0001f40d \\ud800'\ny = x + 'ä☃\U0001f40d and more text'\n"
    (tmp_path / "wide.py").write_text(text, encoding="utf-8")
    run(str(tmp_path / "wide.py"), "-o", str(tmp_path / "r.html"))
    found = unpacked(tmp_path, tmp_path / "r.html")

    assert text.rstrip("\n") == found["files"][0]["source"].rstrip("\n")
    assert "'ä☃\U0001f40d and more text'" in found["files"][0]["words"]


@pytest.mark.parametrize("number", [0, -1, 1, 45, -45, 26_000, 27_500, 30_000, 0x7FFFF])
def test_a_digit_is_one_character_that_is_no_surrogate(number: int) -> None:
    (character,) = digits([number])
    code = ord(character)
    code -= 0x23 if code < 0xD800 else 0x823

    assert not 0xD800 <= ord(character) < 0xE000
    assert number == (-(code + 1) // 2 if code % 2 else code // 2)


def test_a_folder_is_one_file_that_asks_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "a.py").write_text("def f(x):\n    return eval(x)\n")
    (tmp_path / "app" / "broken.py").write_text("def f(:\n")
    report = tmp_path / "r.html"
    result = run(str(tmp_path / "app"), "-o", str(report))
    text = report.read_text(encoding="utf-8")

    assert 1 == result.exit_code
    assert "2 files, 1 not read" in result.stderr
    assert not re.search(r"https?://(?!www\.w3\.org)|\bsrc=|<link|<iframe|@import|url\((?!#)", text)
    assert "default-src 'none'" in text
    assert "unsafe-eval" not in text


@needs_node
def test_the_index_has_files_codes_and_findings(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(x):\n    return eval(x)\n")
    (tmp_path / "broken.py").write_text("def f(:\n")
    run(str(tmp_path), "-o", str(tmp_path / "r.html"))
    index = unpacked(tmp_path, tmp_path / "r.html")["index"]

    assert ["a.py", "broken.py"] == [each["path"] for each in index["files"]]
    assert ["<module>", "f"] == [code[0] for code in index["files"][0]["codes"]]
    assert [("DYN101", "f", 2)] == [
        (each[0], each[3], each[4]) for each in index["files"][0]["findings"]
    ]
    assert index["files"][1]["error"]
    assert index["opcodes"]["RETURN_VALUE"].startswith("Pops")


def test_no_text_of_a_file_is_markup(tmp_path: Path) -> None:
    name = "</script><script>alert(1)</script><!--"
    (tmp_path / "a.py").write_text(f"x = {name!r}\n")
    entry = Entry(name, error=name)
    text = "".join(page(name, [entry], {}))
    run(str(tmp_path / "a.py"), "-o", str(tmp_path / "r.html"))
    written = (tmp_path / "r.html").read_text(encoding="utf-8")

    assert "alert(1)" not in written
    assert "<script>alert" not in text
    assert "<!--" not in written
    assert written.count("<script") == written.count("</script>") == 3


def test_a_package_is_found_and_not_imported(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "never_imported").mkdir()
    (tmp_path / "never_imported" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "never_imported" / "part.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    report = tmp_path / "r.html"
    whole = run("never_imported", "-o", str(report))
    part = run("never_imported.part", "-o", str(report))

    assert ("2 files", 0) == (re.findall(r"\d files", whole.stderr)[0], whole.exit_code)
    assert ("1 files", 0) == (re.findall(r"\d files", part.stderr)[0], part.exit_code)
    assert "never_imported" not in sys.modules


@pytest.mark.parametrize(
    "words", [["nowhere", "-o", "r.html"], ["{a}", "-o", "r.txt"], ["{a}", "-o", "no/r.html"]]
)
def test_bad_use_is_one_error(tmp_path: Path, words: list[str], monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("x = 1\n")
    result = run(*(word.format(a="a.py") for word in words))

    assert 2 == result.exit_code
    assert "Traceback" not in result.output
    assert ["a.py"] == [each.name for each in tmp_path.iterdir()]
