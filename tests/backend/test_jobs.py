# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue's rules and what a job sends, without a socket: how much may wait, and that every job has one end."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from backend.engines import DRAFT, ENGINES
from backend.flow.pipeline import Pipeline
from backend.flow.products import Mesh, NormalMap, Noted, Picture, Report, Structure
from backend.flow.request import Request
from backend.flow.stage import Stage
from backend.jobs import MAX_WAITING, JobQueue, QueuedJob, run
from backend.normals import outline
from backend.wire import products
from backend.wire.limits import MAX_PREVIEW_SIDE
from backend.wire.messages import Failure, Preview, Progress, Queued, Result, ToClient


@dataclass
class Client:
    """What was sent to a client."""

    messages: list[ToClient] = field(default_factory=list[ToClient])

    def job(
        self, name: str = "one", picture: Picture | None = None, count: int = 1, **settings: float | str
    ) -> QueuedJob:
        """A job of the draft engine that sends its messages here."""
        inputs = {"picture": disk(64) if picture is None else picture}
        request = Request(inputs, seed=3, count=count, settings={"resolution": 64, "colours": "front", **settings})
        return QueuedJob(name, request, self.messages.append)


@pytest.fixture
def client() -> Client:
    return Client()


def disk(side: int) -> Picture:
    rows, columns = np.mgrid[:side, :side]
    picture = np.zeros((side, side, 4), np.uint8)
    picture[np.hypot(rows - side / 2, columns - side / 2) < 0.4 * side] = (200, 120, 40, 255)
    return picture


def giant() -> Picture:
    """A picture of 256 MiB that takes four bytes."""
    return np.broadcast_to(np.uint8(0), (8192, 8192, 4))


def test_a_job_sends_its_steps_its_previews_and_returns_its_end(client: Client) -> None:
    stages = [replace(stage, run=outline.estimate) if stage.name == "normals" else stage for stage in DRAFT.stages]
    by_outline = Pipeline({"draft": replace(DRAFT, stages=tuple(stages))})
    end = run(by_outline, client.job(picture=disk(700), resolution=512))
    assert isinstance(end, Result)
    assert (end.job, end.seed) == ("one", 3)
    assert {type(message) for message in client.messages} == {Progress, Preview}
    previews = [message for message in client.messages if isinstance(message, Preview)]
    assert [preview.product for preview in previews] == ["cutout", "normal_map"]
    assert all(preview.pixels.shape == (MAX_PREVIEW_SIDE, MAX_PREVIEW_SIDE, 4) for preview in previews)
    cutout, normals = (preview.pixels for preview in previews)
    assert cutout[0, 0, 3] == normals[0, 0, 3] == 0
    assert cutout[128, 128].tolist() == [200, 120, 40, 255]
    assert abs(normals[128, 128].astype(int) - (128, 128, 255, 255)).max() < 6  # to the viewer


def test_a_coarse_shape_is_shown_for_every_seed(client: Client) -> None:
    def occupy(_normal_map: NormalMap, *, seed: int, report: Report) -> Structure:
        report(0, 1)
        return Structure(np.array([[seed, 0, 31]], np.int32), 32, np.zeros(0, np.uint8))

    def build(*taken: Any, **used: Any) -> Mesh:
        assert isinstance(taken[-1], Structure)
        return geometry.run(*taken[:-1], **used)

    (geometry,) = (stage for stage in DRAFT.stages if stage.name == "geometry")
    coarse = Stage("structure", "Finding the coarse shape", "structure", ("normal_map",), ("seed",), occupy)
    fine = replace(geometry, takes=(*geometry.takes, "structure"), run=build)
    at = DRAFT.stages.index(geometry)
    stages = (*DRAFT.stages[:at], coarse, fine, *DRAFT.stages[at + 1 :])
    run(Pipeline({"draft": replace(DRAFT, stages=stages)}), client.job(count=2))
    previews = [message for message in client.messages if isinstance(message, Preview)]
    assert [preview.product for preview in previews] == ["cutout", "normal_map", "structure", "structure"]
    for seed, preview in zip((3, 4), previews[2:], strict=True):
        assert preview.pixels.shape == (256, 256, 4)
        rows, columns = np.nonzero(preview.pixels[..., 3])
        assert (rows.min(), rows.max(), columns.min(), columns.max()) == (0, 7, seed * 8, seed * 8 + 7)


def test_previews_come_from_the_cache_too(client: Client) -> None:
    pipeline = Pipeline(ENGINES)
    run(pipeline, client.job())
    client.messages.clear()
    end = run(pipeline, client.job())
    assert isinstance(end, Result)
    assert end.seconds == {}
    assert [type(message) for message in client.messages] == [Preview, Preview]


def test_a_job_that_is_cancelled_already_does_nothing(client: Client) -> None:
    pipeline = Pipeline(ENGINES)
    job = client.job()
    job.cancelled.set()
    end = run(pipeline, job)
    assert isinstance(end, Failure)
    assert (end.job, end.code) == ("one", "cancelled")
    assert pipeline.cached_bytes == 0
    assert client.messages == []


def test_a_cancelled_job_ends_though_everything_is_cached(client: Client) -> None:
    pipeline = Pipeline(ENGINES)
    run(pipeline, client.job())
    job = client.job()
    job.cancelled.set()
    assert isinstance(run(pipeline, job), Failure)


def test_a_picture_that_no_engine_can_take_is_a_failure_and_no_exception(client: Client) -> None:
    for picture in (np.zeros((0, 5, 4), np.uint8), np.zeros((2, 2), np.uint8)):
        end = run(Pipeline(ENGINES), client.job(picture=picture))
        assert isinstance(end, Failure)
        assert end.sentence


def test_waiting_jobs_are_bounded_by_number(client: Client) -> None:
    queue = JobQueue(Pipeline(ENGINES))
    for number in range(MAX_WAITING):
        assert queue.has_room_for(client.job(str(number)))
        queue.add(client.job(str(number)))
    assert not queue.has_room_for(client.job())
    assert [message.position for message in client.messages if isinstance(message, Queued)] == list(range(MAX_WAITING))


def test_waiting_jobs_are_bounded_by_the_memory_of_their_pictures(client: Client) -> None:
    queue = JobQueue(Pipeline(ENGINES))
    for number in range(4):
        job = client.job(str(number), picture=giant())
        assert job.request.nbytes == 256 << 20
        assert queue.has_room_for(job)
        queue.add(job)
    assert not queue.has_room_for(client.job())
    queue.cancel(queue.waiting[1])
    assert queue.has_room_for(client.job(picture=giant()))


def test_all_pictures_of_a_request_count() -> None:
    assert Request({"picture": giant(), "own_normal_map": giant()}).nbytes == 512 << 20


def test_a_waiting_job_that_is_cancelled_ends_at_once(client: Client) -> None:
    queue = JobQueue(Pipeline(ENGINES))
    job = client.job()
    queue.add(job)
    queue.cancel(job)
    queue.cancel(job)
    assert not queue.waiting
    assert [type(message) for message in client.messages] == [Queued, Failure]


def test_all_results_but_the_last_are_sent_on_the_way(client: Client) -> None:
    end = run(Pipeline(ENGINES), client.job(count=3))
    assert isinstance(end, Result)
    on_the_way = [message for message in client.messages if isinstance(message, Result)]
    results = [*on_the_way, end]
    assert [(result.seed, result.index, result.count, result.last) for result in results] == [
        (3, 0, 3, False),
        (4, 1, 3, False),
        (5, 2, 3, True),
    ]
    assert [message.product for message in client.messages if isinstance(message, Preview)] == ["cutout", "normal_map"]


def test_an_engine_that_loses_a_seed_is_a_bug_and_no_silence(client: Client) -> None:
    """Whoever does several seeds in one go owes a result for each."""

    def forgetful(*_: object, seeds: list[int], **__: object) -> list[Mesh]:
        return []

    stages = tuple(replace(stage, run_many=forgetful) if stage.name == "geometry" else stage for stage in DRAFT.stages)
    end = run(Pipeline({"draft": replace(DRAFT, stages=stages)}), client.job(count=2))
    assert isinstance(end, Failure)
    assert end.code == "internal"


def test_what_the_engine_knows_of_the_surface_comes_with_the_mesh(client: Client) -> None:
    def painted(mesh: Mesh, *, report: Report) -> Noted:
        report(0, 1)
        grey, up = mesh.vertices * 0.0 + 0.5, mesh.vertices * 0.0 + 1.0
        return Noted(replace(mesh, colours=grey, normals=up), ("Two floaters went.",))

    stages = (*DRAFT.stages, Stage("paint", "Painting", "mesh", ("mesh",), (), painted))
    end = run(Pipeline({"draft": replace(DRAFT, stages=stages)}), client.job())
    assert isinstance(end, Result)
    mesh = end.products["mesh"]
    assert isinstance(mesh, products.Mesh)
    assert mesh.colours is not None
    assert mesh.colours.shape == mesh.vertices.shape
    assert mesh.vertex_normals is not None
    assert mesh.vertex_normals.max() == 1.0
    assert end.notes == ("Two floaters went.",)
    plain = run(Pipeline(ENGINES), client.job())
    assert isinstance(plain, Result)
    plain_mesh = plain.products["mesh"]
    assert isinstance(plain_mesh, products.Mesh)
    assert plain_mesh.colours is plain_mesh.vertex_normals is None


def test_a_job_gives_what_it_is_asked_for_alone(client: Client) -> None:
    end = run(Pipeline(ENGINES), replace(client.job(), gives=("cutout",)))
    assert isinstance(end, Result)
    assert [*end.products] == ["cutout"]
    cutout = end.products["cutout"]
    assert isinstance(cutout, products.Cutout)
    assert cutout.mask.shape == (64, 64)
    assert {message.stage for message in client.messages if isinstance(message, Progress)} == {"foreground"}


def test_a_product_that_is_not_there_is_refused_in_a_sentence(client: Client) -> None:
    end = run(Pipeline(ENGINES), replace(client.job(), gives=("song",)))
    assert isinstance(end, Failure)
    assert (end.code, "song" in end.sentence, "cutout" in end.advice) == ("bad-product", True, True)
