# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the backend: two threads and two queues, so that its user never waits for the socket."""

import contextlib
import queue
import socket
import threading
from dataclasses import dataclass

from . import frames, messages
from .messages import Message, ToBackend, ToClient

HOST = "127.0.0.1"
CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Closed:
    """The connection is gone; nothing comes after this. `reason` is for the log."""

    reason: str


class Client:
    """One connection to a backend.

    `inbox` holds what the backend sends, in order, and a `Closed` at the end. `send` and `close` return at once.
    """

    def __init__(self, port: int, token: str, name: str) -> None:
        """Connect to 127.0.0.1:`port` and greet. Raises `OSError` if nothing listens there."""
        self.inbox: queue.SimpleQueue[ToClient | Closed] = queue.SimpleQueue()
        self._outbox: queue.SimpleQueue[list[bytes | memoryview] | None] = queue.SimpleQueue()
        self._has_ended = False
        self._socket = socket.create_connection((HOST, port), CONNECT_SECONDS)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send(messages.Hello(token, name))
        for work in (self._read, self._write):
            threading.Thread(target=work, name=f"hi3dgen {work.__name__}", daemon=True).start()

    def send(self, message: ToBackend) -> None:
        """Queue a message; messages after the connection's end are dropped.

        Arrays are not copied: leave them as they are afterwards. Raises `ValueError` for a text that UTF-8 cannot hold
        and a number that JSON cannot.
        """
        pieces = messages.encode(message)
        if not self._has_ended:  # else nobody would take them out
            self._outbox.put(pieces)

    def close(self) -> None:
        """Close the connection: what is not sent yet is dropped, and the backend cancels the client's jobs."""
        self._has_ended = True
        self._outbox.put(None)
        with contextlib.suppress(OSError):  # the other side may have been faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # the reader sees the same end and reports it
            while self._write_next():
                pass

    def _write_next(self) -> bool:
        """Write the next message; False at the end. Nothing of it is kept in memory while the next one is awaited."""
        pieces = self._outbox.get()
        for piece in pieces or []:
            self._socket.sendall(piece)
        return pieces is not None

    def _read(self) -> None:
        reason = "the reader failed"
        try:
            while True:
                self.inbox.put(self._receive())
        except (OSError, EOFError, MemoryError, frames.WireError) as error:
            reason = str(error) or type(error).__name__
        finally:
            self.close()
            self.inbox.put(Closed(reason))

    def _receive(self) -> ToClient:
        message: Message = messages.receive(messages.TO_CLIENT, frames.TO_CLIENT, self._exactly)
        return message  # pyright: ignore[reportReturnType] - TO_CLIENT yields nothing else

    def _exactly(self, count: int) -> bytearray:
        """`count` bytes from the socket, in memory that grows as they arrive."""
        data = bytearray()
        while len(data) < count:
            piece = self._socket.recv(min(count - len(data), 1 << 20))
            if not piece:
                raise EOFError("the backend closed the connection")
            data += piece
        return data
