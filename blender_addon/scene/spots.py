# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a job's results stand in a scene, with what stands there already."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ...backend.wire.messages import Result
from ...backend.wire.products import Mesh
from . import placing
from .grid import Grid
from .landing import picture_hash_of
from .placing import Boxes, Placing, Stands

WITH_SURFACE = {"MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "GPENCIL", "GREASEPENCIL"}
OPAQUE = {"SOLID", "TEXTURED"}  # what is drawn as wires hides nothing: a cutter, the domain of a simulation


@dataclass(frozen=True)
class Spot:
    """Where a result stands.

    matrix: from the result's own coordinates, in Blender's units, to the scene's. replaces: the session UID of the
    object whose place it takes, 0 if there is none.
    """

    matrix: Matrix
    replaces: int = 0


def spots_of(
    layer: bpy.types.ViewLayer,
    results: Sequence[Result],
    wanted: Placing,
    eye: Sequence[float] | None = None,
    grid: Grid | None = None,
) -> dict[int, Spot]:
    """The places of a job's results, by their index in the job; none touches another.

    eye: where the artist looks from; what surrounds that point is in nobody's way. grid: that of the pictures which the
    job's is one of.
    """
    layer.update()
    taken = np.empty((0, 2, 3)) if wanted.stands is Stands.CURSOR else _boxes_in(layer, eye)
    former = _former(layer, results[0]) if wanted.stands is Stands.IN_PLACE else None
    at = Vector(wanted.cursor)
    cells = iter(() if former or grid is None else _cells(grid, results, wanted, taken))
    spots: dict[int, Spot] = {}
    for result in sorted(results, key=lambda result: result.index):
        box = wanted.size * box_of(result)
        at = next(cells, at)
        if former:
            spot, former = _in_place_of(former, box), None
            at = spot.matrix.translation
        else:
            spot = Spot(Matrix.Translation(placing.free_place(at, box, taken)))
        spots[result.index] = spot
        taken = np.concatenate([taken, _moved(_corners(box), spot.matrix)[None]])
    return spots


def _cells(grid: Grid, results: Sequence[Result], wanted: Placing, taken: Boxes) -> NDArray[np.float64]:
    """Where the next picture's results stand in a grid, (count, 3)."""
    longest = max(float(np.ptp(box_of(result), axis=0).max()) for result in results)
    grid.settle(wanted.cursor, wanted.size * max(longest, 1.0), taken)
    return grid.take_cells()


def box_of(result: Result) -> Boxes:
    """The box around a result's meshes, in metres; that of its origin if there is none, or if it is non-finite."""
    meshes = [product.vertices for product in result.products.values() if isinstance(product, Mesh)]
    boxes = [placing.box_around(vertices) for vertices in meshes if len(vertices)]
    whole = [box for box in boxes if np.isfinite(box).all()]
    return placing.box_around(np.concatenate(whole)) if whole else np.zeros((2, 3))


def _boxes_in(layer: bpy.types.ViewLayer, eye: Sequence[float] | None) -> Boxes:
    """The boxes of all that is seen in a view layer and hides what is in it, instances of collections as well.

    What nodes and particles scatter, such as grass, is nothing that a result stands beside.
    """
    seen = (thing for thing in layer.objects if thing.visible_get(view_layer=layer))
    boxes = [_moved(np.array(thing.bound_box), matrix) for thing, matrix in _standing(seen, Matrix())]
    found = np.array([box for box in boxes if np.isfinite(box).all()]).reshape(-1, 2, 3)
    return found if eye is None else placing.without_surroundings(found, eye)


def _standing(things: Iterable[bpy.types.Object], where: Matrix) -> Iterator[tuple[bpy.types.Object, Matrix]]:
    """Objects that take a place, with the matrices that bring them to the scene."""
    for thing in things:
        matrix = where @ thing.matrix_world
        if thing.instance_type == "COLLECTION" and thing.instance_collection:
            library = thing.instance_collection
            yield from _standing(library.all_objects, matrix @ Matrix.Translation(-library.instance_offset))
        elif _takes_place(thing):
            yield thing, matrix


def _takes_place(thing: bpy.types.Object) -> bool:
    return thing.type in WITH_SURFACE and thing.display_type in OPAQUE and any(thing.dimensions)


def _former(layer: bpy.types.ViewLayer, result: Result) -> bpy.types.Object | None:
    """The mesh whose place another one of the same picture takes: the active one, else the latest that is seen."""
    picture = result.recipe.get("inputs", {}).get("picture")
    for thing in filter(None, (layer.objects.active, *reversed(layer.objects[:]))):
        same = picture and picture_hash_of(thing) == picture
        if same and thing.type == "MESH" and thing.visible_get(view_layer=layer):
            return thing
    return None


def _in_place_of(former: bpy.types.Object, box: Boxes) -> Spot:
    """Turned and scaled as the artist has turned and scaled the former one, on the same place of the floor."""
    beside = placing.floor_of(placing.box_around(former.bound_box)) - placing.floor_of(box)
    return Spot(former.matrix_world @ Matrix.Translation(beside), former.session_uid)


def _corners(box: Boxes) -> NDArray[np.float64]:
    return np.stack(np.meshgrid(*box.T), axis=-1).reshape(-1, 3)


def _moved(points: NDArray[np.float64], matrix: Matrix) -> Boxes:
    """The box around points (N, 3) that a matrix has moved."""
    turn = np.array(matrix)
    return placing.box_around(points @ turn[:3, :3].T + turn[:3, 3])
