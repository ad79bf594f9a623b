# SPDX-License-Identifier: GPL-3.0-or-later
"""Build one closed surface from a normal map.

The outline is smoothed (`outline`). The normals become two height fields over the pixels, the body's front and back
(`body`). Each is triangulated, as fine as it needs, and cut along the outline (`lattice`). Both share the vertices of
the rim, which closes the surface. The picture does not show the back: its shape is drawn from the seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...arrays import Float64Array
from ...flow.products import Mesh, NormalMap, Report
from ...normals.outline import empty_cutout
from ...raster.ticks import Poll
from . import lattice, outline
from .body import Body, make_body
from .lattice import Triangulation

_STEPS = 40
_TOLERANCE = 1e-4  # in sides of the cut-out: how far the triangles may be from a height field
_UNFOLDINGS = 4
_MOST_POINTS = 90_000  # of front and back together; the tolerance grows until there are no more


@dataclass(frozen=True)
class Back:
    """The shape of the back.

    thickness: the back's depth over that of the inflated silhouette. profile: the exponent of its height: below 1 the
    back is a box with rounded edges, above 1 it has a ridge. Below 2 it meets the rim at a right angle.
    """

    thickness: float
    profile: float

    @classmethod
    def from_seed(cls, seed: int) -> "Back":
        """Draw a plausible back; seed 0 gives the neutral one, of thickness and profile 1."""
        if seed == 0:
            return cls(1.0, 1.0)
        random = np.random.default_rng(seed)
        return cls(thickness=float(np.exp(random.uniform(-0.6, 0.6))), profile=float(random.uniform(0.7, 1.4)))


def build(normal_map: NormalMap, seed: int, report: Report, *, thickness: float = 1.0, profile: float = 1.0) -> Mesh:
    """Build the body that shows these normals.

    normal_map: its normals may be noisy, contradictory, of any length or non-finite. seed: decides the back and never
    the front; 0 is neutral. thickness, profile: factors of what the seed draws (see `Back`), thickness > 0 and profile
    in [0.5, 1.4]. Returns a closed, outward mesh in the cut-out's frame, x and z in [-0.5, 0.5], its uv the same plus
    one half. Raises UserError "empty-cutout" if no pixel has an alpha above one half.
    """
    side = normal_map.alpha.shape[0]
    report(0, _STEPS)
    alpha, normals, origin = _window(normal_map, lambda: report(0, _STEPS))
    report(1, _STEPS)
    body = make_body(normals, alpha, side, lambda fraction: report(2 + int(fraction * (_STEPS - 8)), _STEPS))
    drawn = Back.from_seed(seed)
    thickness, profile = drawn.thickness * thickness, drawn.profile * profile
    triangulations: list[Triangulation] = []
    surfaces: list[Float64Array] = []

    def front(body: Body) -> Float64Array:
        return body.front

    def back(body: Body) -> Float64Array:
        return body.back(thickness, profile)

    for number, height_of in enumerate((front, back)):
        report(_STEPS - 6 + 2 * number, _STEPS)
        error = lattice.errors(body.surface(height_of(body)), body.inside)
        report(_STEPS - 5 + 2 * number, _STEPS)
        triangulations.append(lattice.cut(lattice.triangulate(error, _tolerance(error, side)), alpha))
        surfaces.append(_unfolded(triangulations[-1], body, height_of))
    report(_STEPS - 2, _STEPS)
    mesh = _close(triangulations, surfaces, body, origin, side)
    report(_STEPS, _STEPS)
    return mesh


def _unfolded(triangulation: Triangulation, body: Body, height_of: Callable[[Body], Float64Array]) -> Float64Array:
    """Return the surface of a height field, (3, H, W), with points moved back whose slide turned triangles over."""
    surface = body.surface(height_of(body))
    for _ in range(_UNFOLDINGS):
        folded = lattice.folded(triangulation, surface)
        if not len(folded):
            break
        body = body.moved_back(folded)
        surface = body.surface(height_of(body))
    return surface


def _window(normal_map: NormalMap, poll: Poll) -> tuple[Float64Array, Float64Array, tuple[int, int]]:
    """Return smoothed alpha and the normals in the smallest lattice around the object, and its first row and column."""
    alpha = np.asarray(normal_map.alpha, np.float64)
    rows, columns = (np.flatnonzero((alpha > 0.5).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise empty_cutout()
    border = 2  # pixels of background to keep on every side; those that the picture lacks are padded
    low = np.maximum([rows[0] - border, columns[0] - border], 0)
    high = np.minimum([rows[-1] + border + 1, columns[-1] + border + 1], alpha.shape)
    before = np.array([border, border])
    size = high - low + before + 1
    size = -(-(size - 1) // lattice.BLOCK) * lattice.BLOCK + 1
    size = np.maximum(size, lattice.BLOCK + 1)
    after = size - (high - low) - before
    pad = tuple(zip(before, after, strict=True))
    part = (slice(low[0], high[0]), slice(low[1], high[1]))
    padded = outline.smooth(np.pad(alpha[part], pad), normal_map.alpha.shape[0], poll)
    normals = np.pad(np.asarray(normal_map.normals[part], np.float64), (*pad, (0, 0)))
    return padded, normals, (int(low[0] - border), int(low[1] - border))


def _tolerance(error: Float64Array, side: int) -> float:
    """Return the tolerance that leaves at most half of `_MOST_POINTS` points."""
    most = min(_MOST_POINTS // 2, error.size)
    return max(_TOLERANCE * side, float(np.partition(error, error.size - most, axis=None)[error.size - most]))


def _close(
    triangulations: list[Triangulation],
    surfaces: list[Float64Array],
    body: Body,
    origin: tuple[int, int],
    side: int,
) -> Mesh:
    """Join front and back at their common rim."""
    front, back = triangulations
    rim = lattice.rim_places(front, body.inside.shape[1])
    places = [
        surfaces[0].reshape(3, -1)[:, front.points],
        np.concatenate([rim, body.membrane.ravel()[None, front.rim_inside]]),
        surfaces[1].reshape(3, -1)[:, back.points],
    ]
    column, row, height = np.concatenate(places, axis=1)
    uv = np.stack([(column + origin[1] + 0.5) / side, 1.0 - (row + origin[0] + 0.5) / side], axis=1)
    uv = np.clip(uv, 0.0, 1.0)  # smoothing may move the outline slightly past the picture's border
    vertices = np.stack([uv[:, 0] - 0.5, -height / side, uv[:, 1] - 0.5], axis=1)
    # The back's own points are numbered after the front's and the rim's.
    hind = back.triangles
    own = hind < len(back.points)
    hind = np.where(own, hind + len(front.points) + rim.shape[1], hind - len(back.points) + len(front.points))
    triangles = np.concatenate([front.triangles, hind[:, ::-1]])
    return Mesh(vertices.astype(np.float32), triangles.astype(np.int32), uv.astype(np.float32))
