"""What an opcode does: a sentence of `sentences.toml`, and what its row says of the stack."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

from coscope.errors import InputError, InternalError
from coscope.opcodes import VERSIONS, Opcode, table
from coscope.opcodes.slots import Slot
from coscope.result import Result

Text = str | dict[str, str]  # one for all versions, or by the version from which it holds

_REPORTS = "Does what {base} does, and reports {event} to tracers and tools of sys.monitoring."


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an opcode does in some versions, which agree in all of this."""

    versions: tuple[str, ...]  # "3.13", oldest first
    sentence: str
    takes: tuple[Slot, ...]  # stack slots that it pops, deepest first
    leaves: tuple[Slot, ...]  # that it pushes; one of a name that it pops is the same value
    leaves_on_jump: tuple[Slot, ...] | None  # where the jump leaves others
    argument: str  # what its argument means, in words
    base: str | None  # what it is a specialised or instrumented form of
    form: str  # "base", "specialized", "instrumented", "internal"


@dataclass(frozen=True, slots=True)
class Form:
    """A form that the interpreter writes over an opcode while it runs."""

    name: str
    form: str  # "specialized" or "instrumented"
    versions: tuple[str, ...]
    sentence: str  # of the newest of them


@dataclass(frozen=True, slots=True)
class Explanation(Result):
    """All that is known of an opcode in plain words; `coscope.explain_opcode` makes it."""

    name: str
    versions: tuple[str, ...]  # that have it, oldest first
    meanings: tuple[Meaning, ...]  # in the versions that were asked for, oldest first
    forms: tuple[Form, ...]  # its specialised forms, then its instrumented ones


def sentence(row: Opcode, version: str) -> str:
    """What an opcode does, in one sentence.

    Args:
        row: Of the version's table.
        version: "3.13"; which sentence holds may depend on it.

    >>> sentence(table("3.13").opcodes["BINARY_SLICE"], "3.13")
    'Pops three values (container, start, stop) and pushes `container[start:stop]`.'
    """
    texts = _texts()
    if row.form == "instrumented" and row.base is not None:
        event = _at(texts["instrumented"][row.name], version)
        return _REPORTS.format(base=row.base, event=event)
    if row.form == "specialized":
        return _specialized(row.name, version).replace("{base}", row.base or "")
    return _at(texts["opcode"][row.name], version)


def explain_opcode(name: str, version: str | None = None) -> Explanation:
    """What an opcode does: a sentence, what it takes and leaves, and its specialised forms.

    Args:
        name: "LOAD_ATTR", in upper or lower case.
        version: "3.13"; None: every version that has it.

    Raises:
        InputError: There is no opcode of that name (in that version); its hint names similar ones.

    >>> explain_opcode("get_len").meanings[0].sentence
    'Pushes the length of the object on top, which stays below it.'
    """
    asked = VERSIONS if version is None else (table(version).version,)
    name = name.strip().upper().replace("-", "_")
    having = tuple(each for each in VERSIONS if name in table(each).opcodes)
    versions = tuple(each for each in having if each in asked)
    if not versions:
        raise _unknown(name, version)
    meanings = _joined(_meaning(table(each).opcodes[name], each) for each in versions)
    return Explanation(name, having, tuple(meanings), tuple(_forms(name, versions)))


def names(version: str | None = None) -> list[str]:
    """Names of all opcodes of a version, or of all versions, in alphabetical order."""
    asked = VERSIONS if version is None else (version,)
    return sorted({name for each in asked for name in table(each).opcodes})


def _unknown(name: str, version: str | None) -> InputError:
    having = [each for each in VERSIONS if name in table(each).opcodes]
    if having:
        until = "" if having[-1] == having[0] else f" to {having[-1]}"
        return InputError(
            f"CPython {version} has no opcode {name}", hint=f"CPython {having[0]}{until} has it."
        )
    known = names(version)
    beginning = [each for each in known if name and each.startswith(name)]
    near = get_close_matches(name, known, n=3)
    if beginning:
        more = f" and {len(beginning) - 8} more" if len(beginning) > 8 else ""
        hint = f"These begin so: {', '.join(beginning[:8])}{more}."
    elif near:
        hint = f"Did you mean {' or '.join(near)}?"
    else:
        hint = '"coscope explain-opcode" lists all of them.'
    return InputError(f"there is no opcode {name!r}", hint=hint)


def _meaning(row: Opcode, version: str) -> Meaning:
    return Meaning(
        versions=(version,),
        sentence=sentence(row, version),
        takes=row.pop_slots,
        leaves=row.push_slots,
        leaves_on_jump=None if row.jump_pushes is None else row.jump_push_slots,
        argument=_operands()[row.operand],
        base=row.base,
        form=row.form,
    )


def _joined(meanings: Iterable[Meaning]) -> Iterator[Meaning]:
    """Consecutive versions with one meaning as one; what slots must be is the verifier's matter."""
    last: Meaning | None = None
    for each in meanings:
        if last is not None and _shape(last) == _shape(each):
            each = replace(each, versions=(*last.versions, *each.versions))
        elif last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def _rest(meaning: Meaning) -> tuple[object, ...]:
    return tuple(getattr(meaning, field) for field in Meaning.__slots__[1:])


def _shape(meaning: Meaning) -> tuple[object, ...]:
    return tuple(
        tuple((slot.name, slot.count, slot.condition) for slot in value)
        if isinstance(value, tuple)
        else value
        for value in _rest(meaning)
    )


def _forms(base: str, versions: Iterable[str]) -> Iterator[Form]:
    """The forms of an opcode, the specialised ones first, each kind in alphabetical order."""
    found: dict[tuple[str, str], list[str]] = {}
    for version in versions:
        for row in table(version).opcodes.values():
            if row.base == base:
                found.setdefault((row.form, row.name), []).append(version)
    for form, name in sorted(found, key=lambda key: (key[0] != "specialized", key[1])):
        held = found[form, name]
        said = sentence(table(held[-1]).opcodes[name], held[-1])
        yield Form(name, form, tuple(held), said)


def _specialized(name: str, version: str) -> str:
    texts = _texts()["specialized"]
    if name in texts:
        return _at(texts[name], version)
    for pattern, text in texts.items():
        if "*" in pattern and fnmatchcase(name, pattern):
            if isinstance(text, str):
                return text
            other = text["of"].replace("*", name.removeprefix(pattern.rstrip("*")))
            return _specialized(other, version) + text.get("and", "")
    raise InternalError(f"no sentence for {name}")


def _at(text: Text, version: str) -> str:
    """The text that holds in a version: that of the newest version up to it."""
    if isinstance(text, str):
        return text
    until = _number(version)
    return max((_number(since), said) for since, said in text.items() if _number(since) <= until)[1]


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _operands() -> dict[str, str]:
    words = _texts()["operand"]
    return {kind: text for kind, text in words.items() if isinstance(text, str)}


@cache
def _texts() -> dict[str, dict[str, Text]]:
    file = resources.files("coscope.opcodes").joinpath("sentences.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
