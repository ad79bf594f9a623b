# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit of the gradient's norm that follows the norms that were seen."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class AdaptiveClip:
    """Clips the norm to `max_norm`, and once the last `recorded` norms are known to their percentile, if that is less.

    A norm counts from the next step on: the one that clips is not yet among those that decide.
    """

    def __init__(self, max_norm: float, percentile: float, recorded: int) -> None:
        self._most = max_norm
        self._percentile = percentile
        self._recorded = recorded
        self._norms: list[float] = []
        self.limit = max_norm

    def clip(self, parameters: Iterable[Tensor]) -> Tensor:
        """Scales the parameters' gradients in place. Returns their norm before, (); a non-finite one is not noted."""
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.limit)
        if bool(norm.isfinite()):
            self._norms = [*self._norms, norm.item()][-self._recorded :]
        if len(self._norms) == self._recorded:
            found = torch.quantile(torch.tensor(self._norms, dtype=torch.float64), self._percentile / 100)
            self.limit = min(self._most, found.item())
        return norm

    def state(self) -> dict[str, Any]:
        """What `resume` takes."""
        return {"norms": self._norms, "limit": self.limit}

    def resume(self, state: dict[str, Any]) -> None:
        """Goes on where another left off."""
        self._norms, self.limit = list(state["norms"]), state["limit"]
