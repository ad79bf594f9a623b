# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the object's pixels.

A random walker says how likely each pixel is the object's (`random_walk`), by colours before a plain background and by
what a network says. What then looks like the object and is not goes: a cast shadow with a sharp edge, frames and lines
along the picture's border, specks, marks. Openings through which the background shows are told from parts in its colour
(`openings`). Before any other background the network alone says what the object is.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import BoolArray, Float32Array, Float64Array
from ..errors import UserError
from ..raster.blur import box_mean
from ..raster.components import border, components, without_small, without_specks
from ..raster.masks import overlap
from ..raster.morphology import contrast, dilated, eroded
from ..raster.pull_push import fill
from ..raster.ticks import Poll
from ..raster.vectors import dot, length
from .background import not_plain
from .openings import openings
from .plausibility import framed, guessed_note, reached_sides, stranded, unclear, unsure
from .random_walk import Evidence, evidence, guessed, walk
from .strands import without_strands

_BLURS = (0, 1, 2, 4)  # radii in pixels, tried until grain is weaker than `_DISTINCT`
_DISTINCT = 0.012  # Oklab: the usual difference of neighbours, beside which an object's edges are seen
_GRAINIEST = 0.03
_SURE = 0.012  # Oklab: the tolerance for a background without grain
_RIM = 24  # the grain is that of the picture's outermost 1/24
_CHANCES = (0.5, 0.4, 0.3, 0.2, 0.12)  # of the object's pixels: the walker's least, and less if nothing is sure
_SURELY = 0.1  # of the object: with more in colours that are surely its own, chances are high
_STEP = 0.1  # Oklab: an edge that is as good as any
_ACROSS = np.s_[:, 1:], np.s_[:, :-1]
_DOWN = np.s_[1:], np.s_[:-1]
_NEARLY = 0.02  # Oklab: the ground, if it is no farther from the background
_OPEN = 80  # and reaches 1/80 of the picture to all sides
_ONE_SHADE = 0.02  # deviation of the shade within a cast shadow
_NO_SHADOW = 0.6  # by the network
_HARD_SHADOW = 0.9  # the greatest chance in it: its edges are a little soft
_LEAST_SHADOW, _MOST_SHADOW = 5e-3, 0.6  # of the object's area
_LEAST_OBJECT = 5e-4  # of the picture
_UNSURE = 0.25  # the network is sure of less, and of more than the rest to 1
_LEAST_SURE = 0.6  # overlap of what the network is sure of, and of what it thinks possible
_HELD = 0.33  # how much the object without strokes is believed: it holds against strokes farther than 80 pixels
_PART = 0.1  # of the largest part's area, for a part of a guessed object
_AGREES = 0.75  # the least overlap of what colours say and of what the network thinks likely
_ALIKE = 0.9  # the least overlap of an object and of what the network thinks likely, to say nothing
_GROUND = 0.05  # the network is sure of the ground
_EXPLAINED = 0.9  # of it
_MOST_BORDER = 0.5  # of the border's pixels, at most of them of the object
_CLEAR = 0.03  # Oklab, over five pixels: an edge that anybody sees
_LEAST_CLEAR = 0.97  # of an outline
_SPECK = 5e-3  # of the largest component's area
_MARK = 0.04  # of the largest component's area, near the border: a mark
_MARGIN = 0.15  # of the picture: near the border
_FRAME = 0.03  # of the picture's side: the thickest frame or line along the border
_CORNER = 0.1  # of the picture's side: the largest rounded corner


@dataclass(frozen=True)
class Silhouette:
    """The object's pixels.

    body: bool (H, W). slack: by how many pixels the outline may be off, because grain had to be blurred away. notes:
    what may be wrong, as sentences for the artist. faint: whether hardly any of its colours is surely its own, as with
    white before white.
    """

    body: BoolArray
    slack: int
    notes: tuple[str, ...] = ()
    faint: bool = False


def find(lab: Float32Array, behind: Float32Array, likely: Float32Array | None, poll: Poll) -> Silhouette:
    """Find the object's pixels before a plain background.

    lab: the picture's Oklab colours, float32 (H, W, 3), some 500 pixels across. behind: those of the background alone,
    float32 (H, W, 3). likely: how likely each pixel is the object's by the network, float32 (H, W) in [0, 1]. poll:
    called between the parts of the work. If what the network leads to is doubtful, and what the colours alone say is
    not, these decide.

    Raises UserError if nothing stands out from the background, or if that is no plain one: too rough, as dither is, or
    other than the model where the network sees ground.
    """
    smooth, grain, slack = _without_grain(lab, poll)
    tolerance = _SURE + 3 * _grain(smooth, 2 * slack + 1)  # pixels beyond the blur's reach differ more than neighbours
    plain = _Plain(smooth, _as_lit(smooth, behind), tolerance, grain, slack)
    poll()
    if likely is None:
        return _found(plain, None, poll)
    try:
        found = _found(plain, likely, poll)
    except UserError as error:
        if error.code == not_plain().code:
            raise
        found = _found(plain, None, poll)
    if found.notes:
        with suppress(UserError):
            alone = _found(plain, None, poll)
            if not alone.notes and overlap(alone.body, likely > 0.5) > _AGREES:
                found = alone
    if overlap(found.body, likely > 0.5) < _ALIKE:
        found = replace(found, notes=(*found.notes, unsure()))
    return found


@dataclass(frozen=True)
class _Plain:
    """A picture before a plain background.

    smooth, behind: Oklab colours, float32 (H, W, 3), of the picture without its grain and of the background alone.
    tolerance: how far a colour may be from the background and be its own. grain: what is left. slack: see `Silhouette`.
    """

    smooth: Float32Array
    behind: Float32Array
    tolerance: float
    grain: float
    slack: int


def _found(plain: _Plain, likely: Float32Array | None, poll: Poll) -> Silhouette:
    """Do as `find`: with the network's help, or by colours alone."""
    smooth, behind, tolerance = plain.smooth, plain.behind, plain.tolerance
    seen = evidence(smooth, behind, likely, tolerance)
    if likely is not None and not _is_explained(seen):
        raise not_plain()
    chance = walk(smooth, seen, plain.grain, poll)
    body = _likely(chance, seen, smooth)
    poll()
    shadow = _hard_shadows(smooth, behind, chance, seen, body)
    body = _without_frames(body & ~shadow)
    poll()
    body = without_specks(body, _SPECK)
    body, doubtful = _without_marks(body, seen.likely)
    poll()
    whole = openings(body, smooth, behind, seen.likely, tolerance)
    kept = without_strands(whole)
    body = without_specks(kept, _SPECK)
    if body.mean() < _LEAST_OBJECT:
        raise UserError(
            "nothing-on-background",
            "Nothing in the picture stands out from its background.",
            "Choose a picture that shows an object, or cut the object out: in Blender by Draw Cut-out, elsewhere so "
            "that all around it is transparent.",
        )
    if body[border(body.shape)].mean() > _MOST_BORDER or reached_sides(body) > 2:
        raise not_plain()
    notes = ["Small marks near the picture's border were left out."] if doubtful else []
    if shadow.any():
        notes.append("A flat part in a darker shade of the background was taken for a shadow and left out.")
    if (whole & ~kept).any():
        notes.append(stranded())
    outline = _edges(smooth)[body & ~eroded(body, 1)]
    clear = float(outline.mean()) if len(outline) else 1.0
    if clear < _LEAST_CLEAR:
        notes.append(unclear(clear))
    notes.extend(framed(body))
    faint = bool((seen.sure[body] > 0.5).mean() < _SURELY)
    return Silhouette(body, plain.slack, tuple(notes), faint)


def guess(lab: Float32Array, likely: Float32Array, poll: Poll) -> Silhouette:
    """Find the object's pixels before any background, by what the network says; see `find`.

    Raises UserError if the network is not sure.
    """
    if overlap(likely > 1 - _UNSURE, likely > _UNSURE) < _LEAST_SURE:
        raise not_plain()
    chance = walk(lab, guessed(likely), 0.0, poll)
    whole = chance > 0.5
    kept = without_strands(whole)
    body = without_specks(kept, _PART)
    if body.mean() < _LEAST_OBJECT:
        raise not_plain()
    left_out = (stranded(),) if (whole & ~kept).any() else ()
    return Silhouette(body, 0, (guessed_note(), *left_out, *framed(body)))


def corrected(lab: Float32Array, before: Float32Array, seeds: Float32Array, poll: Poll) -> Silhouette:
    """Find the object's pixels by an artist's strokes.

    lab: as for `find`. before: the object without the strokes, float32 (H, W): 1 in it, 0 outside, one half if nothing
    is known. It holds if no stroke says otherwise: a stroke reaches as far as the picture is smooth. seeds: see `walk`.

    Raises UserError if nothing is left, or if all is the object's.
    """
    chance = walk(lab, guessed(0.5 + _HELD * (before - 0.5)), _grain(lab, 1), poll, seeds)
    body = without_small(chance > 0.5, _LEAST_OBJECT * lab.shape[0] * lab.shape[1])
    if body.all() or not body.any():
        raise UserError(
            "strokes-one-sided",
            "The strokes leave no object, or nothing around it.",
            "Mark some of the object, and some of what is to go.",
        )
    return Silhouette(body, 0)


def _is_explained(seen: Evidence) -> bool:
    """Whether what the network takes for ground has the background's colours, or their shades."""
    ground = seen.likely < _GROUND
    return not ground.any() or bool((seen.sure[ground] < 0.5).mean() > _EXPLAINED)


def _without_grain(lab: Float32Array, poll: Poll) -> tuple[Float32Array, float, int]:
    """Return the colours blurred until their grain is weak, the grain that is left, and the radius of the blur."""
    smooth, grain, radius = lab, 0.0, 0
    for radius in _BLURS:
        smooth = box_mean(lab, radius, beyond="edge") if radius else lab
        grain = _grain(smooth, 1)
        poll()
        if grain < _DISTINCT:
            break
    if grain > _GRAINIEST:
        raise not_plain()
    return smooth, grain, radius


def _grain(lab: Float32Array, apart: int) -> float:
    """Return the usual difference of pixels so far apart, along the border, where there is most of the background."""
    if lab.shape[0] > lab.shape[1]:
        lab = lab.swapaxes(0, 1)  # a very narrow picture has no pixels so far apart across
    rim = border(lab.shape[:2], max(2, min(lab.shape[:2]) // _RIM))
    return float(np.median(length(lab[:, apart:] - lab[:, :-apart])[rim[:, apart:]]))


def _as_lit(lab: Float32Array, behind: Float32Array) -> Float32Array:
    """Correct the background, (H, W, 3), by the open ground's own colours: lighting that no polynomial follows."""
    parts = components(eroded(length(lab - behind) < _NEARLY, max(lab.shape) // _OPEN))
    ground = parts.mask(parts.touched(border(lab.shape[:2])))
    return behind + fill(lab - behind, ground.astype(np.float32)) if ground.any() else behind


def _likely(chance: Float64Array, seen: Evidence, lab: Float32Array) -> BoolArray:
    """Return where the walker's chance is that of the object, bool (H, W).

    If hardly anything has a colour that is surely the object's, as with white on white, all chances are low. Then the
    object is what is large and whose outline lies on edges, at any chance.
    """
    bodies = [chance > least for least in _CHANCES]
    if (seen.sure > 0.5).sum() > _SURELY * bodies[-1].sum():
        return bodies[0]
    return max(bodies, key=lambda body: _edged(body, lab) * float(body.mean()) ** 0.25)


def _edges(lab: Float32Array) -> BoolArray:
    """Return the pixels at which anybody sees an edge, bool (H, W): colours within five pixels differ."""
    return np.maximum.reduce([contrast(lab[..., part], 2) for part in range(3)]) > _CLEAR


def _edged(body: BoolArray, lab: Float32Array) -> float:
    """Return how well a mask's outline lies on edges of the picture: the mean step across it, up to 1."""
    steps = [length(lab[one] - lab[other])[body[one] != body[other]] for one, other in (_ACROSS, _DOWN)]
    found = np.concatenate(steps)
    return float(np.minimum(found / _STEP, 1).mean()) if len(found) else 0.0


def _hard_shadows(
    lab: Float32Array, behind: Float32Array, chance: Float64Array, seen: Evidence, body: BoolArray
) -> BoolArray:
    """Return the cast shadows with nearly sharp edges, bool (H, W): regions of one darker shade of the background."""
    shade = dot(lab, behind) / np.maximum(dot(behind, behind), 0.01)
    unsure = body & (chance < _HARD_SHADOW) & (seen.sure < 0.5) & (seen.likely < _NO_SHADOW)
    parts = components(eroded(unsure, 1))
    found = np.zeros_like(body)
    for label in 1 + np.flatnonzero(parts.areas[1:] > _LEAST_SHADOW * body.sum()):
        region = parts.labels == label
        if shade[region].std() < _ONE_SHADE and shade[region].mean() < 1 - 2 * _ONE_SHADE:
            found |= dilated(region, 2) & unsure
    return found if found.sum() < _MOST_SHADOW * body.sum() else np.zeros_like(body)


def _without_frames(body: BoolArray) -> BoolArray:
    """Drop components that are frames, scanned lines or rounded corners."""
    height, width = body.shape
    if min(height, width) < 2 / _FRAME:
        return body
    depth = max(1, round(_FRAME * min(height, width)))
    inner = ~border(body.shape, depth)
    corner = max(depth, round(_CORNER * min(height, width)))
    corners = np.zeros_like(body)
    for rows in (slice(0, corner), slice(height - corner, height)):
        for columns in (slice(0, corner), slice(width - corner, width)):
            corners[rows, columns] = True
    parts = components(body, diagonal=True)
    deep = parts.touched(body & inner & ~corners)
    shallow = parts.touched(body & border(body.shape)) & ~deep
    return body & ~parts.mask(shallow)


def _without_marks(body: BoolArray, likely: Float64Array) -> tuple[BoolArray, bool]:
    """Drop small components near the border beside a large one further inside.

    Returns what is left, and whether anything went that the network, float64 (H, W), is not sure is ground.
    """
    height, width = body.shape
    parts = components(body, diagonal=True)
    if parts.count < 2:
        return body, False
    middle = np.zeros_like(body)
    middle[
        round(_MARGIN * height) : round((1 - _MARGIN) * height), round(_MARGIN * width) : round((1 - _MARGIN) * width)
    ] = True
    within = parts.touched(body & middle)
    marks = (parts.areas < _MARK * parts.areas[1:].max()) & ~within
    marks[0] = False
    gone = parts.mask(marks)
    return body & ~gone, bool((likely[gone] > _GROUND).any())
