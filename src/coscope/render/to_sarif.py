"""The document of an audit as SARIF 2.1.0 and as GitHub's workflow commands.

Source:
    OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
    GitHub Docs, "Workflow commands for GitHub Actions": error, warning and notice messages.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING
from urllib.parse import quote

from coscope.render.results.audit import shown_path
from coscope.rules import Rule, url_of

Part = dict[str, object]  # of a SARIF log

if TYPE_CHECKING:
    from coscope.render.schemas import audit as schema


SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
WORKFLOW_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def to_sarif(document: schema.AuditDocument, rules: Iterable[Rule]) -> str:
    """A SARIF log of one run.

    Args:
        document: Of an audit.
        rules: That ran, found something or not.
    """
    ordered = sorted(rules, key=lambda rule: rule.code)
    numbers = {rule.code: at for at, rule in enumerate(ordered)}
    log = {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "coscope",
                        "version": document["producer"]["version"],
                        "rules": [_rule(rule) for rule in ordered],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"SRCROOT": {"uri": folder_uri(os.getcwd())}},
                "invocations": [_invocation(document)],
                "results": list(_results(document["findings"], numbers)),
            }
        ],
    }
    return json.dumps(log, ensure_ascii=True, indent=1) + "\n"


def _rule(rule: Rule) -> Part:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.module.rpartition(".")[2].split("_")[1:])
        or rule.code,
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.page or rule.title},
        "helpUri": url_of(rule.code),
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _invocation(document: schema.AuditDocument) -> Part:
    return {
        "executionSuccessful": not document["unread"] and document["error"] is None,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": each["message"]}} for each in document["unread"]
        ],
    }


def _results(findings: Iterable[schema.AuditFinding], numbers: dict[str, int]) -> Iterator[Part]:
    seen: Counter[tuple[str | None, str]] = Counter()
    for each in findings:
        text = f"{_place_text(each)}{each['message']}."
        if each["why"]:
            text += f" It matters: {each['why']}."
        if each["instead"]:
            text += f" Instead: {each['instead']}."
        digest = _fingerprint(each)
        seen[each["file"], digest] += 1
        properties: Part = {
            "confidence": each["confidence"],
            "python": each["version"],
            "evidence": [fact["text"] for fact in each["evidence"]],
        }
        if each["nanoseconds"] is not None:
            properties["nanoseconds"] = each["nanoseconds"]
        result: Part = {
            "ruleId": each["rule"],
            "level": LEVELS[each["severity"]],
            "message": {"text": text},
            "locations": [_location(each)],
            "partialFingerprints": {"coscope/v2": f"{digest}:{seen[each['file'], digest]}"},
            "properties": properties,
        }
        if each["flow"]:
            result["codeFlows"] = [{"threadFlows": [{"locations": list(_flow(each))}]}]
        if each["rule"] in numbers:
            result["ruleIndex"] = numbers[each["rule"]]
        yield result


def _fingerprint(each: schema.AuditFinding) -> str:
    """What stays the same when lines, functions or files move, and when code is indented anew:
    neither a line number nor a path is part of it, of the code's name the last part, of the source
    what is left without spaces."""
    name = each["code"].rpartition(".")[2]
    parts = (each["rule"], name, "".join((each["source"] or "").split()))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _place_text(each: schema.AuditFinding) -> str:
    """The cell and the line of a finding in a notebook, whose file has other lines; else ""."""
    return "" if each["cell"] is None else f"cell {each['cell']}, line {each['line']}: "


def _location(each: schema.AuditFinding) -> Part:
    location: Part = {"logicalLocations": [{"fullyQualifiedName": each["target"] or each["code"]}]}
    if each["file"] is None:
        return location
    physical: Part = {"artifactLocation": artifact(each["file"])}
    if each["line"] and each["cell"] is None:
        physical["region"] = _region(each)
    location["physicalLocation"] = physical
    return location


def _flow(each: schema.AuditFinding) -> Iterator[Part]:
    """The way of a value from its source to the sink, in the order of the steps."""
    for step in each["flow"]:
        location: Part = {
            "message": {"text": step["text"]},
            "logicalLocations": [{"fullyQualifiedName": step["code"]}],
        }
        if each["file"] is not None and step["line"] and each["cell"] is None:
            physical: Part = {"artifactLocation": artifact(each["file"]), "region": _region(step)}
            location["physicalLocation"] = physical
        yield {"location": location}


def _region(place: schema.AuditFinding | schema.AuditStep) -> Part:
    """A range of lines and columns that has a line."""
    region: Part = {"startLine": place["line"]}
    if place["column"] is not None:
        region["startColumn"] = place["column"]
    if place["end_line"] is not None and place["end_column"] is not None:
        region["endLine"], region["endColumn"] = place["end_line"], place["end_column"]
    return region


def artifact(file: str) -> Part:
    """The place of a file: relative to the current folder where it is in there."""
    path = PurePath(os.path.abspath(file))
    try:
        relative = path.relative_to(os.getcwd())
    except ValueError:
        return {"uri": path.as_uri()}
    return {"uri": quote(relative.as_posix()), "uriBaseId": "SRCROOT"}


def folder_uri(folder: str) -> str:
    """A folder as SARIF names the base of relative paths."""
    return PurePath(os.path.abspath(folder)).as_uri().rstrip("/") + "/"


def to_github(document: schema.AuditDocument) -> str:
    """Workflow commands: GitHub shows each as an annotation beside the line."""
    return "".join(_command(each) for each in document["findings"])


def _command(each: schema.AuditFinding) -> str:
    placed = each["cell"] is None
    fields = {
        "title": f"{each['rule']} {each['title']}",
        "file": None if each["file"] is None else shown_path(each["file"]),
        "line": each["line"] if placed else None,
        "endLine": each["end_line"] if placed else None,
        "col": each["column"] if placed and each["line"] == each["end_line"] else None,
        "endColumn": each["end_column"] if placed and each["line"] == each["end_line"] else None,
    }
    given = ",".join(
        f"{name}={escaped_property(str(value))}"
        for name, value in fields.items()
        if value is not None
    )
    text = _place_text(each) + each["message"]
    text += (f"; instead: {each['instead']}" if each["instead"] else "") + f" ({each['url']})"
    return f"::{WORKFLOW_COMMANDS[each['severity']]} {given}::{escaped_data(text)}\n"


def escaped_data(text: str) -> str:
    """Text of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escaped_property(text: str) -> str:
    """A property of a workflow command."""
    return escaped_data(text).replace(":", "%3A").replace(",", "%2C")
