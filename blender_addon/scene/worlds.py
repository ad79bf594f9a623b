# SPDX-License-Identifier: GPL-3.0-or-later
"""Light from all around becomes a world of its own name, which lights the scene only if the artist says so.

A panorama's middle lies ahead of whoever looks from -y, as the picture does; Blender shows the middle towards +x.
"""

import time
from contextlib import suppress
from math import radians
from pathlib import Path

import bpy

from ...backend.safe_files import replacing
from ...backend.wire.products import Panorama
from ..errors import AddonError
from .landing import HDR, PRODUCT, Landing
from .pictures import path_of

CAME = "hi3dgen_came"  # on a world: when its result came, in seconds
TURN, LIGHT = "Turn", "Light"
"""The names of the nodes that an artist turns a world with, and sets its strength."""


def land(landing: Landing, name: str, product: Panorama) -> None:
    """Add the world; nothing shows it yet."""
    image = landing.image(name, "light", product.hdr, data=False)
    landing.world = made_world(f"{landing.title} world", image)
    landing.world[PRODUCT], landing.world[CAME] = name, time.time()


def made_world(name: str, image: bpy.types.Image) -> bpy.types.World:
    """A world that an equirectangular image lights, its middle towards +y. It stays in the file if nothing uses it."""
    world = bpy.data.worlds.new(name)
    world.use_fake_user = True
    world.use_nodes = True
    tree = world.node_tree
    tree.nodes.clear()
    kinds = ("TexCoord", "Mapping", "Mapping", "TexEnvironment", "Background", "OutputWorld")
    nodes = [tree.nodes.new(f"ShaderNode{kind}") for kind in kinds]
    for number, node in enumerate(nodes):
        node.location = (240 * (number - len(nodes)), 0)
    way, turn, ahead, light, background, output = nodes
    turn.name = turn.label = TURN
    background.name = LIGHT
    ahead.label, ahead.hide = "Ahead", True
    ahead.inputs["Rotation"].default_value[2] = radians(-90)
    light.image = image
    tree.links.new(way.outputs["Generated"], turn.inputs["Vector"])
    tree.links.new(turn.outputs["Vector"], ahead.inputs["Vector"])
    tree.links.new(ahead.outputs["Vector"], light.inputs["Vector"])
    tree.links.new(light.outputs["Color"], background.inputs["Color"])
    tree.links.new(background.outputs["Background"], output.inputs["Surface"])
    return world


def use(scene: bpy.types.Scene, world: bpy.types.World) -> None:
    """Light a scene by a world. The one that it had stays in the file."""
    former = scene.world
    if former and former != world and not former.library:
        former.use_fake_user = True  # else what nothing uses is not saved
    scene.world = world


def save(world: bpy.types.World, path: Path) -> None:
    """Write the light of a world as the Radiance HDR file that it came as. Raises `AddonError`."""
    light = _file_of(image_of(world))
    if not light.startswith(HDR):
        raise AddonError("The image of this world is gone.", "Generate it again.")
    try:
        with replacing(path) as file:
            file.write(light)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AddonError(f"“{path}” could not be written: {reason}.", "Choose another place.") from error


def _file_of(image: bpy.types.Image | None) -> bytes:
    """The file of a world's image: packed as it came, or beside the scene if it was unpacked; empty if it is gone."""
    if image is None:
        return b""
    if image.packed_file:
        return image.packed_file.data
    with suppress(OSError):
        return Path(path_of(image)).read_bytes()
    return b""


def made_here() -> list[bpy.types.World]:
    """The worlds of this file that came as products, the latest first. The panel asks at every redraw."""
    return sorted((world for world in bpy.data.worlds if CAME in world), key=_came, reverse=True)


def _came(world: bpy.types.World) -> float:
    return world[CAME]


def image_of(world: bpy.types.World) -> bpy.types.Image | None:
    """The image that lights a world; None if there is none any more."""
    nodes = world.node_tree.nodes if world.node_tree else ()
    return next((node.image for node in nodes if node.type == "TEX_ENVIRONMENT" and node.image), None)


def handles_of(world: bpy.types.World) -> tuple[bpy.types.NodeSocket | None, bpy.types.NodeSocket | None]:
    """The sockets that turn a world, whose z is the turn, and that set its strength; None if the node is gone."""
    nodes = world.node_tree.nodes if world.node_tree else {}
    turn, light = nodes.get(TURN), nodes.get(LIGHT)
    return (
        turn.inputs["Rotation"] if turn and turn.type == "MAPPING" else None,
        light.inputs["Strength"] if light and light.type == "BACKGROUND" else None,
    )
