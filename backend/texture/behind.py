# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object looks like from behind: what reaches its outline goes on around it, what is enclosed stays in front.

A face, a screen, a badge or an eye lies within the outline. To get there from the outline one has to cross its edge:
the colour changes on the way. The least such change along any way is a geodesic distance (compare the barrier distance
of Zhang et al., Minimum Barrier Salient Object Detection at 80 FPS, ICCV 2015). What is far away in that sense is cut
out, and so is what is left of its materials, up to the outline. The hole is filled from the rest, see `patches`, and
with what the object is made of if that was there, whatever dark edges or baubles surround it. What is left is seen from
the front through the object: at the outline front and back agree there, but for the light.
"""

import numpy as np

from ..arrays import BoolArray, Float32Array, Int64Array
from ..raster.colour import srgb_to_linear
from ..raster.components import components
from ..raster.morphology import dilated, eroded
from ..raster.oklab import oklab
from ..raster.pull_push import fill
from ..raster.resample import resample
from ..raster.ticks import Poll
from ..raster.vectors import length
from .grain import share_of_texture
from .light import GREYS, HUES, materials
from .patches import complete, places_of
from .votes import likely

_SIDE = 128  # pixels along the side at which the enclosed is found and filled
_SLACK = 0.3  # of colour difference a pixel, in hundredths of Oklab: shading changes as slowly as that
_ENCLOSED = 12.0  # of colour difference: what is farther from the outline belongs to the front alone
_RIM = 2  # pixels along the outline that mix the object with the ground
_LEAST = 0.4  # of the object's pixels: if less is left to go on with, the bound is raised
_MOST = 0.7  # of a material: if more is enclosed, what is left of it near by is the front's, too
_MAIN = 0.3  # of the object's pixels: a material with more of them is what the object is made of, front and back
_MUCH = 0.35  # the same if white, grey and black count as one material, which are together more than any is alone
_BAND = 3  # pixels along the outline: what comes into them reaches it
_PIECE = 0.1  # of the object's pixels: smaller details are not torn
_ROWS = 0.5  # of a piece's rows: if it reaches both sides of more, it goes all round
_FEW = 0.1  # of the object's pixels: if fewer were left to go on with, what is left of a face would stay
_GROWN = 4  # pixels that are added around the enclosed, but not within so many of the outline
_STRAYED = 0.1  # of sRGB: if a patch is farther from what the object is made of, it shows something else
_SHADED = 3  # pixels along the rim that are darker than the rest, or lit from behind: nothing is copied from there
_DOUBTED = 0.1  # how much those count for the rim beside them


def from_behind(colours: Float32Array, even: Float32Array, inside: BoolArray, poll: Poll) -> Float32Array:
    """Return the picture of the back, as seen from the front through the object, float32 (S, S, 3).

    colours: float32 (S, S, 3), sRGB in [0, 1], by which the enclosed is told. even: the same in even light, of which
    the back is made. inside: bool (S, S), the object's pixels. Outside the object the result goes on smoothly.
    """
    size = inside.shape[0]
    small = min(_SIDE, size)
    whole, all_of_it = (0.0, 0.0, float(size), float(size)), (0.0, 0.0, float(small), float(small))
    cover = resample(inside.astype(np.float32), whole, (small, small))
    mask = cover > 0.5
    core = eroded(mask, _RIM) if eroded(mask, _RIM).any() else mask
    as_seen = np.clip(resample(fill(colours, inside.astype(np.float32)), whole, (small, small)), 0, 1)
    hues, tones = told_apart(as_seen, core), told_apart(as_seen, core, GREYS)
    made_of = covers_much(tones)
    front = untorn(enclosed(as_seen, core, poll) & mask, made_of, core)
    facing = of_the_front(hues, front)
    main = of_the_whole(tones, made_of, facing)
    facing &= main < 0
    smooth = fill(even, inside.astype(np.float32))
    coarse = np.clip(resample(smooth, whole, (small, small)), 0, 1)
    if (core & ~front & ~facing).sum() > _FEW * mask.sum():
        front |= facing
    known = core & ~front
    known &= ~loose(known, core)
    inner = eroded(core, _SHADED)
    sources = known & (inner if (known & inner).sum() > _LEAST / 2 * mask.sum() else core)
    hole = mask & ~known
    guess = coarse.copy()
    if hole.any() and sources.any():
        for each in np.unique(main[hole]):
            asked, asking = sources & (main == each), hole & (main == each)
            if each < 0 or not asked.any():
                asked = sources
            to, at = (np.argwhere(which).astype(np.float64) for which in (asking, asked))
            guess[asking] = likely(to, at, coarse[asked].astype(np.float64), np.ones(len(at)), 0, poll)
    rim = mask & ~core & dilated(known, _RIM)
    trust = np.where(inner, 1, _DOUBTED).astype(np.float32) * known
    guess[rim] = fill(coarse, trust)[rim]  # what is left goes on to the outline
    filled, source = complete(guess, known, hole, sources, poll)
    strayed = hole & dilated(main >= 0, _GROWN) & (length(filled - guess) > _STRAYED)
    strayed |= rim
    filled[strayed] = guess[strayed]
    detail = smooth - resample(coarse, all_of_it, (size, size))
    detail = copied_detail(detail, hues, source, ~strayed)
    behind = resample(filled, all_of_it, (size, size)) + detail
    share = np.clip(resample(hole.astype(np.float32), all_of_it, (size, size)), 0, 1)[..., None]
    return np.clip(smooth + share * (behind - smooth), 0, 1).astype(np.float32)


def copied_detail(detail: Float32Array, material: Int64Array, source: Int64Array, good: BoolArray) -> Float32Array:
    """What is finer than the cells that are copied, from where they come, at the picture's own size.

    detail: float32 (S, S, C), which a cell's colour leaves out. By cell, (H, W): material, int64, -1 outside of the
    object; source, int64 (H, W, 2), row and column; good, bool, whether the cell is copied. Lines, such as the edge
    beside a cell, are not: many of them, next to each other, would be streaks. Returns float32 (S, S, C).
    """
    scale = len(detail) / len(material)
    fine = places_of(detail.shape[:2])
    row, column = np.moveaxis(np.minimum((fine / scale).astype(np.int64), len(material) - 1), -1, 0)
    of = material[row, column]
    inside = of >= 0
    found = np.zeros_like(detail)
    if inside.any():
        differ = np.abs(detail[inside]).mean(axis=1)
        found[inside] = detail[inside] * share_of_texture(differ, of[inside])[:, None]
    offset = (source - places_of(material.shape))[row, column]
    place = np.clip(fine + np.rint(offset * scale).astype(np.int64), 0, len(detail) - 1)
    return found[place[..., 0], place[..., 1]] * good[row, column, None]


def told_apart(colours: Float32Array, inside: BoolArray, greys: float = HUES) -> Int64Array:
    """The material of each pixel of the object, int64 (H, W), -1 elsewhere; see `materials`.

    colours: float32 (H, W, 3), sRGB in [0, 1].
    """
    found = np.full(inside.shape, -1)
    if inside.any():
        found[inside] = materials(srgb_to_linear(colours[inside]).astype(np.float64), greys)
    return found


def untorn(front: BoolArray, made_of: BoolArray, inside: BoolArray) -> BoolArray:
    """The same, bool (H, W), but small details, such as flowers, belong to the front whole or not at all.

    Most of each decides. made_of: bool (H, W), see `covers_much`: details are what else is inside.
    """
    pieces = components(inside & ~made_of)
    share = np.bincount(pieces.labels[front], minlength=len(pieces.areas)) / np.maximum(pieces.areas, 1)
    torn = (pieces.areas < _PIECE * inside.sum()) & (share > 0)
    torn[0] = False
    return (front & ~pieces.mask(torn)) | pieces.mask(torn & (share > 1 / 2))


def of_the_front(material: Int64Array, front: BoolArray) -> BoolArray:
    """The pixels, bool (H, W), of materials of which most belongs to the front: a face is a face up to its last pixel.

    Pieces that are not near the front's belong to something else, as orange feet below an orange beak. material: int64
    (H, W), as `told_apart` gives it.
    """
    inside = material >= 0
    count = np.bincount(material[inside])
    share = np.bincount(material[inside & front], minlength=len(count)) / np.maximum(count, 1)
    facing = np.zeros_like(inside)
    for each in np.flatnonzero((share > _MOST) & (count < _MUCH * inside.sum())):
        own = material == each
        pieces = components(own)
        facing |= pieces.mask(pieces.touched(dilated(eroded(own & front, 1), _GROWN + 1)))
    return facing


def covers_much(material: Int64Array) -> BoolArray:
    """The pixels, bool (H, W), of materials that the object is made of.

    material: int64 (H, W), as `told_apart` gives it with `GREYS`: white and black are two.
    """
    count = np.bincount(material[material >= 0])
    return np.append(count > _MAIN * count.sum(), False)[material]  # -1 is outside


def of_the_whole(material: Int64Array, made_of: BoolArray, facing: BoolArray) -> Int64Array:
    """Of which material that goes all round the object each pixel is, int64 (H, W), or -1.

    What the object is made of does; and a piece that goes from side to side, as a ring or a hat does, if it is not the
    front's alone. material, made_of: see `covers_much`. facing: bool (H, W), see `of_the_front`.
    """
    inside, whole = material >= 0, np.where(made_of, material, -1)
    for each in np.unique(material[inside & ~made_of]):
        own = material == each
        whole[from_side_to_side(own, inside) & ~facing] = each
    return whole


def from_side_to_side(mask: BoolArray, inside: BoolArray) -> BoolArray:
    """The pieces of a mask, bool (H, W), that reach both ends of most of the object's rows that they are in."""
    pieces = components(mask)
    rows, count = np.arange(len(mask)), len(pieces.areas)

    def there(columns: Int64Array) -> BoolArray:
        """Which piece is in these columns of each row, bool (H, count)."""
        found = np.zeros((len(mask), count), np.bool_)
        found[rows, pieces.labels[rows, np.clip(columns, 0, mask.shape[1] - 1)]] = True
        return found

    first, last = np.argmax(inside, axis=1), mask.shape[1] - 1 - np.argmax(inside[:, ::-1], axis=1)
    left, right, any_ = (np.zeros((len(mask), count), np.bool_) for _ in range(3))
    for step in range(_BAND):
        left |= there(first + step)
        right |= there(last - step)
    any_[np.nonzero(mask)[0], pieces.labels[mask]] = True
    around = (left & right).sum(axis=0) > _ROWS * any_.sum(axis=0)
    around[0] = False
    return pieces.mask(around)


def loose(mask: BoolArray, inside: BoolArray) -> BoolArray:
    """The parts of a mask, bool (H, W), that do not reach the outline."""
    parts = components(mask)
    return mask & ~parts.mask(parts.touched(mask & inside & ~eroded(inside, 1)))


def enclosed(colours: Float32Array, inside: BoolArray, poll: Poll) -> BoolArray:
    """Return the pixels that one gets to from the outline only by crossing an edge, bool (H, W).

    colours: float32 (H, W, 3), sRGB in [0, 1], finite. inside: bool (H, W).
    """
    lab = 100 * oklab(np.rint(colours * 255).astype(np.uint8))
    border = inside & ~eroded(np.pad(inside, 1), 1)[1:-1, 1:-1]
    cost = np.where(border, 0.0, np.inf).astype(np.float32)
    steps = ((0, 1), (1, 0), (1, 1), (1, -1))
    prices = [length(lab - np.roll(lab, step, (0, 1))) for step in steps]
    prices = [np.maximum(price - _SLACK * float(np.hypot(*step)), 0) for price, step in zip(prices, steps, strict=True)]
    for step, price in zip(steps, prices, strict=True):
        price[~(inside & np.roll(inside, step, (0, 1)))] = np.inf
        for axis in (0, 1):  # nothing leads across the picture's border
            edge = [slice(None), slice(None)]
            if step[axis]:
                edge[axis] = slice(0, 1) if step[axis] > 0 else slice(-1, None)
                price[tuple(edge)] = np.inf
    for _ in range(max(inside.shape) * 2):
        poll()
        before = cost
        for step, price in zip(steps, prices, strict=True):
            cost = np.minimum(cost, np.roll(cost, step, (0, 1)) + price)
            back = (-step[0], -step[1])
            cost = np.minimum(cost, np.roll(cost + price, back, (0, 1)))
        if np.array_equal(before, cost):
            break
    reached = cost[inside]
    bound = max(_ENCLOSED, float(np.quantile(reached, _LEAST))) if len(reached) else _ENCLOSED
    far = inside & (cost > bound)
    return far | (dilated(far, _GROWN) & eroded(inside, _GROWN))
