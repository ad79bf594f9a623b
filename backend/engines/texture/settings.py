# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...flow.settings import Option, Setting
from ...texture.stages import IMAGE_SIZE, REMOVE_LIGHT

ALL = "all"
NEAR = "near"
GIVEN = "given"

SETTINGS = (
    Setting(
        name="search",
        label="Search",
        description="From which sides the camera that took the picture is looked for",
        default=ALL,
        options=(
            Option(ALL, "All Round", "From all sides"),
            Option(NEAR, "Near", "Around the azimuth and elevation that are given"),
            Option(GIVEN, "As Given", "Azimuth, elevation and roll stay as given: only the framing is found"),
        ),
    ),
    Setting(
        name="azimuth",
        label="Azimuth",
        description="From which side the picture was taken, in degrees around the upright axis: 0 is from -Y, the "
        "front, and 90 from +X",
        default=0.0,
        minimum=-360.0,
        maximum=360.0,
    ),
    Setting(
        name="elevation",
        label="Elevation",
        description="How far from above the picture was taken, in degrees: 0 is level with it, 90 straight down",
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
        description="The angle that the camera sees across the picture's width, in degrees. With 0 it is found",
        default=0.0,
        minimum=0.0,
        maximum=150.0,
        advanced=True,
    ),
    IMAGE_SIZE,
    Setting(
        name="keep_uv",
        label="Keep UVs",
        description="Use the UVs that the mesh has, if they lie within the image and not over each other. Otherwise "
        "new ones are made",
        default=True,
    ),
    REMOVE_LIGHT,
)
