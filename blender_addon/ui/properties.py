# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist chooses in the panel for every engine, kept with the scene."""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from ...backend.wire.limits import MAX_COUNT, MAX_SEED
from ...backend.wire.messages import EngineInfo
from ..language.words import say
from ..link import engines
from ..scene.active import RULE
from ..scene.collection import COLLECTION, takes_objects
from ..scene.held import uid_of
from ..scene.inspected import metre
from ..scene.placing import Origin, Placing, Stands
from ..scene.saving import FORMATS
from .engine_settings import number_of

COUNT = {
    "name": "Variations",
    "description": "How many results one click makes, each with the next seed, side by side and in one undo step",
    "default": 1,
    "min": 1,
    "max": MAX_COUNT,
}

JOB = {"name": "Job", "description": "The job's name; every job if empty", "options": {"SKIP_SAVE"}}

KEEP_UV = {
    "name": "Keep UVs",
    "description": "Paint into the mesh's own UVs if they do not overlap",
    "default": True,
}
REMOVE_LIGHT = {
    "name": "Remove Light",
    "description": "Take the picture's shading out of the colours. Cast shadows and highlights stay",
}

WALL = {
    "name": "Wall (mm)",
    "description": "Walls that are thinner than so many millimetres are too thin, for a printer that cannot make them",
    "default": 1.0,
    "min": 0.01,
    "soft_max": 10.0,
}
LONGEST_SIDE = {
    "name": "Longest Side (mm)",
    "description": "How long the longest side is to be, in millimetres",
    "default": 100.0,
    "min": 0.1,
    "soft_max": 1000.0,
}

STANDS = [
    ("ROW", "In a Row", "At the 3D cursor if there is room, else beside what stands there"),
    (
        "IN_PLACE",
        "In Place",
        "Another mesh of the same picture takes the place of the active one, else of the latest, which is hidden",
    ),
    ("CURSOR", "At the 3D Cursor", "At the 3D cursor, whatever stands there"),
]
ORIGINS = [
    ("FLOOR", "Floor", "In the middle of the floor that the mesh stands on"),
    ("CENTRE", "Centre", "In the middle of the mesh"),
    ("CURSOR", "3D Cursor", "At the 3D cursor, wherever the mesh stands"),
]
SHADINGS = [("SMOOTH", "Smooth", "The surface looks smooth"), ("FLAT", "Flat", "Each face looks flat")]

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
    products = ", ".join(say(name.replace("_", " ")) for name in engine.products)
    return say("{description}. It gives: {products}", description=say(engine.description), products=products)


def _get_engine(settings: bpy.types.PropertyGroup) -> int:
    engine = chosen_engine(settings.id_data)
    return number_of(engine.name) if engine else 0


def _set_engine(settings: bpy.types.PropertyGroup, number: int) -> None:
    settings.engine_name = next(engine.name for engine in engines.known() if number_of(engine.name) == number)


def placing_of(scene: bpy.types.Scene) -> Placing:
    """How the artist wants results to come into the scene, with the 3D cursor where it is now."""
    settings = scene.hi3dgen
    return Placing(
        cursor=tuple(scene.cursor.location),
        size=settings.size,
        origin=Origin[settings.origin],
        stands=Stands[settings.stands],
        smooth=settings.shading == "SMOOTH",
        collection=uid_of(settings.collection),
        lights=settings.lights,
    )


def _metre(settings: bpy.types.PropertyGroup) -> float:
    """How many of Blender's units a metre has in the scene."""
    return 1.0 / metre(settings.id_data)


def _get_size(settings: bpy.types.PropertyGroup) -> float:
    return settings.metres * _metre(settings)


def _set_size(settings: bpy.types.PropertyGroup, size: float) -> None:
    settings.metres = size / _metre(settings)


def _is_in_scene(settings: bpy.types.PropertyGroup, collection: bpy.types.Collection) -> bool:
    own = settings.id_data.collection.children_recursive
    return takes_objects(collection) and any(collection == other for other in own)


class Hi3DGenSettings(bpy.types.PropertyGroup):
    """`scene.hi3dgen`."""

    picture: PointerProperty(
        type=bpy.types.Image, name="Picture", description=f"The picture to turn into a mesh. {RULE}"
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
    size: FloatProperty(
        name="Size",
        description="The longest side of the mesh, in the scene's units",
        unit="LENGTH",
        default=1.0,
        min=1e-6,
        soft_max=1e4,
        get=_get_size,
        set=_set_size,
    )
    metres: FloatProperty(name="Size in Metres", default=1.0, min=1e-6, options={"HIDDEN"})
    stands: EnumProperty(name="Placement", description="Where the next mesh stands", items=STANDS)
    origin: EnumProperty(name="Origin", description="The point that the mesh is turned and scaled about", items=ORIGINS)
    shading: EnumProperty(name="Shading", description="How the faces are shaded", items=SHADINGS)
    collection: PointerProperty(
        type=bpy.types.Collection,
        name="Collection",
        description=f"The scene's collection that meshes come into; if empty, it is “{COLLECTION}”",
        poll=_is_in_scene,
    )
    lights: BoolProperty(
        name="Use World at Once",
        description="A world that is made becomes the scene's as soon as it is there. The former one stays in the file",
    )
    paint_keep_uv: BoolProperty(**KEEP_UV)
    paint_remove_light: BoolProperty(**REMOVE_LIGHT)
    wall: FloatProperty(**WALL)
    longest_side: FloatProperty(**LONGEST_SIDE)
    save_as: EnumProperty(name="Format", description="The kind of file that Save writes", items=FORMATS)


CLASSES = (Hi3DGenSettings,)


def register() -> None:
    """Attach the settings to scenes."""
    bpy.types.Scene.hi3dgen = PointerProperty(type=Hi3DGenSettings)


def unregister() -> None:
    """Detach them; what was chosen stays in the file."""
    del bpy.types.Scene.hi3dgen
