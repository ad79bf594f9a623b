# SPDX-License-Identifier: GPL-3.0-or-later
"""The colours all round of any mesh, from one picture and the camera that took it; its triangles stay as they are."""

from dataclasses import replace

import numpy as np

from ..arrays import BoolArray, Float32Array
from ..errors import UserError
from ..flow.products import Camera, Crop, Cutout, Mesh, NormalMap, Noted, Picture, Report, Texture
from ..raster.ticks import Poll
from .atlas import Atlas, lay_out
from .errors import CannotPaintError
from .own_uv import kept, usable
from .paint import MOST, STEPS, baked
from .sight import Sight, sight_by
from .tones import Tones, tones_of
from .winding import inward, welded


def paint_mesh(
    mesh: Mesh,
    camera: Camera,
    cutout: Cutout,
    normal_map: NormalMap,
    picture: Picture,
    *,
    most: int = MOST,
    lit: bool = True,
    keep_uv: bool = True,
    report: Report,
) -> Mesh | Noted:
    """Give any mesh an image of its colours all round; see `paint` for how they are made.

    mesh: of whatever parts, in any unit, wound in any way; its uv by corner, if it has some of its own, else (V, 2),
    which is not looked at. camera: that of the whole picture, in the mesh's axes. keep_uv: the mesh's own UVs are used
    if they can be. Returns the same vertices and triangles with a texture, its uv by corner; with a note if its own UVs
    cannot be used. Raises UserError "camera-in-mesh" if part of the mesh is not in front of the camera, and "no-room"
    if its pieces have no room in the image.
    """
    side = cutout.rgba.shape[0]

    def poll() -> None:
        report(1, STEPS)

    seen, turned = faced(mesh, camera, cutout.crop, side, poll)
    notes: tuple[str, ...] = ()
    atlas, joined = None, seen.triangles
    if keep_uv and mesh.uv.ndim == 3:
        atlas = _own(mesh, seen, turned, cutout.crop.side / side, most, poll)
        notes = () if atlas else ("The mesh's own UVs overlap or leave the image, so that it has got new ones.",)

    def layout(poll: Poll) -> Atlas:
        return atlas or lay_out(seen.points, joined, side, most, cutout.crop.side / side, poll, mesh.faces)

    def told(poll: Poll) -> Tones:
        return tones_of(cutout, normal_map, poll)

    try:
        used, image = baked(seen, layout, told, cutout, picture, lit=lit, report=report)
    except CannotPaintError as error:
        sentence = f"The mesh has more loose pieces than an image of {most} pixels a side has room for."
        raise UserError(
            "no-room", sentence, "Allow a larger image, or merge the mesh's vertices by distance."
        ) from error
    painted = replace(mesh, uv=turned_uv(used.uv, turned), texture=Texture(base_colour=image))
    return Noted(painted, notes) if notes else painted


def faced(mesh: Mesh, camera: Camera, crop: Crop, side: int, poll: Poll) -> tuple[Sight, BoolArray]:
    """How a picture sees a mesh, welded and with its triangles outward, and which were turned over, bool (T,).

    Raises UserError "camera-in-mesh" if part of the mesh is not in front of the camera.
    """
    try:
        seen = sight_by(mesh, camera, crop, side)
    except CannotPaintError as error:
        advice = "Move the camera away from the mesh, or let it be found."
        raise UserError(
            "camera-in-mesh", "The camera is within the mesh, or parts of it are behind.", advice
        ) from error
    poll()
    joined = welded(mesh.vertices, mesh.triangles)
    turned = inward(seen.points, joined, poll)
    joined[turned] = joined[turned][:, ::-1]
    poll()
    return replace(seen, triangles=joined), turned


def turned_uv(uv: Float32Array, turned: BoolArray) -> Float32Array:
    """The UVs of triangles' corners, float32 (T, 3, 2), of which some are turned over, bool (T,)."""
    uv = uv.copy()
    uv[turned] = uv[turned][:, ::-1]
    return uv


def _own(mesh: Mesh, seen: Sight, turned: BoolArray, scale: float, most: int, poll: Poll) -> Atlas | None:
    """The layout by the mesh's own UVs, its corners in the order of those that are seen; None if it is unusable."""
    uv = turned_uv(mesh.uv, turned)
    corners = seen.points[seen.triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    return kept(uv, areas, most, scale) if usable(uv, areas, poll) else None
