"""The command line: one file for each command of `coscope`, and what they share."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave the process with its exit status.

    0: done. 1: done, and the command's question is answered with no. 2: bad input, bad usage or
    an internal error. 130: interrupted.
    """
    from coscope.errors import InterpreterError, check_implementation

    try:
        check_implementation()
    except InterpreterError as error:
        print(f"coscope: {error}", file=sys.stderr)
        sys.exit(2)
    from coscope.cli.group import coscope

    sys.exit(coscope())
