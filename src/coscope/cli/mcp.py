"""`coscope mcp`: the reading commands as tools for agents, over the Model Context Protocol."""

from __future__ import annotations

import sys

import click

from coscope.cli.options import common
from coscope.cli.session import Session


@click.command("mcp", short_help="Offer the reading commands to agents (MCP).")
@click.option(
    "--root",
    "roots",
    multiple=True,
    metavar="FOLDER",
    help="Files below it may be read; the current folder, if not given. May be repeated.",
)
@click.option(
    "--allow-import", is_flag=True, help="Targets such as json:dumps too: they import a module."
)
@common
def command(session: Session, roots: tuple[str, ...], allow_import: bool) -> None:
    """Serve the reading commands as tools over standard input and output, for agents and editors.

    \b
    coscope mcp --root ~/project

    Answers are short texts. Nothing outside of the roots is read, and nothing is imported or run,
    unless --allow-import is given. It needs the extra: pip install 'coscope[mcp]'.

    Exit status: 0 served until the other side left, 2 bad use or input.
    """
    import os

    from coscope.cli.mcp_tools import Tools, answered
    from coscope.errors import CoscopeError, TargetNotFound

    given = roots or (".",)
    for root in given:
        if not os.path.isdir(root):
            raise TargetNotFound("there is no such folder", file=root)
    try:
        from mcp.server.mcpserver import MCPServer
    except ImportError as error:
        raise CoscopeError(
            "coscope mcp needs the package mcp", hint="pip install 'coscope[mcp]'"
        ) from error
    tools = Tools(given, allow_import)
    server = MCPServer("coscope", instructions=_INSTRUCTIONS, log_level="WARNING")
    for function in tools.functions():
        server.add_tool(answered(function), structured_output=False)
    sys.stdout.flush()
    server.run("stdio")


_INSTRUCTIONS = (
    "coscope reads Python functions: bytecode, control flow, dependencies, signatures, how calls"
    " bind, whether code can crash the interpreter, and tracebacks. Targets are files or one"
    " function of a file: app/orders.py::Order.total. Begin with show."
)
