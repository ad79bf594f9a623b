# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist chooses in the panel, kept with the scene."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty

from ..backend.wire.messages import MAX_SEED
from . import runtime
from .settings import FACES, PROFILE, RESOLUTION, THICKNESS

DRAFT = ("draft", "Draft", "Needs nothing but Blender", 0)
_engine_items: list[tuple[str, str, str, int]] = [DRAFT]  # Blender keeps pointers into it, so it must stay alive


def _engines(_self: object, _context: object) -> list[tuple[str, str, str, int]]:
    """The engines that the backend has told of; until then the one that is always there."""
    capabilities = runtime.session().capabilities
    if capabilities:
        engines = enumerate(capabilities.engines)
        items = [(engine.name, engine.label, engine.description, index) for index, engine in engines]
        if items != _engine_items:
            _engine_items[:] = items
    return _engine_items


class Hi3DGenSettings(bpy.types.PropertyGroup):
    """`scene.hi3dgen`."""

    picture: PointerProperty(type=bpy.types.Image, name="Picture", description="The picture to turn into a mesh")
    normal_map: PointerProperty(
        type=bpy.types.Image,
        name="Normal Map",
        description="Your own normal map of the same view, used instead of the estimated one: "
        "red is right, green is up, blue is to the viewer",
    )
    engine: EnumProperty(items=_engines, name="Engine", description="What makes the mesh")
    seed: IntProperty(
        name="Seed", description="Decides what the picture does not tell, such as the back", min=0, max=MAX_SEED
    )
    random_seed: BoolProperty(
        name="New Seed Each Time", description="Roll the dice for every mesh; the seed that was used is shown"
    )
    resolution: IntProperty(**RESOLUTION)
    thickness: FloatProperty(**THICKNESS)
    profile: FloatProperty(**PROFILE)
    faces: IntProperty(**FACES)


CLASSES = (Hi3DGenSettings,)


def register() -> None:
    """Attach the settings to scenes."""
    bpy.types.Scene.hi3dgen = PointerProperty(type=Hi3DGenSettings)


def unregister() -> None:
    """Detach them; what was chosen stays in the file."""
    del bpy.types.Scene.hi3dgen
