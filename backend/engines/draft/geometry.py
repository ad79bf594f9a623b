# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine's geometry: a normal map becomes one closed surface.

The outline is made fair (`outline`), the normals become two sheets over the picture's lattice (`body`), and the lattice
becomes triangles, fine where a sheet needs them and cut along the outline (`lattice`). Both sheets share the rim's
vertices, so that they close each other. What the picture does not tell, the back, is drawn from the seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arrays import Float64Array
from ...errors import UserError
from ...flow.products import Mesh, NormalMap, Report
from . import lattice, outline
from .body import Body, shape

_STEPS = 40
_TOLERANCE = 1e-4  # of the cut-out's side: how far the triangles may depart from a sheet
_UNFOLDINGS = 4
_MOST = 90_000  # points of both sheets; more detail is left out beyond it


@dataclass(frozen=True)
class Back:
    """What the picture does not tell.

    thickness: the back's depth in units of the front's inflated depth. profile: the exponent of its height; below 1
    it is a box with rounded edges, above 1 it comes to a ridge. Below 2 it always leaves the rim upright.
    """

    thickness: float
    profile: float

    @classmethod
    def from_seed(cls, seed: int) -> "Back":
        """Draw a plausible back; seed 0 is the neutral one."""
        if seed == 0:
            return cls(1.0, 1.0)
        random = np.random.default_rng(seed)
        return cls(thickness=float(np.exp(random.uniform(-0.6, 0.6))), profile=float(random.uniform(0.7, 1.4)))


def build(normal_map: NormalMap, seed: int, report: Report, *, thickness: float = 1.0, profile: float = 1.0) -> Mesh:
    """Build the body that shows these normals.

    normal_map: its normals may be anybody's, also noisy, contradictory, of any length or NaN. seed: 0 is neutral; it
    changes the back and never the front. thickness, profile: factors of what the seed draws (see `Back`), thickness > 0
    and profile in [0.5, 1.4]. Returns a closed, outward mesh in the cut-out's frame, x and z in [-0.5, 0.5], its uv the
    same plus one half. Raises UserError "empty-cutout" where nothing is covered by more than one half.
    """
    side = normal_map.alpha.shape[0]
    report(0, _STEPS)
    alpha, normals, origin = _window(normal_map, lambda: report(0, _STEPS))
    report(1, _STEPS)
    body = shape(normals, alpha, side, lambda fraction: report(2 + int(fraction * (_STEPS - 8)), _STEPS))
    drawn = Back.from_seed(seed)
    thickness, profile = drawn.thickness * thickness, drawn.profile * profile
    sheets: list[lattice.Sheet] = []
    surfaces: list[Float64Array] = []

    def front(body: Body) -> Float64Array:
        return body.front

    def back(body: Body) -> Float64Array:
        return body.back(thickness, profile)

    for number, height_of in enumerate((front, back)):
        report(_STEPS - 6 + 2 * number, _STEPS)
        error = lattice.importance(body.surface(height_of(body)), body.inside)
        report(_STEPS - 5 + 2 * number, _STEPS)
        sheets.append(lattice.cut(lattice.triangulate(error, _tolerance(error, side)), alpha))
        surfaces.append(_unfolded(sheets[-1], body, height_of))
    report(_STEPS - 2, _STEPS)
    mesh = _close(sheets, surfaces, body, origin, side)
    report(_STEPS, _STEPS)
    return mesh


def _unfolded(sheet: lattice.Sheet, body: Body, height_of: Callable[[Body], Float64Array]) -> Float64Array:
    """The sheet's surface, (3, H, W); where points that slid to the rim turned triangles over, they go back."""
    surface = body.surface(height_of(body))
    for _ in range(_UNFOLDINGS):
        folded = lattice.folded(sheet, surface)
        if not len(folded):
            break
        body = body.eased(folded)
        surface = body.surface(height_of(body))
    return surface


def _window(
    normal_map: NormalMap, tick: Callable[[], None]
) -> tuple[Float64Array, NDArray[np.float64], tuple[int, int]]:
    """Return alpha, made fair, and the normals in the smallest lattice around the object, and its top left pixel."""
    alpha = np.asarray(normal_map.alpha, np.float64)
    rows, columns = (np.flatnonzero((alpha > 0.5).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise UserError(
            "empty-cutout",
            "There is nothing left in the picture once its background is removed.",
            "Cut the object out so that it is opaque and the background transparent.",
        )
    border = 2  # pixels of background on every side, those that the picture has and as many as it lacks
    low = np.maximum([rows[0] - border, columns[0] - border], 0)
    high = np.minimum([rows[-1] + border + 1, columns[-1] + border + 1], alpha.shape)
    before = np.array([border, border])
    size = high - low + before + 1
    size = -(-(size - 1) // lattice.BLOCK) * lattice.BLOCK + 1
    size = np.maximum(size, lattice.BLOCK + 1)
    after = size - (high - low) - before
    pad = tuple(zip(before, after, strict=True))
    part = (slice(low[0], high[0]), slice(low[1], high[1]))
    padded = outline.fair(np.pad(alpha[part], pad), normal_map.alpha.shape[0], tick)
    normals = np.pad(np.asarray(normal_map.normals[part], np.float64), (*pad, (0, 0)))
    return padded, normals, (int(low[0] - border), int(low[1] - border))


def _tolerance(error: Float64Array, side: int) -> float:
    """The tolerance that leaves at most half of the points that both sheets may have."""
    most = min(_MOST // 2, error.size)
    return max(_TOLERANCE * side, float(np.partition(error, error.size - most, axis=None)[error.size - most]))


def _close(
    sheets: list[lattice.Sheet], surfaces: list[Float64Array], body: Body, origin: tuple[int, int], side: int
) -> Mesh:
    """Join the front and the back sheet in their rim."""
    front, back = sheets
    rim = lattice.rim_places(front, body.inside.shape[1])
    places = [
        surfaces[0].reshape(3, -1)[:, front.points],
        np.concatenate([rim, body.rim.ravel()[None, front.rim_inside]]),
        surfaces[1].reshape(3, -1)[:, back.points],
    ]
    column, row, height = np.concatenate(places, axis=1)
    uv = np.stack([(column + origin[1] + 0.5) / side, 1.0 - (row + origin[0] + 0.5) / side], axis=1)
    uv = np.clip(uv, 0.0, 1.0)  # a fair outline may leave the picture by a hair
    vertices = np.stack([uv[:, 0] - 0.5, -height / side, uv[:, 1] - 0.5], axis=1)
    # The back's own points are numbered after the front's and the rim's.
    hind = back.triangles
    own = hind < len(back.points)
    hind = np.where(own, hind + len(front.points) + rim.shape[1], hind - len(back.points) + len(front.points))
    triangles = np.concatenate([front.triangles, hind[:, ::-1]])
    return Mesh(vertices.astype(np.float32), triangles.astype(np.int32), uv.astype(np.float32))
