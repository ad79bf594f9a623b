# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...flow.settings import Option, Setting
from ...nn.precision import PRECISION

FOV = 55.0
"""Degrees across the picture, if nobody knows its lens: a phone's or a 35 mm lens's is about as wide."""
NARROWEST, WIDEST = 5.0, 150.0
"""Degrees: what is narrower would be a dot on the sphere; of what is wider, a flat picture shows mostly its border."""

SETTINGS = (
    Setting(
        name="fov",
        label="Field of View",
        description="Degrees that the picture shows across its width. 0: as its file says, else 55",
        default=0.0,
        minimum=0.0,
        maximum=175.0,  # a fisheye can be named: it comes as `WIDEST`, with a note
    ),
    Setting(
        name="pitch",
        label="Pitch",
        description="Degrees by which the camera looked up: the horizon then lies below the picture's middle",
        default=0.0,
        minimum=-90.0,
        maximum=90.0,
    ),
    Setting(
        name="width",
        label="Width",
        description="Pixels of the panorama all around; it is half as high",
        default="2048",
        options=tuple(Option(str(side), str(side), f"{side} x {side // 2} pixels") for side in (1024, 2048, 4096)),
    ),
    Setting(
        name="highlights",
        label="Highlights",
        description="How many times brighter than white the picture's whites are, if little of it is white; 1 leaves "
        "them as they are",
        default=4.0,
        minimum=1.0,
        maximum=50.0,
        advanced=True,
    ),
)

PAINTED_SETTINGS = (
    Setting(
        name="pipeline",
        label="Pipeline",
        description="The folder of an inpainting pipeline as diffusers writes it, with model_index.json",
        default="",
        maximum=500,
    ),
    Setting(
        name="prompt",
        label="Prompt",
        description="What surrounds the picture, in words that the pipeline understands",
        default="",
        maximum=500,
    ),
    *SETTINGS,
    Setting(
        name="steps",
        label="Steps",
        description="Steps in which each view is painted",
        default=30,
        minimum=1,
        maximum=200,
    ),
    Setting(
        name="guidance",
        label="Guidance",
        description="How closely the views follow the prompt",
        default=7.0,
        minimum=0.0,
        maximum=30.0,
        advanced=True,
    ),
    Setting(
        name="side",
        label="View Size",
        description="Pixels along the sides of a view; 0: those that the pipeline was made for",
        default=0,
        minimum=0,
        maximum=2048,
        advanced=True,
    ),
    PRECISION,
)
