# SPDX-License-Identifier: GPL-3.0-or-later
"""The surface that the picture sees takes on the detail of the normal map.

The mesh's UVs tell the camera (`mesh.eye`). A z-buffer says what each pixel of the map sees, `texture.agreement` how
far the map counts there, and `relief` by how much the surface has to move along its ray. Triangles that are too large
for it are split (`refine`), and the vertices that are seen move. As they move along the rays, the picture shows them
where it did, and no triangle that it sees can turn its back to it. Where one would turn by more than 90 degrees against
where it was, its vertices go less far.
Nothing moves at the outline, at steps and where nobody sees it, and nothing comes near the surface behind.
"""

from dataclasses import replace

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array, Int32Array
from ..flow.products import Mesh, NormalMap, Report
from ..mesh.eye import Eye, find_eye
from ..mesh.smooth import smooth_normals
from ..raster.morphology import dilated
from ..raster.ticks import Poll, Tick
from ..raster.vectors import unit
from ..texture.agreement import agreed
from ..texture.bake import sample
from ..texture.raster import Seen, look
from .refine import edges_of, halved
from .relief import Sheet, relief

_STEPS = 20
_LEAST_AGREEMENT = 0.7  # the mean cosine between the mesh's normals and the map's
_WAVE = 1 / 4  # in sides of the map: longer waves stay as they are
_OPAQUE = 0.9  # the least alpha that is trusted
_FACING = 0.15  # the least cosine between a normal of the map and the ray
_STEP = 8.0  # pixels of depth between neighbours that are a step of the surface
_BEHIND = 1.5  # pixels that a vertex may lie behind what its pixel sees
_DEEPEST = 1 / 3  # of the way to the surface behind
_TOLERANCE = 0.03  # pixels that the middle of an edge may be off
_SHORTEST = 1.0  # pixels: shorter edges are not split
_ROUNDS = 4
_MOST_POINTS = 400_000
_HALVINGS = 40  # of the ways of a triangle's corners that would turn over, before they stay in their places


class ForeignMapError(ValueError):
    """A normal map shows something else than the mesh."""


def correct(mesh: Mesh, normal_map: NormalMap, strength: float, report: Report) -> Mesh:
    """Give the seen surface of a mesh the detail of a normal map; see the module.

    mesh: closed and outward, its uv (V, 2) in the normal map's frame. strength: how much of the way vertices go, at
    least 0; above 1 the relief is exaggerated. Returns the same vertices first, then those where triangles were split.
    Raises `NoEyeError` if no camera shows the mesh at its UVs, and `ForeignMapError` if the map shows something else.
    """
    side = normal_map.alpha.shape[0]
    report(0, _STEPS)
    eye = find_eye(mesh.vertices, mesh.uv)
    scale = side * eye.width(mesh.vertices.astype(np.float64))  # pixels of a length of 1
    places = eye.pixels(mesh.vertices.astype(np.float64), side)
    report(1, _STEPS)
    seen = _look(eye, places, mesh.triangles, side, lambda: report(1, _STEPS))
    report(3, _STEPS)
    sheet = _sheet(eye, mesh, seen, normal_map, scale)
    sheet = _borne_out(mesh, seen, sheet)
    moved = relief(sheet, _WAVE * side, lambda done: report(4 + int(8 * done), _STEPS))
    thickness = _thickness(eye, places, mesh.triangles, seen, scale, lambda: report(12, _STEPS))
    moved = strength * np.maximum(moved, -_DEEPEST * thickness)
    report(13, _STEPS)
    mesh = _refined(mesh, eye, moved, seen.depths, scale, lambda done: report(13 + int(5 * done), _STEPS))
    places = eye.pixels(mesh.vertices.astype(np.float64), side)
    near = _is_seen(places, seen.depths, scale)
    rays = eye.rays(mesh.vertices.astype(np.float64))
    points = _along(mesh, rays, _unturned(mesh, rays, _sampled(moved, places) * near / scale))
    report(_STEPS, _STEPS)
    return replace(mesh, vertices=points, normals=_turned(mesh, sheet, places, strength * near))


def _look(eye: Eye, places: Float64Array, triangles: Int32Array, side: int, poll: Poll) -> Seen:
    return look(places, triangles, (side, side), perspective=bool(eye.place[3]), poll=poll)


def _sheet(eye: Eye, mesh: Mesh, seen: Seen, normal_map: NormalMap, scale: float) -> Sheet:
    corners = mesh.vertices[mesh.triangles[seen.triangles]].astype(np.float64)
    points = np.einsum("hwk,hwkc->hwc", seen.weights, corners)
    rays = eye.rays(points)
    shown = unit(normal_map.normals.astype(np.float64)) @ eye.axes
    trusted = (seen.triangles >= 0) & (normal_map.alpha > _OPAQUE) & ~_steps(seen.depths * scale)
    trusted &= np.einsum("hwc,hwc->hw", shown, rays) > _FACING
    return Sheet(points * scale, rays, shown, trusted)


def _borne_out(mesh: Mesh, seen: Seen, sheet: Sheet) -> Sheet:
    """The sheet with the map's normals as far as the mesh bears them out; raises `ForeignMapError`."""
    own = smooth_normals(mesh.vertices, mesh.triangles).astype(np.float64)
    drawn = unit(np.einsum("hwk,hwkc->hwc", seen.weights, own[mesh.triangles[seen.triangles]]), sheet.rays)
    cosines = np.einsum("pc,pc->p", drawn[sheet.trusted], sheet.normals[sheet.trusted])
    if len(cosines) and cosines.mean() < _LEAST_AGREEMENT:
        raise ForeignMapError
    return replace(sheet, normals=agreed(drawn, sheet.normals, sheet.trusted))


def _steps(depths: Float64Array) -> BoolArray:
    """The pixels on both sides of a step between neighbours, bool (H, W)."""
    known = np.where(np.isfinite(depths), depths, 1e9)
    steps = np.zeros(known.shape, np.bool_)
    for axis in (0, 1):
        high = np.abs(np.diff(known, axis=axis)) > _STEP
        steps |= np.insert(high, 0, False, axis=axis) | np.insert(high, known.shape[axis] - 1, False, axis=axis)
    return steps


def _thickness(
    eye: Eye, places: Float64Array, triangles: Int32Array, seen: Seen, scale: float, poll: Poll
) -> Float64Array:
    """Pixels from what each pixel sees to where its ray leaves the body, float64 (H, W), at least 0."""
    a, b, c = np.moveaxis(places[triangles][..., :2], 1, 0)
    away = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] > 0
    behind = _look(eye, places, triangles[away], len(seen.depths), poll)
    with np.errstate(invalid="ignore"):
        return np.maximum(np.nan_to_num((behind.depths - seen.depths) * scale, nan=0.0, posinf=0.0), 0.0)


def _refined(mesh: Mesh, eye: Eye, moved: Float64Array, depths: Float64Array, scale: float, tick: Tick) -> Mesh:
    """Split the edges along which vertices move in another way than between their ends."""
    side = len(moved)
    for turn in range(_ROUNDS):
        tick(turn / _ROUNDS)
        room = _MOST_POINTS - len(mesh.vertices)
        if room <= 0:
            break
        places = eye.pixels(mesh.vertices.astype(np.float64), side)
        ends, sides = edges_of(mesh.triangles)
        error = np.zeros(len(ends))
        near = np.flatnonzero(_is_seen(places, depths, scale)[ends].all(axis=1))
        start, end = places[ends[near, 0]], places[ends[near, 1]]
        long = np.linalg.norm((end - start)[:, :2], axis=1) > _SHORTEST
        near, start, end = near[long], start[long], end[long]
        first, last = _sampled(moved, start), _sampled(moved, end)
        for share in (0.25, 0.5, 0.75):
            between = _sampled(moved, start + share * (end - start))
            error[near] = np.maximum(error[near], np.abs(between - first - share * (last - first)))
        chosen = error > _TOLERANCE
        if np.count_nonzero(chosen) > room:
            chosen &= error > np.partition(error, len(error) - room - 1)[len(error) - room - 1]
        if not chosen.any():
            break
        mesh = halved(mesh, ends, sides, chosen)
        new = slice(len(places), None)
        mesh.uv[new] = eye.seen(mesh.vertices[new].astype(np.float64))[:, :2]  # not the mean of the ends' if rays meet
    return mesh


def _unturned(mesh: Mesh, rays: Float64Array, ways: Float64Array) -> Float64Array:
    """How far vertices go along their rays, float64 (V,), some of them less far, so that no triangle turns over.

    Where a triangle would turn by more than 90 degrees, its corners go half the way to that of the one that moves
    least, again and again; if that does not do, they stay in their places.
    """
    ways, before = ways.copy(), _across(mesh.vertices, mesh.triangles)
    suspects, turn = np.arange(len(mesh.triangles)), 0
    while len(suspects):
        corners = mesh.triangles[suspects]
        after = _across(_along(mesh, rays, ways), corners)
        corners = corners[np.einsum("tc,tc->t", before[suspects], after) < 0]
        own = ways[corners]
        least = own[np.arange(len(own)), np.abs(own).argmin(axis=1)]
        many = np.bincount(corners.reshape(-1), minlength=len(ways))
        held = many > 0
        sums = np.bincount(corners.reshape(-1), np.repeat(least, 3), len(ways))
        ways[held] = (ways[held] + sums[held] / many[held]) / 2 if turn < _HALVINGS else 0.0
        suspects, turn = np.flatnonzero(held[mesh.triangles].any(axis=1)), turn + 1
    return ways


def _along(mesh: Mesh, rays: Float64Array, ways: Float64Array) -> Float32Array:
    return (mesh.vertices + rays * ways[:, None]).astype(np.float32)


def _across(vertices: Float32Array, triangles: Int32Array) -> Float64Array:
    """Normals of triangles, as long as twice their areas, float64 (T, 3)."""
    a, b, c = np.moveaxis(vertices.astype(np.float64)[triangles], 1, 0)
    return np.cross(b - a, c - a)


def _turned(mesh: Mesh, sheet: Sheet, places: Float64Array, share: Float64Array) -> Float32Array | None:
    """The normals of a mesh that has its own, turned to those of the map by a share, (V,), where the map is trusted."""
    if mesh.normals is None:
        return None
    share = np.clip(share * _sampled(sheet.trusted.astype(np.float64), places), 0.0, 1.0)[:, None]
    wanted = sample(sheet.normals.astype(np.float32), places[:, 0], places[:, 1])
    return unit((mesh.normals * (1.0 - share) + wanted * share).astype(np.float32), mesh.normals)


def _sampled(image: Float64Array, places: Float64Array) -> Float64Array:
    return sample(image[..., None].astype(np.float32), places[:, 0], places[:, 1])[:, 0].astype(np.float64)


def _is_seen(places: Float64Array, depths: Float64Array, scale: float) -> BoolArray:
    """Whether vertices lie where their pixel, or one beside it, sees the surface; bool (V,)."""
    farthest = dilated(np.where(np.isfinite(depths), depths, -np.inf), 1)
    last = len(depths) - 1
    column, row = (np.clip(places[:, axis], 0, last).astype(np.intp) for axis in (0, 1))
    return places[:, 2] <= farthest[row, column] + _BEHIND / scale
