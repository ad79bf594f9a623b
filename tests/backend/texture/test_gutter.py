# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever draws a surface by its image sees each chart's own colours up to its edge."""

import numpy as np
import pytest

from backend.arrays import Float32Array, Float64Array, Int32Array
from backend.raster.pull_push import fill
from backend.texture.atlas import Atlas, lay_out
from backend.texture.bake import sample
from backend.texture.gutter import bordered
from tests.backend.texture.shapes import ball, nothing, together

TWO = together(ball(middle=(64, 64, 50)), ball(middle=(64, 64, -50)))


def filled(atlas: Atlas, colours: Float32Array, *, borders: bool) -> Float32Array:
    """The atlas's image, (S, S, 3), if every chart has a colour of its own, (C, 3)."""
    image, shown = np.zeros((atlas.size**2, 3), np.float32), np.zeros(atlas.size**2, np.bool_)
    for pixel, triangle, _ in atlas.pixels(nothing):
        image[pixel] = colours[atlas.chart[triangle]]
        shown[pixel] = True
    shape = (atlas.size, atlas.size)
    whole = fill(image.reshape(*shape, 3), shown.reshape(shape).astype(np.float32))
    return bordered(whole, shown.reshape(shape)) if borders else whole


@pytest.mark.parametrize(("points", "triangles"), [ball(40), TWO], ids=["ball", "two"])
def test_every_edge_of_a_triangle_has_its_charts_colour(points: Float64Array, triangles: Int32Array) -> None:
    atlas = lay_out(points, triangles, 128, 2048, 2.0, nothing)
    colours = np.random.default_rng(0).random((atlas.chart.max() + 1, 3)).astype(np.float32)
    corners = atlas.uv.astype(np.float64)
    middles = (corners + np.roll(corners, -1, axis=1)) / 2
    places = np.concatenate([corners, middles], axis=1).reshape(-1, 2) * atlas.size
    own = np.repeat(colours[atlas.chart], 6, axis=0)

    def wrong(*, borders: bool) -> Float32Array:
        image = filled(atlas, colours, borders=borders)
        return np.abs(sample(image, places[:, 0], atlas.size - places[:, 1]) - own).max(axis=1)

    assert (wrong(borders=False) > 0.1).any()
    assert wrong(borders=True).max() < 1e-5


def test_the_surface_stays_and_an_image_without_any_is_left_alone() -> None:
    image, shown = np.random.default_rng(0).random((9, 7, 2)).astype(np.float32), np.zeros((9, 7), np.bool_)
    np.testing.assert_array_equal(bordered(image.copy(), shown), image)
    shown[0, 6] = True
    made = bordered(image.copy(), shown)
    np.testing.assert_array_equal(made[:3, 4:], np.broadcast_to(image[0, 6], (3, 3, 2)))
    made[:3, 4:] = image[:3, 4:]
    np.testing.assert_array_equal(made, image)
