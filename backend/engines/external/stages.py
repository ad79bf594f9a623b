# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages behind the cut-out: the program runs, and its mesh goes on as every mesh of the house does.

A mesh that brings an image keeps its UVs and its image; any other one gets the picture's colours.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...around.stages import SIDES, cutout_of
from ...flow.products import Crop, Cutout, Mesh, NormalMap, Noted, Report, counting, noted, unwrapped
from ...flow.stage import Stage
from ...mesh.clean import clean
from ...mesh.reduce import reduce
from ...texture.camera import pixels
from ...texture.cloud import scatter
from ...texture.fit import DISTANCE, POINTS, fit, framed_at
from ...texture.lens import Pose
from ...texture.likeness import LEAST, target
from .description import NORMAL_MAP, OTHER_SIDES, WHOLE_PICTURE, Description
from .exchange import Brought, read_result, scratch_folder, write_request
from .program import run_program

_SEARCHES = 660  # looks of a search for the camera, about


def run_for(description: Description, make_room: Callable[[], None]) -> Callable[..., Brought]:
    """The function of the stage that runs a program; make_room: lets other engines give back their memory."""

    def run(
        cutout: Cutout,
        *others: Any,  # noqa: ANN401 - what the program wants besides
        report: Report,
        seed: int = 0,
        **settings: Any,  # noqa: ANN401 - scalars, and cut-outs of other sides
    ) -> Brought:
        sides = {side: settings.pop(cutout_of(side)) for side in SIDES if cutout_of(side) in settings}
        wanted = dict(zip((name for name in description.wants if name != OTHER_SIDES), others, strict=True))
        if description.needs_gpu:
            make_room()
        with scratch_folder(description) as scratch:
            request = write_request(
                scratch,
                description,
                cutout,
                seed,
                settings,
                normal_map=wanted.get(NORMAL_MAP),
                whole=wanted.get(WHOLE_PICTURE),
                sides=sides if OTHER_SIDES in description.wants else None,
            )
            run_program(description, request, scratch, report)
            return read_result(scratch, description, lambda _step, _of: report(1, 1))

    return run


def take_views(brought: Brought, *, report: Report) -> Any:  # noqa: ANN401 - `Views`, or they with notes
    """The views that a program has made."""
    report(1, 1)
    return noted(brought.views, brought.notes)


def take_mesh(brought: Brought, *, own_colours: bool, report: Report) -> Mesh | Noted:
    """The mesh that a program has made, outward and without specks. own_colours: whether it keeps its image."""
    mesh = brought.mesh
    assert mesh is not None  # noqa: S101 - what it gives is a mesh
    if not own_colours and mesh.texture is not None:
        mesh = replace(mesh, texture=None, uv=np.zeros((len(mesh.vertices), 2), np.float32))
    mesh, notes = unwrapped(clean(mesh, report=report))
    return noted(mesh, (*brought.notes, *notes))


def reduce_mesh(mesh: Mesh, *, faces: int, report: Report) -> Mesh | Noted:
    """The mesh with at most so many triangles; one that brings an image keeps all, and a note says so."""
    if mesh.texture is None:
        return reduce(mesh, faces=faces, report=report)
    report(1, 1)
    if len(mesh.triangles) <= faces:
        return mesh
    note = f"The mesh keeps its {len(mesh.triangles)} triangles: with fewer, its own image would no longer fit."
    return Noted(mesh, (note,))


def find_picture(mesh: Mesh, cutout: Cutout, normal_map: NormalMap, *, report: Report) -> Mesh | Noted:
    """The mesh with the places where the cut-out shows its vertices, as its uv, or as picture_uv beside an image.

    The camera is looked for all round. If no outline fits, the picture counts as taken from the front, and a note says
    so.
    """
    cloud = scatter(mesh.vertices, mesh.triangles, POINTS)
    side = len(cutout.rgba)
    crop = Crop(0, 0, side, side, side)
    wanted = target(cutout.alpha, normal_map.normals, crop)
    best = fit(cloud, wanted, counting(report, _SEARCHES))[0]
    notes: tuple[str, ...] = ()
    if best.likeness.outline < LEAST:
        best = framed_at(cloud, wanted, Pose(0.0, 0.0, distance=DISTANCE))
        notes = ("The picture does not show this mesh from any side, as far as outlines tell: it counts as its front.",)
    seen = pixels(mesh.vertices.astype(np.float64), best.lens.camera(cloud.centre, cloud.radius), (side, side))
    uv = np.stack([seen[:, 0] / side, 1 - seen[:, 1] / side], axis=1).astype(np.float32)
    report(1, 1)
    return noted(replace(mesh, uv=uv) if mesh.texture is None else replace(mesh, picture_uv=uv), notes)


def unless_textured(stage: Stage) -> Stage:
    """A stage that gives a mesh colours, for meshes that may bring an image: those stay as they are."""

    def run(mesh: Mesh, *taken: Any, own_colours: bool, report: Report, **used: Any) -> Any:  # noqa: ANN401
        *others, brought = taken
        if own_colours and brought.mesh.texture is not None:
            report(1, 1)
            return mesh
        return stage.run(mesh, *others, report=report, **used)

    return replace(stage, takes=(*stage.takes, "brought"), uses=(*stage.uses, "own_colours"), run=run)
