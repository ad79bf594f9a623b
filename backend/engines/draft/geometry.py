# SPDX-License-Identifier: GPL-3.0-or-later
"""Build one closed surface from a normal map.

The outline is smoothed (`outline`). The sheet network guesses how deep the body is (`guess`). The normals and the guess
become two height fields over the pixels, the body's front and back (`body`). Each is triangulated, as fine as it needs,
and cut along the outline (`lattice`). Both share the vertices of the rim, which closes the surface. The picture does
not show the back: which of the plausible ones it is, is drawn from the seed.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...arrays import Float64Array
from ...flow.products import Mesh, NormalMap, Noted, Report, noted
from ...geometry.look import TYPICAL, read_weights
from ...geometry.network import WEIGHTS
from ...normals.outline import empty_cutout
from ...raster.side_by_side import both
from ...raster.ticks import Poll
from . import lattice, outline
from .behind import Behind
from .body import Body, make_body
from .guess import Window, guess
from .inflated import make_inflated_body
from .lattice import Triangulation
from .pose import PARALLEL, Pose, set_upright, without_lens

_STEPS = 40
_TOLERANCE = 1e-4  # in sides of the cut-out: how far the triangles may be from a height field
_UNFOLDINGS = 4
_MOST_POINTS = 50_000  # of front and back together; the tolerance grows until there are no more but the outline's
_QUANTILES = (0.2, 0.9)  # of the thickness, that seeds draw from


def build(
    normal_map: NormalMap,
    seed: int,
    report: Report,
    *,
    thickness: float = 1.0,
    profile: float = 1.0,
    upright: bool = True,
    back_normal_map: NormalMap | None = None,
    estimated: bool = True,
) -> Mesh | Noted:
    """Build the body that shows these normals.

    normal_map: its normals may be noisy, contradictory, of any length or non-finite. seed: decides how thick the body
    is, among what is plausible, and never the front; 0 is typical. thickness: a factor of that, > 0. profile: the
    exponent of its depth, > 0: below 1 the back is fuller, above 1 more pointed. upright: turn it so that it
    stands, if that is sure. back_normal_map: of a picture from behind, whose relief the back takes. estimated: whether
    the normals are, and so are flatter than true ones.
    Returns a closed, outward mesh with the cut-out's side as the unit, its uv in the cut-out's frame. Raises UserError
    "empty-cutout" if no pixel has an alpha above one half.
    """
    side = normal_map.alpha.shape[0]
    report(0, _STEPS)
    alpha, normals, window = _window(normal_map, lambda: report(0, _STEPS))
    report(1, _STEPS)

    def tick(fraction: float) -> None:
        report(2 + int(fraction * (_STEPS - 8)), _STEPS)

    notes: list[str] = []
    weights = read_weights(WEIGHTS)
    if weights is None:
        pose = PARALLEL
        notes.append("The body is a plain one, because a file of the extension is missing or damaged.")
        body = make_inflated_body(normals, alpha, side, tick, thickness=thickness, profile=profile)
    else:
        seen, pose = guess(weights, normal_map, window, quantile(seed), lambda: report(1, _STEPS), estimated=estimated)
        behind = None if back_normal_map is None else Behind(back_normal_map, pose, notes)
        body = make_body(normals, alpha, side, seen, tick, thickness=thickness, profile=profile, behind=behind)
    mesh = _surface(body, alpha, window, side, pose, lambda step: report(_STEPS - 6 + step, _STEPS))
    if upright:
        vertices = set_upright(mesh.vertices.astype(np.float64), mesh.triangles, pose)
        mesh = replace(mesh, vertices=vertices.astype(np.float32))
    report(_STEPS, _STEPS)
    return noted(mesh, notes)


def quantile(seed: int) -> float:
    """Return the share of plausible bodies that are thinner than a seed's; seed 0 has the typical one."""
    return TYPICAL if seed == 0 else float(np.random.default_rng(seed).uniform(*_QUANTILES))


def _surface(
    body: Body, alpha: Float64Array, window: Window, side: int, pose: Pose, report: Callable[[int], None]
) -> Mesh:
    """Triangulate front and back and join them. report: takes the steps done, of 6."""

    def side_of(field: str, poll: Poll) -> tuple[Triangulation, Float64Array]:
        error = lattice.errors(body.surface(getattr(body, field)), body.inside)
        poll()
        triangulation = lattice.cut(lattice.triangulate(error, _tolerance(error, side)), alpha)
        poll()
        return triangulation, _unfolded(triangulation, body, field)

    sides = both(lambda poll: side_of("front", poll), lambda poll: side_of("back", poll), lambda: report(0))
    triangulations, surfaces = [each[0] for each in sides], [each[1] for each in sides]
    report(4)
    return _close(triangulations, surfaces, body, window, side, pose)


def _unfolded(triangulation: Triangulation, body: Body, field: str) -> Float64Array:
    """Return the surface of a height field, (3, H, W), with points moved back whose slide turned triangles over."""
    surface = body.surface(getattr(body, field))
    for _ in range(_UNFOLDINGS):
        folded = lattice.folded(triangulation, surface)
        if not len(folded):
            break
        body = body.moved_back(folded)
        surface = body.surface(getattr(body, field))
    return surface


def _window(normal_map: NormalMap, poll: Poll) -> tuple[Float64Array, Float64Array, Window]:
    """Return smoothed alpha and the normals in the smallest lattice around the object, and which window it is."""
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
    return padded, normals, Window(int(low[1] - border), int(low[0] - border), *padded.shape)


def _tolerance(error: Float64Array, side: int) -> float:
    """Return the tolerance that leaves at most half of `_MOST_POINTS` points, but for the outline's, which all stay.

    Errors are infinite along the outline, so a finite tolerance keeps it.
    """
    most = min(_MOST_POINTS // 2, error.size)
    least = float(np.partition(error, error.size - most, axis=None)[error.size - most])
    return min(max(_TOLERANCE * side, least), sys.float_info.max)


def _close(
    triangulations: list[Triangulation],
    surfaces: list[Float64Array],
    body: Body,
    window: Window,
    side: int,
    pose: Pose,
) -> Mesh:
    """Join front and back at their common rim."""
    front, back = triangulations
    rim = lattice.rim_places(front, body.inside.shape[1])
    places = [
        surfaces[0].reshape(3, -1)[:, front.points],
        np.concatenate([rim, body.membrane.ravel()[None, front.rim_inside]]),
        surfaces[1].reshape(3, -1)[:, back.points],
    ]
    seen = np.concatenate(places, axis=1)
    column, row, height = without_lens(seen, pose)
    uv = np.stack([(seen[0] + window.left + 0.5) / side, 1.0 - (seen[1] + window.top + 0.5) / side], axis=1)
    uv = np.clip(uv, 0.0, 1.0)  # smoothing may move the outline slightly past the picture's border
    x, z = column + window.left + 0.5 - side / 2, side / 2 - (row + window.top + 0.5)
    vertices = np.stack([x, -height, z], axis=1) / side
    # The back's own points are numbered after the front's and the rim's.
    hind = back.triangles
    own = hind < len(back.points)
    hind = np.where(own, hind + len(front.points) + rim.shape[1], hind - len(back.points) + len(front.points))
    triangles = np.concatenate([front.triangles, hind[:, ::-1]])
    return Mesh(vertices.astype(np.float32), triangles.astype(np.int32), uv.astype(np.float32))
