# SPDX-License-Identifier: GPL-3.0-or-later
"""The coarse shape of the object: a flow model over the dense latents of its sparse structure.

The latents are a small grid of a few channels that a decoder turns into occupied voxels (structure_decoder). The
model is a diffusion transformer over the cells of that grid; it sees the normal map as image tokens
(TRELLIS; Xiang et al. 2025, section 3.3; with normal maps for pictures: Hi3DGen, Ye et al. 2025).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..flow.products import Report
from ..nn.checks import require_finite
from ..nn.layers import layer_norm32, position_embedding, require_absolute_positions, widened
from ..nn.sampler import Sampling, alternating, sample
from ..nn.transformer import Context, DiffusionTransformer, Time
from ..nn.watching import repeating
from .presets import PRESETS

SAMPLING = PRESETS["upstream"].structure
_EPS = 1e-5


@dataclass(frozen=True)
class StructureFlowConfig:
    """The network's sizes, by their names in the checkpoint's description."""

    resolution: int  # R, cells along an axis
    in_channels: int
    out_channels: int
    model_channels: int
    cond_channels: int
    num_blocks: int
    num_heads: int
    mlp_ratio: float = 4
    patch_size: int = 1  # P, cells along an axis that make one token
    pe_mode: str = "ape"
    qk_rms_norm: bool = False
    use_fp16: bool = False

    def __post_init__(self) -> None:
        require_absolute_positions(self.pe_mode)
        if self.resolution % self.patch_size:
            raise ValueError(f"resolution {self.resolution} is not a multiple of patch_size {self.patch_size}")


class StructureFlow(DiffusionTransformer):
    """The velocity of the structure's latents."""

    def __init__(self, config: StructureFlowConfig) -> None:
        super().__init__(
            config.model_channels,
            config.cond_channels,
            config.num_blocks,
            config.num_heads,
            config.mlp_ratio,
            qk_rms_norm=config.qk_rms_norm,
        )
        self.config = config
        volume = config.patch_size**3
        cells = torch.cartesian_prod(*[torch.arange(config.resolution // config.patch_size)] * 3)
        self.pos_emb: Tensor
        self.register_buffer("pos_emb", position_embedding(cells.view(-1, 3), config.model_channels))
        self.input_layer = nn.Linear(config.in_channels * volume, config.model_channels)
        self.out_layer = nn.Linear(config.model_channels, config.out_channels * volume)
        self.set_initial_weights()
        self.compute_in(torch.float16 if config.use_fp16 else torch.float32)

    def forward(self, x: Tensor, time: Time, contexts: list[Context]) -> Tensor:
        """The velocity at the latents `x` float32 (B, C, R, R, R), float32 of the same shape.

        `time` is of one time or of B; `contexts` are of one picture, of B, or of no picture.
        """
        h = self.input_layer(to_patches(x, self.config.patch_size)) + self.pos_emb
        h = widened(self.transform(h.to(self.dtype), time, contexts))
        return from_patches(self.out_layer(layer_norm32(h, _EPS)), self.config.patch_size, self.config.resolution)


def to_patches(x: Tensor, size: int) -> Tensor:
    """Cuts a grid `x` (B, C, R, R, R) into tokens (B, (R/P)³, C P³), the last grid axis fastest in both."""
    for axis in (2, 4, 6):
        x = x.unflatten(axis, (-1, size))  # in the end (B, C, R/P, P, R/P, P, R/P, P)
    return x.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4).flatten(1, 3)


def from_patches(tokens: Tensor, size: int, resolution: int) -> Tensor:
    """The inverse of `to_patches`: from tokens (B, (R/P)³, C P³) to the grid (B, C, R, R, R)."""
    along = resolution // size
    x = tokens.unflatten(2, (-1, size, size, size)).unflatten(1, (along, along, along))
    x = x.permute(0, 4, 1, 5, 2, 6, 3, 7)
    for axis in (2, 3, 4):
        x = x.flatten(axis, axis + 1)
    return x


def structure_noise(config: StructureFlowConfig, generators: Sequence[torch.Generator]) -> Tensor:
    """The noise that sampling starts from, float32 (B, C, R, R, R): one item from each CPU generator.

    Each generator is seeded with a seed; upstream draws the same numbers first. Later stages continue the generator.
    """
    shape = (1, config.in_channels, *[config.resolution] * 3)
    return torch.cat([torch.randn(shape, generator=generator) for generator in generators])


@torch.inference_mode()
def sample_structure(
    flow: StructureFlow,
    tokens: Tensor,
    noise: Tensor,
    report: Report,
    sampling: Sampling = SAMPLING,
    more: Sequence[Tensor] = (),
) -> Tensor:
    """Latents float32 (B, C, R, R, R) of objects as in the picture with `tokens` (1, T, context channels).

    `noise` is (B, C, R, R, R); each item gives another object. Tokens and noise lie on the network's device. `more` are
    the tokens of more pictures of the object, with which the steps alternate.
    Raises UserError if the network computes non-finite numbers; errors of `report` pass through.
    """
    with repeating(report) as repeated:
        velocity, sampling = alternating([flow.bound_to(each) for each in (tokens, *more)], sampling)
        latents = sample(velocity, noise, sampling, repeated)
    return require_finite(latents, "structure's flow model")
