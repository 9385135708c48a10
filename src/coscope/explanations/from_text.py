"""A traceback text -> explanations, from the sources at hand. Nothing of them is executed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from coscope.errors import CoscopeError, InputError
from coscope.explanations.case import Taken
from coscope.explanations.model import THEN, Diagnosis, Operand, Stop
from coscope.explanations.origins import origins_of, text_of_made
from coscope.explanations.secrets import Redaction
from coscope.explanations.standing import Standing
from coscope.explanations.stops import expression_text, source_lines
from coscope.explanations.texts import Entry, Found, tracebacks_in
from coscope.model import Code, Source, Value
from coscope.readers.from_source import compile_source, read_bytes
from coscope.readers.libraries import is_library
from coscope.readers.sources import source_from

_NONE = re.compile(r"'NoneType' object|\bNoneType\b")
_NONE_VALUE = Value("NoneType", "None", 0)
_MOST_CANDIDATES = 6


def explain_text(text: str, roots: Sequence[str] = (".",)) -> Iterator[Diagnosis]:
    """Explain each traceback of a text.

    Args:
        text: Any text that holds tracebacks.
        roots: Folders in which a file is looked for that is not where the text says.

    Raises:
        InputError: There is none in it.
    """
    found = tracebacks_in(text)
    if not found:
        raise InputError(
            "there is no traceback in this text",
            expected="Traceback (most recent call last): and what follows it",
        )
    for each in found:
        yield Redaction().scrubbed(_explained(each, roots))


def _explained(found: Found, roots: Sequence[str]) -> Diagnosis:
    stops = []
    words: list[str] = []
    for number, entry in enumerate(found.entries):
        innermost = number == len(found.entries) - 1
        reading = _Reading(entry, found, innermost, roots)
        stops.append(reading.stop())
        if innermost:
            words = list(reading.words())
    return Diagnosis(found.type_name or "?", found.message, tuple(words), tuple(stops))


@lru_cache(maxsize=64)
def _compiled(path: str) -> tuple[Source, Code] | None:
    """A file's source and code objects; None if it cannot be read or compiled."""
    try:
        data = read_bytes(path)
        return source_from(data, path), compile_source(data, path)
    except CoscopeError:
        return None


class _Reading:
    """One entry, and what the sources say about it."""

    def __init__(self, entry: Entry, found: Found, innermost: bool, roots: Sequence[str]) -> None:
        self.entry = entry
        self.found = found
        self.innermost = innermost
        self.notes: list[str] = []
        self.line = entry.line
        self.standing = self._standing(roots)

    def stop(self) -> Stop:
        """The entry as a stop, with what is known of it."""
        entry, standing = self.entry, self.standing
        library = is_library(entry.file)
        if standing is None:
            return Stop(
                entry.file,
                entry.line,
                entry.name or "<module>",
                "function" if entry.name else "module",
                library,
                notes=tuple(self.notes),
                repeated=entry.repeated,
            )
        instructions = standing.instructions
        return Stop(
            file=entry.file,
            line=self.line,
            function=standing.code.qualname,
            kind=standing.code.kind,
            library=library,
            opname=instructions.opname(standing.index),
            argrepr=instructions.argrepr(standing.index),
            offset=instructions.offsets[standing.index],
            span=standing.span,
            expression=expression_text(standing),
            lines=tuple(source_lines(standing, self.line)),
            stack=standing.stack(),
            operands=tuple(self._operands()),
            notes=tuple(self.notes),
            repeated=entry.repeated,
        )

    def words(self) -> Iterator[str]:
        """What the message and the flow of the code say together."""
        taken = self._none()
        if taken is None or self.standing is None:
            return
        yield f"`{taken.text}` was None."
        origins = origins_of(self.standing, taken.node)
        known = [each for each in origins if each.how != "unassigned"]
        texts = [f"line {each.line}: `{each.text}`" for each in known if each.text]
        if any(each.how == "argument" for each in known):
            texts.append("the caller's argument")
        if texts:
            yield f"`{taken.text}` comes from {' or '.join(texts)}."

    def _none(self) -> Taken | None:
        """The operand of which the message says that it was None."""
        if self.standing is None or not self.innermost or not _NONE.search(self.found.message):
            return None
        operands = [each for each in self._taken() if each.node.operands or each.node.variable]
        roles = ("owner", "container", "iterable", "callable", "manager", "sequence")
        chosen = [each for each in operands if each.role in roles]
        if not chosen and _is_subscript(self.standing, self.standing.index):
            chosen = [each for each in operands if each.role == "lhs"]
        if not chosen and "operand" in self.found.message:
            left = re.search(r": '(\w+)' and '(\w+)'", self.found.message)
            sides = [each for each in self._taken() if each.role in ("lhs", "rhs")]
            if left is not None and len(sides) == 2 and left[1] != left[2]:
                chosen = [sides[0] if left[1] == "NoneType" else sides[1]]
        return chosen[0] if chosen else None

    def _taken(self) -> list[Taken]:
        standing = self.standing
        if standing is None:
            return []
        nodes = standing.taken(standing.index)
        texts = standing.operand_texts(standing.index)
        return [
            Taken(
                name,
                text_of_made(standing, nodes[at]) or (texts[at] if at < len(texts) else "?"),
                nodes[at],
                None,
            )
            for name, start, count in standing.effect().pops
            for at in range(start, start + count)
            if at < len(nodes) and "null" not in name
        ]

    def _operands(self) -> Iterator[Operand]:
        none = self._none()
        for taken in self._taken():
            if taken.node.variable is None and not taken.node.operands:
                continue
            assert self.standing is not None
            is_none = none is not None and none.node is taken.node
            value, when = (_NONE_VALUE, THEN) if is_none else (None, None)
            origins = origins_of(self.standing, taken.node)
            if all(each.how in ("defined", "imported") for each in origins):
                origins = ()  # a function or module by its name
            if value is not None or origins:
                yield Operand(taken.text, taken.role, value, when, origins)

    # Where the entry stands

    def _standing(self, roots: Sequence[str]) -> Standing | None:
        path = _located(self.entry.file, roots)
        if path is None:
            self.notes.append("the source is not at hand")
            return None
        read = _compiled(path)
        if read is None:
            self.notes.append(f"{path} cannot be compiled here")
            return None
        source, module = read
        if not self._find_line(source):
            return None
        code = self._code(module)
        if code is None:
            self.notes.append(f"no code of {path} is at line {self.line}")
            return None
        candidates = self._candidates(code, source)
        if not candidates:
            return None
        if len(candidates) > 1:
            texts = [Standing(code, each, source).excerpt(each) for each in candidates]
            shown = list(dict.fromkeys(text for text in texts if text))
            if len(shown) > 1:
                listed = ", ".join(f"`{text}`" for text in shown[:_MOST_CANDIDATES])
                self.notes.append(f"the text does not say which of these failed: {listed}")
        return Standing(code, candidates[-1], source)

    def _find_line(self, source: Source) -> bool:
        """Find the line that the text quotes: the source may have changed since."""
        entry, lines = self.entry, source.lines
        here = lines[entry.line - 1].strip() if 0 < entry.line <= len(lines) else None
        if entry.text is None or here == entry.text:
            return here is not None
        same = [at for at, line in enumerate(lines, 1) if line.strip() == entry.text]
        if len(same) == 1:
            self.line = same[0]
            self.notes.append(
                f"the source has changed since: line {entry.line} is line {same[0]} now"
            )
            return True
        self.notes.append(f"the source has changed since: line {entry.line} reads differently")
        return False

    def _code(self, module: Code) -> Code | None:
        """The innermost code object of the name that has the line."""
        name = self.entry.name
        covering = [
            code
            for code in module.walk()
            if any(span.lineno == self.line for span in code.instructions.positions)
        ]
        named = [
            code
            for code in covering
            if name is None or name in (code.name, code.qualname, f"{code.qualname}()")
        ]
        found = named or ([] if name is not None else covering)
        return max(found, key=lambda code: code.firstlineno, default=None)

    def _candidates(self, code: Code, source: Source) -> list[int]:
        """Instructions of the line that may have raised, the likeliest last."""
        columns = code.instructions
        on_line = [at for at, span in enumerate(columns.positions) if span.lineno == self.line]
        probe = Standing(code, on_line[0] if on_line else 0, source)
        raising = [at for at in on_line if probe.effect(at).row.raises]
        fitting = [at for at in raising if self._fits(probe, at)] or raising
        marked = [at for at in fitting if self._is_marked(probe, at, source)]
        if marked:
            return marked[-1:]
        marked = [at for at in raising if self._is_marked(probe, at, source)]
        if marked:
            return marked[-1:]
        return fitting or on_line[-1:]

    def _is_marked(self, probe: Standing, at: int, source: Source) -> bool:
        """True if the marks below the line are those of this instruction."""
        entry = self.entry
        span = probe.instructions.positions[at]
        line = source.lines[self.line - 1]
        indent = len(line) - len(line.lstrip())
        if span.col_offset is None or span.end_col_offset is None:
            return False
        start, stop = entry.start, entry.stop
        if start is None or stop is None:  # no marks: the whole line failed
            start, stop = 0, len(line.strip())
        data = line.encode("utf-8", "surrogatepass")
        first = len(data[: span.col_offset].decode("utf-8", "replace")) - indent
        end = span.end_col_offset if span.end_lineno == span.lineno else len(data)
        last = len(data[:end].decode("utf-8", "replace")) - indent
        return (first, last) == (start, stop)

    def _fits(self, probe: Standing, at: int) -> bool:
        """True if the instruction can raise what was raised, by its type and message."""
        row = probe.effect(at).row
        kind = self.found.type_name.rpartition(".")[2]
        message = self.found.message
        if not self.innermost:
            return row.shows == "{call}" or row.name in _CALLING
        if kind == "AttributeError":
            name = re.search(r"attribute '(\w+)'", message)
            return "attribute" in " ".join(row.access) and (
                name is None or probe.instructions.argval(at) == name[1]
            )
        if kind in ("KeyError", "IndexError"):
            return _is_subscript(probe, at)
        if kind in ("NameError", "UnboundLocalError"):
            name = re.search(r"'(\w+)'", message)
            return any(access.startswith("read") for access in row.access) and (
                name is None or probe.instructions.argval(at) == name[1]
            )
        if kind == "ZeroDivisionError":
            return row.name == "BINARY_OP" and probe.instructions.argrepr(at)[:1] in "/%"
        if kind == "TypeError":
            return _fits_type_error(probe, at, message)
        return row.shows == "{call}" or row.name in ("RAISE_VARARGS", *_CALLING)


_CALLING = ("CALL", "CALL_KW", "CALL_FUNCTION_EX", "BEFORE_WITH", "FOR_ITER", "SEND", "IMPORT_NAME")


def _is_subscript(probe: Standing, at: int) -> bool:
    name = probe.effect(at).row.name
    return name in ("BINARY_SUBSCR", "STORE_SUBSCR", "DELETE_SUBSCR") or (
        name == "BINARY_OP" and probe.instructions.argrepr(at) == "[]"
    )


def _fits_type_error(probe: Standing, at: int, message: str) -> bool:
    row = probe.effect(at).row
    if "unsupported operand" in message or "can only concatenate" in message:
        return row.name in ("BINARY_OP", "UNARY_NEGATIVE", "UNARY_INVERT")
    if "not supported between" in message:
        return row.name == "COMPARE_OP"
    if "not subscriptable" in message or "indices must be" in message or "item assig" in message:
        return _is_subscript(probe, at)
    if "not iterable" in message or "cannot unpack" in message:
        return row.name in ("GET_ITER", "CONTAINS_OP") or row.name.startswith("UNPACK")
    return bool(row.shows == "{call}")


def _located(file: str, roots: Sequence[str]) -> str | None:
    """The file, or the one under a root whose path ends in as many of the same names as it can."""
    if os.path.isfile(file):
        return file
    parts = [part for part in re.split(r"[\\/]", file) if part not in ("", ".", "..")]
    for count in range(len(parts), 0, -1):
        for root in roots:
            path = os.path.join(root, *parts[-count:])
            if os.path.isfile(path):
                return path
    return None
