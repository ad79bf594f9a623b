# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads frames from a client. A frame that has begun must keep arriving; between frames a client may be silent."""

import asyncio
import time
from dataclasses import dataclass

from .wire import frames, messages
from .wire.frames import Limits
from .wire.messages import Message

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Patience:
    """How long a client may take, in seconds."""

    greeting: float = 5.0  # to greet, and to close after a refusal
    silence: float = 30.0  # without a byte within a frame
    sending: float = 30.0  # to take a piece of what is sent to it
    per_mebibyte: float = 1.0  # for a frame in addition to `silence`


PATIENCE = Patience()


class Receiver:
    """What one client sends. `heard` is when its last byte came, by the monotonic clock."""

    def __init__(self, reader: asyncio.StreamReader, patience: Patience) -> None:
        self.is_within_frame = False
        self.heard = time.monotonic()
        self._reader = reader
        self._patience = patience

    async def message(self, limits: Limits) -> Message:
        """The next message, waited for as long as it takes until it begins to arrive.

        Raises `WireError`, `OSError`, `EOFError` if the client is gone, and `TimeoutError` if its frame stops arriving.
        """
        first = await self._exactly(1)
        self.is_within_frame = True
        try:
            async with asyncio.timeout(self._patience.silence) as limit:
                header = frames.parse_header(bytes(first + await self._exactly(frames.HEADER.size - 1)), limits)
                seconds = (header.message + header.payload) / (1 << 20) * self._patience.per_mebibyte
                limit.reschedule(asyncio.get_running_loop().time() + self._patience.silence + seconds)
                return await self._body(header)
        except TimeoutError:
            raise TimeoutError("its frame stopped arriving") from None
        finally:
            self.is_within_frame = False

    async def until_closed(self) -> None:
        """Pass over everything until the client closes its side."""
        while await self._reader.read(CHUNK_BYTES):
            pass

    async def _body(self, header: frames.Header) -> Message:
        document, specs = frames.parse_document(await self._exactly(header.message), header)
        messages.check_arrays(messages.TO_BACKEND, document, specs)
        payload = await self._exactly(header.payload)
        return messages.decode(messages.TO_BACKEND, document, frames.split_payload(specs, payload))

    async def _exactly(self, count: int) -> bytearray:
        """`count` bytes, in memory that grows as they arrive."""
        data = bytearray()
        while len(data) < count:
            async with asyncio.timeout(self._patience.silence if self.is_within_frame else None):
                piece = await self._reader.read(min(count - len(data), CHUNK_BYTES))
            if not piece:
                raise EOFError("the client closed the connection")
            data += piece
            self.heard = time.monotonic()
        return data
