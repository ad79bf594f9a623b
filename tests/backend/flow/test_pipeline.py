# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipeline on the real draft engine: which stages run again, what a watcher sees, how a job ends early."""

import hashlib
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backend.engines import DRAFT, ENGINES
from backend.errors import Cancelled, UserError
from backend.flow.pipeline import Pipeline
from backend.flow.products import Cutout, Mesh, NormalMap, Noted, Picture
from backend.flow.stage import Stage
from backend.mesh import check
from backend.normals.image import to_picture
from backend.version import VERSION
from tests.backend.flow.counted import ALL, MAPPED, SEEDED, Counted, same_mesh
from tests.backend.vase import SMALL, Notes, edited_map, mesh_of, normals_of, request, run_one, vase, with_alpha

MADE = ["cutout", "normal_map", *["mesh"] * 4, "tones", *["mesh"] * 3]


# --- what runs again --------------------------------------------------------------------------------------------------


def test_the_first_request_runs_everything_and_the_same_again_nothing(counted: Counted) -> None:
    assert counted.stages_of(request()) == ALL
    assert counted.stages_of(request()) == []
    assert counted.stages_of(request(picture=vase().copy(), settings={**SMALL, "resolution": 64.0})) == []


def test_a_new_seed_starts_at_the_first_stage_that_uses_it(counted: Counted) -> None:
    counted.stages_of(request(seed=1))
    assert counted.stages_of(request(seed=2)) == SEEDED
    assert counted.stages_of(request(seed=1)) == []


def test_an_edited_normal_map_starts_after_the_normals(counted: Counted) -> None:
    counted.stages_of(request())
    edited = edited_map()
    assert counted.stages_of(request(normal_map=edited)) == ["own_normals", *MAPPED]
    edited[30, 30, 0] ^= 8
    assert counted.stages_of(request(normal_map=edited)) == ["own_normals", *MAPPED]
    assert counted.stages_of(request()) == []


def test_a_stroke_over_the_estimated_map_leaves_the_body_as_deep_as_it_was() -> None:
    pipeline = Pipeline({"draft": DRAFT})
    estimated = normals_of(pipeline, request())
    stroked = with_alpha(to_picture(estimated))
    stroked[26:32, 14:20, :3] = (128, 128, 255)
    deep = [
        float(np.ptp(mesh_of(run_one(pipeline, request(normal_map=own), Notes())).vertices[:, 1]))
        for own in (None, stroked)
    ]
    assert deep[1] == pytest.approx(deep[0], rel=0.04)


def test_another_setting_runs_all_that_depends_on_it(counted: Counted) -> None:
    counted.stages_of(request())
    assert counted.stages_of(request(settings={**SMALL, "resolution": 72})) == ALL


def test_another_picture_runs_everything(counted: Counted) -> None:
    counted.stages_of(request())
    other = vase()
    other[45, 30, 0] ^= 1
    assert counted.stages_of(request(picture=other)) == ALL


def test_more_pictures_run_what_depends_on_them_alone(counted: Counted) -> None:
    counted.stages_of(request())
    left, back = vase(), vase()[:, ::-1].copy()
    coloured = ["sides", "normal_texture", "project"]
    assert counted.stages_of(request(inputs={"picture": vase(), "left": left})) == [
        *("left_cutout", "left_normal_map"),
        *coloured,
    ]
    assert counted.stages_of(request(inputs={"picture": vase(), "left": left, "back": back})) == [
        *("back_cutout", "back_normal_map", "geometry", "clean", "reduce", "place", "colour"),
        *coloured,
    ]
    back[45, 30, 0] ^= 1
    ran = counted.stages_of(request(inputs={"picture": vase(), "left": left, "back": back}))
    assert ran[:3] == ["back_cutout", "back_normal_map", "geometry"]
    assert counted.stages_of(request()) == []


def test_pictures_of_the_same_bytes_and_another_shape_are_others(counted: Counted) -> None:
    pixels = np.full((16, 64, 4), 255, np.uint8)
    pixels[:, ::2, 3] = 0
    for shape in ((16, 64, 4), (64, 16, 4)):
        counted.forget()
        crop = normals_of(counted.pipeline, request(picture=pixels.reshape(shape))).crop
        assert "foreground" in counted.ran
        assert crop is not None
        assert (crop.picture_height, crop.picture_width) == shape[:2]


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
        run_one(pipeline, request(seed=seed), Notes())
        assert 0 < pipeline.cached_bytes <= bound


def test_what_nobody_asks_for_is_not_made_again(counted: Counted) -> None:
    """The mesh is still there; what it was built from was the first that the full cache forgot."""
    for seed in (1, 2):
        counted.stages_of(request(seed=seed))
    full = counted.pipeline.cached_bytes
    small = Pipeline(counted.pipeline.engines, cache_bytes=full - 1)
    for seed in (1, 2):
        run_one(small, request(seed=seed), Notes())
    counted.forget()
    outcome = run_one(small, request(seed=1), Notes())
    assert counted.ran == []
    assert same_mesh(mesh_of(outcome), mesh_of(run_one(Pipeline(ENGINES), request(seed=1), Notes())))
    run_one(small, request(seed=1, settings={**SMALL, "thickness": 2.0}), Notes())
    assert counted.ran == SEEDED, "now it is asked for"


def test_only_the_normals_end_with_the_normals(counted: Counted) -> None:
    normal_map = normals_of(counted.pipeline, request())
    assert counted.ran == ["foreground", "normals"]
    assert normal_map.alpha.shape == (64, 64)
    np.testing.assert_allclose(np.linalg.norm(normal_map.normals, axis=-1), 1.0, atol=1e-4)
    assert counted.stages_of(request()) == MAPPED


# --- what a watcher sees ----------------------------------------------------------------------------------------------


def test_a_watcher_sees_every_stage_begin_and_every_result() -> None:
    notes = Notes()
    outcome = run_one(Pipeline(ENGINES), request(), notes)
    assert list(dict.fromkeys(seen.stage.name for seen in notes.progress)) == ALL
    assert [seen.index for seen in notes.progress] == sorted(seen.index for seen in notes.progress)
    assert all(seen.count == len(ALL) and 0 <= seen.step <= seen.of for seen in notes.progress)
    assert notes.names == MADE
    assert [type(product) for _, product in notes.products[:3]] == [Cutout, NormalMap, Mesh]
    assert list(outcome.products) == ["normal_map", "mesh"]
    assert notes.products[-1][1] is outcome.products["mesh"]
    assert set(outcome.seconds) == set(ALL)


def test_products_from_the_cache_are_seen_too_and_took_no_time() -> None:
    pipeline = Pipeline(ENGINES)
    run_one(pipeline, request(), Notes())
    notes = Notes()
    outcome = run_one(pipeline, request(), notes)
    assert notes.names == MADE
    assert notes.progress == []
    assert outcome.seconds == {}


def test_the_time_left_is_unknown_until_it_was_measured() -> None:
    pipeline = Pipeline(ENGINES)
    first, second = Notes(), Notes()
    run_one(pipeline, request(seed=1), first)
    assert all(seen.eta_seconds is None for seen in first.progress if seen.stage.name != "project")
    pipeline.unload()
    run_one(pipeline, request(seed=2), second)
    left = [seen.eta_seconds for seen in second.progress]
    assert all(seconds is not None and seconds >= 0.0 for seconds in left)
    assert (left[0] or 0.0) > (left[-1] or 0.0)


def test_the_recipe_holds_what_makes_the_mesh_again() -> None:
    own = edited_map()
    pipeline = Pipeline(ENGINES)
    plain = run_one(pipeline, request(seed=9), Notes()).recipe
    assert plain == {
        "inputs": {"picture": hashlib.sha256(vase().tobytes()).hexdigest()},
        "engine": "draft",
        "versions": {},
        "version": VERSION,
        "seed": 9,
        "settings": {setting.name: setting.default for setting in DRAFT.settings} | SMALL,
    }
    with_own = run_one(pipeline, request(seed=9, normal_map=own), Notes()).recipe
    assert with_own["inputs"] == {**plain["inputs"], "own_normal_map": hashlib.sha256(own.tobytes()).hexdigest()}


def test_the_same_request_makes_the_same_mesh_to_the_bit() -> None:
    meshes = [mesh_of(run_one(Pipeline(ENGINES), request(seed=4), Notes())) for _ in range(2)]
    for name in ("vertices", "triangles", "uv"):
        np.testing.assert_array_equal(getattr(meshes[0], name), getattr(meshes[1], name))


def test_another_seed_makes_another_body() -> None:
    pipeline = Pipeline(ENGINES)
    meshes = [mesh_of(run_one(pipeline, request(seed=seed), Notes())) for seed in (0, 1)]
    volumes = [check.signed_volume(mesh.vertices, mesh.triangles) for mesh in meshes]
    assert abs(volumes[0] - volumes[1]) > 0.01 * volumes[0]


def test_unloading_reaches_every_engine() -> None:
    unloaded: list[str] = []
    engines = {name: replace(DRAFT, name=name, unload=lambda name=name: unloaded.append(name)) for name in ("a", "b")}
    Pipeline(engines).unload()
    assert sorted(unloaded) == ["a", "b"]


def test_an_engine_that_cannot_unload_keeps_no_other_from_it() -> None:
    def stuck() -> None:
        raise OSError("the card does not answer")

    unloaded: list[str] = []
    whole = [replace(DRAFT, name=name, unload=lambda name=name: unloaded.append(name)) for name in ("a", "b")]
    engines = [whole[0], replace(DRAFT, name="stuck", unload=stuck), whole[1]]
    with pytest.raises(OSError, match="does not answer"):
        Pipeline({engine.name: engine for engine in engines}).unload()
    assert sorted(unloaded) == ["a", "b"]


def test_the_time_left_is_that_of_the_settings_that_matter() -> None:
    pipeline = Pipeline(ENGINES)
    run_one(pipeline, request(), Notes())
    notes = Notes()
    run_one(pipeline, request(seed=1, settings={**SMALL, "faces": 2_000}), notes)
    by_stage = {seen.stage.name: seen.eta_seconds for seen in notes.progress if seen.step == 0}
    assert by_stage["geometry"] is None, "reducing to so few faces was never measured"
    notes = Notes()
    run_one(pipeline, request(seed=2, settings={**SMALL, "faces": 2_000}), notes)
    assert all(seen.eta_seconds is not None for seen in notes.progress), "building was measured with other faces"


# --- how it ends early ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [name for name in ALL if name not in ("reduce", "tones")])  # which report no steps
def test_a_cancellation_comes_out_of_every_stage_and_leaves_it_to_be_done(stage: str, counted: Counted) -> None:
    notes = Notes(cancel=lambda seen: seen.stage.name == stage and seen.step > 0)
    colours = "all_round" if stage in ("colour", "normal_texture") else "front"
    asked = request(settings={**SMALL, "colours": colours, "normal_texture": "always"})
    with pytest.raises(Cancelled):
        run_one(counted.pipeline, asked, notes)
    assert [name for name in counted.ran if name != "tones"][-1] == stage
    assert counted.stages_of(asked) == ALL[ALL.index(stage) :]


@pytest.mark.parametrize("stage", ALL)
def test_a_job_that_is_cancelled_already_begins_no_stage(stage: str, counted: Counted) -> None:
    notes = Notes(cancel=lambda seen: seen.stage.name == stage)
    with pytest.raises(Cancelled):
        run_one(counted.pipeline, request(), notes)
    begun = ALL[: ALL.index(stage)]
    assert [name for name in counted.ran if name in begun or name != "tones"] == begun


def lacking_memory(*_: object, **__: object) -> Mesh:
    raise MemoryError


def test_want_of_memory_is_said_in_a_sentence() -> None:
    stages = tuple(replace(stage, run=lacking_memory) if stage.name == "geometry" else stage for stage in DRAFT.stages)
    engine = replace(DRAFT, stages=stages)
    with pytest.raises(UserError) as caught:
        run_one(Pipeline({"draft": engine}), request(), Notes())
    assert caught.value.code == "out-of-memory"
    assert "building the surface" in caught.value.sentence


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"engine": "nobody"}, "unknown-engine"),
        ({"settings": {"colour": 1}}, "bad-setting"),
        ({"settings": {"resolution": 0}}, "bad-setting"),
        ({"inputs": {"picture": vase(), "above": vase()}}, "bad-input"),
        ({"inputs": {}}, "bad-input"),
    ],
)
def test_a_request_that_cannot_be_run_is_refused_first(changes: dict[str, Any], code: str, counted: Counted) -> None:
    with pytest.raises(UserError) as caught:
        run_one(counted.pipeline, request(**changes), Notes())
    assert caught.value.code == code
    assert counted.ran == []


def test_before_anything_was_measured_the_engines_guess_stands() -> None:
    """An artist with a slow machine should know beforehand that it will take hours."""

    def a_thousand(_stage: str, _settings: object, inputs: Collection[str]) -> float:
        assert [*inputs] == ["picture"]
        return 1000.0

    pipeline = Pipeline({"draft": replace(DRAFT, seconds=a_thousand)})
    first, second = Notes(), Notes()
    run_one(pipeline, request(), first)
    pipeline.unload()
    run_one(pipeline, request(), second)
    guessed, measured = first.progress[0].eta_seconds, second.progress[0].eta_seconds
    assert guessed == pytest.approx(1000 * len(ALL), abs=100)
    assert measured is not None
    assert measured < 1000


# --- notes ------------------------------------------------------------------------------------------------------------


def noting(stage: Stage, note: str) -> Stage:
    """The same stage, which also says something."""

    def run(*taken: Any, **used: Any) -> Noted:
        product = stage.run(*taken, **used)
        return Noted(product.product, (*product.notes, note)) if isinstance(product, Noted) else Noted(product, (note,))

    return replace(stage, run=run)


def test_a_note_stays_with_its_product_through_the_cache() -> None:
    """Also if what it was said of was forgotten, and only what was made of it is left."""
    stages = [noting(stage, "Hm.") if stage.name == "foreground" else stage for stage in DRAFT.stages]
    pipeline = Pipeline({"draft": replace(DRAFT, stages=tuple(stages))})
    assert run_one(pipeline, request(), Notes()).notes == ("Hm.",)
    assert run_one(pipeline, request(), Notes()).notes == ("Hm.",)
    assert run_one(pipeline, request(seed=1), Notes()).notes == ("Hm.",)


def test_a_note_of_a_cancelled_job_reaches_no_other() -> None:
    foreground = next(stage for stage in DRAFT.stages if stage.name == "foreground")

    def cut_out(picture: Picture, **used: Any) -> Cutout | Noted:
        cutout = foreground.run(picture, **used)
        return Noted(cutout, ("The picture is dark.",)) if picture[..., :3].max() < 128 else cutout

    stages = tuple(replace(stage, run=cut_out) if stage is foreground else stage for stage in DRAFT.stages)
    pipeline = Pipeline({"draft": replace(DRAFT, stages=stages)})
    dark = vase() // np.array([2, 2, 2, 1], np.uint8)
    with pytest.raises(Cancelled):
        run_one(pipeline, request(picture=dark), Notes(cancel=lambda seen: seen.stage.name == "geometry"))
    assert run_one(pipeline, request(), Notes()).notes == ()
    assert run_one(pipeline, request(picture=dark), Notes()).notes == ("The picture is dark.",)


# --- stages behind the surface ----------------------------------------------------------------------------------------


def test_a_stage_behind_the_last_one_runs_and_its_product_is_given(counted: Counted) -> None:
    """Also after the cache has forgotten what it was made of."""

    def double(mesh: Mesh, *, report: Any) -> Mesh:
        report(0, 1)
        return replace(mesh, vertices=mesh.vertices * 2)

    larger = replace(DRAFT, stages=(*DRAFT.stages, Stage("double", "Doubling", "mesh", ("mesh",), (), double)))
    plain = mesh_of(run_one(Pipeline(ENGINES), request(), Notes()))
    for cache_bytes in (1 << 30, 0, 60_000):
        pipeline = Pipeline({"draft": larger}, cache_bytes)
        for _ in range(2):
            doubled = mesh_of(run_one(pipeline, request(), Notes()))
            np.testing.assert_array_equal(doubled.vertices, plain.vertices * 2)


def test_the_versions_of_an_engine_belong_to_the_recipe_and_to_the_keys(counted: Counted) -> None:
    versions = {"weights": "one"}
    engines = {"draft": replace(counted.pipeline.engines["draft"], versions=lambda: versions)}
    pipeline = Pipeline(engines)
    assert run_one(pipeline, request(), Notes()).recipe["versions"] == {"weights": "one"}
    counted.forget()
    versions["weights"] = "two"
    assert run_one(pipeline, request(), Notes()).recipe["versions"] == {"weights": "two"}
    assert counted.ran == ALL


def test_a_version_of_what_is_switched_off_is_not_in_the_recipe_and_makes_nothing_run_again(counted: Counted) -> None:
    versions = {"weights": "one", "upscale": "x2.pth 12"}
    pipeline = Pipeline({"draft": replace(counted.pipeline.engines["draft"], versions=lambda: versions)})
    assert run_one(pipeline, request(), Notes()).recipe["versions"] == {"weights": "one"}
    counted.forget()
    versions["upscale"] = "x4.pth 34"
    assert run_one(pipeline, request(), Notes()).recipe["versions"] == {"weights": "one"}
    assert counted.ran == []
    on = request(settings={**SMALL, "upscale": True})
    assert run_one(pipeline, on, Notes()).recipe["versions"] == versions
