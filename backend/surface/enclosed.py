# SPDX-License-Identifier: GPL-3.0-or-later
"""What a surface encloses, told from what lies outside of it.

The decoder describes a shell of voxels around the surface and nothing within, and upstream calls all that no voxel
touches outside. So every closed object gets a second wall where its shell ends inwards. Here the points of the lattice
that are outside by their values are parted into regions that hang together along the lattice's edges, and a region is
enclosed

- where it does not reach the lattice's border: no edge of the lattice leads from it into the open; or
- where most of its contact with inside points is *raw*: made by points that no voxel touches. The outer side of a shell
  has voxels that know of the outside; only its inner side ends raw. This tells the inside also of a shell that the
  border of the volume cuts open.

Inside and outside of a shell with holes are one region. Then the region is taken without all that lies within one, then
two, then four points of an inside point: a hole falls apart that is not wider than twice that, and what is
raw beyond it is enclosed. As only the raw side is filled, a crevice as narrow stays as it is. In the walls of balls and
boxes, square holes of up to eight voxels were closed and of ten were not.

Regions are joined runs of points along the last axis, so that the work grows with the surface, not with the volume
(labels spread by hooking and doubling, Shiloach and Vishkin 1982).
"""

import torch
from torch import Tensor
from torch.nn import functional

_REACHES = (0, 1, 0, 2, 0, 4, 0)  # points; after each closing what it has cut off is taken as it is
_DEPTH = 8  # points: as thick a wall's hole is filled to its mouth
_FEW = 0.01  # of the contacts: so many raw ones are no inner wall


def enclosed(outside: Tensor, known: Tensor, free: tuple[bool, ...]) -> Tensor:
    """Which of the points `outside` (X, Y, Z) the rest encloses: bool (X, Y, Z).

    known: bool (X, Y, Z), the points that voxels touch; all that are not `outside` are. free: for the low and the high
    side of each axis in turn, whether the open begins there; a region that reaches such a side is not enclosed. Beyond
    another side is the unseen, and raw contact decides.
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
            for _ in range(_DEPTH):  # up the hole, where no voxel is, to where the open begins
                inner |= _grown(inner, along_edges=True) & room & ~known
        left = left & ~inner
    return outside & ~left


def _grown(mask: Tensor, steps: int = 1, *, along_edges: bool = False) -> Tensor:
    """`mask` and all within `steps` of it along each axis; with `along_edges` all within one edge of the lattice."""
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

    sealed: those that do not reach the border are enclosed, whatever their contacts are.
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
    """`mask` flattened with one more point at the end of each line, so that lines are apart."""
    return functional.pad(mask, (0, 1)).flatten()


def _runs(mask: Tensor) -> tuple[Tensor, Tensor]:
    """The runs of set points along the last axis: where each starts, and where it has ended, int64 (R,), ascending."""
    padded = functional.pad(mask, (1, 1))
    changes = (padded[..., 1:] ^ padded[..., :-1]).flatten().nonzero()[:, 0]
    return changes[0::2].contiguous(), changes[1::2].contiguous()


def _touching(starts: Tensor, ends: Tensor, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Pairs of runs in lines side by side that have points side by side: two int64 (N,)."""
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
    """Which runs reach the lattice's border, and which a side of it that is free: two bool (R,)."""
    line = shape[2] + 1
    x, y = starts // (line * shape[1]), starts // line % shape[1]
    sides = (x == 0, x == shape[0] - 1, y == 0, y == shape[1] - 1, starts % line == 0, ends % line == shape[2])
    reaches, open_ended = torch.zeros_like(x, dtype=torch.bool), torch.zeros_like(x, dtype=torch.bool)
    for side, is_free in zip(sides, free, strict=True):
        reaches |= side
        if is_free:
            open_ended |= side
    return reaches, open_ended
