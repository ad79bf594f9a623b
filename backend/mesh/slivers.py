# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove slivers.

Simplification leaves some needles and caps, where a collapse would have pinched or folded the surface. For each of them
all changes are tried: to collapse one of its edges into either end or the middle, or to flip it, so that it joins the
two corners opposite to it. Changes that open the surface, move it or turn a triangle over are refused. Of the others,
the one is made whose flattest triangle is the roundest, if it is rounder than the flattest one before; so it comes to
an end. The changes of many slivers are judged at once. If one of them has been made, those around it wait to be judged
anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float64Array, Int64Array
from ..raster.ticks import Poll
from ..raster.vectors import dot, length

Triangle = tuple[int, int, int]
_REMOVED: Triangle = (-1, -1, -1)

SLIVER = 0.1
"""The roundness (see `roundness`) below which a triangle is a sliver."""

_SLIGHT = 2e-3  # of the mesh's size: how far the surface may move
_LEAST_COSINE = 0.5  # the least cosine between a triangle's normal before and after
_SWEEPS = 6
_BATCH = 256  # slivers whose changes are judged at once


def remove_slivers(
    points: Float64Array, attributes: Float64Array, triangles: Int64Array, fixed: BoolArray, poll: Poll
) -> tuple[Float64Array, Float64Array, Int64Array]:
    """Remove as many slivers as possible from a manifold mesh.

    points: float64 (V, 3). attributes: float64 (V, C), values at the vertices. triangles: int64 (T, 3). fixed: bool
    (V,), vertices whose triangles must not change; those on an open border have to be among them. poll: called before
    every batch of slivers. Returns points, attributes and triangles; vertices that are no longer used stay. Raises
    ValueError if the attributes are not given by vertex.
    """
    require_by_vertex(points, attributes)
    flat = np.flatnonzero((roundness(points[triangles]) < SLIVER) & ~fixed[triangles].any(axis=1))
    if not len(flat):
        return points, attributes, triangles
    slight = _SLIGHT * float(np.ptp(points, axis=0).max())
    mesh = _EditableMesh(points.copy(), attributes.copy(), triangles.copy())
    for _ in range(_SWEEPS):
        changed: set[int] = set()
        while len(flat):
            poll()
            late = _improve(mesh, flat[:_BATCH], fixed, slight, changed)
            flat = np.concatenate([flat[_BATCH:], late])
        if not changed:
            break
        flat = _near(mesh.triangles, changed, len(points))  # all others would be judged as before
        flat = flat[roundness(mesh.points[mesh.triangles[flat]]) < SLIVER]
    return mesh.points, mesh.attributes, mesh.triangles[mesh.triangles[:, 0] >= 0]


def roundness(corners: Float64Array) -> Float64Array:
    """Return the roundness, (T,), of triangles given by their corners, (T, 3, 3).

    It is 4 sqrt(3) area / sum of squared sides: 1 if the triangle is equilateral, 0 if it has no area.
    """
    a, b, c = np.moveaxis(corners, 1, 0)
    area = length(np.cross(b - a, c - a)) / 2
    squares = sum(dot(side, side) for side in (b - a, c - b, a - c))
    return 4.0 * np.sqrt(3.0) * area / np.maximum(squares, 1e-300)


@dataclass(frozen=True)
class _Change:
    """How a collapse or a flip changes the triangles around an edge.

    gone: the triangles that go. new: those that come; each is stored in place of one that goes, whose index is in
    instead. moved: the vertex that is kept by a collapse. merged: the other one. share: how far the kept one moves
    towards the other, 0 to 1. For a flip both vertices are -1.
    """

    gone: tuple[int, ...]
    new: tuple[Triangle, ...]
    instead: tuple[int, ...]
    moved: int = -1
    merged: int = -1
    share: float = 0.0


class _EditableMesh:
    """A mesh whose triangles can be replaced: points (V, 3), attributes (V, C), triangles (T, 3), -1 if removed."""

    def __init__(self, points: Float64Array, attributes: Float64Array, triangles: Int64Array) -> None:
        self.points, self.attributes, self.triangles = points, attributes, triangles
        order = np.argsort(triangles.ravel(), kind="stable")
        self._order = order // 3
        self._start = np.searchsorted(triangles.ravel()[order], np.arange(len(points) + 1))
        self._around: dict[int, set[int]] = {}
        self._corners: dict[int, Triangle] = {}
        self._neighbours: dict[int, set[int]] = {}

    def around(self, vertex: int) -> set[int]:
        """Return the triangles that meet in a vertex."""
        found = self._around.get(vertex)
        if found is None:
            found = self._around[vertex] = set(self._order[self._start[vertex] : self._start[vertex + 1]].tolist())
        return found

    def corners(self, triangle: int) -> Triangle:
        """Return a triangle's corners, -1 if it is removed."""
        found = self._corners.get(triangle)
        if found is None:
            a, b, c = self.triangles[triangle].tolist()
            found = self._corners[triangle] = (a, b, c)
        return found

    def neighbours(self, vertex: int) -> set[int]:
        """Return the vertices that share an edge with one."""
        found = self._neighbours.get(vertex)
        if found is None:
            found = {corner for triangle in self.around(vertex) for corner in self.corners(triangle)}
            found.remove(vertex)
            self._neighbours[vertex] = found
        return found

    def changes(self, triangle: int) -> Iterator[_Change]:
        """Yield all changes of a triangle's edges that keep the surface closed and manifold."""
        a, b, c = self.corners(triangle)
        for one, other, apex in ((a, b, c), (b, c, a), (c, a, b)):
            both = self.around(one) & self.around(other)
            if len(both) != 2:
                continue
            (across,) = both - {triangle}
            (far,) = set(self.corners(across)) - {one, other}
            if far != apex and far not in self.neighbours(apex):
                yield _Change((triangle, across), ((apex, one, far), (apex, far, other)), (triangle, across))
            if len(self.neighbours(one) & self.neighbours(other)) != 2 or any(
                len(self.around(corner)) <= 3 for corner in (apex, far)
            ):
                continue
            gone = tuple(sorted(self.around(one) | self.around(other)))
            instead = tuple(old for old in gone if old not in both)
            new: list[Triangle] = []
            for old in instead:
                p, q, r = self.corners(old)
                new.append((one if p == other else p, one if q == other else q, one if r == other else r))
            for share in (0.0, 0.5, 1.0):
                yield _Change(gone, tuple(new), instead, one, other, share)

    def apply(self, change: _Change) -> None:
        """Make a change; new triangles are stored in place of old ones."""
        for triangle in change.gone:
            for corner in self.corners(triangle):
                self.around(corner).discard(triangle)
                self._neighbours.pop(corner, None)
            self._corners[triangle] = _REMOVED
        if change.moved >= 0:
            kept, merged, share = change.moved, change.merged, change.share
            self.points[kept] = (1 - share) * self.points[kept] + share * self.points[merged]
            self.attributes[kept] = (1 - share) * self.attributes[kept] + share * self.attributes[merged]
        self.triangles[list(change.gone)] = -1
        for triangle, corners in zip(change.instead, change.new, strict=True):
            self.triangles[triangle] = self._corners[triangle] = corners
            for corner in corners:
                self.around(corner).add(triangle)


def _near(triangles: Int64Array, vertices: set[int], count: int) -> Int64Array:
    """Return the triangles with a corner that is among some vertices or next to one of them, int64 (N,).

    triangles: int64 (T, 3), -1 if removed, of `count` vertices.
    """
    near = np.zeros(count + 1, np.bool_)  # the last one is that of removed triangles
    near[list(vertices)] = True
    near[triangles[near[triangles].any(axis=1)]] = True
    near[-1] = False
    return np.flatnonzero(near[triangles].any(axis=1))


def _improve(
    mesh: _EditableMesh, slivers: Int64Array, fixed: BoolArray, slight: float, changed: set[int]
) -> Int64Array:
    """Make the best change around each sliver, if it makes the flattest triangle rounder.

    changed: to it are added the vertices around which triangles have changed. Returns the slivers around which
    something else has changed meanwhile, int64 (N,): fewer than there were.
    """
    slivers = slivers[mesh.triangles[slivers, 0] >= 0]
    corners = mesh.triangles[slivers]
    flat = slivers[(roundness(mesh.points[corners]) < SLIVER) & ~fixed[corners].any(axis=1)].tolist()
    choices = [list(mesh.changes(triangle)) for triangle in flat]
    changes = [change for choice in choices for change in choice]
    if not changes:
        return np.zeros(0, np.int64)
    gains = iter(_gains(mesh, changes, slight).tolist())
    touched = {-1}  # in this batch, and what removed triangles have for corners
    late: list[int] = []
    for triangle, choice in zip(flat, choices, strict=True):
        gain, change = max(((next(gains), change) for change in choice), key=lambda each: each[0], default=(0.0, None))
        if change is None or gain <= 0:
            continue
        reached = {corner for old in change.gone for corner in mesh.corners(old)}
        if touched.isdisjoint(reached):
            mesh.apply(change)
            touched |= reached
            changed |= reached
        else:
            late.append(triangle)
    return np.array(late, np.int64)


def _gains(mesh: _EditableMesh, changes: list[_Change], slight: float) -> Float64Array:
    """Return by how much each change makes the flattest triangle rounder, (N,); -1 if it folds or moves the surface."""
    count = len(changes)
    old = np.array([triangle for change in changes for triangle in change.gone])
    old_owner = np.repeat(np.arange(count), [len(change.gone) for change in changes])
    new = np.array([corners for change in changes for corners in change.new])
    instead = np.array([triangle for change in changes for triangle in change.instead])
    owner = np.repeat(np.arange(count), [len(change.new) for change in changes])
    moved, merged = (np.array([getattr(change, end) for change in changes]) for end in ("moved", "merged"))
    share = np.array([change.share for change in changes])[:, None]
    flip = mesh.points[[change.new[0][0] for change in changes]]  # a corner that a flip joins to another
    kept = (1 - share) * mesh.points[moved] + share * mesh.points[merged]
    places = np.where(moved[:, None] < 0, flip, kept)

    before, replaced, after = mesh.points[mesh.triangles[old]], mesh.points[mesh.triangles[instead]], mesh.points[new]
    after = np.where((new == moved[owner, None])[..., None], places[owner, None], after)
    round_before, round_after = roundness(before), roundness(after)
    normal, normal_replaced, normal_after = _normals(before), _normals(replaced), _normals(after)

    # A sliver's own normal is unreliable: a triangle in its place is compared with the sum of all that go.
    total = np.zeros((count, 3))
    np.add.at(total, old_owner, normal)
    vague = (moved[owner] < 0) | (roundness(replaced) < SLIVER)
    reference = np.where(vague[:, None], total[owner], normal_replaced)
    lengths = length(reference) * length(normal_after)
    turned = dot(reference, normal_after) < _LEAST_COSINE * lengths
    off = np.abs(dot(places[old_owner] - before[:, 0], normal))
    far = (off > slight * length(normal)) & (round_before >= SLIVER)

    was, becomes = np.ones(count), np.ones(count)
    np.minimum.at(was, old_owner, round_before)
    np.minimum.at(becomes, owner, round_after)
    bad = (np.bincount(owner, turned, count) > 0) | (np.bincount(old_owner, far, count) > 0)
    return np.where(bad, -1.0, becomes - was)


def _normals(corners: Float64Array) -> Float64Array:
    """Return the normals, as long as twice the area, (T, 3), of triangles (T, 3, 3)."""
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def require_by_vertex(points: Float64Array, attributes: Float64Array) -> None:
    """Raise ValueError if attributes are not given by vertex, (V, C), as UVs by corner are."""
    if attributes.ndim != 2 or len(attributes) != len(points):
        raise ValueError(f"expected attributes by vertex, ({len(points)}, C), got {attributes.shape}")
