"""Writes docs/rules/: a page for each audit rule from the docstring of its file, and the table.

python tools/rule_pages.py             writes them
python tools/rule_pages.py --check     says which are out of date, and leaves with 1
"""

from __future__ import annotations

import sys
from pathlib import Path

from coscope.audits.selection import all_rules, versions_of
from coscope.rules import Rule

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "rules"
INDEX = "README.md"

_FAMILIES = {
    "CLO": "closures: cells, defaults and what they keep alive",
    "DYN": "dynamic code: where data becomes code, and code is changed or watched",
    "PERF": "performance: what the interpreter of a version cannot make fast",
    "SIG": "signatures: what a callable says of itself, and what its code does",
}


def pages() -> dict[str, str]:
    """The text of every page by the name of its file."""
    made = {f"{rule.code}.md": page(rule) for rule in all_rules()}
    return {INDEX: index(all_rules()), **made}


def page(rule: Rule) -> str:
    """One rule."""
    return (
        f"# {rule.code}: {rule.title}\n\n{_traits(rule)}\n\n{rule.page}\n\n"
        f"[All rules]({INDEX}). This page is the docstring of `{rule.module}`.\n"
    )


def _traits(rule: Rule) -> str:
    where = "needs `--live`" if rule.live else "needs `--warm`" if rule.warm else "static"
    if rule.compiled:
        where = "static, of compiled files"
    held = versions_of(rule)
    versions = f"CPython {held}" if held else "every version"
    return f"*{rule.severity}, {where}, {versions}*"


def index(rules: tuple[Rule, ...]) -> str:
    """The table of all rules."""
    text = "# Audit rules\n\n`coscope rule CODE` prints the same pages.\n"
    for family, about in _FAMILIES.items():
        text += f"\n## {family}\n\nRules about {about}.\n\n| code | finds | |\n|---|---|---|\n"
        for rule in rules:
            if rule.code.rstrip("0123456789") == family:
                text += f"| [{rule.code}]({rule.code}.md) | {rule.title} | {_traits(rule)} |\n"
    return text


def stale() -> list[str]:
    """Names of the pages that are missing, out of date, or of no rule."""
    wanted = pages()
    held = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    return sorted(name for name in {*wanted, *held} if wanted.get(name) != held.get(name))


def main() -> int:
    """Write the pages, or check them."""
    if "--check" in sys.argv[1:]:
        names = stale()
        print("\n".join(names) or "docs/rules is up to date")
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(wanted)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
