# SPDX-License-Identifier: GPL-3.0-or-later
"""Projecting brings UVs from the cut-out's frame into the picture's."""

from dataclasses import replace

import numpy as np
import pytest

from backend.flow.products import Crop, Cutout
from backend.mesh.project import project
from tests.backend.mesh.solids import CORNERS, ignore, mesh_of


def cutout(alpha: int = 255) -> Cutout:
    """Return a cut-out that is the upper left quarter of a picture of 200 x 100 pixels and reaches past its left."""
    crop = Crop(left=-10, top=0, side=50, picture_width=200, picture_height=100)
    return Cutout(np.full((64, 64, 4), alpha, np.uint8), crop)


def test_uvs_move_to_the_pictures_frame() -> None:
    inner = mesh_of(np.array([[-0.3, 0, 0.3], [0.3, 0, 0.3], [-0.3, 1, -0.3], [0.3, 0, -0.3]]))
    projected = project(inner, cutout(), report=ignore)
    np.testing.assert_allclose(projected.uv, [[0, 0.9], [0.15, 0.9], [0, 0.6], [0.15, 0.6]], atol=1e-6)
    assert projected.uv.dtype == np.float32


def test_uvs_at_the_outline_move_inside() -> None:
    edge = mesh_of(np.array([[-0.5, 0, 0.0], [0.5, 0, 0.0], [0.0, 0, -0.5], [0.0, 0, 0.5]]))
    u, v = project(edge, cutout(), report=ignore).uv.T
    # The crop lies at -0.05 to 0.2 across the picture and 0.5 to 1 up it; a pixel of it is 1/64 of that.
    assert (u > -0.05 + 2 * 0.25 / 64).all()
    assert (u < 0.2 - 2 * 0.25 / 64).all()
    assert (v > 0.5 + 2 * 0.5 / 64).all()
    assert (v < 1 - 2 * 0.5 / 64).all()


def test_uvs_by_corner_are_refused() -> None:
    mesh = mesh_of(CORNERS)
    with pytest.raises(ValueError, match="UVs by corner"):
        project(replace(mesh, uv=mesh.corner_uv), cutout(), report=ignore)
