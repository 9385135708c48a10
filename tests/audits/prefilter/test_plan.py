"""What rules declare of themselves saves time, and no finding."""

from __future__ import annotations

import random
import sys
import sysconfig
from pathlib import Path
from types import CodeType

import pytest

from coscope import model
from coscope.audits.prefilter.glances import Glance, Overview, names_of
from coscope.audits.prefilter.plan import Plan, plan_of
from coscope.audits.running.engine import audit_unit, in_order, read_unit, run_rule, unit_of
from coscope.audits.selection import Selection, all_rules
from coscope.audits.subject.subject import Subject, Unit
from coscope.errors import SourceError
from coscope.model import Code, Finding
from coscope.readers import read
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.from_interpreter import kept
from coscope.rules import Rule
from tests import interpreters
from tests.audits.marking import fixtures
from tests.render.documents import DATA

HERE = Path(__file__).parents[1]
FIXTURES = [*fixtures(HERE / "fixtures")]
RULES = Selection().rules()


def without_triggers(unit: Unit) -> tuple[Finding, ...]:
    """What all rules find where each looks at every code object."""
    found: list[Finding] = []
    for code in unit.codes:
        subject = Subject(code, unit)
        for rule in plan_of(RULES, unit.version, unit.compiled).rules:
            found += run_rule(rule, subject)
    return in_order(found)


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_they_lose_no_finding_of_a_fixture(version: str) -> None:
    python = None if version == HOST_VERSION else str(interpreters.require(version))
    with kept():
        units = [read_unit(str(path), python=python) for path in FIXTURES]

    assert [without_triggers(unit) for unit in units] == [
        audit_unit(unit, RULES).findings for unit in units
    ]


def _library() -> list[Path]:
    """Some files of the standard library with its tests, none of them large."""
    root = Path(sysconfig.get_path("stdlib"))
    found = [
        file
        for file in sorted(root.rglob("*.py"))
        if "site-packages" not in file.parts and file.is_file() and file.stat().st_size < 60_000
    ]
    return random.Random(6).sample(found, 40)


@pytest.mark.skipif(sys.platform == "emscripten", reason="its library is an archive")
def test_they_lose_no_finding_of_the_standard_library() -> None:
    units = []
    for file in _library():
        try:
            units.append(read_unit(str(file)))
        except SourceError:
            continue  # a test of the compiler

    assert [without_triggers(unit) for unit in units] == [
        audit_unit(unit, RULES).findings for unit in units
    ]


def test_a_live_code_object_and_its_copy_pull_the_same() -> None:
    plan = Plan(RULES, HOST_VERSION, False)
    pulled = []
    for path in FIXTURES:
        unit = read_unit(str(path))
        assert unit.code is not None
        live = plan.find(_overview(unit))
        copied = plan.find(Overview(unit.code, HOST_VERSION))
        assert copied == (live[0], [(unit.model_of(c), _copy(unit, p), r) for c, p, r in live[1]])
        pulled += [rule.code for *_, rules in live[1] for rule in rules]

    assert len(pulled) > len(FIXTURES)


def test_most_code_objects_pull_none() -> None:
    unit = read_unit(model.__file__)
    codes, pulled = Plan(RULES, HOST_VERSION, False).find(_overview(unit))

    assert len(unit.codes) == codes
    assert len(pulled) <= codes / 2


def test_a_compiled_file_of_each_version_is_looked_at() -> None:
    for file in sorted(DATA.glob("sample-*.pyc")):
        unit = unit_of(read(file), str(file))
        codes, _ = Plan(RULES, unit.version, True).find(_overview(unit))

        assert len(unit.codes) == codes


LOOPS = """\
def quiet(values):
    total = 0
    for value in values:
        total += value.size
    return total

def busy(values):
    for value in values:
        print(value.size)

def no_loop(value):
    return value.size
"""


@pytest.mark.parametrize(
    ("name", "loops", "tight"), [("quiet", True, True), ("busy", True, False), ("no_loop", 0, 0)]
)
def test_a_glance_tells_loops_and_calls_in_them(name: str, loops: bool, tight: bool) -> None:
    namespace: dict[str, object] = {}
    exec(LOOPS, namespace)
    code = namespace[name].__code__  # type: ignore[attr-defined]
    seen = Glance(code, Overview(code, HOST_VERSION), None, names_of(code), code.co_consts)

    assert (bool(loops), bool(tight)) == (bool(seen.loops), bool(seen.spans(tight=True)))


def test_what_a_rule_asks_for_stands_in_its_field() -> None:
    asks = [rule for rule in all_rules() if rule.tight or rule.cells or rule.modules]

    assert asks
    assert all(rule.loops for rule in asks if rule.tight)
    assert all(type(each) is str for rule in asks for each in rule.modules)


def _overview(unit: Unit) -> Overview:
    assert unit.given is not None
    return Overview(unit.given, unit.version)


def _copy(unit: Unit, code: CodeType | Code | None) -> Code | None:
    return None if code is None else unit.model_of(code)


def test_a_rule_that_says_nothing_looks_at_everything() -> None:
    rule = Rule("TEST1", "", "", print, "nowhere")
    unit = read_unit(__file__)
    codes, pulled = Plan([rule], HOST_VERSION, False).find(_overview(unit))

    assert codes == len(unit.codes)
    assert list(unit.codes) == [unit.model_of(code) for code, _, _ in pulled]
    assert all(rules == [rule] for _, _, rules in pulled)
