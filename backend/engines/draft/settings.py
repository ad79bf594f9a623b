# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...flow.settings import Setting
from ...mesh.stages import FACES, UPRIGHT
from ...texture.stages import COLOURS, NORMAL_TEXTURE, REMOVE_LIGHT

SETTINGS = (
    Setting(
        name="resolution",
        label="Resolution",
        description="Side of the square, in pixels, in which the object is worked out. Finer takes longer",
        default=512,
        minimum=64,
        maximum=1024,
    ),
    Setting(
        name="thickness",
        label="Thickness",
        description="How thick the body is, relative to what the seed draws",
        default=1.0,
        minimum=0.3,
        maximum=2.5,
    ),
    Setting(
        name="profile",
        label="Back Taper",
        description="How the back rounds off: lower is fuller, higher more pointed",
        default=1.0,
        minimum=0.6,
        maximum=1.4,
        advanced=True,
    ),
    UPRIGHT,
    COLOURS,
    REMOVE_LIGHT,
    NORMAL_TEXTURE,
    FACES,
)
