# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal map as an artist stops at it, paints on it and goes on from it, with a real mouse in a real window."""

from pathlib import Path

import pytest

from tests.gui.blender import NOWHERE, Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

STOP, EDIT, USE = "hi3dgen.make_normal_map", "hi3dgen.edit_normal_map", "hi3dgen_uses_normal_map"
PREVIEW, GENERATE = "hi3dgen.preview_cutout", "hi3dgen.generate"
HEADER = 64, 174  # pixels below Preview, without and with a thumbnail: the box's header is no button to be found
QUICK = 128
PICTURE = "bpy.data.images['toadstool.png']"


def open_box(blender: Blender, below: int) -> None:
    """Open the box, or close it, by its header."""
    x, y = blender.find(PREVIEW, across=0.25)
    blender.screen.click(x, y + below)
    blender.ask("0")


def test_it_stops_at_the_normal_map_is_painted_on_and_goes_on(blender: Blender, toadstool: Path, shots: Path) -> None:
    blender.ask(f"use({str(toadstool)!r}, {QUICK})")
    blender.wait("session().phase.name == 'READY'")
    open_box(blender, HEADER[0])
    blender.shoot(shots / "normal map panel.png")
    blender.click(STOP)
    blender.wait("session().jobs")
    blender.wait_for_job()
    blender.wait(f"{PICTURE}.hi3dgen_normal_map is not None")
    assert not blender.ask("[thing.name for thing in bpy.data.objects if 'hi3dgen' in thing]")
    blender.wait("reports()[-1] == 'The normal map of toadstool is ready. Edit it, or generate a mesh from it.'")
    assert blender.undo_steps()[-1] == "Normal Map of toadstool"
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "normal map.png")
    made = blender.ask(f"{PICTURE}.hi3dgen_normal_map.name")

    open_box(blender, HEADER[1])  # closes it: else Generate is below the window
    blender.click(GENERATE)
    blender.wait("session().jobs[-1].request.gives == ()")
    blender.wait_for_job()
    assert blender.ask("'own_normal_map' in bpy.context.object['hi3dgen']['inputs']")
    blender.shoot(shots / "normal map and mesh.png")

    open_box(blender, HEADER[1])
    blender.click(EDIT, across=0.25)
    blender.wait("[area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == 'IMAGE_EDITOR']")
    blender.wait("shown() and area('IMAGE_EDITOR').spaces.active.ui_mode == 'PAINT'")
    assert blender.ask("shown()") == blender.ask(f"{PICTURE}.hi3dgen_normal_map.name")
    assert blender.ask("meant()") == "toadstool.png", "a click there still means the picture"
    node = "bpy.context.object.active_material.node_tree.nodes['Normal Map'].image.name"
    assert blender.ask("shown()") != blender.ask(node), "the mesh keeps its own"
    assert blender.ask("shown()").startswith(made)
    blender.shoot(shots / "painting on the normal map.png")


def test_a_mesh_leaves_its_normal_map_and_its_cut_out_in_the_panel(
    blender: Blender, toadstool: Path, shots: Path
) -> None:
    blender.ask(f"use({str(toadstool)!r}, {QUICK})")
    blender.click(GENERATE)
    blender.wait("session().jobs")
    blender.wait_for_job()
    blender.screen.point(*NOWHERE)
    blender.shoot(shots / "panel after the mesh.png")
    assert blender.ask(f"{PICTURE}.hi3dgen_normal_map.name") == "toadstool normals"
    open_box(blender, HEADER[1])
    blender.shoot(shots / "normal map after the mesh.png")
    blender.click(USE, across=0.75)
    blender.wait(f"{PICTURE}.hi3dgen_uses_normal_map")
