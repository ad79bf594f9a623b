# SPDX-License-Identifier: GPL-3.0-or-later
"""A page on this machine alone on which a person labels objects: keep or drop.

Its address holds a secret that other users and other pages of the browser do not know. It loads nothing from anywhere
else. A label is on the disk before the page shows it.
"""

import json
import re
import secrets
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np

from ..errors import UserError
from .labels import Labels

_HOST = "127.0.0.1"
_PAGE = Path(__file__).with_name("page.html")
_VIEW = re.compile(r"views/(.+)\.jpg")
_MOST = 10_000  # bytes of a label
_SHUFFLED = 1  # always the same order, so that the first few hundred are a fair sample
_POLICY = (
    "default-src 'none'; img-src 'self'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class LabelServer(ThreadingHTTPServer):
    """Serves the page; use it as a context, and call `serve_forever`.

    views: the pictures' files by the objects' names. labels: what is given already, and where new ones go.
    port: 0 lets the system choose. Raises OSError if the port is taken.
    """

    daemon_threads = True

    def __init__(self, views: Mapping[str, Path], labels: Labels, port: int = 0) -> None:
        self.views = views
        self.labels = labels
        self.token = secrets.token_urlsafe(24)
        self.lock = threading.Lock()
        names = [*views]
        self.order = [names[number] for number in np.random.default_rng(_SHUFFLED).permutation(len(names))]
        super().__init__((_HOST, port), _Handler)

    @property
    def address(self) -> str:
        """The page's address, with its secret."""
        return f"http://{_HOST}:{self.server_address[1]}/{self.token}/"


class _Handler(BaseHTTPRequestHandler):
    server: LabelServer  # pyright: ignore[reportIncompatibleVariableOverride] - always this one
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds: a connection that says nothing ends

    def do_GET(self) -> None:
        """Answer with the page, the objects or a picture."""
        place = self._place()
        view = _VIEW.fullmatch(place or "")
        if place is None:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is nothing here.")
        elif place == "":
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", _PAGE.read_bytes())
        elif place == "objects.json":
            with self.server.lock:
                given = self.server.labels.given
                told = [{"name": name, "keep": given.get(name)} for name in self.server.order]
            self._answer(HTTPStatus.OK, "application/json", json.dumps(told).encode())
        elif view and view[1] in self.server.views:
            self._picture(self.server.views[view[1]])
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is nothing here.")

    def do_POST(self) -> None:
        """Take a label."""
        length = self.headers.get("Content-Length", "")
        if self._place() != "label":
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing here.")
        elif not (length.isascii() and length.isdecimal() and int(length) <= _MOST):
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is no label.")
        else:
            self._label(self.rfile.read(int(length)))

    def _label(self, body: bytes) -> None:
        try:
            label = json.loads(body)
            name, keep = label["name"], label["keep"]
            known = name in self.server.views and (keep is None or isinstance(keep, bool))
        except (ValueError, LookupError, TypeError, RecursionError):
            known, name, keep = False, "", None
        if not known:
            self._refuse(HTTPStatus.BAD_REQUEST, "This is no label.")
            return
        try:
            with self.server.lock:
                self.server.labels.give(name, keep=keep)
        except UserError as error:
            self._refuse(HTTPStatus.INSUFFICIENT_STORAGE, error.sentence)
            return
        self._answer(HTTPStatus.OK, "application/json", b"{}")

    def _picture(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except OSError:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"The picture cannot be read.")
            return
        self._answer(HTTPStatus.OK, "image/jpeg", data)

    def _place(self) -> str | None:
        """The path behind the secret; None for anyone who does not know it, or who came by another name."""
        host, port = self.server.server_address[:2]
        _, token, *rest = urlsplit(self.path).path.split("/", 2) if self.path.startswith("/") else ("", "")
        known = secrets.compare_digest(token.encode(), self.server.token.encode())
        return unquote(rest[0]) if known and rest and self.headers.get("Host") == f"{host!s}:{port}" else None

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        self.close_connection = True  # the body may not have been read
        self._answer(status, "text/plain; charset=utf-8", sentence.encode())

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": _POLICY,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: the terminal shows the address alone."""
