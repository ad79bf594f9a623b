# SPDX-License-Identifier: GPL-3.0-or-later
"""A small network's weights as what ships: an .npz file in half precision, an array a tensor of torch's names."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ...errors import UserError
from ...raster.layers import read_arrays
from ...safe_files import replacing


def export(path: Path, network: nn.Module) -> None:
    """Write a network's weights, beside first and then in place, as `raster.layers.read_weights` reads them."""
    arrays = {name: value.detach().cpu().numpy().astype(np.float16) for name, value in network.state_dict().items()}
    with replacing(path) as file:
        np.savez_compressed(file, **arrays)


def read_exported(path: Path, network: nn.Module) -> None:
    """Give a network the weights that `export` wrote.

    Raises UserError if they cannot be read or are another network's.
    """
    try:
        arrays = read_arrays(path)
        network.load_state_dict({name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()})
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise UserError(
            "bad-start",
            f"The file {path} holds no weights of this configuration's network.",
            "Give the .npz file of an earlier training of the same configuration.",
        ) from error
