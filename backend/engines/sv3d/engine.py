# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that makes views from around an object with SV3D (Voleti et al. 2024).

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
from ...weights.catalogue import SV3D_P, SV3D_U
from .settings import SETTINGS

if TYPE_CHECKING:
    from .stages import Stages


_PACKAGES = (SV3D_P, SV3D_U)


def sv3d() -> Engine:
    """The engine, with networks of its own that it keeps between jobs."""
    stages, unload = made_late(_stages)
    return Engine(
        name="sv3d",
        label="SV3D",
        description="Twenty-one pictures from around the object, the last of them the picture itself",
        needs_gpu=True,
        missing=missing,
        versions=lambda: store.revisions(_PACKAGES),
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
                ("seed", "model", "elevation", "steps", "precision"),
                lambda *taken, **used: stages().views(*taken, **used),
            ),
        ),
        seconds=lambda stage, settings, _inputs: stages().seconds(stage, settings),
        place=lambda: stages().place(),
        unload=unload,
    )


def missing() -> str:
    """Why the engine cannot run here; empty if it can, with one of its two networks at least."""
    troubles = [store.trouble([package]) for package in _PACKAGES]
    return lacking() or (troubles[0] if all(troubles) else "")


def _stages() -> "Stages":
    prepare_environment()
    from .stages import Stages  # noqa: PLC0415  torch and all the rest

    return Stages()
