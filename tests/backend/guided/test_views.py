# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look from, what is seen there, and which part of a view comes onto the surface."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.flow.products import Camera, Cutout, Mesh
from backend.guided.baking import bake, drawn
from backend.guided.complete import Scene, scene_of
from backend.guided.directions import direction_of, texts
from backend.guided.front import reference_of
from backend.guided.planning import plan
from backend.guided.progress import Progress
from backend.guided.rendering import GROUND, render
from backend.raster.colour import srgb_to_linear
from backend.raster.ticks import unwatched
from backend.texture.bake import SQUARE
from tests.backend.texture.test_paint import ignore

GREEN = np.array([0.1, 0.8, 0.2], np.float32)


@pytest.fixture
def scene(painted: tuple[Mesh, Cutout]) -> Scene:
    return scene_of(*painted, Progress(ignore))


def view_axis(camera: Camera) -> Float64Array:
    return camera.matrix[:3, 2]


def test_the_front_is_seen_and_the_back_is_not(scene: Scene) -> None:
    y = scene.texels.normals[:, 1]
    assert (scene.texels.seen[y < -0.9] > SQUARE).mean() > 0.9
    assert not scene.texels.seen[y > 0.1].any()


def test_the_first_view_that_is_chosen_looks_at_the_back(scene: Scene) -> None:
    (camera,) = plan(scene.surface, scene.front, 1, 0.0, unwatched)
    assert view_axis(camera)[1] > 0.9
    assert direction_of(camera) == "Back view"


def test_views_are_chosen_until_little_is_left_and_begin_beside_the_front(scene: Scene) -> None:
    few, more = (plan(scene.surface, scene.front, 12, enough, unwatched) for enough in (0.3, 0.02))
    assert 0 < len(few) < len(more) < 12
    towards = [-view_axis(camera)[1] for camera in more]
    assert towards == sorted(towards, reverse=True)
    assert plan(scene.surface, scene.front, 12, 1.0, unwatched) == []


def test_the_reference_is_the_picture_with_the_depth_of_its_object(scene: Scene, painted: tuple[Mesh, Cutout]) -> None:
    size = 64
    reference = reference_of(scene.front, painted[1], size, unwatched)
    front = render(scene.surface, drawn(scene.texels, unwatched), scene.surface.camera(0, 0), size, unwatched)
    for each in (reference, front):
        assert each.depth[0, 0] == 0.0
        np.testing.assert_allclose(each.colours[0, 0], GROUND, atol=1e-6)
        assert each.depth[size // 2, size // 2] == pytest.approx(1.0, abs=0.02)
        at_rim = each.depth[each.cover > 0.99].min()
        assert 0.65 < at_rim < 0.85  # of a ball the rim is half as deep
    assert np.abs(reference.colours[32, 32] - front.colours[32, 32]).max() < 0.1


def test_a_view_replaces_what_was_guessed_and_leaves_what_the_picture_shows(scene: Scene) -> None:
    before = replace(scene.texels, colours=scene.texels.colours.copy(), seen=scene.texels.seen.copy())
    made = np.broadcast_to(GREEN, (128, 128, 3)).astype(np.float32)
    assert bake(scene.surface, scene.texels, scene.surface.camera(180, 0), made, unwatched) > 0
    y = before.normals[:, 1]
    facing = scene.texels.colours[y > 0.8]
    assert np.abs(facing - srgb_to_linear(GREEN)).mean() < 0.01
    for untouched in (before.seen > SQUARE, y < 0.2):
        np.testing.assert_array_equal(scene.texels.colours[untouched], before.colours[untouched])
    again = scene.texels.colours.copy()
    bake(scene.surface, scene.texels, scene.surface.camera(180, 0), made * 0, unwatched)
    np.testing.assert_array_equal(scene.texels.colours[y > 0.95], again[y > 0.95])  # it has been seen since


def test_between_two_views_there_is_no_step(scene: Scene) -> None:
    """The share of a view grows from nothing, as the picture's own does."""
    before = scene.texels.colours.copy()
    made = np.broadcast_to(GREEN, (128, 128, 3)).astype(np.float32)
    bake(scene.surface, scene.texels, scene.surface.camera(180, 0), made, unwatched)
    share = np.linalg.norm(scene.texels.colours - before, axis=1) / np.linalg.norm(
        srgb_to_linear(GREEN) - before, axis=1
    )
    y = scene.texels.normals[:, 1]
    at = np.abs(scene.texels.normals[:, 2]) < 0.3  # away from what the silhouette's rim cuts
    steps = [share[at & (np.abs(y - angle) < 0.02)].mean() for angle in np.arange(0.3, 0.95, 0.05)]
    assert steps[0] == pytest.approx(0.0, abs=0.02)
    assert steps[-1] > 0.95
    assert all(later >= earlier - 0.02 for earlier, later in pairwise(steps))


@pytest.mark.parametrize(
    ("azimuth", "elevation", "name"),
    [(0, 0, "Front view"), (90, 10, "Side view"), (-90, 0, "Side view"), (170, -20, "Back view"), (20, 85, "Top view")],
)
def test_a_view_in_words(scene: Scene, azimuth: float, elevation: float, name: str) -> None:
    assert direction_of(scene.surface.camera(azimuth, elevation)) == name
    assert texts("a red toy car")[name] == f"{name} of a red toy car"
    assert texts("")[name] == name
