"""A labelled set of flows, made by a seed: sources x transformations x shapes x sinks.

Each flow is a module in which a value from outside reaches a sink; the sink's line is known. The
look-alikes are modules that use the same words and are safe: constants, numbers, quoting, checks.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from textwrap import indent
from typing import Any


@dataclass(frozen=True)
class Case:
    """One module.

    Attributes:
        name: What it is made of.
        text: Its source.
        line: Of the sink, from 1.
        rule: Of the sink.
    """

    name: str
    text: str
    line: int
    rule: str


@dataclass(frozen=True)
class Part:
    """A source, a transformation or a sink."""

    name: str
    body: str  # "{v}": the variable that holds the value
    imports: str = ""
    given: str = ""  # parameters of the function
    kind: str = "text"  # or "bytes": what a source gives, and what a sink takes
    rule: str = ""


SOURCES = [
    Part("parameter", "{v} = given", given="given"),
    Part("keyword parameter", "{v} = given", given="*, given"),
    Part("star parameter", "{v} = given[0]", given="*given"),
    Part("attribute of a parameter", "{v} = job.formula", given="job"),
    Part("item of a parameter", "{v} = job['formula']", given="job"),
    Part("flask args", "{v} = request.args.get('q', '')", "from flask import request"),
    Part("flask form", "{v} = flask.request.form['q']", "import flask"),
    Part("flask json", "{v} = request.get_json()['q']", "from flask import request"),
    Part("django post", "{v} = request.POST.get('q')", given="request"),
    Part("django body", "{v} = request.body.decode()", given="request"),
    Part("requests", "{v} = requests.get('http://localhost/x').text", "import requests"),
    Part("requests json", "{v} = requests.post(u, json={{}}).json()['a']", "import requests", "u"),
    Part(
        "urlopen",
        "with urlopen('http://localhost/x') as answer:\n    {v} = answer.read().decode()",
        "from urllib.request import urlopen",
    ),
    Part("httpx", "{v} = httpx.get(url).text", "import httpx", "url"),
    Part("socket", "{v} = peer.recv(4096)", given="peer", kind="bytes"),
    Part(
        "socket made here",
        "s = socket.create_connection(('localhost', 1))\n{v} = s.recv(10).decode()",
        "import socket",
    ),
    Part("input", "{v} = input('formula: ')"),
    Part("argv", "{v} = sys.argv[1]", "import sys"),
    Part("stdin", "{v} = sys.stdin.readline()", "import sys"),
    Part(
        "argparse",
        "p = argparse.ArgumentParser()\np.add_argument('f')\na = p.parse_args()\n{v} = a.f",
        "import argparse",
    ),
    Part("environ", "{v} = os.environ['FORMULA']", "import os"),
    Part("environ get", "{v} = environ.get('FORMULA')", "from os import environ"),
    Part("getenv", "{v} = os.getenv('FORMULA', '')", "import os"),
    Part("open", "with open(name) as f:\n    {v} = f.read()", given="name"),
    Part("open lines", "for {v} in open(name):\n    break", given="name"),
    Part("path", "{v} = Path(name).read_text()", "from pathlib import Path", "name"),
    Part("path bytes", "{v} = pathlib.Path(n).read_bytes()", "import pathlib", "n", "bytes"),
    Part(
        "config file",
        "c = configparser.ConfigParser()\nc.read('x.ini')\n{v} = c['a']['b']",
        "import configparser",
    ),
    Part("json file", "with open(name) as f:\n    {v} = json.load(f)['q']", "import json", "name"),
    Part(
        "csv file",
        "with open(name) as f:\n    for row in csv.reader(f):\n        {v} = row[0]",
        "import csv",
        "name",
    ),
    Part(
        "sqlite",
        "rows = sqlite3.connect('x').execute('select f from t')\n{v} = rows.fetchone()[0]",
        "import sqlite3",
    ),
    Part("cursor", "cursor.execute('select 1')\n{v}, = cursor.fetchone()", given="cursor"),
    Part("redis", "{v} = redis.Redis().get('k')", "import redis", kind="bytes"),
    Part(
        "openai",
        "r = openai.chat.completions.create(model='m', messages=[])\n"
        "{v} = r.choices[0].message.content",
        "import openai",
    ),
    Part(
        "anthropic",
        "r = client.messages.create(model='m', messages=[])\n{v} = r.content[0].text",
        given="client",
    ),
]

TRANSFORMS = [
    Part("strip", "{v} = {v}.strip()"),
    Part("replace", "{v} = {v}.replace('^', '**')"),
    Part("lower", "{v} = {v}.lower()"),
    Part("slice", "{v} = {v}[1:]"),
    Part("split", "{v} = {v}.split(';')[0]"),
    Part("partition", "_, _, {v} = {v}.partition('=')"),
    Part("f-string", "{v} = f'({{{v}}})'"),
    Part("percent", "{v} = '(%s)' % {v}"),
    Part("percent tuple", "{v} = '%s + %d' % ({v}, 1)"),
    Part("format", "{v} = '({{}})'.format({v})"),
    Part("format name", "{v} = '({{a}})'.format(a={v})"),
    Part("add", "{v} = '(' + {v} + ')'"),
    Part("augmented", "text = 'x = '\ntext += {v}\n{v} = text"),
    Part("join", "{v} = ' '.join(['1 +', {v}])"),
    Part("join generator", "{v} = ''.join(c for c in {v} if c != ' ')"),
    Part("join list", "{v} = ''.join([c for c in {v}])"),
    Part("re.sub", "{v} = re.sub(r'\\s+', '', {v})", "import re"),
    Part("re.match", "m = re.match('=(.*)', {v})\n{v} = m.group(1)", "import re"),
    Part("compiled pattern", "{v} = re.compile('a').sub('b', {v})", "import re"),
    Part("re.findall", "{v} = re.findall('.+', {v})[0]", "import re"),
    Part("json", "{v} = json.loads({v})['f']", "import json"),
    Part("base64", "{v} = base64.b64decode({v}).decode()", "import base64"),
    Part("unquote", "{v} = unquote({v})", "from urllib.parse import unquote"),
    Part("str", "{v} = str({v})"),
    Part("encode decode", "{v} = {v}.encode('utf-8').decode('ascii', 'ignore')"),
    Part("dedent", "{v} = textwrap.dedent({v})", "import textwrap"),
    Part("dict", "held = {{'f': {v}, 'n': 1}}\n{v} = held['f']"),
    Part("dict store", "held = {{}}\nheld['f'] = {v}\n{v} = held.get('f')"),
    Part("dict update", "held = dict(n=1)\nheld.update(f={v})\n{v} = held['f']"),
    Part("list", "parts = []\nparts.append({v})\n{v} = parts[0]"),
    Part("list extend", "parts = ['1']\nparts.extend([{v}])\n{v} = '+'.join(parts)"),
    Part("tuple", "pair = (1, {v})\n_, {v} = pair"),
    Part("star unpack", "first, *rest = [1, {v}]\n{v} = rest[0]"),
    Part("swap", "other = '1'\nother, {v} = {v}, other\n{v} = other"),
    Part("loop", "for each in [{v}]:\n    {v} = each"),
    Part("enumerate", "for n, each in enumerate([{v}]):\n    {v} = each"),
    Part("zip", "for n, each in zip((1, 2), ({v}, {v})):\n    {v} = each"),
    Part("while", "while {v}.startswith('='):\n    {v} = {v}[1:]"),
    Part("or", "{v} = {v} or '1'"),
    Part("conditional", "{v} = {v} if {v} else '1'"),
    Part("walrus", "if (w := {v}.strip()):\n    {v} = w"),
    Part("try", "try:\n    {v} = {v}.strip()\nexcept AttributeError:\n    {v} = '1'"),
    Part("StringIO", "b = io.StringIO()\nb.write({v})\n{v} = b.getvalue()", "import io"),
    Part("next iter", "{v} = next(iter([{v}]))"),
    Part("sorted", "{v} = sorted([{v}], key=len)[-1]"),
    Part("map", "{v} = list(map(str.strip, [{v}]))[0]"),
    Part("deque", "q = deque()\nq.append({v})\n{v} = q.popleft()", "from collections import deque"),
    Part("unknown function", "{v} = prepare({v})", "from elsewhere import prepare"),
    Part("attribute", "box = Box()\nbox.f = {v}\n{v} = box.f", "class Box: pass"),
    Part("comprehension", "{v} = [each.strip() for each in [{v}]][0]"),
    Part("dict comprehension", "{v} = {{k: w for k, w in [('a', {v})]}}['a']"),
]

_TO_BYTES = Part("encode", "{v} = {v}.encode()")
_TO_TEXT = Part("decode", "{v} = {v}.decode()")

SINKS = [
    Part("eval", "return eval({v})", rule="DYN101"),
    Part("eval space", "return eval({v}, {{'__builtins__': {{}}}}, {{}})", rule="DYN101"),
    Part("exec", "exec({v})", rule="DYN101"),
    Part("exec space", "exec({v}, {{}})", rule="DYN101"),
    Part("compile", "exec(compile({v}, '<x>', 'exec'))", rule="DYN101"),
    Part("builtins", "return builtins.eval({v})", "import builtins", rule="DYN101"),
    Part("import as", "return ev({v})", "from builtins import eval as ev", rule="DYN101"),
    Part("getattr", "return getattr(builtins, 'eval')({v})", "import builtins", rule="DYN101"),
    Part("local alias", "run = exec; run({v})", rule="DYN101"),
    Part("map eval", "return list(map(eval, [{v}]))", rule="DYN101"),
    Part("partial", "return partial(eval, {v})()", "from functools import partial", rule="DYN101"),
    Part("methodcaller", "methodcaller('system', {v})(os)",
         "import os\nfrom operator import methodcaller", rule="DYN109"),
    Part("operator call", "return operator.call(eval, {v})", "import operator", rule="DYN101"),
    Part("pandas eval", "return pd.eval({v})", "import pandas as pd", rule="DYN101"),
    Part("query", "return pd.DataFrame().query({v})", "import pandas as pd", rule="DYN101"),
    Part("__import__", "return __import__({v})", rule="DYN108"),
    Part("import_module", "return import_module({v})", "from importlib import import_module",
         rule="DYN108"),
    Part("run_path", "return runpy.run_path({v})", "import runpy", rule="DYN108"),
    Part("pickle", "return pickle.loads({v})", "import pickle", kind="bytes", rule="DYN103"),
    Part("pickle as", "return unpack({v})", "from pickle import loads as unpack", kind="bytes",
         rule="DYN103"),
    Part("_pickle", "return _pickle.loads({v})", "import _pickle", kind="bytes", rule="DYN103"),
    Part("Unpickler", "return pickle.Unpickler(io.BytesIO({v})).load()", "import io, pickle",
         kind="bytes", rule="DYN103"),
    Part("dill", "return dill.loads({v})", "import dill", kind="bytes", rule="DYN103"),
    Part("cloudpickle", "return cloudpickle.loads({v})", "import cloudpickle", kind="bytes",
         rule="DYN103"),
    Part("joblib", "return joblib.load({v})", "import joblib", rule="DYN103"),
    Part("shelve", "return shelve.open({v})", "import shelve", rule="DYN103"),
    Part("torch", "return torch.load({v})", "import torch", rule="DYN103"),
    Part("numpy", "return np.load({v}, allow_pickle=True)", "import numpy as np", rule="DYN103"),
    Part("marshal", "return marshal.loads({v})", "import marshal", kind="bytes", rule="DYN102"),
    Part("yaml", "return yaml.load({v}, Loader=yaml.Loader)", "import yaml", rule="DYN110"),
    Part("yaml unsafe", "return yaml.unsafe_load({v})", "import yaml", rule="DYN110"),
    Part("yaml full", "return yaml.load({v}, yaml.FullLoader)", "import yaml", rule="DYN110"),
    Part("format", "return {v}.format(user=object())", rule="DYN111"),
    Part("format_map", "return {v}.format_map({{'u': object()}})", rule="DYN111"),
    Part("system", "os.system({v})", "import os", rule="DYN109"),
    Part("popen", "return os.popen({v}).read()", "import os", rule="DYN109"),
    Part("shell", "subprocess.run({v}, shell=True)", "import subprocess", rule="DYN109"),
    Part("shell call", "check_output({v}, shell=True)", "from subprocess import check_output",
         rule="DYN109"),
    Part("sh -c", "subprocess.Popen(['sh', '-c', {v}])", "import subprocess", rule="DYN109"),
    Part("getoutput", "return subprocess.getoutput({v})", "import subprocess", rule="DYN109"),
]  # fmt: skip


def _plain(head: str, given: str, steps: Sequence[str], sink: str) -> str:
    body = "\n".join([*steps, sink]).format(v="value")
    return f"{head}\n\ndef handle({given}):\n{indent(body, '    ')}\n"


def _helper(head: str, given: str, steps: Sequence[str], sink: str) -> str:
    inner = "\n".join([*steps, "return {v}"]).format(v="value")
    outer = sink.format(v="value")
    names = given.replace("*, ", "").strip("*")
    return (
        f"{head}\n\ndef obtain({names}):\n{indent(inner, '    ')}\n\n"
        f"def handle({names}):\n    value = obtain({names})\n{indent(outer, '    ')}\n"
    ).replace("given[0]", "given")


def _method(head: str, given: str, steps: Sequence[str], sink: str) -> str:
    inner = "\n".join([*steps, "self.value = {v}"]).format(v="value")
    comma = ", " if given else ""
    return (
        f"{head}\n\nclass Job:\n    def __init__(self{comma}{given}):\n{indent(inner, ' ' * 8)}\n\n"
        f"    def run(self):\n{indent(sink.format(v='self.value'), ' ' * 8)}\n"
    )


def _closure(head: str, given: str, steps: Sequence[str], sink: str) -> str:
    outer = "\n".join(steps).format(v="value")
    return (
        f"{head}\n\ndef make({given}):\n{indent(outer, '    ')}\n    def inner():\n"
        f"{indent(sink.format(v='value'), ' ' * 8)}\n    return inner\n"
    )


def _passed(head: str, given: str, steps: Sequence[str], sink: str) -> str:
    outer = "\n".join([*steps, "return _run({v}, 1)"]).format(v="value")
    return (
        f"{head}\n\ndef _run(what, count):\n{indent(sink.format(v='what'), '    ')}\n\n"
        f"def handle({given}):\n{indent(outer, '    ')}\n"
    )


def _generator(head: str, given: str, steps: Sequence[str], sink: str) -> str:
    inner = "\n".join([*steps, "yield {v}"]).format(v="value")
    names = given.replace("*, ", "").strip("*")
    return (
        f"{head}\n\ndef several({names}):\n{indent(inner, '    ')}\n\n"
        f"def handle({names}):\n    for value in several({names}):\n"
        f"{indent(sink.format(v='value'), ' ' * 8)}\n"
    ).replace("given[0]", "given")


def _guarded(head: str, given: str, steps: Sequence[str], sink: str) -> str:
    body = "\n".join(steps).format(v="value")
    last = indent(sink.format(v="value"), " " * 8)
    return (
        f"{head}\n\nasync def handle({given}):\n    try:\n{indent(body, ' ' * 8)}\n"
        f"        if not value:\n            return None\n{last}\n"
        f"    except ValueError as error:\n        print(error)\n"
    )


SHAPES = {
    "function": _plain,
    "helper": _helper,
    "method": _method,
    "closure": _closure,
    "passed on": _passed,
    "generator": _generator,
    "async try": _guarded,
}


def flows(seed: int, count: int) -> Iterator[Case]:
    """So many flows: every source, transformation, shape and sink comes in turn, at random."""
    lots = random.Random(seed)
    rows = [_shuffled(lots, each, count) for each in (SOURCES, SINKS, sorted(SHAPES))]
    for at, (source, sink, shape) in enumerate(zip(*rows, strict=True)):
        steps = lots.sample(TRANSFORMS, at % 4)
        parts = [source]
        if source.kind == "bytes" and (steps or sink.kind == "text"):
            parts.append(_TO_TEXT)
        parts += steps
        if sink.kind == "bytes" and (source.kind == "text" or steps):
            parts.append(_TO_BYTES)
        heads = dict.fromkeys(each.imports for each in (*parts, sink) if each.imports)
        bodies = [part.body for part in parts]
        text = SHAPES[shape]("\n".join(heads), source.given, bodies, f"{sink.body}  {_HERE}")
        line = next(n for n, each in enumerate(text.splitlines(), 1) if _HERE in each)
        name = f"{source.name} | {' > '.join(p.name for p in steps) or '-'} | {shape} | {sink.name}"
        yield Case(name, text, line, sink.rule)


_HERE = "# the sink"


def _shuffled(lots: random.Random, items: Sequence[Any], count: int) -> list[Any]:
    """So many of the items, each about as often as any other, in random order."""
    found: list[Any] = []
    while len(found) < count:
        found += lots.sample(list(items), len(items))
    return found[:count]


_ROUNDED = [  # "{x}": what is given; each makes it harmless for any sink
    ("number", "{v} = str(int({x}))"),
    ("float", "{v} = '%f' % float({x})"),
    ("format d", "{v} = f'{{{x}:d}}'"),
    ("percent d", "{v} = '%d' % {x}"),
    ("length", "{v} = str(len({x}))"),
    ("lookup", "{v} = {{'a': '1', 'b': '2'}}[{x}]"),
    ("lookup get", "{v} = {{'a': '1', 'b': '2'}}.get({x}, '3')"),
    ("tuple item", "{v} = ('1', '2')[int({x})]"),
    ("constant", "{v} = '1 + 1'"),
    ("conditional", "{v} = '1' if {x} else '2'"),
    ("member", "if {x} not in ('a', 'b'):\n    raise ValueError\n{v} = {x}"),
    ("equal", "if {x} != 'a' and {x} != 'b':\n    raise ValueError\n{v} = 'b' if {x} else 'a'"),
    ("member set", "if {x} in {{'a', 'b'}}:\n    {v} = {x}\nelse:\n    {v} = 'a'"),
    ("digits", "if not {x}.isdigit():\n    return None\n{v} = {x}"),
    ("is number", "if not isinstance({x}, int):\n    raise TypeError\n{v} = str({x})"),
    ("loop over constants", "for {v} in ('a', 'b'):\n    print({x})"),
    ("overwritten", "{v} = {x}\nprint({v})\n{v} = '1'"),
    ("joined constants", "{v} = '+'.join(['1', '2'])"),
    ("repeated", "{v} = '1' * {x}"),
    ("bool", "{v} = str(bool({x}))"),
]
_SAFE_SINKS = [
    ("eval", "return eval({v})", "", "DYN101"),
    ("exec", "exec({v}, {{}})", "", "DYN101"),
    ("system", "os.system({v})", "import os", "DYN109"),
    ("shell", "subprocess.run({v}, shell=True)", "import subprocess", "DYN109"),
    ("import", "importlib.import_module({v})", "import importlib", "DYN108"),
]
_ALONE = [  # whole bodies that are safe
    ("literal_eval", "import ast", "return ast.literal_eval(given)"),
    ("own eval", "", "eval = given.eval\n    return eval('1')"),
    ("method eval", "", "given.eval()\n    return given.compile('x')"),
    ("re.compile", "import re", "return re.compile(given)"),
    ("repr", "", "return eval(repr(given))"),
    ("only parses", "import ast", "return compile(given, 'x', 'exec', ast.PyCF_ONLY_AST)"),
    ("ast.parse", "import ast", "return ast.parse(given)"),
    ("round trip", "import pickle", "return pickle.loads(pickle.dumps(given))"),
    ("dumps", "import pickle", "return pickle.dumps(given)"),
    ("json", "import json", "return json.loads(given)"),
    ("safe_load", "import yaml", "return yaml.safe_load(given)"),
    ("SafeLoader", "import yaml", "return yaml.load(given, Loader=yaml.SafeLoader)"),
    ("CSafeLoader", "from yaml import CSafeLoader, load", "return load(given, CSafeLoader)"),
    ("weights_only", "import torch", "return torch.load(given, weights_only=True)"),
    ("no pickle", "import numpy as np", "return np.load(given)"),
    ("pickle refused", "import numpy as np", "return np.load(given, allow_pickle=False)"),
    ("no shell", "import subprocess", "return subprocess.run(['ls', given])"),
    ("shell=False", "import subprocess", "return subprocess.run([given], shell=False)"),
    ("quote", "import os, shlex", "os.system('ls ' + shlex.quote(given))"),
    ("shlex.join", "import os, shlex", "os.system(shlex.join(['ls', given]))"),
    ("quoted parts", "import os, shlex", "os.system(' '.join(map(shlex.quote, given)))"),
    ("constant template", "", "return '{} {}'.format(given, given)"),
    ("named template", "", "text = 'a {x}' if given else 'b {x}'\n    return text.format(x=given)"),
    ("string.Template", "import string", "return string.Template(given).substitute(a=1)"),
    ("getattr", "", "return getattr(given, 'x')"),
    ("dispatch", "", "return {'a': min, 'b': max}[given](1, 2)"),
    ("Enum", "import enum", "class E(enum.Enum):\n        A = '1'\n    return E(given)"),
    ("session.query", "", "return given.session.query(given.Model).filter()"),
    ("model.eval", "import torch", "given.eval()\n    return given"),
    ("format spec", "", "return format(given, '>10')"),
    ("hmac", "import hmac, pickle",
     "mac, data = given[:32], given[32:]\n    if not hmac.compare_digest(mac, sign(data)):\n"
     "        raise ValueError\n    return pickle.loads(data)"),
    ("restricted", "import pickle\nclass Only(pickle.Unpickler):\n    def find_class(self, m, n):\n"
     "        raise pickle.UnpicklingError\n", "return Only(given).load()"),
    ("literal checked", "import ast", "ast.literal_eval(given)\n    return eval(given)"),
    ("pattern", "import re",
     "if not re.fullmatch(r'[0-9+*]+', given):\n        raise ValueError\n    return eval(given)"),
    ("import constant", "import importlib", "return importlib.import_module('json').loads(given)"),
    ("tempfile name", "import os, tempfile", "os.system('ls')\n    return tempfile.mkstemp(given)"),
]  # fmt: skip


def look_alikes(seed: int, count: int) -> Iterator[Case]:
    """So many modules that use the same words and are safe."""
    lots = random.Random(seed)
    made: list[Case] = []
    for name, head, body in _ALONE:
        text = f"{head}\n\ndef handle(given):\n    {body}\n"
        made.append(Case(name, text, 0, ""))
    pairs = list(product(_ROUNDED, _SAFE_SINKS))
    for (name, body), (sink, call, head, rule) in lots.sample(pairs, len(pairs)):
        if name == "repeated" and sink != "eval":
            continue
        lines = "\n".join([body, call]).format(v="value", x="given")
        text = f"{head}\n\ndef handle(given):\n{indent(lines, '    ')}\n"
        made.append(Case(f"{name} | {sink}", text, 0, rule))
    yield from made[:count]
