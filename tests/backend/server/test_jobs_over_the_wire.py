# SPDX-License-Identifier: GPL-3.0-or-later
"""The server, as docs/wire.md describes it: the greeting and the jobs, over real sockets to a real process."""

import contextlib
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from backend.version import VERSION
from backend.wire import messages, products
from backend.wire.client import Closed
from backend.wire.messages import Capabilities, Failure, Preview, Progress, Queued, Request, Result, Status
from tests.backend.process import (
    ENDLESS,
    SECONDS,
    SERVE_PATIENT,
    TOKEN,
    Backend,
    Conversation,
    begin,
    frame,
    mesh_of,
    patient,
)

MEBIBYTE = 1 << 20
PIXEL = {"picture": np.zeros((1, 1, 4), np.uint8)}
REAL_SOCKETS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


# --- the greeting -----------------------------------------------------------------------------------------------------


def test_the_answer_to_the_greeting_describes_the_engines(client: Conversation) -> None:
    assert client.capabilities.version == VERSION
    engines = {engine.name: engine for engine in client.capabilities.engines}
    assert set(engines) == {"draft", "hi3dgen", "patient", "absent"}
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


# --- jobs -------------------------------------------------------------------------------------------------------------


def test_a_job_sends_its_place_its_progress_and_its_result(client: Conversation) -> None:
    client.send(messages.Unload(), patient("one", seed=5, steps=30))
    *before, last = client.until_end_of("one")
    assert isinstance(before[0], Queued)
    assert before[0].position == 0
    progress = [message for message in before if isinstance(message, Progress)]
    assert {"geometry"} <= {item.stage for item in progress} <= {"foreground", "normals", "geometry", "finish"}
    assert all(item.stage_count == 4 and 0 <= item.step <= item.of for item in progress)
    assert [item.stage_index for item in progress] == sorted(item.stage_index for item in progress)
    previews = [message for message in before if isinstance(message, Preview)]
    assert [preview.product for preview in previews] == ["cutout", "normal_map"]
    assert all(max(preview.pixels.shape[:2]) <= 256 for preview in previews)
    assert isinstance(last, Result)
    assert last.seed == 5
    assert mesh_of(last).vertices.tolist() == [[5.0] * 3] * 3
    assert set(last.seconds) == {"foreground", "normals", "geometry", "finish"}
    normal_map = last.products["normal_map"]
    assert isinstance(normal_map, products.NormalMap)
    assert normal_map.png[:8].tobytes() == b"\x89PNG\r\n\x1a\n"
    assert last.recipe["engine"] == "patient"


def test_the_time_left_is_null_until_it_was_measured(client: Conversation) -> None:
    client.send(messages.Unload(), patient("first", seed=11, steps=31))
    first = [item for item in client.until_end_of("first") if isinstance(item, Progress)]
    assert first[0].eta_seconds is None
    client.send(messages.Unload(), patient("second", seed=12, steps=31))
    second = [item for item in client.until_end_of("second") if isinstance(item, Progress)]
    assert all(item.eta_seconds is not None and item.eta_seconds >= 0 for item in second)
    assert (second[0].eta_seconds or 0.0) > 0.2  # 31 steps of 10 ms are ahead


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (patient("x", fail=1), "no-patience"),
        (patient("x", fail=2), "out-of-memory"),
        (patient("x", fail=3), "internal"),
        (patient("x", fail=8), "bad-setting"),
        (patient("x", steps=-1), "bad-setting"),
        (patient("x", steps=1.5), "bad-setting"),
        (patient("x", steps=True), "bad-setting"),
        (patient("x", steps=10**4000), "bad-setting"),
        (patient("x", colour=1), "bad-setting"),
        (patient("x", **{"c" * 1_000_000: 1}), "bad-setting"),
        (Request("x", "patient", 0, PIXEL, {"steps": "many"}), "bad-setting"),
        (
            Request("x", "patient", 0, PIXEL, {"steps": "\u200b" * 300_000}),
            "bad-setting",
        ),
        (Request("x", "patient", 0, {**PIXEL, "left": PIXEL["picture"]}), "bad-input"),
        (Request("x", "nobody", 0, PIXEL), "unknown-engine"),
        (Request("x", "\x01" * 170_000, 0, PIXEL), "unknown-engine"),
        (Request("x", "absent", 0, PIXEL), "engine-missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_job_that_cannot_be_done_fails_with_a_sentence(client: Conversation, job: Request, code: str) -> None:
    client.send(job)
    failure = client.end_of("x")
    assert isinstance(failure, Failure)
    assert failure.code == code
    for sentence in (failure.sentence, failure.advice):
        assert sentence.endswith((".", "!")) or code in ("bad-setting", "unknown-engine")
        assert 5 < len(sentence) < 300
    client.send(patient("x"))
    assert isinstance(client.end_of("x"), Result)


def test_a_job_of_several_seeds_has_a_result_a_seed(client: Conversation) -> None:
    client.send(patient("many", seed=2**31 - 2, count=3), patient("next", seed=8))
    heard = client.until_end_of("many")
    results = [message for message in heard if isinstance(message, Result)]
    assert [(result.seed, result.index, result.count) for result in results] == [
        (2**31 - 2, 0, 3),
        (2**31 - 1, 1, 3),
        (0, 2, 3),
    ]
    assert [result.recipe["seed"] for result in results] == [result.seed for result in results]
    assert [mesh_of(result).vertices[0, 0] for result in results] == [np.float32(result.seed) for result in results]
    progress = [message for message in heard if isinstance(message, Progress)]
    assert [item.stage_index for item in progress] == sorted(item.stage_index for item in progress)
    assert all(item.stage_count == 2 + 3 * 2 for item in progress)
    assert isinstance(client.end_of("next"), Result)


def test_a_failure_in_between_keeps_the_results_before_it(client: Conversation) -> None:
    client.send(patient("many", seed=5, count=4, fail=1, patience=7))
    heard = client.until_end_of("many")
    assert [message.seed for message in heard if isinstance(message, Result)] == [5, 6]
    assert isinstance(heard[-1], Failure)
    assert heard[-1].code == "no-patience"
    client.send(patient("many", seed=5))  # the name is free again
    assert isinstance(client.end_of("many"), Result)


def test_a_cancellation_in_between_keeps_the_results_before_it(client: Conversation) -> None:
    client.send(patient("many", seed=21, count=16, steps=20))
    first = client.next(Result, "many")
    client.send(messages.Cancel("many"))
    *more, last = client.until_end_of("many")
    assert first.seed == 21
    assert len([message for message in more if isinstance(message, Result)]) < 15
    assert isinstance(last, Failure)
    assert last.code == "cancelled"


def test_a_running_job_is_cancelled(client: Conversation) -> None:
    begin(client, "long")
    client.send(messages.Cancel("long"))
    failure = client.end_of("long")
    assert isinstance(failure, Failure)
    assert failure.code == "cancelled"


def test_a_waiting_job_is_cancelled_and_the_others_are_not(client: Conversation) -> None:
    begin(client, "long")
    client.send(patient("second"), patient("third"))
    assert client.next(Queued, "second").position == 1
    assert client.next(Queued, "third").position == 2
    client.send(messages.Cancel("second"), messages.GetStatus())
    failure = client.end_of("second")
    assert isinstance(failure, Failure)
    assert failure.code == "cancelled"
    status = client.next(Status)
    assert (status.running, status.queued) == ("long", 1)
    client.send(messages.Cancel("long"))
    assert isinstance(client.end_of("third"), Result)


def test_cancelling_a_job_that_has_ended_or_is_unknown_is_no_error(client: Conversation) -> None:
    client.send(patient("done"))
    assert isinstance(client.end_of("done"), Result)
    client.send(messages.Cancel("done"), messages.Cancel("never"), messages.Cancel(""), patient("next"))
    assert isinstance(client.next(Queued), Queued)
    assert isinstance(client.end_of("next"), Result)


def test_a_name_is_taken_while_its_job_runs(client: Conversation) -> None:
    begin(client, "one")
    client.send(patient("one", seed=2))
    refusal = client.next(Failure)
    assert (refusal.job, refusal.code) == ("", "duplicate-job")
    client.send(messages.Cancel("one"))
    assert isinstance(client.end_of("one"), Failure)
    client.send(patient("one", seed=3))
    assert isinstance(client.end_of("one"), Result)


def test_seventeen_jobs_do_not_wait(client: Conversation) -> None:
    begin(client, "long")
    names = [f"job {number}" for number in range(17)]
    client.send(*(patient(name) for name in names))
    failure = client.end_of(names[-1])
    assert isinstance(failure, Failure)
    assert failure.code == "queue-full"
    client.send(messages.Cancel("long"))
    assert all(isinstance(client.end_of(name), Result) for name in names[:-1])


def test_status_counts_and_unload_forgets(client: Conversation) -> None:
    client.send(patient("one", rows=20_000))
    client.end_of("one")
    client.send(messages.GetStatus())
    status = client.next(Status)
    assert (status.version, status.queued, status.running) == (VERSION, 0, "")
    assert status.cached_bytes > 20_000 * 3 * 4
    assert status.uptime_seconds > 0
    client.send(messages.Unload())
    assert client.next(Status).cached_bytes == 0


def test_unload_waits_for_the_job_that_runs(client: Conversation) -> None:
    begin(client, "long")
    client.send(messages.Unload(), messages.Cancel("long"))
    assert isinstance(client.end_of("long"), Failure)
    assert client.next(Status).cached_bytes == 0


def test_a_failure_to_give_memory_back_is_a_failure_and_no_status() -> None:
    with Backend() as backend, backend.client() as client:
        client.send(patient("x", fail=6), messages.Unload())
        client.end_of("x")
        failure = client.receive()
        assert isinstance(failure, Failure)
        assert (failure.job, failure.code) == ("", "unload-failed")
        assert failure.sentence.endswith(".")
        assert failure.advice.endswith(".")
        assert "RuntimeError: the card does not answer" in backend.log()
        client.send(messages.Unload())
        assert isinstance(client.receive(), Status)


def test_a_queue_that_dies_is_logged_and_ends_the_process_with_an_error() -> None:
    with Backend() as backend, backend.client() as client, backend.client() as other:
        client.send(patient("x", fail=5))
        for each in (client, other):
            while not isinstance(each.receive(), Closed):
                pass
        assert backend.process.wait(SECONDS) == 1
        assert "the backend failed, and ends\n    Traceback" in backend.log()
        assert "FatalError" in backend.log()


def test_a_lost_card_is_a_failure_and_ends_the_process() -> None:
    """Nothing brings a graphics card back into a process that has lost it; a fresh one finds it."""
    with Backend() as backend, backend.client() as client:
        client.send(patient("x", fail=4))
        failure = client.end_of("x")
        assert isinstance(failure, Failure)
        assert failure.code == "device-lost"
        assert backend.process.wait(SECONDS) == 0
