# SPDX-License-Identifier: GPL-3.0-or-later
"""The material of a generated object: its own images, or the picture projected from the front.

With the picture it can be switched to the colours of the normal map, and of the vertices if the engine has coloured
them. The switch is the link into the material's output: exporters see an ordinary surface with a picture, undo and
the node editor need no care, and nothing else remembers it.
"""

from collections.abc import Callable, Mapping

import bpy
from bpy.props import EnumProperty

PICTURE = "Picture"
NORMAL_MAP = "Normal Map"
SURFACE = "Surface"
NORMAL_COLOURS = "Normal Colours"
COLOUR = "Colour"
COLOUR_SURFACE = "Colour Surface"
COLOUR_ATTRIBUTE = "Hi3DGen Colour"
UV_MAP = "UVMap"
OUTPUT = "Material Output"
SRGB_GAMMA = 2.2
ROUGHNESS = 0.6
_SOCKETS = {"base_colour": "Base Color", "normal": "Normal", "roughness": "Roughness", "metallic": "Metallic"}

NewNode = Callable[[str, str, int, int], bpy.types.Node]

# What feeds the output, and the node that it takes its colours from, by the switch's position. Solid shading shows the
# active node's image. A position is there if its nodes are.
_POSITIONS = ((SURFACE, PICTURE), (NORMAL_COLOURS, NORMAL_MAP), (COLOUR_SURFACE, COLOUR))
_ITEMS = (
    ("PICTURE", "Picture", "The picture, projected from the front", 0),
    ("NORMAL_MAP", "Normal Map", "The colours of the normal map", 1),
    ("COLOUR", "Colour", "The colours that the engine has given to the vertices", 2),
)
_lists: dict[tuple[int, ...], list[tuple[str, str, str, int]]] = {}  # they stay: Blender keeps pointers into them


def projected_material(
    name: str, picture: bpy.types.Image, normal_map: bpy.types.Image | None, *, coloured: bool = False
) -> bpy.types.Material:
    """A material that shows the picture; `material.hi3dgen_shows` switches it, if there is something else to show.

    normal_map: in the picture's frame. coloured: whether the mesh has the attribute `COLOUR_ATTRIBUTE`.
    """
    material, node = _new(name)
    links = material.node_tree.links
    colours = node("ShaderNodeTexImage", PICTURE, -480, 300)
    colours.image = picture
    surface = _surface(node, SURFACE, 300)
    links.new(colours.outputs["Color"], surface.inputs["Base Color"])
    if normal_map:
        normals = node("ShaderNodeTexImage", NORMAL_MAP, -480, -180)
        normals.image = normal_map
        as_seen = node("ShaderNodeGamma", "As a Picture", -160, -180)  # data, as a picture viewer shows it
        as_seen.inputs["Gamma"].default_value = SRGB_GAMMA
        flat = node("ShaderNodeEmission", NORMAL_COLOURS, 40, -180)
        links.new(normals.outputs["Color"], as_seen.inputs["Color"])
        links.new(as_seen.outputs["Color"], flat.inputs["Color"])
    if coloured:
        attribute = node("ShaderNodeVertexColor", COLOUR, -480, -440)
        attribute.layer_name = COLOUR_ATTRIBUTE
        painted = _surface(node, COLOUR_SURFACE, -440)
        links.new(attribute.outputs["Color"], painted.inputs["Base Color"])
    _show(material, 0)
    return material


def textured_material(name: str, images: Mapping[str, bpy.types.Image]) -> bpy.types.Material:
    """A material that shows a surface's own images: base_colour, normal, roughness, metallic, those that are there."""
    material, node = _new(name)
    links = material.node_tree.links
    surface = _surface(node, SURFACE, 300)
    for row, (part, image) in enumerate(images.items()):
        shown = node("ShaderNodeTexImage", part.replace("_", " ").title(), -700, 300 - 300 * row)
        shown.image = image
        source = shown.outputs["Color"]
        if part == "normal":
            tangent = node("ShaderNodeNormalMap", "Tangent Space", -400, 300 - 300 * row)
            tangent.uv_map = UV_MAP
            links.new(source, tangent.inputs["Color"])
            source = tangent.outputs["Normal"]
        links.new(source, surface.inputs[_SOCKETS[part]])
        if row == 0:
            material.node_tree.nodes.active = shown  # what solid shading shows
    links.new(surface.outputs[0], material.node_tree.nodes[OUTPUT].inputs["Surface"])
    return material


def is_ours(material: bpy.types.Material | None) -> bool:
    """Whether the material can be switched: it has two positions, with every node that they need."""
    return len(_positions(material)) > 1


def _new(name: str) -> tuple[bpy.types.Material, NewNode]:
    """A material with nothing but its output, and the function that adds a node: its kind, name and place."""
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):  # from then on every material has nodes
        material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()

    def node(kind: str, name: str, x: int, y: int) -> bpy.types.Node:
        made = nodes.new(kind)
        made.name = made.label = name
        made.location = (x, y)
        return made

    node("ShaderNodeOutputMaterial", OUTPUT, 260, 300)
    return material, node


def _surface(node: NewNode, name: str, y: int) -> bpy.types.Node:
    surface = node("ShaderNodeBsdfPrincipled", name, -160, y)
    surface.inputs["Roughness"].default_value = ROUGHNESS
    return surface


def _positions(material: bpy.types.Material | None) -> tuple[int, ...]:
    """The switch's positions whose nodes are there; none without the output."""
    names = set(material.node_tree.nodes.keys()) if material and material.node_tree else set[str]()
    return tuple(index for index, nodes in enumerate(_POSITIONS) if {OUTPUT, *nodes} <= names)


def _items(material: bpy.types.Material, _context: object) -> list[tuple[str, str, str, int]]:
    positions = _positions(material)
    return _lists.setdefault(positions, [_ITEMS[index] for index in positions or (0,)])


def _get_shows(material: bpy.types.Material) -> int:
    positions = _positions(material)
    links = material.node_tree.nodes[OUTPUT].inputs["Surface"].links if positions else ()
    source = links[0].from_node.name if links else ""
    return next((index for index in positions if _POSITIONS[index][0] == source), 0)


def _show(material: bpy.types.Material, position: int) -> None:
    if position in _positions(material):
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
        set=_show,
    )


def unregister() -> None:
    """Take the property away; the nodes stay."""
    del bpy.types.Material.hi3dgen_shows
