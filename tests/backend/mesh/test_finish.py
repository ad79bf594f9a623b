# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished mesh stands on the floor, is one metre long, outward, and knows its place in the picture."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.errors import UserError
from backend.mesh import check
from backend.mesh.finish import finish
from backend.stage_types import Crop, Mesh

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)
CROP = Crop(0, 0, 1, 1, 1)


def ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def mesh(vertices: NDArray[Any], triangles: NDArray[Any] = FACES) -> Mesh:
    """A mesh in the cut-out's frame."""
    return Mesh(vertices.astype(np.float32), triangles, (vertices[:, [0, 2]] + 0.5).astype(np.float32))


@given(
    scale=st.tuples(*[st.floats(0.01, 10)] * 3),
    shift=st.tuples(*[st.floats(-5, 5)] * 3),
    inverted=st.booleans(),
)
def test_it_stands_centred_on_the_floor_outward_and_one_metre_long(
    *, scale: tuple[float, float, float], shift: tuple[float, float, float], inverted: bool
) -> None:
    done = finish(mesh(CORNERS * scale + shift, FACES[:, ::-1] if inverted else FACES), CROP, ignore)
    low, high = done.vertices.min(axis=0), done.vertices.max(axis=0)
    assert (high - low).max() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(low[:2], -high[:2], atol=1e-5)
    assert low[2] == pytest.approx(0, abs=1e-6)
    assert check.signed_volume(done.vertices, done.triangles) > 0
    assert (done.vertices.dtype, done.triangles.dtype, done.uv.dtype) == (np.float32, np.int32, np.float32)


def test_uv_moves_to_the_pictures_frame() -> None:
    # The upper left quarter of a picture of 200 x 100 pixels, and a bit beyond its left border.
    corners = np.array([[-0.5, 0, 0.5], [0.5, 0, 0.5], [-0.5, 1, -0.5], [0.5, 0, -0.5]])
    done = finish(mesh(corners), Crop(left=-10, top=0, side=50, picture_width=200, picture_height=100), ignore)
    np.testing.assert_allclose(done.uv, [[-0.05, 1.0], [0.2, 1.0], [-0.05, 0.5], [0.2, 0.5]], atol=1e-6)


def test_vertices_that_no_triangle_uses_are_dropped() -> None:
    done = finish(mesh(np.concatenate([[[9, 9, 9]], CORNERS]), FACES + 1), CROP, ignore)
    assert len(done.vertices) == len(done.uv) == 4


def test_specks_are_dropped_and_small_parts_stay() -> None:
    parts = np.concatenate([CORNERS, CORNERS * 0.005 + 2, CORNERS * 0.1 - 1])
    done = finish(mesh(parts, np.concatenate([FACES, FACES + 4, FACES + 8])), CROP, ignore)
    assert len(done.triangles) == 8


def test_the_face_budget_is_kept() -> None:
    turn = 2 * np.pi * np.arange(60) / 60
    ring = np.stack([np.cos(turn), np.sin(turn), np.zeros(60)], axis=1)
    cone = np.concatenate([ring, [[0, 0, 1], [0, 0, -1]]])
    here, there = np.arange(60), (np.arange(60) + 1) % 60
    sides = [np.stack([here, there, np.full(60, 60)], 1), np.stack([there, here, np.full(60, 61)], 1)]
    done = finish(mesh(cone, np.concatenate(sides).astype(np.int32)), CROP, ignore, faces=40)
    assert len(done.triangles) <= 40
    assert check.is_closed(done.triangles)


@pytest.mark.parametrize("triangles", [np.zeros((0, 3), np.int32), np.zeros((1, 3), np.int32)])
def test_a_mesh_without_extent_is_an_error(triangles: NDArray[Any]) -> None:
    with pytest.raises(UserError) as caught:
        finish(mesh(CORNERS, triangles), CROP, ignore)
    assert caught.value.code == "empty-mesh"
