"""Bytes <-> data: instructions, line tables, exception table, marshal, .pyc headers."""

from coscope.codec.assembly import Operation, decode_operations, encode_instructions
from coscope.codec.constants import constant_text
from coscope.codec.instructions import Columns, decode
from coscope.codec.lines import decode_lines, line_ranges, line_starts
from coscope.codec.locations import Location, decode_locations, encode_locations
from coscope.codec.regions import decode_regions, encode_regions
from coscope.model import bind_decoder

__all__ = [
    "Columns",
    "Location",
    "Operation",
    "constant_text",
    "decode",
    "decode_lines",
    "decode_locations",
    "decode_operations",
    "decode_regions",
    "encode_instructions",
    "encode_locations",
    "encode_regions",
    "line_ranges",
    "line_starts",
]

bind_decoder(decode)
