# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays the picture onto a mesh: its UVs go from the cut-out's frame to the picture's."""

from dataclasses import replace

import numpy as np

from ..arrays import Float32Array
from ..flow.products import Crop, Cutout, Mesh, Report
from .rim import inset


def project(mesh: Mesh, cutout: Cutout, *, report: Report) -> Mesh:
    """Give a mesh, whose uv (V, 2) lies in the cut-out's frame, its uv in the picture's, clear of the outline."""
    uv = _in_picture(inset(mesh.uv, cutout.alpha), cutout.crop)
    report(1, 1)
    return replace(mesh, uv=uv)


def _in_picture(uv: Float32Array, crop: Crop) -> Float32Array:
    """Carry uv from the cut-out's frame to the picture's; both have v upward, the crop counts rows downward."""
    u = (crop.left + uv[:, 0] * crop.side) / crop.picture_width
    v = 1.0 - (crop.top + (1.0 - uv[:, 1]) * crop.side) / crop.picture_height
    return np.stack([u, v], axis=1).astype(np.float32)
