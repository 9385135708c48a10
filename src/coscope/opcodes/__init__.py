"""What every opcode means and how each version of CPython behaves: one TOML file a version."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from coscope.errors import UnknownVersion
from coscope.opcodes.behaviour import Specialization, Wording, behaviours, filled
from coscope.opcodes.schema import CompilerMade, Intrinsic, Opcode, Table

Fields = dict[str, Any]  # of a TOML table, as tomllib reads it

_FILE = re.compile(r"cpython-(\d+)\.(\d+)\.toml")


def _versions() -> tuple[str, ...]:
    """The versions that have a table, oldest first."""
    names = (file.name for file in resources.files(__name__).iterdir())
    found = [match for match in map(_FILE.fullmatch, names) if match is not None]
    return tuple(".".join(match.groups()) for match in sorted(found, key=_number))


def _number(match: re.Match[str]) -> tuple[int, ...]:
    return tuple(map(int, match.groups()))


VERSIONS = _versions()

__all__ = ["VERSIONS", "Intrinsic", "Opcode", "Table", "first_with", "table"]


@cache
def table(version: str) -> Table:
    """The table of one version.

    Args:
        version: "3.13"; a micro version ("3.13.2") is taken for its minor version.

    Raises:
        UnknownVersion: There is no table for it.
    """
    minor = ".".join(version.split(".")[:2])
    if minor not in VERSIONS:
        raise UnknownVersion(
            f"no opcode table for CPython {version}", hint=f"Known: {', '.join(VERSIONS)}."
        )
    file = resources.files(__name__).joinpath(f"cpython-{minor}.toml")
    return from_toml(tomllib.loads(file.read_text(encoding="utf-8")))


def first_with(behaviour: str) -> str:
    """The oldest version that behaves so.

    >>> first_with("monitoring")
    '3.12'
    """
    return next(each for each in VERSIONS if table(each).behaves(behaviour))


def from_toml(data: Fields) -> Table:
    """Build a table from the parsed file; see `docs/internals/opcode-tables.md` for its form."""
    rows = {name: _row(name, fields) for name, fields in data["opcode"].items()}
    for form in ("specialized", "instrumented"):
        for name, (code, base) in data.get(form, {}).items():
            model = rows.get(base)
            if model is None:
                rows[name] = Opcode(name, code, form=form, base=base)
            else:
                fields = {**vars(model), "name": name, "code": code, "form": form, "base": base}
                rows[name] = Opcode(**{k: v for k, v in fields.items() if k in _FIELDS})
    encoding, version = data["encoding"], data["version"]
    return Table(
        version=version,
        checked=data["checked"],
        magics=tuple(data["magics"]),
        release_magics=tuple(data["release_magics"]),
        instructions=encoding["instructions"],
        jump_unit=encoding["jump_unit"],
        lines=encoding["lines"],
        exceptions=encoding["exceptions"],
        layout=encoding["layout"],
        source_hash=encoding["source_hash"],
        deref=encoding["deref"],
        lists={name: tuple(items) for name, items in data.get("lists", {}).items()},
        numbers=dict(data.get("numbers", {})),
        opcodes=rows,
        intrinsics={
            name: Intrinsic(**_listed(fields)) for name, fields in data.get("intrinsic", {}).items()
        },
        contract=dict(data.get("contract", {})),
        unconverted=tuple(data.get("unconverted", {}).get("arguments", ())),
        behaviours=behaviours(f"{version} [behaviour]", data.get("behaviour", {})),
        wording=filled(Wording, f"{version} [wording]", data.get("wording", {})),
        compiler_made=filled(
            CompilerMade, f"{version} [compiler_made]", data.get("compiler_made", {})
        ),
        specialization=_specialization(data),
    )


def _specialization(data: Fields) -> Specialization | None:
    if "specialization" not in data:
        return None
    section = f"{data['version']} [specialization]"
    return filled(Specialization, section, data["specialization"])


_FIELDS = frozenset(Opcode.__dataclass_fields__)


def _row(name: str, fields: Fields) -> Opcode:
    return Opcode(name, **_listed(fields))


def _listed(fields: Fields) -> Fields:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
    }
