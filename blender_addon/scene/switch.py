# SPDX-License-Identifier: GPL-3.0-or-later
"""What a generated object is coloured with: `material.hi3dgen_shows` switches its material.

The switch is the links themselves, so that undo and the node editor need no care: one surface takes its colours and
its normals from the nodes of the position that is shown, and the output shows it, or the colours of the normal map.
There is one surface because exporters take whichever they find. What the artist has put between two nodes of ours
comes back with its position, and what another program lays by the first UV map lies right: that is the one of what is
shown.
"""

from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np
from bpy.props import EnumProperty
from mathutils import Matrix, Vector

from ..language.po import CONTEXT
from . import projection
from .projection import ATLAS, UV_MAP

PICTURE = "Picture"
NORMAL_MAP = "Normal Map"
NORMALS_SEEN = "Normal Map as Seen"
NORMAL_COLOURS = "Normal Colours"
DETAIL = "Object Space"  # the normals of the normal map
TANGENT = "Tangent Space"  # those of the mesh's own image
TURN, FACING = "To the Object", "Faces the Picture"
ALL_ROUND = "All Round"
CLAY = "Clay"
COLOUR = "Colour"
SURFACE = "Surface"
OUTPUT = "Material Output"
CLAY_COLOUR = (0.6, 0.56, 0.52, 1.0)
_FORMER = ("Clay Surface", "Detail Surface", "Colour Surface", "All Round Surface")  # each position had its own

# By the switch's position, the nodes that it needs beside the surface; the last one's image is seen in solid shading.
_POSITIONS = ((PICTURE,), (NORMAL_COLOURS, NORMALS_SEEN), (DETAIL, PICTURE), (CLAY,), (COLOUR,), (ALL_ROUND,))
_NORMAL_MAP, _DETAIL, _CLAY, _ALL_ROUND = 1, 2, 3, 5
_FEEDS = {  # by the name of a socket, the nodes of ours that it may be fed by
    "Surface": (SURFACE, NORMAL_COLOURS, *_FORMER),
    "Base Color": (PICTURE, COLOUR, ALL_ROUND),
    "Normal": (DETAIL, TANGENT),
}
ITEMS = (
    ("PICTURE", "Picture", "The picture, projected from the front", 0),
    ("NORMAL_MAP", "Normal Map", "The colours of the normal map", 1),
    ("NORMAL_DETAIL", "Normal Detail", "The colours, lit by the normal map where the picture sees the surface", 2),
    ("CLAY", "Clay", "The mesh alone, without its images", 3),
    ("COLOUR", "Colour", "The colours that the engine has given to the vertices", 4),
    ("ALL_ROUND", "All Round", "The picture where it sees the surface, and what likely goes on elsewhere", 5),
)
_lists: dict[tuple[int, ...], list[tuple[str, str, str, int]]] = {}  # they stay: Blender keeps pointers into them


def is_ours(material: bpy.types.Material | None) -> bool:
    """Whether the material can be switched: it has two positions, with every node that they need."""
    return len(_positions(material)) > 1


def positions_of(material: bpy.types.Material) -> list[tuple[str, str]]:
    """The switch's positions: the value of `hi3dgen_shows` and its label."""
    return [(name, label) for name, label, _, _ in _items(material, None)]


def shown_by(material: bpy.types.Material) -> str:
    """The position that a material shows; empty if it shows something of the artist's own."""
    shown = _shown(material)
    return "" if shown is None else ITEMS[shown][0]


def best_of(material: bpy.types.Material) -> str:
    """The position that shows most: the colours all round, else the picture."""
    return ITEMS[_ALL_ROUND if _ALL_ROUND in _positions(material) else 0][0]


def meshes_of(material: bpy.types.Material) -> set[bpy.types.Mesh]:
    """The meshes that a material is on, by themselves or by their objects."""
    users = (getattr(user, "data", user) for user in bpy.data.user_map(subset=[material])[material])
    return {user for user in users if isinstance(user, bpy.types.Mesh)}


def one_surface(material: bpy.types.Material) -> None:
    """Let a material of an older file, which has several surfaces, keep the one that is seen."""
    nodes = material.node_tree.nodes
    former = [name for name in _FORMER if name in nodes]
    if not former:
        return
    if (seen := feeding(nodes[OUTPUT].inputs["Surface"])) in former:
        nodes.remove(nodes[SURFACE])
        kept = nodes[seen]
        kept.name = kept.label = SURFACE
    for name in former:
        if name in nodes:
            nodes.remove(nodes[name])
    nodes[SURFACE].inputs["Base Color"].default_value = CLAY_COLOUR


def feeding(socket: bpy.types.NodeSocket) -> str:
    """The name of the node of ours that feeds a socket, through whatever the artist has put between; empty if none."""
    return next((node.name for node in _before(socket) if node.name in _FEEDS[socket.name]), "")


def feed(socket: bpy.types.NodeSocket, name: str) -> None:
    """Let a node of ours feed a socket, through what the artist had put between them before."""
    _unlink(socket)
    tree, surface = socket.id_data, socket.node
    for each, output in (surface.get(_memory(socket, name), (name, "")), (name, "")):
        node = tree.nodes.get(each)
        if node is None or not node.outputs:
            continue
        source = next((out for out in node.outputs if out.identifier == output), node.outputs[0])
        link = tree.links.new(source, socket)
        if feeding(socket) == name:
            return
        tree.links.remove(link)


def show_by(material: bpy.types.Material, mesh: bpy.types.Mesh) -> None:
    """Let the UV map of what a material shows be a mesh's first and active one.

    Solid shading lays images by the active one, some programs lay them by the first one of a file.
    """
    inputs = material.node_tree.nodes[SURFACE].inputs, material.node_tree.nodes[OUTPUT].inputs
    is_atlas = feeding(inputs[0]["Base Color"]) == ALL_ROUND and feeding(inputs[1]["Surface"]) != NORMAL_COLOURS
    layers = mesh.uv_layers
    names = (ATLAS, UV_MAP) if is_atlas else (UV_MAP, ATLAS)
    if all(name in layers for name in names):
        if layers.find(names[0]) > layers.find(names[1]):
            _exchange(mesh, *names)
        layers[names[0]].active = layers[names[0]].active_render = True


def show(material: bpy.types.Material, position: int) -> None:
    """Switch a material; nothing happens if it lacks the position."""
    if position not in _positions(material):
        return
    one_surface(material)
    was, nodes = _shown(material), material.node_tree.nodes
    inputs, output = nodes[SURFACE].inputs, nodes[OUTPUT].inputs["Surface"]
    colours = _POSITIONS[position][-1]
    if position == _DETAIL:
        _find_axes(material)
        colours = ALL_ROUND if ALL_ROUND in nodes else colours
    nodes.active = nodes[colours]
    feed(output, NORMAL_COLOURS if position == _NORMAL_MAP else SURFACE)
    if position == _CLAY:
        _unlink(inputs["Base Color"])
    elif position != _NORMAL_MAP:
        feed(inputs["Base Color"], colours)
    normals = feeding(inputs["Normal"])
    wanted = DETAIL if position == _DETAIL else TANGENT if TANGENT in nodes and position != _CLAY else ""
    if DETAIL in (wanted, normals) or (normals and not wanted) or (was == _CLAY and not inputs["Normal"].links):
        feed(inputs["Normal"], wanted)
    for mesh in meshes_of(material):
        show_by(material, mesh)


def set_axes(material: bpy.types.Material, axes: Matrix) -> None:
    """Turn the normals of the normal map by the picture's axes in the object, see `projection`."""
    nodes = material.node_tree.nodes
    nodes[TURN].inputs["Rotation"].default_value = axes.to_euler("XYZ")
    nodes[FACING].inputs[1].default_value = axes @ Vector((0.0, 0.0, 1.0))


def _before(socket: bpy.types.NodeSocket) -> Iterator[bpy.types.Node]:
    """The nodes that feed a socket, the nearest first."""
    found = [link.from_node for link in socket.links or ()]
    for node in found:
        if node:
            yield node
            further = (link.from_node for each in node.inputs for link in each.links or ())
            found.extend(each for each in further if each not in found)


def _unlink(socket: bpy.types.NodeSocket) -> None:
    """Take the link of a socket away, and remember where it came from."""
    node: Any = socket.node
    for link in socket.links or ():
        node[_memory(socket, feeding(socket))] = [link.from_node.name, link.from_socket.identifier]
        socket.id_data.links.remove(link)


def _memory(socket: bpy.types.NodeSocket, name: str) -> str:
    """The property of a socket's node that remembers through what a node of ours fed it."""
    return f"{socket.name} by {name}"


def _exchange(mesh: bpy.types.Mesh, name: str, other: str) -> None:
    """Exchange the places of two UV maps; in Edit Mode, where they have no numbers, they stay.

    Written as attributes: a map's own numbers may be another mesh's as well, that this one was copied from, and up to
    Blender 4.5 it would not get its own by being written to.
    """
    layers = [mesh.attributes[each].data for each in (name, other)]
    count = len(layers[0])
    if not count or count != len(layers[1]):
        return
    numbers = [np.empty(2 * count, np.float32) for _ in layers]
    for layer, own in zip(layers, numbers, strict=True):
        layer.foreach_get("vector", own)
    for each, others in zip((name, other), reversed(numbers), strict=True):
        mesh.attributes[each].data.foreach_set("vector", others)
    first = mesh.uv_layers[name]
    first.name = "exchanged"
    mesh.uv_layers[other].name, first.name = name, other


def _positions(material: bpy.types.Material | None) -> tuple[int, ...]:
    """The switch's positions whose nodes are there; none without the output and the surface."""
    names = set(material.node_tree.nodes.keys()) if material and material.node_tree else set[str]()
    there = tuple(index for index, nodes in enumerate(_POSITIONS) if {OUTPUT, SURFACE, *nodes} <= names)
    return tuple(sorted(there, key=lambda index: index != _ALL_ROUND))  # the best comes first


def _items(material: bpy.types.Material, _context: object) -> list[tuple[str, str, str, int]]:
    positions = _positions(material)
    return _lists.setdefault(positions, [ITEMS[index] for index in positions or (0,)])


def _shown(material: bpy.types.Material) -> int | None:
    """The position that is shown, read from the links; None if it is none of ours."""
    if not is_ours(material):
        return None
    nodes = material.node_tree.nodes
    seen = feeding(nodes[OUTPUT].inputs["Surface"])
    if not seen or seen == NORMAL_COLOURS:
        return _NORMAL_MAP if seen else None
    inputs = nodes[seen].inputs
    if feeding(inputs["Normal"]) == DETAIL:
        return _DETAIL
    colours = feeding(inputs["Base Color"])
    if not colours:
        return None if inputs["Base Color"].links else _CLAY
    return next((index for index in _positions(material) if _POSITIONS[index] == (colours,)), None)


def _get_shows(material: bpy.types.Material) -> int:
    return _shown(material) or 0


def _find_axes(material: bpy.types.Material) -> None:
    """Find the picture's axes anew: the artist may have applied the object's rotation since."""
    nodes = material.node_tree.nodes
    size = nodes[NORMAL_MAP].image.size if {NORMAL_MAP, TURN, FACING} <= set(nodes.keys()) else (0, 0)
    axes = next((found for mesh in meshes_of(material) if (found := projection.axes_of(mesh, size))), None)
    if axes:
        set_axes(material, axes)


def register() -> None:
    """Give materials the switch as a property."""
    bpy.types.Material.hi3dgen_shows = EnumProperty(
        name="Show",
        description="What the generated object is coloured with",
        items=_items,
        get=_get_shows,
        set=show,
        translation_context=CONTEXT,
    )


def unregister() -> None:
    """Take the property away; the nodes stay."""
    del bpy.types.Material.hi3dgen_shows
