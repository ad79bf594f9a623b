# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at many small boxes of cells at once, in chunks that bound the memory."""

from collections.abc import Iterator

import torch
from torch import Tensor


def cells_of_boxes(counts: Tensor, most: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Every cell of boxes that hold `counts` int64 (B,) cells: the number of its box, and its own in the box, (N,).

    They come in chunks of whole boxes with about `most` cells, or with one box of more; boxes without a cell are left
    out.
    """
    wanted = counts.nonzero()[:, 0]
    if not len(wanted):
        return
    chunk = (counts[wanted].cumsum(0) - 1) // most
    _, lengths = chunk.unique_consecutive(return_counts=True)
    for boxes in wanted.split(lengths.tolist()):
        held = counts[boxes]
        first = (held.cumsum(0) - held).repeat_interleave(held)
        yield boxes.repeat_interleave(held), torch.arange(len(first), device=first.device) - first
