# SPDX-License-Identifier: GPL-3.0-or-later
"""Fewer triangles, the same shape: quadric edge collapses, many at once.

After M. Garland, P. Heckbert, "Surface simplification using quadric error metrics", SIGGRAPH 1997: a vertex remembers
the planes of the triangles that it stands for as the quadric Q(x) = x A x + 2 b x + c, the sum of squared distances
weighted by area; an edge is collapsed into the point where the sum of its ends' quadrics is least, cheapest first. Flat
regions go, edges and silhouettes stay.

Instead of one edge after another, each round collapses many edges that are cheaper than those within their reach, so
that no triangle is touched twice. Lots are drawn from fixed seeds, so that the result is the same on every run. A
collapse is left out where it would pinch the surface (the link condition) or turn a triangle over.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float64Array, Int64Array
from . import check
from .slivers import SLIVER, mend, quality

Points = Float64Array
Indices = Int64Array

_SHARE = 0.5  # of the edges, the cheapest, compete in a round: dear ones wait, though nothing cheaper is near
_ALIKE = 3  # powers of two: the range within which costs count as equal
_TURNS = 3
_STAY = 1e-3  # how strongly the best point is held to the edge's middle, where the planes leave it open
_TURN = 0.5  # the least cosine between a triangle's normal before and after
_FLATTEST = 0.02  # of an equilateral triangle's roundness; a collapse must not make a flatter one
_ROUNDS = 100
_SLIGHT = 1e-3  # of the mesh's size: how far a surface may move to be rid of a sliver
_SLIVER_ROUNDS = 4
_CHUNK = 1 << 14  # edges: so much at once stays in the processor's cache


@dataclass
class _Surface:
    """The mesh between two rounds: points (V, 3), carried (V, C), triangles (T, 3), quadrics (V, 10).

    fixed: bool (V,), vertices on an open border. refused: keys, in ascending order, of edges whose collapse would have
    done harm; they no longer stand in the way of their neighbours.
    """

    points: Points
    carried: Points
    triangles: Indices
    quadrics: Points
    fixed: BoolArray
    refused: Indices


def simplify(
    points: Points, carried: Points, triangles: Indices, budget: int, tick: Callable[[float], None]
) -> tuple[Points, Points, Indices]:
    """Reduce a manifold mesh to at most `budget` triangles, or as near as its topology lets it.

    Triangles flatter than a tenth of an equilateral one go first, where the surface allows it, even within the budget.
    points: float64 (V, 3). carried: float64 (V, C), whatever lives on the vertices, blended linearly where they merge.
    triangles: int64 (T, 3). tick: called several times a second with the fraction that is done. Returns the same three,
    unused vertices dropped. A closed mesh stays closed; an open border stays as it is.
    """
    surface = _Surface(
        points.copy(),
        carried.copy(),
        triangles.copy(),
        _quadrics(points, triangles),
        check.border_vertices(triangles, len(points)),
        np.zeros(0, np.int64),
    )
    first = len(triangles)
    for number in range(_SLIVER_ROUNDS):
        if not _collapse_round(surface, number, len(surface.triangles), lambda: tick(0.0), _of_slivers):
            break
    surface.refused = np.zeros(0, np.int64)
    for number in range(_ROUNDS):
        count = len(surface.triangles)
        if count <= budget:
            break
        done = min(1.0, max(0.0, float(np.log(first / count) / np.log(first / max(budget, 1)))))
        if not _collapse_round(surface, number, (count - budget + 1) // 2, lambda done=done: tick(done), _cheap):
            break
    points, carried, triangles = mend(
        surface.points, surface.carried, surface.triangles, surface.fixed, lambda: tick(1.0)
    )
    used, numbered = np.unique(triangles, return_inverse=True)
    return points[used], carried[used], numbered.reshape(-1, 3).astype(np.int64)


Choice = Callable[[_Surface, Indices], tuple[Indices, Points]]
"""Which edges may be collapsed in a round: (surface, edges (E, 2)) -> their indices and their costs, both (N,)."""


def _cheap(surface: _Surface, edges: Indices) -> tuple[Indices, Points]:
    """Choose the cheaper share of the edges."""
    costs = _costs(surface, edges)
    middle = int(_SHARE * (len(costs) - 1))
    chosen = np.flatnonzero(costs <= np.partition(costs, middle)[middle])
    return chosen, costs[chosen]


def _of_slivers(surface: _Surface, edges: Indices) -> tuple[Indices, Points]:
    """Choose the shortest edges of the flattest triangles, where their collapse hardly moves the surface."""
    triangles, count = surface.triangles, len(surface.points)
    flat = triangles[quality(surface.points, triangles) < SLIVER]
    ends = flat[:, [[0, 1], [1, 2], [2, 0]]]
    lengths = ((surface.points[ends[..., 0]] - surface.points[ends[..., 1]]) ** 2).sum(axis=-1)
    shortest = np.sort(ends[np.arange(len(flat)), lengths.argmin(axis=1)], axis=1)
    chosen = np.flatnonzero(np.isin(edges[:, 0] * count + edges[:, 1], shortest[:, 0] * count + shortest[:, 1]))
    costs = _costs(surface, edges[chosen])
    area = surface.quadrics[edges[chosen]][..., [0, 3, 5]].sum(axis=(1, 2))
    slight = costs <= (_SLIGHT * np.ptp(surface.points, axis=0).max()) ** 2 * area
    return chosen[slight], costs[slight]


def _collapse_round(surface: _Surface, number: int, most: int, tick: Callable[[], None], choice: Choice) -> int:
    """Collapse up to `most` edges of which none is near another; returns how many were tried."""
    tick()
    count = len(surface.points)
    half = check.half_edges(surface.triangles)
    edges = half[half[:, 0] < half[:, 1]]  # each edge once in either direction, but at an open border
    edges = edges[~surface.fixed[edges].any(axis=1)]
    if not len(edges):
        return 0
    chosen, costs = choice(surface, edges)
    keys = edges[chosen, 0] * count + edges[chosen, 1]
    wanted = ~_among(keys, surface.refused)
    chosen, costs = chosen[wanted], costs[wanted]
    # Costs of like size count as equal and are drawn by lot: where they fall steadily, hardly any would come before
    # all of its neighbours.
    lot = np.random.default_rng(number).random(len(chosen))
    order = np.argsort(np.log2(costs + 1e-300) // _ALIKE + lot, kind="stable")
    tick()
    taken = order[_apart(edges, chosen[order], count)]
    taken = taken[np.argsort(costs[taken], kind="stable")]
    ends = edges[chosen[taken]]
    tick()
    places = _best_places(surface, ends)
    sound = _keeps_topology(half, ends, count) & _keeps_sides(surface, ends, places)
    surface.refused = np.sort(np.concatenate([surface.refused, ends[~sound, 0] * count + ends[~sound, 1]]))
    keep = np.flatnonzero(sound)[:most]
    _collapse(surface, ends[keep], places[keep])
    return len(taken)


def _quadrics(points: Points, triangles: Indices) -> Points:
    """Each vertex's quadric (V, 10): A's xx xy xz yy yz zz, b's x y z, c; planes weighted by a third of their area."""
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    normal = np.cross(b - a, c - a)
    double = np.sqrt((normal**2).sum(axis=1))
    n = normal / np.maximum(double, 1e-300)[:, None]
    d = -(n * a).sum(axis=1)
    x, y, z = n.T
    terms = (x * x, x * y, x * z, y * y, y * z, z * z, x * d, y * d, z * d, d * d)
    corners = triangles.ravel()
    sums = (np.bincount(corners, np.repeat(term * double / 6.0, 3), minlength=len(points)) for term in terms)
    return np.stack([part.astype(np.float64) for part in sums], axis=1)


def _error(quadrics: Points, places: Points) -> Points:
    """The quadrics' values, (N,), of columns (10, N) at one place each, (3, N)."""
    xx, xy, xz, yy, yz, zz, bx, by, bz, c = quadrics
    x, y, z = places
    along_x = x * (xx * x + 2 * (xy * y + xz * z + bx))
    along_y = y * (yy * y + 2 * (yz * z + by))
    return np.maximum(along_x + along_y + z * (zz * z + 2 * bz) + c, 0.0)


def _costs(surface: _Surface, edges: Indices) -> Points:
    """What each edge's collapse would cost, (E,): the best of its ends and its middle, longer edges a little more."""
    costs = np.empty(len(edges))
    for first in range(0, len(edges), _CHUNK):
        some = slice(first, first + _CHUNK)
        start, end = edges[some].T
        a, b = (np.ascontiguousarray(surface.points[ends].T) for ends in (start, end))
        quadrics = np.ascontiguousarray((surface.quadrics[start] + surface.quadrics[end]).T)
        least = np.minimum(np.minimum(_error(quadrics, a), _error(quadrics, b)), _error(quadrics, (a + b) / 2))
        costs[some] = least + 1e-4 * ((b - a) ** 2).sum(axis=0) ** 2
    return costs


def _apart(edges: Indices, ranked: Indices, count: int) -> Indices:
    """Choose from `ranked` edges such that no two have ends that are the same or neighbours; places in `ranked`.

    An edge is taken when it ranks before all within reach, and what is within its reach retires; a few such turns find
    nearly all there is room for (M. Luby, "A simple parallel algorithm for the maximal independent set problem", 1986).
    """
    start, end = edges.T
    competing = np.arange(len(ranked))
    taken: list[Indices] = []
    for _ in range(_TURNS):
        a, b = start[ranked[competing]], end[ranked[competing]]
        best = np.full(count, len(ranked))
        np.minimum.at(best, a, competing)
        np.minimum.at(best, b, competing)
        near = best.copy()
        np.minimum.at(near, start, best[end])
        np.minimum.at(near, end, best[start])
        new = competing[(near[a] == competing) & (near[b] == competing)]
        taken.append(new)
        reached = np.zeros(count, np.bool_)
        reached[edges[ranked[new]]] = True
        for _ in range(2):  # the ends' neighbours, then theirs
            reached[edges[reached[start] | reached[end]]] = True
        competing = competing[~(reached[a] | reached[b])]
    return np.concatenate(taken)


def _best_places(surface: _Surface, edges: Indices) -> Points:
    """Where each edge's collapse costs least, (E, 3): A x = -b, held a little to the middle, never far from it."""
    a, b = (surface.points[edges[:, k]] for k in (0, 1))
    middle = (a + b) / 2
    q = surface.quadrics[edges[:, 0]] + surface.quadrics[edges[:, 1]]
    hold = _STAY * (q[:, 0] + q[:, 3] + q[:, 5]) + 1e-300
    matrix = q[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3) + hold[:, None, None] * np.eye(3)
    places = np.linalg.solve(matrix, (hold[:, None] * middle - q[:, 6:9])[..., None])[..., 0]
    far = ((places - middle) ** 2).sum(axis=1) > ((b - a) ** 2).sum(axis=1)
    return np.where(far[:, None], middle, places)


def _among(keys: Indices, ordered: Indices) -> BoolArray:
    """Which keys are among some that are in ascending order, (N,)."""
    if not len(ordered):
        return np.zeros(len(keys), np.bool_)
    return ordered[np.searchsorted(ordered, keys).clip(max=len(ordered) - 1)] == keys


def _fan(keys: Indices, wanted: Indices) -> tuple[Indices, Indices]:
    """Find all positions of each wanted key: (index into wanted, position in keys), both (N,)."""
    sought = np.zeros(int(keys.max(initial=0)) + 1, np.bool_)
    sought[wanted] = True
    order = np.flatnonzero(sought[keys])
    order = order[np.argsort(keys[order], kind="stable")]
    ordered = keys[order]
    start, stop = (np.searchsorted(ordered, wanted, side) for side in ("left", "right"))
    length = stop - start
    owner = np.repeat(np.arange(len(wanted)), length)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)
    return owner, order[np.repeat(start, length) + offset]


def _keeps_topology(half: Indices, edges: Indices, count: int) -> BoolArray:
    """Whether the ends of an edge share two neighbours only, and neither of these would be left with two, (E,)."""
    owner, position = _fan(half[:, 0], edges.ravel())
    keys = np.sort(owner // 2 * count + half[position, 1])
    shared = keys[1:][keys[1:] == keys[:-1]]
    valence = np.bincount(half[:, 0], minlength=count)
    of = shared // count
    number = np.bincount(of, minlength=len(edges))
    thin = np.bincount(of, valence[shared % count] <= 3, minlength=len(edges))
    return (number == 2) & (thin == 0)


def _keeps_sides(surface: _Surface, edges: Indices, places: Points) -> BoolArray:
    """Whether no triangle around an edge is turned over or flattened by its collapse, (E,)."""
    corners = surface.triangles.ravel()
    owner, position = _fan(corners, edges.ravel())
    end, owner = owner % 2, owner // 2
    triangle, corner = position // 3, position % 3
    other = edges[owner, 1 - end]
    stays = (surface.triangles[triangle] != other[:, None]).all(axis=1)
    owner, triangle, corner = owner[stays], triangle[stays], corner[stays]
    before = surface.points[surface.triangles[triangle]]
    after = before.copy()
    after[np.arange(len(after)), corner] = places[owner]
    normals = [np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]) for t in (before, after)]
    along = (normals[0] * normals[1]).sum(axis=1)
    sizes = [np.linalg.norm(n, axis=1) for n in normals]
    each = np.arange(3 * len(after)).reshape(-1, 3)
    round_before, round_after = (quality(t.reshape(-1, 3), each) for t in (before, after))
    bad = (along < _TURN * sizes[0] * sizes[1]) | (round_after < np.minimum(_FLATTEST, round_before))
    return np.bincount(owner, bad, minlength=len(edges)) == 0


def _collapse(surface: _Surface, edges: Indices, places: Points) -> None:
    """Merge each edge's second end into its first, at its place."""
    first, second = edges.T
    a, b = surface.points[first], surface.points[second]
    way = b - a
    share = np.clip(((places - a) * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-300), 0.0, 1.0)[:, None]
    surface.carried[first] = (1.0 - share) * surface.carried[first] + share * surface.carried[second]
    surface.points[first] = places
    surface.quadrics[first] += surface.quadrics[second]
    target = np.arange(len(surface.points))
    target[second] = first
    moved = target[surface.triangles]
    a, b, c = moved.T
    surface.triangles = moved[(a != b) & (b != c) & (c != a)]
