# SPDX-License-Identifier: GPL-3.0-or-later
"""The back's relief from a picture of the back.

A picture from behind is no mirror image of the front: whoever walks around an object with a camera looks down on it
from there, too. So the picture's own camera is found, by what the body looks like without it. Through this camera every
point of the back finds its normal, if the picture shows it, and keeps the guess's elsewhere. These normals integrate to
heights, as the front's do; how deep the back lies on the whole stays the guess's.
"""

from dataclasses import dataclass

import numpy as np

from ...around.camera import camera_of, percent
from ...around.stages import BACK, about
from ...arrays import BoolArray, Float32Array, Float64Array, Int32Array
from ...flow.products import NormalMap
from ...geometry import integration
from ...geometry.network import SURE
from ...mesh.stand import turn_to_z
from ...raster.ticks import Tick
from ...raster.vectors import unit
from ...texture.bake import View, sample, weights
from ...texture.camera import angles_of
from ...texture.cloud import scatter
from ...texture.fit import POINTS
from ...texture.lens import Lens
from ...texture.raster import look
from ...texture.sides import kept
from .heights import front_heights
from .pose import Pose, without_lens

_CELLS = 128  # of the coarse body, along its longer side
_NEAR = 0.03  # radii: how far behind the coarse body's nearest surface a point may be to be seen
_SURE = 0.5  # the cosine of 60 degrees: of surface that the picture sees so or better, its normal alone counts
_BUFFER = 256  # pixels a side of the z-buffer


@dataclass(frozen=True)
class Behind:
    """A picture of the back, and how the front's camera stands.

    normal_map: of the picture from behind, in its own square. pose: of the front's camera. notes: gets a sentence if
    the picture cannot be used.
    """

    normal_map: NormalMap
    pose: Pose
    notes: list[str]

    def relief(
        self,
        front: Float64Array,
        back: Float64Array,
        inside: BoolArray,
        hold: float,
        side: int,
        tick: Tick,
    ) -> Float64Array:
        """Return the back's heights with the picture's relief, float64 (H, W), in pixels.

        front, back: float64 (H, W), the heights that are built without it. inside: bool (H, W). hold: how strongly
        the heights follow `back`, see `heights.front_heights`; it has not seen this picture, so that it decides the
        longest waves alone. side: of the cut-out, in pixels. The heights stay as they are if the picture's outline
        is not the body's.
        """
        upright = _upright(self.pose)
        places = np.stack([_places(height, self.pose, upright) for height in (front, back)])
        vertices, triangles = _coarse(places, inside)
        if not len(triangles):
            return back
        cloud = scatter(vertices.astype(np.float32), triangles, POINTS)
        elevation = angles_of(-upright[:, 1])[1]
        found = camera_of(cloud, BACK, self.normal_map, elevation, lambda: tick(0.0))
        if found is None or not found.agrees:
            agreement, least = percent(found)
            sentence = f"Its outline agrees with the body to {agreement} %, and {least} % are needed to shape the back."
            self.notes.append(about(BACK, sentence))
            return back
        guessed = _facing_back(back)
        points = (places[1].reshape(3, -1).T - cloud.centre) / cloud.radius
        coarse = (vertices - cloud.centre) / cloud.radius
        normals = _outward(guessed, upright)
        seen, share = _seen(found.camera.lens, points, normals, coarse, triangles, self.normal_map)
        own = _in_lattice(seen @ found.camera.lens.axes.T, upright)
        share = np.where(own[:, 2] > 0, share, 0.0).reshape(*inside.shape, 1)
        mixed = unit(guessed + share * (own.reshape(guessed.shape) - guessed))
        return -front_heights(integration.clean(mixed, inside), inside, -back, (hold, hold), side, tick)


def _upright(pose: Pose) -> Float64Array:
    """The rotation, (3, 3), from Blender's axes as the camera has them to those in which up is z, if that is sure."""
    if pose.doubt > SURE or pose.up[1] <= 0:
        return np.eye(3)
    x, y, z = pose.up / np.linalg.norm(pose.up)
    return turn_to_z(np.array([x, -z, y]))


def _places(height: Float64Array, pose: Pose, upright: Float64Array) -> Float64Array:
    """Where the lattice's points lie at a height, float64 (3, H, W), in pixels, z up."""
    row, column = np.indices(height.shape)
    lattice = np.stack([column, row, height]).reshape(3, -1)
    x, y, z = without_lens(lattice, pose)
    return (upright @ np.stack([x, -z, -y])).reshape(3, *height.shape)


def _coarse(places: Float64Array, inside: BoolArray) -> tuple[Float64Array, Int32Array]:
    """Front and back as triangles between every so many points: vertices, float64 (V, 3), and triangles, (T, 3).

    places: float64 (2, 3, H, W), of the front and the back. A wall joins both along the outline.
    """
    step = max(1, -(-max(inside.shape) // _CELLS))
    there = inside[::step, ::step]
    count = there.size
    number = np.arange(count).reshape(there.shape)
    vertices = np.moveaxis(places[:, :, ::step, ::step], 1, -1).reshape(-1, 3)
    square = np.stack([number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], axis=-1)
    whole = there.ravel()[square].all(axis=-1)
    square = square[whole]
    front = np.concatenate([square[:, [0, 2, 1]], square[:, [0, 3, 2]]])
    edges = np.concatenate([square[:, [0, 1]], square[:, [1, 2]], square[:, [2, 3]], square[:, [3, 0]]])
    code = edges[:, 0] * count + edges[:, 1]
    rim = edges[~np.isin(code, edges[:, 1] * count + edges[:, 0])]
    wall = np.concatenate([np.column_stack([rim, rim[:, 1] + count]), np.column_stack([rim + count, rim[:, 0]])])
    return vertices, np.concatenate([front, front[:, ::-1] + count, wall]).astype(np.int32)


def _facing_back(back: Float64Array) -> Float64Array:
    """The normals of the back's heights as if these rose behind the picture, float64 (H, W, 3), unit, z >= 0."""
    down, right = np.gradient(-back)
    return unit(np.dstack([-right, down, np.ones_like(back)]))


def _outward(behind: Float64Array, upright: Float64Array) -> Float64Array:
    """Such normals in the axes in which z is up, float64 (N, 3)."""
    x, y, z = behind.reshape(-1, 3).T
    return (upright @ np.stack([x, z, y])).T


def _in_lattice(normals: Float64Array, upright: Float64Array) -> Float64Array:
    """The inverse of `_outward`."""
    x, y, z = upright.T @ normals.T
    return np.stack([x, z, y], axis=1)


def _seen(
    lens: Lens,
    points: Float64Array,
    normals: Float64Array,
    coarse: Float64Array,
    triangles: Int32Array,
    normal_map: NormalMap,
) -> tuple[Float32Array, Float64Array]:
    """The normals that a picture shows at points, float32 (N, 3), in its camera's axes, and how far they count, (N,).

    points, normals: float64 (N, 3). coarse, triangles: the body that hides them, all as the camera has them.
    """
    size = len(normal_map.alpha)
    scale = np.array([_BUFFER / size, _BUFFER / size, 1.0])
    depths = look(lens.seen(coarse) * scale, triangles, (_BUFFER, _BUFFER)).depths
    usable = kept(normal_map.alpha > 0.5, _BUFFER)
    places = np.asarray(lens.seen(points), np.float64)
    cosines = (unit(lens.place - points) * normals).sum(axis=1)
    share = np.clip(weights(places * scale, cosines, View(depths, usable, _NEAR)) ** 0.25 / _SURE, 0, 1)
    return unit(sample(normal_map.normals, places[:, 0], places[:, 1]), least=1e-3), share
