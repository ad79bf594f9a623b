# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the results of many pictures stand: in a grid, whose place is found once, as they come one after the other."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .placing import SPACING, Boxes, free_place


@dataclass
class Grid:
    """Rows of cells from the back to the front, in each row from the left to the right, seen from the front.

    pictures: how many there are. count: how many results each has; they stand side by side, in cells of their own. box:
    around all cells, in the scene; None until the first results are there. side: a cell's. used: how many pictures have
    their cells. landed: the session UIDs of the meshes that have come.
    """

    pictures: int
    count: int = 1
    box: Boxes | None = None
    side: float = 0.0
    used: int = 0
    landed: list[int] = field(default_factory=list[int])

    @property
    def columns(self) -> int:
        """How many pictures a row has: the grid is about as wide as it is deep, rather wider."""
        return math.ceil(math.sqrt(self.pictures * self.count) / self.count)

    def settle(self, wanted: ArrayLike, side: float, taken: Boxes) -> None:
        """Take a place where no cell reaches into the boxes `taken`, unless it has one.

        wanted: where the middle of its floor is to be, (3,), if there is room; see `free_place`. side: the longest side
        of what stands in a cell.
        """
        if self.box is not None:
            return
        gap = SPACING * side
        rows = math.ceil(self.pictures / self.columns)
        width, depth = np.array((self.columns * self.count, rows)) * (side + gap) - gap
        box = np.array(((-width / 2, -depth / 2, 0.0), (width / 2, depth / 2, side)))
        self.box, self.side = box + free_place(wanted, box, taken, gap), side

    def take_cells(self) -> NDArray[np.float64]:
        """The middles of the floors of the next picture's cells, (count, 3)."""
        if self.box is None:
            raise ValueError("the grid has no place yet")
        row, column = divmod(self.used, self.columns)
        self.used += 1
        (left, _, floor), (_, back, _) = self.box
        steps = np.array([(column * self.count + number, -row, 0) for number in range(self.count)])
        return np.array((left + self.side / 2, back - self.side / 2, floor)) + steps * (1 + SPACING) * self.side
