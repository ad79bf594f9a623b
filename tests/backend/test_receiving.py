# SPDX-License-Identifier: GPL-3.0-or-later
"""A frame that has begun must keep arriving; between frames a client may be silent."""

import asyncio
import math
from collections.abc import AsyncIterator

import numpy as np
import pytest

from backend.receiving import Patience, Receiver
from backend.wire import frames, messages
from backend.wire.messages import GetStatus, Message, Request

HASTY = Patience(silence=1.0, per_mebibyte=2.0)
FRAME = b"".join(messages.encode(Request("x", "draft", 0, {"picture": np.zeros((100, 100, 4), np.uint8)})))


async def received(pieces: AsyncIterator[bytes], patience: Patience = HASTY) -> Message:
    """The message of the pieces that come over a real socket, at the pace at which they come."""
    done = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            done.set_result(await Receiver(reader, patience).message(frames.TO_BACKEND))
        except (OSError, EOFError, TimeoutError) as error:
            done.set_exception(error)
        writer.close()

    async def send(writer: asyncio.StreamWriter) -> None:
        async for piece in pieces:
            writer.write(piece)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        _, writer = await asyncio.open_connection(*listener.sockets[0].getsockname()[:2])
        sending = asyncio.create_task(send(writer))
        try:
            return await done
        finally:
            sending.cancel()
            writer.close()


async def paced(data: bytes, pieces: int, pause: float) -> AsyncIterator[bytes]:
    length = math.ceil(len(data) / pieces)
    for start in range(0, len(data), length):
        yield data[start : start + length]
        await asyncio.sleep(pause)


def test_a_client_may_be_silent_before_its_frame() -> None:
    async def late() -> AsyncIterator[bytes]:
        await asyncio.sleep(2 * HASTY.silence)
        yield b"".join(messages.encode(GetStatus()))

    assert asyncio.run(received(late())) == GetStatus()


@pytest.mark.parametrize("end", [1, 19, 20, 21, 100, len(FRAME) - 1])
def test_a_frame_that_stops_is_given_up(end: int) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield FRAME[:end]

    with pytest.raises(TimeoutError, match="stopped arriving"):
        asyncio.run(received(half()))


def test_a_frame_that_trickles_is_given_up_although_it_never_stops() -> None:
    trickle = paced(FRAME, len(FRAME) // 10, 0.02)
    with pytest.raises(TimeoutError, match="stopped arriving"):
        asyncio.run(received(trickle))


def test_a_large_frame_has_more_time_than_a_small_one() -> None:
    large = b"".join(messages.encode(Request("x", "draft", 0, {"picture": np.zeros((2048, 2048, 4), np.uint8)})))
    assert isinstance(asyncio.run(received(paced(large, 8, 0.3))), Request)


def test_a_client_that_leaves_within_a_frame_is_gone_at_once() -> None:
    async def receive() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(FRAME[:50])
        reader.feed_eof()
        await Receiver(reader, Patience(silence=1e6)).message(frames.TO_BACKEND)

    with pytest.raises(EOFError):
        asyncio.run(receive())
