"""The magics: what they show, what they complete, and that they run nothing."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

import coscope
from coscope.notebook.magics import VERBS, load, of_cell, of_line, target_of


def total(rows: list[int], *, least: int = 3) -> int:
    return sum(row for row in rows if row > least)


class Account:
    @property
    def secret(self) -> int:
        raise AssertionError("a property was read")

    def balance(self) -> int:
        return 1


NAMES: dict[str, object] = {
    "total": total,
    "account": Account(),
    "Account": Account,
    "json": json,
    "_x": 1,
    "n": 3,
}


class Shell:
    """As much of IPython as the extension asks for."""

    def __init__(self) -> None:
        self.user_ns = NAMES
        self.magics: dict[str, Any] = {}
        self.hooks: dict[str, Any] = {}

    def register_magic_function(self, function: Any, kind: str, name: str) -> None:
        assert "line_cell" == kind
        self.magics[name] = function

    def set_hook(self, hook: str, function: Any, str_key: str) -> None:
        self.hooks[str_key] = function


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("diff", "explain-opcode")])
def test_every_verb_shows_a_name_of_the_notebook(verb: str) -> None:
    shown = of_line(f"{verb} total", NAMES)

    assert "total" in str(shown) or "no finding" in str(shown)


@pytest.mark.parametrize("verb", ["depends", "closure", "signature", "fingerprint", "verify"])
def test_a_verb_gives_what_the_api_gives(verb: str) -> None:
    assert str(getattr(coscope, verb)(total)) == str(of_line(f"{verb} total", NAMES))


def test_without_a_verb_it_is_the_card() -> None:
    assert str(of_line("total", NAMES)) == str(of_line("show total", NAMES))


def test_two_are_compared() -> None:
    assert "identical" in str(of_line("diff total total", NAMES))


def test_the_last_exception_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        None.missing  # type: ignore[attr-defined]  # noqa: B018
    except AttributeError as error:
        monkeypatch.setattr("sys.last_exc", error, raising=False)
        monkeypatch.setattr("sys.last_value", error, raising=False)

    assert "`None` is None, which has no attribute `missing`." in str(of_line("explain", NAMES))


def test_an_opcode_is_explained() -> None:
    assert str(coscope.explain_opcode("CALL")) == str(of_line("explain-opcode call", NAMES))


def test_names_of_the_notebook_come_first_and_no_property_is_read() -> None:
    assert json.dumps is target_of("json.dumps", NAMES)
    assert Account.balance is target_of("Account.balance", NAMES)
    assert NAMES["account"] is target_of("account.balance", NAMES).__self__  # type: ignore[attr-defined]
    assert "app.py::f" == target_of("app.py::f", NAMES)
    assert isinstance(target_of("account.secret", NAMES), property)


def test_the_code_of_a_cell_is_shown_and_not_run() -> None:
    cell = "raise SystemExit\ndef inner(a):\n    return eval(a)\n"

    assert "inner" in str(of_cell("", cell))
    assert "DYN101" in str(of_cell("audit", cell))
    assert of_cell("verify", cell).ok  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", ["", "nothing such", "diff total", "show"])
def test_bad_use_says_how(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        shown = of_line(line, NAMES)
    except coscope.CoscopeError:
        shown = None
    capsys.readouterr()

    assert shown is None


def test_the_extension_reports_an_error_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell()
    load(shell)
    shell.magics["coscope"]("show nowhere.py")
    shell.magics["coscope"]("show", "def f(:\n")
    lines = capsys.readouterr().out.splitlines()

    assert 2 == len(lines)
    assert all(line.startswith("coscope: ") for line in lines)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("%coscope si", ["signature"]),
        ("%coscope show to", ["total"]),
        ("%coscope show json.dum", ["json.dump", "json.dumps"]),
        ("%coscope show Account.bal", ["Account.balance"]),
        ("%coscope show account.bal", ["account.balance"]),
        ("%coscope explain-opcode GET_L", ["GET_LEN"]),
        ("%%coscope gra", ["graph"]),
        ("%coscope show nowhere.x", []),
        ("%coscope show _", []),
    ],
)
def test_completion(line: str, found: list[str]) -> None:
    shell = Shell()
    load(shell)
    key = line.split()[0]

    shell.user_ns = NAMES

    assert found == shell.hooks[key](shell, SimpleNamespace(line=line))


def test_load_ext_finds_the_extension() -> None:
    shell = Shell()
    coscope.load_ipython_extension(shell)

    assert {"coscope"} == set(shell.magics)
    assert {"%coscope", "%%coscope"} == set(shell.hooks)


def test_audit_displays_and_is_what_the_command_finds(tmp_path: Any) -> None:
    (tmp_path / "a.py").write_text("def f(x):\n    return eval(x)\n")
    (tmp_path / "b.py").write_text("def f(:\n")
    found = coscope.audit(str(tmp_path))

    assert (["DYN101"], 1, 1, False) == (
        [each.rule for each in found.findings], found.files, len(found.errors), found.ok
    )  # fmt: skip
    assert "DYN101" in str(found)
    assert "DYN101" in found._repr_mimebundle_()["text/html"]
    assert "audit" == found.to_json()["command"]


def test_audit_takes_functions_selections_and_refuses_nothing() -> None:
    assert coscope.audit(total).ok
    assert coscope.audit(total, select=("PERF",)).ok
    with pytest.raises(coscope.InputError):
        coscope.audit("nowhere.py")
