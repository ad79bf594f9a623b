# SPDX-License-Identifier: GPL-3.0-or-later
"""Several clients at once, slow ones, vanishing ones, and those who break the rules of docs/wire.md."""

import json
import socket
import struct

import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.wire import frames, messages
from backend.wire.client import Client, Closed
from backend.wire.messages import Capabilities, Failure, Progress, Queued, Request, Result, Status
from tests.backend.process import (
    ENDLESS,
    SECONDS,
    SERVE_PATIENT,
    TOKEN,
    Backend,
    Conversation,
    Stranger,
    begin,
    frame,
    mesh_of,
    patient,
    wait_until_idle,
)

MEBIBYTE = 1 << 20
REAL_SOCKETS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


# --- several clients --------------------------------------------------------------------------------------------------


def test_two_clients_may_use_one_name(backend: Backend, client: Conversation) -> None:
    with backend.client() as other:
        begin(client, "one")
        for seed in (1, 2):
            other.send(patient("one" if seed == 1 else "two", seed=seed))
        assert other.next(Queued, "one").position == 1
        other.send(messages.Cancel("long"))
        client.send(messages.Cancel("one"))
        assert isinstance(client.end_of("one"), Failure)
        for seed, name in ((1, "one"), (2, "two")):
            result = other.end_of(name)
            assert isinstance(result, Result)
            assert result.seed == seed


def test_interleaved_jobs_of_one_name_reach_their_owners(backend: Backend, client: Conversation) -> None:
    with backend.client() as other:
        for number in range(6):
            client.send(patient(f"job {number}", seed=number, steps=3))
            other.send(patient(f"job {number}", seed=100 + number, steps=3))
        for number in range(6):
            results = client.end_of(f"job {number}"), other.end_of(f"job {number}")
            assert [result.seed for result in results if isinstance(result, Result)] == [number, 100 + number]


def test_the_jobs_of_a_client_that_vanishes_are_cancelled(backend: Backend, client: Conversation) -> None:
    with backend.client() as vanishing:
        begin(vanishing, "endless")
        vanishing.send(patient("endless too", steps=ENDLESS))
        vanishing.next(Queued, "endless too")
        client.send(patient("mine"))
        assert client.next(Queued, "mine").position == 2
    assert isinstance(client.end_of("mine"), Result)
    client.send(messages.GetStatus())
    status = client.next(Status)
    assert (status.running, status.queued) == ("", 0)


def test_a_client_that_resets_in_mid_frame_is_forgotten(backend: Backend, client: Conversation) -> None:
    with backend.stranger() as vanishing:
        vanishing.greet()
        vanishing.send(patient("endless", steps=ENDLESS))
        vanishing.next(Progress)
        vanishing.send_bytes(b"".join(messages.encode(patient("cut short")))[:-5])
        vanishing.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by a reset
    client.send(patient("mine"))
    assert isinstance(client.end_of("mine"), Result)


def test_a_slow_reader_does_not_delay_other_clients(backend: Backend, client: Conversation) -> None:
    with backend.stranger() as slow:
        slow.greet()
        slow.send(patient("large", rows=3_000_000))  # 96 MB, more than the sockets' buffers
        slow.next(Queued)
        wait_until_idle(client)
        client.send(patient("mine", seed=3))
        assert isinstance(client.end_of("mine"), Result)
        assert mesh_of(slow.next(Result)).vertices.shape == (3_000_000, 3)


def test_progress_that_was_not_read_is_replaced(backend: Backend, client: Conversation) -> None:
    with backend.stranger() as slow:
        slow.greet()
        slow.send(patient("large", seed=1, rows=3_000_000))
        slow.send(patient("long", seed=2, steps=150))
        slow.next(Queued, "long")
        wait_until_idle(client)  # the result of "long" waits behind that of "large"
        slow.next(Result)
        behind: list[Progress] = []
        while not isinstance(message := slow.receive(), Result):
            if isinstance(message, Progress):
                behind.append(message)
        assert len(behind) <= 2  # one may have been on its way; 1.5 s of steps make 30


def test_a_client_that_asks_and_reads_nothing_is_disconnected(backend: Backend, client: Conversation) -> None:
    question = b"".join(messages.encode(messages.GetStatus()))
    with backend.stranger() as deaf:
        deaf.greet()
        with pytest.raises(ConnectionError):
            ask_for_ever(deaf, question)
    client.send(messages.GetStatus())
    client.next(Status)


def ask_for_ever(stranger: Stranger, question: bytes) -> None:
    while True:
        stranger.socket.sendall(question * 1000)


def test_a_client_that_asks_too_often_for_what_has_to_wait_is_disconnected(
    backend: Backend, client: Conversation
) -> None:
    begin(client, "long")
    with backend.client() as other, backend.stranger() as impatient:
        other.send(*[messages.Unload()] * 1000)
        impatient.greet()
        with pytest.raises(ConnectionError):
            ask_for_ever(impatient, b"".join(messages.encode(messages.Unload())))
        client.send(messages.Cancel("long"))
        for _ in range(1000):
            other.next(Status)


def test_many_requests_for_the_status_at_once_are_all_answered(client: Conversation) -> None:
    client.send(*[messages.GetStatus()] * 5000)
    for _ in range(5000):
        client.next(Status)


def test_a_client_that_takes_nothing_is_disconnected() -> None:
    with Backend((*SERVE_PATIENT, "--hasty")) as hasty, hasty.client() as client, hasty.stranger() as deaf:
        deaf.greet()
        deaf.send(patient("large", rows=3_000_000))
        deaf.send(patient("endless", steps=ENDLESS))
        deaf.next(Queued, "endless")
        wait_until_idle(client)  # the endless job was cancelled when its client was given up
        with pytest.raises(EOFError):
            deaf.next(Result)


# --- those who break the rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"HTTP/1.1 200 OK, this is not a frame", "bad-frame"),
        (frame(b"[]"), "bad-frame"),
        (frame(b'{"type":"status","n":NaN}'), "bad-frame"),
        (frame(b'{"type":"status"}', b"x"), "bad-frame"),
        (b"H3DG" + struct.pack("<HHIQ", frames.PROTOCOL, 0, MEBIBYTE + 1, 0), "bad-frame"),
        (b"H3DG" + struct.pack("<HHIQ", frames.PROTOCOL, 0, 20, 512 * MEBIBYTE + 1), "bad-frame"),
        (b"H3DG" + struct.pack("<HHIQ", frames.PROTOCOL, 1, 20, 0), "bad-frame"),
        (frame(b'{"type":"quit"}'), "bad-message"),
        (frame(b'{"type":"cancel"}'), "bad-message"),
        (frame(b'{"type":"cancel","job":1}'), "bad-message"),
        (frame(b'{"type":"status","job":"x"}'), "bad-message"),
        (frame(b'{"type":"status","' + b"x" * (MEBIBYTE - 30) + b'":"x"}'), "bad-message"),
        (frame(b'{"type":"request","job":"x","engine":"draft","seed":0}'), "bad-message"),
        (frame(b"".join(messages.encode(messages.Hello(TOKEN, "again")))[20:]), "bad-message"),
        (
            b"".join(messages.encode(Request("x", "patient", 0, {"picture": np.zeros((0, 5, 4), np.uint8)}))),
            "bad-message",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:40]),
)
def test_a_client_that_breaks_the_rules_gets_a_failure_and_is_closed(
    backend: Backend, client: Conversation, data: bytes, code: str
) -> None:
    with backend.stranger() as stranger:
        stranger.greet()
        assert isinstance(stranger.receive(), Capabilities)
        stranger.send_bytes(data)
        answer = stranger.receive()
        assert isinstance(answer, Failure)
        assert (answer.job, answer.code) == ("", code)
        assert stranger.receive() is None
    client.send(messages.GetStatus())
    client.next(Status)


def test_a_client_that_breaks_the_rules_loses_its_jobs(backend: Backend, client: Conversation) -> None:
    with backend.stranger() as stranger:
        stranger.greet()
        stranger.send(patient("endless", steps=ENDLESS))
        stranger.next(Progress)
        stranger.send_bytes(frame(b'{"type":"quit"}'))
        client.send(patient("mine"))
        assert isinstance(client.end_of("mine"), Result)
        last = list(stranger.all())[-1]
        assert isinstance(last, Failure)
        assert last.code == "bad-message"


def test_a_refusal_comes_after_the_frame_that_is_being_sent(backend: Backend, client: Conversation) -> None:
    with backend.stranger() as stranger:
        stranger.greet()
        stranger.send(patient("large", seed=8, rows=3_000_000))
        stranger.next(Queued)
        wait_until_idle(client)
        stranger.send_bytes(frame(b'{"type":"quit"}'))
        heard = list(stranger.all())
        assert isinstance(heard[-1], Failure)
        assert heard[-1].code == "bad-message"


@REAL_SOCKETS
@given(data=st.binary(max_size=200), greeted=st.booleans())
def test_random_bytes_do_not_disturb_other_clients(
    backend: Backend,
    client: Conversation,
    data: bytes,
    greeted: bool,  # noqa: FBT001
) -> None:
    with backend.stranger() as stranger:
        if greeted:
            stranger.greet()
        stranger.send_bytes(data)
    client.send(messages.GetStatus())
    client.next(Status)


@REAL_SOCKETS
@given(st.data())
def test_mutated_frames_do_not_disturb_other_clients(
    backend: Backend, client: Conversation, data: st.DataObject
) -> None:
    good = bytearray(
        b"".join(
            messages.encode(data.draw(st.sampled_from([patient("x"), messages.Cancel("x"), messages.GetStatus()])))
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(good) - 1))
        match data.draw(st.sampled_from(["change", "drop", "add", "cut"])):
            case "change":
                good[place] = data.draw(st.integers(0, 255))
            case "drop" if len(good) > 1:
                del good[place]
            case "add":
                good[place:place] = data.draw(st.binary(min_size=1, max_size=4))
            case _:
                good = good[: place + 1]
    with backend.stranger() as stranger:
        stranger.greet()
        assert isinstance(stranger.receive(), Capabilities)
        stranger.send_bytes(bytes(good))
    client.send(messages.GetStatus())
    client.next(Status)


def test_memory_grows_with_what_has_arrived(backend: Backend, client: Conversation) -> None:
    process = psutil.Process(backend.process.pid)
    side = 8192
    arrays = [
        {"name": name, "dtype": "uint8", "shape": [side, side, 4]}
        for name in ("inputs.picture", "inputs.own_normal_map")
    ]
    data = json.dumps({"type": "request", "job": "x", "engine": "patient", "seed": 0, "arrays": arrays}).encode()
    before = process.memory_info().rss
    strangers: list[Stranger] = []
    for _ in range(5):
        stranger = backend.stranger()
        strangers.append(stranger)
        stranger.greet()
        assert isinstance(stranger.receive(), Capabilities)
        stranger.send_bytes(frame(data, bytes(4 * MEBIBYTE), announced=512 * MEBIBYTE))
    client.send(patient("mine"))
    assert isinstance(client.end_of("mine"), Result)
    grown = process.memory_info().rss - before
    for stranger in strangers:
        stranger.close()
    assert grown < 5 * 4 * 4 * MEBIBYTE + 64 * MEBIBYTE


def test_the_products_client_reports_the_end_of_the_connection(backend: Backend) -> None:
    client = backend.client()
    client.send(patient("endless", steps=ENDLESS))
    client.next(Progress)
    client.close()
    client.send(messages.GetStatus())  # is dropped
    while not isinstance(message := client.receive(), Closed):
        assert message
    assert message.reason


def test_a_message_that_the_wire_cannot_carry_is_refused_before_it_is_sent(client: Conversation) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        client.send(messages.Cancel("\ud800"))
    with pytest.raises(ValueError, match="JSON"):
        client.send(patient("x", steps=float("nan")))
    client.send(messages.GetStatus())
    client.next(Status)


def test_what_is_sent_after_the_end_is_dropped() -> None:
    with Backend() as backend:
        client = Client(backend.port, TOKEN, "late")
        client.send(messages.Shutdown())
        while not isinstance(client.inbox.get(timeout=SECONDS), Closed):
            pass
        backend.process.wait(SECONDS)
        for _ in range(100):
            client.send(messages.GetStatus())
        kept = client._outbox.qsize()  # pyright: ignore[reportPrivateUsage]
        assert kept <= 2, "only what the end itself has put there"
        client.close()
