# SPDX-License-Identifier: GPL-3.0-or-later
"""The last slivers, one by one.

Reduction leaves some needles and caps among thousands of sound triangles: collapses that would pinch or fold the
surface are refused there. Each of them is looked at by itself. Any of its edges may be collapsed, into either end or
the middle, or turned to join the two corners that it parts; of all changes that keep the surface closed, leave it
where it is and turn no triangle over, the one is made whose flattest triangle is the roundest. It must be rounder than
what was there, so that this comes to an end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float64Array, Int64Array

Points = Float64Array
Indices = Int64Array
Triangle = tuple[int, int, int]

SLIVER = 0.1
"""The roundness (see `quality`) below which a triangle is a sliver."""

_SLIGHT = 2e-3  # of the mesh's size: how far the surface may move
_TURN = 0.5  # the least cosine between a triangle's normal before and after
_SWEEPS = 4


def mend(
    points: Points, carried: Points, triangles: Indices, fixed: BoolArray, tick: Callable[[], None]
) -> tuple[Points, Points, Indices]:
    """Remove what slivers can be removed from a manifold mesh.

    points: float64 (V, 3). carried: float64 (V, C). triangles: int64 (T, 3). fixed: bool (V,), vertices whose triangles
    are left alone, all those on an open border among them. tick: called after every few slivers. Returns new arrays;
    vertices that are no longer used stay.
    """
    slight = _SLIGHT * float(np.ptp(points, axis=0).max(initial=0.0))
    flat = np.flatnonzero((quality(points, triangles) < SLIVER) & ~fixed[triangles].any(axis=1))
    if not len(flat):
        return points, carried, triangles
    fans = _Fans(points.copy(), carried.copy(), triangles.copy())
    for _ in range(_SWEEPS):
        before = len(flat)
        for number, triangle in enumerate(flat.tolist()):
            if number % 50 == 0:
                tick()
            corners = fans.triangles[triangle]
            if corners[0] < 0 or fixed[corners].any():
                continue
            if roundness(fans.points[corners][None])[0] < SLIVER:
                _mend_one(fans, triangle, slight)
        there = np.flatnonzero(fans.triangles[:, 0] >= 0)
        there = there[~fixed[fans.triangles[there]].any(axis=1)]
        flat = there[quality(fans.points, fans.triangles[there]) < SLIVER]
        if len(flat) in (0, before):
            break
    return fans.points, fans.carried, fans.triangles[fans.triangles[:, 0] >= 0]


def quality(points: Points, triangles: Indices) -> Points:
    """How round each triangle is, (T,): 4 sqrt(3) area / sum of squared sides, 1 if equilateral, 0 without area."""
    return roundness(points[triangles])


def roundness(corners: Points) -> Points:
    """The same of triangles given by their corners, (T, 3, 3) -> (T,)."""
    a, b, c = np.moveaxis(corners, 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    squares = ((b - a) ** 2).sum(axis=1) + ((c - b) ** 2).sum(axis=1) + ((a - c) ** 2).sum(axis=1)
    return 4.0 * np.sqrt(3.0) * area / np.maximum(squares, 1e-300)


@dataclass(frozen=True)
class _Change:
    """What a collapse or a turn makes of the triangles around it.

    gone: those that go. new: what comes, and instead: which of those that go each takes the place of. moved: the vertex
    that is kept, merged: the one that is not, share: how far the kept one goes towards the merged one; where an edge is
    turned, both vertices are -1.
    """

    gone: tuple[int, ...]
    new: tuple[Triangle, ...]
    instead: tuple[int, ...]
    moved: int = -1
    merged: int = -1
    share: float = 0.0


class _Fans:
    """A mesh whose triangles can be replaced: points (V, 3), carried (V, C), triangles (T, 3), -1 where removed."""

    def __init__(self, points: Points, carried: Points, triangles: Indices) -> None:
        self.points, self.carried, self.triangles = points, carried, triangles
        order = np.argsort(triangles.ravel(), kind="stable")
        self._order = order // 3
        self._start = np.searchsorted(triangles.ravel()[order], np.arange(len(points) + 1))
        self._changed: dict[int, set[int]] = {}

    def around(self, vertex: int) -> set[int]:
        """The triangles that meet in a vertex."""
        if vertex not in self._changed:
            self._changed[vertex] = set(self._order[self._start[vertex] : self._start[vertex + 1]].tolist())
        return self._changed[vertex]

    def corners(self, triangle: int) -> Triangle:
        a, b, c = self.triangles[triangle].tolist()
        return a, b, c

    def neighbours(self, vertex: int) -> set[int]:
        """The vertices that share an edge with one."""
        return {corner for triangle in self.around(vertex) for corner in self.corners(triangle)} - {vertex}

    def changes(self, triangle: int) -> Iterator[_Change]:
        """All changes of a triangle's edges that keep the surface closed and manifold."""
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
                p, q, r = (one if corner == other else corner for corner in self.corners(old))
                new.append((p, q, r))
            for share in (0.0, 0.5, 1.0):
                yield _Change(gone, tuple(new), instead, one, other, share)

    def place(self, change: _Change) -> Points:
        """Where the vertex that a change keeps would come to lie, or the corner that it joins to another, (3,)."""
        if change.moved < 0:
            return self.points[change.new[0][0]]
        return (1 - change.share) * self.points[change.moved] + change.share * self.points[change.merged]

    def apply(self, change: _Change) -> None:
        """Replace the triangles; new ones take the places of old ones."""
        for triangle in change.gone:
            for corner in self.corners(triangle):
                self.around(corner).discard(triangle)
        if change.moved >= 0:
            carried = (1 - change.share) * self.carried[change.moved] + change.share * self.carried[change.merged]
            self.points[change.moved], self.carried[change.moved] = self.place(change), carried
        self.triangles[list(change.gone)] = -1
        for triangle, corners in zip(change.instead, change.new, strict=True):
            self.triangles[triangle] = corners
            for corner in corners:
                self.around(corner).add(triangle)


def _mend_one(fans: _Fans, triangle: int, slight: float) -> None:
    """Make the best change around a sliver, if one is better than none."""
    changes = list(fans.changes(triangle))
    if not changes:
        return
    gains = _gains(fans, changes, slight)
    best = int(np.argmax(gains))
    if gains[best] > 0:
        fans.apply(changes[best])


def _gains(fans: _Fans, changes: list[_Change], slight: float) -> Points:
    """By how much each change makes the flattest triangle rounder; -1 where it folds or moves the surface, (N,)."""
    count = len(changes)
    old = np.array([triangle for change in changes for triangle in change.gone])
    old_owner = np.repeat(np.arange(count), [len(change.gone) for change in changes])
    new = np.array([corners for change in changes for corners in change.new])
    instead = np.array([triangle for change in changes for triangle in change.instead])
    owner = np.repeat(np.arange(count), [len(change.new) for change in changes])
    moved = np.array([change.moved for change in changes])
    places = np.array([fans.place(change) for change in changes])

    before, replaced, after = fans.points[fans.triangles[old]], fans.points[fans.triangles[instead]], fans.points[new]
    after = np.where((new == moved[owner, None])[..., None], places[owner, None], after)
    round_before, round_after = roundness(before), roundness(after)
    normal, normal_replaced, normal_after = _normals(before), _normals(replaced), _normals(after)

    # A sliver's own normal says little: what comes in its place is compared with all that goes.
    total = np.zeros((count, 3))
    np.add.at(total, old_owner, normal)
    vague = (moved[owner] < 0) | (roundness(replaced) < SLIVER)
    reference = np.where(vague[:, None], total[owner], normal_replaced)
    lengths = np.linalg.norm(reference, axis=1) * np.linalg.norm(normal_after, axis=1)
    turned = (reference * normal_after).sum(axis=1) < _TURN * lengths
    off = np.abs(((places[old_owner] - before[:, 0]) * normal).sum(axis=1))
    far = (off > slight * np.linalg.norm(normal, axis=1)) & (round_before >= SLIVER)

    was, becomes = np.ones(count), np.ones(count)
    np.minimum.at(was, old_owner, round_before)
    np.minimum.at(becomes, owner, round_after)
    bad = (np.bincount(owner, turned, count) > 0) | (np.bincount(old_owner, far, count) > 0)
    return np.where(bad, -1.0, becomes - was)


def _normals(corners: Points) -> Points:
    """Normals as long as twice the area, (T, 3, 3) -> (T, 3)."""
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
