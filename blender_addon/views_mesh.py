# SPDX-License-Identifier: GPL-3.0-or-later
"""*Mesh from Views*: from a click, or a line of a script, to a mesh in the scene that views with their cameras show."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import bpy

from ..backend.wire.limits import Scalar
from ..backend.wire.messages import Request, Result
from ..backend.wire.products import Viewpoints
from .errors import AddonError
from .generate import NOT_PLACED, PICTURE, Target, job_for, read_all_of, with_views
from .language.words import say
from .link import runtime
from .link.job import Job
from .scene import view_sets
from .scene.held import all_held, uid_of
from .scene.landing import Landing
from .scene.placing import Placing

if TYPE_CHECKING:
    from .scene.reading import Picture

VIEW_CAMERAS, MESH = "view_cameras", "mesh"  # the products


def make(
    scene: bpy.types.Scene,
    cameras: list[bpy.types.Object],
    tool: str,
    settings: Mapping[str, Scalar],
    *,
    seed: int = 0,
    placing: Placing = NOT_PLACED,
    viewport: int = 0,
    instead: bpy.types.Object | None = None,
) -> Job:
    """Let a tool make the mesh of these cameras' views, with their normal maps if the scene has them.

    The cameras go to where their views show the mesh, unless they belong to another one. seed, placing, viewport and
    instead are as `generate.submit` has them. Raises `AddonError`.
    """
    session = runtime.session()
    if missing := session.why_missing(tool):
        raise missing
    colours, normals = view_sets.with_normals(scene, cameras)
    pictures = view_sets.pictures_of(colours)
    views = {"views": pictures} | ({"normal_views": view_sets.pictures_of(normals)} if normals else {})
    sets, made = [[uid_of(thing) for thing in each] for each in (colours, normals)], colours[0][view_sets.SET]

    def then(scene: bpy.types.Scene, landing: Landing, result: Result) -> None:
        thing, seen = landing.objects[0], result.products[VIEW_CAMERAS]
        assert isinstance(seen, Viewpoints)  # noqa: S101 - by its name
        thing[view_sets.SET] = made
        for uids in sets:
            found = all_held(scene.objects, uids)
            if len(found) == len(uids) and not any(camera.parent for camera in found):
                view_sets.bring(scene, found, thing, seen)

    known: dict[str, Picture] = {}
    reading = with_views(read_all_of({PICTURE: pictures[0]}, known), views)
    numbers = tuple(number for camera in colours for number in view_sets.drawn_by(camera).numbers)
    gives = (VIEW_CAMERAS, MESH)
    request = Request(session.next_name(), tool, seed, {}, settings, gives=gives, view_cameras=numbers)
    target = Target(scene.session_uid, placing, viewport, uid_of(instead))
    title = view_sets.title_of(colours)
    job = job_for(pictures[0], request, target, known, reading, title=title, then=then)
    job.called = say("Mesh of {name}", name=title)
    if instead:
        job.title = job.called = instead.name
    session.submit(job)
    runtime.keep_ticking()
    return job


def views_of(scene: bpy.types.Scene, thing: bpy.types.Object) -> list[bpy.types.Object]:
    """The cameras of the views that a mesh was made of. Raises `AddonError` if they are gone."""
    cameras = view_sets.shown_set(scene, thing)
    if not cameras or cameras[0][view_sets.SET] != thing.get(view_sets.SET):
        sentence = f"The views that “{thing.name}” was made of are not in this scene any more."
        raise AddonError(sentence, "Generate them again, and use Mesh from Views.")
    return cameras
