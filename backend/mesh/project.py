# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage `project`: puts the picture onto a mesh, whose UVs go from the cut-out's frame to the picture's."""

from dataclasses import replace

import numpy as np

from ..arrays import Float32Array
from ..flow.products import Crop, Cutout, Mesh, Report
from .rim import inset


def project(mesh: Mesh, cutout: Cutout, *, report: Report) -> Mesh:
    """Give a mesh UVs in the picture's frame, at a distance from the object's outline.

    mesh: its uv is (V, 2), in the cut-out's frame, or its picture_uv if uv is for a texture. Raises ValueError if it
    has UVs by corner alone.
    """
    own = mesh.uv if mesh.picture_uv is None else mesh.picture_uv
    if own.ndim != 2:
        raise ValueError("the picture cannot be projected onto a mesh with UVs by corner")
    uv = _in_picture(inset(own, cutout.alpha), cutout.crop)
    report(1, 1)
    return replace(mesh, uv=uv) if mesh.picture_uv is None else replace(mesh, picture_uv=uv)


def _in_picture(uv: Float32Array, crop: Crop) -> Float32Array:
    """Return uv in the picture's frame, from the cut-out's. Both have v upward; the crop counts rows downward."""
    u = (crop.left + uv[:, 0] * crop.side) / crop.picture_width
    v = 1.0 - (crop.top + (1.0 - uv[:, 1]) * crop.side) / crop.picture_height
    return np.stack([u, v], axis=1).astype(np.float32)
