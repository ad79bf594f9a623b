# SPDX-License-Identifier: GPL-3.0-or-later
"""A world around a picture, for light and reflections: on a sphere by its lens, and continued all round.

`world` continues its colours, with numpy alone. `painted_world` paints what it does not show, by a pipeline of
diffusers that the user has. Nothing heavy is imported before the latter's first job.
"""

from typing import TYPE_CHECKING

from ...flow.engine import Engine
from ...flow.late import made_late
from ...flow.products import Noted, Panorama, Report
from ...flow.stage import Stage
from ...nn.environment import prepare_environment
from ...nn.libraries import lacking
from .continuing import continued
from .light import lifted
from .placing import Placed, placed
from .settings import PAINTED_SETTINGS, SETTINGS

if TYPE_CHECKING:
    from .painting import Painter

PLAIN = "What the picture does not show is its own colours, continued: light for a scene, and nothing to look at."

_PLACE = Stage("place", "Placing the picture", "placed", ("picture",), ("fov", "pitch", "width"), placed)
_LIFT = Stage("lift", "Lifting the highlights", "panorama", ("panorama",), ("highlights",), lifted)


def world() -> Engine:
    """The engine that continues the picture's colours."""
    return Engine(
        name="world",
        label="World",
        description="Lights the scene by the picture: its colours continue all around",
        needs_gpu=False,
        missing=lambda: "",
        settings=SETTINGS,
        gives={"panorama": Panorama},
        stages=(_PLACE, Stage("continue", "Continuing the colours", "panorama", ("placed",), (), _plainly), _LIFT),
    )


def painted_world() -> Engine:
    """The engine that paints what the picture does not show, with a pipeline that it keeps between jobs."""
    painter, unload = made_late(_painter)
    return Engine(
        name="painted_world",
        label="Painted World",
        description="Surrounds the scene by the picture: what it does not show is painted, view by view, by an "
        "inpainting pipeline of yours",
        needs_gpu=True,
        missing=lacking,
        settings=PAINTED_SETTINGS,
        gives={"panorama": Panorama},
        stages=(
            _PLACE,
            Stage("continue", "Continuing the colours", "panorama", ("placed",), (), continued),
            Stage(
                "paint",
                "Painting the surroundings",
                "panorama",
                ("placed", "panorama"),
                ("seed", "pipeline", "prompt", "steps", "guidance", "side", "precision"),
                lambda *taken, **used: painter().paint(*taken, **used),
            ),
            _LIFT,
        ),
        place=lambda: painter().place(),
        unload=unload,
    )


def _plainly(placed: Placed, *, report: Report) -> Noted:
    return Noted(continued(placed, report=report), (PLAIN,))


def _painter() -> "Painter":
    prepare_environment()
    from .painting import Painter  # noqa: PLC0415  torch and diffusers

    return Painter()
