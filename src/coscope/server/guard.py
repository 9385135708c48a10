"""Who may ask the server: the page in a browser on this machine, and nobody else.

Another page in the same browser can send requests to a loopback port, and a name that it owns can
resolve to 127.0.0.1. So every request must name this host, must not come from another origin, and
whatever is not a file of the page needs the token.
"""

from __future__ import annotations

from secrets import compare_digest

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_HEADER = "x-coscope-token"
GUARDED = "/api/"  # paths below it need the token

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "connect-src 'self'; style-src 'self'; img-src 'self' data: blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",  # asked anew each time; an unchanged file is not sent again
}


class Guard:
    """Middleware that refuses, and that adds the headers of every answer."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], token: str) -> None:
        """Args: the application; the hosts that requests may name; the token."""
        self.app = app
        self.hosts = hosts
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # no web sockets; the server's start and end
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        refused = self.refusal(scope["path"], Headers(scope=scope))
        app = self.app if refused is None else PlainTextResponse(refused + "\n", status_code=403)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await app(scope, receive, sending)

    def refusal(self, path: str, headers: Headers) -> str | None:
        """Why a request is refused, or None."""
        if headers.get("host", "") not in self.hosts:
            return "This server answers to its own address only."
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self.hosts}:
            return "This server answers to its own page only."
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "This server answers to its own page only."
        given = headers.get(TOKEN_HEADER, "").encode()
        if path.startswith(GUARDED) and not compare_digest(given, self.token.encode()):
            return "The token is missing or wrong: open the address that coscope serve printed."
        return None
