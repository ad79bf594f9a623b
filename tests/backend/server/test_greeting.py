# SPDX-License-Identifier: GPL-3.0-or-later
"""The greeting and the places of clients, as docs/wire.md describes them, over real sockets to a real process."""

import contextlib
import struct
from dataclasses import replace

import pytest

from backend.engines import ENGINES
from backend.version import VERSION
from backend.wire import messages
from backend.wire.client import Closed
from backend.wire.messages import Capabilities, Failure, Queued, Result, Status
from tests.backend.process import (
    ENDLESS,
    SERVE_PATIENT,
    TOKEN,
    Backend,
    Conversation,
    begin,
    frame,
    patient,
)


def test_the_answer_to_the_greeting_describes_the_engines(client: Conversation) -> None:
    assert client.capabilities.version == VERSION
    engines = {engine.name: engine for engine in client.capabilities.engines}
    assert set(engines) == {*ENGINES, "patient", "absent"}
    assert engines["draft"].uses_seed
    assert not engines["draft"].missing
    assert engines["absent"].missing
    assert "resolution" in [setting.name for setting in engines["draft"].settings]


def test_an_engine_that_cannot_be_asked_is_missing_and_costs_the_others_nothing() -> None:
    with Backend((*SERVE_PATIENT, "--odd")) as backend, backend.client() as client:
        missing = {engine.name: engine.missing for engine in client.capabilities.engines}
        assert missing["draft"] == missing["patient"] == ""
        assert missing["bug"].endswith(".")
        assert missing["damaged"] == "The record is damaged. Delete it."
        assert missing["path"] == "There is nothing in “/home/gr?n”."
        assert "unknown product" not in missing
        assert "the engine unknown product cannot be described\n    Traceback" in backend.log()
        client.send(replace(patient("x"), engine="bug"), replace(patient("y"), engine="path"), patient("z"))
        for job, sentence in (("x", "The log"), ("y", "gr?n")):
            failure = client.end_of(job)
            assert isinstance(failure, Failure)
            assert failure.code == "engine-missing"
            assert sentence in failure.sentence
        assert isinstance(client.end_of("z"), Result)


@pytest.mark.parametrize("token", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\N{SNOWMAN}" * 32, "x" * 3000])
def test_a_wrong_token_is_closed_without_an_answer(backend: Backend, token: str) -> None:
    with backend.stranger() as stranger:
        stranger.greet(token)
        assert stranger.receive() is None


@pytest.mark.parametrize(
    "data",
    [
        frame(b'{"type":"status"}'),
        frame(b'{"type":"hello"}'),
        frame(b'{"type":"hello","token":1,"client":"x"}'),
        frame(b'{"type":"hello","token":"\\ud800","client":"x"}'),
        frame(b"[]"),
        frame(b"{" + b" " * 4094 + b"}"),
        frame(b'{"type":"hello"}', b"x"),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=lambda data: repr(data[:40]),
)
def test_a_wrong_greeting_is_closed_without_an_answer(backend: Backend, data: bytes) -> None:
    with backend.stranger() as stranger:
        stranger.send_bytes(data)
        assert stranger.receive() is None


def test_a_payload_before_the_greeting_is_refused_unread(backend: Backend) -> None:
    hello = f'{{"type":"hello","token":"{TOKEN}","client":"x","arrays":[{{"name":"a","dtype":"uint8","shape":[5]}}]}}'
    with backend.stranger() as stranger:
        stranger.send_bytes(frame(hello.encode(), announced=5))
        assert stranger.receive() is None


@pytest.mark.parametrize("greeted", [False, True])
def test_another_version_gets_a_failure(backend: Backend, greeted: bool) -> None:  # noqa: FBT001 - a test's parameter
    with backend.stranger() as stranger:
        if greeted:
            stranger.greet()
            assert isinstance(stranger.receive(), Capabilities)
        stranger.send_bytes(b"H3DG" + struct.pack("<HHIQ", 1, 77, 2**32 - 1, 2**64 - 1))
        answer = stranger.receive()
        assert isinstance(answer, Failure)
        assert (answer.job, answer.code) == ("", "wrong-version")
        assert answer.sentence
        assert answer.advice
        assert stranger.receive() is None


def test_a_connection_that_does_not_greet_is_closed_after_a_while(backend: Backend, client: Conversation) -> None:
    whole = b"".join(messages.encode(messages.Hello(TOKEN, "x")))
    strangers = [backend.stranger() for _ in range(3)]
    for stranger, part in zip(strangers, (0, 10, len(whole) - 1), strict=True):
        stranger.send_bytes(whole[:part])
    for stranger in strangers:
        assert stranger.receive() is None
        stranger.close()
    client.send(messages.GetStatus())
    client.next(Status)


def test_a_ninth_client_takes_the_place_of_the_one_that_was_silent_the_longest(backend: Backend) -> None:
    with contextlib.ExitStack() as stack:
        first, second, *others = [stack.enter_context(backend.client()) for _ in range(8)]
        for client in (first, *others):
            client.send(messages.GetStatus())
            client.next(Status)
        begin(first, "long")
        ninth = stack.enter_context(backend.client())
        assert isinstance(second.receive(), Closed)
        tenth = stack.enter_context(backend.client())  # `first` was silent for longer, but it has a job
        assert isinstance(others[0].receive(), Closed)
        for client in (first, *others[1:], ninth, tenth):
            client.send(messages.GetStatus())
            client.next(Status)
        first.send(messages.Cancel("long"))
        first.end_of("long")


def test_clients_that_stop_within_a_frame_do_not_lock_others_out(backend: Backend) -> None:
    half = b"".join(messages.encode(patient("x")))[:-5]
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            stranger = stack.enter_context(backend.stranger())
            stranger.greet()
            assert isinstance(stranger.receive(), Capabilities)
            stranger.send_bytes(half)
        for _ in range(8):
            client = stack.enter_context(backend.client())
            client.send(messages.GetStatus())
            client.next(Status)


def test_eight_clients_with_jobs_are_served_and_a_ninth_is_closed(backend: Backend) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(backend.client()) for _ in range(8)]
        for number, client in enumerate(clients):
            client.send(patient(f"job {number}", steps=ENDLESS))
            client.next(Queued)
        with backend.stranger() as ninth:
            ninth.greet()
            assert ninth.receive() is None
        for client in clients:
            client.send(messages.GetStatus())
            client.next(Status)


def test_strangers_do_not_take_the_places_of_clients(backend: Backend) -> None:
    strangers = [backend.stranger() for _ in range(40)]
    clients = [backend.client() for _ in range(8)]
    for client in clients:
        client.send(messages.GetStatus())
        client.next(Status)
        client.close()
    for stranger in strangers:
        stranger.close()


def test_a_seventeenth_stranger_takes_the_place_of_the_oldest(backend: Backend) -> None:
    strangers = [backend.stranger() for _ in range(17)]
    assert strangers[0].receive() is None
    strangers[1].greet()
    assert isinstance(strangers[1].receive(), Capabilities)
    for stranger in strangers:
        stranger.close()
