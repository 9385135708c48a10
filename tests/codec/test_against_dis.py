"""Code objects of this interpreter's standard library against its own `dis`, and back to bytes."""

from __future__ import annotations

import pytest

from coscope.readers.from_function import from_code_object
from tests.codec.oracles import (
    changed_by_encoding,
    code_objects,
    differences,
    library_files,
    sample,
)


def test_a_sample_equals_dis() -> None:
    found = {co.co_qualname: differences(co, from_code_object(co)) for co in sample(40)}

    assert {} == {name: all_found for name, all_found in found.items() if all_found}


def test_a_sample_comes_back_byte_for_byte() -> None:
    found = {co.co_qualname: changed_by_encoding(from_code_object(co)) for co in sample(60, 21)}

    assert {} == {name: parts for name, parts in found.items() if parts}


@pytest.mark.exhaustive
def test_the_whole_library_equals_dis_and_comes_back() -> None:
    wrong = []
    for file in library_files():
        for co in code_objects(file):
            code = from_code_object(co)
            if differences(co, code) or changed_by_encoding(code):
                wrong.append((file.name, co.co_qualname))

    assert [] == wrong
