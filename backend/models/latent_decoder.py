# SPDX-License-Identifier: GPL-3.0-or-later
"""From structured latents to the features of a surface: distances, displacements and colours, at fine voxels.

A transformer over shifted windows of voxels, then two subdivisions into eight, so that a structure of 64 voxels
along an axis gets features at 256 (TRELLIS, Xiang et al. 2025, section 3.2; shifted windows: Liu et al. 2021). A
smaller network may have one. The room `surface` makes the surface from the features.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import gcd

import torch
from torch import Tensor, nn

from ..flow.products import Report
from ..nn.checks import require_finite
from ..nn.initial_weights import set_linear, set_zero
from ..nn.layers import cast_but_norms, joined, position_embedding, require_absolute_positions, widened
from ..nn.recompute import recomputing
from ..nn.sparse import Voxels
from ..nn.sparse_blocks import SubdivideBlock, WindowBlock
from ..nn.watching import repeating
from ..surface.surface import Surface, extract_surface, feature_channels

SUBDIVISION = 4
"""Fine voxels along a voxel's edge, in the published network."""

_GROUPS = 32  # of the norms between subdivisions, if the channels are a multiple
_ROWS = 2**18  # read out at once in float32


def _no_report(step: int) -> None:
    """Ignores that a step begins."""


@dataclass(frozen=True)
class LatentDecoderConfig:
    """The network's sizes, by their names in the checkpoint's description."""

    resolution: int  # voxels along an axis of the structure
    model_channels: int
    latent_channels: int
    num_blocks: int
    num_heads: int
    mlp_ratio: float = 4
    attn_mode: str = "swin"
    window_size: int = 8
    pe_mode: str = "ape"
    use_fp16: bool = False
    representation_config: Mapping[str, bool] = field(default_factory=dict)
    subdivision: int = SUBDIVISION  # fine voxels along a voxel's edge: 2 or 4; published descriptions do not have it

    def __post_init__(self) -> None:
        require_absolute_positions(self.pe_mode)
        if self.attn_mode != "swin":
            raise ValueError(f"attn_mode is {self.attn_mode!r}: only 'swin' (shifted windows) is known")
        if self.subdivision not in (2, 4):
            raise ValueError(f"subdivision is {self.subdivision}: only 2 and 4 are known")

    @property
    def use_color(self) -> bool:
        """Whether the features hold colours."""
        return bool(self.representation_config.get("use_color"))

    @property
    def fine(self) -> int:
        """Fine voxels along an axis."""
        return self.subdivision * self.resolution


class WindowTransformer(nn.Module):
    """The transformer of decoder and encoder: in every second block the windows are shifted by half their size."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        blocks: int,
        heads: int,
        mlp_ratio: float,
        window_size: int,
        qk_rms_norm: bool = False,
    ) -> None:
        super().__init__()
        self.window_size = window_size
        self.recomputed = 0  # so many blocks, the first, are computed again for their gradients
        self.input_layer = nn.Linear(in_channels, channels)
        self.blocks = nn.ModuleList(
            WindowBlock(channels, heads, mlp_ratio, qk_rms_norm=qk_rms_norm) for _ in range(blocks)
        )

    def transform(
        self, x: Tensor, voxels: Voxels, dtype: torch.dtype, begins: Callable[[int], None] = _no_report
    ) -> Tensor:
        """From `x` float32 (N, C) to (N, channels), with the blocks in `dtype`; each calls `begins` with its number."""
        h = self.input_layer(x)
        h = (h + position_embedding(voxels.coords[:, 1:], h.shape[1])).to(dtype)
        for i, block in enumerate(self.blocks):
            begins(i)
            windows = voxels.windows(self.window_size, self.window_size // 2 * (i % 2))
            h = recomputing(block, h, windows) if i < self.recomputed else block(h, windows)
        return h


class LatentDecoder(WindowTransformer):
    """Features of the surface at each of the S³ fine voxels in a voxel, S being the `subdivision`."""

    def __init__(self, config: LatentDecoderConfig) -> None:
        channels = config.model_channels
        super().__init__(
            config.latent_channels,
            channels,
            blocks=config.num_blocks,
            heads=config.num_heads,
            mlp_ratio=config.mlp_ratio,
            window_size=config.window_size,
        )
        self.config = config
        widths = [channels, channels // 4] if config.subdivision == 2 else [channels, channels // 4, channels // 8]
        self.upsample = nn.ModuleList(
            SubdivideBlock(coarse, fine, gcd(_GROUPS, fine)) for coarse, fine in pairwise(widths)
        )
        self.out_layer = nn.Linear(widths[-1], feature_channels(colours=config.use_color))
        set_linear(self)
        set_zero(self.out_layer)
        self.compute_in(torch.float16 if config.use_fp16 else torch.float32)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Sets the `dtype` that the blocks and the subdivisions multiply in."""
        self.dtype = dtype
        cast_but_norms(self.blocks, dtype)
        cast_but_norms(self.upsample, dtype)

    def forward(
        self, latents: Tensor, voxels: Voxels, begins: Callable[[int], None] = _no_report
    ) -> tuple[Tensor, Voxels]:
        """Features float32 (S³ N, F) from `latents` float32 (N, C) at `voxels`, and the fine voxels they are at.

        `begins` is called before each of the `steps` with its number.
        """
        h = self.transform(latents, voxels, self.dtype, begins)
        for i, block in enumerate(self.upsample, start=len(self.blocks)):
            begins(i)
            h = recomputing(block, h, voxels) if i < self.recomputed else block(h, voxels)
            voxels = voxels.children
        features = self.out_layer.weight.new_empty(len(h), self.out_layer.out_features)
        return joined((self.out_layer(widened(part)) for part in h.split(_ROWS)), features), voxels

    @property
    def steps(self) -> int:
        """How many steps `forward` reports."""
        return len(self.blocks) + len(self.upsample)


@torch.inference_mode()
def decode_surfaces(
    decoder: LatentDecoder,
    latents: Tensor,
    voxels: Voxels,
    report: Report,
    *,
    solid: bool = False,
    whole: bool = False,
) -> list[Surface]:
    """The surface of each object in the batch, from its `latents` float32 (N, C) at the structure `voxels`.

    `solid` and `whole` are those of `extract_surface`. Raises UserError if the network computes non-finite numbers;
    errors of `report` pass through.
    """
    of = decoder.steps + len(voxels.lengths)
    with repeating(report) as repeated:

        def begins(step: int) -> None:
            repeated(step, of)

        features, fine = decoder(latents, voxels, begins)
        require_finite(features, "latents' decoder")
        surfaces: list[Surface] = []
        for rows in fine.items():
            repeated(decoder.steps + len(surfaces), of)
            at = fine.coords[rows, 1:]
            surfaces.append(extract_surface(at, features[rows], decoder.config.fine, solid=solid, whole=whole))
    report(of, of)
    return surfaces
