# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stages hand to each other. Every engine takes and returns these, and nothing else.

A picture is RGBA uint8 (H, W, 4), sRGB, straight alpha, row 0 on top.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Float32Array

Picture = NDArray[np.uint8]

Report = Callable[[int, int], None]
"""`report(step, of)`: called by a stage between its steps, at least five times a second.

It carries the progress to whoever watches, and raises `Cancelled` when the job is to end.
"""


@dataclass(frozen=True)
class Crop:
    """A square of a picture, in that picture's pixels; it may reach past the picture's border."""

    left: float
    top: float
    side: float
    picture_width: int
    picture_height: int


@dataclass(frozen=True)
class Cutout:
    """The object without its background, centred in a square.

    rgba: uint8 (S, S, 4), sRGB, straight alpha, row 0 on top. `crop` says which square of the picture it is.
    """

    rgba: Picture
    crop: Crop

    @property
    def alpha(self) -> Float32Array:
        """Coverage in [0, 1], float32 (S, S)."""
        return self.rgba[..., 3].astype(np.float32) / np.float32(255.0)


@dataclass(frozen=True)
class NormalMap:
    """The cut-out's surface normals, in the cut-out's frame.

    normals: float32 (S, S, 3), unit length, camera space: x right, y up, z to the viewer. Finite everywhere;
    of no meaning where alpha is 0. alpha: float32 (S, S), the object's coverage in [0, 1].
    """

    normals: Float32Array
    alpha: Float32Array


@dataclass(frozen=True)
class Structure:
    """Where the object is, roughly.

    coords: int32 (N, 3), the occupied voxels' x, y, z in [0, resolution), z up, the front at y = 0.
    randomness: uint8, the state of the generator that drew the noise; what is drawn next goes on from there.
    notes: sentences for the artist on how it was made, where there is something to say.
    """

    coords: NDArray[np.int32]
    resolution: int
    randomness: NDArray[np.uint8]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh, wound so that its normals point outward.

    vertices: float32 (V, 3), Blender axes (x right, y away from the viewer, z up).
    triangles: int32 (T, 3), indices into vertices.
    uv: float32 (V, 2), where the vertex lies in the image, (0, 0) bottom left and (1, 1) top right. A geometry stage
    gives it in the cut-out's frame, the finished mesh in the picture's.
    colours: float32 (V, 3), sRGB in [0, 1], and normals: float32 (V, 3), unit, where the engine's networks give them.
    notes: sentences for the artist on how it was made, where there is something to say.
    """

    vertices: Float32Array
    triangles: NDArray[np.int32]
    uv: Float32Array
    colours: Float32Array | None = None
    normals: Float32Array | None = None
    notes: tuple[str, ...] = ()
