"""The server's answers: the page's files, and below /api/ the folder and the interpreters.

Nothing is executed but `compile`, in a child under limits; documents are made in the browser.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coscope.errors import CoscopeError, InputError
from coscope.readers.sources import decode_text
from coscope.server.compilers import Compilers
from coscope.server.folder import Entry, Folder
from coscope.server.guard import Guard

MOST_TEXT = 2 * 2**20  # bytes of a text to compile
_LOOK = 0.5  # seconds between two looks at the folder
_WAIT = 20  # seconds until a request for changes is answered without one

# Type of files for which the table of a machine may have none, or a wrong one.
_TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}


def _typed(page: ASGIApp) -> ASGIApp:
    """The page's files with the types that browsers insist on."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        kind = _TYPES.get(Path(scope["path"]).suffix)

        async def sending(message: Message) -> None:
            if kind is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["content-type"] = kind
            await send(message)

        await page(scope, receive, sending)

    return app


class Answers:
    """What the server knows while it runs."""

    def __init__(self, page: Path, folder: Folder | None, compilers: Compilers) -> None:
        """Args: the folder of the built page; what is shown; what compiles."""
        self.page = page
        self.folder = folder
        self.compilers = compilers

    def routes(self) -> list[Route | Mount]:
        """Paths, and what answers to them."""
        return [
            Route("/", self.index),
            Route("/index.html", self.index),
            Route("/api/hello", self.hello),
            Route("/api/file", self.file),
            Route("/api/changes", self.changes),
            Route("/api/compile", self.compile, methods=["POST"]),
            Mount("/", _typed(StaticFiles(directory=self.page))),
        ]

    async def index(self, request: Request) -> Response:
        """The page, which finds out by this mark that a server is behind it."""
        text = (self.page / "index.html").read_text(encoding="utf-8")
        return HTMLResponse(text.replace("<html ", "<html data-server ", 1))

    async def hello(self, request: Request) -> Response:
        """The interpreters, and the files."""
        named = self.compilers.named.items()
        return JSONResponse(
            {
                "interpreters": [
                    {"name": name, "version": each.version, "release": each.release}
                    for name, each in named
                ],
                "folder": None if self.folder is None else self.folder.root.name,
                "first": None if self.folder is None else self.folder.first,
                **_listed(await self._entries()),
            }
        )

    async def file(self, request: Request) -> Response:
        """One file: the text of a source, or the bytes of a .pyc."""
        name = request.query_params.get("path", "")
        if self.folder is None:
            return _refused(InputError("no folder is served"))
        try:
            data, changed = await run_in_threadpool(self.folder.read, name)
            if name.endswith(".pyc"):
                return Response(
                    data,
                    media_type="application/octet-stream",
                    headers={"x-changed": str(changed)},
                )
            return JSONResponse({"text": decode_text(data, name), "changed": changed})
        except CoscopeError as error:
            return _refused(error, 404)

    async def _entries(self) -> list[Entry]:
        return [] if self.folder is None else await run_in_threadpool(self.folder.entries)

    async def changes(self, request: Request) -> Response:
        """Wait until the files are no longer those of `state`; after a while answer anyway."""
        known = request.query_params.get("state", "")
        for _ in range(int(_WAIT / _LOOK)):
            listed = _listed(await self._entries())
            if listed["state"] != known or await request.is_disconnected():
                break
            await asyncio.sleep(_LOOK)
        return JSONResponse(listed)

    async def compile(self, request: Request) -> Response:
        """Compile the text of the request by an interpreter of this machine."""
        text = bytearray()
        async for chunk in request.stream():
            text += chunk
            if len(text) > MOST_TEXT:
                return _refused(InputError(f"the text is longer than {MOST_TEXT} bytes"), 413)
        name = request.query_params.get("python", "")
        filename = request.query_params.get("name", "input.py")[:200]
        try:
            made = await run_in_threadpool(self.compilers.compile, name, bytes(text), filename)
        except CoscopeError as error:
            return _refused(error, 404 if isinstance(error, InputError) else 502)
        if made.reason is not None:
            return JSONResponse({"reason": made.reason, "detail": made.data.decode()})
        return Response(made.data, media_type="application/octet-stream")


def _listed(entries: list[Entry]) -> dict[str, object]:
    """The files, when each last changed, and one text that changes with any of that."""
    files = {entry.path: f"{entry.stamp[0]}-{entry.stamp[1]}" for entry in entries}
    state = sha256(repr(files).encode("utf-8", "surrogateescape")).hexdigest()
    return {"files": files, "state": state}


def _refused(error: CoscopeError, status: int = 400) -> Response:
    return JSONResponse({"error": str(error)}, status_code=status)


def application(answers: Answers, *, hosts: frozenset[str], token: str) -> Starlette:
    """The ASGI application.

    Args:
        answers: What answers.
        hosts: The hosts that requests may name, such as "127.0.0.1:8000".
        token: What requests below /api/ have to bring along.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        answers.compilers.close()

    guard = Middleware(Guard, hosts=hosts, token=token)
    return Starlette(routes=answers.routes(), middleware=[guard], lifespan=lifespan)
