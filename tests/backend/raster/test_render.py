# SPDX-License-Identifier: GPL-3.0-or-later
"""The renderer draws the nearest surface, lit from the viewer's side, on a transparent background."""

import numpy as np
import pytest

from backend.flow.products import Mesh, Texture
from backend.raster.render import render
from backend.raster.triangles import nearest


def box(size: tuple[float, float, float]) -> Mesh:
    """A box on the floor, outward."""
    corners = np.array(list(np.ndindex(2, 2, 2)), np.float32) * size - np.array([size[0] / 2, size[1] / 2, 0])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [(a, b, c) for a, b, c, _ in quads] + [(a, c, d) for a, _, c, d in quads]
    return Mesh(corners.astype(np.float32), np.array(triangles, np.int32), np.zeros((8, 2), np.float32))


@pytest.mark.parametrize(("angle", "width"), [(0, 0.4), (90, 0.8), (180, 0.4)])
def test_a_box_covers_its_outline(angle: float, width: float) -> None:
    size = 220  # 200 pixels a metre
    covered = render(box((0.4, 0.8, 1.0)), angle, size)[..., 3] > 0
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    assert len(rows) == pytest.approx(200, abs=1)
    assert len(columns) == pytest.approx(200 * width, abs=1)
    assert covered[rows[0] : rows[-1], columns[0] : columns[-1]].all()


def test_the_nearer_of_two_surfaces_is_shown() -> None:
    near, far = box((0.3, 0.1, 0.3)), box((1.0, 0.1, 1.0))
    near.vertices[:, 1] -= 0.4
    near.vertices[:, 2] += 0.35
    both = Mesh(
        np.concatenate([far.vertices, near.vertices]), np.concatenate([far.triangles, near.triangles + 8]), far.uv
    )
    pixel, triangle, _ = nearest(
        np.stack([both.vertices[:, 0] + 0.5, 1 - both.vertices[:, 2], both.vertices[:, 1]], axis=1)[both.triangles]
        * np.array([100, 100, 1]),
        (100, 100),
    )
    shown = dict(zip(pixel.tolist(), triangle.tolist(), strict=True))
    assert shown[50 * 100 + 50] >= 12
    assert shown[5 * 100 + 5] < 12


def test_every_pixel_of_an_image_covers_its_own_square() -> None:
    """A plate of a metre shows an image of four columns: at 40 pixels a metre each is 10 wide."""
    corners = np.array([(-0.5, 0, 0), (0.5, 0, 0), (0.5, 0, 1), (-0.5, 0, 1)], np.float32)
    uv = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    image = np.full((4, 4, 4), 255, np.uint8)
    image[..., 0] = [0, 80, 160, 240]
    plate = Mesh(corners, np.array([(0, 1, 2), (0, 2, 3)], np.int32), uv, texture=Texture(base_colour=image))
    np.testing.assert_array_equal(render(plate, 0.0, 44, coloured=True)[20, 2:42, 0], np.repeat([0, 80, 160, 240], 10))
