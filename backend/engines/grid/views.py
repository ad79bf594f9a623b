# SPDX-License-Identifier: GPL-3.0-or-later
"""The views as the grid takes them, of one size and cut out, and where their cameras are about its mesh."""

from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

import numpy as np

from ...arrays import Float32Array, Float64Array
from ...errors import UserError
from ...flow.products import Camera, Mesh, Noted, Picture, Report, Viewpoint, Viewpoints, Views, noted
from ...foreground.cut_out import cut_out, is_opaque
from ...mesh.place import resting
from ...raster.resample import paste_back, resample
from ...raster.vectors import unit
from ...texture.camera import check_camera
from ...texture.lens import lens_of, pose_of

_PIXELS = 4  # of a view along its longer side, for each cell
_MOST = 384  # pixels of a view along its longer side
_APART = 10.0  # degrees: views that are no farther apart are one view
_OPAQUE = 0.5  # the least alpha of a pixel that is the object's
_GREY = 0.2  # of a unit's length: what is shorter in a normal map is no normal


@dataclass(frozen=True)
class CutViews:
    """Views of an object.

    rgba: uint8 (N, H, W, 4), sRGB, straight alpha, which is the object's coverage. cameras: N. numbers: of each among
    the views that were given. normals: float32 (N, H, W, 3), unit or 0, each view's own, or None.
    """

    rgba: Picture
    cameras: tuple[Camera, ...]
    numbers: tuple[int, ...]
    normals: Float32Array | None = None


def views_needed(_picture: Picture, *, report: Report) -> NoReturn:
    """Raises UserError "no-views"."""
    report(0, 1)
    raise UserError("no-views", "The request brings no views.", "Give views of the object with their cameras.")


def cut_views(views: Views, *, cells: int, report: Report) -> CutViews | Noted:
    """Bring views to the size that a grid needs and cut the object out of each, by its alpha or by its background.

    Of which the object cannot be told they are left out, and a note says so. Raises UserError "one-view" if the views
    are all from one side, "views-unlike" if not two remain, and "bad-camera" if a camera is none.
    """
    for camera in views.cameras:
        check_camera(camera)
    _check_apart(views.cameras)
    height, width = views.pictures.shape[1:3]
    scale = min(1.0, _PIXELS * cells / max(height, width), _MOST / max(height, width))
    shape = (max(round(height * scale), 1), max(round(width * scale), 1))
    found: list[Picture] = []
    numbers: list[int] = []
    for number, picture in enumerate(views.pictures):
        report(number, len(views.pictures))
        try:
            found.append(_cut(picture, shape, partial(_within, report, number, len(views.pictures))))
        except UserError:  # it shows nothing, or no plain background
            continue
        numbers.append(number)
    report(1, 1)
    lacking = [str(number + 1) for number in range(len(views.pictures)) if number not in numbers]
    cameras = tuple(views.cameras[number] for number in numbers)
    if len(numbers) < 2:
        sentence = f"The object can be told from what is behind it in {len(numbers)} of {len(views.pictures)} views."
        advice = "Use views with transparency, or before a plain background; two at least."
        raise UserError("views-unlike", sentence, advice)
    _check_apart(cameras)
    notes = [f"Views that were not used, because the object does not stand out: {', '.join(lacking)}."]
    return noted(CutViews(np.stack(found), cameras, tuple(numbers)), notes if lacking else [])


def place_normals(cut: CutViews, normal_views: Views, *, report: Report) -> CutViews:
    """The views with their normals: of each view a normal map, x right, y up, z to the viewer.

    Raises UserError "other-cameras" if there is not one for each view, by the same camera.
    """
    report(0, 1)
    given, used = normal_views.cameras, list(cut.numbers)
    alike = len(given) > max(used) and all(
        np.allclose(given[number].matrix, camera.matrix, atol=1e-3) and abs(given[number].fov - camera.fov) < 0.1
        for number, camera in zip(used, cut.cameras, strict=True)
    )
    if not alike:
        advice = "Give normals by the cameras of the views, in their order, or leave them out."
        raise UserError("other-cameras", "The normals are not seen by the cameras of the views.", advice)
    _, height, width, _ = cut.rgba.shape
    maps = np.stack([resized(normal_views.pictures[number], (height, width)) for number in used])
    vectors = maps[..., :3].astype(np.float32) / 127.5 - 1
    lengths = np.linalg.norm(vectors, axis=3, keepdims=True)
    normals = np.where(lengths > _GREY, unit(vectors, least=1e-6), 0).astype(np.float32)
    return replace(cut, normals=normals)


def place_views(mesh: Mesh, views: Views, *, report: Report) -> Viewpoints:
    """The cameras of the views in the axes of the mesh as `mesh.place` will set it down, in the views' order.

    Nothing was searched for: both likenesses are 1. Raises UserError "empty-mesh" as `mesh.place` does.
    """
    floor, size = resting(mesh)
    points = (mesh.vertices - floor) / size
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = float(np.linalg.norm(points.max(axis=0) - middle))
    _, height, width, _ = views.pictures.shape
    found: list[Viewpoint] = []
    for camera in views.cameras:
        matrix = camera.matrix.copy()
        matrix[:3, 3] = (matrix[:3, 3] - floor) / size
        placed = Camera(matrix, camera.fov, camera.width / size)
        pose = pose_of(lens_of(placed, middle, radius, (height, width)))
        away = float(np.linalg.norm(matrix[:3, 3] - middle))
        found.append(Viewpoint(placed, pose.azimuth, pose.elevation, pose.roll, away, 1.0, 1.0))
    report(1, 1)
    return Viewpoints(tuple(found), fits=True)


def _within(report: Report, number: int, count: int, _step: int, _of: int) -> None:
    report(number, count)


def _cut(picture: Picture, shape: tuple[int, int], report: Report) -> Picture:
    """A view of this shape with the object's coverage as its alpha. Raises `UserError`."""
    small = resized(picture, shape)
    if not is_opaque(small):
        if not (small[..., 3] >= 255 * _OPAQUE).any():
            raise UserError("empty-cutout", "The view shows nothing.", "Leave it out.")
        return small
    cutout = cut_out(small, max(shape), report)
    return paste_back(cutout.rgba, cutout.crop)


def resized(picture: Picture, shape: tuple[int, int]) -> Picture:
    """A picture of this shape with the same middle and square pixels; up to half a pixel goes above and below."""
    height, width = picture.shape[:2]
    down = shape[0] * width / shape[1]
    return picture if (height, width) == shape else resample(picture, (0, (height - down) / 2, width, down), shape)


def _check_apart(cameras: tuple[Camera, ...]) -> None:
    """Raises UserError "one-view" if all cameras look the same way."""
    ways: Float64Array = np.stack([camera.matrix[:3, 2] for camera in cameras])
    if (ways @ ways[0]).min() > np.cos(np.radians(_APART)):
        sentence = "One view does not tell the shape." if len(cameras) == 1 else "All views are from the same side."
        advice = "Give two views at least, from different sides; six or more from all around are better."
        raise UserError("one-view", sentence, advice)
