# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals from the picture by one pass of a diffusion network: StableNormal's fast variant (Ye et al. 2024).

The picture's latent goes through a control branch, then with the branch's features through the UNet; the result is the
latent of the normal map. There is no noise, one step, and no text: the timestep is 0 and the text is a zero tensor, so
that every cross-attention adds a constant, which is folded into the self-attention before it.

The networks' x points to the left.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..flow.products import Report
from ..nn.checkpoint import described, fill, read_parts
from ..nn.checks import require_finite
from ..nn.watching import repeating

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

PARTS = ("controlnet", "unet", "vae")
N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True)
class Estimator:
    """The three networks. Every cross-attention in them is folded away."""

    vae: "AutoencoderKL"
    control: "ControlEncoder"
    unet: "UNet2DConditionModel"

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "Estimator":
        """Moves the networks to the device and the dtype that they compute in."""
        for network in (self.vae, self.control, self.unet):
            nn.Module.to(network, device=device, dtype=dtype)  # diffusers' own method warns without a reason
        return self


class ControlEncoder(nn.Module):
    """The control branch: the encoder half of the UNet, whose raw features are added to the UNet's own.

    The published network is a ControlNet that does not use the picture's embedding and the zero convolutions.
    `unused` names their tensors, which the checkpoint holds.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        """`config` describes a diffusers ControlNetModel."""
        from diffusers.models.controlnets.controlnet import ControlNetModel  # noqa: PLC0415

        super().__init__()
        whole: Any = ControlNetModel.from_config(config)
        self.conv_in: nn.Module = whole.conv_in
        self.time_proj: nn.Module = whole.time_proj
        self.time_embedding: nn.Module = whole.time_embedding
        self.down_blocks: nn.ModuleList = whole.down_blocks
        self.mid_block: nn.Module = whole.mid_block
        self.unused = frozenset(whole.state_dict()) - frozenset(self.state_dict())

    def forward(self, latent: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """The features of `latent` (B, 4, h, w) after every part of the encoder, and those of its middle."""
        start = torch.zeros(1, dtype=torch.int64, device=latent.device)
        embedding = self.time_embedding(self.time_proj(start).to(latent.dtype)).expand(len(latent), -1)
        h = self.conv_in(latent)
        features: tuple[Tensor, ...] = (h,)
        for block in self.down_blocks:
            h, more = block(hidden_states=h, temb=embedding)
            features += more
        return features, self.mid_block(h, embedding)


def load_estimator(folder: Path) -> Estimator:
    """The networks in `folder`, laid out as Stable-X/yoso-normal-v1-8-1: diffusers' controlnet, unet and vae.

    The weights in half precision are taken if there are any. Raises UserError if a file is missing or damaged, or if a
    tensor is missing, unknown or of another shape.
    """
    configs, tensors, dtype = read_parts(folder, PARTS)
    return build_estimator(configs, tensors, dtype, str(folder))


def build_estimator(
    configs: Mapping[str, dict[str, Any]], tensors: Mapping[str, Mapping[str, Tensor]], dtype: torch.dtype, source: str
) -> Estimator:
    """The networks that `configs` describe, with the weights `tensors` of `dtype`, both by the names in `PARTS`.

    Raises UserError, which names the tensor and `source`, if one is missing, unknown or of another shape.
    """
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: PLC0415
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415

    with described(source, "normal estimator"), torch.device("meta"):
        vae: Any = AutoencoderKL.from_config(configs["vae"])
        unet: Any = UNet2DConditionModel.from_config(configs["unet"])
        control = ControlEncoder(configs["controlnet"])
    for part, network in (("vae", vae), ("unet", unet), ("controlnet", control)):
        unused = network.unused if isinstance(network, ControlEncoder) else ()
        fill(nn.Module.to(network, dtype), tensors[part], f"{source}/{part}", unused)
    return Estimator(vae, fold_cross_attention(control), fold_cross_attention(unet))


def fold_cross_attention(network: N) -> N:
    """Replaces every cross-attention inside `network`, which gets zeros as its context, by a constant.

    The keys and values of zeros are zeros, as neither has a bias: such an attention adds the bias of its output layer.
    The output layer of the self-attention before it adds that too.
    """
    from diffusers.models.attention import BasicTransformerBlock  # noqa: PLC0415

    for part in network.modules():
        if isinstance(part, BasicTransformerBlock) and part.attn2 is not None:
            block: Any = part
            own, cross = block.attn1.to_out[0].bias, block.attn2.to_out[0].bias
            own.data = (own.data.float() + cross.data.float()).to(own.dtype)
            block.attn2 = block.norm2 = None
    return network


@torch.inference_mode()
def predict(estimator: Estimator, colours: Tensor, report: Report, device: torch.device | None = None) -> Tensor:
    """The networks' normals for `colours` uint8 (h, w, 3): unit, float32 (h, w, 3) on the CPU, x to the LEFT.

    h and w are multiples of 64. `report` is called before each of the four passes, within them, and at the end. If a
    `device` is given, the networks go there one after the other, and come back. Raises UserError if they compute
    non-finite numbers.
    """
    weight = next(estimator.unet.parameters())
    device = device or weight.device
    pixels = colours.to(device).movedim(-1, 0)[None].to(weight.dtype) / 255 * 2 - 1
    with repeating(report) as repeated:
        repeated(0, 4)
        with visiting(estimator.vae, device):
            latent = encode(estimator, pixels)
        repeated(1, 4)
        with visiting(estimator.control, device):
            features, middle = estimator.control(latent)
        repeated(2, 4)
        with visiting(estimator.unet, device):
            latent = denoise(estimator, latent, features, middle)
        repeated(3, 4)
        with visiting(estimator.vae, device):
            # Twice, as published: the first is of half precision, and leaves the length a little off.
            normals = unit(unit(decode(estimator, latent)).float())
        repeated(4, 4)
    return require_finite(normals, "normal estimator")[0].movedim(0, -1).cpu()


@contextmanager
def visiting(network: nn.Module, device: torch.device) -> Generator[None]:
    """Moves a network to a device, if it is elsewhere, and back afterwards."""
    home = next(network.parameters()).device
    nn.Module.to(network, device)
    try:
        yield
    finally:
        nn.Module.to(network, home)


def encode(estimator: Estimator, pixels: Tensor) -> Tensor:
    """The latent (B, 4, h/8, w/8) of `pixels` (B, 3, h, w) in [-1, 1]: the mean that the encoder gives."""
    coded: Any = estimator.vae.encode(pixels)
    return coded.latent_dist.mode() * _scaling(estimator.vae)


def denoise(estimator: Estimator, latent: Tensor, features: Sequence[Tensor], middle: Tensor) -> Tensor:
    """The normal map's latent from the picture's (B, 4, h/8, w/8) and the control branch's features."""
    denoised: Any = estimator.unet(
        latent,
        timestep=0,
        encoder_hidden_states=None,
        down_block_additional_residuals=tuple(features),
        mid_block_additional_residual=middle,
    )
    return denoised.sample


def decode(estimator: Estimator, latent: Tensor) -> Tensor:
    """The vectors (B, 3, h, w) of a latent (B, 4, h/8, w/8); their directions are the normals."""
    vae: Any = estimator.vae
    return vae.decode(latent / _scaling(vae)).sample


def unit(vectors: Tensor) -> Tensor:
    """Vectors (B, 3, h, w) of length one."""
    return functional.normalize(vectors, dim=1, eps=1e-6)


def _scaling(vae: "AutoencoderKL") -> float:
    config: Any = vae.config
    return config["scaling_factor"]
