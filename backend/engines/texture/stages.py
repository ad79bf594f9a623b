# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages behind the normal map: the mesh is looked at, its camera found or taken, and its colours painted."""

import numpy as np

from ...errors import UserError
from ...flow.products import Camera, Cutout, Mesh, NormalMap, Noted, Picture, Report, Viewpoint, Viewpoints, counting
from ...texture.camera import check_camera, focal_length
from ...texture.cloud import Cloud, scatter
from ...texture.fit import DISTANCE, POINTS, Candidate, fit, framed_at
from ...texture.lens import Pose, lens_of, pose_of
from ...texture.likeness import LEAST, Target, likeness, target
from ...texture.paint_mesh import paint_mesh
from .settings import ALL, GIVEN

ALIKE = 0.02
"""Of the likeness: by how much less another direction is nearly as good."""
_STEPS = 660  # of a search, about


def find_camera(
    mesh: Mesh,
    cutout: Cutout,
    normal_map: NormalMap,
    *,
    search: str,
    azimuth: float,
    elevation: float,
    roll: float,
    fov: float,
    report: Report,
) -> Viewpoints | Noted:
    """Find the camera that took a mesh's picture; a note names other directions that are as good, or that none is.

    A direction that is given, and not looked for, always fits: whoever gave it answers for it, and a note says how
    little the outlines agree, if they do not.
    """
    cloud, wanted = _both(mesh, cutout, normal_map, report)
    focal = focal_length(fov, wanted.shape[1]) if fov else None
    start = Pose(azimuth, elevation, roll, DISTANCE)
    if search == GIVEN:
        return _taken(_viewpoints(cloud, [framed_at(cloud, wanted, start, focal)], fits=True))
    found = fit(cloud, wanted, counting(report, _STEPS), start=None if search == ALL else start, focal=focal)
    fits = found[0].likeness.outline >= LEAST
    viewpoints = _viewpoints(cloud, found, fits=fits)
    best = viewpoints.found[0]
    if not fits:
        return Noted(viewpoints, (_doubt(best),))
    alike = [each for each in viewpoints.found[1:] if each.score > best.score - ALIKE]
    if not alike:
        return viewpoints
    directions = "; ".join(f"{each.azimuth:.0f}°, {each.elevation:.0f}°" for each in alike)
    found_at = f"{best.azimuth:.0f}°, {best.elevation:.0f}°"
    return Noted(
        viewpoints,
        (f"The camera was found at {found_at} (azimuth, elevation). As good, or nearly, is {directions}.",),
    )


def judge_camera(
    mesh: Mesh, cutout: Cutout, normal_map: NormalMap, camera: Camera, *, report: Report
) -> Viewpoints | Noted:
    """The camera that was given, with its likeness, and a note if the outlines do not agree.

    Raises UserError "bad-camera" if it is none.
    """
    check_camera(camera)
    cloud, wanted = _both(mesh, cutout, normal_map, report)
    distance = float(np.linalg.norm(camera.matrix[:3, 3] - cloud.centre))
    lens = lens_of(camera, cloud.centre, cloud.radius, wanted.shape)
    pose, found = pose_of(lens), likeness(cloud, lens, wanted)
    report(1, 1)
    own = Viewpoint(camera, pose.azimuth, pose.elevation, pose.roll, distance, found.whole, found.outline)
    return _taken(Viewpoints((own,), fits=True))


def paint(
    mesh: Mesh,
    viewpoints: Viewpoints,
    cutout: Cutout,
    normal_map: NormalMap,
    picture: Picture,
    *,
    image_size: str,
    keep_uv: bool,
    remove_light: bool,
    report: Report,
) -> Mesh | Noted:
    """Give the mesh the picture's colours all round. Raises UserError "picture-unlike" if no camera fits."""
    return paint_mesh(
        mesh,
        fitting(viewpoints).camera,
        cutout,
        normal_map,
        picture,
        most=int(image_size),
        lit=not remove_light,
        keep_uv=keep_uv,
        report=report,
    )


def fitting(viewpoints: Viewpoints) -> Viewpoint:
    """The camera by which the mesh is painted. Raises UserError "picture-unlike" if none fits."""
    best = viewpoints.found[0]
    if not viewpoints.fits:
        advice = "Use a picture of this object, or turn the camera by hand."
        sentence = f"The picture does not show this mesh from any side, as far as outlines tell. {_agreement(best)}"
        raise UserError("picture-unlike", sentence, advice)
    return best


def _taken(given: Viewpoints) -> Viewpoints | Noted:
    """A camera that is used since someone gave it, with a note if the outlines do not agree."""
    best = given.found[0]
    return given if best.outline >= LEAST else Noted(given, (_doubt(best),))


def _doubt(best: Viewpoint) -> str:
    return f"The picture may not show this mesh. {_agreement(best)}"


def _agreement(best: Viewpoint) -> str:
    return f"The outlines agree to {100 * best.outline:.0f} %, and {100 * LEAST:.0f} % are needed."


def _both(mesh: Mesh, cutout: Cutout, normal_map: NormalMap, report: Report) -> tuple[Cloud, Target]:
    """The mesh and the picture as they are compared. Raises UserError "empty-cutout" if the picture shows nothing."""
    if not (cutout.alpha > 0.5).any():
        sentence = "The cut-out holds nothing that could be compared with the mesh."
        raise UserError("empty-cutout", sentence, "Use a picture in which the object is not so faint.")
    report(0, 1)
    cloud = scatter(mesh.vertices, mesh.triangles, POINTS)
    report(0, 1)
    return cloud, target(cutout.alpha, normal_map.normals, cutout.crop)


def _viewpoints(cloud: Cloud, found: list[Candidate], *, fits: bool) -> Viewpoints:
    return Viewpoints(tuple(_viewpoint(cloud, each) for each in found), fits)


def _viewpoint(cloud: Cloud, each: Candidate) -> Viewpoint:
    azimuth = (each.pose.azimuth + 180) % 360 - 180
    distance = each.pose.distance * cloud.radius
    return Viewpoint(
        each.lens.camera(cloud.centre, cloud.radius),
        azimuth,
        each.pose.elevation,
        each.pose.roll,
        distance,
        each.likeness.whole,
        each.likeness.outline,
    )
