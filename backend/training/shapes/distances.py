# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed distances of simple solids, and smooth ways to join them: negative inside, in the solid's own frame.

They are exact if a formula is known, and otherwise a lower bound, so that sphere tracing passes through nothing.
Formulae as in Hart, "Sphere tracing" (1996), and Quilez, "Distance functions" (2008-2020). A point is x, y, z.
"""

import numpy as np

from ...arrays import Float64Array
from .compiled import compiled, inlined

EXTENT = 1.25
"""A profile's samples cover the square [-EXTENT, EXTENT]²."""
Vector = tuple[float, float, float]


@compiled
def dot(a: Vector, b: Vector) -> float:
    """Return the inner product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@compiled
def length(x: float, y: float, z: float) -> float:
    """Return the Euclidean norm; `raster.vectors` has none for kernels, which take a point at a time."""
    return np.sqrt(x * x + y * y + z * z)


@inlined
def clamp(x: float, low: float, high: float) -> float:
    """Return the number of an interval that is nearest to x."""
    return np.minimum(np.maximum(x, low), high)


@inlined
def smoothstep(x: float) -> float:
    """Return 0 below 0, 1 above 1, and the cubic between."""
    t = clamp(x, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@compiled
def log2(x: float) -> float:
    """Return the logarithm, base 2, of x > 0 to 1e-13: a series, so that the machine takes several at once."""
    bits = np.float64(x).view(np.int64)
    whole = (bits - 0x3FE6A09E667F3BCD) >> 52  # the exponent that leaves a mantissa in [sqrt(1/2), sqrt(2))
    mantissa = np.int64(bits - (whole << 52)).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    q = s * s
    rest = 1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11 + q * (1 / 13 + q / 15)))))
    return np.add(whole, 2.8853900817779268 * s * (1.0 + q * rest))


@compiled
def exp2(x: float) -> float:
    """Return 2^x, |x| < 1000, to 1e-13."""
    whole = np.floor(x + 0.5)
    f = 0.6931471805599453 * (x - whole)
    high = 1 / 720 + f * (1 / 5040 + f * (1 / 40320 + f * (1 / 362880 + f / 3628800)))
    rest = 1.0 + f * (1.0 + f * (1 / 2 + f * (1 / 6 + f * (1 / 24 + f * (1 / 120 + f * high)))))
    return rest * np.int64((np.int64(whole) + 1023) << 52).view(np.float64)


@inlined
def angle(y: float, x: float) -> float:
    """Return the angle of (x, y) in [-pi, pi] to 1e-11: arctan's series about an eighth of a turn's tangent."""
    a, b = np.abs(x), np.abs(y)
    t = np.minimum(a, b) / (np.maximum(a, b) + 1e-300)
    s = (t - 0.41421356237309503) / (1.0 + 0.41421356237309503 * t)
    q = -s * s
    rest = 1 / 15 + q * (1 / 17 + q * (1 / 19 + q * (1 / 21 + q * (1 / 23 + q / 25))))
    rest = 1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11 + q * (1 / 13 + q * rest)))))
    r = 0.39269908169872414 + s * (1.0 + q * rest)
    r = 1.5707963267948966 - r if b > a else r
    r = 3.141592653589793 - r if x < 0.0 else r
    return -r if y < 0.0 else r


@inlined
def ellipsoid(x: float, y: float, z: float, a: float, b: float, c: float, *_: float) -> float:
    """Return about the distance to an ellipsoid of half axes a, b, c: k0 (k0 - 1) / k1."""
    k0 = length(x / a, y / b, z / c)
    k1 = length(x / (a * a), y / (b * b), z / (c * c))
    return k0 * (k0 - 1.0) / np.maximum(k1, 1e-9)


@inlined
def box(x: float, y: float, z: float, a: float, b: float, c: float, *_: float) -> float:
    """Return the distance to a box of half sides a, b, c."""
    u, v, w = np.abs(x) - a, np.abs(y) - b, np.abs(z) - c
    outside = length(np.maximum(u, 0.0), np.maximum(v, 0.0), np.maximum(w, 0.0))
    return outside + np.minimum(np.maximum(u, np.maximum(v, w)), 0.0)


@inlined
def superquadric(x: float, y: float, z: float, *numbers: float) -> float:
    """Return about the distance to (|x/a|^p + |z/c|^p)^(q/p) + |y/b|^q = 1, p = across and q = along >= 2.

    The left side's q-th root is a norm N; (N - 1) / |grad N| is never too far outside, as norms are convex.
    """
    a, b, c, across, along = numbers[:5]
    u, v, w = np.abs(x / a) + 1e-9, np.abs(y / b) + 1e-9, np.abs(z / c) + 1e-9
    up, wp, vq = exp2(across * log2(u)), exp2(across * log2(w)), exp2(along * log2(v))
    ring = up + wp
    level = exp2(along / across * log2(ring))
    whole = level + vq
    norm = exp2(log2(whole) / along)
    steep = length(level * up / (ring * u * a), vq / (v * b), level * wp / (ring * w * c)) / whole
    return (norm - 1.0) / (norm * steep)


@inlined
def round_cone(x: float, y: float, z: float, *numbers: float) -> float:
    """Return about the distance to a capsule between two points whose radius goes from ra to rb."""
    ax, ay, az, bx, by, bz, ra, rb = numbers
    px, py, pz, dx, dy, dz = x - ax, y - ay, z - az, bx - ax, by - ay, bz - az
    t = clamp((px * dx + py * dy + pz * dz) / np.maximum(dx * dx + dy * dy + dz * dz, 1e-12), 0.0, 1.0)
    return length(px - t * dx, py - t * dy, pz - t * dz) - (ra + (rb - ra) * t)


@inlined
def cone(x: float, y: float, z: float, bottom: float, top: float, half: float, *_: float) -> float:
    """Return the distance to a cone frustum about y from -half (radius bottom) to half (radius top)."""
    q = np.sqrt(x * x + z * z)
    slope, height = top - bottom, 2.0 * half
    cap_q, cap_y = q - np.minimum(q, bottom if y < 0.0 else top), np.abs(y) - half
    t = clamp(((top - q) * slope + (half - y) * height) / (slope * slope + height * height), 0.0, 1.0)
    side_q, side_y = q - top + slope * t, y - half + height * t
    inside = -1.0 if (side_q < 0.0) & (cap_y < 0.0) else 1.0
    return inside * np.sqrt(np.minimum(cap_q * cap_q + cap_y * cap_y, side_q * side_q + side_y * side_y))


@inlined
def torus(x: float, y: float, z: float, ring: float, tube: float, *_: float) -> float:
    """Return the distance to a torus about y."""
    q = np.sqrt(x * x + z * z) - ring
    return np.sqrt(q * q + y * y) - tube


@compiled
def profile(x: float, y: float, outlines: Float64Array, which: int) -> float:
    """Return a plane distance from samples, outlines[which] (N, N) over [-EXTENT, EXTENT]², by quadratic B-splines."""
    step = 2.0 * EXTENT / (outlines.shape[1] - 1)
    limit = EXTENT - 1.01 * step
    u, v = clamp(x, -limit, limit), clamp(y, -limit, limit)
    beyond = np.sqrt((x - u) * (x - u) + (y - v) * (y - v))  # the way back to the square
    u, v = (u + EXTENT) / step, (v + EXTENT) / step
    i, j = np.int64(np.floor(u + 0.5)), np.int64(np.floor(v + 0.5))
    f, g = u - i, v - j
    f0, f1, f2 = 0.5 * (0.5 - f) * (0.5 - f), 0.75 - f * f, 0.5 * (0.5 + f) * (0.5 + f)
    g0, g1, g2 = 0.5 * (0.5 - g) * (0.5 - g), 0.75 - g * g, 0.5 * (0.5 + g) * (0.5 + g)
    # A mask says that an index is not negative: nothing has to be wrapped around, and the machine takes several.
    l, r, a, b = (i - 1) & 127, (i + 1) & 127, (j - 1) & 127, (j + 1) & 127
    i, j = i & 127, j & 127
    below = f0 * outlines[which, a, l] + f1 * outlines[which, a, i] + f2 * outlines[which, a, r]
    level = f0 * outlines[which, j, l] + f1 * outlines[which, j, i] + f2 * outlines[which, j, r]
    above = f0 * outlines[which, b, l] + f1 * outlines[which, b, i] + f2 * outlines[which, b, r]
    return g0 * below + g1 * level + g2 * above + beyond


@compiled
def extruded(plane: float, z: float, half: float, bevel: float) -> float:
    """Return the distance to an outline (its plane distance) extruded to |z| <= half, its edges rounded by bevel."""
    u, w = plane + bevel, np.abs(z) - half + bevel
    outside = np.sqrt(np.maximum(u, 0.0) * np.maximum(u, 0.0) + np.maximum(w, 0.0) * np.maximum(w, 0.0))
    return outside + np.minimum(np.maximum(u, w), 0.0) - bevel


SOLIDS = (ellipsoid, box, superquadric, round_cone, cone, torus)
"""The distances to solids without an outline, in the order of `solids.Solid`: of a point and numbers."""
