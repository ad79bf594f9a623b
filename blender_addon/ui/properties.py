# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist chooses in the panel, kept with the scene."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, PointerProperty

from ...backend.wire.messages import MAX_COUNT, MAX_SEED
from .settings import EngineSettings

# What stands here and not what the backend tells: a script may choose an engine before there is a backend.
ENGINES = (
    ("draft", "Draft", "Estimates the surface with a small network in seconds, on any computer, offline"),
    ("hi3dgen", "Hi3DGen", "The published networks: sees what the picture shows and invents the rest as it likely is"),
)

COUNT = {
    "name": "Variations",
    "description": "How many meshes one click makes, each with the next seed, side by side and in one undo step",
    "default": 1,
    "min": 1,
    "max": MAX_COUNT,
}


class Hi3DGenSettings(EngineSettings, bpy.types.PropertyGroup):
    """`scene.hi3dgen`."""

    picture: PointerProperty(type=bpy.types.Image, name="Picture", description="The picture to turn into a mesh")
    normal_map: PointerProperty(
        type=bpy.types.Image,
        name="Normal Map",
        description="Your own normal map of the same view, used instead of the estimated one: "
        "red is right, green is up, blue is to the viewer",
    )
    engine: EnumProperty(items=ENGINES, name="Engine", description="What makes the mesh")
    seed: IntProperty(
        name="Seed", description="Decides what the picture does not tell, such as the back", min=0, max=MAX_SEED
    )
    count: IntProperty(**COUNT)
    random_seed: BoolProperty(
        name="New Seed Each Time", description="Roll the dice for every mesh; the seed that was used is shown"
    )


CLASSES = (Hi3DGenSettings,)


def register() -> None:
    """Attach the settings to scenes."""
    bpy.types.Scene.hi3dgen = PointerProperty(type=Hi3DGenSettings)


def unregister() -> None:
    """Detach them; what was chosen stays in the file."""
    del bpy.types.Scene.hi3dgen
