# SPDX-License-Identifier: GPL-3.0-or-later
"""Six views around an object from one picture, and their normals: Zero123++ 1.2 (Shi et al. 2023).

Nothing heavy is imported before the engine's first job.
"""

from typing import TYPE_CHECKING

from ...flow.engine import Engine
from ...flow.late import made_late
from ...flow.products import Cutout, Views
from ...flow.stage import Stage, of_each
from ...foreground.mask import OWN_CUTOUT, STROKES
from ...nn.environment import prepare_environment
from ...nn.libraries import lacking
from ...views.cutting import STAGES as CUT_OUT
from ...weights import store
from ...weights.catalogue import SIX_NORMALS, SIX_VIEWS
from .settings import SETTINGS

if TYPE_CHECKING:
    from .stages import Stages


def zero123pp() -> Engine:
    """The engine, with networks of its own that it keeps between jobs."""
    stages, unload = made_late(_stages)
    return Engine(
        name="zero123pp",
        label="Six Views",
        description="Draws the object from six sides at once, as it likely looks (Zero123++). "
        "The weights are not for commercial use; what they draw is free to use",
        needs_gpu=True,
        missing=lambda: lacking() or store.trouble([SIX_VIEWS]),
        versions=lambda: store.revisions([SIX_VIEWS, SIX_NORMALS]),
        settings=SETTINGS,
        inputs=("picture", OWN_CUTOUT, STROKES),
        gives={"views": Views},
        on_request={"cutout": Cutout, "normal_views": Views},
        stages=(
            *CUT_OUT,
            Stage(
                "look",
                "Looking at the picture",
                "seen",
                ("cutout",),
                ("steps", "precision"),
                lambda *taken, **used: stages().look(*taken, **used),
            ),
            of_each(
                "views",
                "Drawing the views",
                "views",
                ("seen",),
                ("seed", "steps", "guidance", "precision"),
                lambda *taken, **used: stages().views(*taken, **used),
            ),
            of_each(
                "normal_views",
                "Drawing the normals",
                "normal_views",
                ("seen", "views"),
                ("seed", "steps", "guidance", "precision"),
                lambda *taken, **used: stages().normal_views(*taken, **used),
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
