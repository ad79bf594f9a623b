# SPDX-License-Identifier: GPL-3.0-or-later
"""The server, as docs/wire.md describes it: a real process, real sockets, and clients of every kind."""

import json
import socket
import struct
import time
from collections.abc import Iterator

import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.version import VERSION
from backend.wire import messages
from backend.wire.client import Closed
from backend.wire.messages import Capabilities, Failure, Generate, Preview, Progress, Queued, Result, Status
from tests.backend.process import ENDLESS, TOKEN, Backend, Stranger, Talk, patient

MEBIBYTE = 1 << 20
REAL_SOCKETS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with Backend() as running:
        yield running
        assert running.process.poll() is None
        log = running.log()
        assert log.count("Traceback") == log.count("\nZeroDivisionError\n"), log[-5000:]  # the one that a test asks for


@pytest.fixture
def client(backend: Backend) -> Iterator[Talk]:
    with backend.client() as talk:
        wait_until_idle(talk)  # the last test's jobs may still be ending
        yield talk


def wait_until_idle(talk: Talk) -> None:
    """Return when no job runs or waits."""
    while True:
        talk.say(messages.GetStatus())
        status = talk.next(Status)
        if not status.running and not status.queued:
            return
        time.sleep(0.02)


def frame(message: bytes, payload: bytes = b"", *, announced: int | None = None) -> bytes:
    """A frame by the page's table, also one that lies about its payload."""
    length = len(payload) if announced is None else announced
    return b"H3DG" + struct.pack("<HHIQ", 1, 0, len(message), length) + message + payload


def begin(talk: Talk, job: str) -> None:
    """Start a job that only a cancellation ends, and wait until it runs."""
    talk.say(patient(job, steps=ENDLESS))
    talk.next(Progress, job)


# --- the greeting -----------------------------------------------------------------------------------------------------


def test_the_answer_to_the_greeting_says_what_the_engines_can_do(client: Talk) -> None:
    assert client.capabilities.version == VERSION
    engines = {engine.name: engine for engine in client.capabilities.engines}
    assert set(engines) == {"draft", "patient", "absent"}
    assert engines["draft"].uses_seed
    assert not engines["draft"].missing
    assert engines["absent"].missing
    assert "resolution" in [setting.name for setting in engines["draft"].settings]


@pytest.mark.parametrize("token", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\N{SNOWMAN}" * 32, "x" * 3000])
def test_a_wrong_token_is_answered_by_silence(backend: Backend, token: str) -> None:
    with backend.stranger() as stranger:
        stranger.greet(token)
        assert stranger.hear() is None


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
def test_a_wrong_greeting_is_answered_by_silence(backend: Backend, data: bytes) -> None:
    with backend.stranger() as stranger:
        stranger.send(data)
        assert stranger.hear() is None


def test_a_payload_before_the_greeting_is_refused_unread(backend: Backend) -> None:
    hello = f'{{"type":"hello","token":"{TOKEN}","client":"x","arrays":[{{"name":"a","dtype":"uint8","shape":[5]}}]}}'
    with backend.stranger() as stranger:
        stranger.send(frame(hello.encode(), announced=5))
        assert stranger.hear() is None


@pytest.mark.parametrize("greeted", [False, True])
def test_another_version_is_told_so(backend: Backend, greeted: bool) -> None:  # noqa: FBT001 - a test's parameter
    with backend.stranger() as stranger:
        if greeted:
            stranger.greet()
            assert isinstance(stranger.hear(), Capabilities)
        stranger.send(b"H3DG" + struct.pack("<HHIQ", 2, 77, 2**32 - 1, 2**64 - 1))
        answer = stranger.hear()
        assert isinstance(answer, Failure)
        assert (answer.job, answer.code) == ("", "wrong-version")
        assert answer.sentence
        assert answer.advice
        assert stranger.hear() is None


def test_who_does_not_greet_is_closed_after_a_while(backend: Backend, client: Talk) -> None:
    whole = b"".join(messages.encode(messages.Hello(TOKEN, "x")))
    strangers = [backend.stranger() for _ in range(3)]
    for stranger, part in zip(strangers, (0, 10, len(whole) - 1), strict=True):
        stranger.send(whole[:part])
    for stranger in strangers:
        assert stranger.hear() is None
        stranger.close()
    client.say(messages.GetStatus())
    client.next(Status)


def test_eight_are_served_and_the_ninth_is_closed(backend: Backend) -> None:
    talks = [backend.client() for _ in range(8)]
    with backend.stranger() as ninth:
        ninth.greet()
        assert ninth.hear() is None
    for talk in talks:
        talk.say(messages.GetStatus())
        talk.next(Status)
    talks.pop().close()
    with backend.client() as talk:
        talk.say(messages.GetStatus())
        talk.next(Status)
    for talk in talks:
        talk.close()


def test_strangers_do_not_take_the_places_of_clients(backend: Backend) -> None:
    strangers = [backend.stranger() for _ in range(40)]
    talks = [backend.client() for _ in range(8)]
    for talk in talks:
        talk.say(messages.GetStatus())
        talk.next(Status)
        talk.close()
    for stranger in strangers:
        stranger.close()


def test_a_seventeenth_stranger_takes_the_place_of_the_oldest(backend: Backend) -> None:
    strangers = [backend.stranger() for _ in range(17)]
    assert strangers[0].hear() is None
    strangers[1].greet()
    assert isinstance(strangers[1].hear(), Capabilities)
    for stranger in strangers:
        stranger.close()


# --- jobs -------------------------------------------------------------------------------------------------------------


def test_a_job_tells_its_place_its_steps_and_its_result(client: Talk) -> None:
    client.say(patient("one", seed=5, steps=30))
    *before, last = client.until_end_of("one")
    assert isinstance(before[0], Queued)
    assert before[0].position == 0
    progress = [message for message in before if isinstance(message, Progress)]
    assert {"geometry"} <= {item.stage for item in progress} <= {"foreground", "normals", "geometry", "finish"}
    assert all(item.stage_count == 4 and 0 <= item.step <= item.of for item in progress)
    assert [item.stage_index for item in progress] == sorted(item.stage_index for item in progress)
    previews = [message for message in before if isinstance(message, Preview)]
    assert [preview.kind for preview in previews] == ["cutout", "normals"]
    assert all(max(preview.pixels.shape[:2]) <= 256 for preview in previews)
    assert isinstance(last, Result)
    assert last.seed == 5
    assert last.vertices.tolist() == [[5.0] * 3] * 3
    assert set(last.seconds) == {"foreground", "normals", "geometry", "finish"}
    assert last.normal_map[:8].tobytes() == b"\x89PNG\r\n\x1a\n"
    assert last.recipe["engine"] == "patient"


def test_the_time_left_is_null_until_it_was_measured(client: Talk) -> None:
    client.say(messages.Unload(), patient("first", seed=11, steps=31))
    first = [item for item in client.until_end_of("first") if isinstance(item, Progress)]
    assert first[0].eta_seconds is None
    client.say(messages.Unload(), patient("second", seed=12, steps=31))
    second = [item for item in client.until_end_of("second") if isinstance(item, Progress)]
    assert all(item.eta_seconds is not None and item.eta_seconds >= 0 for item in second)
    assert (second[0].eta_seconds or 0.0) > 0.2  # 31 steps of 10 ms are ahead


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (patient("x", fail=1), "no-patience"),
        (patient("x", fail=2), "out-of-memory"),
        (patient("x", fail=3), "internal"),
        (patient("x", fail=4), "bad-setting"),
        (patient("x", steps=-1), "bad-setting"),
        (patient("x", steps=1.5), "bad-setting"),
        (patient("x", steps=True), "bad-setting"),
        (patient("x", steps=10**4000), "bad-setting"),
        (patient("x", colour=1), "bad-setting"),
        (patient("x", **{"c" * 1_000_000: 1}), "bad-setting"),
        (Generate("x", "patient", 0, np.zeros((1, 1, 4), np.uint8), {"steps": "many"}), "bad-setting"),
        (Generate("x", "patient", 0, np.zeros((1, 1, 4), np.uint8), {"steps": "\u200b" * 300_000}), "bad-setting"),
        (Generate("x", "nobody", 0, np.zeros((1, 1, 4), np.uint8)), "unknown-engine"),
        (Generate("x", "\x01" * 170_000, 0, np.zeros((1, 1, 4), np.uint8)), "unknown-engine"),
        (Generate("x", "absent", 0, np.zeros((1, 1, 4), np.uint8)), "engine-missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_job_that_cannot_be_done_fails_with_a_sentence(client: Talk, job: Generate, code: str) -> None:
    client.say(job)
    failure = client.end_of("x")
    assert isinstance(failure, Failure)
    assert failure.code == code
    for sentence in (failure.sentence, failure.advice):
        assert sentence.endswith((".", "!")) or code in ("bad-setting", "unknown-engine")
        assert 5 < len(sentence) < 300
    client.say(patient("x"))
    assert isinstance(client.end_of("x"), Result)


def test_a_running_job_is_cancelled(client: Talk) -> None:
    begin(client, "long")
    client.say(messages.Cancel("long"))
    failure = client.end_of("long")
    assert isinstance(failure, Failure)
    assert failure.code == "cancelled"


def test_a_waiting_job_is_cancelled_and_the_others_are_not(client: Talk) -> None:
    begin(client, "long")
    client.say(patient("second"), patient("third"))
    assert client.next(Queued, "second").position == 1
    assert client.next(Queued, "third").position == 2
    client.say(messages.Cancel("second"), messages.GetStatus())
    failure = client.end_of("second")
    assert isinstance(failure, Failure)
    assert failure.code == "cancelled"
    status = client.next(Status)
    assert (status.running, status.queued) == ("long", 1)
    client.say(messages.Cancel("long"))
    assert isinstance(client.end_of("third"), Result)


def test_cancelling_what_has_ended_or_never_was_is_no_error(client: Talk) -> None:
    client.say(patient("done"))
    assert isinstance(client.end_of("done"), Result)
    client.say(messages.Cancel("done"), messages.Cancel("never"), messages.Cancel(""), patient("next"))
    assert isinstance(client.next(Queued), Queued)
    assert isinstance(client.end_of("next"), Result)


def test_a_name_is_taken_while_its_job_runs(client: Talk) -> None:
    begin(client, "one")
    client.say(patient("one", seed=2))
    refusal = client.next(Failure)
    assert (refusal.job, refusal.code) == ("", "duplicate-job")
    client.say(messages.Cancel("one"))
    assert isinstance(client.end_of("one"), Failure)
    client.say(patient("one", seed=3))
    assert isinstance(client.end_of("one"), Result)


def test_seventeen_jobs_do_not_wait(client: Talk) -> None:
    begin(client, "long")
    names = [f"job {number}" for number in range(17)]
    client.say(*(patient(name) for name in names))
    failure = client.end_of(names[-1])
    assert isinstance(failure, Failure)
    assert failure.code == "queue-full"
    client.say(messages.Cancel("long"))
    assert all(isinstance(client.end_of(name), Result) for name in names[:-1])


def test_status_counts_and_unload_forgets(client: Talk) -> None:
    client.say(patient("one", rows=20_000))
    client.end_of("one")
    client.say(messages.GetStatus())
    status = client.next(Status)
    assert (status.version, status.queued, status.running) == (VERSION, 0, "")
    assert status.cached_bytes > 20_000 * 3 * 4
    assert status.uptime_seconds > 0
    client.say(messages.Unload())
    assert client.next(Status).cached_bytes == 0


def test_unload_waits_for_the_job_that_runs(client: Talk) -> None:
    begin(client, "long")
    client.say(messages.Unload(), messages.Cancel("long"))
    assert isinstance(client.end_of("long"), Failure)
    assert client.next(Status).cached_bytes == 0


# --- several clients --------------------------------------------------------------------------------------------------


def test_two_clients_may_use_one_name(backend: Backend, client: Talk) -> None:
    with backend.client() as other:
        begin(client, "one")
        for seed in (1, 2):
            other.say(patient("one" if seed == 1 else "two", seed=seed))
        assert other.next(Queued, "one").position == 1
        other.say(messages.Cancel("long"))
        client.say(messages.Cancel("one"))
        assert isinstance(client.end_of("one"), Failure)
        for seed, name in ((1, "one"), (2, "two")):
            result = other.end_of(name)
            assert isinstance(result, Result)
            assert result.seed == seed


def test_interleaved_jobs_of_one_name_reach_their_owners(backend: Backend, client: Talk) -> None:
    with backend.client() as other:
        for number in range(6):
            client.say(patient(f"job {number}", seed=number, steps=3))
            other.say(patient(f"job {number}", seed=100 + number, steps=3))
        for number in range(6):
            results = client.end_of(f"job {number}"), other.end_of(f"job {number}")
            assert [result.seed for result in results if isinstance(result, Result)] == [number, 100 + number]


def test_the_jobs_of_a_client_that_vanishes_are_cancelled(backend: Backend, client: Talk) -> None:
    with backend.client() as vanishing:
        begin(vanishing, "endless")
        vanishing.say(patient("endless too", steps=ENDLESS))
        vanishing.next(Queued, "endless too")
        client.say(patient("mine"))
        assert client.next(Queued, "mine").position == 2
    assert isinstance(client.end_of("mine"), Result)
    client.say(messages.GetStatus())
    status = client.next(Status)
    assert (status.running, status.queued) == ("", 0)


def test_a_client_that_resets_in_mid_frame_is_forgotten(backend: Backend, client: Talk) -> None:
    with backend.stranger() as vanishing:
        vanishing.greet()
        vanishing.say(patient("endless", steps=ENDLESS))
        vanishing.next(Progress)
        vanishing.send(b"".join(messages.encode(patient("cut short")))[:-5])
        vanishing.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by a reset
    client.say(patient("mine"))
    assert isinstance(client.end_of("mine"), Result)


def test_a_slow_reader_holds_up_nobody(backend: Backend, client: Talk) -> None:
    with backend.stranger() as slow:
        slow.greet()
        slow.say(patient("large", rows=3_000_000))  # 96 MB, more than the sockets' buffers
        slow.next(Queued)
        wait_until_idle(client)
        client.say(patient("mine", seed=3))
        assert isinstance(client.end_of("mine"), Result)
        assert slow.next(Result).vertices.shape == (3_000_000, 3)


def test_progress_that_nobody_took_is_replaced(backend: Backend, client: Talk) -> None:
    with backend.stranger() as slow:
        slow.greet()
        slow.say(patient("large", seed=1, rows=3_000_000))
        slow.say(patient("long", seed=2, steps=150))
        slow.next(Queued, "long")
        wait_until_idle(client)  # the result of "long" waits behind that of "large"
        slow.next(Result)
        behind: list[Progress] = []
        while not isinstance(message := slow.hear(), Result):
            if isinstance(message, Progress):
                behind.append(message)
        assert len(behind) <= 2  # one may have been on its way; 1.5 s of steps make 30


def test_a_client_that_asks_without_listening_is_disconnected(backend: Backend, client: Talk) -> None:
    question = b"".join(messages.encode(messages.GetStatus()))
    with backend.stranger() as deaf:
        deaf.greet()
        with pytest.raises(ConnectionError):
            ask_for_ever(deaf, question)
    client.say(messages.GetStatus())
    client.next(Status)


def ask_for_ever(stranger: Stranger, question: bytes) -> None:
    while True:
        stranger.socket.sendall(question * 1000)


def test_many_questions_at_once_are_all_answered_to_who_listens(client: Talk) -> None:
    client.say(*[messages.GetStatus()] * 5000)
    for _ in range(5000):
        client.next(Status)


@pytest.mark.slow
def test_a_client_that_takes_nothing_is_disconnected(backend: Backend, client: Talk) -> None:
    with backend.stranger() as deaf:
        deaf.greet()
        deaf.say(patient("large", rows=3_000_000))
        deaf.say(patient("endless", steps=ENDLESS))
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
        (b"H3DG" + struct.pack("<HHIQ", 1, 0, MEBIBYTE + 1, 0), "bad-frame"),
        (b"H3DG" + struct.pack("<HHIQ", 1, 0, 20, 512 * MEBIBYTE + 1), "bad-frame"),
        (b"H3DG" + struct.pack("<HHIQ", 1, 1, 20, 0), "bad-frame"),
        (frame(b'{"type":"quit"}'), "bad-message"),
        (frame(b'{"type":"cancel"}'), "bad-message"),
        (frame(b'{"type":"cancel","job":1}'), "bad-message"),
        (frame(b'{"type":"status","job":"x"}'), "bad-message"),
        (frame(b'{"type":"generate","job":"x","engine":"draft","seed":0}'), "bad-message"),
        (frame(b"".join(messages.encode(messages.Hello(TOKEN, "again")))[20:]), "bad-message"),
        (
            b"".join(messages.encode(Generate("x", "patient", 0, np.zeros((0, 5, 4), np.uint8)))),
            "bad-message",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:40]),
)
def test_who_breaks_the_rules_is_told_and_closed(backend: Backend, client: Talk, data: bytes, code: str) -> None:
    with backend.stranger() as stranger:
        stranger.greet()
        assert isinstance(stranger.hear(), Capabilities)
        stranger.send(data)
        answer = stranger.hear()
        assert isinstance(answer, Failure)
        assert (answer.job, answer.code) == ("", code)
        assert stranger.hear() is None
    client.say(messages.GetStatus())
    client.next(Status)


def test_who_breaks_the_rules_loses_the_jobs(backend: Backend, client: Talk) -> None:
    with backend.stranger() as stranger:
        stranger.greet()
        stranger.say(patient("endless", steps=ENDLESS))
        stranger.next(Progress)
        stranger.send(frame(b'{"type":"quit"}'))
        client.say(patient("mine"))
        assert isinstance(client.end_of("mine"), Result)
        last = list(stranger.all())[-1]
        assert isinstance(last, Failure)
        assert last.code == "bad-message"


def test_a_refusal_comes_behind_the_frame_that_is_on_its_way(backend: Backend, client: Talk) -> None:
    with backend.stranger() as stranger:
        stranger.greet()
        stranger.say(patient("large", seed=8, rows=3_000_000))
        stranger.next(Queued)
        wait_until_idle(client)
        stranger.send(frame(b'{"type":"quit"}'))
        heard = list(stranger.all())
        assert isinstance(heard[-1], Failure)
        assert heard[-1].code == "bad-message"


@REAL_SOCKETS
@given(data=st.binary(max_size=200), greeted=st.booleans())
def test_random_bytes_disturb_nobody(backend: Backend, client: Talk, data: bytes, greeted: bool) -> None:  # noqa: FBT001
    with backend.stranger() as stranger:
        if greeted:
            stranger.greet()
        stranger.send(data)
    client.say(messages.GetStatus())
    client.next(Status)


@REAL_SOCKETS
@given(st.data())
def test_mutated_frames_disturb_nobody(backend: Backend, client: Talk, data: st.DataObject) -> None:
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
        assert isinstance(stranger.hear(), Capabilities)
        stranger.send(bytes(good))
    client.say(messages.GetStatus())
    client.next(Status)


def test_memory_grows_with_what_has_arrived(backend: Backend, client: Talk) -> None:
    process = psutil.Process(backend.process.pid)
    side = 8192
    arrays = [{"name": name, "dtype": "uint8", "shape": [side, side, 4]} for name in ("picture", "normal_map")]
    data = json.dumps({"type": "generate", "job": "x", "engine": "patient", "seed": 0, "arrays": arrays}).encode()
    before = process.memory_info().rss
    strangers: list[Stranger] = []
    for _ in range(5):
        stranger = backend.stranger()
        strangers.append(stranger)
        stranger.greet()
        assert isinstance(stranger.hear(), Capabilities)
        stranger.send(frame(data, bytes(4 * MEBIBYTE), announced=512 * MEBIBYTE))
    client.say(patient("mine"))
    assert isinstance(client.end_of("mine"), Result)
    grown = process.memory_info().rss - before
    for stranger in strangers:
        stranger.close()
    assert grown < 5 * 4 * 4 * MEBIBYTE + 64 * MEBIBYTE


def test_the_client_of_the_product_says_when_it_is_over(backend: Backend) -> None:
    talk = backend.client()
    talk.say(patient("endless", steps=ENDLESS))
    talk.next(Progress)
    talk.close()
    talk.say(messages.GetStatus())  # is dropped
    while not isinstance(message := talk.hear(), Closed):
        assert message
    assert message.reason


def test_what_the_wire_cannot_carry_is_refused_where_it_is_said(client: Talk) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        client.say(messages.Cancel("\ud800"))
    with pytest.raises(ValueError, match="JSON"):
        client.say(patient("x", steps=float("nan")))
    client.say(messages.GetStatus())
    client.next(Status)
