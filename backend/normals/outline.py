# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals from the outline alone, by inflating the silhouette.

The height is h = sqrt(u) with Δu = -1 (see `raster.poisson`), so its normal (-h_x, -h_y, 1) is parallel to
(-u_x, -u_y, 2 sqrt(u)). That needs no division, and on the rim it lies exactly in the picture's plane.
"""

import numpy as np

from ..errors import UserError
from ..flow.products import Cutout, NormalMap, Report
from ..raster import poisson
from ..raster.vectors import TO_VIEWER, unit

_STEPS = 20


def estimate(cutout: Cutout, report: Report) -> NormalMap:
    """Estimate the cut-out's normals from its alpha.

    Returns unit normals everywhere, (0, 0, 1) away from the object. Raises UserError "empty-cutout" if no pixel has an
    alpha above one half.
    """
    alpha = cutout.alpha
    if not (alpha > 0.5).any():
        raise empty_cutout()
    u = poisson.potential(alpha, lambda fraction: report(int(fraction * (_STEPS - 1)), _STEPS))
    slope_x, slope_y = poisson.gradient(u, alpha)
    normals = np.stack([-slope_x, -slope_y, 2.0 * np.sqrt(u)], axis=-1)
    normals = unit(normals, TO_VIEWER, least=1e-9)
    report(_STEPS, _STEPS)
    return NormalMap(normals.astype(np.float32), alpha, cutout.crop)


def empty_cutout() -> UserError:
    """Return the error for a cut-out without a pixel whose alpha is above one half."""
    sentence = "There is nothing left in the picture once its background is removed."
    advice = "Cut the object out so that it is opaque and the background transparent."
    return UserError("empty-cutout", sentence, advice)
