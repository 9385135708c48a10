"""What compilers emit is never rejected; what is changed never raises anything."""

from __future__ import annotations

import random

import pytest

from coscope.model import Code
from coscope.opcodes import VERSIONS
from coscope.verifier import verify
from coscope.verifier.subject import Subject
from tests.verifier.building import changed, snippets

EACH = pytest.mark.parametrize("version", VERSIONS)
CHANGES = 2_000
FIELDS = ("code", "code", "code", "exceptiontable", "linetable", "localspluskinds")
COUNTS = ("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags")


@EACH
def test_genuine_code_is_accepted(version: str) -> None:
    reports = [verify(module) for module in snippets(version)]

    assert [] == [str(violation) for report in reports for violation in report.violations]
    assert 100 < sum(report.codes for report in reports)


def _mutant(code: Code, chance: random.Random) -> Code:
    """One byte flipped, one count changed, or one list cut off."""
    kind = chance.randrange(10)
    if kind == 0:
        field = chance.choice(COUNTS)
        value = getattr(code, field) + chance.choice([-1, 1, -100, 1 << 31])
        return changed(code, **{field: type(getattr(code, field))(value)})
    if kind == 1:
        field = chance.choice(["names", "consts", "localsplusnames", "varnames", "code"])
        return changed(code, **{field: getattr(code, field)[: -chance.randint(1, 3)]})
    raw = bytearray(getattr(code, field := chance.choice(FIELDS)))
    if raw:
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return changed(code, **{field: bytes(raw)})


@EACH
def test_changed_code_gives_violations_and_never_another_error(version: str) -> None:
    chance = random.Random(f"changes of {version}")
    codes = [code for module in snippets(version) for code in module.walk()]
    alone = [code for code in codes if not any(isinstance(item, Code) for item in code.consts)]
    rejected = 0
    unexplained = []
    for _ in range(CHANGES):
        mutant = _mutant(chance.choice(alone), chance)
        report = verify(mutant)
        rejected += not report.ok
        if report.ok and Subject(mutant).frames is None:
            unexplained.append(mutant)

    assert [] == unexplained
    assert CHANGES // 5 < rejected < CHANGES
