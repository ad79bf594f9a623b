# SPDX-License-Identifier: GPL-3.0-or-later
"""How much nearer normals come to the true ones if a small picture is upscaled before they are estimated.

    python scripts/benchmark.py upscale FOLDER [--sizes 64,96,128,192] [--upscaler FILE] [--x-left]

The folder is one of `python -m backend evaluate normals`: images, mask and normals. Its pictures are made smaller, the
draft engine estimates their normals without and with the setting, and both are measured against the whole normal maps,
at their own resolution: NE and SNE in degrees. The last line is the engine's error if it has the whole pictures: no
upscaling of the small ones can be expected to do better. Without a file of weights the resampler is measured. Needs the
extra `evaluation`.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backend.engines import DRAFT
from backend.files.pictures import read_picture
from backend.flow.pipeline import Pipeline, Progress
from backend.flow.products import Crop, NormalMap, Picture
from backend.flow.request import Request
from backend.normals.image import in_picture
from backend.raster.resample import resample
from backend.training.normals.evaluation import Example, Score, mean, read_example, score
from backend.training.normals.folder import names
from backend.upscale.chosen import UPSCALE, UPSCALER


class _Alone:
    """Nobody watches."""

    def progressed(self, progress: Progress) -> None:
        """Nobody asks how far it is."""

    def made(self, name: str, product: object) -> None:
        """Nobody looks at products."""


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py upscale", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with images, mask and normals: files of one name")
    parser.add_argument("--sizes", default="64,96,128,192", help="pixels of the longer side (default 64,96,128,192)")
    parser.add_argument("--upscaler", type=Path, metavar="FILE", help="an upscaler's weights instead of the resampler")
    parser.add_argument("--x-left", action="store_true", help="the maps' red points left")
    options = parser.parse_args(arguments)
    os.environ[UPSCALER] = str(options.upscaler.absolute()) if options.upscaler else ""
    pipeline = Pipeline({DRAFT.name: DRAFT})
    found = names(options.folder)
    examples = [read_example(options.folder, name, read_picture, x_left=options.x_left) for name in found]
    print("          NE without -> with, better in   SNE without -> with")
    for size in map(int, options.sizes.split(",")):
        pairs = [[measured(pipeline, each, size, upscale=on) for on in (False, True)] for each in examples]
        before, after = (mean([pair[number] for pair in pairs]) for number in range(2))
        better = sum(pair[1].error < pair[0].error for pair in pairs)
        error = f"{before.error:6.2f} -> {after.error:6.2f}, {better:2} of {len(pairs):2}"
        print(f"{size:5} px  {error}  {before.sharp:6.2f} -> {after.sharp:6.2f}", flush=True)
    whole = mean([measured(pipeline, each, max(each.picture.shape), upscale=False) for each in examples])
    print(f"{'whole':>8}  {whole.error:6.2f}{'':20}  {whole.sharp:6.2f}")


def measured(pipeline: Pipeline, example: Example, size: int, *, upscale: bool) -> Score:
    """The error of the normals of a picture that has `size` pixels along its longer side, at that of the truth."""
    height, width = example.picture.shape[:2]
    small = _smaller(example.picture, size)
    asked = Request({"picture": small}, settings={UPSCALE: upscale})
    normal_map = next(pipeline.run(asked, _Alone(), gives=["normal_map"])).products["normal_map"]
    return score(example, in_picture(_in_frame(normal_map, width, height)).normals)


def _smaller(picture: Picture, size: int) -> Picture:
    height, width = picture.shape[:2]
    shape = (max(1, round(height * size / max(height, width))), max(1, round(width * size / max(height, width))))
    return picture if shape == (height, width) else resample(picture, (0, 0, width, height), shape)


def _in_frame(normal_map: NormalMap, width: int, height: int) -> NormalMap:
    """The normal map as one of a picture that is `width` x `height` pixels large."""
    crop = normal_map.crop
    if crop is None:
        raise ValueError("the normal map does not say what it shows")
    times = width / crop.picture_width
    return replace(normal_map, crop=Crop(crop.left * times, crop.top * times, crop.side * times, width, height))
