# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages for views that a request brings: cut out, fitted to the mesh by their outlines, and painted onto it."""

from dataclasses import dataclass

import numpy as np

from ...errors import UserError
from ...flow.products import Crop, Cutout, Mesh, Noted, Picture, Report, Viewpoint, Viewpoints, Views, counting, noted
from ...foreground.cut_out import cut_out
from ...guided.given import GivenView, paint_views
from ...raster.resample import paste_back, resample
from ...texture.camera import check_camera
from ...texture.cloud import scatter
from ...texture.lens import lens_of, pose_of
from ...texture.likeness import LEAST, target
from ...texture.square import of_square, squared
from ...texture.view_fit import fit_views
from .stages import fitting

_SIDE = 256  # pixels of a mask
_DRAWN = 96  # pixels of the small views that are compared
_POINTS = 36_000  # of the surface, that are drawn in them
_STEPS = 800  # of a fit, about
_ANOTHER = "Use views of this object."


@dataclass(frozen=True)
class ViewMasks:
    """What of each view is the object: uint8 (N, S, S), 255 in it and 0 outside; empty if it could not be told."""

    masks: Picture


def cut_views(views: Views, *, report: Report) -> ViewMasks:
    """Cut the object out of every view, by its alpha, or by its background.

    Raises UserError "bad-camera" if a view's camera is none.
    """
    for camera in views.cameras:
        check_camera(camera)
    masks = np.zeros((len(views.pictures), _SIDE, _SIDE), np.uint8)
    for number, picture in enumerate(views.pictures):
        report(number, len(masks))
        square = squared(picture)
        small = resample(square, (0, 0, len(square), len(square)), (_SIDE, _SIDE))

        def within(_step: int, _of: int, number: int = number) -> None:
            report(number, len(masks))

        try:
            cutout = cut_out(small, _SIDE, within)
        except UserError:  # it shows nothing, or no plain background
            continue
        masks[number] = np.where(paste_back(cutout.alpha, cutout.crop) > 0.5, 255, 0)
    report(1, 1)
    return ViewMasks(masks)


def place_views(
    mesh: Mesh, viewpoints: Viewpoints, views: Views, view_masks: ViewMasks, *, report: Report
) -> Viewpoints | Noted:
    """The cameras of the views in the mesh's axes, in the views' order; of those that do not agree the outline is low.

    Raises UserError "views-unlike" if none agrees with the mesh, and "picture-unlike" if the picture does not.
    """
    cloud = scatter(mesh.vertices, mesh.triangles, _POINTS)
    shown = [number for number, mask in enumerate(view_masks.masks) if mask.any()]
    flat, whole = np.zeros((_SIDE, _SIDE, 3), np.float32), Crop(0, 0, _SIDE, _SIDE, _SIDE)
    wanted = [target(view_masks.masks[number].astype(np.float32) / 255, flat, whole, _DRAWN) for number in shown]
    best = fitting(viewpoints)
    outline = np.zeros(len(views.cameras))
    if not shown:
        raise UserError("views-unlike", "None of the views shows an object before a plain background.", _ANOTHER)
    _, height, width, _ = views.pictures.shape
    own = [of_square(views.cameras[number], height, width) for number in shown]
    similarity, outline[shown] = fit_views(cloud, own, wanted, best.azimuth, best.elevation, counting(report, _STEPS))
    unlike = [number + 1 for number, each in enumerate(outline) if each < LEAST]
    if len(unlike) == len(outline):
        agreement = f"The best outline agrees to {100 * outline.max():.0f} %, and {100 * LEAST:.0f} % are needed."
        sentence = f"The views do not show this mesh, as far as outlines tell. {agreement}"
        raise UserError("views-unlike", sentence, _ANOTHER)
    found: list[Viewpoint] = []
    for camera, each in zip(views.cameras, outline, strict=True):
        moved = similarity.of(camera)
        pose = pose_of(lens_of(moved, cloud.centre, cloud.radius, (height, width)))
        distance = float(np.linalg.norm(moved.matrix[:3, 3] - cloud.centre))
        found.append(Viewpoint(moved, pose.azimuth, pose.elevation, pose.roll, distance, float(each), float(each)))
    report(1, 1)
    return noted(Viewpoints(tuple(found), fits=not unlike), _note(unlike, len(outline)))


def paint_with_views(
    mesh: Mesh,
    viewpoints: Viewpoints,
    cutout: Cutout,
    views: Views,
    view_masks: ViewMasks,
    view_cameras: Viewpoints,
    *,
    report: Report,
) -> Mesh:
    """The painted mesh with what the views that agree show of it where the picture does not."""
    _, height, width, _ = views.pictures.shape
    given = [
        GivenView(squared(picture)[..., :3], mask, of_square(each.camera, height, width))
        for picture, mask, each in zip(views.pictures, view_masks.masks, view_cameras.found, strict=True)
        if each.outline >= LEAST
    ]
    return paint_views(mesh, viewpoints.found[0].camera, cutout, given, report)


def _note(unlike: list[int], count: int) -> list[str]:
    if not unlike:
        return []
    named = ", ".join(map(str, unlike))
    return [f"Of the {count} views these were not used, because their outlines are not the mesh's: {named}."]
