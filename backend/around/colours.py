# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage that brings the colours of more pictures onto a mesh that the first one has painted.

Each picture's camera is found by the outline of the mesh. A picture whose outline does not agree is left out. The
others come where the first one does not see the surface well, see `guided.given`; what none sees stays as it is.
"""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Float32Array
from ..errors import Cancelled
from ..flow.products import Cutout, Mesh, NormalMap, Noted, Picture, Report, noted
from ..flow.stage import Stage
from ..guided.given import GivenView, paint_more
from ..mesh.eye import find_eye
from ..raster.colour import linear_to_srgb, srgb_to_linear
from ..raster.resample import crop_resize, resample
from ..raster.ticks import Poll
from ..raster.vectors import TO_VIEWER, unit
from ..texture import light
from ..texture.camera import angles_of
from ..texture.cloud import Cloud, scatter
from ..texture.fit import POINTS
from ..texture.stages import FRONT
from .camera import camera_of, percent
from .stages import SIDES, about, cutout_of, normal_map_of

log = logging.getLogger(__name__)

_MIRRORED = (
    "The colours of the other pictures were not used, because the mesh mirrors the front. "
    "Choose All Round under Colours."
)
_FAILED = "The colours of the other pictures could not be brought onto the mesh: what they show was filled."
_LARGEST = 2048  # pixels a side of what a picture gives
_STEPS = 70  # of finding one camera, about


def paint_sides(
    mesh: Mesh,
    cutout: Cutout,
    *,
    colours: str,
    remove_light: bool,
    report: Report,
    **sides: Any,  # noqa: ANN401 - pictures, cut-outs and normal maps
) -> Mesh | Noted:
    """Return the mesh with what more pictures show of it where the first one does not.

    mesh: with an image of its colours, z up. cutout: that of the first picture. sides: for each picture itself, its
    cut-out and its normal map, by their names in `stages`.
    """
    if colours == FRONT:
        return Noted(mesh, (_MIRRORED,))
    if mesh.texture is None or mesh.texture.base_colour is None:  # which was noted when it could not be coloured
        return mesh
    try:
        return _painted(mesh, cutout, sides, report, lit=not remove_light)
    except Cancelled:
        raise
    except Exception:  # the mesh is there, and worth more than these colours
        log.exception("more pictures could not be painted")
        return Noted(mesh, (_FAILED,))


def _painted(mesh: Mesh, cutout: Cutout, sides: Mapping[str, Any], report: Report, *, lit: bool) -> Mesh | Noted:
    given = [side for side in SIDES if side in sides]
    done, of = 0, _STEPS * (len(given) + 1)

    def poll() -> None:
        nonlocal done
        done = min(done + 1, of - _STEPS)
        report(done, of)

    cloud = scatter(mesh.vertices, mesh.triangles, POINTS)
    angles = _angles(mesh)
    notes: list[str] = []
    views: list[GivenView] = []
    for side in given:
        its_cutout, normal_map = sides[cutout_of(side)], sides[normal_map_of(side)]
        view = _view(cloud, side, sides[side], its_cutout, normal_map, angles, notes, poll, lit=lit)
        if view:
            views.append(view)
    if views:
        mesh = paint_more(mesh, cutout, views, lambda step, all_: report(of - _STEPS + _STEPS * step // all_, of))
    report(of, of)
    return noted(mesh, notes)


def _view(
    cloud: Cloud,
    side: str,
    picture: Picture,
    cutout: Cutout,
    normal_map: NormalMap,
    angles: tuple[float, float],
    notes: list[str],
    poll: Poll,
    *,
    lit: bool,
) -> GivenView | None:
    """A picture as a view of the mesh; None, and a note, if its outline is not the mesh's."""
    azimuth, elevation = angles
    found = camera_of(cloud, side, normal_map, elevation, poll, azimuth)
    if found is None or not found.agrees:
        agreement, least = percent(found)
        sentence = f"Its outline agrees with the mesh to {agreement} %, and {least} % are needed to use its colours."
        notes.append(about(side, sentence))
        return None
    crop = cutout.crop
    size = min(max(round(crop.side), 1), _LARGEST)
    square = resample(picture, (crop.left, crop.top, crop.side, crop.side), (size, size))[..., :3]
    if not lit:
        square = _unlit(square, cutout, normal_map)
    return GivenView(square, cutout.rgba[..., 3], found.camera.lens.camera(cloud.centre, cloud.radius))


def _angles(mesh: Mesh) -> tuple[float, float]:
    """From where the first picture's camera looks at the mesh: azimuth and elevation, in degrees."""
    if mesh.picture_uv is None:
        raise ValueError("the mesh does not say where the picture shows it")
    return angles_of(find_eye(mesh.vertices, mesh.picture_uv).axes[2])


def _unlit(square: Picture, cutout: Cutout, normal_map: NormalMap) -> Picture:
    """A picture's square without its light, as far as the normals explain it, uint8 (N, N, 3)."""
    own = _linear(cutout.rgba[..., :3])
    normals = normal_map.normals
    if normals.shape != own.shape:
        normals = unit(crop_resize(normals, 0, 0, len(normals), len(own)), TO_VIEWER)
    shade = light.shade(light.fit(own, normals, cutout.alpha > 0.5), normals)[..., None]
    bright = _linear(square) / np.clip(crop_resize(shade, 0, 0, len(own), len(square)), *light.RANGE)
    return np.rint(255 * linear_to_srgb(np.clip(bright, 0, 1))).astype(np.uint8)


def _linear(colours: Picture) -> Float32Array:
    return srgb_to_linear(colours.astype(np.float32) / 255)


PAINT_SIDES = Stage(
    "sides",
    "Painting the other sides",
    "mesh",
    ("mesh", "cutout"),
    ("colours", "remove_light"),
    paint_sides,
    also=tuple(name for side in SIDES for name in (side, cutout_of(side), normal_map_of(side))),
    when_any=tuple(SIDES),
)
"""The stage; it comes behind whatever else colours a mesh all round."""
