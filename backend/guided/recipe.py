# SPDX-License-Identifier: GPL-3.0-or-later
"""How a view is drawn by a reference: how many steps, where they begin, and where the reference is read."""

from dataclasses import dataclass

from .injection import FIRST_LAYER
from .schedule import Schedule


@dataclass(frozen=True)
class Recipe:
    """The numbers of HiFi-123's released program, and three ways to begin.

    steps: from noise to the picture. guidance: how strongly the text counts. stop: how many steps of noise the coarse
    view gets. first_injected: the first step in which the reference's keys and values are read. first_layer: see
    `injection`.

    symmetric: as the paper has it, view and reference get `stop` steps of noise, and both go back from there. Else the
    view starts as the reference's own noise, and where the mask is set its latent becomes the noisy coarse view's after
    steps - stop steps. as_published: there with two steps of noise more than the level that it goes on at, as in the
    released program; else with as much.
    """

    steps: int = 50
    guidance: float = 9.0
    stop: int = 30
    first_injected: int = 4
    first_layer: int = FIRST_LAYER
    symmetric: bool = False
    as_published: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that do not go together."""
        if not 1 < self.stop < self.steps:
            raise ValueError(f"{self.stop} of {self.steps} steps is no place to begin")

    @property
    def schedule(self) -> Schedule:
        """The levels of noise."""
        return Schedule(self.steps)

    @property
    def inverted(self) -> int:
        """The steps by which noise is put into the coarse view."""
        return self.stop if self.symmetric else self.stop + (1 if self.as_published else -1)

    @property
    def reference_inverted(self) -> int:
        """The steps by which noise is put into the reference."""
        return self.stop if self.symmetric else self.steps

    @property
    def first(self) -> int:
        """The first step back, counted from pure noise."""
        return self.steps - self.reference_inverted

    @property
    def swapped(self) -> int | None:
        """After which step the view's latent becomes the noisy coarse view's, if any."""
        return None if self.symmetric else self.steps - self.stop
