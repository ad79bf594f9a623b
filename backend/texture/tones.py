# SPDX-License-Identifier: GPL-3.0-or-later
"""What the colours of a cut-out tell, whatever the surface: its light, and how it would look from behind."""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float32Array
from ..flow.products import Cutout, NormalMap
from ..raster.colour import linear_to_srgb, srgb_to_linear
from ..raster.resample import crop_resize
from ..raster.ticks import Poll
from ..raster.vectors import TO_VIEWER, unit
from . import light
from .behind import from_behind
from .even import evened
from .grain import Grain, grain_of

LINEAR = srgb_to_linear(np.arange(256, dtype=np.float32) / 255)
"""The linear colour of each byte, float32 (256,)."""


@dataclass(frozen=True)
class Tones:
    """What a cut-out's colours tell; colours are linear, float32 (N, N, 3).

    shade: float32 (N, N, 1), the light that the normals explain. even: the colours in even light. behind: as the object
    would be seen from behind, and grain: its texture.
    """

    shade: Float32Array
    even: Float32Array
    behind: Float32Array
    grain: Grain


def tones_of(cutout: Cutout, normal_map: NormalMap, poll: Poll) -> Tones:
    """What the cut-out's colours tell."""
    colours, inside = LINEAR[cutout.rgba[..., :3]], inside_of(cutout)
    normals = normal_map.normals
    if normals.shape != colours.shape:
        normals = unit(crop_resize(normals, 0, 0, normals.shape[0], len(inside)), TO_VIEWER)
    shade = light.shade(light.fit(colours, normals, inside), normals)[..., None]
    unlit = colours / shade
    even = evened(unlit, inside)
    poll()
    as_seen, lit_evenly = (linear_to_srgb(np.clip(part, 0, 1)) for part in (unlit, even))
    behind = srgb_to_linear(from_behind(as_seen, lit_evenly, inside, poll))
    poll()
    return Tones(shade, even, behind, grain_of(behind, inside))


def inside_of(cutout: Cutout) -> BoolArray:
    """Which pixels are taken for the object's, bool (N, N)."""
    return cutout.rgba[..., 3] > 127
