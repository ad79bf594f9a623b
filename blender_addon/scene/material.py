# SPDX-License-Identifier: GPL-3.0-or-later
"""The material of a generated object: the picture projected from the front, switchable to the normal map's colours.

Where the engine has coloured the vertices, it can be switched to these, too.

The switch is the link into the material's output: exporters see an ordinary surface with a picture, undo and the node
editor need no care, and nothing else remembers it.
"""

import bpy
from bpy.props import EnumProperty

PICTURE = "Picture"
NORMAL_MAP = "Normal Map"
SURFACE = "Surface"
NORMAL_COLOURS = "Normal Colours"
COLOUR = "Colour"
COLOUR_SURFACE = "Colour Surface"
COLOUR_ATTRIBUTE = "Hi3DGen Colour"
OUTPUT = "Material Output"
SRGB_GAMMA = 2.2
ROUGHNESS = 0.6

# What feeds the output, and the node that it takes its colours from, by the switch's position. Solid shading shows the
# active node's image. The last is there where the vertices have colours.
_POSITIONS = ((SURFACE, PICTURE), (NORMAL_COLOURS, NORMAL_MAP), (COLOUR_SURFACE, COLOUR))
_ITEMS = [
    ("PICTURE", "Picture", "The picture, projected from the front", 0),
    ("NORMAL_MAP", "Normal Map", "The colours of the normal map", 1),
    ("COLOUR", "Colour", "The colours that the engine has given to the vertices", 2),
]
_PLAIN_ITEMS = _ITEMS[:2]  # both lists stay alive: Blender keeps pointers into them


def new_material(
    name: str, picture: bpy.types.Image, normal_map: bpy.types.Image, *, coloured: bool = False
) -> bpy.types.Material:
    """A material that shows the picture; `material.hi3dgen_shows` switches it.

    coloured: whether the mesh has the attribute `COLOUR_ATTRIBUTE`.
    """
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):  # from then on every material has nodes
        material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()

    def node(kind: str, name: str, x: int, y: int) -> bpy.types.Node:
        made = nodes.new(kind)
        made.name = made.label = name
        made.location = (x, y)
        return made

    colours = node("ShaderNodeTexImage", PICTURE, -480, 300)
    colours.image = picture
    surface = node("ShaderNodeBsdfPrincipled", SURFACE, -160, 300)
    surface.inputs["Roughness"].default_value = ROUGHNESS
    normals = node("ShaderNodeTexImage", NORMAL_MAP, -480, -180)
    normals.image = normal_map
    as_seen = node("ShaderNodeGamma", "As a Picture", -160, -180)  # data, with the colours that a picture viewer shows
    as_seen.inputs["Gamma"].default_value = SRGB_GAMMA
    flat = node("ShaderNodeEmission", NORMAL_COLOURS, 40, -180)
    node("ShaderNodeOutputMaterial", OUTPUT, 260, 300)

    links.new(colours.outputs["Color"], surface.inputs["Base Color"])
    links.new(normals.outputs["Color"], as_seen.inputs["Color"])
    links.new(as_seen.outputs["Color"], flat.inputs["Color"])
    if coloured:
        attribute = node("ShaderNodeVertexColor", COLOUR, -480, -440)
        attribute.layer_name = COLOUR_ATTRIBUTE
        painted = node("ShaderNodeBsdfPrincipled", COLOUR_SURFACE, -160, -440)
        painted.inputs["Roughness"].default_value = ROUGHNESS
        links.new(attribute.outputs["Color"], painted.inputs["Base Color"])
    _set_shows(material, 0)
    return material


def is_ours(material: bpy.types.Material | None) -> bool:
    """Whether the material can be switched: every node that the switch needs is still there."""
    if material is None or material.node_tree is None:
        return False
    return {OUTPUT, *_POSITIONS[0], *_POSITIONS[1]} <= set(material.node_tree.nodes.keys())


def _items(material: bpy.types.Material, _context: object) -> list[tuple[str, str, str, int]]:
    """The switch's positions: the nodes of the last are not always there."""
    coloured = material.node_tree is not None and set(_POSITIONS[2]) <= set(material.node_tree.nodes.keys())
    return _ITEMS if coloured else _PLAIN_ITEMS


def _get_shows(material: bpy.types.Material) -> int:
    if not is_ours(material):
        return 0
    links = material.node_tree.nodes[OUTPUT].inputs["Surface"].links
    source = links[0].from_node.name if links else SURFACE
    return next((index for index, position in enumerate(_POSITIONS) if position[0] == source), 0)


def _set_shows(material: bpy.types.Material, position: int) -> None:
    if is_ours(material):
        source, texture = _POSITIONS[position]
        nodes = material.node_tree.nodes
        material.node_tree.links.new(nodes[source].outputs[0], nodes[OUTPUT].inputs["Surface"])
        nodes.active = nodes[texture]


def register() -> None:
    """Give materials the switch as a property."""
    bpy.types.Material.hi3dgen_shows = EnumProperty(
        name="Show",
        description="What the generated object is coloured with",
        items=_items,
        get=_get_shows,
        set=_set_shows,
    )


def unregister() -> None:
    """Take the property away; the nodes stay."""
    del bpy.types.Material.hi3dgen_shows
