# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...flow.settings import Option, Setting
from ...texture.stages import REMOVE_LIGHT

ALL = "all"
NEAR = "near"
GIVEN = "given"

SETTINGS = (
    Setting(
        name="search",
        label="Search",
        description="Where the picture's camera is looked for",
        default=ALL,
        options=(
            Option(ALL, "All Round", "From all sides"),
            Option(NEAR, "Near", "Near the given azimuth and elevation"),
            Option(GIVEN, "As Given", "From the given azimuth and elevation; only how near and where in the picture"),
        ),
    ),
    Setting(
        name="azimuth",
        label="Azimuth",
        description="Degrees around the upright axis from which the picture was taken: 0 is the front, 90 from +x",
        default=0.0,
        minimum=-360.0,
        maximum=360.0,
    ),
    Setting(
        name="elevation",
        label="Elevation",
        description="Degrees from above the horizon from which the picture was taken",
        default=0.0,
        minimum=-90.0,
        maximum=90.0,
    ),
    Setting(
        name="roll",
        label="Roll",
        description="Degrees by which the camera was held askew",
        default=0.0,
        minimum=-180.0,
        maximum=180.0,
        advanced=True,
    ),
    Setting(
        name="fov",
        label="Field of View",
        description="The angle across the picture's width in degrees; 0 finds it",
        default=0.0,
        minimum=0.0,
        maximum=150.0,
        advanced=True,
    ),
    Setting(
        name="image_size",
        label="Image Size",
        description="How large the image of the colours may be, in pixels a side; it is as large as the picture needs",
        default="2048",
        options=(
            Option("1024", "1024 px", "At most 1024 pixels a side"),
            Option("2048", "2048 px", "At most 2048 pixels a side"),
            Option("4096", "4096 px", "At most 4096 pixels a side"),
        ),
        advanced=True,
    ),
    Setting(
        name="keep_uv",
        label="Keep UVs",
        description="Paint into the mesh's own UVs if they do not overlap; else it gets new ones",
        default=True,
    ),
    REMOVE_LIGHT,
)
