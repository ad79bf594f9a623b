# SPDX-License-Identifier: GPL-3.0-or-later
"""Composites that no training sees, which say how good a cut-out network is."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...flow.products import Picture
from ...raster.layers import read_arrays
from ...safe_files import replacing
from ..core.devices import lowered
from ..core.task import HELD_OUT_SEED
from .batches import Source, prepare
from .composites import KINDS, Block
from .config import Config

_AT_ONCE = 24
_SHOWN = 24
_ROW = 4  # pictures of a row of the sheet


class HeldOut:
    """The held-out pictures of a configuration: made once, kept in a folder's file `held_out.npz`."""

    def __init__(self, config: Config, source: Source, folder: Path) -> None:
        self._config = config
        self._block = _kept(source, config, folder / "held_out.npz")

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """Return how much of the overlap is missing, 100 (1 - IoU): the mean of all, and that of the worst fifth."""
        missing = np.sort(
            100 * (1 - overlap(self._answers(network), torch.from_numpy(self._block.alpha) / 255).numpy())
        )
        worst = missing[-max(1, len(missing) // 5) :]
        return {"held_out_mean": float(missing.mean()), "held_out_worst_fifth": float(worst.mean())}

    def sheet(self, network: nn.Module) -> Picture:
        """Show the first pictures, what the network says, and the truth: uint8 (H, W, 3)."""
        answers = self._answers(network)[:_SHOWN].numpy()[..., None].repeat(3, axis=3)
        rgb, alpha = self._block.rgb[: len(answers)], self._block.alpha[: len(answers), ..., None].repeat(3, axis=3)
        panels = np.concatenate([rgb, np.rint(255 * answers).astype(np.uint8), alpha], axis=2)
        panels = np.pad(panels, ((0, -len(panels) % _ROW), (0, 0), (0, 0), (0, 0)), constant_values=255)
        rows = panels.reshape(-1, _ROW, *panels.shape[1:]).swapaxes(1, 2)
        return rows.reshape(-1, _ROW * panels.shape[2], 3)

    @torch.no_grad()
    def _answers(self, network: nn.Module) -> Tensor:
        """Return how surely each pixel is the object's, (N, S, S) in [0, 1]."""
        device = next(network.parameters()).device
        found: list[Tensor] = []
        for first in range(0, len(self._block.rgb), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            batch = prepare(self._block.rgb[part], self._block.alpha[part]).to(device)
            with lowered(self._config.schedule.precision, device):
                found.append(network(batch.planes).float().sigmoid()[:, 0].cpu())
        return torch.cat(found)


def overlap(found: Tensor, truth: Tensor) -> Tensor:
    """Return the intersections over the unions of two masks, (N, S, S) in [0, 1], at one half: (N,)."""
    one, other = found > 0.5, truth > 0.5
    return (one & other).sum(dim=(1, 2)) / (one | other).sum(dim=(1, 2)).clamp(min=1)


def _kept(source: Source, config: Config, path: Path) -> Block:
    """Read held-out pictures of the same kinds from a file, or make them and write it beside, then in place."""
    kept = _read(path)
    shape = (config.held_out, config.size, config.size)
    if kept is not None and kept.rgb.shape == (*shape, 3) and kept.alpha.shape == shape:
        return kept
    blocks = [source(HELD_OUT_SEED, index) for index in range(config.held_out)]
    block = Block(np.stack([one.rgb[0] for one in blocks]), np.stack([one.alpha[0] for one in blocks]))
    with replacing(path) as file:
        np.savez_compressed(file, rgb=block.rgb, alpha=block.alpha, kinds=np.array(KINDS))
    return block


def _read(path: Path) -> Block | None:
    """Read what `_kept` wrote; None if there is no such file, or it is damaged or of other kinds."""
    try:
        arrays = read_arrays(path)
        return Block(arrays["rgb"], arrays["alpha"]) if tuple(arrays["kinds"]) == KINDS else None
    except (OSError, ValueError, KeyError):
        return None
