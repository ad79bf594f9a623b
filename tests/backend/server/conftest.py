# SPDX-License-Identifier: GPL-3.0-or-later
"""One real backend process for a module, and a client that finds it idle."""

from collections.abc import Iterator

import pytest

from tests.backend.process import Backend, Conversation, wait_until_idle


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with Backend() as running:
        yield running
        assert running.process.poll() is None
        log = running.log()
        assert log.count("Traceback") == log.count("\n    ZeroDivisionError\n"), log[
            -5000:
        ]  # the one that a test asks for


@pytest.fixture
def client(backend: Backend) -> Iterator[Conversation]:
    with backend.client() as client:
        wait_until_idle(client)  # the last test's jobs may still be ending
        yield client
