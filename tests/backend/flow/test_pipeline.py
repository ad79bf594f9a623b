# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipeline on the real draft engine: which stages run again, what is told meanwhile, how a job ends early."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from backend.engines import DRAFT, ENGINES, Engine, Stage
from backend.errors import Cancelled, UserError
from backend.flow.pipeline import Moment, Pipeline, Request
from backend.flow.products import Cutout, Mesh, NormalMap
from backend.version import VERSION
from tests.backend.vase import SMALL, Notes, edited_map, request, vase

ALL = ["foreground", "normals", "geometry", "finish"]


@dataclass
class Counted:
    """A pipeline of the draft engine, and the stages that ran since they were last asked for."""

    ran: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.pipeline = Pipeline({"draft": replace(DRAFT, stages=tuple(map(self.counting, DRAFT.stages)))})

    def counting(self, stage: Stage) -> Stage:
        """The same stage, which also notes that it ran."""

        def run(*taken: Any, **used: Any) -> Any:
            self.ran.append(stage.name)
            return stage.run(*taken, **used)

        return replace(stage, run=run)

    def stages_of(self, request: Request) -> list[str]:
        """The stages that this request made run."""
        self.ran.clear()
        self.pipeline.run(request, Notes())
        return [*self.ran]


@pytest.fixture
def counted() -> Counted:
    return Counted()


# --- what runs again --------------------------------------------------------------------------------------------------


def test_the_first_request_runs_everything_and_the_same_again_nothing(counted: Counted) -> None:
    assert counted.stages_of(request()) == ALL
    assert counted.stages_of(request()) == []
    assert counted.stages_of(request(picture=vase().copy(), settings={"resolution": 64.0})) == []


def test_a_new_seed_starts_at_the_first_stage_that_uses_it(counted: Counted) -> None:
    counted.stages_of(request(seed=1))
    assert counted.stages_of(request(seed=2)) == ["geometry", "finish"]
    assert counted.stages_of(request(seed=1)) == []


def test_an_edited_normal_map_starts_after_the_normals(counted: Counted) -> None:
    counted.stages_of(request())
    edited = edited_map()
    assert counted.stages_of(request(normal_map=edited)) == ["geometry", "finish"]
    edited[30, 30, 0] ^= 8
    assert counted.stages_of(request(normal_map=edited)) == ["geometry", "finish"]
    assert counted.stages_of(request()) == []


def test_another_setting_runs_all_that_depends_on_it(counted: Counted) -> None:
    counted.stages_of(request())
    assert counted.stages_of(request(settings={"resolution": 72})) == ALL


def test_another_picture_runs_everything(counted: Counted) -> None:
    counted.stages_of(request())
    other = vase()
    other[45, 30, 0] ^= 1
    assert counted.stages_of(request(picture=other)) == ALL


def test_pictures_of_the_same_bytes_and_another_shape_are_others(counted: Counted) -> None:
    pixels = np.full((16, 64, 4), 255, np.uint8)
    pixels[:, ::2, 3] = 0
    for shape in ((16, 64, 4), (64, 16, 4)):
        counted.ran.clear()
        cutout, _ = counted.pipeline.normals(request(picture=pixels.reshape(shape)), Notes())
        assert "foreground" in counted.ran
        assert (cutout.crop.picture_height, cutout.crop.picture_width) == shape[:2]


def test_unloading_forgets_everything(counted: Counted) -> None:
    counted.stages_of(request())
    assert counted.pipeline.cached_bytes > 0
    counted.pipeline.unload()
    assert counted.pipeline.cached_bytes == 0
    assert counted.stages_of(request()) == ALL


def test_the_cache_keeps_its_bound() -> None:
    bound = 400_000
    pipeline = Pipeline(ENGINES, cache_bytes=bound)
    for seed in range(6):
        pipeline.run(request(seed=seed), Notes())
        assert 0 < pipeline.cached_bytes <= bound


def test_what_nobody_asks_for_is_not_made_again(counted: Counted) -> None:
    """The mesh is still there; what it was built from was the first that the full cache forgot."""
    for seed in (1, 2):
        counted.stages_of(request(seed=seed))
    full = counted.pipeline.cached_bytes
    small = Pipeline(counted.pipeline.engines, cache_bytes=full - 1)
    for seed in (1, 2):
        small.run(request(seed=seed), Notes())
    counted.ran.clear()
    notes = Notes()
    outcome = small.run(request(seed=1), notes)
    assert counted.ran == []
    assert list(notes.results) == ["foreground", "normals", "finish"]
    assert same_mesh(outcome.mesh, Pipeline(ENGINES).run(request(seed=1), Notes()).mesh)
    small.run(request(seed=1, settings={**SMALL, "faces": 2_000}), Notes())
    assert counted.ran == ["geometry", "finish"], "now it is asked for"


def test_only_the_normals_end_with_the_normals(counted: Counted) -> None:
    cutout, normal_map = counted.pipeline.normals(request(), Notes())
    assert counted.ran == ["foreground", "normals"]
    assert cutout.rgba.shape == (64, 64, 4)
    np.testing.assert_allclose(np.linalg.norm(normal_map.normals, axis=-1), 1.0, atol=1e-4)
    assert counted.stages_of(request()) == ["geometry", "finish"]


# --- what is told -----------------------------------------------------------------------------------------------------


def test_a_watcher_sees_every_stage_begin_and_every_result() -> None:
    notes = Notes()
    outcome = Pipeline(ENGINES).run(request(), notes)
    assert list(dict.fromkeys(moment.stage.name for moment in notes.moments)) == ALL
    assert [moment.index for moment in notes.moments] == sorted(moment.index for moment in notes.moments)
    assert all(moment.count == 4 and 0 <= moment.step <= moment.of for moment in notes.moments)
    assert list(notes.results) == ALL
    assert isinstance(notes.results["foreground"], Cutout)
    assert isinstance(notes.results["normals"], NormalMap)
    assert notes.results["finish"] is outcome.mesh
    assert set(outcome.seconds) == set(ALL)


def test_results_from_the_cache_are_told_too_and_took_no_time() -> None:
    pipeline = Pipeline(ENGINES)
    pipeline.run(request(), Notes())
    notes = Notes()
    outcome = pipeline.run(request(), notes)
    assert list(notes.results) == ALL
    assert notes.moments == []
    assert outcome.seconds == {}


def test_the_time_left_is_unknown_until_it_was_measured() -> None:
    pipeline = Pipeline(ENGINES)
    first, second = Notes(), Notes()
    pipeline.run(request(seed=1), first)
    assert all(moment.eta_seconds is None for moment in first.moments if moment.stage.name != "finish")
    pipeline.unload()
    pipeline.run(request(seed=2), second)
    left = [moment.eta_seconds for moment in second.moments]
    assert all(seconds is not None and seconds >= 0.0 for seconds in left)
    assert (left[0] or 0.0) > (left[-1] or 0.0)


def test_the_recipe_holds_what_makes_the_mesh_again() -> None:
    own = edited_map()
    pipeline = Pipeline(ENGINES)
    plain = pipeline.run(request(seed=9), Notes()).recipe
    assert plain == {
        "picture_sha256": hashlib.sha256(vase().tobytes()).hexdigest(),
        "normal_map_sha256": "",
        "engine": "draft",
        "version": VERSION,
        "seed": 9,
        "settings": {setting.name: setting.default for setting in DRAFT.settings} | SMALL,
    }
    with_own = pipeline.run(request(seed=9, normal_map=own), Notes()).recipe
    assert with_own == {**plain, "normal_map_sha256": hashlib.sha256(own.tobytes()).hexdigest()}


def test_the_same_request_makes_the_same_mesh_to_the_bit() -> None:
    meshes = [Pipeline(ENGINES).run(request(seed=4), Notes()).mesh for _ in range(2)]
    for name in ("vertices", "triangles", "uv"):
        np.testing.assert_array_equal(getattr(meshes[0], name), getattr(meshes[1], name))


def test_another_seed_makes_another_back_of_the_same_front() -> None:
    pipeline = Pipeline(ENGINES)
    meshes = [pipeline.run(request(seed=seed), Notes()).mesh for seed in (0, 1)]
    depths = [np.ptp(mesh.vertices[:, 1]) for mesh in meshes]
    assert abs(depths[0] - depths[1]) > 1e-3


# --- several seeds ----------------------------------------------------------------------------------------------------


def same_mesh(a: Mesh, b: Mesh) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("vertices", "triangles", "uv"))


def test_several_seeds_share_what_no_seed_changes(counted: Counted) -> None:
    notes = Notes()
    outcomes = [*counted.pipeline.run_seeds(request(), [5, 6, 7], notes)]
    assert counted.ran == ["foreground", "normals", *["geometry", "finish"] * 3]
    assert [outcome.recipe["seed"] for outcome in outcomes] == [5, 6, 7]
    assert [[*outcome.seconds] for outcome in outcomes] == [ALL, ALL[2:], ALL[2:]]
    assert [moment.index for moment in notes.moments] == sorted(moment.index for moment in notes.moments)
    assert {moment.index for moment in notes.moments} == set(range(8))
    assert {moment.count for moment in notes.moments} == {8}


def test_a_seed_of_several_makes_the_mesh_that_it_makes_alone() -> None:
    together = [*Pipeline(ENGINES).run_seeds(request(), [5, 6], Notes())]
    for outcome in together:
        alone = Pipeline(ENGINES).run(request(seed=outcome.recipe["seed"]), Notes())
        assert same_mesh(alone.mesh, outcome.mesh)
        assert alone.recipe == outcome.recipe


def test_every_mesh_is_there_before_the_next_is_begun(counted: Counted) -> None:
    outcomes = counted.pipeline.run_seeds(request(), [5, 6], Notes())
    next(outcomes)
    assert counted.ran == ALL
    next(outcomes)
    assert counted.ran == [*ALL, "geometry", "finish"]


def test_what_is_cached_of_some_seeds_is_not_made_again(counted: Counted) -> None:
    counted.stages_of(request(seed=6))
    counted.ran.clear()
    notes = Notes()
    assert len([*counted.pipeline.run_seeds(request(), [5, 6, 7], notes)]) == 3
    assert counted.ran == ["geometry", "finish"] * 2


def test_a_mesh_needs_no_cache(counted: Counted) -> None:
    """What all seeds share is made once, though nothing of it can be kept."""
    pipeline = Pipeline(counted.pipeline.engines, cache_bytes=0)
    assert len([*pipeline.run_seeds(request(), [5, 6], Notes())]) == 2
    assert counted.ran == [*ALL, "geometry", "finish"]


class Batches:
    """A draft engine whose seeds are worked out in one go: its geometry, which uses the seed, and what follows it."""

    def __init__(self) -> None:
        self.goes: list[object] = []
        stages = {stage.name: stage for stage in DRAFT.stages}
        self.geometry, self.finish = stages["geometry"], stages["finish"]
        plain = Stage("plain", "Passing on", ("geometry",), (), self.pass_on)
        stages = (
            stages["foreground"],
            stages["normals"],
            replace(self.geometry, run_many=self.build),
            plain,
            replace(self.finish, takes=("plain", "foreground"), run_many=self.finish_many),
        )
        self.pipeline = Pipeline({"draft": replace(DRAFT, stages=stages)})

    def build(self, normal_maps: list[NormalMap], *, seeds: list[int], **used: Any) -> list[Mesh]:
        """The draft's geometry of each."""
        self.goes.append(seeds)
        return [self.geometry.run(item, seed=seed, **used) for item, seed in zip(normal_maps, seeds, strict=True)]

    def pass_on(self, mesh: Mesh, *, report: Any) -> Mesh:
        """The same mesh."""
        self.goes.append("plain")
        report(0, 1)
        return mesh

    def finish_many(self, meshes: list[Mesh], cutouts: list[Cutout], **used: Any) -> list[Mesh]:
        """The draft's finish of each."""
        self.goes.append(len(meshes))
        assert cutouts[0] is cutouts[-1]
        return [self.finish.run(mesh, cutout, **used) for mesh, cutout in zip(meshes, cutouts, strict=True)]


def test_stages_that_can_do_several_seeds_do_them_in_one_go() -> None:
    batches = Batches()
    notes = Notes()
    outcomes = [*batches.pipeline.run_seeds(request(), [5, 6, 7], notes)]
    assert batches.goes == [[5, 6, 7], "plain", "plain", "plain", 3]
    for outcome in outcomes:
        assert same_mesh(outcome.mesh, Pipeline(ENGINES).run(request(seed=outcome.recipe["seed"]), Notes()).mesh)
    assert {moment.count for moment in notes.moments} == {2 + 1 + 3 + 1}
    shares = {outcome.seconds["geometry"] for outcome in outcomes}
    assert len(shares) == 1


def test_one_go_takes_in_what_is_not_cached_and_one_seed_goes_alone() -> None:
    batches = Batches()
    batches.pipeline.run(request(seed=6), Notes())
    assert batches.goes == ["plain"]
    batches.goes.clear()
    assert len([*batches.pipeline.run_seeds(request(), [5, 6, 7], Notes())]) == 3
    assert batches.goes == [[5, 7], "plain", "plain", 2]
    batches.goes.clear()
    assert len([*batches.pipeline.run_seeds(request(), [7, 8], Notes())]) == 2
    assert batches.goes == ["plain"], "a single one goes as it always did"


def test_a_cancellation_between_seeds_keeps_the_meshes_before_it(counted: Counted) -> None:
    seen: list[Moment] = []

    def second_geometry(moment: Moment) -> bool:
        seen.append(moment)
        return moment.index == 4

    outcomes = counted.pipeline.run_seeds(request(), [5, 6], Notes(cancel=second_geometry))
    assert next(outcomes).recipe["seed"] == 5
    with pytest.raises(Cancelled):
        next(outcomes)
    assert counted.stages_of(request(seed=5)) == []


def test_unloading_reaches_every_engine() -> None:
    unloaded: list[str] = []
    engines = {name: replace(DRAFT, name=name, unload=lambda name=name: unloaded.append(name)) for name in ("a", "b")}
    Pipeline(engines).unload()
    assert unloaded == ["a", "b"]


def test_the_time_left_is_that_of_the_settings_that_matter() -> None:
    pipeline = Pipeline(ENGINES)
    pipeline.run(request(), Notes())
    notes = Notes()
    pipeline.run(request(seed=1, settings={**SMALL, "faces": 2_000}), notes)
    by_stage = {moment.stage.name: moment.eta_seconds for moment in notes.moments if moment.step == 0}
    assert by_stage["geometry"] is None, "the finish of so few faces was never measured"
    notes = Notes()
    pipeline.run(request(seed=2, settings={**SMALL, "faces": 2_000}), notes)
    assert all(moment.eta_seconds is not None for moment in notes.moments), "building was measured with other faces"


# --- how it ends early ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ALL)
def test_a_cancellation_comes_out_of_every_stage_and_leaves_it_to_be_done(stage: str, counted: Counted) -> None:
    notes = Notes(cancel=lambda moment: moment.stage.name == stage and moment.step > 0)
    with pytest.raises(Cancelled):
        counted.pipeline.run(request(), notes)
    assert counted.ran[-1] == stage
    assert counted.stages_of(request()) == ALL[ALL.index(stage) :]


@pytest.mark.parametrize("stage", ALL)
def test_a_job_that_is_cancelled_already_begins_no_stage(stage: str, counted: Counted) -> None:
    notes = Notes(cancel=lambda moment: moment.stage.name == stage)
    with pytest.raises(Cancelled):
        counted.pipeline.run(request(), notes)
    assert counted.ran == ALL[: ALL.index(stage)]


def lacking_memory(*_: object, **__: object) -> Mesh:
    raise MemoryError


def test_want_of_memory_is_said_in_a_sentence() -> None:
    stages = tuple(replace(stage, run=lacking_memory) if stage.name == "geometry" else stage for stage in DRAFT.stages)
    engine: Engine = replace(DRAFT, stages=stages)
    with pytest.raises(UserError) as caught:
        Pipeline({"draft": engine}).run(request(), Notes())
    assert caught.value.code == "out-of-memory"
    assert "building the surface" in caught.value.sentence


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"engine": "nobody"}, "unknown-engine"),
        ({"settings": {"colour": 1}}, "bad-setting"),
        ({"settings": {"resolution": 0}}, "bad-setting"),
    ],
)
def test_a_request_that_cannot_be_run_is_refused_first(changes: dict[str, Any], code: str, counted: Counted) -> None:
    for go in (counted.pipeline.run, counted.pipeline.normals):
        with pytest.raises(UserError) as caught:
            go(request(**changes), Notes())
        assert caught.value.code == code
    assert counted.ran == []


def test_before_anything_was_measured_the_engines_guess_stands() -> None:
    """An artist with a slow machine should know beforehand that it will take hours."""

    def a_thousand(_stage: str, _settings: object) -> float:
        return 1000.0

    pipeline = Pipeline({"draft": replace(DRAFT, seconds=a_thousand)})
    first, second = Notes(), Notes()
    pipeline.run(request(), first)
    pipeline.unload()
    pipeline.run(request(), second)
    guessed, measured = first.moments[0].eta_seconds, second.moments[0].eta_seconds
    assert guessed == pytest.approx(4000, abs=100)
    assert measured is not None
    assert measured < 1000
