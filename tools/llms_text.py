"""Writes docs/llms.txt: the documentation for language models, one line a page (llmstxt.org).

python tools/llms_text.py             writes it
python tools/llms_text.py --check     leaves with 1 if it is out of date
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "llms.txt"
HEAD = """\
# coscope

> coscope shows, knows, checks and changes Python functions and code objects: bytecode, control
> flow, cells, signatures, dependencies, how calls bind, why an exception was raised. Files are
> compiled, never executed; a target such as `json:dumps` imports its module. Every command takes
> `--json`; schema.md describes the documents. `coscope mcp` serves the reading commands as tools.
"""
FOLDERS = (("Commands", "commands"), ("Guides", "guide"), ("Reference", "."))


def text() -> str:
    """The file's text."""
    parts = [HEAD]
    for title, folder in FOLDERS:
        pages = sorted((ROOT / "docs" / folder).glob("*.md"))
        lines = [f"- [{_title(page)}]({_link(page)}): {_summary(page)}" for page in pages]
        if lines:
            parts.append(f"\n## {title}\n\n" + "\n".join(lines) + "\n")
    return "".join(parts)


def _link(page: Path) -> str:
    return page.relative_to(ROOT / "docs").as_posix()


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ").strip()


def _summary(page: Path) -> str:
    """The first sentence of prose."""
    body = page.read_text(encoding="utf-8").split("\n", 1)[1]
    for block in re.split(r"\n[ \t]*\n", body):
        block = block.strip("\n")
        if block.strip() and not block.startswith(("    ", "#", "|", "```", "<", "-")):
            sentence = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(block.split()))
            return re.split(r"(?<=[.:])\s", sentence, maxsplit=1)[0].rstrip(":")
    return _title(page)


def main(words: list[str]) -> int:
    """Write, or check."""
    if "--check" in words:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        return 0 if current == text() else 1
    PAGE.write_text(text(), encoding="utf-8", newline="\n")
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
