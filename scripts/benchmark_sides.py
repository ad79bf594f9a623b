# SPDX-License-Identifier: GPL-3.0-or-later
"""How much nearer to the truth meshes come with more pictures of the object than the front.

    python scripts/benchmark.py sides FOLDER [--only NAME ...] [--choices front back sides all] [--pictures OUT]

FOLDER is what `benchmark.py colours` reads. The pictures from behind, from the left and from the right are drawn here:
the object turns about its upright axis, which `elevation` in `objects.json` tells, before the camera and under two
lights, and each channel is exposed as in the front's picture. The draft makes a mesh for each choice: of the front
alone, with the back, with left and right, and with all.

Printed for each object and choice: the Chamfer distance x 1000, the intersection over union of the volumes x 100, the
mean error of the back's depth x 1000, that of its normals in degrees, where rays from behind meet both, and the mean
Oklab distance x 100 of the colours of surface that the front's picture does not see, as `benchmark.py colours` has it,
and that without the lightness: what is filled in is in even light, and what a picture shows has that of the picture.
--pictures keeps the pictures that were drawn, and one of each mesh all round. Needs the extra `training`.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmark_colours import Points, judge, on_surface, read_colours
from voxel_meshes import read_cutout, seen

from backend.arrays import Float64Array, UInt8Array
from backend.engines import DRAFT
from backend.files.pictures import read_picture, write_picture
from backend.flow.pipeline import Pipeline, Progress
from backend.flow.products import Mesh, Picture
from backend.flow.request import Request
from backend.raster.colour import linear_to_srgb, srgb_to_linear
from backend.raster.render import render, vertex_normals
from backend.raster.vectors import unit
from backend.texture.raster import look
from backend.training.geometry import evaluation, objects
from backend.training.geometry.nearest import nearest
from backend.training.geometry.triangles import Triangles, crosses

CHOICES = {"front": (), "back": ("back",), "sides": ("left", "right"), "all": ("back", "left", "right")}
TURNS = {"back": 180.0, "left": 90.0, "right": -90.0}
"""By how many degrees an object turns counter-clockwise, seen from above, to show a side."""
COLUMNS = ("chamfer", "volume", "depth", "normals", "colours", "tints")
_LIGHTS = unit(np.array([[-0.5, 0.7, 0.6], [0.8, 0.1, 0.5]]))
_STRENGTHS = np.array([0.65, 0.2])
_AMBIENT = 0.3
_CREASE = np.cos(np.radians(40.0))
_FINE = 2  # rays along a pixel's side
_NEIGHBOURS = 4  # points that give a pixel its colour
_SIDE = 192  # of what is compared from behind, in pixels


class Silent:
    """Watches nothing."""

    def progressed(self, progress: Progress) -> None:
        """Let it go on."""

    def made(self, name: str, product: object) -> None:
        """Let it go on."""


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py sides", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="measure these objects alone")
    parser.add_argument("--choices", nargs="+", choices=[*CHOICES], default=[*CHOICES], help="what else is given")
    parser.add_argument("--pictures", type=Path, metavar="OUT", help="a folder for pictures to look at")
    options = parser.parse_args(arguments)
    known = objects.listed(options.folder, options.only)
    known = {name: about for name, about in known.items() if (options.folder / "colours" / f"{name}.npz").exists()}
    if not known:
        sys.exit(f"There is no colours/NAME.npz in {options.folder}.")
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    print(f"{'':18}{'':7}" + "".join(f"{column:>10}" for column in COLUMNS))
    rows: dict[str, list[list[float]]] = {choice: [] for choice in options.choices}
    pipeline = Pipeline({DRAFT.name: DRAFT})
    for name, about in known.items():
        truth, points = objects.read_object(options.folder, name, about), read_colours(options.folder, name)
        pictures = {"picture": read_picture(options.folder / "images" / f"{name}.png")}
        alike = drawn(truth.surface, points, about, 0.0)
        pictures |= {
            side: exposed(drawn(truth.surface, points, about, turn), alike, pictures["picture"])
            for side, turn in TURNS.items()
        }
        for choice in options.choices:
            given = {"picture": pictures["picture"], **{side: pictures[side] for side in CHOICES[choice]}}
            (outcome,) = pipeline.run(Request(given, settings={"upright": False}), Silent(), ("mesh",))
            mesh: Mesh = outcome.products["mesh"]
            rows[choice].append(measured(truth, points, mesh, options.folder, about))
            _print(name, choice, rows[choice][-1], outcome.notes)
            if options.pictures:
                write_picture(options.pictures / f"{name}_{choice}.png", all_round(mesh))
        if options.pictures:
            write_picture(options.pictures / f"{name}_given.png", np.concatenate([*pictures.values()], axis=1))
    for choice, found in rows.items():
        _print("mean", choice, [float(np.nanmean(column)) for column in zip(*found, strict=True)], ())


def all_round(mesh: Mesh) -> Picture:
    """A mesh from four sides, grey and in its colours, uint8 (512, 1024, 4)."""
    rows = ([render(mesh, -angle, 256, coloured=own) for angle in (0, 90, 180, 270)] for own in (False, True))
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _print(name: str, choice: str, row: Sequence[float], notes: Sequence[str]) -> None:
    print(f"{name:18}{choice:7}" + "".join(f"{value:10.2f}" for value in row), *notes, flush=True)


def upright_of(about: Mapping[str, Any]) -> Float64Array:
    """What is up in an object's axes (x right, y up, z to the viewer), by how high its camera stands; unit, (3,)."""
    elevation = np.radians(about["elevation"])
    return np.array([0.0, np.cos(elevation), np.sin(elevation)])


def turned(vectors: Float64Array, about: Mapping[str, Any], degrees: float) -> Float64Array:
    """Turn places or directions, float64 (N, 3), about what is up, counter-clockwise seen from above (Rodrigues)."""
    up, angle = upright_of(about), np.radians(degrees)
    along = (vectors @ up)[:, None] * up
    return along + np.cos(angle) * (vectors - along) + np.sin(angle) * np.cross(up, vectors)


def drawn(surface: Triangles, points: Points, about: Mapping[str, Any], degrees: float) -> Picture:
    """The picture of an object that has turned before its camera, uint8 (512, 512, 4)."""
    side = 512
    moved = turned(surface.vertices, about, degrees)
    large = seen(moved, about) * (_FINE, _FINE, 1)
    found = look(large, surface.faces.astype(np.int32), (_FINE * side, _FINE * side))
    there = found.triangles >= 0
    triangle, shares = found.triangles[there], found.weights[there]
    corners = surface.faces[triangle]
    places = np.einsum("pc,pcx->px", shares, surface.vertices[corners])
    face = unit(crosses(surface.corners), least=1e-20)
    flat = np.zeros((len(surface.vertices), 2), np.float32)
    smooth = vertex_normals(Mesh(surface.vertices.astype(np.float32), surface.faces.astype(np.int32), flat))
    own = smooth[corners]
    own = np.where((own * face[triangle][:, None]).sum(axis=2, keepdims=True) > _CREASE, own, face[triangle][:, None])
    normal = turned(unit(np.einsum("pc,pcx->px", shares, own), least=1e-20), about, degrees)
    way = np.asarray(about["camera"]) - np.einsum("pc,pcx->px", shares, moved[corners])
    normal = normal * np.where((normal * way).sum(axis=1) < 0, -1, 1)[:, None]
    shade = _AMBIENT + np.maximum(normal @ _LIGHTS.T, 0) @ _STRENGTHS
    colours = srgb_to_linear(colours_at(places, points)) * shade[:, None]
    image = np.zeros((*there.shape, 4))
    image[there, :3], image[there, 3] = colours, 1.0
    image = image.reshape(side, _FINE, side, _FINE, 4).mean(axis=(1, 3))
    result: UInt8Array = np.zeros((side, side, 4), np.uint8)
    tones = linear_to_srgb(np.clip(image[..., :3] / np.maximum(image[..., 3:], 1e-6), 0, 1))
    result[..., :3], result[..., 3] = np.rint(255 * tones), np.rint(255 * image[..., 3])
    return result


def exposed(picture: Picture, one: Picture, other: Picture) -> Picture:
    """Expose a picture, for each channel, as much more as another picture is brighter than one of the same view."""
    both = (one[..., 3] > 250) & (other[..., 3] > 250)
    light = [srgb_to_linear(each[both][:, :3].astype(np.float64) / 255).mean(axis=0) for each in (one, other)]
    colours = srgb_to_linear(picture[..., :3].astype(np.float64) / 255) * (light[1] / np.maximum(light[0], 1e-6))
    result = picture.copy()
    result[..., :3] = np.rint(255 * linear_to_srgb(np.clip(colours, 0, 1)))
    return result


def colours_at(places: Float64Array, points: Points) -> Float64Array:
    """The colours of the nearest known points, float64 (N, 3), sRGB in [0, 1]."""
    return points.colours[nearest(places, points.places)[1]]


def measured(
    truth: objects.Pictured, points: Points, mesh: Mesh, folder: Path, about: Mapping[str, Any]
) -> list[float]:
    """The row of one mesh, see `COLUMNS`."""
    score, placed = evaluation.judge(truth, mesh)
    cutout = read_cutout(folder, truth.name)
    painted, _, _ = on_surface(mesh, placed.vertices)
    row = judge((painted,) * 3, points, truth.surface, cutout, about)
    depth, normals = behind(truth.surface, placed)
    return [1000 * score.chamfer, 100 * score.volume, 1000 * depth, normals, float(row.errors[0]), float(row.tints[0])]


def behind(truth: Triangles, prediction: Triangles) -> tuple[float, float]:
    """The mean errors of depth and normals, in degrees, along parallel rays from behind that meet both."""
    depths: list[Float64Array] = []
    normals: list[Float64Array] = []
    for each in (truth, prediction):
        places = ((0.75, 0.75, 1) + each.vertices * (-1, -1, 1)) * (_SIDE / 1.5, _SIDE / 1.5, 1)
        found = look(places, each.faces.astype(np.int32), (_SIDE, _SIDE), perspective=False)
        normal = unit(crosses(each.corners), least=1e-20)[found.triangles]
        normals.append(normal * np.where(normal[..., 2:] > 0, -1, 1))
        depths.append(found.depths)
    both = np.isfinite(depths[0]) & np.isfinite(depths[1])
    cosine = np.clip((normals[0] * normals[1]).sum(axis=2)[both], -1, 1)
    return float(np.abs(depths[0][both] - depths[1][both]).mean()), float(np.degrees(np.arccos(cosine)).mean())
