# SPDX-License-Identifier: GPL-3.0-or-later
"""Which points a surface encloses.

The decoder describes a shell of voxels around the surface and nothing inside it, and upstream takes all points that no
voxel touches as outside. So every closed object gets a second wall at the inner side of its shell. Here the points that
are outside by their values are divided into regions, connected along the lattice's edges. A region is enclosed

- if it does not reach the lattice's border; or
- if most of its contact with inside points is *raw*: at points that no voxel touches. Voxels touch the points at the
  outer side of a shell; only the inner side has raw contact. This finds the inside also of a shell that the border of
  the volume cuts open.

In a shell with holes, inside and outside are one region. It is divided by leaving out all points within one, then two,
then four points of an inside point: that closes holes up to twice as wide, and the part behind them with raw contact is
enclosed. Only the raw side is filled, so narrow crevices stay as they are. In the walls of balls and boxes, square
holes of up to eight voxels were closed and of ten were not.

Regions are connected runs of points along the last axis, so the work grows with the surface, not with the volume
(labels by hooking and doubling, Shiloach and Vishkin 1982).
"""

import torch
from torch import Tensor
from torch.nn import functional

_REACHES = (0, 1, 0, 2, 0, 4, 0)  # points; 0 after each takes the regions that the closing cut off
_DEPTH = 8  # points: the holes of walls up to this thick are filled to their outer end
_FEW = 0.01  # of the contacts: with fewer raw ones there is no inner wall


def enclosed(outside: Tensor, known: Tensor, free: tuple[bool, ...]) -> Tensor:
    """Which of the points `outside` (X, Y, Z) the other points enclose: bool (X, Y, Z).

    known: bool (X, Y, Z), the points that voxels touch, among them all that are not `outside`. free: for the low and
    the high side of each axis in turn, whether everything beyond it is outside; a region that reaches such a side is
    not enclosed. Nothing is known beyond the other sides; there raw contact decides.
    """
    left = outside
    for reach in _REACHES:
        contact = left & _grown(~outside, along_edges=True)
        raw, sound = contact & ~known, contact & known
        if reach and int(raw.sum()) <= _FEW * int(contact.sum()):
            break
        core = ~_grown(~left, reach)
        inner = _inner_regions(core, _grown(raw, reach), _grown(sound, reach), free, sealed=reach == 0)
        if reach:
            room = left & ~_grown(core & ~inner, reach) & ~_free_border(core, free)
            inner = _grown(inner, reach) & room
            for _ in range(_DEPTH):  # along the hole, which no voxel touches, to its outer end
                inner |= _grown(inner, along_edges=True) & room & ~known
        left = left & ~inner
    return outside & ~left


def _grown(mask: Tensor, steps: int = 1, *, along_edges: bool = False) -> Tensor:
    """`mask` and all points within `steps` of it along each axis; with `along_edges` within as many edges."""
    for _ in range(steps):
        grown = mask.clone()
        for axis in range(3):
            source = mask if along_edges else grown.clone()
            size = mask.shape[axis] - 1
            grown.narrow(axis, 0, size).logical_or_(source.narrow(axis, 1, size))
            grown.narrow(axis, 1, size).logical_or_(source.narrow(axis, 0, size))
        mask = grown
    return mask


def _free_border(like: Tensor, free: tuple[bool, ...]) -> Tensor:
    """The lattice's points on its free sides: bool (X, Y, Z)."""
    border = torch.zeros_like(like)
    for side, is_free in enumerate(free):
        if is_free:
            border.select(side // 2, -(side % 2)).fill_(True)  # noqa: FBT003  a value
    return border


def _inner_regions(core: Tensor, raw: Tensor, sound: Tensor, free: tuple[bool, ...], *, sealed: bool) -> Tensor:
    """The enclosed ones among the regions of `core`: bool (X, Y, Z).

    sealed: regions that do not reach the border are enclosed, whatever their contacts are.
    """
    starts, ends = _runs(core)
    region = _joined(len(starts), *_touching(starts, ends, core.shape))
    weight = torch.zeros_like(region)
    for contact, worth in ((raw, 1), (sound, -1)):
        at = _numbered(contact & core).nonzero()[:, 0]
        runs = torch.searchsorted(starts, at, right=True) - 1
        weight.index_add_(0, region[runs], torch.full_like(at, worth))
    inner = weight > 0
    reaches, open_ended = _at_border(starts, ends, core.shape, free)
    if sealed:
        at_border = torch.zeros_like(inner)
        at_border[region[reaches]] = True
        inner |= ~at_border
    inner[region[open_ended]] = False
    chosen = inner[region]
    change = torch.zeros(core.shape[0] * core.shape[1] * (core.shape[2] + 1), dtype=torch.int8, device=core.device)
    change[starts[chosen]] = 1
    change[ends[chosen]] = -1
    within = change.cumsum(0, dtype=torch.int8).bool()
    return within.view(core.shape[0], core.shape[1], -1)[..., :-1]


def _numbered(mask: Tensor) -> Tensor:
    """`mask` flattened with one more point at the end of each line, which separates the lines."""
    return functional.pad(mask, (0, 1)).flatten()


def _runs(mask: Tensor) -> tuple[Tensor, Tensor]:
    """The runs of set points along the last axis: their starts, and their ends (exclusive), int64 (R,), ascending."""
    padded = functional.pad(mask, (1, 1))
    changes = (padded[..., 1:] ^ padded[..., :-1]).flatten().nonzero()[:, 0]
    return changes[0::2].contiguous(), changes[1::2].contiguous()


def _touching(starts: Tensor, ends: Tensor, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Pairs of runs in neighbouring lines that have neighbouring points: two int64 (N,)."""
    line = shape[2] + 1
    ones: list[Tensor] = []
    others: list[Tensor] = []
    runs = torch.arange(len(starts), device=starts.device)
    for step, inner in ((line, starts // line % shape[1] < shape[1] - 1), (shape[1] * line, torch.ones_like(runs) > 0)):
        first = torch.searchsorted(ends, starts + step, right=True)
        last = torch.searchsorted(starts, ends + step)
        counts = (last - first).clamp_min(0) * inner
        owner = torch.repeat_interleave(runs, counts)
        place = torch.arange(len(owner), device=starts.device) - (counts.cumsum(0) - counts)[owner]
        ones.append(owner)
        others.append(first[owner] + place)
    return torch.cat(ones), torch.cat(others)


def _joined(count: int, ones: Tensor, others: Tensor) -> Tensor:
    """Labels of nodes joined in pairs: the smallest node of each node's component, int64 (`count`,)."""
    label = torch.arange(count, device=ones.device)
    while True:
        a, b = label[ones], label[others]
        apart = a != b
        if not bool(apart.any()):
            return label
        ones, others, a, b = ones[apart], others[apart], a[apart], b[apart]
        label.scatter_reduce_(0, torch.maximum(a, b), torch.minimum(a, b), "amin")
        while not torch.equal(deeper := label[label], label):
            label = deeper


def _at_border(starts: Tensor, ends: Tensor, shape: torch.Size, free: tuple[bool, ...]) -> tuple[Tensor, Tensor]:
    """Which runs reach the lattice's border, and which reach a free side of it: two bool (R,)."""
    line = shape[2] + 1
    x, y = starts // (line * shape[1]), starts // line % shape[1]
    sides = (x == 0, x == shape[0] - 1, y == 0, y == shape[1] - 1, starts % line == 0, ends % line == shape[2])
    reaches, open_ended = torch.zeros_like(x, dtype=torch.bool), torch.zeros_like(x, dtype=torch.bool)
    for side, is_free in zip(sides, free, strict=True):
        reaches |= side
        if is_free:
            open_ended |= side
    return reaches, open_ended
