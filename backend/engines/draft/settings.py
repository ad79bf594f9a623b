# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...flow.settings import Preset, Setting
from ...mesh.stages import FACES, UPRIGHT
from ...texture.stages import ALWAYS, COLOURS, NEVER, NORMAL_TEXTURE, REMOVE_LIGHT
from ...upscale.stages import UPSCALE

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
    UPSCALE,
    UPRIGHT,
    COLOURS,
    REMOVE_LIGHT,
    NORMAL_TEXTURE,
    FACES,
)

PRESETS = (
    Preset(
        "preview",
        "Preview",
        "A look at what comes, with few faces",
        {"resolution": 256, "faces": 20_000, "colours": "1024"},
    ),
    Preset("balanced", "Balanced", "All settings as they are at first", {}),
    Preset(
        "3d_print",
        "3D Print",
        "Fine relief in the faces themselves, as a printer sees nothing else",
        {"resolution": 1024, "faces": 500_000, "normal_texture": NEVER},
    ),
    Preset(
        "game_asset",
        "Game Asset",
        "Few faces, with the relief in a normal texture and the picture's light out of the colours",
        {"faces": 5_000, "colours": "1024", "normal_texture": ALWAYS, "remove_light": True},
    ),
)
