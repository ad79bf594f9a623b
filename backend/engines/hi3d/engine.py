# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that makes views from around an object in two stages (Hi3D; Yang et al. 2024).

Nothing heavy is imported before the engine's first job.
"""

from typing import TYPE_CHECKING

from ...flow.engine import Engine
from ...flow.late import made_late
from ...flow.products import Cutout, Views
from ...flow.stage import Stage
from ...foreground.mask import OWN_CUTOUT, STROKES
from ...nn.environment import prepare_environment
from ...nn.libraries import lacking
from ...views.cutting import STAGES as CUT_OUT
from ...weights import store
from ...weights.catalogue import HI3D
from .settings import SETTINGS

if TYPE_CHECKING:
    from .stages import Stages


def hi3d() -> Engine:
    """The engine, with networks of its own that it keeps between jobs."""
    stages, unload = made_late(_stages)
    return Engine(
        name="hi3d",
        label="Hi3D",
        description="Sixteen pictures from around the object, on the circle of the picture's own camera",
        needs_gpu=True,
        missing=lambda: lacking() or store.trouble([HI3D]),
        versions=lambda: store.revisions([HI3D]),
        settings=SETTINGS,
        inputs=("picture", OWN_CUTOUT, STROKES),
        gives={"views": Views},
        on_request={"cutout": Cutout},
        stages=(
            *CUT_OUT,
            Stage(
                "views",
                "Looking around",
                "views",
                ("cutout",),
                ("seed", "views_size", "elevation", "steps", "precision"),
                lambda *taken, **used: stages().views(*taken, **used),
            ),
            Stage(
                "fine",
                "Adding detail",
                "views",
                ("views", "cutout"),
                ("seed", "views_size", "elevation", "steps", "precision"),
                lambda *taken, **used: stages().fine(*taken, **used),
            ),
        ),
        seconds=lambda stage, settings, _inputs: stages().seconds(stage, settings),
        place=lambda: stages().place(),
        unload=unload,
    )


def _stages() -> "Stages":
    prepare_environment()
    from .stages import Stages  # noqa: PLC0415  torch and all the rest

    return Stages()
