# SPDX-License-Identifier: GPL-3.0-or-later
"""In how many bits a network computes while it is trained."""

import torch

from .config import Config


def lowered(config: Config, device: torch.device) -> torch.autocast:
    """Return a context in which convolutions and products run in the configuration's precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16")
