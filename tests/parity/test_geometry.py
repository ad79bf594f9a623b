# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras, rasters and bakes are those of an analytic computation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.arrays import Float64Array
from backend.flow.products import Camera, Crop, Mesh
from backend.raster.render import vertex_normals
from backend.raster.ticks import unwatched
from backend.raster.vectors import TO_VIEWER, unit
from backend.texture import bake
from backend.texture.camera import orbit, pixels
from backend.texture.cloud import Cloud, scatter
from backend.texture.fit import POINTS, aimed, ranked
from backend.texture.likeness import target
from backend.texture.raster import look
from tests.parity import golden


def camera(facts: dict[str, Any]) -> Camera:
    return orbit(facts["az_deg"], facts["el_deg"], facts["dist"], facts["fov_deg"])


def seen(points: Float64Array, facts: dict[str, Any]) -> Float64Array:
    offset = (facts["off_x_px"], facts["off_y_px"])
    return pixels(points.astype(np.float64), camera(facts), (facts["h"], facts["w"]), offset)


@golden.each("geometry_camera")
def test_cameras(path: Path) -> None:
    fixture = golden.read(path)
    points = fixture.input("points").numpy()
    for number, facts in enumerate(fixture.facts["cameras"]):
        matrix = camera(facts).matrix
        np.testing.assert_allclose(seen(points, facts), fixture.output("pixels_depth")[number].numpy(), atol=1e-9)
        np.testing.assert_allclose(matrix[:3, 3], fixture.output("position")[number].numpy(), atol=1e-9)
        np.testing.assert_allclose(matrix[:3, :3].T, fixture.output("right_up_back")[number].numpy(), atol=1e-9)


@golden.each("geometry_raster")
def test_rasters(path: Path) -> None:
    fixture = golden.read(path)
    vertices, faces = fixture.input("verts").numpy(), fixture.input("faces").numpy()
    for number, facts in enumerate(fixture.facts["cameras"]):
        found = look(seen(vertices, facts), faces, (facts["h"], facts["w"]))
        safe = fixture.output(f"safe.{number}").numpy() == 1
        depths = np.where(np.isfinite(found.depths), found.depths, 0)
        np.testing.assert_array_equal(found.triangles[safe], fixture.output(f"ids.{number}").numpy()[safe])
        np.testing.assert_allclose(
            found.weights[safe], fixture.output(f"barycentrics.{number}").numpy()[safe], atol=2e-4
        )
        np.testing.assert_allclose(depths[safe], fixture.output(f"depth.{number}").numpy()[safe], atol=1e-5)


@golden.each("geometry_bake")
def test_bakes(path: Path) -> None:
    fixture = golden.read(path)
    vertices, faces = fixture.input("verts").numpy(), fixture.input("faces").numpy()
    normals = vertex_normals(Mesh(vertices, faces, np.zeros((len(vertices), 2), np.float32)))
    np.testing.assert_allclose(normals, fixture.output("vertex_normals").numpy(), atol=1e-6)
    tolerance = fixture.facts["depth_tolerance"] * np.ptp(vertices, axis=0).max()
    strengths = fixture.facts["view_weights"]
    weights, colours = [], []
    for number, (facts, strength) in enumerate(zip(fixture.facts["cameras"], strengths, strict=True)):
        places = seen(vertices, facts)
        depths = look(places, faces, (facts["h"], facts["w"])).depths
        kept = bake.without_rim(np.isfinite(depths)).astype(np.float32)
        view = bake.View(depths, kept, tolerance, strength)
        away = camera(facts).matrix[:3, 3] - vertices
        cosines = (normals * away).sum(axis=1) / np.linalg.norm(away, axis=1)
        weights.append(bake.weights(places, cosines, view))
        colours.append(bake.sample(fixture.input("images")[number].numpy(), places[:, 0], places[:, 1]))
    found, wanted = np.array(weights), fixture.output("weights").numpy()
    agree = (found > 0) == (wanted > 0)
    assert (~agree).mean() <= 0.005
    np.testing.assert_allclose(found[agree], wanted[agree], atol=1e-4)
    blended = bake.blend(found, np.array(colours, np.float64), strengths[0])
    same = agree.all(axis=0)
    np.testing.assert_allclose(blended[same], fixture.output("colour").numpy()[same], atol=1e-4)


@golden.each("geometry_fit")
def test_fits(path: Path) -> None:
    """The field of view and the distance that are assumed are not the true ones; the camera looks at the origin."""
    fixture = golden.read(path)
    cloud = about_the_origin(scatter(fixture.input("verts").numpy(), fixture.input("faces").numpy(), POINTS))
    mask, normals = fixture.input("mask").numpy().astype(np.float32), fixture.input("normals").numpy()
    side = max(mask.shape)
    below, beside = (side - length for length in mask.shape)
    alpha = np.pad(mask, ((0, below), (0, beside)))
    facing = unit(np.pad(normals, ((0, below), (0, beside), (0, 0))), TO_VIEWER)
    wanted = target(alpha, facing, Crop(0, 0, side, mask.shape[1], mask.shape[0]))
    starts = ranked(cloud, wanted, fixture.facts["assumed_dist"], unwatched)
    found = max((aimed(cloud, wanted, each.pose, unwatched) for each in starts), key=lambda each: each.likeness.whole)
    azimuth, elevation = fixture.output("az_el_deg").tolist()
    assert abs((found.pose.azimuth - azimuth + 180) % 360 - 180) <= 3
    assert abs(found.pose.elevation - elevation) <= 5


def about_the_origin(cloud: Cloud) -> Cloud:
    """The same points in the mesh's own axes and unit."""
    points, outer = (part * cloud.radius + cloud.centre for part in (cloud.points, cloud.outer))
    return Cloud(points.astype(np.float32), cloud.normals, outer, np.zeros(3), 1.0)


def test_a_camera_of_parallel_rays_sees_its_width() -> None:
    parallel = Camera(orbit(0, 0, 5, 0).matrix, 0.0, 2.0)
    np.testing.assert_allclose(
        pixels(np.array([[0.0, 0, 0], [1.0, 0, 0], [0, -1.0, 1.0]]), parallel, (40, 80)),
        [[40, 20, 5], [80, 20, 5], [40, -20, 4]],
        atol=1e-9,
    )


@pytest.mark.parametrize("perspective", [True, False])
def test_what_lies_behind_the_camera_is_not_drawn(*, perspective: bool) -> None:
    places = np.array([[0.0, 0, 1], [10, 0, 1], [0, 10, -1 if perspective else 1]])
    found = look(places, np.array([[0, 1, 2]], np.int32), (10, 10), perspective=perspective)
    assert (found.triangles == -1).all() == perspective
