# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles are found at the centres of pixels, whatever their size, and whoever waits is asked on the way."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.raster.triangles import hits, nearest

PLACES = st.integers(-30, 60).map(lambda place: place / 2)  # corners on pixels' edges and centres, and outside
CORNERS = st.lists(st.tuples(PLACES, PLACES, st.integers(0, 9)), min_size=3, max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(CORNERS, min_size=1, max_size=8), st.integers(1, 24), st.integers(1, 24))
def test_a_triangle_is_found_at_every_centre_in_it(
    drawn: list[list[tuple[float, ...]]], rows: int, columns: int
) -> None:
    corners = np.array(drawn, np.float64)
    centres = np.moveaxis(np.indices((rows, columns)), 0, -1).reshape(-1, 2)[:, ::-1] + 0.5
    a, b, c = np.moveaxis(corners[:, None, :, :2] - centres[None, :, None], 2, 0)
    turns = np.stack([p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0] for p, q in ((b, c), (c, a), (a, b))])
    whole = turns.sum(axis=0)
    inside = (whole != 0) & (turns * np.sign(whole) >= 0).all(axis=0)
    depths = np.einsum("ctp,tc->tp", turns, corners[..., 2]) / np.where(inside, whole, 1)

    pixel, triangle, depth, weights = hits(corners, (rows, columns))
    found = np.zeros_like(inside)
    found[triangle, pixel] = True
    np.testing.assert_array_equal(found, inside)
    assert len(pixel) == inside.sum()
    np.testing.assert_allclose(depth, depths[triangle, pixel], atol=1e-9)
    np.testing.assert_allclose(np.einsum("pc,pcx->px", weights, corners[triangle, :, :2]), centres[pixel], atol=1e-9)

    pixel, triangle, _ = nearest(corners, (rows, columns))
    assert sorted(pixel) == np.flatnonzero(inside.any(axis=0)).tolist()
    np.testing.assert_allclose(depths[triangle, pixel], np.where(inside, depths, np.inf).min(axis=0)[pixel], atol=1e-9)


def test_a_triangle_larger_than_the_image_asks_on_the_way() -> None:
    asked: list[None] = []
    corners = np.array([[(0, 0, 0), (4000, 0, 0), (0, 4000, 0)]], np.float64)
    nearest(corners, (1000, 2000), lambda: asked.append(None))
    assert len(asked) > 2 * 1000 * 2000 / 300_000
