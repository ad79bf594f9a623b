# SPDX-License-Identifier: GPL-3.0-or-later
"""The flat face that closes a cut: polygons with holes become triangles.

Holes are joined to the polygon around them by a bridge, and the polygon loses an ear after the other (Meisters,
"Polygons Have Ears", 1975; Eberly, "Triangulation by Ear Clipping", 2002). Every edge of the outline is in exactly one
triangle, and every other edge in two, whatever the places are: a cap that closes a cut is what counts first.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from ..arrays import BoolArray, Float64Array, Int64Array


def rings_of(edges: Int64Array) -> list[list[int]] | None:
    """Return the closed rings that directed edges (E, 2) make; None if not one arrives and one leaves at a vertex."""
    follows = dict(edges.tolist())
    if len(follows) < len(edges) or {*follows} != {*follows.values()}:
        return None
    rings = []
    while follows:
        start, here = follows.popitem()
        ring = [start]
        while here != start:
            ring.append(here)
            here = follows.pop(here)
        rings.append(ring)
    return rings


def cap(points: Float64Array, rings: Iterable[Sequence[int]]) -> Int64Array:
    """Return triangles, counter-clockwise, int64 (T, 3), that fill rings.

    points: float64 (N, 2). rings: indices into them; outlines counter-clockwise, holes clockwise.
    """
    outlines, holes = list[list[int]](), list[list[int]]()
    for ring in rings:
        (outlines if _area(points[[*ring]]) > 0 else holes).append([*ring])
    owned: list[list[list[int]]] = [[] for _ in outlines]
    for hole in holes:
        around = [number for number, ring in enumerate(outlines) if _inside(points[hole[0]], points[ring])]
        if around:
            owned[min(around, key=lambda number: _area(points[outlines[number]]))].append(hole)
        else:  # it is not, by rounding: a sliver
            outlines.append(hole)
            owned.append([])
    triangles: list[tuple[int, int, int]] = []
    for ring, inside in zip(outlines, owned, strict=True):
        whole = ring
        for hole in sorted(inside, key=lambda hole: -points[hole, 0].max()):
            whole = _bridged(points, whole, hole, inside)
        triangles += _ears(points, whole)
    return np.array(triangles, np.int64).reshape(-1, 3)


def _area(ring: Float64Array) -> float:
    """Return the area of a polygon (N, 2), negative if it is clockwise."""
    ring = ring - ring[0]
    return float(_cross(ring, np.roll(ring, -1, axis=0)).sum() / 2)


def _cross(one: Float64Array, other: Float64Array) -> Float64Array:
    return one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]


def _inside(point: Float64Array, ring: Float64Array) -> bool:
    """Whether a point is inside a polygon (N, 2): a ray from it crosses the outline an odd number of times."""
    (x, y), (other_x, other_y) = ring.T, np.roll(ring, -1, axis=0).T
    spans = (y > point[1]) != (other_y > point[1])
    rise = np.where(other_y == y, 1.0, other_y - y)
    return bool(np.count_nonzero(spans & (point[0] < x + (point[1] - y) / rise * (other_x - x))) % 2)


def _bridged(points: Float64Array, ring: list[int], hole: list[int], holes: list[list[int]]) -> list[int]:
    """Return one ring that goes around the outline, over a bridge around the hole, and back over it."""
    near = np.linalg.norm(points[ring][:, None] - points[hole][None], axis=-1)
    starts = np.concatenate([points[ring], *(points[other] for other in holes)])
    ends = np.concatenate([np.roll(points[each], -1, axis=0) for each in (ring, *holes)])
    order = np.argsort(near, axis=None, kind="stable")
    free = order[0]
    for pair in order[: 4 * len(ring)]:
        here, there = divmod(int(pair), len(hole))
        if not _crosses(points[ring[here]], points[hole[there]], starts, ends) and _enters(
            points, ring, here, hole[there]
        ):
            free = pair
            break
    here, there = divmod(int(free), len(hole))
    return [*ring[: here + 1], *hole[there:], *hole[: there + 1], *ring[here:]]


def _crosses(a: Float64Array, b: Float64Array, starts: Float64Array, ends: Float64Array) -> bool:
    """Whether the line from a to b crosses one of some lines, not counting those that begin or end at either."""
    other_sides = _cross(b - a, starts - a) * _cross(b - a, ends - a) <= 0
    sides = _cross(ends - starts, a - starts) * _cross(ends - starts, b - starts) <= 0
    meets = [((each == end).all(axis=1)) for each in (starts, ends) for end in (a, b)]
    return bool((other_sides & sides & ~np.logical_or.reduce(meets)).any())


def _enters(points: Float64Array, ring: list[int], corner: int, to: int) -> bool:
    """Whether the line from a corner of a counter-clockwise ring to a point begins inside of the ring."""
    before, here, after = (points[ring[(corner + step) % len(ring)]] for step in (-1, 0, 1))
    left, right = _cross(after - here, points[to] - here) > 0, _cross(points[to] - here, before - here) > 0
    return bool(left and right if _cross(after - here, before - here) > 0 else left or right)


def _ears(points: Float64Array, ring: list[int]) -> list[tuple[int, int, int]]:
    """Cut a ring into triangles. If no ear is left, as the ring crosses itself by rounding, the best corner goes."""
    left = np.array(ring, np.int64)
    triangles: list[tuple[int, int, int]] = []
    at = 0
    while len(left) > 3:
        a, b, c = points[np.roll(left, 1)], points[left], points[np.roll(left, -1)]
        turns = _cross(b - a, c - b)
        bent = left[turns <= 0]  # only these corners can lie in an ear
        convex = np.flatnonzero(turns > 0)
        order = np.roll(convex, -int(np.searchsorted(convex, at)))
        ear = next((int(each) for each in order if not _holds(points, left, int(each), bent).any()), None)
        if ear is None:
            ear = int(turns.argmax())
        triangles.append((int(left[ear - 1]), int(left[ear]), int(left[(ear + 1) % len(left)])))
        left = np.delete(left, ear)
        at = ear + 1  # not beside the last one, so that no fan of slivers comes out
    return [*triangles, (int(left[0]), int(left[1]), int(left[2]))]


def _holds(points: Float64Array, ring: Int64Array, corner: int, others: Int64Array) -> BoolArray:
    """Which of other vertices, but its own, lie in the triangle at a corner of a ring, or on its border."""
    own = ring[corner - 1], ring[corner], ring[(corner + 1) % len(ring)]
    a, b, c = (points[each] for each in own)
    there = points[others]
    is_in = (_cross(b - a, there - a) >= 0) & (_cross(c - b, there - b) >= 0) & (_cross(a - c, there - c) >= 0)
    return is_in & ~np.isin(others, own)
