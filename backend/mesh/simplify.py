# SPDX-License-Identifier: GPL-3.0-or-later
"""Simplify a mesh by quadric edge collapses, many at once.

After M. Garland, P. Heckbert, "Surface simplification using quadric error metrics", SIGGRAPH 1997. A vertex stores the
planes of the triangles that it stands for as the quadric Q(x) = x A x + 2 b x + c, the sum of squared distances
weighted by area. An edge is collapsed into the point at which the sum of its ends' quadrics is least, the cheapest edge
first. Flat regions lose triangles; edges and silhouettes stay.

Instead of one edge after another, each round collapses many edges, each cheaper than all that are near it, so that no
triangle changes twice. Random numbers have fixed seeds, so that every run gives the same result. A collapse is refused
if it would pinch the surface (the link condition) or turn a triangle over.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float64Array, Int64Array
from ..raster.ticks import Poll, Tick
from ..raster.vectors import dot, length
from . import check
from .rows import positions, touching, used
from .slivers import are_slivers, remove_slivers, require_by_vertex, roundness

_SHARE = 0.5  # of the edges, the cheapest, may be collapsed in a round
_ALIKE = 3  # powers of two: costs within this range count as equal
_PASSES = 3  # of the search for edges that are apart
_HOLD = 1e-3  # the weight of the edge's middle, which decides if the planes leave the best point open
_LEAST_COSINE = 0.5  # the least cosine between a triangle's normal before and after
_FLATTEST = 0.02  # of an equilateral triangle's roundness; a collapse must not make a flatter one
_ROUNDS = 100
_SLIGHT = 1e-3  # of the mesh's size: how far a surface may move to remove a sliver
_SLIVER_ROUNDS = 4
_CHUNK = 1 << 14  # edges that are worked on at once: so many fit the processor's cache


@dataclass
class _State:
    """The mesh between two rounds: points (V, 3), attributes (V, C), triangles (T, 3), quadrics (V, 10).

    fixed: bool (V,), vertices on an open border. refused: the keys, in ascending order, of edges whose collapse was
    refused; they are not tried again.
    """

    points: Float64Array
    attributes: Float64Array
    triangles: Int64Array
    quadrics: Float64Array
    fixed: BoolArray
    refused: Int64Array


def simplify(
    points: Float64Array, attributes: Float64Array, triangles: Int64Array, budget: int, tick: Tick
) -> tuple[Float64Array, Float64Array, Int64Array]:
    """Reduce a manifold mesh to at most `budget` triangles, or to as few as its topology allows.

    points: float64 (V, 3). attributes: float64 (V, C), values at the vertices, such as UVs; merged vertices take a
    linear blend. triangles: int64 (T, 3). Returns the same three, without unused vertices. Slivers (see `slivers`) are
    removed even within the budget, if the surface hardly moves. A closed mesh stays closed; an open border stays as it
    is. Raises ValueError if the attributes are not given by vertex.
    """
    require_by_vertex(points, attributes)
    state = _State(
        points.copy(),
        attributes.copy(),
        triangles.copy(),
        _quadrics(points, triangles),
        check.border_vertices(triangles, len(points)),
        np.zeros(0, np.int64),
    )
    first = len(triangles)
    for number in range(_SLIVER_ROUNDS):
        around = _around_slivers(state)
        if not _collapse_round(state, around, number, len(state.triangles), lambda: tick(0.0), _of_slivers):
            break
    state.refused = np.zeros(0, np.int64)
    for number in range(_ROUNDS):
        count = len(state.triangles)
        if count <= budget:
            break
        done = min(1.0, max(0.0, float(np.log(first / count) / np.log(first / max(budget, 1)))))
        most = (count - budget + 1) // 2
        if not _collapse_round(state, state.triangles, number, most, lambda done=done: tick(done), _cheap):
            break
    points, attributes, triangles = remove_slivers(
        state.points, state.attributes, state.triangles, state.fixed, lambda: tick(1.0)
    )
    kept, triangles = used(triangles, len(points))
    return points[kept], attributes[kept], triangles


Select = Callable[[_State, Int64Array, Int64Array], tuple[Int64Array, Float64Array]]
"""Which edges of some triangles may be collapsed in a round.

From the state, the triangles (T, 3) and their edges (E, 2) to indices of edges and their costs, (N,) each.
"""


def _around_slivers(state: _State) -> Int64Array:
    """The slivers and all triangles that touch one, (T, 3): what a collapse of their edges can change."""
    corners = np.zeros(len(state.points), np.bool_)
    corners[state.triangles[are_slivers(state.points, state.triangles)]] = True
    return state.triangles[touching(state.triangles, corners)]


def _cheap(state: _State, _triangles: Int64Array, edges: Int64Array) -> tuple[Int64Array, Float64Array]:
    """Select the cheapest share of the edges."""
    costs = _costs(state, edges)
    middle = int(_SHARE * (len(costs) - 1))
    chosen = np.flatnonzero(costs <= np.partition(costs, middle)[middle])
    return chosen, costs[chosen]


def _of_slivers(state: _State, triangles: Int64Array, edges: Int64Array) -> tuple[Int64Array, Float64Array]:
    """Select the shortest edges of slivers, if their collapse hardly moves the surface."""
    count = len(state.points)
    flat = triangles[are_slivers(state.points, triangles)]
    ends = flat[:, [[0, 1], [1, 2], [2, 0]]]
    ways = state.points[ends[..., 0]] - state.points[ends[..., 1]]
    shortest = np.sort(ends[np.arange(len(flat)), dot(ways, ways).argmin(axis=1)], axis=1)
    ends_of_one = np.zeros(count, np.bool_)
    ends_of_one[shortest] = True
    chosen = np.flatnonzero(ends_of_one[edges[:, 0]] & ends_of_one[edges[:, 1]])
    keys = edges[chosen, 0] * count + edges[chosen, 1]
    chosen = chosen[_among(keys, np.sort(shortest[:, 0] * count + shortest[:, 1]))]
    costs = _costs(state, edges[chosen])
    area = state.quadrics[edges[chosen]][..., [0, 3, 5]].sum(axis=(1, 2))
    slight = costs <= (_SLIGHT * np.ptp(state.points, axis=0).max()) ** 2 * area
    return chosen[slight], costs[slight]


def _collapse_round(state: _State, triangles: Int64Array, number: int, most: int, poll: Poll, select: Select) -> int:
    """Collapse at most `most` edges, no two of them near each other; returns how many were tried.

    triangles: int64 (T, 3), of the state, in its order: all at the ends of the edges that `select` selects.
    """
    poll()
    count = len(state.points)
    half = check.half_edges(triangles)
    # Each edge once. At a border of these triangles perhaps not at all, but no end of an edge that counts lies there.
    edges = half[half[:, 0] < half[:, 1]]
    edges = edges[~(state.fixed[edges[:, 0]] | state.fixed[edges[:, 1]])]
    if not len(edges):
        return 0
    chosen, costs = select(state, triangles, edges)
    keys = edges[chosen, 0] * count + edges[chosen, 1]
    wanted = ~_among(keys, state.refused)
    chosen, costs = chosen[wanted], costs[wanted]
    # Similar costs count as equal and are ordered at random: if costs fall steadily along the surface, hardly any edge
    # would be the cheapest of its neighbourhood.
    chance = np.random.default_rng(number).random(len(chosen))
    order = np.argsort(np.log2(costs + 1e-300) // _ALIKE + chance, kind="stable")
    poll()
    taken = order[_apart(edges, chosen[order], count)]
    taken = taken[np.argsort(costs[taken], kind="stable")]
    ends = edges[chosen[taken]]
    poll()
    places = _best_places(state, ends)
    sound = _keeps_topology(state, half, ends) & _keeps_sides(state, triangles, ends, places)
    state.refused = np.sort(np.concatenate([state.refused, ends[~sound, 0] * count + ends[~sound, 1]]))
    keep = np.flatnonzero(sound)[:most]
    _collapse(state, ends[keep], places[keep])
    return len(taken)


def _quadrics(points: Float64Array, triangles: Int64Array) -> Float64Array:
    """Return the vertices' quadrics (V, 10), weighted by a third of the area: A's xx xy xz yy yz zz, b's x y z, c."""
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    normal = np.cross(b - a, c - a)
    double = length(normal)
    n = normal / np.maximum(double, 1e-300)[:, None]
    d = -dot(n, a)
    x, y, z = n.T
    terms = (x * x, x * y, x * z, y * y, y * z, z * z, x * d, y * d, z * d, d * d)
    corners = triangles.ravel()
    sums = (np.bincount(corners, np.repeat(term * double / 6.0, 3), minlength=len(points)) for term in terms)
    return np.stack([part.astype(np.float64) for part in sums], axis=1)


def _error(quadrics: Float64Array, places: Float64Array) -> Float64Array:
    """Return the values, (N,), of quadrics (10, N) at places (3, N)."""
    xx, xy, xz, yy, yz, zz, bx, by, bz, c = quadrics
    x, y, z = places
    along_x = x * (xx * x + 2 * (xy * y + xz * z + bx))
    along_y = y * (yy * y + 2 * (yz * z + by))
    return np.maximum(along_x + along_y + z * (zz * z + 2 * bz) + c, 0.0)


def _costs(state: _State, edges: Int64Array) -> Float64Array:
    """Return each edge's cost, (E,): the least error at its ends and middle, and a little for its length."""
    costs = np.empty(len(edges))
    for first in range(0, len(edges), _CHUNK):
        chunk = slice(first, first + _CHUNK)
        start, end = edges[chunk].T
        a, b = (np.ascontiguousarray(state.points[ends].T) for ends in (start, end))
        quadrics = np.ascontiguousarray((state.quadrics[start] + state.quadrics[end]).T)
        least = np.minimum(np.minimum(_error(quadrics, a), _error(quadrics, b)), _error(quadrics, (a + b) / 2))
        costs[chunk] = least + 1e-4 * ((b - a) ** 2).sum(axis=0) ** 2
    return costs


def _apart(edges: Int64Array, ranked: Int64Array, count: int) -> Int64Array:
    """Choose from ranked edges so that no two have common or neighbouring ends; returns their positions in `ranked`.

    An edge is taken if it ranks before all edges near it; those are then out. A few passes find nearly all that have
    room (M. Luby, "A simple parallel algorithm for the maximal independent set problem", 1986).
    """
    start, end = edges.T
    competing = np.arange(len(ranked))
    taken: list[Int64Array] = []
    for _ in range(_PASSES):
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
        for _ in range(2):  # the ends' neighbours, then their neighbours
            reached[edges[reached[start] | reached[end]]] = True
        competing = competing[~(reached[a] | reached[b])]
    return np.concatenate(taken)


def _best_places(state: _State, edges: Int64Array) -> Float64Array:
    """Return the best place for each edge's collapse, (E, 3): A x = -b, held a little to the middle, and near it."""
    a, b = (state.points[edges[:, k]] for k in (0, 1))
    middle = (a + b) / 2
    q = state.quadrics[edges[:, 0]] + state.quadrics[edges[:, 1]]
    hold = _HOLD * (q[:, 0] + q[:, 3] + q[:, 5]) + 1e-300
    matrix = q[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3) + hold[:, None, None] * np.eye(3)
    places = np.linalg.solve(matrix, (hold[:, None] * middle - q[:, 6:9])[..., None])[..., 0]
    far = length(places - middle) > length(b - a)
    return np.where(far[:, None], middle, places)


def _among(keys: Int64Array, ordered: Int64Array) -> BoolArray:
    """Whether each key is among others that are in ascending order, (N,)."""
    if not len(ordered):
        return np.zeros(len(keys), np.bool_)
    return ordered[np.searchsorted(ordered, keys).clip(max=len(ordered) - 1)] == keys


def _keeps_topology(state: _State, half: Int64Array, edges: Int64Array) -> BoolArray:
    """Whether an edge's ends share exactly two neighbours, both of which have more than three neighbours; bool (E,)."""
    count = len(state.points)
    owner, position = positions(half[:, 0], edges.ravel())
    keys = np.sort(owner // 2 * count + half[position, 1])
    shared = keys[1:][keys[1:] == keys[:-1]]
    valence = np.bincount(state.triangles.ravel(), minlength=count)
    of = shared // count
    number = np.bincount(of, minlength=len(edges))
    thin = np.bincount(of, valence[shared % count] <= 3, minlength=len(edges))
    return (number == 2) & (thin == 0)


def _keeps_sides(state: _State, triangles: Int64Array, edges: Int64Array, places: Float64Array) -> BoolArray:
    """Whether an edge's collapse neither turns over nor flattens a triangle around it; bool (E,)."""
    corners = triangles.ravel()
    owner, position = positions(corners, edges.ravel())
    end, owner = owner % 2, owner // 2
    triangle, corner = position // 3, position % 3
    other = edges[owner, 1 - end]
    stays = (triangles[triangle] != other[:, None]).all(axis=1)
    owner, triangle, corner = owner[stays], triangle[stays], corner[stays]
    before = state.points[triangles[triangle]]
    after = before.copy()
    after[np.arange(len(after)), corner] = places[owner]
    normals = [np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]) for t in (before, after)]
    along = dot(normals[0], normals[1])
    sizes = [length(n) for n in normals]
    round_before, round_after = (roundness(t) for t in (before, after))
    bad = (along < _LEAST_COSINE * sizes[0] * sizes[1]) | (round_after < np.minimum(_FLATTEST, round_before))
    return np.bincount(owner, bad, minlength=len(edges)) == 0


def _collapse(state: _State, edges: Int64Array, places: Float64Array) -> None:
    """Merge each edge's second end into its first, at its place."""
    first, second = edges.T
    a, b = state.points[first], state.points[second]
    way = b - a
    share = np.clip(dot(places - a, way) / np.maximum(dot(way, way), 1e-300), 0.0, 1.0)[:, None]
    state.attributes[first] = (1.0 - share) * state.attributes[first] + share * state.attributes[second]
    state.points[first] = places
    state.quadrics[first] += state.quadrics[second]
    target = np.arange(len(state.points))
    target[second] = first
    moved = target[state.triangles]
    a, b, c = moved.T
    state.triangles = moved[(a != b) & (b != c) & (c != a)]
