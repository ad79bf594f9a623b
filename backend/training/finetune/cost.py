# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step of fine-tuning takes, counted from the layers' sizes: values, bytes on the device, and operations.

A multiplication and an addition are two operations. Memory is what is kept at the same time; what a layer holds only
while it computes is in the reserve that a card's memory is looked at with.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from statistics import NormalDist

import torch

from ...models.latent_decoder import LatentDecoder, LatentDecoderConfig
from ...models.latent_flow import LatentFlowConfig
from ...models.structure_flow import StructureFlowConfig
from ...nn.layers import cast_but_norms
from ...nn.transformer import ModulatedBlock
from ..norld.config import FlowConfig
from ..norld.masters import Precision, dtype_of
from ..norld.memory import TRIED, blocks_to_recompute, kept_by_block
from ..norld.task import flow_of

VOXELS = 12_200
"""Of an object that costs are told for."""

_CELLS = 2_864 / VOXELS  # of 2 x 2 x 2 voxels, for each voxel of that object
_TAPS = 27  # neighbours in a convolution; all are taken to be there
_FORWARD_AND_BACK = 3  # times what the forward pass takes
_SUBDIVIDED = 120, 11_200  # bytes that the decoder's second subdivision keeps in float32: a voxel's channel, a voxel


@dataclass(frozen=True)
class StepCost:
    """A step of a flow model with objects of some number of voxels.

    values: of its weights. item: bytes of one in the precision that it computes in. blocks: of the transformer; `kept`
    bytes of one for its gradients, `again` if it is computed again; `passing` are those of the gradients of its widest
    layer. around: bytes that the layers around keep. look: bytes of the decoder and of a look at normals. All bytes are
    of one part of the batch. transformer, others, looking: operations of the whole step, forward and back, without what
    is computed again.
    """

    values: int
    item: int
    blocks: int
    kept: int
    again: int
    passing: int
    around: int
    look: int
    transformer: float
    others: float
    looking: float

    @property
    def resting(self) -> int:
        """Bytes of weights, masters, average and both moments, which are there all the time."""
        return self.values * (16 if self.item == 4 else 16 + self.item)

    def most(self, recomputed: int) -> int:
        """The most bytes at one time, with so many blocks computed again: in the backward pass, or in the optimizer."""
        kept = (self.blocks - recomputed) * self.kept + recomputed * self.again + (self.kept if recomputed else 0)
        back = self.item * self.values + kept + self.passing + self.around + self.look
        return self.resting + max(back, 4 * self.values)

    def recomputed(self, memory: int) -> int | None:
        """How many blocks are computed again so that a step fits into `memory` bytes; None if it does not fit."""
        if self.most(0) <= memory:
            return 0
        budget = self.budget(memory)
        if self.most(self.blocks) > memory or budget is None:
            return None
        return max(1, blocks_to_recompute(self.blocks, self.kept, self.again, budget))

    def budget(self, memory: int) -> int | None:
        """Bytes that the blocks may keep, for `FlowConfig.budget`; None if everything fits."""
        if self.most(0) <= memory:
            return None
        taken = self.resting + self.item * self.values + self.passing + self.around + self.look + self.kept
        return max(0, memory - taken)

    def operations(self, recomputed: int) -> float:
        """Of a step, with so many blocks computed again."""
        again = self.transformer / _FORWARD_AND_BACK * recomputed / self.blocks
        return self.transformer + self.others + self.looking + again


def step_cost(
    config: FlowConfig, context: int, voxels: int = VOXELS, decoder: LatentDecoderConfig | None = None
) -> StepCost:
    """What a step takes with pictures of `context` tokens and objects of so many voxels, which structures do not have.

    decoder: with it normals count, too.
    """
    sizes = config.network
    with torch.device("meta"):
        values = sum(parameter.numel() for parameter in flow_of(sizes).parameters())
    item = dtype_of(config.settings.precision).itemsize
    together = math.ceil(config.batch / config.settings.parts)
    channels = sizes.model_channels
    if isinstance(sizes, StructureFlowConfig):
        tokens = (sizes.resolution // sizes.patch_size) ** 3
        ends = (sizes.in_channels + sizes.out_channels) * sizes.patch_size**3
        around, products = 12 * tokens * channels, tokens * ends * channels
    else:
        tokens = math.ceil(voxels * _CELLS)
        around, products = _around(sizes, voxels, item)
    block = sizes.model_channels, sizes.cond_channels, sizes.num_heads, sizes.mlp_ratio, config.settings.precision
    kept = _kept(*block, norm=sizes.qk_rms_norm) * together * tokens // TRIED
    look, looking = 0, 0.0
    if decoder is not None and isinstance(sizes, LatentFlowConfig):
        look = decoder_bytes(decoder, voxels)
        share = NormalDist(config.times.mean, config.times.std).cdf(_logit(config.regularisation.latest))
        early = 1 - (1 - share * (1 - config.p_uncond)) ** (config.batch / config.settings.parts)
        looking = _FORWARD_AND_BACK * config.settings.parts * early * decoder_operations(decoder, voxels)
    whole = 2 * _FORWARD_AND_BACK * config.batch
    return StepCost(
        values,
        item,
        sizes.num_blocks,
        kept,
        together * tokens * channels * item,
        2 * together * tokens * int(sizes.mlp_ratio * channels) * item,
        together * around,
        look,
        whole * sizes.num_blocks * block_products(sizes, tokens, context),
        whole * products,
        looking,
    )


def block_products(sizes: StructureFlowConfig | LatentFlowConfig, tokens: int, context: int) -> float:
    """Products of numbers in a block of the transformer, forward, for one object."""
    c, ratio = sizes.model_channels, sizes.mlp_ratio
    each = (6 + 2 * ratio) * c**2 + 2 * c * (tokens + context)  # layers, then both attentions
    return tokens * each + 2 * c * sizes.cond_channels * context + 6 * c**2


def view_operations(channels: int, layers: int, tokens: int) -> float:
    """Operations of the picture tokens' transformer for one view: the layers of its blocks, and their attention."""
    return 2.0 * layers * tokens * (12 * channels**2 + 2 * channels * tokens)


def decoder_operations(sizes: LatentDecoderConfig, voxels: int) -> float:
    """Operations of the latents' decoder, forward, at most, without the attention in windows."""
    c = sizes.model_channels
    products = sizes.num_blocks * (4 + 2 * sizes.mlp_ratio) * c**2
    rows = 1
    for coarse, fine in pairwise(_widths(sizes)):
        rows *= 8
        products += rows * (8 * coarse * fine + _TAPS * fine**2)
    return 2.0 * voxels * products


def decoder_bytes(sizes: LatentDecoderConfig, voxels: int) -> int:
    """What a look at an object's normals keeps in float32: the weights, all blocks' inputs, the largest block whole."""
    with torch.device("meta"):
        values = sum(parameter.numel() for parameter in LatentDecoder(sizes).parameters())
    c, widths = sizes.model_channels, _widths(sizes)
    inputs = 4 * (c * (sizes.num_blocks + 1) + 8 * (widths[1] if len(widths) > 2 else 0))
    return 4 * values + voxels * (inputs + _SUBDIVIDED[0] * c + _SUBDIVIDED[1])


def res_block_bytes(channels: int, out_channels: int, rows: int, item: int) -> int:
    """What a residual block of convolutions keeps for its gradients at so many voxels, in bytes."""
    width = channels + out_channels
    layers = (7 if channels == out_channels else 8) * width * item // 2  # norms, their input in float32, what is added
    return rows * (_TAPS * item * width + layers + 286)


def _around(sizes: LatentFlowConfig, voxels: int, item: int) -> tuple[int, float]:
    """Bytes that the blocks before and after the transformer keep for one object, and their products of numbers."""
    kept, products = 0, 0.0
    for channels, out_channels, rows, coarser in _res_blocks(sizes, voxels):
        if coarser:  # the first convolution is of cells, and keeps no neighbours
            kept += res_block_bytes(0, out_channels, rows, item) + 8 * channels * coarser
        else:
            kept += res_block_bytes(channels, out_channels, rows, item)
        first = (coarser or rows) * channels * out_channels
        products += _TAPS * (first + rows * out_channels**2)
    widest = max(sizes.io_block_channels, default=sizes.model_channels)
    return kept + 12 * widest * voxels, products


def _res_blocks(sizes: LatentFlowConfig, voxels: int) -> Iterator[tuple[int, int, int, int]]:
    """Each residual block: its channels, those after it, its voxels, and its cells if it unpacks them, else 0."""
    widths = [*sizes.io_block_channels, sizes.model_channels]
    doubled = 2 if sizes.use_skip_connection else 1
    rows = [math.ceil(voxels * _CELLS**level) for level in range(len(widths))]
    for level, (width, coarser) in enumerate(pairwise(widths)):
        for _ in range(sizes.num_io_res_blocks - 1):
            yield width, width, rows[level], 0
            yield doubled * width, width, rows[level], 0
        yield width, coarser, rows[level + 1], 0
        yield doubled * coarser, width, rows[level], rows[level + 1]


@cache
def _kept(channels: int, context_channels: int, heads: int, ratio: float, precision: Precision, *, norm: bool) -> int:
    """Bytes that a block keeps for `TRIED` tokens, found with one whose weights have no values."""
    with torch.device("meta"):
        block = ModulatedBlock(channels, context_channels, heads, ratio, qk_rms_norm=norm)
    block.to_empty(device="cpu")
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    cast_but_norms(block, dtype_of(precision))
    return kept_by_block(block)


def _widths(sizes: LatentDecoderConfig) -> list[int]:
    """The decoder's channels before and after each subdivision."""
    c = sizes.model_channels
    return [c, c // 4] if sizes.subdivision == 2 else [c, c // 4, c // 8]


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
