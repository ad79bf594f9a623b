# SPDX-License-Identifier: GPL-3.0-or-later
"""A view in a square is seen by the square's camera where the view's own camera sees it, whatever its sides are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backend.flow.products import Camera
from backend.texture.camera import is_rigid, orbit, pixels
from backend.texture.square import of_square, squared

sides = st.integers(20, 90)


@given(sides, sides, st.sampled_from([0.0, 30.0, 40.0]), st.floats(-180, 180), st.floats(-80, 80))
def test_points_are_where_the_view_lies_in_the_square(
    height: int, width: int, fov: float, azimuth: float, elevation: float
) -> None:
    camera = Camera(orbit(azimuth, elevation, 2.5, fov).matrix, fov, 1.5)
    points = np.random.default_rng(0).uniform(-0.3, 0.3, (50, 3))
    view = np.zeros((height, width, 4), np.uint8)
    view[0, 0] = 255
    view[1:, 1:] = 9
    square = squared(view)
    side = len(square)
    assert square.shape == (side, side, 4)
    top, left = (max(width - height, 0) // 2, max(height - width, 0) // 2)
    assert (square[top, left] == 255).all()
    found = of_square(camera, height, width)
    assert is_rigid(found.matrix)
    expected = pixels(points, camera, (height, width))[:, :2] + (left, top)
    np.testing.assert_allclose(pixels(points, found, (side, side))[:, :2], expected, atol=0.1)
