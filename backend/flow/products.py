# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stages hand to each other and what an engine gives. Every engine takes and returns these.

A picture is RGBA uint8 (H, W, 4), sRGB, straight alpha, row 0 on top.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..arrays import Float32Array, Float64Array, Int32Array, UInt8Array

P = TypeVar("P")
Picture = UInt8Array

Report = Callable[[int, int], None]
"""`report(step, of)`: called by a stage between its steps, at least five times a second.

It carries the progress to whoever watches, and raises `Cancelled` if the job is to end.
"""


def counting(report: Report, of: int) -> Callable[[], None]:
    """What work calls that cannot tell how far it is: each call is a step more of about `of`, but for the last one."""
    done = 0

    def poll() -> None:
        nonlocal done
        done = min(done + 1, of - 1)
        report(done, of)

    return poll


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
        return self.rgba[..., 3].astype("float32") / 255


@dataclass(frozen=True)
class NormalMap:
    """The cut-out's surface normals, in the cut-out's frame.

    normals: float32 (S, S, 3), unit length, camera space: x right, y up, z to the viewer. Finite everywhere; without
    meaning if alpha is 0. alpha: float32 (S, S), the object's coverage in [0, 1]. crop: which square of the picture it
    shows; None if it shows the whole picture.
    """

    normals: Float32Array
    alpha: Float32Array
    crop: Crop | None = None


@dataclass(frozen=True)
class Structure:
    """Where the object is, roughly: its sparse structure.

    coords: int32 (N, 3), the occupied voxels' x, y, z in [0, resolution), z up, the front at y = 0.
    randomness: uint8, the state of the generator that drew the noise; what is drawn next goes on from there.
    """

    coords: Int32Array
    resolution: int
    randomness: UInt8Array


@dataclass(frozen=True)
class Camera:
    """From where a picture is seen.

    matrix: float64 (4, 4), from the camera's axes (x right, y up, looking along -z) to Blender's, in metres.
    fov: the angle across the picture's width in degrees; 0 for a parallel projection, which is `width` metres wide.
    """

    matrix: Float64Array
    fov: float = 0.0
    width: float = 1.0


@dataclass(frozen=True)
class Viewpoint:
    """A camera that may have taken the picture of a mesh, and how alike the picture and the mesh seen by it are.

    camera: that of the whole picture, in the mesh's axes and unit. azimuth, elevation: from where it looks at the
    middle of the mesh's box, in degrees; azimuth 0 is from -y, and 90 from +x. roll: by how many degrees it is turned
    about its way there. distance: from the middle, in the mesh's unit. score: the likeness of outline and normals, and
    outline: how well the outlines run along each other, 0 to 1.
    """

    camera: Camera
    azimuth: float
    elevation: float
    roll: float
    distance: float
    score: float
    outline: float


@dataclass(frozen=True)
class Viewpoints:
    """The cameras that may have taken the picture of a mesh, the best first, each from another direction; at least one.

    fits: whether the first is alike enough, or was given by hand.
    """

    found: tuple[Viewpoint, ...]
    fits: bool


@dataclass(frozen=True)
class Views:
    """Pictures of one object from around it: uint8 (N, H, W, 4), and the N cameras that see them."""

    pictures: UInt8Array
    cameras: tuple[Camera, ...]


@dataclass(frozen=True)
class Panorama:
    """The light that comes from all around one place, as an equirectangular picture.

    light: float32 (H, 2 H, 3), at least 0, in linear light of sRGB's primaries, 1 for a picture's white. Row 0 is above
    (the first row's middle half a row beneath the zenith), columns go to the right; the middle of the picture is
    straight ahead: +y of Blender's axes, as the picture is seen from -y.
    """

    light: Float32Array


@dataclass(frozen=True)
class Texture:
    """The images of a mesh's surface, laid out by its UVs; None for what there is no image of.

    base_colour: a picture. normal: uint8 (H, W, 3), in tangent space, y up (glTF). roughness, metallic: uint8 (H, W).
    """

    base_colour: Picture | None = None
    normal: UInt8Array | None = None
    roughness: UInt8Array | None = None
    metallic: UInt8Array | None = None


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh, wound so that its normals point outward.

    vertices: float32 (V, 3), Blender axes (x right, y away from the viewer, z up).
    triangles: int32 (T, 3), indices into vertices.
    uv: where the surface lies in its image, (0, 0) bottom left and (1, 1) top right: float32 (V, 2) by vertex, or
    (T, 3, 2) by corner if the image has seams. Without a texture the image is the picture; before the stage `project`
    it is the cut-out.
    colours: float32 (V, 3), sRGB in [0, 1], and normals: float32 (V, 3), unit, if the engine's networks give them.
    picture_uv: float32 (V, 2), where the vertices lie in the picture, if uv is for a texture.
    faces: int32 (T,), which face each triangle is part of, if a request brings a mesh whose faces have more corners.
    """

    vertices: Float32Array
    triangles: Int32Array
    uv: Float32Array
    colours: Float32Array | None = None
    normals: Float32Array | None = None
    texture: Texture | None = None
    picture_uv: Float32Array | None = None
    faces: Int32Array | None = None

    @property
    def corner_uv(self) -> Float32Array:
        """The UVs of every triangle's corners, float32 (T, 3, 2)."""
        return self.uv if self.uv.ndim == 3 else self.uv[self.triangles]


@dataclass(frozen=True)
class Noted:
    """A product together with sentences for the artist on how it was made."""

    product: Any
    notes: tuple[str, ...]


def noted(product: P, notes: Sequence[str]) -> P | Noted:
    """The product, with the notes if there are any."""
    return Noted(product, tuple(notes)) if notes else product


def unwrapped(result: P | Noted) -> tuple[P, tuple[str, ...]]:
    """The product that a stage has returned, and its notes; none if it came without."""
    return (result.product, result.notes) if isinstance(result, Noted) else (result, ())
