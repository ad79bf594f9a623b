# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that no training sees: by them networks are compared, and the one that ships is chosen."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ...flow.products import Picture
from ...raster.layers import read_arrays
from ...safe_files import replacing
from ..core.devices import lowered
from ..core.task import HELD_OUT_SEED
from . import losses
from .batches import Minibatch, prepare, take
from .config import Config
from .samples import Samples, Source

_AT_ONCE = 32 * 128**2  # pixels
_SHOWN = 12  # pictures on the sheet


class HeldOut:
    """The held-out pictures of a configuration: made once, kept in a folder's files `held_out_SIZE.npz`."""

    def __init__(self, config: Config, source: Source, folder: Path) -> None:
        self._config = config
        self._samples = {
            size: _kept(source, size, count, folder / f"held_out_{size}.npz") for size, count in config.held_out.items()
        }
        self._batches = {size: _batches(samples) for size, samples in self._samples.items()}

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """Return the mean angle in degrees as `held_out_SIZE`, over all pixels, for every size."""
        return {f"held_out_{size}": self._angle(network, batches) for size, batches in self._batches.items()}

    @torch.no_grad()
    def sheet(self, network: nn.Module) -> Picture:
        """Show the first pictures, the network's normals, and the truth: uint8 (H, W, 3), a picture a row."""
        size, batches = next(iter(self._batches.items()))
        samples = self._samples[size]
        device = next(network.parameters()).device
        with lowered(self._config.schedule.precision, device):
            normals = network(batches[0].picture.to(device), batches[0].inflated.to(device))
        predicted = losses.unit(normals.float()).permute(0, 2, 3, 1).cpu().numpy()
        count = min(_SHOWN, len(predicted))
        colours = samples.rgba[:count, ..., :3] / 255
        inside = samples.mask[:count, ..., None]
        panels = (colours, predicted[:count] / 2 + 0.5, samples.normals[:count] / 2 + 0.5)
        rows = np.concatenate([np.where(inside, panel, 1.0) for panel in panels], axis=2)
        return np.rint(np.clip(rows.reshape(-1, *rows.shape[2:]), 0, 1) * 255).astype(np.uint8)

    @torch.no_grad()
    def _angle(self, network: nn.Module, batches: list[Minibatch]) -> float:
        device = next(network.parameters()).device
        total = torch.zeros((), dtype=torch.float64)
        for batch in batches:
            seen = batch.to(device)
            with lowered(self._config.schedule.precision, device):
                normals = network(seen.picture, seen.inflated)
            angle = losses.angle(losses.unit(normals.float()), seen.truth, seen.mask).cpu()
            total += angle.double() * batch.mask.sum().double()
        return float(total / sum(batch.mask.sum().double() for batch in batches))


def _kept(source: Source, size: int, count: int, path: Path) -> Samples:
    """Read held-out pictures from a file, or make them and write it beside, then in place."""
    if (kept := _read(path)) is not None and kept.mask.shape == (count, size, size):
        return kept
    samples = take(source, HELD_OUT_SEED, size, count)
    normals = samples.normals.astype(np.float16)
    with replacing(path) as file:
        np.savez_compressed(file, rgba=samples.rgba, normals=normals, mask=samples.mask)
    return Samples(samples.rgba, normals.astype(np.float32), samples.mask)


def _read(path: Path) -> Samples | None:
    """Read what `_kept` wrote; None if there is no such file, or it is damaged."""
    try:
        arrays = read_arrays(path)
        return Samples(arrays["rgba"], arrays["normals"].astype(np.float32), arrays["mask"])
    except (OSError, ValueError, KeyError):
        return None


def _batches(samples: Samples) -> list[Minibatch]:
    count, size = samples.mask.shape[:2]
    step = max(1, _AT_ONCE // size**2)
    parts = (slice(first, first + step) for first in range(0, count, step))
    return [prepare(Samples(samples.rgba[part], samples.normals[part], samples.mask[part])) for part in parts]
