# SPDX-License-Identifier: GPL-3.0-or-later
"""The details of the object: a flow model over structured latents.

The latents are a few numbers at every voxel of the sparse structure, which a decoder turns into a surface
(latent_decoder). The model is a diffusion transformer over cells of 2 x 2 x 2 voxels, between residual blocks of
submanifold convolutions that gather the voxels into cells and unpack them again (TRELLIS; Xiang et al. 2025,
section 3.3; with normal maps for pictures: Hi3DGen, Ye et al. 2025).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap

import torch
from torch import Tensor, nn

from ..flow.products import Report
from ..nn.checks import require_finite
from ..nn.layers import cast_but_norms, joined, layer_norm32, position_embedding, require_absolute_positions, widened
from ..nn.sampler import Sampling, alternating, sample
from ..nn.sparse import Voxels
from ..nn.sparse_blocks import ResBlock, gathered_in_cells
from ..nn.transformer import Context, DiffusionTransformer, KeysValues, Time
from ..nn.watching import repeating
from .presets import PRESETS

SAMPLING = PRESETS["upstream"].latents
_EPS = 1e-5


@dataclass(frozen=True)
class LatentFlowConfig:
    """The network's sizes, by their names in the checkpoint's description."""

    resolution: int  # voxels along an axis; the network itself works at any
    in_channels: int
    out_channels: int
    model_channels: int
    cond_channels: int
    num_blocks: int
    num_heads: int
    mlp_ratio: float = 4
    patch_size: int = 2  # voxels along an axis of a cell, a power of two
    num_io_res_blocks: int = 2  # at each resolution
    io_block_channels: Sequence[int] = ()  # at each resolution above the cells', finest first
    pe_mode: str = "ape"
    qk_rms_norm: bool = False
    use_skip_connection: bool = True
    use_fp16: bool = False

    def __post_init__(self) -> None:
        require_absolute_positions(self.pe_mode)
        if self.patch_size != 2 ** len(self.io_block_channels):
            raise ValueError(f"{len(self.io_block_channels)} halvings do not give cells of {self.patch_size} voxels")
        if self.num_io_res_blocks < 1:
            raise ValueError("num_io_res_blocks has to be at least 1")


@dataclass(frozen=True)
class Normalization:
    """The mean and the deviation of each channel of the decoder's latents, by their names in `pipeline.json`."""

    mean: Sequence[float]
    std: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std):
            raise ValueError(f"{len(self.mean)} means for {len(self.std)} deviations")

    def undone(self, latents: Tensor) -> Tensor:
        """The decoder's latents from the flow's, both (N, C)."""
        return latents * latents.new_tensor(self.std) + latents.new_tensor(self.mean)

    def applied(self, latents: Tensor) -> Tensor:
        """The flow's latents from the encoder's, both (N, C)."""
        return (latents - latents.new_tensor(self.mean)) / latents.new_tensor(self.std)


class LatentFlow(DiffusionTransformer):
    """The velocity of the latents."""

    def __init__(self, config: LatentFlowConfig) -> None:
        super().__init__(
            config.model_channels,
            config.cond_channels,
            config.num_blocks,
            config.num_heads,
            config.mlp_ratio,
            qk_rms_norm=config.qk_rms_norm,
        )
        self.config = config
        inner = config.model_channels
        widths = [*config.io_block_channels, inner]
        doubled = 2 if config.use_skip_connection else 1
        more = config.num_io_res_blocks - 1
        self.input_layer = nn.Linear(config.in_channels, widths[0])
        self.input_blocks = nn.ModuleList()
        self.out_blocks = nn.ModuleList()
        for width, coarser in pairwise(widths):
            self.input_blocks.extend([ResBlock(width, width, inner) for _ in range(more)])
            self.input_blocks.append(ResBlock(width, coarser, inner))
        for width, coarser in reversed(list(pairwise(widths))):
            self.out_blocks.append(ResBlock(doubled * coarser, width, inner))
            self.out_blocks.extend([ResBlock(doubled * width, width, inner) for _ in range(more)])
        self.out_layer = nn.Linear(widths[0], config.out_channels)
        self.set_initial_weights()
        self.compute_in(torch.float16 if config.use_fp16 else torch.float32)

    def compute_in(self, dtype: torch.dtype) -> None:
        """Sets the `dtype` that the blocks multiply in, also those before and after the transformer."""
        super().compute_in(dtype)
        cast_but_norms(self.input_blocks, dtype)
        cast_but_norms(self.out_blocks, dtype)

    def forward(self, x: Tensor, time: Time, contexts: list[Context], voxels: Voxels) -> Tensor:
        """The velocity at the latents `x` float32 (N, C) of `voxels`, float32 of the same shape.

        `time` is of one time or of the batch's B; `contexts` are of one picture, of B, or of no picture.
        """
        skips: list[Tensor] = []
        levels = [voxels]
        h = self.input_layer(x).to(self.dtype)
        for block, gathers in self._levels(self.input_blocks, last=True):
            if gathers:
                h = gathered_in_cells(h, levels[-1])
                levels.append(levels[-1].cells)
            h = block(h, time.embedding, levels[-1])
            skips.append(h)
        h = h + position_embedding(levels[-1].coords[:, 1:], h.shape[1]).to(h.dtype)
        h = self._transform_each(h, time, contexts, levels[-1])
        for block, unpacks in self._levels(self.out_blocks, last=False):
            skip = skips.pop()
            h = torch.cat([h, skip], dim=1) if self.config.use_skip_connection else h
            if unpacks:
                levels.pop()
            h = block(h, time.embedding, levels[-1], unpacks=unpacks)
        return self.out_layer(widened(layer_norm32(h, _EPS)))

    def _levels(self, blocks: nn.ModuleList, *, last: bool) -> list[tuple[nn.Module, bool]]:
        """The blocks, each with whether it changes the resolution: the last or the first at each resolution does."""
        count = self.config.num_io_res_blocks
        return [(block, i % count == (count - 1 if last else 0)) for i, block in enumerate(blocks)]

    def _transform_each(self, h: Tensor, time: Time, contexts: list[Context], voxels: Voxels) -> Tensor:
        """Runs each object's cells through the transformer: thousands, enough to keep a device busy."""

        def transformed(item: int, rows: slice) -> Tensor:
            its_contexts = [_context_of(context, item) for context in contexts]
            return self.transform(h[rows][None], _time_of(time, item), its_contexts)[0]

        return joined(starmap(transformed, enumerate(voxels.items())), torch.empty_like(h))


def _time_of(time: Time, item: int) -> Time:
    if len(time.embedding) == 1:
        return time
    return Time(time.embedding[item : item + 1], [modulation[item : item + 1] for modulation in time.modulations])


def _context_of(context: Context, item: int) -> Context:
    if not isinstance(context, KeysValues) or len(context.keys) == 1:
        return context
    return KeysValues(context.keys[item : item + 1], context.values[item : item + 1])


def latent_noise(config: LatentFlowConfig, voxels: Voxels, generators: Sequence[torch.Generator]) -> Tensor:
    """The noise that sampling starts from, float32 (N, C): each item's rows from its own CPU generator.

    The generator that drew the structure's noise for a seed continues here, as upstream's does.
    """
    channels = config.in_channels
    noise = [
        torch.randn(length, channels, generator=generator)
        for length, generator in zip(voxels.lengths, generators, strict=True)
    ]
    return torch.cat(noise)


def latent_noise_by_place(config: LatentFlowConfig, voxels: Voxels, generators: Sequence[torch.Generator]) -> Tensor:
    """The same, but the noise at each place of the grid does not depend on other voxels: float32 (N, C).

    With `latent_noise`, a voxel that half precision adds or drops moves the noise of all voxels after it, and the
    result is another object. Here all others keep theirs. The noise is drawn for the whole grid, (R, R, R, C), by
    torch's CPU generator, so that it is the same for every device: 8 MB and some 20 ms for 64 voxels along an axis.
    Coordinates are in [0, R) with R the `resolution`. A seed gives another object than with `latent_noise`.
    """
    shape = (*[config.resolution] * 3, config.in_channels)
    noise: list[Tensor] = []
    for rows, generator in zip(voxels.items(), generators, strict=True):
        x, y, z = voxels.coords[rows, 1:].cpu().long().unbind(1)
        noise.append(torch.randn(shape, generator=generator)[x, y, z])
    return torch.cat(noise)


@torch.inference_mode()
def sample_latents(
    flow: LatentFlow,
    tokens: Tensor,
    voxels: Voxels,
    noise: Tensor,
    *,
    normalization: Normalization,
    report: Report,
    sampling: Sampling = SAMPLING,
    more: Sequence[Tensor] = (),
) -> Tensor:
    """Latents for the decoder, float32 (N, C), of objects with the structure `voxels`.

    `tokens` (1 or B, T, context channels) are the picture's, `noise` is (N, C); all are on the network's device. `more`
    are the tokens of more pictures of the object, with which the steps alternate.
    Raises UserError if the network computes non-finite numbers; errors of `report` pass through.
    """
    with repeating(report) as repeated:
        velocity, sampling = alternating([flow.bound_to(each, voxels) for each in (tokens, *more)], sampling)
        latents = sample(velocity, noise, sampling, repeated)
    return normalization.undone(require_finite(latents, "latents' flow model"))
