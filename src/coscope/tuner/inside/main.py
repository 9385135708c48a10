"""Answers requests: one line of JSON on standard input each, one line of answer on the output.

What the user's code prints goes to the null device.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any, Callable, Dict

from coscope.tuner.inside.forms import Fault
from coscope.tuner.inside.measuring import count, describe, measure
from coscope.tuner.inside.timing import calibrate

ANSWERS: Dict[str, Callable[[Dict[str, object]], Dict[str, object]]] = {
    "describe": describe,
    "count": count,
    "measure": measure,
    "calibrate": calibrate,
}


def main() -> None:
    """Answer the request on standard input."""
    request = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    answers.write(json.dumps(answer_to(request)) + "\n")
    answers.flush()
    sys.stdout.flush()


def answer_to(request: Dict[str, Any]) -> Dict[str, object]:
    """The answer; of a failure its error, and where in the user's code it was raised."""
    try:
        return ANSWERS[request["do"]](request)
    except Fault as fault:
        return {"error": str(fault)}
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's code may raise anything, SystemExit too
        lines = traceback.extract_tb(error.__traceback__)
        own = os.path.dirname(os.path.abspath(__file__))
        machinery = os.path.dirname(os.path.abspath(importlib.__file__))
        not_theirs = (own, machinery, "<")
        places = [each for each in lines if not each.filename.startswith(not_theirs)]
        where = "%s:%s" % (places[-1].filename, places[-1].lineno) if places else None
        told = traceback.format_exception_only(type(error), error)[-1].strip()
        return {"error": told, "raised": where}
