# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights twice: in float32, as the optimizer and the average see them, and in the precision that is computed in.

(Mixed precision with master weights and a loss scale; Micikevicius et al. 2018.)
"""

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import nn

Precision = Literal["fp32", "bf16", "fp16"]
_DTYPES: Mapping[Precision, torch.dtype] = MappingProxyType(
    {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
)


def dtype_of(precision: Precision) -> torch.dtype:
    """What a precision computes in."""
    return _DTYPES[precision]


class Masters:
    """A network in float32, and the one that computes: a copy in a lower `precision`, or in float32 itself."""

    def __init__(self, master: nn.Module, precision: Precision) -> None:
        self._master = master
        self.working: Any = master
        if precision != "fp32":
            self.working = copy.deepcopy(master)
            self.working.compute_in(dtype_of(precision))

    def take_gradients(self, divisor: float) -> None:
        """Moves the gradients to the float32 network, divided by `divisor`."""
        for own, low in self._pairs():
            gradient, low.grad = low.grad, None
            own.grad = None if gradient is None else gradient.float() / divisor

    @torch.no_grad()
    def hand_down(self) -> None:
        """Copies the float32 weights to the network that computes."""
        if self.working is not self._master:
            for own, low in self._pairs():
                low.copy_(own)

    def _pairs(self) -> list[tuple[nn.Parameter, nn.Parameter]]:
        return list(zip(self._master.parameters(), self.working.parameters(), strict=True))
