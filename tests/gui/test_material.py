# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh as an artist looks at it and goes on with it, with a real mouse in a real window."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.gui.blender import NOWHERE, Blender
from tests.gui.screen import wait_until

pytestmark = [pytest.mark.window, pytest.mark.slow]

GENERATE = "hi3dgen.generate("
QUICK = 128
ACTIVE = "bpy.context.object"
SHADING = "area('VIEW_3D').spaces.active.shading"

CLICKS = (  # the button, where it is across the sidebar, and what is so after a click
    ("hi3dgen.unwrap", 0.2, f"'Unwrapped' in {ACTIVE}.data.uv_layers"),
    ("hi3dgen.decimate", 0.5, f"len({ACTIVE}.modifiers) == 1"),
    ("hi3dgen.remesh", 0.8, f"{ACTIVE}.data.polygons[0].loop_total == 4"),
    ("hi3dgen.mark_as_asset", 0.75, f"{ACTIVE}.asset_data is not None"),
)

KEEP_PREVIEW = """
found = bpy.context.object.preview
image = bpy.data.images.new("preview", *found.image_size, alpha=True)
image.pixels = found.image_pixels_float[:]
image.filepath_raw, image.file_format = {path!r}, "PNG"
image.save()
bpy.data.images.remove(image)
"""


def generate(blender: Blender, picture: Path) -> None:
    """Click Generate, wait for the mesh, and look at it from the front."""
    blender.ask(f"use({str(picture)!r}, {QUICK})")
    blender.ask("all_round()")
    blender.click(GENERATE)
    blender.wait("session().jobs")
    blender.wait_for_job()
    blender.point_at()
    blender.screen.press("KP_1")
    blender.wait("area('VIEW_3D').spaces.active.region_3d.view_perspective == 'ORTHO'")


def switch(blender: Blender, to: str) -> None:
    """Click a position of the switch: two columns, row by row."""
    blender.click(f"hi3dgen.show(shows='{to}'", across=0.7 if to in ("PICTURE", "NORMAL_DETAIL") else 0.25)
    blender.wait(f"{ACTIVE}.active_material.hi3dgen_shows == {to!r}")
    blender.screen.point(*NOWHERE)


def canvas(blender: Blender, path: Path) -> NDArray[np.int64]:
    """The viewport's pixels left of the sidebar, int (H, W, 3)."""
    left, top, _, height = blender.ask("box('VIEW_3D', 'WINDOW')")
    with Image.open(blender.shoot(path)) as shot:
        pixels = np.asarray(shot.convert("RGB"), dtype=np.int64)
    return pixels[top : top + height, left : blender.ask("box('VIEW_3D')")[0]]


def blueness(pixels: NDArray[np.int64]) -> int:
    """How many pixels have about the colour of a normal that looks at the viewer."""
    return int((np.abs(pixels - (128, 128, 255)).max(axis=-1) < 12).sum())


def redness(pixels: NDArray[np.int64]) -> float:
    """The share of pixels that are of the toadstool's red."""
    red, green, blue = np.moveaxis(pixels[..., :3], 2, 0)
    return float(((red > 90) & (green < red / 2) & (blue < red / 2)).mean())


def test_the_switch_shows_true_normal_colours_and_clay(blender: Blender, toadstool: Path, shots: Path) -> None:
    generate(blender, toadstool)
    blender.ask(f"{SHADING}.light = 'FLAT'")
    switch(blender, "NORMAL_MAP")
    seen = canvas(blender, shots / "normal map in solid view.png")
    assert blueness(seen) > 200, "what looks at the viewer is as blue as in the image"
    switch(blender, "CLAY")
    assert blender.ask(f"{SHADING}.color_type") == "TEXTURE"
    clay = canvas(blender, shots / "clay.png")
    assert redness(clay) < 0.002
    switch(blender, "NORMAL_DETAIL")
    blender.shoot(shots / "normal detail in solid view.png")
    switch(blender, "PICTURE")


@pytest.mark.once
def test_a_rendered_view_offers_true_colours(blender: Blender, toadstool: Path, shots: Path) -> None:
    """In Cycles: where no graphics card is, EEVEE needs a minute to begin."""
    generate(blender, toadstool)
    switch(blender, "NORMAL_DETAIL")
    blender.find("shading.type")  # the button that shows it
    blender.ask("bpy.context.scene.render.engine = 'CYCLES'")
    blender.ask("bpy.context.scene.cycles.preview_samples = 4")
    blender.ask(f"{SHADING}.type = 'RENDERED'")
    wait_until(lambda: redness(canvas(blender, shots / "normal detail.png")) > 0.005, "Cycles shows it")
    switch(blender, "NORMAL_MAP")
    wait_until(lambda: redness(canvas(blender, shots / "normal map under AgX.png")) < 0.005, "Cycles shows it")
    blender.click("view_settings.view_transform")
    blender.wait("bpy.context.scene.view_settings.view_transform == 'Standard'")
    blender.screen.point(*NOWHERE)
    true = "what looks at the viewer is as blue as in the image"
    wait_until(lambda: blueness(canvas(blender, shots / "normal map under Standard.png")) > 200, true)


@pytest.mark.once
def test_a_click_does_it_and_one_undo_takes_it_back_and_an_asset_shows_the_object(
    blender: Blender, toadstool: Path, shots: Path
) -> None:
    generate(blender, toadstool)
    steps = blender.undo_steps()
    for button, across, done in CLICKS:
        assert not blender.ask(done)
        blender.click(button, across=across)
        blender.wait(done)
        blender.screen.point(*NOWHERE)
        blender.shoot(shots / f"{button}.png")
        assert len(blender.undo_steps()) == len(steps) + 1
        blender.point_at()
        blender.screen.press("ctrl+z")
        blender.wait(f"{ACTIVE} is not None and not ({done})")
        assert blender.ask(f"{ACTIVE}.name") == "toadstool"

    blender.click("hi3dgen.mark_as_asset", across=0.75)
    blender.wait(f"{ACTIVE}.preview is not None and tuple({ACTIVE}.preview.image_size) != (0, 0)")
    blender.wait(f"any({ACTIVE}.preview.image_pixels_float[:][3::4])")
    blender.ask(KEEP_PREVIEW.format(path=str(shots / "preview.png")))
    with Image.open(shots / "preview.png") as shot:
        pixels = np.asarray(shot.convert("RGBA"), dtype=np.int64)
    assert 0.05 < (pixels[..., 3] > 127).mean() < 0.95
    assert redness(pixels) > 0.02, "in its colours"
