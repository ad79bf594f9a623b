# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...flow.settings import Setting
from ...nn.precision import PRECISION

SETTINGS = (
    Setting(
        name="azimuth",
        label="Azimuth",
        description="Degrees by which the camera goes around the object, to its own right",
        default=90.0,
        minimum=-180.0,
        maximum=180.0,
    ),
    Setting(
        name="elevation",
        label="Elevation",
        description="Degrees by which the camera goes up",
        default=0.0,
        minimum=-90.0,
        maximum=90.0,
    ),
    Setting(
        name="distance",
        label="Distance",
        description="How much further away the camera goes, in lengths of the object",
        default=0.0,
        minimum=-0.5,
        maximum=0.5,
        advanced=True,
    ),
    Setting(
        name="steps",
        label="Steps",
        description="Steps in which the view is drawn",
        default=50,
        minimum=2,
        maximum=200,
    ),
    Setting(
        name="guidance",
        label="Guidance",
        description="How closely the view follows the picture",
        default=3.0,
        minimum=1.0,
        maximum=10.0,
        advanced=True,
    ),
    Setting(
        name="fresh_noise",
        label="Fresh Noise",
        description="How much of the noise that a step removes comes back as new noise",
        default=1.0,
        minimum=0.0,
        maximum=1.0,
        advanced=True,
    ),
    PRECISION,
)
