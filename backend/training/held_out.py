# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that no training sees: they say when a network is better than another, and which one ships."""

from collections.abc import Mapping

import torch
from torch import nn

from . import losses
from .batches import Batch, Samples, Source, prepare, take
from .config import Config
from .precision import lowered

SEED = 2**31 - 1
"""The data's seed of the held-out pictures. No training may use it."""

_AT_ONCE = 32 * 128**2  # pixels


class HeldOut:
    """The held-out pictures of a configuration, made once."""

    def __init__(self, config: Config, source: Source) -> None:
        self._config = config
        self._batches = {size: _batches(source, size, count) for size, count in config.held_out.items()}

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """Return the mean angle in degrees as `held_out_SIZE`, over all pixels, for every size."""
        return {f"held_out_{size}": self._angle(network, batches) for size, batches in self._batches.items()}

    @torch.no_grad()
    def _angle(self, network: nn.Module, batches: list[Batch]) -> float:
        device = next(network.parameters()).device
        total = torch.zeros((), dtype=torch.float64)
        for batch in batches:
            seen = batch.to(device)
            with lowered(self._config, device):
                normals = network(seen.picture, seen.inflated)
            angle = losses.angle(losses.unit(normals.float()), seen.truth, seen.mask).cpu()
            total += angle.double() * batch.mask.sum().double()
        return float(total / sum(batch.mask.sum().double() for batch in batches))


def _batches(source: Source, size: int, count: int) -> list[Batch]:
    samples = take(source, SEED, 0, size, count)
    step = max(1, _AT_ONCE // size**2)
    parts = (slice(first, first + step) for first in range(0, count, step))
    return [prepare(Samples(samples.rgba[part], samples.normals[part], samples.mask[part])) for part in parts]
