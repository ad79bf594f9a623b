# SPDX-License-Identifier: GPL-3.0-or-later
"""From a picture to the frames that Hi3D and SV3D take, in 8 bits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra files has it")

import torch

from backend.models.video_conditioning import even_azimuths, sv3d_angles
from backend.models.view_pictures import centred_on_white, cropped, on_white, stretched, to_colours, to_pixels

LEVEL = 2 / 255 + 1e-4


@golden.each("hi3d_frames")
def test_a_picture_becomes_the_frames_of_both_stages(path: Path) -> None:
    fixture = golden.read(path)
    side = fixture.facts["resolution"]
    white = on_white(fixture.input("rgba").numpy())
    assert np.array_equal(white, fixture.output("white").numpy())
    ours = {"stage1_frame": cropped(white, side), "stage2_frame0": stretched(white, side, side)}
    for name, picture in ours.items():
        difference = (to_pixels(picture) - fixture.output(name)).abs()
        assert difference.max() <= LEVEL
        assert difference.mean() <= 0.0015
    for number, theirs in enumerate(fixture.output("stage2_frame_rest_unique"), 1):
        flat = np.full((side // 2, side // 2, 3), 5 * number, np.uint8)
        assert (to_pixels(stretched(flat, side, side)) - theirs).abs().max() <= LEVEL


@golden.each("sv3d_inputs")
def test_a_picture_and_angles_become_what_sv3d_takes(path: Path) -> None:
    fixture = golden.read(path)
    for i, case in enumerate(fixture.facts["cases"]):
        rgba = fixture.input(f"rgba{i}").numpy()
        pixels = to_pixels(centred_on_white(rgba, fixture.facts["size"], case["image_frame_ratio"]))
        golden.assert_outputs_close(fixture, {f"image{i}": pixels}, needed=[f"image{i}"], absolute=LEVEL)
        mean = pixels.double().mean((1, 2))
        golden.assert_close(mean, fixture.output(f"image{i}.mean"), absolute=1e-4)
        frames = len(fixture.output(f"polars_rad{i}"))
        polars, azimuths = sv3d_angles(
            _each(case["elevations_deg"], frames), case["azimuths_deg"] or even_azimuths(frames)
        )
        for name, ours in (("polars_rad", polars), ("azimuths_rad", azimuths)):
            golden.assert_close(torch.tensor(ours, dtype=torch.float64), fixture.output(f"{name}{i}"), absolute=1e-6)


def test_an_object_larger_than_the_square_and_one_that_is_not_there_are_refused() -> None:
    wide = np.full((10, 30, 4), 255, np.uint8)
    with pytest.raises(ValueError, match="30 x 10 pixels does not fit into a square of 10"):
        centred_on_white(wide, 64)
    with pytest.raises(ValueError, match="opaque"):
        centred_on_white(wide * 0, 64)


def test_colours_are_cut_off_to_whole_levels_within_their_range() -> None:
    pixels = torch.tensor([-2.0, -1.0, 0.0, 0.999, 1.0, 3.0])[:, None, None].expand(-1, 3, 1)[..., None]
    assert to_colours(pixels)[:, 0, 0, 0].tolist() == [0, 0, 127, 254, 255, 255]


def _each(value: Any, count: int) -> list[float]:
    return value if isinstance(value, list) else [value] * count
