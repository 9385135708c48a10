"""A bound of work that is reached proves nothing: the third verdict."""

from __future__ import annotations

import pytest

import coscope
from coscope.model import Code
from coscope.patcher.rebuild import rebuild
from coscope.readers.from_function import HOST_VERSION
from coscope.verifier import verify
from tests.verifier.building import FULL, built

RESUME, NONE, POP, RETURN = ("RESUME", 0), ("LOAD_CONST", 0), ("POP_TOP", 0), ("RETURN_VALUE", 0)
DEEP, MANY = 4_000, 150


def costly(version: str) -> Code:
    """Harmless code that moves a deep stack again and again."""
    swaps = [("SWAP", DEEP)] * MANY
    return built(
        version, RESUME, *[NONE] * DEEP, *swaps, ("BUILD_TUPLE", DEEP), RETURN, stacksize=DEEP
    )


@pytest.mark.parametrize("version", FULL)
def test_it_is_neither_accepted_nor_refused(version: str) -> None:
    report = verify(costly(version))

    assert "not decided" == report.verdict
    assert (False, ()) == (report.ok, report.violations)
    assert ["VER305"] == [place.rule for place in report.undecided]


def test_what_is_wrong_elsewhere_is_still_proved() -> None:
    outer = built(HOST_VERSION, RESUME, ("LOAD_CONST", 7), RETURN, consts=(costly(HOST_VERSION),))

    assert "refused" == verify(outer).verdict


def test_nothing_makes_it_live() -> None:
    def function(x: object, y: object) -> object:
        return x, y

    with pytest.raises(coscope.NotVerified, match="not decided"):
        rebuild(costly(HOST_VERSION), function)
