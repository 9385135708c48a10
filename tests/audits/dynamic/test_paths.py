"""The path of a value in a finding, and in what is printed of it."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from coscope.audits.options import Options
from coscope.audits.running.documents import from_entry, to_entry
from coscope.audits.running.engine import audit_file
from coscope.audits.selection import all_rules
from coscope.model import Finding
from coscope.render.results.audit import Outcome, document
from coscope.render.to_sarif import to_sarif


def found(folder: Path, source: str, *, strict: bool = False) -> list[Finding]:
    """The DYN findings of a source."""
    file = folder / "sample.py"
    file.write_text(dedent(source), encoding="utf-8")
    rules = [rule for rule in all_rules() if rule.code.startswith("DYN")]
    return list(audit_file(str(file), rules, Options(strict=strict)).findings)


THROUGH = """
    import base64, pickle, requests

    def fetched(url):
        answer = requests.get(url)
        return answer.content

    def job(url):
        raw = base64.b64decode(fetched(url))
        return pickle.loads(raw)
"""


def test_the_path_leads_from_the_source_through_a_function_to_the_sink(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, THROUGH)

    lines = [step.span.lineno for step in finding.flow]
    assert [5, 6, 9, 10] == list(dict.fromkeys(lines))
    assert "comes over the network" in finding.flow[0].text
    assert "pickle.loads loads it" in finding.flow[-1].text
    assert ["fetched", "job"] == list(dict.fromkeys(step.code for step in finding.flow))


def test_sarif_has_the_path_as_a_code_flow(tmp_path: Path) -> None:
    findings = found(tmp_path, THROUGH)
    log = json.loads(to_sarif(document(Outcome("sample.py", "static", findings, 1)), all_rules()))

    (result,) = log["runs"][0]["results"]
    (thread,) = result["codeFlows"][0]["threadFlows"]
    locations = [each["location"] for each in thread["locations"]]
    starts = [each["physicalLocation"]["region"]["startLine"] for each in locations]
    assert [step.span.lineno for step in findings[0].flow] == starts
    assert all(each["message"]["text"] for each in locations)


def test_the_document_has_the_path_and_the_cache_keeps_it(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, THROUGH)
    (entry,) = document(Outcome("sample.py", "static", [finding], 1))["findings"]

    assert [5, 6, 9, 10] == list(dict.fromkeys(step["line"] for step in entry["flow"]))
    assert finding == from_entry(json.loads(json.dumps(to_entry(finding))))


SAFE = [
    ("def f(x):\n    return eval(repr(x))", "repr()"),
    ("def f(n):\n    return eval('%d + 1' % n)", "numbers alone"),
    ("def f(x):\n    if x in ('a', 'b'):\n        return eval(x)", "it is one of"),
    ("def f(x):\n    if not x.isdigit():\n        return 0\n    return eval(x)", "isdigit"),
    ("import os, shlex\ndef f(x):\n    os.system('ls ' + shlex.quote(x))", "shlex.quote()"),
    ("import pickle\ndef f(x):\n    return pickle.loads(pickle.dumps(x))", "itself"),
]


@pytest.mark.parametrize(("source", "reason"), SAFE)
def test_what_is_safe_is_reported_with_strict_alone_and_its_reason(
    tmp_path: Path, source: str, reason: str
) -> None:
    assert [] == found(tmp_path, source)
    (finding,) = found(tmp_path, source, strict=True)

    assert "info" == finding.severity
    assert reason in " ".join(each.text for each in finding.evidence)


def test_constants_are_not_reported_with_strict_either(tmp_path: Path) -> None:
    source = (
        "import os\nRUN = {'a': '1 + 1'}\ndef f(k):\n    os.system('ls')\n    return eval(RUN[k])"
    )

    assert [] == found(tmp_path, source, strict=True)


LOWERED = [
    ("def f(code):\n    exec(code)", "meant to be code"),
    ("def f(name):\n    exec(f'def {name}(): pass')", "code generator"),
    ("def f(frame, e):\n    return eval(e, frame.f_globals)", "debugger"),
    ("import ast\ndef f(x):\n    ast.literal_eval(x)\n    return eval(x)", "literal_eval"),
    ("import re\ndef f(x):\n    if re.fullmatch('[0-9+]+', x):\n        return eval(x)", "regular"),
    ("class Repl:\n    def push(self, line):\n        exec(line)", "console"),
]


@pytest.mark.parametrize(("source", "reason"), LOWERED)
def test_what_is_meant_or_checked_is_information_with_its_reason(
    tmp_path: Path, source: str, reason: str
) -> None:
    (finding,) = found(tmp_path, source)

    assert "info" == finding.severity
    assert reason in " ".join(each.text for each in finding.evidence)


def test_a_check_that_not_every_path_passes_lowers_nothing(tmp_path: Path) -> None:
    source = """
        def f(x, quick):
            if quick and x not in ("a", "b"):
                raise ValueError(x)
            return eval(x)
    """

    (finding,) = found(tmp_path, source)

    assert "warning" == finding.severity


ALIASES = [
    "from pickle import loads as unpack\ndef f(peer):\n    return unpack(peer.recv(9))",
    "import builtins\ndef f(x):\n    return getattr(builtins, 'eval')(x)",
    "run = eval\ndef f(x):\n    return run(x)",
    "def f(lines):\n    return list(map(eval, lines))",
    "from functools import partial\ndef f(x):\n    return partial(eval, x)()",
    "import operator, os\ndef f(x):\n    operator.methodcaller('system', x)(os)",
    "def f(x):\n    return __builtins__['eval'](x)",
    "def f(x):\n    e = eval\n    return (lambda y: e(y))(x)",
    "import pickle\nclass C:\n    take = staticmethod(pickle.loads)\n    def f(self, data):\n"
    "        return self.take(data)",
]


@pytest.mark.parametrize("source", ALIASES)
def test_aliases_are_found(tmp_path: Path, source: str) -> None:
    (finding,) = found(tmp_path, source)

    assert "warning" == finding.severity
    assert finding.flow
