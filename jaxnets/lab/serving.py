"""The live view in a browser: one page and the state that it asks for, on this machine alone."""

import json
import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from jaxnets.errors import UserError
from jaxnets.report import pages

ADDRESS = "127.0.0.1"
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Server(ThreadingHTTPServer):
    """Answers two paths, `/` with the page and `/state.json` with what it shows; to this machine's browsers alone.

    Requests whose `Host` is not this address are refused, so that no foreign page can reach it under a name of its own
    (DNS rebinding); nothing of a request names a file.
    """

    daemon_threads = True

    def __init__(self, port: int, state: Callable[[], dict[str, Any]]) -> None:
        self.state = state
        try:
            super().__init__((ADDRESS, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"port: {port} cannot be used: {reason}; --port=0 takes any free one.") from None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a browser that has gone away."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server_address[1]

    @property
    def hosts(self) -> set[str]:
        """The values of `Host` that a browser on this machine sends."""
        names = (ADDRESS, "localhost")
        return {f"{name}:{self.port}" for name in names} | (set(names) if self.port == 80 else set())


class _Handler(BaseHTTPRequestHandler):
    """One request; methods other than GET and HEAD are not implemented (501)."""

    server: Server
    server_version, sys_version = "jaxnets", ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Answers with a body."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answers without one."""
        self._answer()

    def _answer(self) -> None:
        nonce = secrets.token_urlsafe(16)
        if self.headers.get("Host", "") not in self.server.hosts:
            return self._send(HTTPStatus.FORBIDDEN, "text/plain", "This page is for this machine alone.\n", nonce)
        if self.path == "/":
            return self._send(HTTPStatus.OK, "text/html", _page(nonce), nonce)
        if self.path == "/state.json":
            return self._send_state(nonce)
        return self._send(HTTPStatus.NOT_FOUND, "text/plain", "There is no such page.\n", nonce)

    def _send_state(self, nonce: str) -> None:
        try:
            content = self.server.state()
        except UserError as error:  # a file is gone, or half of another version
            content = {"error": str(error)}
        self._send(HTTPStatus.OK, "application/json", json.dumps(content), nonce)

    def _send(self, status: HTTPStatus, kind: str, text: str, nonce: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY.format(nonce=nonce))
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


def _page(nonce: str) -> str:
    return pages.render("watch.html", nonce=nonce)
