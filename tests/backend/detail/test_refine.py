# SPDX-License-Identifier: GPL-3.0-or-later
"""Halved edges: a closed mesh stays closed and keeps its shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.detail.refine import edges_of, halved
from backend.flow.products import Mesh
from backend.mesh.check import is_closed, pinched_vertices, signed_volume
from tests.backend.texture.shapes import ball

POINTS, TRIANGLES = ball(6)
BALL = Mesh(POINTS.astype(np.float32), TRIANGLES, POINTS[:, :2].astype(np.float32))
ENDS, SIDES = edges_of(TRIANGLES)


def test_every_edge_is_there_once_with_its_triangles() -> None:
    assert len(ENDS) == 3 * len(TRIANGLES) // 2
    for side in range(3):
        corners = np.sort(TRIANGLES[:, [side, (side + 1) % 3]], axis=1)
        np.testing.assert_array_equal(ENDS[SIDES[:, side]], corners)


@given(st.floats(0, 1), st.integers(0, 1000))
def test_any_edges_can_be_halved(share: float, seed: int) -> None:
    chosen = np.random.default_rng(seed).random(len(ENDS)) < share
    mesh = halved(BALL, ENDS, SIDES, chosen)
    assert is_closed(mesh.triangles)
    assert pinched_vertices(mesh.triangles) == 0
    assert len(mesh.triangles) == len(TRIANGLES) + 2 * chosen.sum()
    assert signed_volume(mesh.vertices, mesh.triangles) == pytest.approx(signed_volume(POINTS, TRIANGLES), rel=1e-5)
    np.testing.assert_array_equal(mesh.vertices[: len(POINTS)], BALL.vertices)
    np.testing.assert_allclose(mesh.vertices[len(POINTS) :], POINTS[ENDS[chosen]].mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(mesh.uv, mesh.vertices[:, :2], rtol=1e-5)


def test_colours_and_normals_are_halved_too() -> None:
    normals = (POINTS - (64, 64, 0)).astype(np.float32) / 40
    with_all = Mesh(BALL.vertices, TRIANGLES, BALL.uv, colours=np.abs(normals), normals=normals)
    mesh = halved(with_all, ENDS, SIDES, np.ones(len(ENDS), np.bool_))
    assert mesh.colours is not None
    assert mesh.normals is not None
    assert mesh.colours.dtype == mesh.normals.dtype == np.float32
    np.testing.assert_allclose(mesh.colours[len(POINTS) :], np.abs(normals)[ENDS].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
