# SPDX-License-Identifier: GPL-3.0-or-later
"""Views that somebody has drawn already come onto a mesh that the picture has painted.

The picture's own pixels stay where it sees the surface well. Each view gets the brightness and the tint of what is
known of the surface so far, those near the picture first, so that they border on what is known, and held to what the
view before needed; what it shows better than anything before comes onto the surface.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Float32Array, Float64Array
from ..flow.products import Camera, Cutout, Mesh, Picture, Report, Texture
from ..mesh.eye import find_eye
from ..raster.colour import srgb_to_linear
from ..raster.resample import resample
from ..raster.vectors import unit
from ..texture.paint_mesh import faced, turned_uv
from ..texture.sides import kept
from .baking import bake, drawn
from .front import Front, front_of, pictured
from .matching import NO_CHANGE, tune, tuned
from .rendering import Rendering, render
from .surface import Surface, surface_of
from .texels import texels_of

_COMPARED = 512  # pixels a side, at most, at which a view's tones are compared with what is known
_GUESSED = 0.03  # how far a pixel counts that nothing has shown: gaps of some six pixels close


@dataclass(frozen=True)
class GivenView:
    """A view of a mesh.

    colours: uint8 (N, N, 3), sRGB. mask: uint8 (S, S), what of it is the object, of any size. camera: in the axes and
    the unit of the mesh.
    """

    colours: Picture
    mask: Picture
    camera: Camera


def paint_views(mesh: Mesh, camera: Camera, cutout: Cutout, views: Sequence[GivenView], report: Report) -> Mesh:
    """The mesh with what views show of it where the picture does not.

    mesh: as `texture.paint_mesh` gives it: with an image, its uv by corner. camera: that of the picture, by which
    it was painted. report: called between steps. Raises UserError as `paint_mesh` does.
    """
    own = mesh.texture.base_colour if mesh.texture else None
    if own is None:
        raise ValueError("the mesh has no image of its colours")

    def poll() -> None:
        report(0, 1)

    side = len(cutout.rgba)
    sight, turned = faced(mesh, camera, cutout.crop, side, poll)
    surface = surface_of(replace(mesh, triangles=sight.triangles, uv=turned_uv(mesh.corner_uv, turned)))
    painted = _painted(own, surface, pictured(sight, cutout, poll), _way(camera, surface), views, report)
    return replace(mesh, texture=replace(mesh.texture or Texture(), base_colour=painted))


def paint_more(mesh: Mesh, cutout: Cutout, views: Sequence[GivenView], report: Report) -> Mesh:
    """The same for a mesh that was made from the picture.

    mesh: with an image, its uv by corner, and its `picture_uv` in the frame of the cut-out, as `texture.paint` gives
    it. Raises `NoEyeError` and `CannotPaintError` if that is no projection from one side.
    """
    own = mesh.texture.base_colour if mesh.texture else None
    if own is None or mesh.picture_uv is None:
        raise ValueError("the mesh has no image of its colours, or does not say where the picture shows it")
    front = front_of(mesh, cutout, lambda: report(0, 1))
    own_way = find_eye(mesh.vertices, mesh.picture_uv).axes[2]
    painted = _painted(own, surface_of(mesh), front, own_way, views, report)
    return replace(mesh, texture=replace(mesh.texture or Texture(), base_colour=painted))


def _painted(
    own: Picture, surface: Surface, front: Front, own_way: Float64Array, views: Sequence[GivenView], report: Report
) -> Picture:
    """The image of a surface's colours with what views show where the picture does not.

    own: the image. front: what the picture sees. own_way: float64 (3,), unit, the way to its camera.
    """
    done, of = 0, len(views) + 2

    def poll() -> None:
        report(done, of)

    image = srgb_to_linear(own[..., :3].astype(np.float32) / 255)
    texels = texels_of(surface, front, image, poll)
    lines = NO_CHANGE
    for each in sorted(views, key=lambda view: -float(_way(view.camera, surface) @ own_way)):
        done += 1
        poll()
        colours = each.colours.astype(np.float32) / 255
        usable = kept(each.mask > 127, len(colours))
        size = min(len(colours), _COMPARED)
        known = render(surface, drawn(texels, poll), each.camera, size, poll)
        lines = _tones(colours, usable, known, lines)
        bake(surface, texels, each.camera, tuned(colours, lines), poll, usable)
    done += 1
    whole: Picture = np.full((texels.size, texels.size, 4), 255, np.uint8)
    whole[..., :3] = np.rint(np.clip(drawn(texels, poll, _GUESSED)[..., :3], 0, 1) * 255)
    report(of, of)
    return whole


def _way(camera: Camera, surface: Surface) -> Float64Array:
    """The way from a surface's middle to a camera, float64 (3,), unit."""
    return unit((camera.matrix[:3, 3] - surface.middle)[None])[0] if camera.fov else camera.matrix[:3, 2]


def _tones(colours: Float32Array, usable: Float32Array, known: Rendering, expected: Float64Array) -> Float64Array:
    """What brings a view to the brightness and tint of what is known of the surface; see `matching.tune`."""
    shape = known.cover.shape
    whole = (0.0, 0.0, float(len(colours)), float(len(colours)))
    small, trust = (np.clip(resample(part, whole, (shape[0], shape[1])), 0, 1) for part in (colours, usable))
    sure = trust * known.known * (known.cover > 0.99)  # edges mix with the ground
    return tune(small, known.colours, sure, expected)
