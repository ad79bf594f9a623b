# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...flow.settings import Option, Setting
from ...nn.precision import PRECISION
from ...views.settings import steps

SETTINGS = (
    Setting(
        name="model",
        label="Model",
        description="Which of the two published networks makes the views",
        default="p",
        options=(
            Option("p", "Known Elevation", "SV3D_p: is told from how far above the picture was taken"),
            Option("u", "Any Elevation", "SV3D_u: stays at the picture's own height, whatever that is"),
        ),
    ),
    Setting(
        name="elevation",
        label="Elevation",
        description="How far above the object the picture was taken from, in degrees. "
        "With Any Elevation only the cameras that come with the views depend on it",
        default=10.0,
        minimum=-10.0,
        maximum=90.0,
    ),
    steps(50),
    PRECISION,
)
