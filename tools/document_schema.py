"""Writes schema.json and docs/schema.md from the TypedDicts in src/coscope/render/schemas/.

python tools/document_schema.py             writes both
python tools/document_schema.py --check     says which is out of date, and leaves with 1

The TypedDicts are read, not imported: the comment behind a key, or above it, is its description,
the docstring of a class that of the object, the docstring of a module the head of its chapter.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src" / "coscope" / "render" / "schemas"
SCHEMA = ROOT / "src" / "coscope" / "render" / "schema.json"
PAGE = ROOT / "docs" / "schema.md"

TOP = "document"  # the definition that the schema as a whole describes
# The chapters of the page: one module each.
CHAPTERS = (
    "report",
    "versions",
    "shared",
    "call",
    "depends",
    "capture",
    "closure",
    "fingerprint",
    "diff",
    "signature",
    "verify",
    "rule",
    "explain_opcode",
    "patch",
    "audit",
    "tune",
    "corpus",
    "trust",
    "explain",
    "coverage",
    "attach",
)
_PLAIN = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}

Part = dict[str, Any]  # of a JSON Schema


@dataclass(frozen=True)
class Key:
    """One key of an object."""

    name: str
    annotation: ast.expr
    description: str
    required: bool


@dataclass(frozen=True)
class Form:
    """One TypedDict."""

    name: str
    bases: tuple[str, ...]
    description: str
    keys: tuple[Key, ...]


@dataclass(frozen=True)
class Chapter:
    """One module of TypedDicts."""

    head: str
    forms: tuple[Form, ...]
    aliases: dict[str, ast.expr]


def chapters() -> list[Chapter]:
    """Every module of the folder, in the order of the page."""
    found = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    if found != set(CHAPTERS):
        raise SystemExit(f"CHAPTERS and {FOLDER.name}/ differ: {sorted(found ^ set(CHAPTERS))}")
    return [_chapter((FOLDER / f"{name}.py").read_text(encoding="utf-8")) for name in CHAPTERS]


def _chapter(source: str) -> Chapter:
    tree = ast.parse(source)
    comments = _comments(source)
    forms = [_form(node, comments) for node in tree.body if isinstance(node, ast.ClassDef)]
    aliases = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    return Chapter(ast.get_docstring(tree) or "", tuple(forms), aliases)


def _comments(source: str) -> dict[int, tuple[bool, str]]:
    """Line -> whether the comment has the line to itself, and its text."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            alone = not token.line[: token.start[1]].strip()
            found[token.start[0]] = (alone, token.string.lstrip("# "))
    return found


def _form(node: ast.ClassDef, comments: dict[int, tuple[bool, str]]) -> Form:
    keys = []
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            annotation, required = statement.annotation, True
            if _called(annotation) == "NotRequired":
                assert isinstance(annotation, ast.Subscript)
                annotation, required = annotation.slice, False
            described = _described(statement, comments)
            keys.append(Key(statement.target.id, annotation, described, required))
    return Form(
        node.name, tuple(map(ast.unparse, node.bases)), ast.get_docstring(node) or "", tuple(keys)
    )


def _described(statement: ast.AnnAssign, comments: dict[int, tuple[bool, str]]) -> str:
    """The comment above a key, then the one behind it."""
    above: list[str] = []
    line = statement.lineno - 1
    while comments.get(line, (False, ""))[0]:
        above.insert(0, comments[line][1])
        line -= 1
    behind = comments.get(statement.end_lineno or statement.lineno, (True, ""))
    return " ".join(above if behind[0] else [*above, behind[1]])


def _called(annotation: ast.expr) -> str | None:
    """Name of what is subscripted."""
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
        return annotation.value.id
    return None


def snake(name: str) -> str:
    """The name of a definition.

    >>> snake("OwnCell")
    'own_cell'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Definitions:
    """JSON Schema of every form."""

    def __init__(self, found: list[Chapter]) -> None:
        self.forms = {form.name: form for chapter in found for form in chapter.forms}
        self.aliases: dict[str, ast.expr] = {}
        for name, at in (pair for chapter in found for pair in chapter.aliases.items()):
            if name in self.forms or name in self.aliases:
                raise SystemExit(f"{name} is defined twice")
            self.aliases[name] = at

    def keys(self, form: Form) -> Iterator[Key]:
        """The keys of the forms that it extends, then its own."""
        for base in form.bases:
            if base in self.forms:
                yield from self.keys(self.forms[base])
        yield from form.keys

    def object(self, form: Form) -> Part:
        """The schema of one form."""
        keys = list(self.keys(form))
        properties = {}
        for key in keys:
            properties[key.name] = self.part(key.annotation)
            if key.description:
                properties[key.name]["description"] = key.description
        return {
            "description": form.description,
            "type": "object",
            "additionalProperties": False,
            "required": [key.name for key in keys if key.required],
            "properties": properties,
        }

    def part(self, annotation: ast.expr) -> Part:
        """The schema of one type."""
        match annotation:
            case ast.Constant(value=None):
                return {"type": "null"}
            case ast.Name(id="object"):
                return {}
            case ast.Name(id=name) if name in _PLAIN:
                return {"type": _PLAIN[name]}
            case ast.Name(id=name) if name in self.aliases:
                return self.part(self.aliases[name])
            case ast.Name(id=name) if name in self.forms:
                return {"$ref": f"#/$defs/{snake(name)}"}
            case ast.BinOp(op=ast.BitOr()):
                return _union([self.part(each) for each in _members(annotation)])
            case ast.Subscript(value=ast.Name(id=outer), slice=inner):
                return self.subscripted(outer, inner)
        raise SystemExit(f"no JSON Schema for {ast.unparse(annotation)}")

    def subscripted(self, outer: str, inner: ast.expr) -> Part:
        """The schema of `outer[inner]`."""
        items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if outer == "list":
            return {"type": "array", "items": self.part(inner)}
        if outer == "dict":
            made: Part = {"type": "object", "additionalProperties": self.part(items[1])}
            named = self.part(items[0])
            return {**made, "propertyNames": named} if len(named) > 1 else made
        if outer == "Annotated":
            # Annotated[int, {"minimum": 0}]: keywords of JSON Schema as they are.
            part = self.part(items[0])
            for each in items[1:]:
                part.update(ast.literal_eval(each))
            return part
        if outer == "Literal":
            values = [ast.literal_eval(each) for each in items]
            return {"const": values[0]} if len(values) == 1 else {"enum": values}
        raise SystemExit(f"no JSON Schema for {outer}[{ast.unparse(inner)}]")


def _members(annotation: ast.expr) -> list[ast.expr]:
    if isinstance(annotation, ast.BinOp):
        return [*_members(annotation.left), *_members(annotation.right)]
    return [annotation]


def _union(parts: list[Part]) -> Part:
    """One of several: in the short form where it can be written so."""
    *others, last = parts
    if len(others) == 1 and last == {"type": "null"}:
        (part,) = others
        if "enum" in part:
            return {"enum": [*part["enum"], None]}
        if "type" in part:
            return {**part, "type": [part["type"], "null"]}
    if all(set(part) == {"type"} for part in parts):
        return {"type": [part["type"] for part in parts]}
    return {"anyOf": parts}


def schema() -> str:
    """The text of schema.json."""
    defined = Definitions(chapters())
    every = {snake(form.name): defined.object(form) for form in defined.forms.values()}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "coscope document",
        **every[TOP],
        "$defs": every,  # the top one too: a document of several versions holds such documents
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """The text of docs/schema.md."""
    found = chapters()
    defined = Definitions(found)
    made = []
    for chapter in found:
        made.append(f"# {chapter.head.strip()}\n")
        # A whole document first, then its parts.
        for form in sorted(chapter.forms, key=lambda form: not form.name.endswith("Document")):
            made.append(f"## {snake(form.name)}\n\n{form.description}\n")
            made.append("| Key | Type | What it says |\n| --- | --- | --- |")
            made += [_row(key, defined) for key in defined.keys(form)]
            made.append("")
    return "\n".join(made).rstrip("\n") + "\n"


def _row(key: Key, defined: Definitions) -> str:
    absent = "" if key.required else " (may be absent)"
    return f"| `{key.name}` | {_words(defined.part(key.annotation))} | {key.description}{absent} |"


def _words(part: Part) -> str:
    """A type in words."""
    if not part:
        return "anything"
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return f"[{name}](#{name})"
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    if "enum" in part:
        return ", ".join(_value(value) for value in part["enum"])
    if "anyOf" in part:
        return " or ".join(map(_words, part["anyOf"]))
    types = part["type"] if isinstance(part["type"], list) else [part["type"]]
    return " or ".join(_container(each, part) for each in types)


def _value(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) else json.dumps(value)


def _container(name: str, part: Part) -> str:
    if name == "array":
        inner = _words(part["items"])
        return f"array of ({inner})" if " or " in inner else f"array of {inner}"
    if name == "object":
        return f"object of {_words(part['additionalProperties'])}"
    return name


def main(arguments: list[str]) -> int:
    """Writes both files, or checks them."""
    wanted = {SCHEMA: schema(), PAGE: page()}
    stale = [p for p, text in wanted.items() if p.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" in arguments:
            print(f"out of date: {path.relative_to(ROOT)}; run tools/document_schema.py")
        else:
            path.write_text(wanted[path], encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
