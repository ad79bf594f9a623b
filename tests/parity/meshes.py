# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares triangle meshes whose vertices and triangles may be in any order."""

import numpy as np
from numpy.typing import NDArray

_NEAREST = 24


def matched(ours: NDArray[np.float32], theirs: NDArray[np.float32], tolerance: float = 1e-5) -> NDArray[np.int64]:
    """For each of our vertices (V, 3) the one of theirs that is nearest: indices (V,).

    Fails if one is farther than `tolerance` along any axis.
    """
    candidates, apart = _candidates(ours, theirs)
    nearest = apart.argmin(1)[:, None]
    distance = np.take_along_axis(apart, nearest, axis=1)
    assert distance.max(initial=0) <= tolerance, f"a vertex is {distance.max():.3g} from the nearest"
    return np.take_along_axis(candidates, nearest, axis=1)[:, 0]


def representative(vertices: NDArray[np.float32], tolerance: float) -> NDArray[np.int64]:
    """For each vertex (V, 3) the first that is within `tolerance` of it: indices (V,)."""
    candidates, apart = _candidates(vertices, vertices)
    return np.where(apart <= tolerance, candidates, len(vertices)).min(1)


def _candidates(
    ours: NDArray[np.float32], theirs: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each of ours some of theirs that are near, and how far along the farthest axis: two arrays (V, K).

    They are next to it along a slanted direction, along which hardly any two are at the same height.
    """
    direction = np.array([0.547, 0.619, 0.563])
    keys = theirs @ direction
    order = np.argsort(keys)
    places = np.searchsorted(keys[order], ours @ direction)[:, None] + np.arange(-_NEAREST, _NEAREST + 1)
    candidates = order[places.clip(0, len(order) - 1)]
    return candidates, np.abs(theirs[candidates] - ours[:, None]).max(2)


def canonical(triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """`triangles` (T, 3), each from its smallest index on, with the same orientation, in ascending order.

    Triangles that have a corner twice have no orientation, and are left out.
    """
    triangles = triangles[(triangles != np.roll(triangles, 1, axis=1)).all(1)]
    first = triangles.argmin(1)
    turned = np.take_along_axis(triangles, (first[:, None] + np.arange(3)) % 3, axis=1)
    return turned[np.lexsort(turned.T[::-1])]


def assert_same_mesh(
    ours: tuple[NDArray[np.float32], NDArray[np.int64]],
    theirs: tuple[NDArray[np.float32], NDArray[np.int64]],
    tolerance: float = 1e-5,
) -> NDArray[np.int64]:
    """The same vertices (V, 3) within `tolerance` and the same set of triangles (T, 3), with the same orientation.

    Returns which of their vertices each of ours is.
    """
    (our_vertices, our_triangles), (their_vertices, their_triangles) = ours, theirs
    assert our_vertices.shape == their_vertices.shape
    assert our_triangles.shape == their_triangles.shape
    match = matched(our_vertices, their_vertices, tolerance)
    same = representative(their_vertices, 2 * tolerance)
    assert np.array_equal(canonical(same[match[our_triangles]]), canonical(same[their_triangles]))
    return match
