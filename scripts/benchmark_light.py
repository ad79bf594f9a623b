# SPDX-License-Identifier: GPL-3.0-or-later
"""How much nearer the colours of pictures come to the true base colours if their light is taken out.

    python scripts/benchmark.py light [--count N] [--seed SEED] [--true-normals]

The pictures are made up, one a shape, as those are that the small networks learn from, so that their base colours are
known: lamps, sky, shadows, gloss and a camera's tone curve are in them. The normals are those that the draft engine
estimates. Errors are mean distances in Oklab, in hundredths, with one brightness for each picture. Needs the extra
`training`.
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backend.arrays import BoolArray, Float32Array
from backend.engines.draft.normals import estimate
from backend.flow.products import Crop, Cutout, Picture
from backend.raster.colour import linear_to_srgb, srgb_to_linear
from backend.raster.oklab import oklab
from backend.texture import light
from backend.training.shapes import draw_view
from backend.training.shapes.lighting import draw_light, shine
from backend.training.shapes.materials import albedo, draw_materials
from backend.training.shapes.photograph import draw_framing, photograph, reframe
from backend.training.shapes.reliefs import LATTICE

_SIZE = 256
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


class Example(NamedTuple):
    """A picture, uint8 (S, S, 4), with what is true of it: linear base colours and normals, float32 (S, S, 3).

    inside: bool (S, S), the pixels that show nothing but the object.
    """

    rgba: Picture
    base: Float32Array
    normals: Float32Array
    inside: BoolArray


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py light", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=100, metavar="N", help="pictures (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="decides the pictures (default 1)")
    parser.add_argument("--true-normals", action="store_true", help="take the true normals")
    options = parser.parse_args(arguments)
    errors = np.array([_errors(draw(options.seed, index), true=options.true_normals) for index in range(options.count)])
    before, after = errors.mean(axis=0)
    better = (errors[:, 1] < errors[:, 0]).mean()
    print(f"as photographed {before:.2f}, without light {after:.2f}; nearer in {better:.0%} of {options.count}")
    print(f"the worst is {(errors[:, 1] - errors[:, 0]).max():.1f} farther away")


def draw(seed: int, index: int) -> Example:
    """Make up a picture; which one it is depends on the two numbers alone."""
    rng = np.random.default_rng([seed, index])
    view = draw_view(rng, _SIZE + 32)
    camera, surface, hit = view.camera, view.surface, view.surface.hit
    materials = draw_materials(rng, view.shape.parts)
    lamps = draw_light(rng, camera, view.keys)
    image = shine(surface, camera, view.opened, view.shadows, materials, lamps)
    base = np.zeros_like(image)
    base[hit] = albedo(np.ascontiguousarray(surface.places[hit].T), surface.parts[hit], materials, LATTICE).T
    frame, normals = draw_framing(rng, hit), surface.normals @ camera.turn.T
    colours, true, coverage = reframe(image, normals, hit, frame, _SIZE)
    rgba = photograph(rng, colours, coverage)
    inside = (coverage > 0.9) & (rgba[..., 3] > 200)
    return Example(rgba, reframe(base, normals, hit, frame, _SIZE)[0], true, inside)


def _errors(example: Example, *, true: bool) -> tuple[float, float]:
    """The errors of the picture's colours as they are, and without the light."""
    cutout = Cutout(example.rgba, Crop(0.0, 0.0, float(_SIZE), _SIZE, _SIZE))
    normals = example.normals if true else estimate(cutout, _ignore).normals
    own = srgb_to_linear(example.rgba[..., :3].astype(np.float32) / 255)
    shade = light.shade(light.fit(own, normals, example.inside), normals)[..., None]
    first, second = (_error(part[example.inside], example.base[example.inside]) for part in (own, own / shade))
    return first, second


def _error(found: Float32Array, base: Float32Array) -> float:
    """The mean distance of linear colours, float32 (N, 3), from the true ones, once their brightness agrees."""
    ratio = np.maximum(base @ _LUMINANCE, 1e-3) / np.maximum(found @ _LUMINANCE, 1e-3)
    gain = np.exp(np.median(np.log(ratio))).astype(np.float32)
    return float(np.linalg.norm(_lab(found * gain) - _lab(base), axis=-1).mean())


def _lab(linear: Float32Array) -> Float32Array:
    return 100 * oklab(np.rint(255 * linear_to_srgb(np.clip(linear, 0, 1))).astype(np.uint8)[None])[0]


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""
