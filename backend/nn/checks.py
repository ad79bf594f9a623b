# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops at results that are not numbers."""

import torch
from torch import Tensor

from ..errors import UserError


def require_finite(result: Tensor, network: str) -> Tensor:
    """Returns `result`. Raises UserError, which names the `network`, if a number in it is non-finite.

    It waits for the device, so call it once a stage.
    """
    if torch.isfinite(result).all():
        return result
    dtype = str(result.dtype).removeprefix("torch.")
    raise UserError(
        "numbers-overflow",
        f"The {network} computed numbers that are not finite ({dtype} on {result.device}).",
        "Half precision is too small for it on this device, or its weights are damaged: verify them.",
    )
