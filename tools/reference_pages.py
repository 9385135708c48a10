"""Writes docs/reference/, made from the tables, the legend and the public API, and the menu.

python tools/reference_pages.py             writes them
python tools/reference_pages.py --check     says which are out of date, and leaves with 1
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import coscope
from coscope.opcodes import VERSIONS, table
from coscope.opcodes.behaviour import BEHAVIOURS
from coscope.opcodes.sentences import Explanation, Form, Meaning, explain_opcode, names
from coscope.opcodes.slots import Slot
from coscope.render.pages.legend import ALL

CONFIG = Path(__file__).resolve().parent.parent / "mkdocs.yml"
FOLDER = CONFIG.parent / "docs" / "reference"


def pages() -> dict[str, str]:
    """The text of every page by the name of its file."""
    return {
        "opcodes.md": opcodes_page(),
        "versions.md": versions_page(),
        "legend.md": legend_page(),
        "api.md": api_page(),
    }


def opcodes_page() -> str:
    """Every opcode of every version."""
    text = (
        "# Opcodes\n\nEvery opcode that a compiler writes, of CPython "
        f"{VERSIONS[0]} to {VERSIONS[-1]}: what it does, what it takes from the stack and leaves "
        "there (its top on the right), what its argument means, and what changed. "
        "`coscope explain-opcode NAME` prints the same. Made from the tables by "
        "`tools/reference_pages.py`; the tables are compared with CPython's own metadata.\n"
    )
    every = [explain_opcode(name) for name in names()]
    base = [each for each in every if each.meanings[-1].form == "base"]
    text += "".join(map(_opcode, base))
    rest = [each for each in every if each.meanings[-1].form == "internal"]
    text += "\n## Opcodes that no compiler writes\n\nThe interpreter makes these itself.\n\n"
    for each in rest:
        text += (
            f"- **{each.name}** ({_span(each.versions)}): {_escaped(each.meanings[-1].sentence)}\n"
        )
    return text


def _opcode(found: Explanation) -> str:
    text = f"\n## {found.name}\n\n*{_life(found.versions)}*\n"
    for meaning in reversed(found.meanings):
        if len(found.meanings) > 1:
            text += f"\n**CPython {_span(meaning.versions)}**\n"
        text += f"\n{_escaped(meaning.sentence)}\n\n" + _table(meaning)
    for form, title in (("specialized", "Specialised forms"), ("instrumented", "Instrumented")):
        forms = [each for each in found.forms if each.form == form]
        if forms:
            text += f"\n{title}:\n\n" + "".join(map(_form, forms))
    return text


def _table(meaning: Meaning) -> str:
    rows = [("takes", _slots(meaning.takes)), ("leaves", _slots(meaning.leaves))]
    if meaning.leaves_on_jump is not None:
        rows.append(("leaves, if it jumps", _slots(meaning.leaves_on_jump)))
    rows.append(("argument", _escaped(meaning.argument) or "none"))
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {what} |\n" for name, what in rows)


def _form(form: Form) -> str:
    return f"- `{form.name}` ({_span(form.versions)}): {_escaped(form.sentence)}\n"


def _slots(slots: Sequence[Slot]) -> str:
    return " │ ".join(f"`{_slot(slot)}`" for slot in slots) if slots else "nothing"


def _slot(slot: Slot) -> str:
    from coscope.render.results.explain_opcode import _slot as document
    from coscope.render.results.explain_opcode import _slots as shown

    text = shown([document(slot)])
    return text.removesuffix("  (top on the right)")


def _escaped(text: str) -> str:
    """Outside of code, what Markdown would take for its own."""
    parts = text.split("`")
    parts[::2] = [
        part.replace("<", "&lt;").replace("*", r"\*").replace("_", r"\_") for part in parts[::2]
    ]
    return "`".join(parts).replace("|", r"\|")


def _span(versions: Sequence[str]) -> str:
    first, last = versions[0], versions[-1]
    return first if first == last else f"{first} to {last}"


def _life(versions: Sequence[str]) -> str:
    first, last = versions[0], versions[-1]
    begin = f"CPython {VERSIONS[0]} or earlier" if first == VERSIONS[0] else f"new in {first}"
    end = "" if last == VERSIONS[-1] else f", last in {last}"
    return begin + end


def versions_page() -> str:
    """What changed in bytecode from version to version."""
    text = (
        f"# What changed in bytecode from {VERSIONS[0]} to {VERSIONS[-1]}\n\n"
        "Opcodes that came, went or changed, and how the interpreter's behaviour changed, made "
        "from the same tables that coscope reads bytecode with.\n\n"
        "| CPython | opcodes of compilers | specialised forms | layout | exceptions | lines |\n"
        "|---|---|---|---|---|---|\n"
    )
    for version in VERSIONS:
        found = table(version)
        forms = [row.form for row in found.opcodes.values()]
        text += (
            f"| {version} | {forms.count('base')} | {forms.count('specialized')} "
            f"| {found.layout} | {found.exceptions} | {found.lines} |\n"
        )
    pairs = list(pairwise(VERSIONS))
    return text + "".join(_change(*pair) for pair in reversed(pairs))


def _change(before: str, after: str) -> str:
    old, new = table(before).opcodes, table(after).opcodes
    base = {"base"}
    came = [name for name in new if name not in old and new[name].form in base]
    went = [name for name in old if name not in new and old[name].form in base]
    text = f"\n## {before} to {after}\n\n"
    text += f"**New:** {_links(came)}\n\n" if came else ""
    text += f"**Gone:** {_links(went)}\n\n" if went else ""
    changed = [name for name in new if name in old and _differs(name, before, after)]
    text += f"**Changed meaning or stack effect:** {_links(changed)}\n\n" if changed else ""
    behaviours = list(_behaviours(before, after))
    if behaviours:
        text += "**Behaviour:**\n\n" + "".join(f"- {each}\n" for each in behaviours)
    return text.rstrip() + "\n"


def _differs(name: str, before: str, after: str) -> bool:
    if table(after).opcodes[name].form != "base":
        return False
    return len(
        explain_opcode(name, before).meanings + explain_opcode(name, after).meanings
    ) == 2 and (_facts(name, before) != _facts(name, after))


def _facts(name: str, version: str) -> tuple[object, ...]:
    (meaning,) = explain_opcode(name, version).meanings
    slots = tuple(tuple(map(str, each or ())) for each in (meaning.takes, meaning.leaves))
    return meaning.sentence, meaning.argument, slots


def _behaviours(before: str, after: str) -> Iterator[str]:
    old, new = table(before), table(after)
    for name, what in BEHAVIOURS.items():
        if bool(old.behaviours.get(name)) != bool(new.behaviours.get(name)):
            verb = "holds now" if new.behaviours.get(name) else "no longer holds"
            yield f"`{name}` {verb}: {_escaped(what)}"


def _links(found: Sequence[str]) -> str:
    return ", ".join(f"[{name}](opcodes.md#{name.lower()})" for name in sorted(found))


def legend_page() -> str:
    """Every heading and label."""
    text = (
        "# Legend\n\nWhat every heading and label on coscope's pages means. `coscope show "
        "--legend` and the same of other commands print it.\n"
    )
    for section in ALL:
        text += f"\n## {section.title}\n\n{_escaped(section.what)}\n"
        if section.labels:
            text += "\n| label | means |\n|---|---|\n"
        for label, meaning in section.labels.items():
            text += f"| `{label}` | {_escaped(meaning)} |\n".replace(
                "`" + label.replace("|", r"\|"), "`" + label
            )
    return text


_CHAPTERS: dict[str, Callable[[object], bool]] = {
    "Verbs": lambda thing: not isinstance(thing, type),
    "Errors": lambda thing: isinstance(thing, type) and issubclass(thing, Exception),
    "Results and data": lambda thing: isinstance(thing, type) and not issubclass(thing, Exception),
}


def api_page() -> str:
    """Directives for mkdocstrings, which reads the docstrings."""
    text = (
        "# API\n\nEverything that `import coscope` offers. Importing it loads the standard "
        "library alone. What is listed here is public, and changes are in the changelog.\n"
    )
    things = {name: getattr(coscope, name) for name in coscope.__all__ if not name.startswith("__")}
    for title, belongs in _CHAPTERS.items():
        text += f"\n## {title}\n"
        for name, thing in sorted(things.items(), key=lambda pair: pair[0].lower()):
            if belongs(thing):
                text += f"\n::: {getattr(thing, '__module__', 'coscope')}.{name}\n"
    return text


# Parts of the menu that are the pages of a folder: the line before them -> the folder.
_LISTED = {
    "      - command-line.md\n": "commands",
    "      - rules/README.md\n": "rules",
    "      - internals/design.md\n": "internals",
}


def menu() -> str:
    """The configuration of the site, with all pages of these folders in its menu."""
    text = CONFIG.read_text(encoding="utf-8")
    for before, folder in _LISTED.items():
        pages = sorted((CONFIG.parent / "docs" / folder).glob("*.md"))
        listed = "".join(
            f"      - {page.stem}: {folder}/{page.name}\n"
            for page in pages
            if f"{folder}/{page.name}\n" not in before
        )
        rest = re.compile(rf"{re.escape(before)}(?:      - \S+: {folder}/\S+\n)*")
        text = rest.sub(lambda found, lines=before + listed: lines, text)  # type: ignore[misc]
    return text


def stale() -> list[str]:
    """The names of pages that are not what the tables make now."""
    return [
        name
        for name, text in pages().items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write or check the pages; the exit status."""
    if "--check" in sys.argv:
        print("\n".join(stale()) or "all pages are up to date")
        return 1 if stale() else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    CONFIG.write_text(menu(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
