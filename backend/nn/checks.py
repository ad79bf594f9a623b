# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells a network's broken result from a good one."""

import torch
from torch import Tensor

from ..errors import UserError


def require_finite(result: Tensor, network: str) -> Tensor:
    """`result` as it is. Raises UserError, naming the `network`, where a number in it is infinite or none at all.

    It waits for the device, so it is asked once a stage.
    """
    if torch.isfinite(result).all():
        return result
    dtype = str(result.dtype).removeprefix("torch.")
    raise UserError(
        "numbers-overflow",
        f"The {network} computed numbers that are not finite ({dtype} on {result.device}).",
        "Half precision is too small for it on this device, or its weights are damaged: verify them.",
    )
