# SPDX-License-Identifier: GPL-3.0-or-later
"""A real backend process and real sockets to it, for the tests that need them."""

import contextlib
import json
import queue
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from backend.wire import frames, messages, products
from backend.wire.client import Client, Closed
from backend.wire.messages import Progress, Request, Status, ToBackend, ToClient

ROOT = Path(__file__).parents[2]
SERVE = (sys.executable, "-s", "-m", "backend", "serve")
SERVE_PATIENT = (sys.executable, "-s", str(Path(__file__).with_name("patient_backend.py")))
TOKEN = "a secret of at least 32 characters"  # noqa: S105 - it guards nothing
SECONDS = 60.0  # how long anything may take before its test counts as hanging
HEADER_BYTES = 20
Kind = TypeVar("Kind")


class Backend:
    """A backend process whose parent is this one. Use it as a context: it ends with it."""

    def __init__(
        self,
        command: tuple[str, ...] = SERVE_PATIENT,
        idle_seconds: float = 0.0,
        log: Path | None = None,
        **orders: object,
    ) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as the process runs
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )
        assert self.process.stdin
        assert self.process.stdout
        start = {"token": TOKEN, "idle_seconds": idle_seconds, "log": str(log) if log else None, **orders}
        self.process.stdin.write(json.dumps(start).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.log()
        self.first_line: dict[str, Any] = json.loads(line)
        self.port: int = self.first_line["port"]

    def log(self) -> str:
        """Everything that it has logged."""
        self._log.seek(0)
        return self._log.read().decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._log):
            if stream:
                stream.close()

    def client(self) -> "Conversation":
        """A client that has greeted."""
        return Conversation(self.port)

    def stranger(self) -> "Stranger":
        """A connection that has not greeted."""
        return Stranger(self.port)


class Conversation:
    """A conversation through the product's own client. Use it as a context: it hangs up with it."""

    def __init__(self, port: int) -> None:
        self._client = Client(port, TOKEN, "test")
        self.capabilities = self.next(messages.Capabilities)

    def send(self, *sent: ToBackend) -> None:
        """Send messages."""
        for message in sent:
            self._client.send(message)

    def receive(self) -> ToClient | Closed:
        """The next message."""
        try:
            return self._client.inbox.get(timeout=SECONDS)
        except queue.Empty:
            raise AssertionError("nothing was sent") from None

    def next(self, kind: type[Kind], job: str | None = None) -> Kind:
        """The next message of that type, about that job; others are passed over, but not the end."""
        while True:
            message = self.receive()
            if isinstance(message, kind) and job in (None, getattr(message, "job", None)):
                return message
            assert not isinstance(message, Closed), message.reason

    def until_end_of(self, job: str) -> list[ToClient]:
        """All messages about that job up to its last result or failure."""
        heard: list[ToClient] = []
        while not (heard and ends(heard[-1])):
            message = self.receive()
            assert not isinstance(message, Closed), message.reason
            if getattr(message, "job", None) == job:
                heard.append(message)
        return heard

    def end_of(self, job: str) -> messages.Result | messages.Failure:
        """The job's last result or failure."""
        last = self.until_end_of(job)[-1]
        assert isinstance(last, messages.Result | messages.Failure)
        return last

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Stranger:
    """A bare socket. Use it as a context: it closes with it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes, whether or not the other side still listens."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def send(self, message: ToBackend) -> None:
        """Send a message as it should be sent."""
        self.send_bytes(b"".join(messages.encode(message)))

    def greet(self, token: str = TOKEN) -> None:
        """Send a greeting."""
        self.send(messages.Hello(token, "stranger"))

    def exactly(self, count: int) -> bytes:
        """That many bytes, or fewer if the connection ends before."""
        data = bytearray()
        with contextlib.suppress(ConnectionError):
            while len(data) < count and (piece := self.socket.recv(min(count - len(data), 1 << 20))):
                data += piece
        return bytes(data)

    def receive(self) -> ToClient | None:
        """The next message, None at the end of the connection. Raises `EOFError` if it ends within a frame."""
        data = self.exactly(HEADER_BYTES)
        if not data:
            return None
        header = frames.parse_header(data, frames.TO_CLIENT)
        document, specs = frames.parse_document(self.exactly(header.message), header)
        payload = bytearray(self.exactly(header.payload))
        if len(payload) < header.payload:
            raise EOFError
        arrays = frames.split_payload(specs, payload)
        message: Any = messages.decode(messages.TO_CLIENT, document, arrays)
        return message

    def next(self, kind: type[Kind], job: str | None = None) -> Kind:
        """The next message of that type, about that job; others are passed over, but not the end."""
        while True:
            message = self.receive()
            assert message is not None, "the connection has ended"
            if isinstance(message, kind) and job in (None, getattr(message, "job", None)):
                return message

    def all(self) -> Iterator[ToClient]:
        """Messages until the connection ends."""
        while (message := self.receive()) is not None:
            yield message

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ends(message: ToClient) -> bool:
    """Whether it is the last about its job."""
    return isinstance(message, messages.Failure) or (isinstance(message, messages.Result) and message.last)


def patient(job: str, seed: int = 0, count: int = 1, **settings: float) -> Request:
    """A job for the patient engine."""
    return Request(job, "patient", seed, {"picture": np.full((2, 3, 4), 255, np.uint8)}, settings, count)


def mesh_of(result: messages.Result) -> products.Mesh:
    """The mesh of a result."""
    mesh = result.products["mesh"]
    assert isinstance(mesh, products.Mesh)
    return mesh


ENDLESS = 10**9
"""Steps that only a cancellation ends."""


def wait_until_idle(client: Conversation) -> None:
    """Return when no job runs or waits."""
    while True:
        client.send(messages.GetStatus())
        status = client.next(Status)
        if not status.running and not status.queued:
            return
        time.sleep(0.02)


def frame(message: bytes, payload: bytes = b"", *, announced: int | None = None) -> bytes:
    """A frame by the page's table, also one that lies about its payload."""
    length = len(payload) if announced is None else announced
    return b"H3DG" + struct.pack("<HHIQ", frames.PROTOCOL, 0, len(message), length) + message + payload


def begin(client: Conversation, job: str) -> None:
    """Start a job that only a cancellation ends, and wait until it runs."""
    client.send(patient(job, steps=ENDLESS))
    client.next(Progress, job)
