# SPDX-License-Identifier: GPL-3.0-or-later
"""Many pictures as one job of the session: turns, failures, what waits for the scene, and cancelling."""

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.blender_addon.scripted import write_backend
from tests.blender_addon.support import MODULE, tick_until

IN_TURN = """
while True:
    request = receive()
    if isinstance(request, messages.Request):
        blue = int(request.inputs["picture"][0, 0, 2])
        if blue == 1:
            send(messages.Failure(request.job, "no-object", "No object was found in the picture.", "Try another."))
        elif blue == 2:
            os._exit(1)
        elif blue in (0, 4):
            for index in range(request.count if blue == 0 else 1):
                send(messages.Result(request.job, index, index, request.count, {}, {}, (), {}))
"""
WELL, FAILS, DIES, HANGS, HALF = range(5)  # what the backend does with a picture, by its blue


@dataclass
class Made:
    """What a test's series has done so far."""

    slow: int = 0  # the steps between the first and the last of reading
    read: list[int] = field(default_factory=list[int])
    pixels: list[Any] = field(default_factory=list[Any])  # whether those that were read live
    landed: list[int] = field(default_factory=list[int])
    refuse: set[int] = field(default_factory=set[int])


@pytest.fixture(scope="module")
def shared(extension: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One session for all tests, with a backend that does what a picture's blue says."""
    module = import_module(f"{MODULE}.blender_addon.link.session")
    folder = tmp_path_factory.mktemp("series")
    (folder / "user").mkdir()
    session = module.Session(write_backend(folder, IN_TURN), folder / "user", lambda: "", module.Options)
    yield session
    session.close()


@pytest.fixture
def session(shared: Any) -> Any:
    """The same, at rest."""
    for job in shared.jobs:
        shared.cancel(job)
    shared.try_again()
    shared.jobs, shared.deaths, shared.occupied_until = [], 0, lambda: ""
    shared.tick()
    return shared


def submit(session: Any, pictures: list[int | None], count: int = 1, slow: int = 0) -> tuple[Any, Made]:
    """Queue a series of pictures of these blues; None is one that cannot be read."""
    series, job = (import_module(f"{MODULE}.blender_addon.link.{name}") for name in ("series", "job"))
    errors = import_module(f"{MODULE}.blender_addon.errors")
    messages = import_module(f"{MODULE}.backend.wire.messages")
    made = Made(slow)

    def steps(number: int) -> Any:
        made.read.append(number)
        blue = pictures[number]
        pixels = np.full((4, 4, 4), blue or 0, np.uint8)
        made.pixels.append(weakref.ref(pixels))
        for _ in range(made.slow):
            yield
        if blue is None:
            raise errors.AddonError("It is gone.", "Find it.")
        return {"picture": pixels}

    def read(number: int) -> Any:
        request = messages.Request(f"series.{number}", "draft", 0, {}, {}, count)

        def land(results: list[Any]) -> list[Any]:
            if number in made.refuse:
                return [(result, errors.AddonError("No.", "Wait.")) for result in results]
            made.landed.append(number)
            return []

        return job.Job(f"picture {number}", request, land, reading=steps(number))

    def nothing(_: list[Any]) -> list[Any]:
        return []

    names = [f"{number}.png" for number in range(len(pictures))]
    shared = messages.Request(session.next_name(), "draft", 0, {}, {}, count)
    return session.submit(series.Series("shelf", shared, nothing, names=names, read=read)), made


def test_pictures_are_read_when_their_turn_comes_and_the_place_in_the_queue_stays(session: Any) -> None:
    series, made = submit(session, [WELL] * 30)
    other, _ = submit(session, [WELL])
    assert made.read == [], "nothing is read at the click"
    assert series.name == "shelf, 30 pictures"
    names: set[str] = set()

    def done() -> bool:
        names.add(series.name)
        assert len(made.read) <= len(made.landed) + 2
        assert other.live or not series.live
        return not session.live

    tick_until(session, done)
    assert made.landed == made.read == [*range(30)]
    assert "3 of 30: 2.png" in names
    assert (series.state.name, series.error, series.made) == ("DONE", None, 30)
    assert session.jobs == [series, other], "its parts are forgotten, with their pictures"


def test_what_fails_is_left_out_and_named_at_the_end(session: Any) -> None:
    series, made = submit(session, [FAILS, WELL, None, DIES, FAILS, WELL])
    tick_until(session, lambda: not series.live)
    assert made.landed == [1, 5]
    assert series.state.name == "FAILED"
    assert session.error is series.error
    assert series.error.sentence == (
        "2 of 6 pictures are made. “0.png”, “4.png” failed: No object was found in the picture. “2.png” failed: It is "
        "gone. “3.png” failed: The backend ended in the middle of its work."
    )
    assert series.error.advice == "Look at these pictures."


def test_of_many_that_fail_some_are_named(session: Any) -> None:
    series, made = submit(session, [None] * 100)
    tick_until(session, lambda: not series.live)
    assert series.error.sentence.startswith("0 of 100 pictures are made. “0.png”, “1.png”, ")
    assert series.error.sentence.endswith("“7.png” failed: It is gone. 92 more were left out.")
    assert series.error.advice == "Find it."
    assert {pixels() is None for pixels in made.pixels} == {True}, "errors hold none"
    series, _ = submit(session, [None] * 9)
    tick_until(session, lambda: not series.live)
    assert series.error.sentence.endswith("“7.png”, “8.png” failed: It is gone."), "one more is named"


def test_a_backend_that_is_given_up_keeps_the_rest_until_it_is_tried_again(session: Any) -> None:
    session.deaths = 2
    series, made = submit(session, [DIES, WELL])
    tick_until(session, lambda: session.phase.name == "BROKEN")
    assert (series.state.name, series.at) == ("WAITING", 1)
    session.try_again()
    tick_until(session, lambda: not series.live)
    assert made.landed == [1]


def test_no_picture_is_to_blame_for_a_backend_that_does_not_start(session: Any) -> None:
    session.close()
    series, made = submit(session, [WELL])
    why = import_module(f"{MODULE}.blender_addon.errors").AddonError("The backend could not be started.", "Look.")
    session._died(why)
    assert (series.state.name, series.failed) == ("WAITING", [])
    assert session.error.sentence == "The backend could not be started."
    tick_until(session, lambda: not series.live)
    assert made.landed == [0]


def test_it_goes_on_while_the_scene_takes_nothing_and_cancelling_keeps_what_is_made(session: Any) -> None:
    session.occupied_until = lambda: "you leave Edit Mode"
    series, made = submit(session, [WELL, WELL, HANGS, WELL], count=2)
    tick_until(session, lambda: series.name == "3 of 4: 2.png")
    tick_until(session, lambda: session.hindrance != "")
    assert made.landed == []
    assert [job.is_shown for job in session.jobs] == [False, False, True], "one box"
    ready = import_module(f"{MODULE}.blender_addon.ui.job_box").ready
    assert ready(series, session) == "4 results are ready. They come when you leave Edit Mode."
    assert series.done == pytest.approx(0.5)
    session.stop(series)
    assert series.state.name == "LANDING"
    session.occupied_until = lambda: ""
    tick_until(session, lambda: not session.live)
    assert made.landed == [0, 1]
    assert made.read == [0, 1, 2]
    assert session.jobs == [series]


def test_what_only_waits_to_come_is_dropped_by_cancelling_again(session: Any) -> None:
    session.occupied_until = lambda: "you leave Edit Mode"
    series, made = submit(session, [WELL, HANGS])
    tick_until(session, lambda: series.at == 1)
    session.stop(series)
    session.stop(series)
    assert {job.state.name for job in session.jobs} == {"CANCELLED"}
    session.occupied_until = lambda: ""
    session.tick()
    assert made.landed == []


def test_cancelled_in_the_queue_it_is_gone(session: Any) -> None:
    series, made = submit(session, [WELL, WELL])
    session.stop(series)
    assert series.state.name == "CANCELLED"
    assert not session.queue
    assert made.read == []


def test_what_the_scene_refuses_is_kept_and_named_and_offered_again(session: Any) -> None:
    series, made = submit(session, [WELL, WELL, WELL])
    made.refuse = {0, 1}
    tick_until(session, lambda: series.kept)
    assert series.live
    made.refuse = {1}
    session.land_again(session.jobs[0])
    tick_until(session, lambda: not session.live)
    assert made.landed == [0, 2]
    kept, _ = session.jobs
    assert (kept.title, kept.state.name, kept.is_shown) == ("picture 1", "KEPT", True)
    assert session.error is series.error
    assert series.error.sentence == (
        "2 of 3 pictures are made. “picture 1” failed: The result of the seed 0 could not be put into the scene. No."
    )
    made.refuse = set()
    session.land_again(kept)
    tick_until(session, lambda: not session.live)
    assert made.landed == [0, 2, 1]
    assert (session.jobs, session.error) == ([series], None)


def test_a_picture_is_read_in_steps_and_let_go_when_the_series_is_cancelled(session: Any) -> None:
    job_box = import_module(f"{MODULE}.blender_addon.ui.job_box")
    series, made = submit(session, [WELL, WELL, WELL], slow=3)
    tick_until(session, lambda: series.is_reading)
    assert (series.state.name, series.name, made.read) == ("WAITING", "1 of 3: 0.png", [0])
    assert job_box.has_begun(series), "its box stays while it reads: it is no line of the queue"
    tick_until(session, lambda: series.at == 1 and series.is_reading)
    assert (series.name, made.landed, made.pixels[1]() is None) == ("2 of 3: 1.png", [0], False)
    session.cancel(series)
    assert (series.name, made.pixels[1]()) == ("shelf, 3 pictures", None)
    assert not session.live


def test_its_numbers_are_those_of_the_picture_that_is_made(session: Any) -> None:
    job_box = import_module(f"{MODULE}.blender_addon.ui.job_box")
    session.occupied_until = lambda: "you leave Edit Mode"
    series, _ = submit(session, [WELL, HALF], count=2)
    tick_until(session, lambda: series.at == 1 and len(series.results) == 1)
    assert job_box.title(series) == "2 of 2: 1.png: 1 of 2"
    assert job_box.ready(series, session).startswith("2 results are ready."), "the third comes with the fourth"
    session.stop(series)
    session.tick()
    assert job_box.title(series) == "shelf, 2 pictures"
    assert job_box.ready(series, session).startswith("3 results are ready.")


def test_a_series_whose_last_picture_fails_waits_for_nothing(session: Any) -> None:
    series, _ = submit(session, [WELL, None], slow=1)
    tick_until(session, lambda: series.at == 1 and series.is_reading)
    states: set[str] = set()

    def done() -> bool:
        states.add(series.state.name)
        return not series.live

    tick_until(session, done)
    assert states == {"WAITING", "FAILED"}, "the panel shows no 0 results that are ready"


def test_too_many_pictures_do_not_wait_in_memory(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module(f"{MODULE}.blender_addon.link.series"), "AHEAD_BYTES", 2 * 64)
    session.occupied_until = lambda: "you leave Edit Mode"
    series, made = submit(session, [WELL] * 9)
    tick_until(session, lambda: session.pause == "you leave Edit Mode")
    assert made.read == [0, 1, 2]
    assert series.state.name == "WAITING"
    session.occupied_until = lambda: ""
    tick_until(session, lambda: not session.live)
    assert made.landed == [*range(9)]


def test_a_restarted_backend_goes_on_with_the_same_picture(session: Any) -> None:
    series, made = submit(session, [WELL, HANGS, WELL])
    tick_until(session, lambda: series.name == "2 of 3: 1.png")
    session.restart()
    assert series.state.name == "WAITING"
    tick_until(session, lambda: series.state.name == "RUNNING")
    assert (made.read, series.at) == ([0, 1], 1)
