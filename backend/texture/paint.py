# SPDX-License-Identifier: GPL-3.0-or-later
"""The base colour of a mesh all round, from the one picture that it was made from.

What the picture sees squarely keeps the picture's own pixels. What would be seen from behind shows the picture without
what belongs to the front alone, see `behind`. Between the two, and where something hides something, colours go on from
both, see `votes`.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Float32Array, Float64Array, Int32Array
from ..flow.products import Cutout, Mesh, NormalMap, Picture, Report, Texture
from ..raster.blur import box_blur
from ..raster.colour import linear_to_srgb, srgb_to_linear
from ..raster.morphology import eroded
from ..raster.pull_push import fill
from ..raster.render import vertex_normals
from ..raster.resample import crop_resize
from ..raster.ticks import Poll
from ..raster.vectors import TO_VIEWER, unit
from . import light
from .atlas import Atlas, lay_out
from .bake import sample
from .behind import from_behind
from .raster import look
from .sight import sight
from .votes import likely

_STEPS = 20
_SQUARELY = (0.26, 0.5)  # cosines to the viewer between which what is seen fades in
_NEAR = 0.015  # of the side: how far behind the nearest surface a point may be to be seen
_RIM = 0.006  # of the side: the rim of the silhouette, whose pixels mix with the ground
_SMOOTH = 0.012  # of the side: what is smaller does not flow
_SMOOTHINGS = 8
_LINEAR = srgb_to_linear(np.arange(256, dtype=np.float32) / 255)  # a table for bytes
_BUFFER = 1024  # pixels along the side of the z-buffers, at most


@dataclass(frozen=True)
class _Side:
    """The surface as the picture sees it, or as it would be seen from behind in the same frame.

    colours: float32 (N, N, 3), linear. kept: float32 (S, S), how far a pixel may be used. depths: float64 (Z, Z), the
    z-buffer. sign: 1 for the front, -1 for the back.
    """

    colours: Float32Array
    kept: Float32Array
    depths: Float64Array
    sign: float


def paint(mesh: Mesh, cutout: Cutout, normal_map: NormalMap, picture: Picture, *, size: int, report: Report) -> Mesh:
    """Give a mesh an image of its colours all round.

    mesh: its uv is (V, 2), in the cut-out's frame. picture: of which the cut-out is a part. size: the image's side in
    pixels; 0 for the least that shows the picture's own, from 128 to 2048. Returns the mesh with a texture, its uv by
    corner, and `picture_uv` as uv was.
    """
    side = cutout.rgba.shape[0]

    done = 1

    def poll() -> None:
        report(done, _STEPS)

    points = sight(mesh, side)
    poll()
    atlas = lay_out(points, mesh.triangles, size, cutout.crop.side / side, poll)
    size, done = atlas.size, 6
    poll()
    sides = _sides(points, mesh.triangles, cutout, normal_map, picture, round(atlas.scale * side), poll)
    done = 10
    poll()
    colours = _painted(points, mesh.triangles, atlas, sides, side, poll)
    report(18, _STEPS)
    image = np.zeros((size * size, 3), np.float32)
    image[atlas.pixel] = linear_to_srgb(np.clip(colours, 0, 1)) * 255
    covered = np.zeros(size * size, np.float32)
    covered[atlas.pixel] = 1.0
    image = fill(image.reshape(size, size, 3), covered.reshape(size, size))
    opaque = np.full((size, size, 4), 255, np.uint8)
    opaque[..., :3] = np.rint(image)
    report(_STEPS, _STEPS)
    return replace(mesh, uv=atlas.uv, picture_uv=mesh.uv, texture=Texture(base_colour=opaque))


def _sides(
    points: Float64Array,
    triangles: Int32Array,
    cutout: Cutout,
    normal_map: NormalMap,
    picture: Picture,
    wide: int,
    poll: Poll,
) -> tuple[_Side, _Side]:
    """What is seen from the front and from behind. wide: the side, in pixels, at which the picture is drawn."""
    crop, side = cutout.crop, cutout.rgba.shape[0]
    sheet = crop_resize(picture, crop.left, crop.top, crop.side, wide, fill=0.0)[..., :3]
    inside = cutout.rgba[..., 3] > 127
    rim = max(1, round(_RIM * side))
    kept = box_blur(eroded(inside, 2 * rim).astype(np.float32), rim / 2, beyond="zero")
    own = _LINEAR[cutout.rgba[..., :3]]
    normals = normal_map.normals
    if normals.shape != own.shape:
        normals = unit(crop_resize(normals, 0, 0, normals.shape[0], side), TO_VIEWER)
    shade = light.shade(light.fit(own, normals, inside), normals)[..., None]
    even = linear_to_srgb(np.clip(own / shade, 0, 1))
    behind = srgb_to_linear(from_behind(even, inside, poll))
    square = min(wide, _BUFFER)
    flat = np.stack([points[:, 0], side - points[:, 1], -points[:, 2]], axis=1) * (square / side)
    depths = [look(flat * (1, 1, sign), triangles, (square, square), perspective=False).depths for sign in (1, -1)]
    return (
        _Side(_LINEAR[sheet], kept, depths[0], 1.0),
        _Side(behind.astype(np.float32), kept, depths[1], -1.0),
    )


def _painted(
    points: Float64Array, triangles: Int32Array, atlas: Atlas, sides: tuple[_Side, ...], side: int, poll: Poll
) -> Float32Array:
    """The colours of the atlas's pixels, float32 (P, 3), linear."""
    normals = vertex_normals(Mesh(points.astype(np.float32), triangles, np.zeros((len(points), 2), np.float32)))
    smooth = [_without_detail(each, side) for each in sides]
    known, share = _seen(points, normals, smooth, side)
    base = _spread(points, triangles, known, share, poll)
    corners = triangles[atlas.triangle]

    def at(values: Float64Array) -> Float64Array:
        return np.einsum("pc,pcx->px", atlas.weights, values[corners])

    known, share = _seen(at(points), at(normals), sides, side)
    under = at(base)
    poll()
    return (under + share[:, None] * (known - under)).astype(np.float32)


def _spread(
    points: Float64Array, triangles: Int32Array, known: Float64Array, share: Float64Array, poll: Poll
) -> Float64Array:
    """Smooth colours for all vertices, float64 (V, 3), from those where they are known."""
    voters = np.flatnonzero(share > 0.5)
    if not len(voters):
        return np.full_like(points, 0.5)
    tones = linear_to_srgb(np.clip(known, 0, 1))
    colours = tones.copy()
    asked = np.flatnonzero(share < 1)
    found = likely(points[asked], points[voters], tones[voters], share[voters], 1, poll)
    colours[asked] = found + share[asked, None] * (tones[asked] - found)
    ends = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    count = np.bincount(ends.reshape(-1), minlength=len(points)) + 1.0
    for _ in range(_SMOOTHINGS):
        poll()
        sums = [
            np.bincount(ends[:, 0], colours[ends[:, 1], axis], len(points))
            + np.bincount(ends[:, 1], colours[ends[:, 0], axis], len(points))
            for axis in range(3)
        ]
        colours = (colours + np.stack(sums, axis=1)) / count[:, None]
    return srgb_to_linear(np.clip(colours, 0, 1))


def _without_detail(each: _Side, side: int) -> _Side:
    """The same with smooth colours, at the kept pixels' size; only these count."""
    width = each.colours.shape[0]
    kept = each.kept if width == side else crop_resize(each.kept, 0, 0, side, width)
    sigma = max(1.0, _SMOOTH * width)
    mass = box_blur(kept, sigma, beyond="zero")
    blurred = box_blur(each.colours * kept[..., None], sigma, beyond="zero")
    return replace(each, colours=blurred / np.maximum(mass, 1e-6)[..., None])


def _seen(
    points: Float64Array, normals: Float64Array, sides: tuple[_Side, ...] | list[_Side], side: int
) -> tuple[Float64Array, Float64Array]:
    """The colours that are seen at points, float64 (N, 3), and how far, (N,) in [0, 1]; from one side at most."""
    colours, share = np.zeros((len(points), 3)), np.zeros(len(points))
    x, y = points[:, 0] / side, 1.0 - points[:, 1] / side
    length = np.maximum(np.linalg.norm(normals, axis=1), 1e-12)
    for each in sides:
        buffer = each.depths.shape[0]
        column, row = (np.clip((place * buffer).astype(np.intp), 0, buffer - 1) for place in (x, y))
        behind = -points[:, 2] * each.sign - each.depths[row, column] * side / buffer
        cosine = normals[:, 2] / length * each.sign
        faces = np.clip((cosine - _SQUARELY[0]) / (_SQUARELY[1] - _SQUARELY[0]), 0, 1)
        scale = each.kept.shape[0]
        kept = each.kept[(y * scale).astype(np.intp).clip(0, scale - 1), (x * scale).astype(np.intp).clip(0, scale - 1)]
        here = np.where(np.abs(behind) < _NEAR * side, faces * kept, 0.0)
        width = each.colours.shape[0]
        shown = here > 0
        colours[shown] = sample(each.colours, x[shown] * width, y[shown] * width)
        share = np.maximum(share, here)
    return colours, share
