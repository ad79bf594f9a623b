# SPDX-License-Identifier: GPL-3.0-or-later
"""The body without the sheet network: as deep as its inflated outline.

Let h be the inflated silhouette, scaled to the relief of the normals, and z the height that the normals integrate to,
with low frequencies held to h. The difference r = z - h is what the normals show beyond the outline. The depth of the
outline itself is read from r beside it: the membrane m is a smooth image, close to r there and harmonic further inside.
Then

    front = m + h + b (r - m)        back = m - thickness * H (h / H)^profile,   H = max h

with b rising from 0 on the rim to 1 a few pixels inside. On the rim both are m. As h rises like a square root there,
both leave the rim at a right angle to the picture: the body is round there, with a continuous tangent, for any normals.
"""

import numpy as np

from ...arrays import Float64Array
from ...geometry import integration
from ...geometry.features import relief
from ...raster import poisson
from ...raster.ticks import Tick
from .body import Body
from .heights import front_heights, smooth
from .rim import BAND, make_rim

_MEMBRANE_HOLD = 0.05  # of the membrane to r beside the rim; its own stiffness is 1
_HOLD = 0.8  # of z's low frequencies to h, over the greatest u: wavelengths above half the body's radius follow h
_LOOSE_HOLD = 0.02  # the same during integration, for parts that nothing else holds
_LEAST_GAP = 0.2  # in heights of the inflated silhouette: the least distance between front and back


def make_inflated_body(
    normals: Float64Array,
    alpha: Float64Array,
    side: int,
    tick: Tick,
    *,
    thickness: float = 1.0,
    profile: float = 1.0,
) -> Body:
    """Make the body that shows these normals, its back the inflated outline; see `body.make_body`."""
    inside = alpha > 0.5
    u = poisson.potential(alpha, lambda f: tick(0.2 * f))
    slope = poisson.gradient(u, alpha)
    n = integration.clean(normals, inside)
    depth = relief(n, u, slope, inside)
    h = depth * np.sqrt(u)
    holds = (_LOOSE_HOLD / float(u.max()), _HOLD / float(u.max()))
    z = front_heights(n, inside, h, holds, side, lambda f: tick(0.2 + 0.65 * f))
    rim = make_rim(u, slope, side)
    r = z - h
    # Without the outermost pixels, in which no integration finds all of the rim's steepness.
    beside = inside & (rim.distance < rim.margin) & (rim.distance > 0.25 * rim.margin)
    m = smooth(r, _MEMBRANE_HOLD * beside, inside, lambda f: tick(0.85 + 0.15 * f))
    rise = np.clip(rim.distance / rim.margin, 0.0, 1.0)
    rise = rise * rise * (3.0 - 2.0 * rise) * np.clip((rim.slope - 2.0) / 4.0, 0.0, 1.0)  # thin parts stay round
    detail = np.where(inside, rise * (r - m), 0.0)
    top = float(np.sqrt(u.max()))

    def both(inflated: Float64Array) -> Float64Array:
        front = depth * inflated + detail
        behind = -thickness * depth * top * (inflated / top) ** profile
        return m + np.stack([front, np.minimum(behind, front - _LEAST_GAP * inflated)])

    front, back = both(np.sqrt(u * rim.ratio))
    return Body(inside, rim.column, rim.row, front, back, both(np.sqrt(u)), m, BAND * side)
