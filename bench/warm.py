"""Reading what 2,000 live functions were specialised for; asked: under 100 ms.

python bench/warm.py
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import decimal
import email.message
import gc
import http.client
import inspect
import pickletools
import statistics
import tarfile
import typing
import unittest
import zipfile
from time import process_time
from types import FunctionType

from coscope.audits.warm.specialization import codes_in, read_sites

LOADED = (argparse, ast, asyncio, decimal, email.message, http.client, inspect, pickletools)
MORE = (tarfile, typing, unittest, zipfile)


def main() -> None:
    """Measure and print."""
    ast.dump(ast.parse(inspect.getsource(inspect)))  # something that has run
    functions = [thing for thing in gc.get_objects() if type(thing) is FunctionType][:2000]
    taken = []
    for _ in range(9):
        started = process_time()
        codes = [co for co, _ in codes_in(functions)]
        sites = sum(len(read_sites(co)) for co in codes)
        taken.append(1000 * (process_time() - started))
    size = sum(len(co.co_code) for co in codes)
    print(f"{len(functions)} functions, {len(codes)} code objects, {size} bytes, {sites} sites")
    print(f"{statistics.median(taken):.1f} ms CPU (100 asked)")


if __name__ == "__main__":
    main()
