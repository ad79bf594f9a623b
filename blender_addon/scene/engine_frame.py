# SPDX-License-Identifier: GPL-3.0-or-later
"""How a generated mesh lies in the engine's own frame, so that another one can take its place.

It is written on the object when it lands, with some of its vertices: if the artist applies a scale, moves the origin or
turns the mesh since, these say how. If the mesh has other vertices by now (decimated, remeshed), its box must be the
same; else nobody knows where another mesh would belong.
"""

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import AddonError
from .placing import Boxes, box_around

FRAME = "hi3dgen_frame"  # on an object: the numbers of its `Frame`, one after the other
SAMPLES = 16  # vertices that are remembered
NEAR = 0.02  # how far a vertex, or a side of the box, may be from where it is looked for, in sizes of the mesh

Affine = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """From the engine's frame to the object's own coordinates when it landed.

    affine: float64 (3, 4). box: (2, 3), around its vertices. count: of its vertices. samples: (SAMPLES, 3), the places
    of some, evenly taken by number.
    """

    affine: Affine
    box: Boxes
    count: int
    samples: NDArray[np.float64]


def frame_of(mesh: bpy.types.Mesh, affine: Affine) -> list[float]:
    """How a mesh lies in the engine's frame, to be written on its object as `FRAME`."""
    points = _points(mesh)
    parts = (affine, box_around(points), [len(points)], _samples(points))
    return np.concatenate([np.ravel(part) for part in parts]).tolist()


def affine_of(scale: float, pivot: ArrayLike) -> Affine:
    """The map of an object that has just landed, see `Landing.own`."""
    return np.column_stack([scale * np.eye(3), -np.asarray(pivot, np.float64)])


def affine_now(thing: bpy.types.Object) -> Affine:
    """From the engine's frame to the object's own coordinates as its mesh is now: float64 (3, 4).

    Raises `AddonError` if the mesh was changed so much that it cannot be told.
    """
    frame, points = _read(thing), _points(thing.data)
    if frame and len(points) == frame.count:
        known = np.column_stack([frame.samples, np.ones(SAMPLES)])
        change, _, rank, _ = np.linalg.lstsq(known, _samples(points), rcond=None)
        moved = known @ change
        if rank == known.shape[1] and np.abs(moved - _samples(points)).max() <= NEAR * np.ptp(moved, axis=0).max():
            return change.T[:, :3] @ frame.affine + np.column_stack([np.zeros((3, 3)), change[3]])
    elif frame and len(points):
        size = float(np.ptp(frame.box, axis=0).max())
        if np.abs(box_around(points) - frame.box).max() <= NEAR * size:
            return frame.affine
    sentence = f"The mesh of “{thing.name}” was changed so much that another one cannot take its place."
    raise AddonError(sentence, "Generate from its picture instead.")


def _read(thing: bpy.types.Object) -> Frame | None:
    numbers = np.array(thing.get(FRAME, ()), np.float64)
    if len(numbers) != 12 + 6 + 1 + 3 * SAMPLES:
        return None
    affine, box, count, samples = np.split(numbers, [12, 18, 19])
    return Frame(affine.reshape(3, 4), box.reshape(2, 3), int(count[0]), samples.reshape(SAMPLES, 3))


def _points(mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    points = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.attributes["position"].data.foreach_get("vector", points.reshape(-1))
    return points


def _samples(points: NDArray[np.float32]) -> NDArray[np.float64]:
    return points[np.linspace(0, len(points) - 1, SAMPLES).astype(int)].astype(np.float64)
