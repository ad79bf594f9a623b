# SPDX-License-Identifier: GPL-3.0-or-later
"""The occupied voxels of a batch of objects, and what follows from their places.

A sparse tensor here is a matrix of features, one row a voxel, and a `Voxels` with the places of the rows. Neighbours,
windows, and the cells twice as large depend on the places alone: they are found at their first use, and kept as long as
the voxels are.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

OFFSETS = tuple((x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1))
"""The neighbourhood of a voxel, z fastest; number 13 is the voxel itself."""

CHILDREN = tuple((x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1))
"""The halves of a voxel along each axis, z fastest."""

GATHERED = 2**26
"""Elements that a convolution gathers at once: 128 MiB in half precision."""

_LONGEST_INDEX = 2**62
# Each window is padded to the next of these, long ones by at most an eighth. More groups pad less and take more
# launches: on one CPU core, 18,479 voxels take 0.47 s in 7 groups, 0.26 s in 19 and 0.22 s in 115 without padding.
_WINDOW_LENGTHS = (*range(8, 64, 8), *range(64, 128, 16), *range(128, 256, 32), *range(256, 512, 64))


@dataclass(frozen=True)
class Windows:
    """Windows of similar numbers of voxels, each padded to the same number L."""

    rows: Tensor  # int64 (W, L): the rows of each window's voxels, ascending; row 0 for padding
    present: Tensor  # bool (W, L): whether it is a voxel, not padding
    slots: Tensor  # int64 (voxels,): the indices of `present` in the flattened (W L)
    padded: bool  # whether there is padding


class Voxels:
    """Places of voxels, distinct within an item of the batch, an item's voxels one after the other."""

    def __init__(self, coords: Tensor, items: int | None = None, gathered: int = GATHERED) -> None:
        """`coords` int32 (N, 4): item, x, y, z. `items`: the batch's size, needed if the last items are empty.

        `gathered`: how many elements convolutions at these voxels, their cells and children gather at once.

        Raises ValueError if the items are not in order, or are more than `items`.
        """
        if coords.dtype != torch.int32 or coords.ndim != 2 or coords.shape[1] != 4:
            raise ValueError(f"voxels are int32 (N, 4), not {coords.dtype} {tuple(coords.shape)}")
        item = coords[:, 0]
        if len(item) and bool((item[1:] < item[:-1]).any() | (item[0] < 0)):
            raise ValueError("voxels are not in the order of the batch's items")
        found = int(item[-1]) + 1 if len(item) else 0
        if items is not None and items < found:
            raise ValueError(f"voxels of {found} items are not a batch of {items}")
        self.coords = coords
        self.gathered = gathered
        self.lengths: list[int] = torch.bincount(item, minlength=found if items is None else items).tolist()
        self._parents: Voxels | None = None
        self._windows: dict[tuple[int, int], list[Windows]] = {}

    def __len__(self) -> int:
        return len(self.coords)

    def items(self) -> list[slice]:
        """The rows of each item of the batch."""
        starts = [sum(self.lengths[:i]) for i in range(len(self.lengths))]
        return [slice(start, start + length) for start, length in zip(starts, self.lengths, strict=True)]

    def neighbours(self, start: int, stop: int) -> Tensor:
        """The rows of the neighbours of rows `start` to `stop`: int32 (stop - start, 27) in the order of `OFFSETS`.

        The row of a missing neighbour is N, one past the last.
        """
        if self._parents is None:
            return self._neighbours[start:stop]
        # The children of a voxel follow each other, so their neighbours follow from those of their parents.
        first = start // 8
        around = self._parents.neighbours(first, (stop + 7) // 8)
        steps, halves = self._steps_to_parents
        rows = (8 * around[:, steps] + halves).clamp_max(len(self))  # (P, 8, 27)
        return rows.flatten(0, 1)[start - 8 * first : stop - 8 * first]

    def windows(self, size: int, shift: int) -> list[Windows]:
        """Each item's voxels by the window floor((c + shift) / size) that they lie in, in groups of similar lengths."""
        if (size, shift) not in self._windows:
            self._windows[size, shift] = self._find_windows(size, shift)
        return self._windows[size, shift]

    @cached_property
    def cells(self) -> "Voxels":
        """The cells twice as large that hold the voxels, in the order of item, x, y, z."""
        return Voxels(self._cells_and_rows[0], len(self.lengths), self.gathered)

    @property
    def cell_of(self) -> Tensor:
        """The row in `cells` of each voxel's cell: int64 (N,)."""
        return self._cells_and_rows[1]

    @cached_property
    def members(self) -> Tensor:
        """The rows of the voxels in each of the `cells`: int64 (cells, 8) in the order of `CHILDREN`, N for none."""
        places = self.coords[:, 1:].long().remainder(2)
        found = places.new_full((len(self.cells), 8), len(self))
        corner = (places * places.new_tensor([4, 2, 1])).sum(1)  # not a product of matrices: CUDA has none for integers
        found[self.cell_of, corner] = torch.arange(len(self), device=places.device)
        return found

    @property
    def children(self) -> "Voxels":
        """The voxels half as large, eight for each, in the order of `CHILDREN`: those of row n from row 8 n on.

        They are made each time: they refer to these voxels, and a circle of references would keep both in memory.
        """
        halves = torch.tensor([(0, *child) for child in CHILDREN], dtype=torch.int32, device=self.coords.device)
        scale = torch.tensor([1, 2, 2, 2], dtype=torch.int32, device=self.coords.device)
        children = Voxels.__new__(Voxels)
        children.coords = ((self.coords * scale)[:, None] + halves).flatten(0, 1)
        children.gathered = self.gathered
        children.lengths = [8 * length for length in self.lengths]
        children._parents = self  # noqa: SLF001  the same class
        children._windows = {}  # noqa: SLF001
        return children

    @cached_property
    def _neighbours(self) -> Tensor:
        """Int32 (N, 27), by binary search among the sorted places."""
        places, steps = _places(self.coords)
        ordered, rows = places.sort()
        found = torch.full((len(self), 27), len(self), dtype=torch.int32, device=self.coords.device)
        for number, (x, y, z) in enumerate(OFFSETS if len(self) else ()):
            wanted = places + (x * steps[1] + y * steps[2] + z)
            nearest = torch.searchsorted(ordered, wanted).clamp_max(len(self) - 1)
            found[:, number] = torch.where(ordered[nearest] == wanted, rows[nearest], len(self))
        return found

    @cached_property
    def _steps_to_parents(self) -> tuple[Tensor, Tensor]:
        """For each child and neighbour (8, 27): which neighbour of the parent it is a child of, and which child."""
        steps, halves = [], []
        for child in CHILDREN:
            places = [[c + o for c, o in zip(child, offset, strict=True)] for offset in OFFSETS]
            steps.append([OFFSETS.index((x // 2, y // 2, z // 2)) for x, y, z in places])
            halves.append([CHILDREN.index((x % 2, y % 2, z % 2)) for x, y, z in places])
        device = self.coords.device
        return torch.tensor(steps, device=device), torch.tensor(halves, dtype=torch.int32, device=device)

    @cached_property
    def _cells_and_rows(self) -> tuple[Tensor, Tensor]:
        scale = torch.tensor([1, 2, 2, 2], dtype=torch.int32, device=self.coords.device)
        cells = torch.div(self.coords, scale, rounding_mode="floor")
        places, _ = _places(cells)
        found, cell_of = torch.unique(places, return_inverse=True)
        coords = cells.new_empty(len(found), 4)
        coords[cell_of] = cells  # the same from every child
        return coords, cell_of

    def _find_windows(self, size: int, shift: int) -> list[Windows]:
        scale = torch.tensor([1, size, size, size], device=self.coords.device)
        shifts = torch.tensor([0, shift, shift, shift], device=self.coords.device)
        places, _ = _places(torch.div(self.coords + shifts, scale, rounding_mode="floor"))
        _, window, counts = torch.unique(places, return_inverse=True, return_counts=True)
        rows = window.argsort(stable=True)
        first = counts.cumsum(0) - counts
        groups = torch.bucketize(counts, torch.tensor(_WINDOW_LENGTHS, device=counts.device))
        found: list[Windows] = []
        for group in range(len(_WINDOW_LENGTHS) + 1):
            chosen = (groups == group).nonzero()[:, 0]
            if len(chosen):
                lengths = counts[chosen, None]
                place = torch.arange(int(lengths.amax()), device=rows.device)
                present = place < lengths
                inside = rows[torch.where(present, first[chosen, None] + place, 0)] * present
                slots = present.flatten().nonzero()[:, 0]
                found.append(Windows(inside, present, slots, padded=len(slots) < present.numel()))
        return found


def _places(coords: Tensor) -> tuple[Tensor, list[int]]:
    """Numbers places by item, x, y, z: int64 (N,), and how far apart neighbours along each are.

    One free place on each side keeps a border's neighbours from being another row's voxels.
    """
    if not len(coords):
        return torch.zeros(0, dtype=torch.int64, device=coords.device), [0] * 4
    low, high = coords.amin(0), coords.amax(0)
    extents = [stop - start + 3 for start, stop in zip(low.tolist(), high.tolist(), strict=True)]
    steps = [extents[1] * extents[2] * extents[3], extents[2] * extents[3], extents[3], 1]
    if extents[0] * steps[0] >= _LONGEST_INDEX:
        raise ValueError("voxels lie too far apart to be numbered")
    places = (coords.long() - low + 1) * torch.tensor(steps, device=coords.device)
    return places.sum(1), steps
