"""What the rules about classes know of the names of a module."""

from __future__ import annotations

import pytest

from coscope.audits.performance.classes import _rebound
from coscope.audits.running.engine import unit_of
from coscope.readers.from_source import from_source

STORES = """\
def f{count}():
    global name{count}
{before}
    name{count} = 1
"""


@pytest.mark.parametrize("verb", ["name{count} = 1", "del name{count}"])
def test_what_functions_assign_or_delete_is_rebound_wherever_it_is_done(verb: str) -> None:
    text = "\n".join(
        STORES.replace("name{count} = 1", verb).format(
            count=count, before="\n".join(["    pass"] + ["    g"] * count)
        )
        for count in range(12)
    )
    for at in range(12):
        alone = "\n".join(text.split("def ")[at + 1 : at + 2])
        unit = unit_of(from_source(f"def {alone}".encode(), "x.py"), "x.py")

        assert {f"name{at}"} == set(_rebound(unit))
