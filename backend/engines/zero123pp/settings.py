# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...flow.settings import Setting
from ...nn.precision import PRECISION

SETTINGS = (
    Setting(
        name="steps",
        label="Steps",
        description="Steps in which the views are drawn; 75 show the finest detail",
        default=28,
        minimum=2,
        maximum=200,
    ),
    Setting(
        name="guidance",
        label="Guidance",
        description="How closely the views follow the picture",
        default=4.0,
        minimum=1.0,
        maximum=10.0,
        advanced=True,
    ),
    PRECISION,
)
