# SPDX-License-Identifier: GPL-3.0-or-later
"""Large triangles are divided, and the parts of neighbours meet in the same points."""

import numpy as np
import pytest

from backend.raster.ticks import unwatched
from backend.texture.finer import finer
from backend.texture.sight import Sight


@pytest.mark.parametrize("size", [100.0, 1e6], ids=["as large as the picture", "far beyond it"])
def test_the_parts_of_two_triangles_meet(size: float) -> None:
    points = size * np.array([[0, 0, 0], [1, 0, 0.5], [1, 1, 1], [0, 1, 0.5]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    grid = finer(Sight(points, triangles), np.tile([0.0, 0.0, 1.0], (4, 1)), size / 8, unwatched)
    assert len(np.unique(np.rint(grid.points * 64), axis=0)) == len(grid.points), "each place is there once"
    edges = np.sort(grid.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert set(count.tolist()) == {1, 2}
    parts = int(np.ceil(np.linalg.norm(points[2]) / (size / 8)))  # of each edge, by the longest
    assert (count == 1).sum() == 4 * parts, "only the rim is open"
