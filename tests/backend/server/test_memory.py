# SPDX-License-Identifier: GPL-3.0-or-later
"""After `unload` the process is as large as it was when it was fresh, however many jobs there were."""

import sys

import numpy as np
import psutil
import pytest

from backend.flow.products import Picture
from backend.wire import messages
from backend.wire.messages import Request, Result, Status
from tests.backend.process import SERVE, Backend, Conversation

MEBIBYTE = 1 << 20
LIBRARIES = 16  # of numpy's libraries: their code that has run now, and the buffers that BLAS keeps
SIDE = 800


def ball(number: int) -> Picture:
    """A disk of a size of its own."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    picture = np.zeros((SIDE, SIDE, 4), np.uint8)
    picture[np.hypot(rows - SIDE / 2, columns - SIDE / 2) < SIDE * (0.25 + 0.02 * number)] = (200, 120, 40, 255)
    return picture


def run(client: Conversation, number: int) -> None:
    client.send(
        Request(str(number), "draft", number, {"picture": ball(number)}, {"resolution": 256 + 64 * (number % 5)})
    )
    assert isinstance(client.end_of(str(number)), Result)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep free memory in ways of their own")
def test_unload_gives_the_memory_of_many_jobs_back_to_the_system() -> None:
    with Backend(SERVE) as backend, backend.client() as client:

        def megabytes() -> float:
            return psutil.Process(backend.process.pid).memory_info().rss / MEBIBYTE

        def unloaded() -> float:
            client.send(messages.Unload())
            client.next(Status)
            return megabytes()

        fresh = megabytes()
        for number in range(5):
            run(client, number)
        assert megabytes() > fresh + 50, "the jobs left nothing that could be given back"
        assert unloaded() < fresh + LIBRARIES
        run(client, 5)  # the networks are read again


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep free memory in ways of their own")
def test_a_large_request_and_its_result_are_not_kept_until_the_next_one() -> None:
    with Backend() as backend, backend.client() as client:

        def megabytes() -> float:
            client.send(messages.Unload())
            client.next(Status)
            return psutil.Process(backend.process.pid).memory_info().rss / MEBIBYTE

        pixel, large = np.zeros((1, 1, 4), np.uint8), np.zeros((4096, 4096, 4), np.uint8)
        client.send(Request("small", "patient", 0, {"picture": pixel}))
        client.end_of("small")
        first = megabytes()
        client.send(Request("large", "patient", 0, {"picture": large}, {"rows": 2_000_000}))
        assert isinstance(client.end_of("large"), Result)
        assert megabytes() < first + 25
