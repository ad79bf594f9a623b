# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist chooses in the panel for every engine, kept with the scene."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

from ...backend.wire.limits import MAX_COUNT, MAX_SEED
from ...backend.wire.messages import EngineInfo
from ..link import engines
from .engine_settings import number_of

COUNT = {
    "name": "Variations",
    "description": "How many results one click makes, each with the next seed, side by side and in one undo step",
    "default": 1,
    "min": 1,
    "max": MAX_COUNT,
}

_items: list[tuple[str, str, str, int]] = []  # stays alive: Blender keeps pointers into it


def chosen_engine(scene: bpy.types.Scene) -> EngineInfo | None:
    """The engine that the artist has chosen, else the first; None while no engine is known."""
    known = engines.known()
    return engines.find(scene.hi3dgen.engine_name, known) or (known[0] if known else None)


def _engine_items(_settings: object, _context: object) -> list[tuple[str, str, str, int]]:
    items = [(engine.name, engine.label, _description(engine), number_of(engine.name)) for engine in engines.known()]
    if items != _items:
        _items[:] = items
    return _items


def _description(engine: EngineInfo) -> str:
    return f"{engine.description}. It gives: {', '.join(name.replace('_', ' ') for name in engine.products)}"


def _get_engine(settings: bpy.types.PropertyGroup) -> int:
    engine = chosen_engine(settings.id_data)
    return number_of(engine.name) if engine else 0


def _set_engine(settings: bpy.types.PropertyGroup, number: int) -> None:
    settings.engine_name = next(engine.name for engine in engines.known() if number_of(engine.name) == number)


class Hi3DGenSettings(bpy.types.PropertyGroup):
    """`scene.hi3dgen`."""

    picture: PointerProperty(type=bpy.types.Image, name="Picture", description="The picture to turn into a mesh")
    normal_map: PointerProperty(
        type=bpy.types.Image,
        name="Normal Map",
        description="Your own normal map of the same view, used instead of the estimated one: "
        "red is right, green is up, blue is to the viewer",
    )
    engine: EnumProperty(
        items=_engine_items, name="Engine", description="What makes the mesh", get=_get_engine, set=_set_engine
    )
    engine_name: StringProperty(name="Engine", description="The name of the chosen engine", options={"HIDDEN"})
    seed: IntProperty(
        name="Seed", description="Decides what the picture does not show, such as the back", min=0, max=MAX_SEED
    )
    count: IntProperty(**COUNT)
    random_seed: BoolProperty(
        name="New Seed Each Time", description="Draw a random seed for every job; the seed that was used is shown"
    )


CLASSES = (Hi3DGenSettings,)


def register() -> None:
    """Attach the settings to scenes."""
    bpy.types.Scene.hi3dgen = PointerProperty(type=Hi3DGenSettings)


def unregister() -> None:
    """Detach them; what was chosen stays in the file."""
    del bpy.types.Scene.hi3dgen
