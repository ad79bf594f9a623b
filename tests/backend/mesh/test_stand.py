# SPDX-License-Identifier: GPL-3.0-or-later
"""A body that nearly stands is set down, and one that lies or has no sole stays as it is."""

from dataclasses import replace

import numpy as np
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from backend.arrays import Float64Array
from backend.flow.products import Mesh
from backend.mesh.stand import set_down, stand
from tests.backend.mesh.solids import BOX, SIDES


def leaning(degrees: float, about: tuple[float, float, float]) -> Float64Array:
    """Return a rotation about a horizontal axis."""
    axis = np.array(about) / np.linalg.norm(about)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


@given(st.floats(-9, 9), st.floats(0, 360))
def test_a_box_that_nearly_stands_is_set_down(degrees: float, direction: float) -> None:
    angle = np.radians(direction)
    box = BOX * (0.5, 0.7, 1.0)
    stood = set_down(box @ leaning(degrees, (np.cos(angle), np.sin(angle), 0)).T, SIDES)
    heights = np.sort(stood[:, 2])
    assert np.ptp(heights[:4]) < 1e-6
    assert np.ptp(heights[4:]) < 1e-6


def test_a_ball_stays_round_and_a_box_on_its_edge_stays_there() -> None:
    steep = BOX @ leaning(30, (1, 0, 0)).T
    np.testing.assert_array_equal(set_down(steep, SIDES), steep)
    ball = trimesh.creation.icosphere(4)
    stood = set_down(np.array(ball.vertices), np.array(ball.faces, np.int32))
    np.testing.assert_allclose(np.linalg.norm(stood, axis=1), 1, atol=1e-6)


def ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def test_a_mesh_that_leans_a_little_stands_with_its_normals_and_an_open_one_stays() -> None:
    lean = leaning(7, (0, 1, 0))
    vertices = (BOX * (0.4, 0.3, 0.8) @ lean.T).astype(np.float32)
    up = np.repeat(lean[None, :, 2], 8, axis=0).astype(np.float32)
    mesh = Mesh(vertices, SIDES, np.zeros((8, 2), np.float32), None, up)
    standing = stand(mesh, upright=True, report=ignore)
    np.testing.assert_allclose(np.abs(standing.vertices[:, 2]), 0.8, atol=1e-6)
    assert standing.normals is not None
    np.testing.assert_allclose(standing.normals, np.tile([0, 0, 1], (8, 1)), atol=1e-6)
    assert stand(mesh, upright=False, report=ignore) is mesh
    opened = replace(mesh, triangles=SIDES[:-1])
    assert stand(opened, upright=True, report=ignore) is opened
