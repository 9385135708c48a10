"""Every link and picture of the built site leads somewhere: python tools/site_links.py FOLDER

Pages, anchors and files of the site itself are looked up; other sites are not asked.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in ("href", "src"):
            if given.get(name):
                self.links.append(str(given[name]))
        for name in ("id", "name"):
            if given.get(name):
                self.anchors.add(str(given[name]))


def broken(folder: Path) -> list[str]:
    """The links that lead nowhere, each with its page."""
    pages = {path: _read(path) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                found.append(f"{path.relative_to(folder)}: {link}")
            elif parts.fragment and target in pages:
                anchors = pages[target].anchors
                if unquote(parts.fragment) not in anchors and parts.fragment != "__skip":
                    found.append(f"{path.relative_to(folder)}: {link} (no such anchor)")
    return found


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def main() -> int:
    """Print what is broken; the exit status."""
    folder = Path(sys.argv[1]).resolve()
    found = broken(folder)
    count = len(list(folder.rglob("*.html")))
    print("\n".join([*found, f"{len(found)} broken links on {count} pages"]))
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main())
