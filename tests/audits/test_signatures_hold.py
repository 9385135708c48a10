"""What SIG101 and SIG102 say is reproduced: the call fits inspect.signature, and raises."""

from __future__ import annotations

import inspect
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coscope.audits.signature import sig110_defaults_do_not_fit as sig110
from coscope.audits.signature.sig101_admits_too_much import asked
from coscope.audits.subject.live import subjects_of
from coscope.audits.subject.objects import Live
from coscope.audits.subject.subject import Subject, Unit
from coscope.readers.from_function import from_function

FOLDER = Path(__file__).parent / "fixtures" / "signature"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("sig101_admits_too_much", "load"),
        ("sig101_admits_too_much", "Order"),
        ("sig102_untrue_signature", "run"),
    ],
)
def test_a_witness_fits_the_signature_and_raises(file: str, name: str) -> None:
    spec = spec_from_file_location(f"held_{file}", FOLDER / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        thing: Any = vars(module)[name]
        asked_of = [pair for each in subjects_of(spec.name) for pair in asked(each)]
        (found,) = (found for called, found in asked_of if called == name)
        witness = next(each for each in found.witnesses if each.reported is None)
    finally:
        del sys.modules[spec.name]
    positional, keywords = witness.values
    inspect.signature(thing).bind(*positional, **keywords)

    with pytest.raises(TypeError) as raised:
        thing(*positional, **keywords)
    assert witness.code == str(raised.value)


def test_a_closure_with_other_cells_than_the_code_wants_is_told() -> None:
    def outer(value: int) -> Any:
        return lambda: value

    function = outer(1)
    read = from_function(function)
    unit = Unit("x.py", None, None, read.code.version)
    names = ("__code__", "__defaults__", "__kwdefaults__", "__closure__")
    stub: Any = SimpleNamespace(**{name: getattr(function, name) for name in names})
    assert [] == list(sig110.check(Subject(read.code, unit, Live(stub, stub))))
    # CPython refuses to make such a function: only memory that was written to has one.
    stub.__closure__ = ()

    (found,) = sig110.check(Subject(read.code, unit, Live(stub, stub)))
    assert ("error", "proved") == (found.severity, found.confidence)
    assert "the closure has 0 cells, the code 1 free variables" == found.message
