"""A compiler of the page: any CPython in a worker, without coscope. It runs nothing of the text."""

import json
import marshal
import sys
import warnings


def compile_text(text, name):
    """("code", marshal bytes) or (reason, JSON): what `coscope_page` takes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return "code", marshal.dumps(compile(text, name, "exec", dont_inherit=True))
    except SyntaxError as error:
        fault = [error.msg, error.lineno, error.offset, error.text]
        return "syntax", json.dumps(fault)
    except (RecursionError, MemoryError, ValueError, OverflowError) as error:
        return "deep", json.dumps(type(error).__name__)


def release():
    level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(sys.version_info[3])
    text = ".".join(map(str, sys.version_info[:3]))
    return text + (level + str(sys.version_info[4]) if level else "")


def dis_times(text, rounds=9):
    """Milliseconds of compiling a text and disassembling all of it by `dis`: for bench/page.mjs."""
    import dis
    import time

    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        pending = [compile(text, "text.py", "exec", dont_inherit=True)]
        while pending:
            code = pending.pop()
            list(dis.get_instructions(code))
            pending.extend(each for each in code.co_consts if hasattr(each, "co_code"))
        times.append(1000 * (time.perf_counter() - start))
    return times
