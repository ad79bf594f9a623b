# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs, as docs/wire.md describes them, over real sockets to a real process."""

import time

import numpy as np
import pytest

from backend.version import VERSION
from backend.wire import messages, products
from backend.wire.client import Closed
from backend.wire.messages import Failure, Preview, Progress, Queued, Request, Result, Status
from tests.backend.process import (
    SECONDS,
    Backend,
    Conversation,
    begin,
    mesh_of,
    patient,
)

PIXEL = {"picture": np.zeros((1, 1, 4), np.uint8)}


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
        assert sentence.endswith(".")
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


def test_the_status_is_answered_while_a_stage_computes(client: Conversation) -> None:
    """By that a client knows that the backend does not hang, however long a stage takes."""
    client.send(patient("long", hang=5.0, steps=1))
    while client.next(Progress).stage != "geometry":
        pass
    for _ in range(3):
        client.send(messages.GetStatus())
        assert client.next(Status).running == "long"
    client.send(messages.GetStatus(), messages.Cancel("long"))
    assert isinstance(client.next(Status), Status)


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


def test_results_that_are_on_their_way_arrive_though_a_lost_card_ends_the_process() -> None:
    with Backend() as backend, backend.stranger() as slow:
        slow.greet()
        slow.send(patient("x", seed=1, count=2, rows=1_000_000))
        slow.send(patient("y", fail=4))
        while "The backend ends." not in backend.log():
            time.sleep(0.02)
        time.sleep(1)
        assert [len(mesh_of(slow.next(Result, "x")).vertices) for _ in range(2)] == [1_000_000] * 2
        assert slow.next(Failure, "y").code == "device-lost"
        assert backend.process.wait(SECONDS) == 0
