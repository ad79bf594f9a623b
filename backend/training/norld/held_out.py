# SPDX-License-Identifier: GPL-3.0-or-later
"""How well a flow model does on objects that nothing was learned from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from ...flow.products import Picture
from .flow_matching import Draws, Matched, match
from .objects import Batch, Item

if TYPE_CHECKING:
    from ...models.latent_flow import LatentFlow
    from ...models.structure_flow import StructureFlow

_TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
_DRAWN = 0.3  # the time of the sheet
_LATE = 0.5  # what later times say must not rise while normals are learned
_SHOWN = 4
_CELL = 48  # pixels along the side of a map


class HeldOut:
    """Objects with noise that stays the same, at fixed times: a `core.task.HeldOut`."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """The flow's mean square error at all times, and at those later than one half."""
        losses = {
            t: float(np.mean([self._match(network, i, t).loss.item() for i in range(len(self._items))])) for t in _TIMES
        }
        late = [loss for t, loss in losses.items() if t > _LATE]
        return {"held_out_flow": float(np.mean([*losses.values()])), "held_out_late": float(np.mean(late))}

    def sheet(self, network: nn.Module) -> Picture:
        """True data beside what the network takes for them, from the front, at time 0.3; a row an object."""
        rows: list[Picture] = []
        for i, item in enumerate(self._items[:_SHOWN]):
            found = self._match(network, i, _DRAWN).data.cpu()
            rows.append(np.hstack([_map(item, item.data), _map(item, found if item.coords is not None else found[0])]))
        return np.vstack(rows)

    @torch.no_grad()
    def _match(self, network: nn.Module, index: int, t: float) -> Matched:
        device = next(network.parameters()).device
        alone = Batch([self._items[index]]).to(device)
        data = alone.data
        noise = torch.randn(data.shape, generator=torch.Generator().manual_seed(index)).to(device)
        draws = Draws(noise, torch.full((1,), t, device=device), torch.zeros(1, dtype=torch.bool, device=device))
        return match(cast("StructureFlow | LatentFlow", network), data, alone.tokens, draws, alone.voxels)


def _map(item: Item, data: Tensor) -> Picture:
    """The means of the first three channels along y, x to the right and z up: uint8 (pixels, pixels, 3).

    The values from -3 to 3 are those from black to white.
    """
    if item.coords is None:
        means = data[:3].mean(2)
    else:
        side = int(item.coords.max()) + 1
        grid, count = torch.zeros(3, side, side), torch.zeros(side, side)
        x, _, z = item.coords.long().unbind(1)
        grid.index_put_((torch.arange(3)[:, None], x, z), data[:, :3].T, accumulate=True)
        count.index_put_((x, z), torch.ones(len(x)), accumulate=True)
        means = grid / count.clamp_min(1)
    colours = ((means.permute(2, 1, 0).flip(0) / 6 + 0.5).clamp(0, 1) * 255).numpy().astype(np.uint8)
    places = np.arange(_CELL) * len(colours) // _CELL
    return colours[places][:, places]
