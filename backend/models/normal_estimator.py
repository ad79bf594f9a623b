# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals from the picture by one pass of a diffusion network: StableNormal's fast variant (Ye et al. 2024).

The picture's latent goes through a control branch, then with the branch's features through the UNet; what comes out
is the latent of the normal map. No noise, no steps, no text: the timestep is 0 and the text is a zero tensor, so
that every cross-attention adds a constant, which is folded into the self-attention before it.

The network's x points to the left. It turns here, where its result leaves, and nowhere else.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..arrays import Float32Array
from ..flow.products import Cutout, NormalMap, Picture, Report
from ..nn.checkpoint import described, fill, read_description, read_tensors
from ..nn.checks import require_finite
from ..nn.watching import repeating

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

PARTS = ("controlnet", "unet", "vae")
RESOLUTION = 768  # pixels of the longer side that the network works at
_MULTIPLE = 64  # both sides are rounded to it
N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True)
class Estimator:
    """The three networks. Every cross-attention in them is folded away."""

    vae: "AutoencoderKL"
    control: "ControlEncoder"
    unet: "UNet2DConditionModel"

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "Estimator":
        """The same networks, moved to the device and to what they compute in."""
        for network in (self.vae, self.control, self.unet):
            nn.Module.to(network, device=device, dtype=dtype)  # diffusers' own warns of an empty list
        return self


class ControlEncoder(nn.Module):
    """The control branch: the encoder half of the UNet, whose raw features are added to the UNet's own.

    The published network is a ControlNet that leaves out the picture's embedding and the zero convolutions.
    `unused` names their tensors, which are in the checkpoint all the same.
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

    The weights are those in half precision, where there are any. Raises UserError where a file is missing or damaged,
    or a tensor is missing, foreign or misshapen.
    """
    configs = {part: read_description(folder / part / "config.json") for part in PARTS}
    weights = {part: folder / part / "diffusion_pytorch_model.fp16.safetensors" for part in PARTS}
    dtype = torch.float16
    if not weights["unet"].exists():
        weights = {part: folder / part / "diffusion_pytorch_model.safetensors" for part in PARTS}
        dtype = torch.float32
    tensors = {part: read_tensors(path) for part, path in weights.items()}
    return build_estimator(configs, tensors, dtype, str(folder))


def build_estimator(
    configs: Mapping[str, dict[str, Any]], tensors: Mapping[str, Mapping[str, Tensor]], dtype: torch.dtype, source: str
) -> Estimator:
    """The networks that `configs` describe, with `tensors` of `dtype` for weights; both by the names in `PARTS`.

    Raises UserError, naming the tensor and `source`, where one is missing, foreign or misshapen.
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
    """Folds every cross-attention inside `network` away, for a context of zeros.

    Zeros have no keys and no values, as neither has a bias: what such an attention adds is the bias of its output
    layer, and that can be added one step earlier, by the output layer of the self-attention.
    """
    from diffusers.models.attention import BasicTransformerBlock  # noqa: PLC0415

    for part in network.modules():
        if isinstance(part, BasicTransformerBlock) and part.attn2 is not None:
            block: Any = part
            own, cross = block.attn1.to_out[0].bias, block.attn2.to_out[0].bias
            own.data = (own.data.float() + cross.data.float()).to(own.dtype)
            block.attn2 = block.norm2 = None
    return network


def estimate(estimator: Estimator, cutout: Cutout, report: Report, device: torch.device | None = None) -> NormalMap:
    """The normals of what the cut-out shows, on a grid of 768 along the longer side.

    Where the alpha is over a half the normals are those of the object. `device` is as `predict` has it. Raises
    UserError where the networks compute numbers that are not finite; what `report` raises passes through.
    """
    colours, alpha = model_input(cutout.rgba)
    normals = predict(estimator, colours, report, device)
    return to_normal_map(normals, alpha)


def model_input(rgba: Picture, resolution: int = RESOLUTION) -> tuple[Picture, Picture]:
    """What the network sees of a picture uint8 (H, W, 4): colours over white, uint8 (h, w, 3), and the alpha (h, w).

    The longer side is `resolution`, both are multiples of 64; the shape is not kept exactly.
    """
    image = Image.fromarray(rgba)
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    over_white = Image.composite(image, white, image).convert("RGB")
    scale = resolution / max(image.size)
    width, height = (max(1, round(side * scale / _MULTIPLE)) * _MULTIPLE for side in image.size)
    colours = over_white.resize((width, height), Image.Resampling.LANCZOS)
    alpha = image.getchannel("A").resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(colours), np.asarray(alpha)


@torch.inference_mode()
def predict(estimator: Estimator, colours: Picture, report: Report, device: torch.device | None = None) -> Float32Array:
    """The network's own normals for colours uint8 (h, w, 3): unit, float32 (h, w, 3), x to the LEFT.

    h and w are multiples of 64. `report` is called before each of the four passes, within them, and at the end. Given
    a `device`, the networks go there one after the other, and come back.
    """
    weight = next(estimator.unet.parameters())
    device = device or weight.device
    pixels = torch.tensor(colours, device=device).movedim(-1, 0)[None].to(weight.dtype) / 255 * 2 - 1
    with repeating(report) as told:
        told(0, 4)
        with visiting(estimator.vae, device):
            latent = encode(estimator, pixels)
        told(1, 4)
        with visiting(estimator.control, device):
            features, middle = estimator.control(latent)
        told(2, 4)
        with visiting(estimator.unet, device):
            latent = denoise(estimator, latent, features, middle)
        told(3, 4)
        with visiting(estimator.vae, device):
            # Made unit twice, as upstream does: half precision leaves the length a little off.
            normals = unit(unit(decode(estimator, latent)).float())
        told(4, 4)
    return require_finite(normals, "normal estimator")[0].movedim(0, -1).cpu().numpy()


@contextmanager
def visiting(network: nn.Module, device: torch.device) -> Generator[None]:
    """Brings a network to a device, and back again afterwards; nothing moves where it is there already."""
    home = next(network.parameters()).device
    nn.Module.to(network, device)
    try:
        yield
    finally:
        nn.Module.to(network, home)


def encode(estimator: Estimator, pixels: Tensor) -> Tensor:
    """The latent (B, 4, h/8, w/8) of `pixels` (B, 3, h, w) in [-1, 1]: the mean of what the encoder holds likely."""
    coded: Any = estimator.vae.encode(pixels)
    return coded.latent_dist.mode() * _scaling(estimator.vae)


def denoise(estimator: Estimator, latent: Tensor, features: Sequence[Tensor], middle: Tensor) -> Tensor:
    """The normal map's latent from the picture's (B, 4, h/8, w/8) and the control branch's features."""
    told: Any = estimator.unet(
        latent,
        timestep=0,
        encoder_hidden_states=None,
        down_block_additional_residuals=tuple(features),
        mid_block_additional_residual=middle,
    )
    return told.sample


def decode(estimator: Estimator, latent: Tensor) -> Tensor:
    """The vectors (B, 3, h, w) of a latent (B, 4, h/8, w/8); their directions are the normals."""
    vae: Any = estimator.vae
    return vae.decode(latent / _scaling(vae)).sample


def unit(vectors: Tensor) -> Tensor:
    """Vectors (B, 3, h, w) at length one."""
    return vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1e-6)


def to_normal_map(normals: Float32Array, alpha: Picture) -> NormalMap:
    """The network's unit normals float32 (h, w, 3), x to the left, and the alpha uint8 (h, w), as a normal map."""
    return NormalMap(normals * np.array([-1, 1, 1], np.float32), alpha.astype(np.float32) / 255)


def _scaling(vae: "AutoencoderKL") -> float:
    config: Any = vae.config
    return config["scaling_factor"]
