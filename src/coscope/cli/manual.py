"""What `-h` shows before a command's usage: two examples of each command."""

from __future__ import annotations

import click

# Command line -> what it does, in a few words. A command of a group has the group before it.
EXAMPLES: dict[str, dict[str, str]] = {
    "": {
        "coscope show json.dumps": "a live function; this imports its module",
        "coscope show app/orders.py::Order.total": "one of a file, which is compiled and not run",
    },
    "show": {
        "coscope show json.dumps": "the card of a live function; this imports json",
        "coscope show app/orders.py": "the tree of a file, which is compiled and not run",
    },
    "dis": {
        "coscope dis json.dumps": "source, instructions and the stack before each",
        "coscope dis app/orders.py::Order.total --optimize 2": "as python -OO compiles it",
    },
    "graph": {
        "coscope graph json.dumps": "blocks, conditions, loops and handlers",
        "coscope graph app/orders.py::Order.total --format mermaid": "for a Markdown page",
    },
    "depends": {
        "coscope depends json.dumps": "what it reads, writes, deletes and imports",
        "coscope depends app.orders:total --transitive": "and what its helpers do",
    },
    "closure": {
        "coscope closure app.jobs:task": "who makes, reads, writes and shares each cell",
        "coscope closure app/jobs.py::make.task": "from the file alone: no contents",
    },
    "capture": {
        "coscope capture app.jobs:task": "sizes, and what the tools will likely say",
        "coscope capture app.jobs:task --pickle": "what pickle and cloudpickle do say",
    },
    "call": {
        "coscope call json:dumps '{\"a\": 1}, indent=2'": "which parameter gets which value",
        "coscope call app/orders.py::Order.total '1, 2'": "of a file: nothing is run",
    },
    "signature": {
        "coscope signature json.dumps": "the reported one beside the real one",
        "coscope signature app.web:handler": "through each of its decorators",
    },
    "fingerprint": {
        "coscope fingerprint json.dumps": "a hash that changes whenever the behaviour might",
        "coscope fingerprint json.dumps --explain": "and everything that went into it",
    },
    "diff": {
        "coscope diff before/app.py after/app.py": "did the reformat change anything?",
        "coscope diff json:dumps json:dump": "two live functions; this imports json",
    },
    "verify": {
        "coscope verify app/ build/": "every .py and .pyc of both folders",
        "coscope verify x.pyc": "one file, read byte by byte and never executed",
    },
    "audit": {
        "coscope audit app/": "files, which are compiled and not run",
        "coscope audit --live json": "imports the package and looks at its objects",
    },
    "rule": {
        "coscope rule VER104": "one rule: what it says, why, and an example",
        "coscope rule": "all rules, a line for each",
    },
    "trust": {
        "coscope trust build/": "does each .pyc come from its source?",
        "coscope trust x.pyc --json": "one file, for a program",
    },
    "explain": {
        "coscope explain -- python app.py": "run it, and explain how it fails",
        "coscope explain ci.log": "explain each traceback in a text",
    },
    "report": {
        "coscope report app/ -o report.html": "a folder, to look at in the browser",
        "coscope report json -o json.html --open": "a package, which is not imported",
    },
    "attach": {
        "coscope attach 4711": "where each thread of a process is",
        "coscope attach 4711 app.orders:total": "what became of a function of it",
    },
    "coverage": {
        "coscope coverage -- pytest -q": "expressions that never ran",
        "coscope coverage --source app -- python app.py": "of the files of a folder",
    },
    "mcp": {
        "coscope mcp --root .": "tools over the files of this folder",
        "coscope mcp --root app/": "of another one",
    },
    "explain-opcode": {
        "coscope explain-opcode LOAD_ATTR": "what it does, and since when",
        "coscope explain-opcode": "all opcodes, a line for each",
    },
    "completion": {
        "coscope completion bash": 'in ~/.bashrc: eval "$(coscope completion bash)"',
        "coscope completion fish": "in config.fish: coscope completion fish | source",
    },
    "patch": {
        "coscope patch app/orders.py --at retry --constant 30=5 -o out.pyc": "another constant",
        "coscope patch x.pyc --at load --name open=safe_open -o out.pyc": "another global name",
    },
    "tune": {
        "coscope tune app.orders:total --call 'total([1, 2])'": "try the changes it knows",
        "coscope tune app.orders:total --test 'pytest -q'": "measured by a test command",
    },
    "corpus": {
        "coscope corpus scan app/ -o corpus/": "read code into Parquet tables",
        "coscope corpus ask corpus/ dynamic-code-sites": "ask a question of them",
    },
    "corpus scan": {
        "coscope corpus scan app/ -o corpus/": "a folder",
        "coscope corpus scan .venv/lib dist/app.whl -o corpus/": "an environment and a wheel",
    },
    "corpus ask": {
        "coscope corpus ask corpus/": "the questions there are",
        "coscope corpus ask corpus/ dynamic-code-sites": "one of them",
    },
    "corpus sql": {
        'coscope corpus sql corpus/ "select count(*) from codes"': "one number",
        "coscope corpus sql corpus/ \"select * from calls where callee = 'eval'\"": "a table",
    },
    "corpus schema": {
        "coscope corpus schema": "the tables and what their columns mean",
        "coscope corpus schema --json": "the same for a program",
    },
    "corpus diff": {
        "coscope corpus diff monday/ tuesday/": "what changed between two scans",
        "coscope corpus diff monday/ tuesday/ --json": "the same for a program",
    },
    "serve": {
        "coscope serve": "the page, with examples",
        "coscope serve app/": "with the files of a folder",
    },
}

_PAGE = 80  # cells


class Manual(click.Context):
    """A context whose help begins with the command's examples."""

    def get_help(self) -> str:
        """The examples, then click's own page."""
        name = " ".join(self.command_path.split()[1:])
        return examples(name) + super().get_help()


def examples(name: str) -> str:
    """The examples of a command as a paragraph; empty if it has none."""
    lines = EXAMPLES.get(name, {})
    if not lines:
        return ""
    width = max(map(len, lines))
    if width + max(map(len, lines.values())) > _PAGE - 4:
        shown = [f"  {line}\n      {what}" for line, what in lines.items()]
    else:
        shown = [f"  {line:<{width}}  {what}" for line, what in lines.items()]
    return "\n".join(["Examples:", *shown, "", ""])
