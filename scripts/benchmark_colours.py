# SPDX-License-Identifier: GPL-3.0-or-later
"""How right the colours of surface are that the one picture does not see, on objects whose colours are known.

    python scripts/benchmark.py colours FOLDER [--only NAME ...]

FOLDER is what `benchmark.py detail` reads, and has `colours/NAME.npz` besides: `points`, float32 (N, 3), at random on
the surface that can be seen from outside, in the axes of the mesh; `normals`, float32 (N, 3), unit, outward; `colours`,
uint8 (N, 3), sRGB, without light. What is painted is the surface of the object's voxels, from the true normal map and
cut-out. Three contenders colour it: `all round`, which is `paint`; `mirrored`, the picture through the whole body, as
*Mirror the Front* shows it; and `diffused`, the colours of the surface that the picture sees, spread over the mesh so
that every other vertex has the mean of its neighbours' tones.

The points are those that the picture does not see, or at a grazing angle, and that have painted surface nearby. The
pictures are lit, so the true colours get one gain for each channel, in linear light, by which they are nearest to the
picture where it sees them. Printed are the points; how far the picture's own colours are from the true ones where it
sees the surface, which is what light alone makes; and for the three contenders the mean Oklab distance x 100; the same
without the lightness, which is where light does most; the share of points whose distance is above 30 (a second face,
or none); and the local spread of the lightness over that of the true colours (1 is right; - if these are plain).
Objects without reliable voxels or without colours are left out. Needs the extras `hi3dgen` and `training`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from voxel_meshes import read_cutout, read_normals, seen, voxel_mesh

from backend.arrays import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array, UInt8Array
from backend.flow.products import Cutout, Mesh, NormalMap
from backend.mesh.project import project
from backend.raster.colour import linear_to_srgb, srgb_to_linear
from backend.raster.oklab import oklab
from backend.raster.render import vertex_normals
from backend.raster.triangles import hits
from backend.raster.vectors import unit
from backend.texture.bake import View, sample, weights, without_rim
from backend.texture.paint import paint
from backend.texture.raster import look
from backend.texture.sight import sight
from backend.training.geometry import objects
from backend.training.geometry.nearest import nearest
from backend.training.geometry.triangles import Triangles, crosses

CONTENDERS = ("all round", "mirrored", "diffused")
_DEPTH = 0.01  # of the longest side: how far behind the nearest surface a point may be to be seen
_FACING = 0.02  # of the longest side: how far a turn of the normal by 60 degrees counts when surface is looked for
_NEAR = 0.02  # of the longest side: points that are farther from what is painted are left out
_OTHER = 30.0  # hundredths of Oklab: a colour that has nothing to do with the true one
_CELL = 0.05  # of the longest side, in which colours spread
_FEW = 8  # points of a cell, that tell nothing of a spread
_PLAIN = 0.5  # hundredths of lightness: a spread that is none
_STEPS = 3000
_SOLVED = 1e-5


class Points(NamedTuple):
    """Points of a surface: float (N, 3) each; normals are unit, colours sRGB in [0, 1]."""

    places: Float64Array
    normals: Float64Array
    colours: Float64Array


class Row(NamedTuple):
    """What was measured of one object.

    points: those that are measured. light: the picture's own error where it sees the surface. By contender: errors, the
    mean distance; tints, that without the lightness; others, the share of `_OTHER`. spread: that of the true lightness.
    spreads: the contenders'.
    """

    points: int
    light: float
    errors: Float64Array
    tints: Float64Array
    others: Float64Array
    spread: float
    spreads: Float64Array


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py colours", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="measure these objects alone")
    options = parser.parse_args(arguments)
    known = objects.listed(options.folder, options.only)
    known = {name: about for name, about in known.items() if (options.folder / "colours" / f"{name}.npz").exists()}
    if not known:
        sys.exit(f"There is no colours/NAME.npz in {options.folder}.")
    titles = ("error", "without lightness", "above 30 %", "local spread")
    print(f"{'':18}{'':>7}{'':>7}" + "".join(f"{title:>33}" for title in titles))
    print(f"{'':18}{'points':>7}{'light':>7}" + "".join(f"{name:>11}" for name in CONTENDERS) * len(titles))
    rows: list[Row] = []
    for name, about in known.items():
        truth = objects.read_object(options.folder, name, about)
        if truth.occupied is None:
            continue
        cutout = read_cutout(options.folder, name)
        mesh = voxel_mesh(options.folder, name, about, cutout.crop)
        painted = coloured(mesh, cutout, read_normals(options.folder, name, cutout))
        rows.append(judge(painted, read_colours(options.folder, name), truth.surface, cutout, about))
        _print(name, rows[-1])
    if rows:
        _print("mean", _mean(rows))


def _print(name: str, row: Row) -> None:
    spreads = row.spreads / row.spread if row.spread > _PLAIN else [None] * len(CONTENDERS)
    print(
        f"{name:18}{row.points:7}{row.light:7.1f}"
        + "".join(f"{error:11.2f}" for error in row.errors)
        + "".join(f"{tint:11.2f}" for tint in row.tints)
        + "".join(f"{100 * share:11.1f}" for share in row.others)
        + "".join(f"{'-':>11}" if spread is None else f"{spread:11.2f}" for spread in spreads),
        flush=True,
    )


def _mean(rows: Sequence[Row]) -> Row:
    """The mean of all; of spreads that of the objects that have any."""
    textured = [row for row in rows if row.spread > _PLAIN]
    spreads = np.mean([row.spreads / row.spread for row in textured], axis=0) if textured else np.zeros(3)
    return Row(
        round(np.mean([row.points for row in rows])),
        float(np.mean([row.light for row in rows])),
        np.mean([row.errors for row in rows], axis=0),
        np.mean([row.tints for row in rows], axis=0),
        np.mean([row.others for row in rows], axis=0),
        1.0 if textured else 0.0,
        spreads,
    )


def read_colours(folder: Path, name: str) -> Points:
    """Read the true colours of an object."""
    with np.load(folder / "colours" / f"{name}.npz", allow_pickle=False) as file:
        places, normals, colours = (file[key].astype(np.float64) for key in ("points", "normals", "colours"))
    return Points(places, normals, colours / 255)


def coloured(mesh: Mesh, cutout: Cutout, normal_map: NormalMap) -> tuple[Points, ...]:
    """Where a mesh shows what, by each of the contenders: the places of the pixels of its image.

    mesh: its uv is (V, 2), in the frame of the cut-out, which is the whole picture. Places are in the truth's axes.
    """
    painted = project(paint(mesh, cutout, normal_map, cutout.rgba, report=_ignore), cutout, report=_ignore)
    assert painted.picture_uv is not None  # noqa: S101 - just painted
    height, width = cutout.rgba.shape[:2]
    ours, triangle, shares = on_surface(painted, painted.vertices[:, [0, 2, 1]].astype(np.float64) * (1, 1, -1))
    corners = painted.triangles[triangle]
    u, v = np.einsum("pc,pcx->px", shares, painted.picture_uv.astype(np.float64)[corners]).T
    mirrored = linear_to_srgb(np.clip(sample(_linear(cutout), u * width, (1 - v) * height), 0, 1))
    spread = np.einsum("pc,pcx->px", shares, _diffused(mesh, cutout)[corners])
    return tuple(ours._replace(colours=colours) for colours in (ours.colours, mirrored.astype(np.float64), spread))


def on_surface(painted: Mesh, vertices: Float64Array) -> tuple[Points, Int64Array, Float64Array]:
    """What the pixels of a mesh's image show: places, with the triangles, (P,), and the barycentric weights, (P, 3).

    vertices: float64 (V, 3), the mesh's in the axes of the truth.
    """
    assert painted.texture is not None and painted.texture.base_colour is not None  # noqa: S101, PT018 - just painted
    image = painted.texture.base_colour
    size = len(image)
    on_image = painted.corner_uv.astype(np.float64) * size
    screen = np.stack([on_image[..., 0], size - on_image[..., 1], np.zeros(on_image.shape[:2])], axis=2)
    pixel, triangle, _, shares = hits(screen, (size, size))
    places = np.einsum("pc,pcx->px", shares, vertices[painted.triangles[triangle]])
    normals = unit(crosses(vertices[painted.triangles]), least=1e-20)[triangle]
    return Points(places, normals, image.reshape(-1, 4)[pixel, :3] / 255), triangle, shares


def judge(painted: tuple[Points, ...], truth: Points, surface: Triangles, cutout: Cutout, about: Any) -> Row:  # noqa: ANN401 - of a JSON document
    """Compare the contenders with the truth. about: what `objects.json` says of the object."""
    on_picture = seen(truth.places, about)
    cosines = (truth.normals * unit(np.asarray(about["camera"]) - truth.places)).sum(axis=1)
    every = np.ones(cutout.rgba.shape[:2], np.float32)
    depths = look(seen(surface.vertices, about), surface.faces.astype(np.int32), every.shape).depths
    inner = without_rim(cutout.rgba[..., 3] > 127).astype(np.float32)
    hidden = weights(on_picture, cosines, View(depths, every, _DEPTH)) == 0
    shown = weights(on_picture, cosines, View(depths, inner, _DEPTH)) > 0
    own = sample(_linear(cutout), on_picture[shown, 0], on_picture[shown, 1])
    base = srgb_to_linear(truth.colours)
    gains = np.array([_gain(base[shown, channel], own[:, channel]) for channel in range(3)])
    lit = _lab(linear_to_srgb(np.clip(base * gains, 0, 1)))
    light = np.linalg.norm(_lab(linear_to_srgb(np.clip(own, 0, 1))) - lit[shown], axis=1).mean()
    asked = np.flatnonzero(hidden)
    there = np.concatenate([painted[0].places, _FACING * painted[0].normals], axis=1)
    _, which = nearest(np.concatenate([truth.places, _FACING * truth.normals], axis=1)[asked], there)
    near = np.linalg.norm(truth.places[asked] - painted[0].places[which], axis=1) < _NEAR
    asked, which = asked[near], which[near]
    found = [_lab(each.colours[which]) for each in painted]
    off = np.array(found) - lit[asked]
    distances = np.linalg.norm(off, axis=2)
    tints = np.linalg.norm(off[..., 1:], axis=2).mean(axis=1)
    cells = _cells(truth.places[asked])
    spreads = np.array([_spread(lab[:, 0], cells) for lab in found])
    errors, others = distances.mean(axis=1), (distances > _OTHER).mean(axis=1)
    return Row(len(asked), float(light), errors, tints, others, _spread(lit[asked, 0], cells), spreads)


def _gain(base: Float64Array, own: Float32Array) -> float:
    """The factor of base colours, (N,), for the least sum of absolute differences: a weighted median of ratios."""
    lit = base > 0
    if not lit.any():
        return 1.0
    ratios = own[lit] / base[lit]
    order = np.argsort(ratios)
    mass = np.cumsum(base[lit][order])
    return float(ratios[order][np.searchsorted(mass, mass[-1] / 2)])


def _diffused(mesh: Mesh, cutout: Cutout) -> Float64Array:
    """The colours of a mesh's vertices, sRGB, float64 (V, 3), as the picture shows them or else spread smoothly."""
    side = cutout.rgba.shape[0]
    points = sight(mesh, side)
    cosines = vertex_normals(replace(mesh, vertices=points.astype(np.float32)))[:, 2]
    places = points * (1, -1, -1) + (0, side, 0)  # columns, rows and depths; rays are parallel
    depths = look(places, mesh.triangles, (side, side), perspective=False).depths
    view = View(depths, without_rim(cutout.rgba[..., 3] > 127).astype(np.float32), _DEPTH * side)
    known = weights(places, cosines, view) > 0
    tones = linear_to_srgb(np.clip(sample(_linear(cutout), places[:, 0], places[:, 1]), 0, 1)).astype(np.float64)
    return harmonic(tones, known, mesh.triangles)


def harmonic(values: Float64Array, known: BoolArray, triangles: Int32Array) -> Float64Array:
    """Values for all vertices, float64 (V, C): the known ones, and elsewhere the mean of the neighbours' values.

    A part of the mesh without a known vertex gets the mean of all known ones. By conjugate gradients.
    """
    ends = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)
    count = np.bincount(ends.reshape(-1), minlength=len(values)).astype(np.float64)

    def left(field: Float64Array) -> Float64Array:
        """How much a field differs from its neighbours', summed; 0 at known vertices."""
        around = np.bincount(ends[:, 0], field[ends[:, 1]], len(field))
        around += np.bincount(ends[:, 1], field[ends[:, 0]], len(field))
        return np.where(known, 0.0, count * field - around)

    found = np.where(known[:, None], values, values[known].mean(axis=0))
    for channel in range(values.shape[1]):
        field = found[:, channel].copy()
        rest = -left(field)
        way, square = rest.copy(), float(rest @ rest)
        least = _SOLVED**2 * square
        for _ in range(_STEPS):
            if square <= least:
                break
            slope = left(way)
            stride = square / float(way @ slope)
            field += stride * way
            rest -= stride * slope
            before, square = square, float(rest @ rest)
            way = rest + square / before * way
        found[:, channel] = field
    return found


def _linear(cutout: Cutout) -> Float32Array:
    return srgb_to_linear(cutout.rgba[..., :3].astype(np.float32) / 255)


def _lab(tones: Float64Array) -> Float32Array:
    """Hundredths of Oklab of sRGB colours in [0, 1], float32 (N, 3)."""
    bytes_: UInt8Array = np.rint(255 * np.clip(tones, 0, 1)).astype(np.uint8)
    return 100 * oklab(bytes_[None])[0]


def _cells(places: Float64Array) -> Int64Array:
    """Which cell of a grid each place is in, int64 (N,), from 0 without gaps."""
    return np.unique(np.floor(places / _CELL), axis=0, return_inverse=True)[1].reshape(-1)


def _spread(values: Float32Array, cells: Int64Array) -> float:
    """The mean standard deviation of values within cells, weighted by their points; 0 if all cells have few."""
    count = np.bincount(cells)
    means = np.bincount(cells, values) / np.maximum(count, 1)
    squares = np.bincount(cells, (values - means[cells]) ** 2)
    enough = count >= _FEW
    if not enough.any():
        return 0.0
    return float(np.average(np.sqrt(squares[enough] / count[enough]), weights=count[enough]))


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""
