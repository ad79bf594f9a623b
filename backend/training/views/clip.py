# SPDX-License-Identifier: GPL-3.0-or-later
"""How alike CLIP finds two pictures, by the picture tower that the engine of six views brings: OpenCLIP's ViT-H/14."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from ...arrays import Float32Array
from ...flow.products import Picture
from ...raster.resample import resample
from ...weights import store
from ...weights.catalogue import SIX_VIEWS
from .likeness import on_white

_TOWER = "vision_encoder/"  # of the package's files

Alike = Callable[[Picture, Picture], float]
"""The cosine of the angle between the embeddings of two pictures, on white."""


def measure() -> Alike | None:
    """What compares two pictures; None if the tower's files, torch or transformers are not on this machine.

    Raises `UserError` if the files are damaged, or if the device cannot be used.
    """
    found = store.status(SIX_VIEWS)
    lacking = found.trouble is not None or any(file.startswith(_TOWER) for file in found.missing)
    if lacking or not all(find_spec(name) for name in ("torch", "transformers", "safetensors")):
        return None
    import torch  # noqa: PLC0415 - heavy, and needed with the weights alone

    from ...models.clip_pixels import SIDE  # noqa: PLC0415
    from ...models.clip_tower import normalised  # noqa: PLC0415
    from ...models.zero123plus import embed, load_vision  # noqa: PLC0415
    from ...nn.device import choose  # noqa: PLC0415

    tower = load_vision(found.folder)
    torch.nn.Module.to(tower, choose().device, torch.float32)
    side = getattr(tower.config, "image_size", SIDE)

    def alike(one: Picture, other: Picture) -> float:
        pixels = torch.from_numpy(np.stack([_squared(picture, side) for picture in (one, other)]))
        first, second = embed(tower, normalised(pixels.permute(0, 3, 1, 2)))
        return float(torch.nn.functional.cosine_similarity(first, second, dim=0))

    return alike


def _squared(picture: Picture, side: int) -> Float32Array:
    """A picture on white, widened to a square with white and brought to CLIP's size: float32 (side, side, 3)."""
    height, width = picture.shape[:2]
    longest = max(height, width)
    window = ((width - longest) / 2, (height - longest) / 2, longest, longest)
    shown = on_white(picture).astype(np.float32)
    return np.clip(resample(shown, window, (side, side), fill=1.0), 0, 1)
