# SPDX-License-Identifier: GPL-3.0-or-later
"""Points beside a surface's sharp edges, where softened meshes are wrong and averages over a surface do not show it.

After the sharp normal error of Dora (Chen et al. 2025), which compares rendered normals near salient edges; here the
places are taken on the surface itself, so that no view has to see them.
"""

import numpy as np

from ...arrays import Float64Array
from .triangles import Triangles, areas, crosses, joined, of_some, shared_edges

SHARP = 30.0  # degrees between two faces' normals: what Blender's own selection of sharp edges begins with
BESIDE = 0.01  # of the longest side: how far from its edge a point lies, and a third of its face's height at most


def beside_sharp_edges(surface: Triangles, count: int, seed: int) -> tuple[Float64Array, Float64Array] | None:
    """Return points on both faces beside sharp edges, uniform by the edges' lengths, and their faces' unit normals.

    Each is float64 (count, 3). None if no edge of exactly two faces is sharp. Faces may be wound wrongly: only how far
    their planes are from one another counts, so that an edge that is folded to less than 30 degrees is missed.
    """
    surface = joined(surface)
    surface = of_some(surface, areas(surface.corners) > 0)
    faces, corners = surface.faces, surface.corners
    normals = crosses(corners)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    pairs = shared_edges(faces)
    one, other = normals[pairs[:, 0] % len(faces)], normals[pairs[:, 1] % len(faces)]
    sharp = pairs[np.abs((one * other).sum(axis=1)) < np.cos(np.radians(SHARP))].reshape(-1)
    if not len(sharp):
        return None
    side, face = np.divmod(sharp, len(faces))
    start, end, tip = (corners[face, (side + turn) % 3] for turn in range(3))
    lengths = np.linalg.norm(end - start, axis=1)
    random = np.random.default_rng(seed)
    chosen = random.choice(len(sharp), count, p=lengths / lengths.sum())
    along = (end - start)[chosen] / lengths[chosen, None]
    inward = (tip - start)[chosen]
    inward -= (inward * along).sum(axis=1, keepdims=True) * along
    height = np.linalg.norm(inward, axis=1, keepdims=True)
    share = np.minimum(BESIDE / height, 1 / 3)
    # From a place on the edge straight to the tip: so a point stays in its face, however narrow that is.
    place = start[chosen] + (end - start)[chosen] * random.random((count, 1))
    return place + (tip[chosen] - place) * share, normals[face[chosen]]
