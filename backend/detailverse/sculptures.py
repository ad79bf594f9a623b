# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes without any model: the shapes that the small networks learn from, as closed coloured surfaces."""

from pathlib import Path

import numpy as np
import torch

from ..arrays import Float32Array, Float64Array
from ..batch.made import Made
from ..batch.running import Task
from ..errors import UserError
from ..files.meshes import write_mesh
from ..flow.products import Mesh, unwrapped
from ..mesh.clean import clean
from ..mesh.place import place
from ..mesh.reduce import reduce
from ..raster.colour import linear_to_srgb
from ..surface.marching_cubes import marching_cubes
from ..training.shapes.field import gradients, volume
from ..training.shapes.materials import albedo, draw_materials
from ..training.shapes.sculptures import draw_thing
from ..training.shapes.solids import Shape

_STREAM = 11  # keeps these shapes' random numbers apart from those of the trainings
_OUTSIDE = 1e-3  # the least distance on the lattice's border, so that the surface is closed there


def sculpture(seed: int, number: int, cells: int, faces: int) -> tuple[str, Mesh]:
    """Make sculpture `number` of a seed: a word for what it is, such as "house", and its mesh.

    The mesh is closed, one metre long, on the floor, in Blender's axes, with colours; it has at most `faces` triangles.
    cells: of the lattice along each side, a multiple of 8: nothing finer than two cells is kept. Raises UserError
    (no-sculpture) if cuts leave nothing of the shape, once in some ten thousand.
    """
    random = np.random.default_rng([seed, number, _STREAM])
    kind, shape = draw_thing(random)
    mesh = surface(shape, cells)
    if not len(mesh.triangles):
        raise UserError(
            "no-sculpture", "Cuts leave nothing of this sculpture.", "Leave it out: others are not touched."
        )
    cleaned, _ = unwrapped(clean(mesh, report=_unwatched))
    reduced = reduce(cleaned, faces=faces, report=_unwatched)
    coloured = _coloured(reduced, shape, random)
    return kind, place(_standing(coloured), report=_unwatched)


def surface(shape: Shape, cells: int) -> Mesh:
    """The zero surface of a shape's distances, in the shape's own place and axes (y up), without colours."""
    step = 2.0 * 1.02 * shape.radius / cells
    values, half = volume(shape, cells, step)
    for axis in range(3):
        border = np.moveaxis(values, axis, 0)[::cells]
        border[:] = np.maximum(border, _OUTSIDE)
    found = marching_cubes(torch.from_numpy(values))
    points = np.stack(np.unravel_index(found.points.numpy(), values.shape), axis=1).astype(np.float32)
    vertices = found.interpolate(torch.from_numpy(points)).numpy() * np.float32(step) - np.float32(half)
    return Mesh(vertices, found.triangles.numpy(), np.zeros((len(vertices), 2), np.float32))


def make(task: Task) -> Made:
    """Write the sculpture of a task's request: `seed`, and the settings `number`, `cells` and `faces`."""
    settings = task.request["settings"]
    kind, mesh = sculpture(task.request["seed"], settings["number"], settings["cells"], settings["faces"])
    write_mesh(Path(task.folder, f"{task.stem}.ply"), mesh, np.zeros((1, 1, 4), np.uint8))
    return Made((f"It is a sculpture of the kind “{kind}”.",), ())


def _coloured(mesh: Mesh, shape: Shape, random: np.random.Generator) -> Mesh:
    """The mesh with its parts' materials as the vertices' colours."""
    places: Float64Array = np.ascontiguousarray(mesh.vertices.T, np.float64)
    parts = gradients(places, shape, 0.01)[6].astype(np.int64)
    light = albedo(places, parts, draw_materials(random, shape.parts), shape.lattice).T
    return _with(mesh, mesh.vertices, linear_to_srgb(light.clip(0, 1)).astype(np.float32))


def _standing(mesh: Mesh) -> Mesh:
    """From y up, z to the viewer, to z up, y away from the viewer."""
    x, y, z = mesh.vertices.T
    return _with(mesh, np.stack([x, -z, y], axis=1), mesh.colours)


def _with(mesh: Mesh, vertices: Float32Array, colours: Float32Array | None) -> Mesh:
    return Mesh(np.ascontiguousarray(vertices, np.float32), mesh.triangles, mesh.uv, colours)


def _unwatched(_step: int, _of: int) -> None:
    """A `Report` that nobody hears."""
