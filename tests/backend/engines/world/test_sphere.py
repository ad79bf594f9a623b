# SPDX-License-Identifier: GPL-3.0-or-later
"""A sphere and its flat views: what one shows, the other shows at the same place."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backend.engines.world.sphere import View, directions, looked_up, seen_at, solid_angles, ways_of

views = st.builds(View, st.floats(-180, 180), st.floats(-90, 90), st.floats(5, 150))


@given(views, st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_a_view_sees_where_its_pixels_look(view: View, shape: tuple[int, int]) -> None:
    column, row = seen_at(view, ways_of(view, shape), shape)
    wide = np.broadcast_to(np.arange(shape[1]) + 0.5, shape)
    np.testing.assert_allclose(column, wide, atol=1e-2)
    np.testing.assert_allclose(row.T, np.broadcast_to(np.arange(shape[0]) + 0.5, shape[::-1]), atol=1e-2)


@given(views)
def test_the_axes_of_a_view_are_square_and_its_right_is_level(view: View) -> None:
    np.testing.assert_allclose(view.axes @ view.axes.T, np.eye(3), atol=1e-6)
    assert abs(view.axes[0, 2]) < 1e-6


def test_right_is_right_and_up_is_up() -> None:
    ahead = directions(64, slice(0, 64))
    np.testing.assert_allclose(ahead[31:33, 63:65].mean(axis=(0, 1)), (0, 1, 0), atol=1e-3)  # the middle looks along +y
    assert ahead[32, 96, 0] > 0.99, "a quarter to the right is +x"
    assert ahead[0, 0, 2] > 0.99
    np.testing.assert_allclose(View(90, 0, 60).axes[2], (1, 0, 0), atol=1e-6)
    np.testing.assert_allclose(View(0, 90, 60).axes[2], (0, 0, 1), atol=1e-6)


def test_each_pixel_is_looked_up_where_it_lies() -> None:
    panorama = np.random.default_rng(3).random((16, 32, 2), np.float32)
    np.testing.assert_allclose(looked_up(panorama, directions(16, slice(0, 16))), panorama, atol=1e-3)


def test_between_the_last_column_and_the_first_lies_their_mean() -> None:
    panorama = np.zeros((16, 32, 1), np.float32)
    panorama[:, -1] = 1
    assert abs(looked_up(panorama, np.array([0.0, -1.0, 0.0], np.float32))[0] - 0.5) < 1e-4


def test_the_solid_angles_are_the_whole_sphere() -> None:
    assert abs(solid_angles(32).sum() * 64 - 1) < 1e-5
