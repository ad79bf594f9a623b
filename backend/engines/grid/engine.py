# SPDX-License-Identifier: GPL-3.0-or-later
"""From views with their cameras to a mesh: a grid of distances and colours is fitted to them, and they paint it.

The picture of a request is the view that is painted first. Nothing heavy is imported before the first job.
"""

from importlib.util import find_spec
from typing import Any

from ...flow.engine import NORMAL_VIEWS, PICTURE, VIEWS, Engine
from ...flow.products import Mesh, Viewpoints
from ...flow.stage import Stage
from ...mesh.place import place
from ...nn.environment import prepare_environment
from .settings import SETTINGS
from .views import cut_views, place_normals, place_views, views_needed


def grid() -> Engine:
    """The engine; the command `mesh` runs it."""
    return Engine(
        name="grid",
        label="Mesh from Views",
        description="Makes a mesh of views of an object from around it, if their cameras are known",
        needs_gpu=False,
        missing=lambda: "" if find_spec("torch") else "PyTorch, which it needs, is not installed yet.",
        settings=SETTINGS,
        inputs=(PICTURE, VIEWS, NORMAL_VIEWS),
        gives={"mesh": Mesh},
        on_request={"view_cameras": Viewpoints},
        stages=(
            Stage("need_views", "Looking for views", "views", ("picture",), (), views_needed, unless=VIEWS),
            Stage("cut_views", "Cutting out the views", "cut_views", ("views",), ("cells",), cut_views),
            Stage(
                "place_normals",
                "Reading the normals",
                "cut_views",
                ("cut_views", "normal_views"),
                (),
                place_normals,
                when=NORMAL_VIEWS,
            ),
            Stage(
                "build",
                "Fitting the grid",
                "mesh",
                ("cut_views",),
                ("seed", "cells", "steps", "between"),
                lambda *taken, **used: _stages().build(*taken, **used),
            ),
            Stage("finish", "Reducing", "mesh", ("mesh",), ("faces",), lambda *t, **used: _stages().finish(*t, **used)),
            Stage(
                "paint",
                "Painting",
                "mesh",
                ("mesh", "views", "cut_views"),
                ("image_size",),
                lambda *taken, **used: _stages().paint(*taken, **used),
            ),
            Stage(
                "place_views",
                "Placing the views",
                "view_cameras",
                ("mesh", "views"),
                (),
                place_views,
            ),
            Stage("place", "Placing the mesh", "mesh", ("mesh",), (), place),
        ),
    )


def _stages() -> Any:  # noqa: ANN401 - a module that imports torch
    prepare_environment()
    from . import stages  # noqa: PLC0415  torch

    return stages
