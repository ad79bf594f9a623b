# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the normal maps of the pictures of examples/, from the models that the pictures show.

    .venv/bin/python scripts/render_normal_maps.py FOLDER

writes FOLDER/owl.png and so on: rgb = (n + 1) / 2, x right, y up, z to the viewer. They stand for an artist's own
normal maps, and show what the engine makes of good normals (scripts/turntable.py --normal-maps).
"""

import argparse
from pathlib import Path

import bpy
from render_example import PICTURES, Material, frame_subject, render, set_stage


def main(folder: Path) -> None:
    """Render a map of every subject that has no backdrop."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (build_subject, backdrop) in PICTURES.items():
        if backdrop:
            continue
        set_stage()
        build_subject()
        frame_subject()
        scene = bpy.context.scene
        scene.view_settings.view_transform, scene.view_settings.look = "Raw", "None"
        scene.cycles.use_denoising, scene.cycles.max_bounces = False, 0
        bpy.context.view_layer.material_override = glowing_normals()
        render(folder / f"{name}.png")


def glowing_normals() -> Material:
    """Make a material that emits its normal as a colour. Cycles' camera space has z away from the viewer."""
    material = bpy.data.materials.new("normals")
    if bpy.app.version < (5, 0, 0):  # newer ones have nodes anyway
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    geometry, turn, scale, emission, output = (
        tree.nodes.new(kind)
        for kind in (
            "ShaderNodeNewGeometry",
            "ShaderNodeVectorTransform",
            "ShaderNodeVectorMath",
            "ShaderNodeEmission",
            "ShaderNodeOutputMaterial",
        )
    )
    turn.vector_type, turn.convert_from, turn.convert_to = "NORMAL", "WORLD", "CAMERA"
    scale.operation = "MULTIPLY_ADD"
    scale.inputs[1].default_value, scale.inputs[2].default_value = (0.5, 0.5, -0.5), (0.5, 0.5, 0.5)
    tree.links.new(geometry.outputs["Normal"], turn.inputs["Vector"])
    tree.links.new(turn.outputs["Vector"], scale.inputs[0])
    tree.links.new(scale.outputs["Vector"], emission.inputs["Color"])
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    return material


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Render the normal maps of the pictures of examples/.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the maps go, as NAME.png")
    main(parser.parse_args().folder)
