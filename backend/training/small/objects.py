# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up objects as files, to which encoding adds what the flow models read (`norld.objects`).

| tensor | what it is |
| --- | --- |
| `coords` uint8 (N, 3) | the voxels that the surface passes through |
| `distances` float16 (N, 27) | at their cells' corners, see `views.voxels` |
| `pictures` uint8 (2, 3, S, S) | the maps of the true normals and of estimated ones |
| `sheets` float16 (9, 32, 32) | what the picture hides, see `views.sheets` |
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...errors import UserError
from ..core.task import HELD_OUT_SEED
from ..norld.objects import read_object
from . import views

_PARTS = ("coords", "distances", "pictures", "sheets")
_HELD_OUT = "test-"


@dataclass(frozen=True)
class Drawn:
    """A made-up object: a function of its seed and number."""

    seen: views.Seen
    coords: Tensor  # uint8 (N, 3)
    distances: Tensor  # float16 (N, 27)
    random: np.random.Generator


def drawn(seed: int, index: int) -> Drawn:
    """Draw object `index` of a seed."""
    random = np.random.default_rng([seed, index])
    while True:
        seen = views.draw_seen(random)
        found = views.voxels(seen)
        if found is not None:
            coords, distances = (torch.from_numpy(part) for part in found)
            return Drawn(seen, coords.to(torch.uint8), distances.half(), random)


def name_of(seed: int, index: int) -> str:
    """An object's name. Those that are held out come last in alphabetical order."""
    return f"{_HELD_OUT}{index:06}" if seed == HELD_OUT_SEED else f"shape-{seed}-{index:06}"


def is_held_out(name: str) -> bool:
    """Whether an object of this name is one that nothing is learned from."""
    return name.startswith(_HELD_OUT)


def tensors_of(made: Drawn) -> dict[str, Tensor]:
    """An object's tensors, as its file holds them."""
    pictures = np.stack([views.true_picture(made.seen), views.estimated_picture(made.seen, made.random)])
    return {
        "coords": made.coords,
        "distances": made.distances,
        "pictures": torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))),
        "sheets": torch.from_numpy(views.sheets(made.seen)).half(),
    }


def read(path: Path) -> dict[str, Tensor]:
    """Read an object's file. Raises UserError if it is damaged or no made-up object's."""
    tensors = read_object(path)
    for part in _PARTS:
        if part not in tensors:
            sentence = f"The object {path} lacks “{part}”."
            raise UserError(
                "other-object", sentence, "Make it by `train prepare-shapes`, or take it out of the folder."
            )
    return tensors
