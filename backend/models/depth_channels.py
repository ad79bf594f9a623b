# SPDX-License-Identifier: GPL-3.0-or-later
"""What Hi3D's second stage sees of the frames' depth: nine channels at the latents' size (Yang et al. 2024)."""

from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from transformers import DPTForDepthEstimation

_SHRUNK = 2.6666  # from frames of 1024 to the 384 that DPT was trained with
_PATCHES = 32
_SHUFFLE = 3
_LATENT = 8  # pixels of a latent's side
_LEAST = 1e-6


def seen_by_depth(frames: Tensor) -> Tensor:
    """What DPT gets of `frames` (N, 3, H, W) in [-1, 1]: the same in sides that are multiples of 32.

    Raises ValueError if the frames are too small for that.
    """
    sides = tuple(int(side / _SHRUNK / _PATCHES) * _PATCHES for side in frames.shape[-2:])
    if 0 in sides:
        raise ValueError(f"frames of {tuple(frames.shape[-2:])} pixels are too small for a depth")
    return functional.interpolate(frames, sides, mode="bilinear", align_corners=False)


def depths(network: "DPTForDepthEstimation", frames: Tensor) -> Tensor:
    """Inverse depths, larger is nearer, at least 0: (N, h, w) in float32 for `frames` (N, 3, h, w) in [-1, 1].

    h and w are equal, and a multiple of 32: transformers' class knows no others.
    """
    dpt: Any = network
    dpt.dpt.embeddings.image_size = frames.shape[-2:]  # positions are resampled for any size, if it is the stated one
    return dpt(frames.to(next(network.parameters()).dtype)).predicted_depth.float()


def depth_channels(depth: Tensor, height: int, width: int) -> Tensor:
    """The channels (N, 9, H / 8, W / 8), in [0, 1], of `depth` (N, h, w) for frames of `height` and `width`.

    Each frame's depth is brought to [0, 1] of its own. Channel 3 r + c is row r and column c of every 3 x 3 places.
    """
    sides = (_SHUFFLE * (height // _LATENT), _SHUFFLE * (width // _LATENT))
    fine = functional.interpolate(depth[:, None], sides, mode="bilinear", align_corners=False)
    fine = fine - fine.amin((1, 2, 3), keepdim=True)
    return functional.pixel_unshuffle(fine / fine.amax((1, 2, 3), keepdim=True).clamp(min=_LEAST), _SHUFFLE)
