"""The document of `trust` as SARIF 2.1.0 and as GitHub's workflow commands."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from coscope.render.to_sarif import (
    LEVELS,
    SARIF_SCHEMA,
    WORKFLOW_COMMANDS,
    Part,
    artifact,
    escaped_data,
    escaped_property,
    folder_uri,
)
from coscope.trust.kinds import KINDS, Kind

if TYPE_CHECKING:
    from coscope.render.schemas import trust as schema


def to_sarif(document: schema.TrustDocument) -> str:
    """A SARIF log of one run."""
    ordered = sorted(KINDS.values(), key=lambda kind: kind.code)
    numbers = {kind.code: at for at, kind in enumerate(ordered)}
    driver = {
        "name": "coscope",
        "version": document["producer"]["version"],
        "rules": [_rule(kind) for kind in ordered],
    }
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {"SRCROOT": {"uri": folder_uri(os.getcwd())}},
        "invocations": [{"executionSuccessful": not document["totals"]["unread"]}],
        "results": list(_results(document, numbers)),
    }
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=True, indent=1) + "\n"


def _rule(kind: Kind) -> Part:
    return {
        "id": kind.code,
        "shortDescription": {"text": f"{kind.title}."},
        "fullDescription": {"text": kind.page},
        "defaultConfiguration": {"level": LEVELS[kind.severity]},
    }


def signs_of(document: schema.TrustDocument) -> Iterator[schema.TrustSign]:
    """Every sign, file by file."""
    for each in document["files"]:
        yield from each["signs"]
    yield from document["others"]


def _results(document: schema.TrustDocument, numbers: dict[str, int]) -> Iterator[Part]:
    seen: Counter[str] = Counter()
    verdicts = {each["file"]: each["verdict"] for each in document["files"]}
    for each in signs_of(document):
        parts = (each["rule"], each["file"], each["code"], each["message"])
        digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
        seen[digest] += 1
        yield {
            "ruleId": each["rule"],
            "ruleIndex": numbers[each["rule"]],
            "level": LEVELS[each["severity"]],
            "message": {"text": f"{each['message']}."},
            "locations": [_location(each)],
            "partialFingerprints": {"coscope/v1": f"{digest}:{seen[digest]}"},
            "properties": {"verdict": verdicts.get(each["file"])},
        }


def _location(each: schema.TrustSign) -> Part:
    archive, _, member = each["file"].partition("::")
    names = [name for name in (member, each["code"]) if name]
    physical: Part = {"artifactLocation": artifact(archive)}
    if not member and each["offset"] is not None and each["code"] is None:
        physical["region"] = {"byteOffset": each["offset"], "byteLength": 1}
    location: Part = {"physicalLocation": physical}
    if names:
        location["logicalLocations"] = [{"fullyQualifiedName": "::".join(names)}]
    return location


def to_github(document: schema.TrustDocument) -> str:
    """Workflow commands: GitHub shows each as an annotation of its file."""
    return "".join(_command(each) for each in signs_of(document))


def _command(each: schema.TrustSign) -> str:
    archive, _, member = each["file"].partition("::")
    title = escaped_property(f"{each['rule']} {each['title']}")
    inside = f"{member}: " if member else ""
    code = f" (in {each['code']})" if each["code"] else ""
    text = escaped_data(f"{inside}{each['message']}{code}")
    file = escaped_property(os.path.relpath(archive) if archive else "")
    return f"::{WORKFLOW_COMMANDS[each['severity']]} title={title},file={file}::{text}\n"
