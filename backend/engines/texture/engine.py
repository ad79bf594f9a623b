# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool that puts a picture onto any mesh: the picture's cut-out and normals are those of an engine that makes some.

The camera is a stage of its own: to turn it a little and paint again costs the painting alone. Views that a request
brings are painted behind the picture: see `views`.
"""

from ...flow.engine import CAMERA, MESH, VIEWS, Engine
from ...flow.products import Cutout, Mesh, NormalMap, Viewpoints
from ...flow.stage import Stage
from ...mesh.given import read_mesh
from .settings import SETTINGS
from .stages import find_camera, judge_camera, paint
from .views import cut_views, paint_with_views, place_views

_SEEN = ("cutout", "normal_map")


def texture(base: Engine) -> Engine:
    """The tool `texture`, with the stages of an engine up to its normal map, and the settings that these use."""
    last = max(number for number, stage in enumerate(base.stages) if stage.makes == "normal_map")
    stages = base.stages[: last + 1]
    used = {name for stage in stages for name in stage.settings}
    taken = {name for stage in stages for name in stage.takes}
    return Engine(
        name="texture",
        label="Texture",
        description="Puts a picture's colours onto a mesh, all round: finds the camera, and fills what nobody saw",
        needs_gpu=base.needs_gpu,
        missing=base.missing,
        settings=(*SETTINGS, *(setting for setting in base.settings if setting.name in used)),
        inputs=(*(name for name in base.inputs if name in taken), MESH, CAMERA, VIEWS),
        gives={"viewpoints": Viewpoints, "mesh": Mesh},
        on_request={"cutout": Cutout, "normal_map": NormalMap, "view_cameras": Viewpoints},
        stages=(
            Stage("read_mesh", "Reading the mesh", "mesh", ("mesh",), (), read_mesh),
            *stages,
            Stage(
                "fit",
                "Finding the camera",
                "viewpoints",
                ("mesh", *_SEEN),
                ("search", "azimuth", "elevation", "roll", "fov"),
                find_camera,
                unless=CAMERA,
            ),
            Stage(
                "judge", "Looking by the camera", "viewpoints", ("mesh", *_SEEN, CAMERA), (), judge_camera, when=CAMERA
            ),
            Stage("cut_views", "Cutting out the views", "view_masks", ("views",), (), cut_views, when=VIEWS),
            Stage(
                "place_views",
                "Fitting the views",
                "view_cameras",
                ("mesh", "viewpoints", "views", "view_masks"),
                (),
                place_views,
                when=VIEWS,
            ),
            Stage(
                "paint",
                "Painting",
                "mesh",
                ("mesh", "viewpoints", *_SEEN, "picture"),
                ("image_size", "keep_uv", "remove_light"),
                paint,
            ),
            Stage(
                "paint_views",
                "Painting the views",
                "mesh",
                ("mesh", "viewpoints", "cutout", "views", "view_masks", "view_cameras"),
                (),
                paint_with_views,
                when=VIEWS,
            ),
        ),
        seconds=base.seconds,
        place=base.place,
        unload=base.unload,
        versions=base.versions,
    )
