# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove slivers.

Simplification leaves some needles and caps, where a collapse would have pinched or folded the surface. For each of them
all changes are tried: to collapse one of its edges into either end or the middle, or to flip it, so that it joins the
two corners opposite to it. Changes that open the surface, move it or turn a triangle over are refused. Of the others,
the one is made whose flattest triangle is the roundest, if it is rounder than the flattest one before; so it comes to
an end. The changes of many slivers are judged at once. If one of them has been made, those around it wait to be judged
anew.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float64Array, Int64Array
from ..raster.ticks import Poll
from ..raster.vectors import dot, length
from .rows import positions, touching

SLIVER = 0.1
"""The roundness (see `roundness`) below which a triangle is a sliver."""

_SLIGHT = 2e-3  # of the mesh's size: how far the surface may move
_LEAST_COSINE = 0.5  # the least cosine between a triangle's normal before and after
_SHARES = (0.0, 0.5, 1.0)  # of the way to its other end, to which an edge may collapse
_SWEEPS = 6
_BATCH = 256  # slivers whose changes are judged at once
_CHUNK = 1 << 13  # triangles that are measured at once: so many fit the processor's cache


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
    flat = np.flatnonzero(are_slivers(points, triangles) & ~touching(triangles, fixed))
    if not len(flat):
        return points, attributes, triangles
    slight = _SLIGHT * float(np.ptp(points, axis=0).max())
    mesh = _Mesh(points.copy(), attributes.copy(), triangles.copy())
    for _ in range(_SWEEPS):
        changed = np.zeros(len(points) + 1, np.bool_)  # the last one is that of removed triangles
        while len(flat):
            poll()
            late = _improve(mesh, flat[:_BATCH], fixed, slight, changed)
            flat = np.concatenate([flat[_BATCH:], late])
        if not changed.any():
            break
        flat = _near(mesh.triangles, changed)  # all others would be judged as before
        flat = flat[are_slivers(mesh.points, mesh.triangles[flat])]
    return mesh.points, mesh.attributes, mesh.triangles[mesh.triangles[:, 0] >= 0]


def are_slivers(points: Float64Array, triangles: Int64Array) -> BoolArray:
    """Return which triangles, (T, 3), of vertices, float64 (V, 3), are slivers, bool (T,)."""
    found = np.empty(len(triangles), np.bool_)
    for first in range(0, len(triangles), _CHUNK):
        some = triangles[first : first + _CHUNK]
        found[first : first + _CHUNK] = roundness(points.take(some, axis=0)) < SLIVER
    return found


def roundness(corners: Float64Array) -> Float64Array:
    """Return the roundness, (T,), of triangles given by their corners, (T, 3, 3).

    It is 4 sqrt(3) area / sum of squared sides: 1 if the triangle is equilateral, 0 if it has no area.
    """
    a, b, c = np.ascontiguousarray(corners.transpose(1, 2, 0))
    ab, bc, ca = b - a, c - b, a - c
    normal = ab[1] * ca[2] - ab[2] * ca[1], ab[2] * ca[0] - ab[0] * ca[2], ab[0] * ca[1] - ab[1] * ca[0]
    area = np.sqrt(sum(part * part for part in normal)) / 2
    squares = sum(x * x + y * y + z * z for x, y, z in (ab, bc, ca))
    return 4.0 * np.sqrt(3.0) * area / np.maximum(squares, 1e-300)


@dataclass(frozen=True)
class _Mesh:
    """A mesh whose arrays change: points (V, 3), attributes (V, C), triangles (T, 3), -1 if removed."""

    points: Float64Array
    attributes: Float64Array
    triangles: Int64Array


@dataclass(frozen=True)
class _Changes:
    """How collapses and flips change the triangles around an edge of slivers: N changes.

    of: int64 (N,), the number of the sliver, ascending; of one sliver's equally good changes the first is preferred.
    flip: bool (N,). moved: int64 (N,), the vertex that is kept by a collapse. merged: int64 (N,), the other one. share:
    float64 (N, 1), how far the kept one moves towards the other, 0 to 1. A flip has a corner of it for both, and 0.
    gone: int64 (G,), the triangles that go, and by: int64 (G,), the change, ascending. new: int64 (K, 3), the triangles
    that come; each is stored in place of one that goes, instead: int64 (K,). owner: int64 (K,), the change.
    """

    of: Int64Array
    flip: BoolArray
    moved: Int64Array
    merged: Int64Array
    share: Float64Array
    gone: Int64Array
    by: Int64Array
    new: Int64Array
    instead: Int64Array
    owner: Int64Array


def _changes(triangles: Int64Array, slivers: Int64Array, count: int) -> _Changes:
    """Find all changes of slivers' edges that keep the surface closed and manifold.

    triangles: int64 (T, 3), -1 if removed, of `count` vertices. slivers: int64 (S,), not removed.
    """
    # Each edge goes from `one` to `other`; `apex` is the sliver's third corner, `far` that of the triangle across it.
    own, corners = np.repeat(slivers, 3), triangles[slivers]
    one, other, apex = (corners[:, turn].ravel() for turn in ([0, 1, 2], [1, 2, 0], [2, 0, 1]))
    ends = np.stack([one, other], axis=1).ravel()
    end, position = positions(triangles.ravel(), ends)
    fans = np.sort(end // 2 * len(triangles) + position // 3)  # triangles that have the edge are there twice
    there = np.diff(fans, prepend=-1) > 0
    edge, shared = np.divmod(fans[~there], len(triangles))
    inner = np.bincount(edge, minlength=len(own)) == 2
    across = np.where(inner, np.bincount(edge, shared, len(own)).astype(np.int64) - own, own)
    far = np.where(inner, triangles[across].sum(axis=1) - one - other, apex)

    around_apex, at = positions(triangles.ravel(), apex)
    linked = np.bincount(around_apex[(triangles[at // 3] == far[around_apex, None]).any(axis=1)], minlength=len(own))
    flips = np.flatnonzero(inner & (far != apex) & (linked == 0))
    vertex = np.unique(end[:, None] * count + triangles[position // 3])  # at each end
    vertex = vertex[vertex % count != ends[vertex // count]]
    vertex = np.sort(vertex // count // 2 * count + vertex % count)
    common = np.bincount(vertex[1:][vertex[1:] == vertex[:-1]] // count, minlength=len(own))
    valence = np.bincount(triangles.ravel() + 1, minlength=count + 1)[1:]
    collapses = np.flatnonzero(inner & (common == 2) & (valence[apex] > 3) & (valence[far] > 3))

    edge = np.concatenate([flips, np.repeat(collapses, len(_SHARES))])
    flip = np.arange(len(edge)) < len(flips)
    share = np.concatenate([np.zeros(len(flips)), np.tile(_SHARES, len(collapses))])
    order = np.lexsort((share, ~flip, edge))
    edge, flip, share = edge[order], flip[order], share[order]
    fan = fans[there]
    first = np.searchsorted(fan, np.arange(len(own) + 1) * len(triangles))
    sizes = np.where(flip, 2, np.diff(first)[edge])
    by = np.repeat(np.arange(len(edge)), sizes)
    step = np.arange(len(by)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    e = edge[by]
    gone = np.where(flip[by], np.where(step == 0, own[e], across[e]), fan[first[e] + step] % len(triangles))
    stays = flip[by] | ((gone != own[e]) & (gone != across[e]))
    instead, owner, e = gone[stays], by[stays], e[stays]
    new = np.where(triangles[instead] == other[e, None], one[e, None], triangles[instead])
    flipped, e = flip[owner], edge[flip]
    new[flipped] = np.stack([apex, one, far, apex, far, other], axis=1)[e].reshape(-1, 3)
    moved, merged = (np.where(flip, apex[edge], ends[edge]) for ends in (one, other))
    return _Changes(edge // 3, flip, moved, merged, share[:, None], gone, by, new, instead, owner)


def _improve(mesh: _Mesh, slivers: Int64Array, fixed: BoolArray, slight: float, changed: BoolArray) -> Int64Array:
    """Make the best change around each sliver, if it makes the flattest triangle rounder.

    changed: bool (V + 1,); in it are set the vertices around which triangles have changed. Returns the slivers around
    which something else has changed meanwhile, int64 (N,): fewer than there were.
    """
    slivers = slivers[mesh.triangles[slivers, 0] >= 0]
    corners = mesh.triangles[slivers]
    flat = slivers[are_slivers(mesh.points, corners) & ~touching(corners, fixed)]
    changes = _changes(mesh.triangles, flat, len(mesh.points))
    places = (1 - changes.share) * mesh.points[changes.moved] + changes.share * mesh.points[changes.merged]
    gains = _gains(mesh, changes, places, slight)
    order = np.lexsort((-gains, changes.of))
    best = order[np.diff(changes.of[order], prepend=-1) > 0]
    best = best[gains[best] > 0]
    starts, stops = (np.searchsorted(changes.by, best, side) for side in ("left", "right"))
    touched: set[int] = set()  # in this batch
    made: list[int] = []
    late: list[int] = []
    for change, start, stop in zip(best.tolist(), starts, stops, strict=True):
        reached = set(mesh.triangles[changes.gone[start:stop]].ravel().tolist())
        if touched.isdisjoint(reached):
            touched |= reached
            made.append(change)
        else:
            late.append(int(flat[changes.of[change]]))
    changed[list(touched)] = True
    _make(mesh, changes, np.array(made, np.int64), places)
    return np.array(late, np.int64)


def _make(mesh: _Mesh, changes: _Changes, made: Int64Array, places: Float64Array) -> None:
    """Make changes, by their numbers, that do not touch each other. places: float64 (N, 3), of the vertices moved."""
    chosen = np.zeros(len(changes.of), np.bool_)
    chosen[made] = True
    mesh.triangles[changes.gone[chosen[changes.by]]] = -1
    comes = chosen[changes.owner]
    mesh.triangles[changes.instead[comes]] = changes.new[comes]
    moved, merged, share = changes.moved[made], changes.merged[made], changes.share[made]
    mesh.points[moved] = places[made]
    mesh.attributes[moved] = (1 - share) * mesh.attributes[moved] + share * mesh.attributes[merged]


def _gains(mesh: _Mesh, changes: _Changes, places: Float64Array, slight: float) -> Float64Array:
    """Return by how much each change makes the flattest triangle rounder, (N,); -1 if it folds or moves the surface."""
    count, owner, by = len(changes.of), changes.owner, changes.by
    before, replaced = (mesh.points[mesh.triangles[each]] for each in (changes.gone, changes.instead))
    moves = changes.new == changes.moved[owner, None]
    after = np.where(moves[..., None], places[owner, None], mesh.points[changes.new])
    round_before, round_after = roundness(before), roundness(after)
    normal, normal_replaced, normal_after = _normals(before), _normals(replaced), _normals(after)

    # A sliver's own normal is unreliable: a triangle in its place is compared with the sum of all that go.
    total = np.stack([np.bincount(by, part, count) for part in normal.T], axis=1).astype(np.float64)
    vague = changes.flip[owner] | (roundness(replaced) < SLIVER)
    reference: Float64Array = np.where(vague[:, None], total[owner], normal_replaced)
    turned = dot(reference, normal_after) < _LEAST_COSINE * (length(reference) * length(normal_after))
    off = np.abs(dot(np.subtract(places[by], before[:, 0]), normal))
    far = (off > slight * length(normal)) & (round_before >= SLIVER)

    was, becomes = np.ones(count), np.ones(count)
    np.minimum.at(was, by, round_before)
    np.minimum.at(becomes, owner, round_after)
    bad = (np.bincount(owner, turned, count) > 0) | (np.bincount(by, far, count) > 0)
    return np.where(bad, -1.0, becomes - was)


def _near(triangles: Int64Array, vertices: BoolArray) -> Int64Array:
    """Return the triangles with a corner that is among some vertices or next to one of them, int64 (N,).

    triangles: int64 (T, 3), -1 if removed. vertices: bool (V + 1,), the last one False.
    """
    near = vertices.copy()
    near[triangles[touching(triangles, vertices)]] = True
    return np.flatnonzero(touching(triangles, near))


def _normals(corners: Float64Array) -> Float64Array:
    """Return the normals, as long as twice the area, (T, 3), of triangles (T, 3, 3)."""
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def require_by_vertex(points: Float64Array, attributes: Float64Array) -> None:
    """Raise ValueError if attributes are not given by vertex, (V, C), as UVs by corner are."""
    if attributes.ndim != 2 or len(attributes) != len(points):
        raise ValueError(f"expected attributes by vertex, ({len(points)}, C), got {attributes.shape}")
