# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of the zero123 engine: how they come from its one file, and the memory that they take.

The numbers of values are those of the published checkpoint. The memory of the work was counted from the networks'
largest tensors that exist at the same time.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from ...models.published import below
from ...models.zero123 import build_eye, build_unet, load
from ...nn.memory_plan import Network
from ...weights import store
from ...weights.catalogue import VIEW_BY_MOVE
from .cost import UNET_VALUES

_MILLION = 1_000_000


def networks() -> Mapping[str, Network]:
    """Every network of the engine, by name. Nothing is read before it is needed."""
    return {
        "eye": Network(
            "networks that read the picture and decode the view",
            values=388 * _MILLION,
            works=(70 * _MILLION, 0),  # four of the decoder's last features but one, 256 x 256 x 256
            files=lambda: [file()],
            load=lambda: build_eye(load(file()), str(file())),
            place=lambda eye, compute, _: eye.to(compute.device, compute.dtype),
        ),
        "painter": Network(
            "network for the view",
            values=860 * _MILLION,
            works=(
                40 * _MILLION,
                0,
            ),  # with the picture and without it: a feed-forward of 1024 places, and what is kept
            files=lambda: [file()],
            load=lambda: build_unet(load(file()), str(file())),
            place=lambda unet, compute, _: nn.Module.to(unet, compute.device, compute.dtype),
        ),
    }


def file() -> Path:
    """The published checkpoint. Raises UserError if it is not here."""
    return store.find(VIEW_BY_MOVE) / VIEW_BY_MOVE.files[0]


def share() -> float:
    """How large the UNet on the disk is, of the published one."""
    unet = below(load(file()), "model.diffusion_model.")
    return sum(tensor.numel() for tensor in unet.values()) / UNET_VALUES
