# SPDX-License-Identifier: GPL-3.0-or-later
"""The material of a generated object: its own images, or the picture projected from the front.

With the picture it can be switched to what else there is to see: the colours of the normal map, the mesh's colours
lit by that map, plain clay, and the colours of the vertices if the engine has coloured them. The switch is the link
into the material's output: exporters see an ordinary surface with a picture, undo and the node editor need no care, and
nothing else remembers it.

The normal map is there twice. As data it lights the surface. As sRGB it is looked at: solid shading takes the numbers
of data for light, and shows (128, 128, 255) as (188, 188, 255). As sRGB it looks as in a picture viewer in solid
shading, whatever the scene's view transform, and in renders with the view transform Standard. In Material Preview and
renders AgX makes (133, 143, 203) of it, and no colour of light gives the blue back: most of the bright ones lie outside
of what AgX can show, and an image in the space "AgX Base sRGB" has seams there. So the panel offers Standard.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import bpy
from bpy.props import EnumProperty
from mathutils import Matrix, Vector

from ..language.po import CONTEXT
from . import projection
from .landing import PRODUCT

PICTURE = "Picture"
NORMAL_MAP = "Normal Map"
SURFACE = "Surface"
NORMALS_SEEN = "Normal Map as Seen"
NORMAL_COLOURS = "Normal Colours"
DETAIL_SURFACE = "Detail Surface"
TURN, FACING = "To the Object", "Faces the Picture"
ALL_ROUND = "All Round"
ALL_ROUND_SURFACE = "All Round Surface"
ATLAS_MAP = "All Round Map"
CLAY = "Clay"
CLAY_SURFACE = "Clay Surface"
COLOUR = "Colour"
COLOUR_SURFACE = "Colour Surface"
COLOUR_ATTRIBUTE = "Hi3DGen Colour"
UV_MAP, ATLAS = projection.UV_MAP, projection.ATLAS
OUTPUT = "Material Output"
ROUGHNESS = 0.6
CLAY_COLOUR = (0.6, 0.56, 0.52, 1.0)
FACES_FULLY = 0.2  # the cosine between normal and view from which a surface is seen well enough to be lit by the map
_SOCKETS = {"base_colour": "Base Color", "normal": "Normal", "roughness": "Roughness", "metallic": "Metallic"}

NewNode = Callable[[str, str, int, int], bpy.types.Node]

# What feeds the output, and the node that it takes its colours from, by the switch's position. Solid shading shows the
# active node's image. A position is there if its nodes are.
_POSITIONS = (
    (SURFACE, PICTURE),
    (NORMAL_COLOURS, NORMALS_SEEN),
    (DETAIL_SURFACE, PICTURE),
    (CLAY_SURFACE, CLAY),
    (COLOUR_SURFACE, COLOUR),
    (ALL_ROUND_SURFACE, ALL_ROUND),
)
_DETAIL = 2
_ALL_ROUND = 5
ITEMS = (
    ("PICTURE", "Picture", "The picture, projected from the front", 0),
    ("NORMAL_MAP", "Normal Map", "The colours of the normal map", 1),
    ("NORMAL_DETAIL", "Normal Detail", "The colours, lit by the normal map where the picture sees the surface", 2),
    ("CLAY", "Clay", "The mesh alone, without colours", 3),
    ("COLOUR", "Colour", "The colours that the engine has given to the vertices", 4),
    ("ALL_ROUND", "All Round", "The picture where it sees the surface, and what likely goes on elsewhere", 5),
)
_lists: dict[tuple[int, ...], list[tuple[str, str, str, int]]] = {}  # they stay: Blender keeps pointers into them


@dataclass(frozen=True)
class Normals:
    """A normal map in the picture's frame.

    data: its numbers. seen: the same as colours. axes: the picture's axes in the object, see `projection`.
    """

    data: bpy.types.Image
    seen: bpy.types.Image
    axes: Matrix | None


def projected_material(
    name: str,
    picture: bpy.types.Image,
    normals: Normals | None,
    *,
    all_round: bpy.types.Image | None = None,
    coloured: bool = False,
) -> bpy.types.Material:
    """A material that shows the picture; `material.hi3dgen_shows` switches it.

    normals: the map that it can show as well, and be lit by. all_round: the colours of the whole surface, by the UV map
    `ATLAS`. coloured: whether the mesh has the attribute `COLOUR_ATTRIBUTE`.
    """
    material, node = _new(name)
    links = material.node_tree.links
    projected = node("ShaderNodeUVMap", UV_MAP, -900, 300)  # whichever UV map the artist renders with
    projected.uv_map = UV_MAP
    colours = node("ShaderNodeTexImage", PICTURE, -480, 300)
    colours.image = picture
    links.new(projected.outputs["UV"], colours.inputs["Vector"])
    surface = _surface(node, SURFACE, 300)
    links.new(colours.outputs["Color"], surface.inputs["Base Color"])
    clay = _surface(node, CLAY_SURFACE, -1400)
    clay.inputs["Base Color"].default_value = material.diffuse_color = CLAY_COLOUR
    node("ShaderNodeTexImage", CLAY, -480, -1400)  # without an image: solid shading shows none then
    if normals:
        seen = node("ShaderNodeTexImage", NORMALS_SEEN, -480, -180)
        seen.image = normals.seen
        flat = node("ShaderNodeEmission", NORMAL_COLOURS, -160, -180)
        links.new(projected.outputs["UV"], seen.inputs["Vector"])
        links.new(seen.outputs["Color"], flat.inputs["Color"])
        shown = node("ShaderNodeTexImage", NORMAL_MAP, -1300, -600)
        shown.image = normals.data
        links.new(projected.outputs["UV"], shown.inputs["Vector"])
    if normals and normals.axes:
        _add_detail(material, node)
        _set_axes(material, normals.axes)
    if coloured:
        attribute = node("ShaderNodeVertexColor", COLOUR, -480, -1800)
        attribute.layer_name = COLOUR_ATTRIBUTE
        painted = _surface(node, COLOUR_SURFACE, -1800)
        links.new(attribute.outputs["Color"], painted.inputs["Base Color"])
    _link(material, 0)
    if all_round:
        _add_all_round(material, node, all_round)
    return material


def _add_all_round(material: bpy.types.Material, node: NewNode, image: bpy.types.Image) -> None:
    """Add the surface with its colours all round, which then light the normal map's detail, too; show it."""
    links, nodes = material.node_tree.links, material.node_tree.nodes
    atlas = node("ShaderNodeUVMap", ATLAS_MAP, -900, 700)
    atlas.uv_map = ATLAS
    colours = node("ShaderNodeTexImage", ALL_ROUND, -480, 700)
    colours.image = image
    surface = _surface(node, ALL_ROUND_SURFACE, 700)
    links.new(atlas.outputs["UV"], colours.inputs["Vector"])
    links.new(colours.outputs["Color"], surface.inputs["Base Color"])
    if DETAIL_SURFACE in nodes:
        links.new(colours.outputs["Color"], nodes[DETAIL_SURFACE].inputs["Base Color"])
    _link(material, _ALL_ROUND)


def _remove_all_round(material: bpy.types.Material) -> None:
    """Take that surface away, and show the picture in its place."""
    links, nodes = material.node_tree.links, material.node_tree.nodes
    shown = _get_shows(material)
    for name in (ALL_ROUND_SURFACE, ALL_ROUND, ATLAS_MAP):
        if name in nodes:
            nodes.remove(nodes[name])
    if DETAIL_SURFACE in nodes and not nodes[DETAIL_SURFACE].inputs["Base Color"].links:
        links.new(nodes[PICTURE].outputs["Color"], nodes[DETAIL_SURFACE].inputs["Base Color"])
    _link(material, 0 if shown == _ALL_ROUND else shown)


def _add_detail(material: bpy.types.Material, node: NewNode) -> None:
    """Add the surface that the normal map lights, through a Normal Map node in object space.

    The map's normals are the camera's. They are turned about the colour of no normal, (0.5, 0.5, 0.5), to be the
    object's, and count where the mesh faces the picture; elsewhere the mesh has its own.
    """
    links = material.node_tree.links
    turn = node("ShaderNodeVectorRotate", TURN, -980, -600)
    turn.rotation_type = "EULER_XYZ"
    turn.inputs["Center"].default_value = (0.5, 0.5, 0.5)
    own = node("ShaderNodeTexCoord", "Own Normal", -980, -900)
    facing = node("ShaderNodeVectorMath", FACING, -780, -900)
    facing.operation = "DOT_PRODUCT"
    strength = node("ShaderNodeMapRange", "Strength", -600, -900)
    strength.inputs["From Max"].default_value = FACES_FULLY
    lit = node("ShaderNodeNormalMap", "Object Space", -400, -600)
    lit.space = "OBJECT"
    surface = _surface(node, DETAIL_SURFACE, -600)
    nodes = material.node_tree.nodes
    links.new(nodes[NORMAL_MAP].outputs["Color"], turn.inputs["Vector"])
    links.new(turn.outputs["Vector"], lit.inputs["Color"])
    links.new(own.outputs["Normal"], facing.inputs[0])
    links.new(facing.outputs["Value"], strength.inputs["Value"])
    links.new(strength.outputs["Result"], lit.inputs["Strength"])
    links.new(nodes[PICTURE].outputs["Color"], surface.inputs["Base Color"])
    links.new(lit.outputs["Normal"], surface.inputs["Normal"])


def _set_axes(material: bpy.types.Material, axes: Matrix) -> None:
    nodes = material.node_tree.nodes
    nodes[TURN].inputs["Rotation"].default_value = axes.to_euler("XYZ")
    nodes[FACING].inputs[1].default_value = axes @ Vector((0.0, 0.0, 1.0))


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


def picture_of(material: bpy.types.Material | None) -> bpy.types.Image | None:
    """The picture that a material of ours projects."""
    return _image_of(material, PICTURE)


def normal_map_of(material: bpy.types.Material | None) -> bpy.types.Image | None:
    """The normal map of a material of ours, in the picture's frame."""
    return _image_of(material, NORMAL_MAP)


def _image_of(material: bpy.types.Material | None, name: str) -> bpy.types.Image | None:
    nodes = material.node_tree.nodes if material and material.node_tree else {}
    return getattr(nodes.get(name), "image", None)


def can_follow(material: bpy.types.Material, newer: bpy.types.Material) -> bool:
    """Whether a material shows what a newer one shows by images of its own, so that `follow` means something."""
    nodes = material.node_tree.nodes.keys() if material.node_tree else ()
    return any(_image_of(newer, name) for name in nodes)


def follow(material: bpy.types.Material, newer: bpy.types.Material) -> None:
    """Let a material of ours show the images of a newer one, by their nodes' names; nothing else of it changes.

    What the artist has put in the place of an image that came with the object stays.
    """
    nodes = material.node_tree.nodes if material.node_tree else {}
    all_round = _image_of(newer, ALL_ROUND)
    if all_round and ALL_ROUND not in nodes and is_ours(material):
        _add_all_round(material, _adder(material), all_round)
    for name, node in nodes.items():
        image = _image_of(newer, name)
        if image and _image_of(material, name) and (name == PICTURE or PRODUCT in node.image):
            node.image = image
    for name, socket in ((TURN, "Rotation"), (FACING, 1)):
        if name in nodes and name in newer.node_tree.nodes:
            nodes[name].inputs[socket].default_value = newer.node_tree.nodes[name].inputs[socket].default_value


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
    node = _adder(material)
    node("ShaderNodeOutputMaterial", OUTPUT, 260, 300)
    return material, node


def _adder(material: bpy.types.Material) -> NewNode:
    nodes = material.node_tree.nodes

    def node(kind: str, name: str, x: int, y: int) -> bpy.types.Node:
        made = nodes.new(kind)
        made.name = made.label = name
        made.location = (x, y)
        return made

    return node


def _surface(node: NewNode, name: str, y: int) -> bpy.types.Node:
    surface = node("ShaderNodeBsdfPrincipled", name, -160, y)
    surface.inputs["Roughness"].default_value = ROUGHNESS
    return surface


def _positions(material: bpy.types.Material | None) -> tuple[int, ...]:
    """The switch's positions whose nodes are there; none without the output."""
    names = set(material.node_tree.nodes.keys()) if material and material.node_tree else set[str]()
    there = tuple(index for index, nodes in enumerate(_POSITIONS) if {OUTPUT, *nodes} <= names)
    return tuple(sorted(there, key=lambda index: index != _ALL_ROUND))  # the best comes first


def positions_of(material: bpy.types.Material) -> list[tuple[str, str]]:
    """The switch's positions: the value of `hi3dgen_shows` and its label."""
    return [(name, label) for name, label, _, _ in _items(material, None)]


def _items(material: bpy.types.Material, _context: object) -> list[tuple[str, str, str, int]]:
    positions = _positions(material)
    return _lists.setdefault(positions, [ITEMS[index] for index in positions or (0,)])


def _get_shows(material: bpy.types.Material) -> int:
    positions = _positions(material)
    links = material.node_tree.nodes[OUTPUT].inputs["Surface"].links if positions else ()
    source = links[0].from_node.name if links else ""
    return next((index for index in positions if _POSITIONS[index][0] == source), 0)


def _show(material: bpy.types.Material, position: int) -> None:
    if position in _positions(material):
        if position == _DETAIL:
            _find_axes(material)
        _link(material, position)


def _find_axes(material: bpy.types.Material) -> None:
    """Find the picture's axes anew: the artist may have applied the object's rotation since."""
    nodes = material.node_tree.nodes
    size = nodes[NORMAL_MAP].image.size if {NORMAL_MAP, TURN, FACING} <= set(nodes.keys()) else (0, 0)
    users = (user for user in bpy.data.user_map(subset=[material])[material] if isinstance(user, bpy.types.Mesh))
    axes = next((found for mesh in users if (found := projection.axes_of(mesh, size))), None)
    if axes:
        _set_axes(material, axes)


def best_of(material: bpy.types.Material) -> str:
    """The position that shows most: the colours all round, else the picture."""
    return ITEMS[_ALL_ROUND if _ALL_ROUND in _positions(material) else 0][0]


def settle(material: bpy.types.Material, mesh: bpy.types.Mesh) -> None:
    """Let a mesh of ours and its material agree: what the material shows is shown by the UV map that it lies in."""
    if ATLAS not in mesh.uv_layers:
        _remove_all_round(material)
    _show_by(material, mesh)


def _show_by(material: bpy.types.Material, mesh: bpy.types.Mesh) -> None:
    """Solid shading and other programs lay an image by the active UV map: let it be the one of the active image."""
    active = material.node_tree.nodes.active
    layer = mesh.uv_layers.get(ATLAS if active and active.name == ALL_ROUND else UV_MAP)
    if layer and ATLAS in mesh.uv_layers:
        layer.active = layer.active_render = True


def _link(material: bpy.types.Material, position: int) -> None:
    source, texture = _POSITIONS[position]
    nodes = material.node_tree.nodes
    if position == _DETAIL and ALL_ROUND in nodes:
        texture = ALL_ROUND
    material.node_tree.links.new(nodes[source].outputs[0], nodes[OUTPUT].inputs["Surface"])
    nodes.active = nodes[texture]
    for user in bpy.data.user_map(subset=[material])[material]:
        if isinstance(user, bpy.types.Mesh):
            _show_by(material, user)


def register() -> None:
    """Give materials the switch as a property."""
    bpy.types.Material.hi3dgen_shows = EnumProperty(
        name="Show",
        description="What the generated object is coloured with",
        items=_items,
        get=_get_shows,
        set=_show,
        translation_context=CONTEXT,
    )


def unregister() -> None:
    """Take the property away; the nodes stay."""
    del bpy.types.Material.hi3dgen_shows
