# SPDX-License-Identifier: GPL-3.0-or-later
"""The object as a camera sees it that the artist has placed: Zero-1-to-3 (Liu et al. 2023).

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
from ...weights.catalogue import VIEW_BY_MOVE
from .settings import SETTINGS

if TYPE_CHECKING:
    from .stages import Stages

_MOVE = ("azimuth", "elevation", "distance")


def zero123() -> Engine:
    """The engine, with networks of its own that it keeps between jobs."""
    stages, unload = made_late(_stages)
    return Engine(
        name="zero123",
        label="One View",
        description="Draws the object as it likely looks from wherever the camera goes (Zero-1-to-3)",
        needs_gpu=True,
        missing=lambda: lacking() or store.trouble([VIEW_BY_MOVE]),
        versions=lambda: store.revisions([VIEW_BY_MOVE]),
        settings=SETTINGS,
        inputs=("picture", OWN_CUTOUT, STROKES),
        gives={"views": Views},
        on_request={"cutout": Cutout},
        stages=(
            *CUT_OUT,
            Stage(
                "look",
                "Looking at the picture",
                "seen",
                ("cutout",),
                (*_MOVE, "steps", "precision"),
                lambda *taken, **used: stages().look(*taken, **used),
            ),
            of_each(
                "views",
                "Drawing the view",
                "views",
                ("seen",),
                ("seed", *_MOVE, "steps", "guidance", "fresh_noise", "precision"),
                lambda *taken, **used: stages().views(*taken, **used),
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
