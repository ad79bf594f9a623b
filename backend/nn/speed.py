# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a device is, measured by matrix products for a tenth of a second.

Networks reach about three quarters of the speed of a matrix product.
"""

import time
from collections.abc import Callable

import torch

from .device import Compute

SLOW = ("cpu", "mps")
"""Kinds of devices on which jobs take so long that the time is estimated in advance."""

_REACHED = 0.75  # of a matrix product's speed
_SIDE = 1024  # of the matrices
_SECONDS = 0.1


def speed_of(compute: Compute, clock: Callable[[], float] = time.monotonic) -> float:
    """Operations a second that a network reaches on a device, from a short measurement by a clock of seconds."""
    a = torch.rand(_SIDE, _SIDE, device=compute.device).to(compute.dtype)
    (a @ a).float().sum().item()  # the first product also starts threads, or compiles
    products, started, now = 0, clock(), 0.0
    while not products or now - started < _SECONDS:
        (a @ a)[0, 0].item()
        products += 1
        now = clock()
    return _REACHED * 2 * _SIDE**3 * products / max(now - started, 1e-9)
