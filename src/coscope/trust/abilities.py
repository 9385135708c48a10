"""What code can do, by its instructions, names and constants. Nothing of it runs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources

from coscope.audits.options import Options
from coscope.audits.running.engine import audit_unit, unit_of
from coscope.audits.selection import selected
from coscope.errors import CoscopeError
from coscope.model import Code, Constant, Finding, FrozenSet
from coscope.opcodes import table
from coscope.readers.from_source import static_function
from coscope.trust.kinds import sign
from coscope.trust.model import Abilities, Sign
from coscope.verifier import verify

_SHOWN = 40  # entries of each list
_URL = re.compile(r"(?:https?|ftp|wss?|tcp|file)://[^\s'\"<>\\]{3,200}")
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}:\d{2,5}(?!\d)")


def abilities_of(code: Code, file: str) -> tuple[Abilities, list[Sign]]:
    """What the code of a file can do, with signs."""
    signs: list[Sign] = []
    verified, violations = _verified(code, file, signs)
    dynamic = _dynamic(code, file, signs)
    texts = list(dict.fromkeys(_texts(code)))
    made = Abilities(
        verified=verified,
        violations=violations[:_SHOWN],
        dynamic=dynamic[:_SHOWN],
        imports=tuple(sorted(_imports(code)))[:_SHOWN],
        calls=tuple(sorted(_calls(code)))[:_SHOWN],
        urls=tuple(_found(texts, (_URL, _ADDRESS)))[:_SHOWN],
        keys=tuple(map(_shortened, _found(texts, _keys())))[:_SHOWN],
    )
    return made, signs


def _verified(code: Code, file: str, signs: list[Sign]) -> tuple[bool | None, tuple[str, ...]]:
    try:
        report = verify(code, file=file)
    except (CoscopeError, RecursionError) as error:
        text = error.what if isinstance(error, CoscopeError) else "nested too deeply"
        signs.append(sign("TRU601", f"it cannot be verified: {text}", file))
        return False, (text,)
    for each in report.violations[:_SHOWN]:
        text = f"{each.rule}: {each.message}"
        signs.append(sign("TRU601", text, file, code=each.code, line=each.line, offset=each.offset))
    words = tuple(f"{each.rule} in {each.code}: {each.message}" for each in report.violations)
    return (None if report.undecided and report.ok else report.ok), words


def _dynamic(code: Code, file: str, signs: list[Sign]) -> tuple[str, ...]:
    rules = selected(("DYN",), ()).rules()
    try:
        found = audit_unit(unit_of(static_function(code, "pyc", None), file, Options()), rules)
    except (CoscopeError, RecursionError):
        return ()
    for each in found.findings:
        kind = "TRU211" if each.rule == "DYN202" else "TRU602"
        text = f"{each.rule}: {each.message}"
        signs.append(sign(kind, text, file, code=each.code, line=each.span.lineno))
    return tuple(map(_worded, found.findings))


def _worded(finding: Finding) -> str:
    line = f", line {finding.span.lineno}" if finding.span.lineno else ""
    evidence = "; ".join(each.text for each in finding.evidence[:2])
    return f"{finding.rule} in {finding.code}{line}: {finding.message}" + (
        f" ({evidence})" if evidence else ""
    )


def _imports(code: Code) -> set[str]:
    rows = table(code.version).by_code
    found = set()
    for each in code.walk():
        try:
            for instruction in each.instructions:
                row = rows[instruction.opcode]
                if row is not None and row.name.startswith("IMPORT_NAME"):
                    found.add(str(instruction.argval))
        except CoscopeError:
            continue
    return found


def _calls(code: Code) -> set[str]:
    """Functions of note that the code names: of a module that it imports, or built in."""
    imported = {name.partition(".")[0] for name in _imports(code)}
    names = {name for each in code.walk() for name in each.names}
    known = _known()
    found = {name for name in known["builtins"] if name in names}
    for module, functions in known["modules"].items():
        if module in imported:
            found |= {f"{module}.{name}" for name in functions if name in names or name == "*"}
    return found


def _texts(code: Code) -> Iterator[str]:
    for each in code.walk():
        pending: list[Constant] = list(each.consts)
        while pending:
            constant = pending.pop()
            if isinstance(constant, str):
                yield constant
            elif isinstance(constant, bytes):
                yield constant.decode("latin-1")
            elif isinstance(constant, tuple):
                pending += constant
            elif isinstance(constant, FrozenSet):
                pending += constant.items


def _found(texts: list[str], patterns: tuple[re.Pattern[str], ...]) -> Iterator[str]:
    seen = set()
    for text in texts:
        for pattern in patterns:
            for match in pattern.finditer(text[:200_000]):
                if match[0] not in seen:
                    seen.add(match[0])
                    yield match[0]


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 24 else f"{text[:12]}...{text[-4:]} ({len(text)} characters)"


@cache
def _known() -> dict[str, dict[str, list[str]]]:
    file = resources.files("coscope.trust").joinpath("abilities.toml")
    found: dict[str, dict[str, list[str]]] = tomllib.loads(file.read_text(encoding="utf-8"))
    return found


@cache
def _keys() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(each) for each in _known()["keys"]["patterns"])
