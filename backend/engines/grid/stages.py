# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages behind the cut-outs: the grid becomes a mesh, which is reduced and painted with the views."""

from functools import partial

import numpy as np

from ...arrays import Float32Array
from ...errors import UserError
from ...flow.products import Camera, Cutout, Mesh, NormalMap, Noted, Report, Views, noted, unwrapped
from ...foreground.cut_out import cut_out_by_alpha
from ...guided.given import GivenView, paint_views
from ...mesh.clean import clean
from ...mesh.reduce import reduce
from ...nn.device import TOO_SMALL, choose, device_lost, is_device_lost, is_out_of_memory, release
from ...raster.render import vertex_normals
from ...raster.vectors import TO_VIEWER, unit
from ...texture.camera import angles_of, pixels
from ...texture.paint_mesh import paint_mesh
from ...texture.raster import look
from ...texture.square import of_square, squared
from ...volume.reconstruct import hull, mesh_of, reconstruct
from ...volume.seen import seen
from .views import CutViews, resized

_MOST = 1024  # pixels a side of the cut-out of the view that is painted first


def build(cut: CutViews, *, seed: int, cells: int, steps: int, between: int, report: Report) -> Mesh:
    """The surface of the grid that is fitted to the views, or of their hull with 0 steps, in the views' frame.

    Raises `UserError` if the views show no common shape, or if the memory is not enough.
    """

    def poll() -> None:
        report(0, 1)

    poll()
    device = choose().device
    colours, alpha = cut.rgba[..., :3].astype(np.float32) / 255, cut.rgba[..., 3].astype(np.float32) / 255
    try:
        views = seen(colours, alpha, cut.cameras, cut.normals, device, poll)
        mesh = mesh_of(
            reconstruct(views, cells, steps, seed, report, between=between) if steps else hull(views, cells, poll)
        )
    except (RuntimeError, MemoryError) as error:
        if is_device_lost(error):
            raise device_lost(device) from error
        if not is_out_of_memory(error):
            raise
        sentence = "The memory was not enough for the grid."
        raise UserError("out-of-memory", sentence, f"Choose fewer cells. {TOO_SMALL}") from error
    finally:
        release(device)
    report(1, 1)
    return mesh


def finish(mesh: Mesh, *, faces: int, report: Report) -> Mesh | Noted:
    """The mesh without stray parts, with at most so many triangles."""
    mesh, notes = unwrapped(clean(mesh, report=lambda _step, _of: report(0, 20)))
    reduced = reduce(mesh, faces=faces, report=report)
    return noted(reduced, notes)


def paint(mesh: Mesh, views: Views, cut: CutViews, *, image_size: str, report: Report) -> Mesh | Noted:
    """The mesh in the colours of the views, where it lies.

    The view nearest to the front is painted first; the others come where it does not see the surface well, those near
    it first. Raises UserError "no-room" and "camera-in-mesh" as `texture.paint_mesh` does.
    """
    numbers, count = cut.numbers, len(cut.numbers)
    _, height, width, _ = views.pictures.shape
    front = min(range(count), key=lambda number: _off_front(cut.cameras[number]))
    camera, picture = cut.cameras[front], views.pictures[numbers[front]].copy()
    picture[..., 3] = resized(cut.rgba[front], (height, width))[..., 3]
    cutout = cut_out_by_alpha(picture, min(max(height, width), _MOST), lambda _step, _of: report(0, 1))
    normal_map = NormalMap(_normals(mesh, camera, cutout), cutout.alpha, cutout.crop)
    halfway = partial(_part, report, 0, 2)
    painted = paint_mesh(mesh, camera, cutout, normal_map, picture, most=int(image_size), report=halfway)
    mesh, notes = unwrapped(painted)
    given = [
        GivenView(
            squared(views.pictures[numbers[each]])[..., :3],
            squared(resized(rgba[..., 3], (height, width))[..., None])[..., 0],
            of_square(cut.cameras[each], height, width),
        )
        for each, rgba in enumerate(cut.rgba)
        if each != front
    ]
    return noted(paint_views(mesh, camera, cutout, given, partial(_part, report, 1, 2)), notes)


def _off_front(camera: Camera) -> float:
    """How far, in degrees, a camera is from where a picture is seen: at -y, level with the object."""
    azimuth, elevation = angles_of(camera.matrix[:3, 2])
    return abs(azimuth) + abs(elevation)


def _normals(mesh: Mesh, camera: Camera, cutout: Cutout) -> Float32Array:
    """The normals that a camera sees of a mesh, in the frame of a cut-out: float32 (S, S, 3), x right, y up."""
    crop, side = cutout.crop, len(cutout.rgba)
    places = pixels(mesh.vertices.astype(np.float64), camera, (crop.picture_height, crop.picture_width))
    places[:, :2] = (places[:, :2] - (crop.left, crop.top)) * (side / crop.side)
    found = look(places, mesh.triangles, (side, side), perspective=camera.fov > 0)
    corners = mesh.triangles[np.maximum(found.triangles, 0)]
    normals = np.einsum("ijk,ijkc->ijc", found.weights, vertex_normals(mesh)[corners]) @ camera.matrix[:3, :3]
    return unit(normals, TO_VIEWER, least=1e-6).astype(np.float32)


def _part(report: Report, part: int, parts: int, step: int, of: int) -> None:
    """Report a step of one of several parts that are about as long."""
    report(part * of + step, parts * of)
