# SPDX-License-Identifier: GPL-3.0-or-later
"""The material of a generated object: its own images, or the picture projected from the front.

With the picture it can be switched to what else there is to see, see `switch`: the colours of the normal map, the
mesh's colours lit by that map, plain clay, the colours of the vertices if the engine has coloured them, and the images
of the whole surface, which lie by a UV map of their own.

The normal map is there twice. As data it lights the surface. As sRGB it is looked at: solid shading takes the numbers
of data for light, and shows (128, 128, 255) as (188, 188, 255). As sRGB it looks as in a picture viewer in solid
shading, whatever the scene's view transform, and in renders with the view transform Standard. In Material Preview and
renders AgX makes (133, 143, 203) of it, and no colour of light gives the blue back: most of the bright ones lie outside
of what AgX can show, and an image in the space "AgX Base sRGB" has seams there. So the panel offers Standard.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import bpy
from mathutils import Matrix

from .landing import PRODUCT
from .projection import ATLAS, UV_MAP
from .switch import (
    ALL_ROUND,
    CLAY,
    CLAY_COLOUR,
    COLOUR,
    DETAIL,
    FACING,
    NORMAL_COLOURS,
    NORMAL_MAP,
    NORMALS_SEEN,
    OUTPUT,
    PICTURE,
    SURFACE,
    TANGENT,
    TURN,
    best_of,
    feed,
    feeding,
    is_ours,
    meshes_of,
    one_surface,
    set_axes,
    show_by,
)
from .texture import is_artists

ATLAS_MAP = "All Round Map"
PAINTED = "Painted from Picture"
COLOUR_ATTRIBUTE = "Hi3DGen Colour"
ROUGHNESS = 0.6
FACES_FULLY = 0.2  # the cosine between normal and view from which a surface is seen well enough to be lit by the map
_SOCKETS = {"base_colour": "Base Color", "normal": "Normal", "roughness": "Roughness", "metallic": "Metallic"}
_PLAIN = {"base_colour": "Base Colour", "normal": "Normal", "roughness": "Roughness", "metallic": "Metallic"}
_BESIDE = _PLAIN | {"base_colour": ALL_ROUND}  # the nodes of a surface's own images beside the picture

NewNode = Callable[[str, str, int, int], bpy.types.Node]


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
    images: Mapping[str, bpy.types.Image],
    *,
    coloured: bool = False,
) -> bpy.types.Material:
    """A material that shows the picture; `material.hi3dgen_shows` switches it.

    normals: the map that it can show as well, and be lit by. images: those of the whole surface, by their part of it,
    which lie by the UV map `ATLAS`; its colours are shown first. coloured: whether the mesh has the attribute
    `COLOUR_ATTRIBUTE`.
    """
    material, node = _new(name)
    links, nodes = material.node_tree.links, material.node_tree.nodes
    projected = node("ShaderNodeUVMap", UV_MAP, -900, 300)  # whichever UV map the artist renders with
    projected.uv_map = UV_MAP
    colours = node("ShaderNodeTexImage", PICTURE, -480, 300)
    colours.image = picture
    links.new(projected.outputs["UV"], colours.inputs["Vector"])
    nodes[SURFACE].inputs["Base Color"].default_value = material.diffuse_color = CLAY_COLOUR
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
        set_axes(material, normals.axes)
    if coloured:
        node("ShaderNodeVertexColor", COLOUR, -480, -1800).layer_name = COLOUR_ATTRIBUTE
    _lay(material, images)
    material.hi3dgen_shows = best_of(material)
    return material


def _lay(material: bpy.types.Material, images: Mapping[str, bpy.types.Image]) -> None:
    """Let a material of ours have these images of the whole surface, and no others.

    What showed the picture shows their colours; where those go, what showed them shows the picture.
    """
    nodes, links, node = material.node_tree.nodes, material.node_tree.links, _adder(material)
    had = ALL_ROUND in nodes
    for row, (part, name) in enumerate(_BESIDE.items()):
        if part in images and name in nodes:
            _replace(nodes[name], images[part])
        elif part in images:
            shown = _add_image(material, part, name, images[part], ATLAS, (-480, 700 + 300 * row))
            atlas = nodes.get(ATLAS_MAP) or node("ShaderNodeUVMap", ATLAS_MAP, -900, 700)
            atlas.uv_map = ATLAS
            links.new(atlas.outputs["UV"], shown.inputs["Vector"])
    if had != ("base_colour" in images):
        _go_over(material, *((ALL_ROUND, PICTURE) if had else (PICTURE, ALL_ROUND)))
    gone = {name for part, name in _BESIDE.items() if part not in images}
    gone |= {TANGENT} if "normal" not in images else set()
    gone |= {ATLAS_MAP} if not images else set()
    for name in gone & {*nodes.keys()}:
        if _image_of(material, name):
            _replace(nodes[name], None)
        nodes.remove(nodes[name])


def _go_over(material: bpy.types.Material, before: str, after: str) -> None:
    """Let one node's colours be seen where another's are; what the artist shows in their place stays."""
    nodes = material.node_tree.nodes
    colours = nodes[SURFACE].inputs["Base Color"]
    if feeding(colours) == before:
        feed(colours, after)
    if nodes.active and nodes.active.name == before:
        nodes.active = nodes.get(after)


def _add_image(
    material: bpy.types.Material, part: str, name: str, image: bpy.types.Image, uv_map: str, place: tuple[int, int]
) -> bpy.types.Node:
    """Add the image of a part of the surface, which it feeds unless something does; returns its node."""
    node, links = _adder(material), material.node_tree.links
    source = shown = node("ShaderNodeTexImage", name, *place)
    shown.image = image
    if part == "normal":
        source = node("ShaderNodeNormalMap", TANGENT, place[0] + 300, place[1])
        source.uv_map = uv_map
        links.new(shown.outputs["Color"], source.inputs["Color"])
    socket = material.node_tree.nodes[SURFACE].inputs[_SOCKETS[part]]
    if not socket.links and name != ALL_ROUND:  # the switch decides on that
        links.new(source.outputs[0], socket)
    return shown


def _replace(node: bpy.types.Node, image: bpy.types.Image | None) -> None:
    """Let a node show another image; one that the artist has painted on, or chosen, stays in the file."""
    former, node.image = node.image, image
    if former != image and node.name != PICTURE and is_artists(former):
        former.use_fake_user = True  # what nothing uses is not saved


def _add_detail(material: bpy.types.Material, node: NewNode) -> None:
    """Add the normals of the normal map, through a Normal Map node in object space.

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
    lit = node("ShaderNodeNormalMap", DETAIL, -400, -600)
    lit.space = "OBJECT"
    nodes = material.node_tree.nodes
    links.new(nodes[NORMAL_MAP].outputs["Color"], turn.inputs["Vector"])
    links.new(turn.outputs["Vector"], lit.inputs["Color"])
    links.new(own.outputs["Normal"], facing.inputs[0])
    links.new(facing.outputs["Value"], strength.inputs["Value"])
    links.new(strength.outputs["Result"], lit.inputs["Strength"])


def textured_material(name: str, images: Mapping[str, bpy.types.Image]) -> bpy.types.Material:
    """A material that shows a surface's own images: base_colour, normal, roughness, metallic, those that are there."""
    material, _ = _new(name)
    for row, (part, image) in enumerate(images.items()):
        shown = _add_image(material, part, _PLAIN[part], image, UV_MAP, (-700, 300 - 300 * row))
        if row == 0:
            material.node_tree.nodes.active = shown  # what solid shading shows
    return material


def painted_material(name: str, image: bpy.types.Image, former: bpy.types.Material | None) -> bpy.types.Material:
    """A material that shows an image of the whole surface by the UV map `ATLAS`: a former one, or a new one."""
    if former:
        _replace(former.node_tree.nodes[PAINTED], image)
        return former
    material, node = _new(name)
    links = material.node_tree.links
    shown, lies = node("ShaderNodeTexImage", PAINTED, -480, 300), node("ShaderNodeUVMap", ATLAS_MAP, -700, 300)
    shown.image, lies.uv_map = image, ATLAS
    links.new(lies.outputs["UV"], shown.inputs["Vector"])
    links.new(shown.outputs["Color"], material.node_tree.nodes[SURFACE].inputs["Base Color"])
    material.node_tree.nodes.active = shown
    return material


def is_painted(material: bpy.types.Material | None) -> bool:
    """Whether a material is one of `painted_material`."""
    return bool(material and material.node_tree and {PAINTED, SURFACE} <= {*material.node_tree.nodes.keys()})


def show_colours(material: bpy.types.Material, image: bpy.types.Image, *, others_fit: bool) -> None:
    """Let a material of ours have this image of the whole surface, and show it.

    others_fit: whether its other images of the surface, such as the normal texture, lie right; else they go.
    """
    one_surface(material)
    others = {part: _image_of(material, name) for part, name in _BESIDE.items()} if others_fit else {}
    _lay(material, {part: each for part, each in {**others, "base_colour": image}.items() if each})
    material.hi3dgen_shows = best_of(material)


def picture_of(material: bpy.types.Material | None) -> bpy.types.Image | None:
    """The picture that a material of ours projects."""
    return _image_of(material, PICTURE)


def normal_map_of(material: bpy.types.Material | None) -> bpy.types.Image | None:
    """The normal map of a material of ours, in the picture's frame."""
    return _image_of(material, NORMAL_MAP)


def artists_images_of(material: bpy.types.Material | None) -> list[bpy.types.Image]:
    """The images of the whole surface that the artist has painted on, or chosen: they fit no other mesh."""
    names = (
        {*_BESIDE.values(), *_PLAIN.values()}
        if material and material.node_tree and SURFACE in material.node_tree.nodes
        else set[str]()
    )
    return [image for name in sorted(names) if (image := _image_of(material, name)) and is_artists(image)]


def _image_of(material: bpy.types.Material | None, name: str) -> bpy.types.Image | None:
    nodes = material.node_tree.nodes if material and material.node_tree else {}
    return getattr(nodes.get(name), "image", None)


def can_follow(material: bpy.types.Material, newer: bpy.types.Material) -> bool:
    """Whether a material shows what a newer one shows by images of its own, so that `follow` means something."""
    nodes = material.node_tree.nodes.keys() if material.node_tree else ()
    return SURFACE in nodes and any(_image_of(newer, name) for name in nodes)


def follow(material: bpy.types.Material, newer: bpy.types.Material) -> None:
    """Let a material of ours show the images of a newer one, by their nodes' names; nothing else of it changes.

    What the artist has put in the place of a projected image that came with the object stays; an image of the whole
    surface fits the old mesh alone.
    """
    nodes, others = material.node_tree.nodes, newer.node_tree.nodes
    if is_ours(material):
        one_surface(material)
        beside = _BESIDE if ATLAS_MAP in others else {}
        _lay(material, {part: image for part, name in beside.items() if (image := _image_of(newer, name))})
    for name, node in nodes.items():
        image = _image_of(newer, name)
        former = _image_of(material, name)
        if image and former and (name not in (NORMAL_MAP, NORMALS_SEEN) or PRODUCT in former):
            _replace(node, image)
    for name, socket in ((TURN, "Rotation"), (FACING, 1)):
        if name in nodes and name in others:
            nodes[name].inputs[socket].default_value = others[name].inputs[socket].default_value


def own(mesh: bpy.types.Mesh, changes: Callable[[bpy.types.Material], bool]) -> list[bpy.types.Material]:
    """The materials on a mesh that are to change, be they linked to it or to its objects.

    What another mesh shows as well, or another file owns, stays as it is: the mesh gets a copy.
    """
    owned: dict[bpy.types.Material, bpy.types.Material] = {}
    for thing in bpy.data.objects:
        for slot in thing.material_slots if thing.data == mesh else ():
            shown = slot.material
            if shown and shown not in owned.values() and changes(shown):
                shared = shown.library or any(other.users and other != mesh for other in meshes_of(shown))
                owned[shown] = owned.get(shown) or (shown.copy() if shared else shown)
                slot.material = owned[shown]
    return [*owned.values()]


def shows_all_round(material: bpy.types.Material) -> bool:
    """Whether a material of ours has images of the whole surface."""
    return is_ours(material) and not {ALL_ROUND, ATLAS_MAP}.isdisjoint(material.node_tree.nodes.keys())


def settle(material: bpy.types.Material, mesh: bpy.types.Mesh) -> None:
    """Let a material of ours and its mesh agree: it shows what the mesh has a UV map for, by that map."""
    one_surface(material)
    if ATLAS not in mesh.uv_layers:
        _lay(material, {})
    show_by(material, mesh)


def _new(name: str) -> tuple[bpy.types.Material, NewNode]:
    """A material with nothing but its surface, and the function that adds a node: its kind, name and place."""
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):  # from then on every material has nodes
        material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    node = _adder(material)
    output = node("ShaderNodeOutputMaterial", OUTPUT, 260, 300)
    surface = node("ShaderNodeBsdfPrincipled", SURFACE, -160, 300)
    surface.inputs["Roughness"].default_value = ROUGHNESS
    material.node_tree.links.new(surface.outputs[0], output.inputs["Surface"])
    return material, node


def _adder(material: bpy.types.Material) -> NewNode:
    nodes = material.node_tree.nodes

    def node(kind: str, name: str, x: int, y: int) -> bpy.types.Node:
        made = nodes.new(kind)
        made.name = made.label = name
        made.location = (x, y)
        return made

    return node
