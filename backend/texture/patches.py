# SPDX-License-Identifier: GPL-3.0-or-later
"""Go on with a picture's material in a hole: patch-based completion.

Every pixel of the hole looks for a place in the known part whose surroundings are like its own; what lies around the
places found votes for the hole's colours, and the search begins anew with them, from coarse to fine (Wexler, Shechtman
and Irani, Space-Time Completion of Video, PAMI 2007). Places are found by trying what the neighbours have found and
random ones around the best so far (Barnes et al., PatchMatch, SIGGRAPH 2009), here for all pixels at once.
"""

from collections.abc import Iterator

import numpy as np

from ..arrays import BoolArray, Float32Array, Int64Array
from ..raster.pull_push import fill
from ..raster.ticks import Poll

_RADIUS = 2  # a patch is a square of 5 x 5 pixels
_COARSEST = 24  # pixels along the longer side
_ROUNDS = 3  # of search and vote at every size


def complete(
    colours: Float32Array, known: BoolArray, hole: BoolArray, sources: BoolArray, poll: Poll
) -> tuple[Float32Array, Int64Array]:
    """Fill a hole from the known part.

    colours: float32 (H, W, C), with a guess in the hole, which decides what is looked for. known, hole: bool (H, W),
    what is there and what is to be filled; pixels in neither are as if outside of the picture. sources: bool (H, W),
    the known pixels that may be copied. Returns the colours, float32 (H, W, C), and where each pixel of the hole copies
    from, int64 (H, W, 2), row and column; elsewhere itself. The same input gives the same result.
    """
    rng = np.random.default_rng(0)
    levels = [(colours, known, hole, sources)]
    while max(levels[-1][1].shape) > _COARSEST and _sources(_halved(*levels[-1])[3]).any():
        levels.append(_halved(*levels[-1]))
    source: Int64Array | None = None
    image = colours
    for guess, good, open_, may in reversed(levels):
        start = None if source is None else _doubled(source, open_.shape)
        whole = np.where((good | open_)[..., None], guess, fill(guess, good.astype(np.float32)))
        image, source = _filled(whole, good, open_, may, start, rng, poll)
    assert source is not None  # noqa: S101 - there is at least one level
    return image, source


def places_of(shape: tuple[int, ...]) -> Int64Array:
    """Every pixel's own place, row and column, int64 (H, W, 2)."""
    return np.moveaxis(np.indices(shape), 0, -1).astype(np.int64)


def _sources(known: BoolArray) -> BoolArray:
    """The pixels whose whole patch is known."""
    padded = np.pad(known, _RADIUS)
    whole = np.ones_like(known)
    for row in range(2 * _RADIUS + 1):
        for column in range(2 * _RADIUS + 1):
            whole &= padded[row : row + known.shape[0], column : column + known.shape[1]]
    return whole


def _halved(
    colours: Float32Array, known: BoolArray, hole: BoolArray, sources: BoolArray
) -> tuple[Float32Array, BoolArray, BoolArray, BoolArray]:
    """Half the size: a pixel is part of the hole if any of its four is, and known if at least two of the others are."""
    height, width = known.shape
    pad = ((0, height % 2), (0, width % 2))
    k, h, s = (np.pad(part, pad) for part in (known, hole, sources))
    shown = k | h
    c = np.pad(colours, (*pad, (0, 0))) * shown[..., None]
    blocks = (-(-height // 2), 2, -(-width // 2), 2)
    count = k.reshape(blocks).sum(axis=(1, 3))
    mean = c.reshape(*blocks, -1).sum(axis=(1, 3)) / np.maximum(shown.reshape(blocks).sum(axis=(1, 3)), 1)[..., None]
    open_ = h.reshape(blocks).any(axis=(1, 3))
    good = (count >= 2) & ~open_
    return mean.astype(np.float32), good, open_, good & (s.reshape(blocks).sum(axis=(1, 3)) >= 2)


def _doubled(source: Int64Array, shape: tuple[int, ...]) -> Int64Array:
    offset = source - places_of(source.shape[:2])
    offset = 2 * np.repeat(np.repeat(offset, 2, axis=0), 2, axis=1)[: shape[0], : shape[1]]
    return np.clip(places_of(shape) + offset, 0, np.array(shape) - 1)


def _filled(
    image: Float32Array,
    known: BoolArray,
    hole: BoolArray,
    sources: BoolArray,
    start: Int64Array | None,
    rng: np.random.Generator,
    poll: Poll,
) -> tuple[Float32Array, Int64Array]:
    """The filled image at one size, and the places, (H, W, 2)."""
    width = known.shape[1]
    may = _sources(sources)
    places = places_of(known.shape)
    at = np.argwhere(hole)
    options = np.argwhere(may)
    if not len(at) or not len(options):
        return image, places
    source = places.copy()
    source[hole] = options[rng.integers(len(options), size=len(at))]
    if start is not None:
        good = hole & may[start[..., 0], start[..., 1]]
        source[good] = start[good]
    offsets = np.stack(np.meshgrid(*[np.arange(-_RADIUS, _RADIUS + 1)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    inside = np.pad(known | hole, _RADIUS)
    stride = width + 2 * _RADIUS
    flat_offsets = offsets[:, 0] * stride + offsets[:, 1]

    def flat(place: Int64Array) -> Int64Array:
        return (place[:, 0] + _RADIUS) * stride + place[:, 1] + _RADIUS

    target = flat(at)[:, None] + flat_offsets
    counts = inside.reshape(-1)[target].astype(np.float32)
    counts /= np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    for _ in range(_ROUNDS):
        padded = np.pad(image, ((_RADIUS, _RADIUS), (_RADIUS, _RADIUS), (0, 0))).reshape(-1, image.shape[2])
        wanted = padded.take(target, axis=0)
        best = source[at[:, 0], at[:, 1]]

        def distance(place: Int64Array, of: Int64Array) -> Float32Array:
            apart = padded.take(flat(place)[:, None] + flat_offsets, axis=0) - wanted.take(of, axis=0)  # noqa: B023
            return np.einsum("npc,npc,np->n", apart, apart, counts.take(of, axis=0))

        found = distance(best, np.arange(len(at)))
        for guess in _guesses(source, at, best, rng):
            poll()
            asked = np.flatnonzero(may[guess[:, 0], guess[:, 1]] & (guess != best).any(axis=1))
            apart = distance(guess[asked], asked)
            nearer = apart < found[asked]
            asked = asked[nearer]
            best[asked], found[asked] = guess[asked], apart[nearer]
        source[at[:, 0], at[:, 1]] = best
        image = _voted(image, target, flat(best)[:, None] + flat_offsets, found, hole, known)
    return image, source


def _guesses(source: Int64Array, at: Int64Array, best: Int64Array, rng: np.random.Generator) -> Iterator[Int64Array]:
    """Yield places to try, int64 (N, 2): beside what the neighbours have, and at random around the best so far.

    source: int64 (H, W, 2), which takes over the best so far, int64 (N, 2), of the pixels `at`, int64 (N, 2).
    """
    height, width = source.shape[:2]
    last = np.array([height - 1, width - 1])
    reach = max(height, width) // 2
    while reach >= 1:
        for step in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            source[at[:, 0], at[:, 1]] = best
            beside = np.clip(at - step, 0, last)
            yield np.clip(source[beside[:, 0], beside[:, 1]] + step, 0, last)
        yield np.clip(best + rng.integers(-reach, reach + 1, size=best.shape), 0, last)
        reach //= 2


def _voted(
    image: Float32Array, target: Int64Array, source: Int64Array, found: Float32Array, hole: BoolArray, known: BoolArray
) -> Float32Array:
    """The hole's colours as the patches around each pixel have them, those that fit well first.

    target: int64 (N, 25), the pixels of the patches, and source: those that they copy, as flat indices of an image that
    goes on by `_RADIUS` to all sides. found: float32 (N,), how far each patch is from what it copies.
    """
    shape = (hole.shape[0] + 2 * _RADIUS, hole.shape[1] + 2 * _RADIUS)
    inner = (slice(_RADIUS, -_RADIUS), slice(_RADIUS, -_RADIUS))
    pad = ((_RADIUS, _RADIUS), (_RADIUS, _RADIUS))
    trust = np.exp(-found / max(2 * float(np.median(found)), 1e-6)) + 1e-3
    place, origin = target.T.reshape(-1), source.T.reshape(-1)
    share = np.tile(trust, source.shape[1]) * np.pad(known, pad).reshape(-1)[origin]
    total = np.bincount(place, share, shape[0] * shape[1]).reshape(shape)[inner]
    colours = np.pad(image, (*pad, (0, 0))).reshape(-1, image.shape[2]).take(origin, axis=0)
    sums = [np.bincount(place, share * colour, shape[0] * shape[1]).reshape(shape)[inner] for colour in colours.T]
    voted = np.stack(sums, axis=2) / np.maximum(total, 1e-9)[..., None]
    return np.where((hole & (total > 1e-9))[..., None], voted, image).astype(np.float32)
