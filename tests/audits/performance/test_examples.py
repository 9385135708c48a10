"""Each page's own example is found on every version for which its rule holds; cured, on none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from coscope.audits.running.engine import audit_subjects, audit_unit, unit_of
from coscope.audits.selection import all_rules, holds
from coscope.audits.subject.live import subjects_of
from coscope.model import Finding
from coscope.opcodes import VERSIONS
from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION
from coscope.readers.targets import read_file
from coscope.rules import Rule
from tests import interpreters
from tests.audits.performance.examples import EXAMPLES, program

RULES = {
    rule.code: rule
    for rule in all_rules()
    if rule.code.startswith("PERF") and not rule.warm  # `test_warm.py` runs the breakers of those
}
STATIC = [code for code, rule in RULES.items() if not rule.live]


def found(rule: Rule, file: Path, text: str, version: str) -> list[Finding]:
    """What a rule finds in a program that an interpreter of a version compiles."""
    file.write_text(text, encoding="utf-8")
    python = None if version == HOST_VERSION else str(interpreters.require(version))
    unit = unit_of(read_file(str(file), python=python), str(file))
    return [each for each in audit_unit(unit, [rule]).findings if each.rule == rule.code]


def test_each_rule_has_an_example() -> None:
    assert RULES.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", STATIC)
def test_the_example_is_found_where_the_rule_holds(code: str, version: str, tmp_path: Path) -> None:
    rule = RULES[code]
    seen = found(rule, tmp_path / "example.py", program(rule), version)

    assert holds(rule, version) == bool(seen)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", STATIC)
def test_the_cure_is_silent(code: str, version: str, tmp_path: Path) -> None:
    rule = RULES[code]

    assert [] == found(rule, tmp_path / "example.py", program(rule, cured=True), version)


@pytest.fixture
def lazy() -> Iterator[None]:
    """The module of PERF206's example."""
    module = ModuleType("lazy")
    vars(module).update(STEP=2, __getattr__=lambda name: 1)
    sys.modules["lazy"] = module
    yield
    del sys.modules["lazy"]


@pytest.mark.usefixtures("lazy")
@pytest.mark.parametrize("cured", [False, True])
@pytest.mark.parametrize("code", sorted(RULES.keys() - STATIC))
def test_the_example_of_a_live_rule(
    code: str, cured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = RULES[code]
    name = f"example_{code.lower()}_{cured}"
    (tmp_path / f"{name}.py").write_text(program(rule, cured=cured), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import_module(name)
    try:
        seen = audit_subjects(subjects_of(name), [rule])
    finally:
        del sys.modules[name]

    assert (holds(rule, HOST_VERSION, HOST_RELEASE) and not cured) == bool(seen)
