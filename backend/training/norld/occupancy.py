# SPDX-License-Identifier: GPL-3.0-or-later
"""What the autoencoder of sparse structures is trained with: how far its occupancy is from the true one."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor
from torch.nn import functional

_SMOOTH = 1.0  # keeps the share defined if nothing is occupied


def cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """The mean binary cross-entropy, () for log-odds `logits` and `truth` of 0 and 1, both float32 (B, 1, F, F, F)."""
    return functional.binary_cross_entropy_with_logits(logits, truth)


def absolute(logits: Tensor, truth: Tensor) -> Tensor:
    """The mean absolute difference of the probabilities from `truth`."""
    return functional.l1_loss(logits.sigmoid(), truth)


def dice(logits: Tensor, truth: Tensor) -> Tensor:
    """One minus the overlap of the probabilities p with the truth s: 1 - (2 sum p s + 1) / (sum p + sum s + 1).

    The sums go over the whole batch (Milletari et al. 2016, with sums in place of squares).
    """
    likely = logits.sigmoid()
    return 1 - (2 * (likely * truth).sum() + _SMOOTH) / (likely.sum() + truth.sum() + _SMOOTH)


OCCUPANCY_LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"bce": cross_entropy, "l1": absolute, "dice": dice}
)
"""By their names in the published configurations, which take "dice" and weigh the divergence with 0.001 beside it."""
