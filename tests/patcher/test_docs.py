"""Each snippet of docs/patching.md runs as it stands, and gives what its comments say."""

from __future__ import annotations

import ast
import linecache
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [path for path in (DOCS / "patching.md", DOCS / "when-not-to.md") if path.exists()]
SNIPPETS = [
    (page.name, number, text)
    for page in PAGES
    for number, text in enumerate(
        re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    )
]


@pytest.mark.filterwarnings("ignore:CPython .* edited in place:RuntimeWarning")
@pytest.mark.skipif(not SNIPPETS, reason="the documentation is not beside the tests")
@pytest.mark.parametrize(("page", "number", "text"), SNIPPETS)
def test_each_snippet_runs(page: str, number: int, text: str) -> None:
    file = f"<{page} {number}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    namespace: dict[str, Any] = {"__name__": "snippet"}
    lines = text.splitlines()
    for node in ast.parse(text).body:
        # `expression   # value` is held to what it says.
        said = re.search(r"#\s*(.+)$", lines[node.end_lineno - 1] if node.end_lineno else "")
        if not isinstance(node, ast.Expr) or said is None:
            code = compile(ast.Module([node], []), file, "exec")
            exec(code, namespace)
            continue
        value = eval(compile(ast.Expression(node.value), file, "eval"), namespace)
        claim = re.split(r"[;:]", said[1])[0].strip()
        try:
            expected = ast.literal_eval(claim)
        except (ValueError, SyntaxError):
            continue

        assert expected == value, f"{page}: {lines[node.lineno - 1]}"


def test_the_claims_are_read() -> None:
    claims = [line for _, _, text in SNIPPETS for line in text.splitlines() if "# " in line]

    assert not SNIPPETS or len(claims) > 10
