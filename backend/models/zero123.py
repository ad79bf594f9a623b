# SPDX-License-Identifier: GPL-3.0-or-later
"""An object as another camera sees it, from one picture: the networks of Zero-1-to-3 (Liu et al. 2023).

The picture comes in two ways: as CLIP's embedding, projected together with the camera's way to one token; and as a
latent, whose channels lie behind those of the noisy one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, radians, sin
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..flow.products import Report
from ..nn.checkpoint import fill
from ..nn.checks import require_finite
from ..nn.ddim import Schedule, step
from ..nn.noise import Draw
from ..nn.pickled import read_state
from .clip_pixels import clip_pixels
from .clip_tower import features, tower_from_openai
from .ldm_names import SCALING, vae_from_ldm
from .ldm_unet import HEADS, unet_from_ldm
from .published import below, form_of

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPVisionModelWithProjection

SIDE = 256
"""Pixels along the sides of the picture and of the view, as the published networks were trained."""
HEAD_WIDTH = 64
"""Of the heads in CLIP's ViT-L/14."""

_UNET = "model.diffusion_model."


@dataclass(frozen=True)
class Move:
    """How the camera goes from the picture to the view: angles in degrees, the distance in the training's units.

    polar: the change of the angle from above, so that more is lower. azimuth: the change of the angle around the
    object, to the right is more. distance: the change of the distance.
    """

    polar: float
    azimuth: float
    distance: float = 0.0

    def numbers(self) -> Tensor:
        """What the network is told, float32 (4,)."""
        around = radians(self.azimuth)
        return torch.tensor([radians(self.polar), sin(around), cos(around), self.distance])


@dataclass(frozen=True)
class Eye:
    """What reads the picture: CLIP's picture tower, the projection of what it sees and of the move, and the VAE."""

    tower: "CLIPVisionModelWithProjection"
    projection: nn.Linear
    vae: "AutoencoderKL"

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "Eye":
        """Moves the networks to the device and the dtype that they compute in."""
        for network in (self.tower, self.projection, self.vae):
            nn.Module.to(network, device=device, dtype=dtype)
        return self


@dataclass(frozen=True)
class Conditions:
    """What is known of the picture and the move: a token, float32 (1, 1, C), and a latent, float32 (1, 4, h, w)."""

    token: Tensor
    latent: Tensor


def load(path: Path) -> dict[str, Tensor]:
    """The tensors in a published checkpoint, by their names.

    Raises UserError if the file is missing or damaged, or asks for anything but tensors.
    """
    return read_state(path)


def build_eye(tensors: Mapping[str, Tensor], source: str, head_width: int = HEAD_WIDTH) -> Eye:
    """The networks that read the picture, from a published checkpoint's `tensors`.

    Raises UserError, which names the tensor and its `source`, if one is missing, unknown or of another shape.
    """
    projection = below(tensors, "cc_projection.")
    wide, narrow = form_of(projection, "weight", f"{source}, cc_projection")
    with torch.device("meta"):
        linear = nn.Linear(narrow, wide)
    fill(linear, projection, f"{source}, cc_projection")
    visual = _of_one_dtype(below(tensors, "cond_stage_model.model.visual."))
    return Eye(
        tower_from_openai(visual, head_width, "quick_gelu", source),
        linear,
        vae_from_ldm(_of_one_dtype(below(tensors, "first_stage_model.")), source),
    )


def build_unet(tensors: Mapping[str, Tensor], source: str, heads: int = HEADS) -> "UNet2DConditionModel":
    """The network that removes the noise, from a published checkpoint's `tensors`; errors as of `build_eye`.

    The published program samples with the weights that were averaged in training; so does this if they are there.
    """
    own, averaged = below(tensors, _UNET), below(tensors, "model_ema.")
    names = {name: f"diffusion_model{name}".replace(".", "") for name in own}  # averages have names without dots
    if not averaged.keys().isdisjoint(names.values()):
        own = {name: averaged[flat] for name, flat in names.items() if flat in averaged}
    return unet_from_ldm(_of_one_dtype(own), heads, source)


def _of_one_dtype(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as they are if they share their dtype, else as float32: CLIP's were published in two."""
    if len({tensor.dtype for tensor in tensors.values()}) == 1:
        return tensors
    return {name: tensor.float() for name, tensor in tensors.items()}


@torch.inference_mode()
def look(eye: Eye, pixels: Tensor, move: Move) -> Conditions:
    """What the picture says of a view after a move. pixels: (1, 3, S, S) in [-1, 1]."""
    weight = eye.projection.weight
    placed = pixels.to(weight.device, weight.dtype)
    seen = features(eye.tower, clip_pixels(pixels, blurred=False).to(weight.device))
    token = eye.projection(torch.cat([seen, move.numbers()[None].to(seen)], dim=-1))
    coded: Any = eye.vae.encode(placed)
    return Conditions(token[:, None].float().cpu(), coded.latent_dist.mode().float().cpu())


@torch.inference_mode()
def sample(
    unet: "UNet2DConditionModel",
    conditions: Conditions,
    schedule: Schedule,
    draw: Draw,
    report: Report,
    *,
    guidance: float,
    count: int = 1,
    together: bool = True,
    watch: Callable[[Tensor, Tensor], None] = lambda _latent, _clean: None,
) -> Tensor:
    """Latents of views, float32 (count, 4, h, w) on the CPU.

    guidance: how much the picture counts; 1 is as it is. together: whether they go through the network at once with
    the picture and without it, which takes twice the memory. `report` is called before each step and at the end;
    `watch` gets the latents before each step, and what they were predicted to be. Raises UserError if the network
    computes non-finite numbers.
    """
    weight = next(unet.parameters())
    token, seen = (each.to(weight.device) for each in (conditions.token, conditions.latent))
    shape = (count, *seen.shape[1:])
    latent = draw(shape).to(weight.device)
    steps = len(schedule.levels)
    for i, level in enumerate(schedule.levels):
        report(i, steps)
        rows = [[0.0, 1.0]] if together else [[0.0], [1.0]]  # without the picture, with it
        both: list[Tensor] = []
        for shares in rows:
            beside = torch.cat([(share * seen).expand(shape) for share in shares])
            context = torch.cat([(share * token).expand(count, -1, -1) for share in shares])
            noisy = torch.cat([latent.repeat(len(shares), 1, 1, 1), beside], dim=1)
            made: Any = unet(noisy.to(weight.dtype), level, context.to(weight.dtype))
            both.append(made.sample.float())
        without, wanted = torch.cat(both).chunk(2)
        noise = without + guidance * (wanted - without)
        after, clean = step(schedule, i, latent, noise, draw(shape).to(weight.device))
        watch(latent, clean)
        latent = after
    report(steps, steps)
    return require_finite(latent, "network for the view").cpu()


@torch.inference_mode()
def decode(vae: "AutoencoderKL", latents: Tensor) -> Tensor:
    """The pixels of latents (B, 4, h, w): float32 (B, 3, 8h, 8w) in [0, 1] on the CPU."""
    weight = next(vae.parameters())
    network: Any = vae  # typed as taking a kind of tensor that torch no longer makes
    return (
        (network.decode((latents / SCALING).to(weight.device, weight.dtype)).sample.float() / 2 + 0.5).clamp(0, 1).cpu()
    )
