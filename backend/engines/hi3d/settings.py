# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...flow.settings import Option, Setting
from ...nn.precision import PRECISION
from ...views.settings import steps

SETTINGS = (
    Setting(
        name="views_size",
        label="Resolution",
        description="How large the views become",
        default="fine",
        options=(
            Option("coarse", "512", "The first stage alone, in a sixth of the time"),
            Option("fine", "1024", "Both stages: the second adds detail"),
        ),
    ),
    Setting(
        name="elevation",
        label="Elevation",
        description="How far above the object the picture was taken from, in whole degrees",
        default=0.0,
        minimum=-10.0,
        maximum=40.0,
    ),
    steps(25),
    PRECISION,
)
