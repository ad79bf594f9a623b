# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames to latents and back, one after the other: the autoencoder knows no time."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..flow.products import Report
from .ldm_names import SCALING

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL


def image_latents(vae: "AutoencoderKL", frames: Tensor, report: Report) -> Tensor:
    """What conditions the networks: the encoder's mean, not scaled, float32 (N, 4, H / 8, W / 8).

    frames (N, 3, H, W), of which [-1, 1] shows. `report` is called before each frame and at the end.
    """
    return torch.cat([_coded(vae, frame).mode().float() for frame in _each(frames, report)])


def drawn_latents(vae: "AutoencoderKL", frames: Tensor, noise: Tensor, report: Report) -> Tensor:
    """Latents as the networks make them, drawn by `noise` of their shape: float32 (N, 4, H / 8, W / 8), scaled."""
    drawn: list[Tensor] = []
    for frame, own in zip(_each(frames, report), noise.split(1), strict=True):
        coded = _coded(vae, frame)
        drawn.append(SCALING * (coded.mean.float() + coded.std.float() * own))
    return torch.cat(drawn)


def decoded(vae: "AutoencoderKL", latents: Tensor, report: Report) -> Tensor:
    """The frames of scaled latents (N, 4, h, w): float32 (N, 3, 8 h, 8 w) on the CPU, of which [-1, 1] shows."""
    decoder: Any = vae
    dtype = next(vae.parameters()).dtype
    each = _each(latents, report)
    return torch.cat([decoder.decode((one / SCALING).to(dtype)).sample.float().cpu() for one in each])


def _coded(vae: "AutoencoderKL", frame: Tensor) -> Any:  # noqa: ANN401  diffusers' distribution, log-variance clamped
    encoder: Any = vae
    return encoder.encode(frame.to(next(vae.parameters()).dtype)).latent_dist


def _each(items: Tensor, report: Report) -> Iterable[Tensor]:
    for number, item in enumerate(items.split(1)):
        report(number, len(items))
        yield item
    report(len(items), len(items))
