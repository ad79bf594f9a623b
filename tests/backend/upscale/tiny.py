# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of weights as published upscalers have them, of networks of a few kilobytes. It needs the extra hi3dgen."""

from pathlib import Path
from typing import Any

import torch

from backend.upscale.library import spandrel


def real_esrgan(path: Path, **changes: Any) -> Path:
    """A Real-ESRGAN that enlarges four times, with random weights, laid out as the published file."""
    spandrel()
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet

    torch.manual_seed(1)
    network = RRDBNet(**{"num_filters": 8, "num_blocks": 1, "scale": 4, **changes})
    torch.save({"params_ema": network.state_dict()}, path)
    return path


def compact(path: Path, *, doubling: bool = False) -> Path:
    """A compact Real-ESRGAN that enlarges twice, as safetensors; `doubling` only repeats every pixel."""
    spandrel()
    from safetensors.torch import save_file
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    torch.manual_seed(1)
    state = SRVGGNetCompact(num_feat=8, num_conv=3, upscale=2).state_dict()
    if doubling:  # the network adds to the repeated pixels what its last layer gives
        state |= {name: torch.zeros_like(tensor) for name, tensor in [*state.items()][-2:]}
    save_file(state, path)
    return path
