"""The cells of a closure as a diagram: owner -> cell <- function, and what the cells hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from coscope.render.drawings.boxes import Arrow, Box, Boxes
from coscope.render.pages.wording import bytes_text

if TYPE_CHECKING:
    from coscope.render.schemas import closure as schema
    from coscope.render.schemas import shared


_FUNCTIONS, _CELLS, _INSIDE = range(3)  # columns; the code that makes cells is in the first
_MOST_SHARERS = 12  # boxes for one cell


def closure_boxes(found: schema.ClosureDocument) -> Boxes:
    """The diagram of a document of `closure`."""
    return Boxes(f"cells of {found['target']}", *_Drawing(found).whole())


class _Drawing:
    """Collects boxes and arrows; a function or cell that occurs twice gets one box."""

    def __init__(self, found: schema.ClosureDocument) -> None:
        self.found = found
        self.boxes: dict[object, Box] = {}  # by what the box shows
        self.arrows: dict[tuple[str, str], Arrow] = {}

    def whole(self) -> tuple[tuple[Box, ...], tuple[Arrow, ...]]:
        found = self.found
        names = [variable["name"] for variable in found["free"]]
        lines = [found["target"]]
        if names:
            lines.append(f"free: {', '.join(names)}")
        here = self._box(found["identity"] or "here", _FUNCTIONS, "function", *lines)
        for variable in found["free"]:
            self._free(here, variable)
        for own in found["own"]:
            self._own(here, own)
        self._inside(found["tree"], _INSIDE)
        return tuple(self.boxes.values()), tuple(self.arrows.values())

    def _box(self, key: object, column: int, kind: str, *lines: str) -> str:
        box = self.boxes.get(key)
        if box is None:
            box = self.boxes[key] = Box(f"b{len(self.boxes)}", column, kind, lines)
        return box.name

    def _arrow(self, source: str, target: str, label: str = "", faint: bool = False) -> None:
        """One arrow between two boxes, whatever it has to say."""
        before = self.arrows.get((source, target))
        if before is not None:
            faint = faint and before.faint
            label = before.label if label in before.label else f"{before.label}, {label}"
        self.arrows[source, target] = Arrow(source, target, label, faint)

    def _free(self, here: str, variable: schema.ClosureFree) -> None:
        name = variable["name"]
        key = variable["cell"] or ("cell", name)
        cell = self._box(key, _CELLS, *_contents(variable))
        self._arrow(here, cell, f"[{variable['index']}]")
        functions = {self.found["target"]: here}
        for sharer in variable["sharers"][:_MOST_SHARERS]:
            note = "same code" if sharer["same_code"] else f"as {sharer['name']}"
            other = self._box(sharer["identity"], _FUNCTIONS, "function", sharer["qualname"])
            self._arrow(other, cell, note)
            functions.setdefault(sharer["qualname"], other)
        writes = {user["code"]: _writes(user) for user in variable["writers"]}
        owner = variable["owner"]
        if owner:
            label = ", ".join(filter(None, ["makes", writes.pop(owner, "")]))
            self._arrow(self._code(owner), cell, label)
        for code, label in writes.items():
            self._arrow(functions.get(code) or self._code(code), cell, label, True)

    def _own(self, here: str, variable: schema.ClosureOwn) -> None:
        name = variable["name"]
        cell = self._box(("own", name), _CELLS, "cell", f"cell {name}", "made by each call")
        self._arrow(here, cell, "makes")
        for taker in variable["takers"]:
            self._arrow(cell, self._box(("taker", taker), _INSIDE, "code", taker))

    def _code(self, qualname: str) -> str:
        return self._box(("code", qualname), _FUNCTIONS, "code", qualname)

    def _inside(self, nodes: list[schema.ClosureNode], column: int) -> None:
        """Functions in cells, and their cells."""
        for node in nodes:
            if node["function"] is None:
                continue
            cell = self.boxes[node["cell"]].name
            function = self._box(node["identity"], column, "function", node["function"])
            self._arrow(cell, function, ", ".join(node["via"]) or "holds")
            for inner in node["nodes"]:
                lines = _inner_contents(inner)
                self._arrow(function, self._box(inner["cell"], column + 1, *lines))
            self._inside(node["nodes"], column + 2)


def _writes(user: shared.User) -> str:
    lines = ", ".join(map(str, user["lines"]))
    return f"writes, line {lines}" if lines else "writes"


def _contents(variable: schema.ClosureFree) -> Iterator[str]:
    """Kind and lines of a cell's box."""
    value, size = variable["value"], variable["size"]
    if variable["cell"] is None:
        yield from ("cell", f"cell {variable['name']}", "made when the owner runs")
    elif value is None:
        yield from ("empty cell", f"cell {variable['name']}", "empty")
    else:
        yield from ("cell", f"cell {variable['name']}", value["text"])
        yield value["type"] if size is None else f"{value['type']}, {bytes_text(size['bytes'])}"


def _inner_contents(node: schema.ClosureNode) -> Iterator[str]:
    if node["value"] is None:
        yield from ("empty cell", f"cell {node['name']}", "empty")
    else:
        yield from ("cell", f"cell {node['name']}", node["value"]["text"])
