# SPDX-License-Identifier: GPL-3.0-or-later
"""The hi3dgen engine on tiny weights, through a real backend process and its socket, into a real Blender."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.weights.catalogue import GUIDED
from tests.blender_addon.support import MODULE, disc, image_of, tick_until, vertices_of, weights_in

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

QUICK = {"engine": "hi3dgen", "quality": "preview", "structure_steps": 2, "latent_steps": 2, "colours": "front"}


@pytest.fixture(scope="module")
def weights(tiny_weights: Path, extension: ModuleType) -> Iterator[None]:
    """A backend that is started now knows the weights; it ends with the tests of this module."""
    with weights_in(tiny_weights):
        yield


@pytest.fixture
def with_weights(weights: None, session: Any) -> Any:
    """The session, with a backend that knows the weights."""
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    return session


def test_a_picture_becomes_a_coloured_mesh_with_its_normal_map(with_weights: Any) -> None:
    assert with_weights.engine("hi3dgen").missing == ""
    picture = image_of(disc(), "apple")
    bpy.context.scene.hi3dgen.picture = picture
    assert bpy.ops.hi3dgen.generate(seed=3, **QUICK) == {"FINISHED"}
    thing = bpy.context.object
    vertices = vertices_of(thing)
    assert np.ptp(vertices, axis=0).max() == pytest.approx(1, abs=1e-4)
    assert vertices[:, 2].min() == pytest.approx(0, abs=1e-4)
    colour = thing.data.color_attributes["Hi3DGen Colour"]
    assert len(colour.data) == len(vertices)
    assert len(thing.data.attributes["Hi3DGen Normal"].data) == len(vertices)
    recipe = thing["hi3dgen"]
    assert (recipe["engine"], recipe["seed"]) == ("hi3dgen", 3)
    assert recipe["settings"]["quality"] == "preview"
    nodes = thing.active_material.node_tree.nodes
    assert np.array_equal(np.array(nodes["Picture"].image.pixels[:]), np.array(picture.pixels[:]))
    assert nodes["Normal Map"].image.name == "apple normals", "the normal map came along"


def image_all_round(thing: Any) -> NDArray[np.float32]:
    pixels = np.empty(len((image := thing.active_material.node_tree.nodes["All Round"].image).pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_unseen_sides_are_filled_or_drawn_as_the_artist_chooses(with_weights: Any) -> None:
    bpy.context.scene.hi3dgen.picture = image_of(disc(), "apple")
    made: dict[str, Any] = {}
    for unseen in ("filled", "drawn"):
        assert bpy.ops.hi3dgen.generate(**{**QUICK, "seed": 3, "unseen": unseen, "colours": "1024"}) == {"FINISHED"}
        made[unseen] = bpy.context.object
    assert made["drawn"]["hi3dgen"]["settings"]["unseen"] == "drawn"
    assert GUIDED.name in made["drawn"]["hi3dgen"]["versions"]
    assert np.array_equal(vertices_of(made["filled"]), vertices_of(made["drawn"]))
    filled, drawn = (image_all_round(thing) for thing in made.values())
    assert filled.shape == drawn.shape
    assert (filled != drawn).mean() > 0.05


@pytest.mark.slow
def test_variations_share_what_they_can_and_each_can_be_made_again(with_weights: Any) -> None:
    bpy.context.scene.hi3dgen.picture = image_of(disc(), "apple")
    before = set(bpy.data.objects)
    assert bpy.ops.hi3dgen.generate(seed=5, count=2, **QUICK) == {"FINISHED"}
    made = {thing["hi3dgen"]["seed"]: thing for thing in set(bpy.data.objects) - before}
    assert set(made) == {5, 6}
    first = vertices_of(made[5])
    assert bpy.ops.hi3dgen.generate(seed=5, **QUICK) == {"FINISHED"}
    assert np.array_equal(vertices_of(bpy.context.object), first)


@pytest.mark.slow
def test_a_job_that_is_cancelled_leaves_the_backend_alive(with_weights: Any) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    scene = bpy.context.scene
    settings = {**QUICK, "structure_steps": 200}
    job = generate.submit(scene, image_of(disc(), "apple"), settings.pop("engine"), 1, settings=settings)
    tick_until(with_weights, lambda: job.progress is not None and job.progress.stage == "structure")
    pid = with_weights.pid
    with_weights.cancel(job)
    tick_until(with_weights, lambda: not job.live)
    assert job.error is None or "cancel" in job.error.sentence.lower()
    assert with_weights.pid == pid
    bpy.context.scene.hi3dgen.picture = image_of(disc(), "apple")
    assert bpy.ops.hi3dgen.generate(seed=1, **QUICK) == {"FINISHED"}


def test_the_device_that_is_chosen_in_the_preferences_is_the_one_it_computes_on(with_weights: Any) -> None:
    preferences = bpy.context.preferences.addons[MODULE].preferences
    bpy.context.scene.hi3dgen.picture = image_of(disc(), "apple")
    preferences.device = "cuda:7"
    try:
        with pytest.raises(RuntimeError, match="“cuda:7” cannot be used here"):
            bpy.ops.hi3dgen.generate(seed=3, **QUICK)
    finally:
        preferences.device = ""


def test_without_weights_the_engine_says_what_it_lacks(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path / "nowhere"))
    session.close()
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    assert "weights" in session.engine("hi3dgen").missing
    bpy.context.scene.hi3dgen.picture = image_of(disc(), "apple")
    with pytest.raises(RuntimeError, match="weights"):
        bpy.ops.hi3dgen.generate(**QUICK)
    session.close()
