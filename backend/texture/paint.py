# SPDX-License-Identifier: GPL-3.0-or-later
"""The base colour of a mesh all round, from the one picture that it was made from.

What the picture sees squarely keeps the picture's own pixels. What would be seen from behind shows the picture without
what belongs to the front alone and in even light, see `behind` and `even`. Between the two, and where something hides
something, colours go on from both, see `votes`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Float32Array, Float64Array, Int32Array, Int64Array
from ..flow.products import Crop, Cutout, Mesh, NormalMap, Picture, Report, Texture
from ..raster.blur import box_blur
from ..raster.colour import linear_to_srgb, srgb_to_linear
from ..raster.pull_push import fill
from ..raster.render import vertex_normals
from ..raster.resample import crop_resize, resample
from ..raster.side_by_side import both, in_order
from ..raster.ticks import Poll
from ..raster.vectors import by_column, dot, unit
from . import light
from .atlas import Atlas, lay_out
from .bake import SQUARE, View, blend, sample, weights
from .fading import faded
from .finer import Grid, finer
from .grain import Grain
from .gutter import bordered
from .sides import BACK, FRONT, kept, places, views
from .sight import Sight, sight
from .tones import LINEAR, Tones, inside_of, tones_of
from .votes import likely

MOST = 2048
"""Pixels along the side of the image, at most, if nothing else is said."""
STEPS = 20
"""That painting reports."""
_UNDER = 0.01  # the weight of what goes on from elsewhere, beside the cosine's fourth power of what is seen
_SMOOTH = 0.012  # of the side: what is smaller does not flow
_SMALL = 256  # pixels along the side at which colours are smoothed
_SMOOTHINGS = 8
_EVEN_FROM = 0.5  # the cosine of 60 degrees: what faces the viewer more is lit as in the picture
_EVEN_AT = 0.25  # a cosine: what faces the viewer less is in even light
_REACH = 0.012  # of the side: how far the front's own colours and light go on over what is hidden
_LEAST = 0.01  # of a linear colour, which keeps the ratio of two dark ones in bounds
_RANGE = (0.4, 2.5)  # by what the picture's brightness may change to come into even light
_BUFFER = 1024  # pixels along the side of the z-buffers, at most
_COARSE = 0.03  # of the side: longer edges are divided to know the colours between their ends
_ROWS = 128  # of the picture, that are drawn at once


@dataclass(frozen=True)
class _Side:
    """The surface as the picture sees it, or as it would be seen from behind in the same frame.

    colours: float32 (N, N, 3), linear. sign: `FRONT` or `BACK`.
    """

    colours: Float32Array
    view: View
    sign: float


@dataclass(frozen=True)
class _Looks:
    """What the picture tells of a surface.

    sides: from the front, as the picture is, and from behind. voters: both as from behind, without what belongs to the
    front alone, and smooth, for what neither sees. grain: the texture for that. even: float32 (S, S, 3), linear, the
    front in even light, smooth. factors: float32 (S, S, 1), that bring the front's colours into it.
    """

    sides: tuple[_Side, _Side]
    voters: tuple[_Side, _Side]
    grain: Grain
    even: Float32Array
    factors: Float32Array


def paint(
    mesh: Mesh,
    cutout: Cutout,
    normal_map: NormalMap,
    picture: Picture,
    *,
    most: int = MOST,
    lit: bool = True,
    tones: Tones | None = None,
    report: Report,
) -> Mesh:
    """Give a mesh an image of its colours all round.

    mesh: its uv is (V, 2), in the cut-out's frame. picture: of which the cut-out is a part. most: the largest of
    `atlas.SIZES` that the image may have; it has the least that shows the picture's own pixels. lit: the picture's
    light stays in its colours; else it is taken out, as far as the normals explain it. tones: what the cut-out's
    colours tell, if that is known already. Returns the mesh with a texture, its uv by corner, and `picture_uv` as uv
    was. Raises `CannotPaintError`.
    """
    side = cutout.rgba.shape[0]
    points = sight(mesh, side)

    def layout(poll: Poll) -> Atlas:
        return lay_out(points, mesh.triangles, side, most, cutout.crop.side / side, poll)

    def told(poll: Poll) -> Tones:
        return tones or tones_of(cutout, normal_map, poll)

    atlas, image = baked(Sight(points, mesh.triangles), layout, told, cutout, picture, lit=lit, report=report)
    return replace(mesh, uv=atlas.uv, picture_uv=mesh.uv, texture=Texture(base_colour=image))


def baked(
    seen: Sight,
    layout: Callable[[Poll], Atlas],
    told: Callable[[Poll], Tones],
    cutout: Cutout,
    picture: Picture,
    *,
    lit: bool,
    report: Report,
) -> tuple[Atlas, Picture]:
    """A surface's layout, and the image of its colours all round, opaque, (S, S, 4), of that size; see `paint`.

    seen: how the cut-out shows the surface, in its pixels. layout: makes the layout, and `told` says what the cut-out's
    colours tell, meanwhile.
    """
    side, done = cutout.rgba.shape[0], 1

    def poll() -> None:
        report(done, STEPS)

    def laid_out(poll: Poll) -> tuple[Atlas, tuple[View, View]]:
        atlas = layout(poll)
        usable = kept(inside_of(cutout), min(round(atlas.scale * side), _BUFFER))
        return atlas, views(seen.points, seen.triangles, side, usable, poll)

    def divided(poll: Poll) -> tuple[Tones, Float64Array, Grid]:
        tones, normals = told(poll), _normals(seen)
        return tones, normals, finer(seen, normals, _COARSE * side, poll)

    (atlas, seen_by), (tones, normals, grid) = both(laid_out, divided, poll)
    done = 6
    poll()
    looks = _looks(seen_by, tones, cutout, picture, round(atlas.scale * side), poll, lit=lit)
    done = 10
    poll()
    image, covered = _painted(seen, normals, grid, atlas, looks, side, poll)
    done = 18
    image = bordered(fill(image, covered, poll), covered > 0)
    opaque = np.full((*covered.shape, 4), 255, np.uint8)
    for row in range(len(opaque)):
        opaque[row, :, :3] = np.rint(image[row])
    report(STEPS, STEPS)
    return atlas, opaque


def _normals(seen: Sight) -> Float64Array:
    """The normals at a surface's vertices, float64 (V, 3), in the space of `Sight`."""
    points, triangles = seen.points.astype(np.float32), seen.triangles
    return vertex_normals(Mesh(points, triangles, np.zeros((len(points), 2), np.float32)))


def _looks(
    seen_by: tuple[View, View], tones: Tones, cutout: Cutout, picture: Picture, wide: int, poll: Poll, *, lit: bool
) -> _Looks:
    """What the picture tells of a surface.

    seen_by: what is seen of it, from the front and from behind. wide: the side, in pixels, at which the picture is
    drawn.
    """
    shown, own = inside_of(cutout).astype(np.float32), LINEAR[cutout.rgba[..., :3]]
    near, far = seen_by

    def drawn(poll: Poll) -> Float32Array:
        front = _drawn(picture, cutout.crop, wide, poll)
        if not lit:
            front /= np.clip(crop_resize(tones.shade, 0, 0, len(own), wide), *light.RANGE)
        return front

    def lit_evenly(poll: Poll) -> tuple[Float32Array, Float32Array, Float32Array]:
        factors = np.clip(_bright(tones.even) / _bright(own if lit else own / tones.shade), *_RANGE)
        even = _without_detail(fill(tones.even, shown, poll), near.kept)
        return even, fill(factors, shown, poll), _without_detail(tones.behind, near.kept)

    front, (even, factors, smooth) = both(drawn, lit_evenly, poll)
    facing, back = _Side(front, near, FRONT), _Side(tones.behind, far, BACK)
    voters = (replace(facing, colours=smooth), replace(back, colours=smooth))
    return _Looks((facing, back), voters, tones.grain, even, factors)


def _bright(colours: Float32Array) -> Float32Array:
    """The luminance of linear colours, a little above 0, float32 (S, S, 1)."""
    return (dot(colours, light.LUMINANCE.astype(np.float32)) + np.float32(1e-3))[..., None]


def _drawn(picture: Picture, crop: Crop, wide: int, poll: Poll) -> Float32Array:
    """The crop's square of a picture, linear, float32 (wide, wide, 3)."""
    drawn, step = np.empty((wide, wide, 3), np.float32), crop.side / wide
    for first in range(0, wide, _ROWS):
        poll()
        rows = drawn[first : first + _ROWS]
        window = (crop.left, crop.top + first * step, crop.side, len(rows) * step)
        rows[:] = LINEAR[resample(picture, window, (len(rows), wide), fill=0.0)[..., :3]]
    return drawn


def _painted(
    seen: Sight, normals: Float64Array, grid: Grid, atlas: Atlas, looks: _Looks, side: int, poll: Poll
) -> tuple[Float32Array, Float32Array]:
    """The atlas's image, float32 (S, S, 3), from 0 to 255, and where it shows the surface, float32 (S, S), 1 or 0."""
    found, known = _seen(grid.points, grid.normals, looks.voters, side)
    total = found.sum(axis=0)
    base = _spread(grid.points, grid.normals, grid.triangles, blend(found, known), total / (total + _UNDER), poll)
    own = _at(grid.points, looks.even, side) / _at(grid.points, looks.factors, side)
    own *= _towards_even(grid.points, grid.normals, looks.factors, side)
    over = np.log((own + _LEAST) / (base + _LEAST)) * (found[0] / np.maximum(total, 1e-9))[:, None]
    over = np.exp(faded(over, total / (total + _UNDER), grid.points, grid.triangles, _REACH * side, poll))
    shape = (atlas.size, atlas.size)

    def shown(some: tuple[Int64Array, Int64Array, Float64Array]) -> tuple[Int64Array, Float32Array]:
        pixel, triangle, shares = some
        corners = normals.take(seen.triangles.take(triangle, axis=0), axis=0)
        place, normal = seen.at(triangle, shares), unit(np.einsum("pc,pcx->px", shares, corners))
        found, known = _seen(place, normal, looks.sides, side)
        known[0] *= _towards_even(place, normal, looks.factors, side)
        under = grid.blended(base, triangle, shares)
        faint = found.sum(axis=0) < SQUARE
        grainy = looks.grain.on(place[faint], normal[faint], under[faint], side)
        under[faint] = grainy * grid.blended(over, triangle[faint], shares[faint])
        found = np.concatenate([found, np.full((1, len(place)), _UNDER)])
        colours = blend(found, np.concatenate([known, under[None]]))
        return pixel, linear_to_srgb(np.clip(colours, 0, 1)) * 255

    image, covered = np.zeros((atlas.size**2, 3), np.float32), np.zeros(atlas.size**2, np.float32)
    for pixel, colours in in_order(shown, atlas.pixels(poll), poll):
        image[pixel] = colours
        covered[pixel] = 1.0
    return image.reshape(*shape, 3), covered.reshape(shape)


def _towards_even(points: Float64Array, normals: Float64Array, factors: Float32Array, side: int) -> Float64Array:
    """By what the front's colours grow, float64 (N, 1), so that what turns away comes into even light gradually."""
    turned = np.clip((_EVEN_FROM - normals[:, 2]) / (_EVEN_FROM - _EVEN_AT), 0, 1)
    return _at(points, factors, side) ** (turned**2 * (3 - 2 * turned))[:, None]


def _at(points: Float64Array, image: Float32Array, side: int) -> Float32Array:
    """What an image of the picture's square, (S, S, C), has at points, float64 (N, 3): float32 (N, C)."""
    scale = len(image) / side
    return sample(image, points[:, 0] * scale, (side - points[:, 1]) * scale)


def _spread(
    points: Float64Array,
    normals: Float64Array,
    triangles: Int32Array,
    known: Float64Array,
    share: Float64Array,
    poll: Poll,
) -> Float64Array:
    """Smooth colours for all vertices, float64 (V, 3), from those where they are known."""
    voters = np.flatnonzero(share > 0.5)
    if not len(voters):
        return np.full_like(points, 0.5)
    tones = linear_to_srgb(np.clip(known, 0, 1))
    asked = np.flatnonzero(share < 1)
    found = likely(points[asked], points[voters], tones[voters], share[voters], 1, poll, normals=normals[asked])
    tones[asked] = found + share[asked, None] * (tones[asked] - found)
    corners = np.ascontiguousarray(triangles.T, np.intp)
    count = np.bincount(corners.reshape(-1), minlength=len(points)).astype(np.float64)
    colours = tones.T.copy()
    for _ in range(_SMOOTHINGS):
        poll()
        for tone in colours:  # the mean of its own, and of the two others of each triangle
            triple = tone[corners].sum(axis=0)
            sums = sum(np.bincount(corner, triple, len(points)) for corner in corners)
            tone[:] = (tone * (1 - count) + sums) / (2 * count + 1)
    return srgb_to_linear(np.clip(colours.T, 0, 1))


def _without_detail(colours: Float32Array, kept: Float32Array) -> Float32Array:
    """Smooth colours, smaller, float32 (N, N, 3), of an image (S, S, 3). kept: float32 (M, M), how far pixels count."""
    small = min(colours.shape[0], _SMALL)
    colours, kept = (crop_resize(part, 0, 0, len(part), small) for part in (colours, kept))
    kept = np.clip(kept, 0, 1)
    mass = box_blur(kept, _SMOOTH * small, beyond="zero")
    blurred = box_blur(by_column(np.multiply, colours, kept), _SMOOTH * small, beyond="zero")
    return by_column(np.divide, blurred, np.maximum(mass, 1e-6))


def _seen(
    points: Float64Array, normals: Float64Array, sides: Sequence[_Side], side: int
) -> tuple[Float64Array, Float64Array]:
    """How well each side sees points, float64 (K, N), and the colours that it sees there, (K, N, 3)."""
    found, colours = np.zeros((len(sides), len(points))), np.zeros((len(sides), len(points), 3))
    for number, each in enumerate(sides):
        found[number] = weights(
            places(points, each.sign, side, len(each.view.depths)), normals[:, 2] * each.sign, each.view
        )
        shown = found[number] > 0
        width = each.colours.shape[0] / side
        x, y = points[shown, 0] * width, (side - points[shown, 1]) * width
        colours[number, shown] = sample(each.colours, x, y)
    return found, colours
