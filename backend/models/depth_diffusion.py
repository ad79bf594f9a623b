# SPDX-License-Identifier: GPL-3.0-or-later
"""Stable Diffusion 2 for depths: a UNet that removes noise from a picture of what has a given depth, and its VAE.

The UNet's fifth channel is the depth. The text is embedded apart, see `prompts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..nn.checkpoint import described, fill, read_parts

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

PARTS = ("unet", "vae")
FACTOR = 8
"""Pixels along a side of one of a latent's places."""
# What the library called the parts of a VAE's attention when the weights were published.
_OLD_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


@dataclass(frozen=True)
class DepthDiffusion:
    """The two networks."""

    unet: "UNet2DConditionModel"
    vae: "AutoencoderKL"

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "DepthDiffusion":
        """Moves the networks to the device and the dtype that they compute in."""
        for network in (self.unet, self.vae):
            nn.Module.to(network, device=device, dtype=dtype)  # diffusers' own method warns without a reason
        return self

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.vae.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the networks compute in."""
        return next(self.vae.parameters()).dtype

    def encode(self, pixels: Tensor) -> Tensor:
        """The latent (B, 4, h/8, w/8) of `pixels` (B, 3, h, w) in [-1, 1]: the mean that the encoder gives, float32.

        It can be differentiated by the pixels.
        """
        coded: Any = self.vae.encode(pixels.to(self.device, self.dtype))
        return coded.latent_dist.mean.float() * self._scaling

    def decode(self, latent: Tensor) -> Tensor:
        """The pixels of a latent (B, 4, h/8, w/8), float32 (B, 3, h, w), about in [-1, 1]."""
        vae: Any = self.vae
        decoded = vae.decode((latent / self._scaling).to(self.device, self.dtype))
        return decoded.sample.float()

    def noise(self, latent: Tensor, level: int, depth: Tensor, context: Tensor) -> Tensor:
        """The noise in latents (B, 4, h, w) at a level of 1000, float32 (B, 4, h, w).

        depth: (1, 1, h, w) in about [-1, 1], more is nearer. context: (B, N, C), the embedded text.
        """
        whole = torch.cat([latent, depth.to(latent).expand(len(latent), -1, -1, -1)], dim=1)
        found: Any = self.unet(whole.to(self.device, self.dtype), level, context.to(self.device, self.dtype))
        return found.sample.float()

    @property
    def _scaling(self) -> float:
        config: Any = self.vae.config
        return config["scaling_factor"]


def load_depth_diffusion(folder: Path) -> DepthDiffusion:
    """The networks in `folder`, laid out as stable-diffusion-2-depth by diffusers: `unet` and `vae`.

    The weights in half precision are taken if there are any. Raises UserError if a file is missing or damaged, or if a
    tensor is missing, unknown or of another shape.
    """
    configs, tensors, dtype = read_parts(folder, PARTS)
    return build_depth_diffusion(configs, tensors, dtype, str(folder))


def build_depth_diffusion(
    configs: Mapping[str, dict[str, Any]], tensors: Mapping[str, Mapping[str, Tensor]], dtype: torch.dtype, source: str
) -> DepthDiffusion:
    """The networks that `configs` describe, with the weights `tensors` of `dtype`, both by the names in `PARTS`.

    Raises UserError, which names the tensor and `source`, if one is missing, unknown or of another shape.
    """
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415

    with described(f"{source}/unet", "UNet"), torch.device("meta"):
        unet: Any = UNet2DConditionModel.from_config(configs["unet"])
    fill(nn.Module.to(unet, dtype), tensors["unet"], f"{source}/unet")
    return DepthDiffusion(unet, build_vae(configs["vae"], tensors["vae"], dtype, f"{source}/vae"))


def build_vae(
    config: dict[str, Any], tensors: Mapping[str, Tensor], dtype: torch.dtype, source: str
) -> "AutoencoderKL":
    """The VAE alone; see `build_depth_diffusion`."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: PLC0415

    with described(source, "VAE"), torch.device("meta"):
        vae: Any = AutoencoderKL.from_config(config)
    fill(nn.Module.to(vae, dtype), renamed(tensors), source)
    return vae


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A VAE's tensors by the names of today's library."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        part, _, kind = name.rpartition(".")
        whole, _, last = part.rpartition(".")
        if ".attentions." in name and last in _OLD_NAMES:
            found[f"{whole}.{_OLD_NAMES[last]}.{kind}"] = tensor
        else:
            found[name] = tensor
    return found
