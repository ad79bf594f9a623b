# SPDX-License-Identifier: GPL-3.0-or-later
"""Voxels are drawn as seen from the front, the nearest over the others, shaded by depth and slope."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.raster.voxels import draw_voxels


def drawn(*voxels: tuple[int, int, int], resolution: int = 8) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return draw_voxels(np.array(voxels, np.int32).reshape(-1, 3), resolution)


@given(st.integers(1, 300), st.data())
def test_a_pixel_is_opaque_exactly_where_a_voxel_lies_behind_it(resolution: int, data: st.DataObject) -> None:
    shapes = st.tuples(st.integers(0, 20), st.just(3))
    coords = data.draw(hnp.arrays(np.int32, shapes, elements=st.integers(0, resolution - 1)))
    picture = draw_voxels(coords, resolution)
    scale = max(256 // resolution, 1)
    assert picture.shape == (resolution * scale, resolution * scale, 4)
    seen = np.zeros((resolution, resolution), bool)
    seen[resolution - 1 - coords[:, 2], coords[:, 0]] = True
    np.testing.assert_array_equal(picture[..., 3] == 255, seen.repeat(scale, 0).repeat(scale, 1))
    assert set(np.unique(picture[..., 3])) <= {0, 255}
    assert not picture[picture[..., 3] == 0].any()


def test_no_voxels_give_an_empty_picture() -> None:
    assert not drawn().any()


def test_a_voxel_behind_another_is_hidden() -> None:
    np.testing.assert_array_equal(drawn((3, 1, 4), (3, 6, 4)), drawn((3, 1, 4)))


def test_a_farther_voxel_is_darker() -> None:
    picture = drawn((1, 0, 4), (6, 7, 4)).astype(int)
    near, far = picture[4 * 32 - 16, 1 * 32 + 16], picture[4 * 32 - 16, 6 * 32 + 16]
    assert (near[:3] > far[:3] + 30).all()


@pytest.mark.parametrize("axis", [0, 2])
def test_a_slope_towards_the_light_is_lighter(axis: int) -> None:
    """A slope that faces left, or up, against its mirror image: the light comes from the upper left."""
    across, along = np.mgrid[:8, :8].reshape(2, -1)
    coords = np.zeros((64, 3), np.int32)
    coords[:, axis], coords[:, 2 - axis] = across, along
    coords[:, 1] = 7 - across
    mirrored = coords * (1, 1, 1)
    mirrored[:, axis] = 7 - across
    falling, rising = (draw_voxels(item.astype(np.int32), 8)[64:192, 64:192, 1].mean() for item in (coords, mirrored))
    lighter, darker = (falling, rising) if axis == 0 else (rising, falling)
    assert lighter > darker + 30


def test_an_edge_is_drawn_at_a_step_and_not_in_a_wall() -> None:
    wall = draw_voxels(np.array([[x, 0, z] for x in range(8) for z in range(8)], np.int32), 8)
    inner = wall[64:192, 64:192]
    assert (inner == inner[0, 0]).all()
    assert (wall[0, 128, :3] > inner[0, 0, :3]).any()
