# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist chooses in the panel, kept with the scene."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, PointerProperty

from ..backend.wire.messages import MAX_SEED
from .settings import EngineSettings

# What stands here and not what the backend tells: a script may choose an engine before there is a backend.
ENGINES = (
    ("draft", "Draft", "Inflates the outline to a closed body in seconds, on any computer, offline"),
    ("hi3dgen", "Hi3DGen", "Builds what the picture shows with the published networks; needs a download"),
)


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
